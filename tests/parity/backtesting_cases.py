"""Small cases run by backtesting.py itself: ``python backtesting_cases.py < cases.json > outcomes.json``.

Runs in the peer's interpreter and imports nothing of ours. A case is ``{"orders": text, "market": text, "cash":
number}`` in the language of ``docs/fills.md``, of which it knows good-till-cancelled market, limit, stop and
stop-limit orders and bars. Before the orders are sent one bar closes at 100 (and one more before it: this engine does
not call a strategy on the first).
"""

import json
import sys
import warnings

import backtesting
import pandas as pd
from backtesting import Backtest, Strategy


def parts(text):
    return [part.split() for part in text.split(";") if part.strip()]


def prices(words):
    """What the words name, as this engine calls it: ``target`` and ``loss`` make a bracket."""
    names = {"limit": "limit", "stop": "stop", "target": "tp", "loss": "sl"}
    return {theirs: int(words[words.index(ours) + 1]) for ours, theirs in names.items() if ours in words}


def run(case):
    said, sent = [], []
    orders = parts(case["orders"])

    class Case(Strategy):
        def init(self):
            pass

        def next(self):
            if len(self.data) == 2:
                for words in orders:
                    send = self.buy if words[0] == "buy" else self.sell
                    sent.append(send(size=int(words[1]), **prices(words)))

    broker = backtesting.backtesting._Broker
    open_trade, close_trade = METHODS

    def opened(self, price, size, sl, tp, time_index, tag):
        said.append([time_index - 1, abs(int(size)), price])
        open_trade(self, price, size, sl, tp, time_index, tag)

    def closed(self, trade, price, time_index):
        said.append([time_index - 1, abs(int(trade.size)), price])
        close_trade(self, trade, price, time_index)

    broker._open_trade, broker._close_trade = opened, closed
    rows = [[100] * 4, [100] * 4, *([int(value) for value in words[0].split("/")] for words in parts(case["market"]))]
    frame = pd.DataFrame(rows, columns=["Open", "High", "Low", "Close"], dtype=float)
    Backtest(frame, Case, cash=case.get("cash", 1_000_000)).run()
    return "; ".join(f"{row}: {size} at {price:g}" for row, size, price in said) or "rests"


METHODS = backtesting.backtesting._Broker._open_trade, backtesting.backtesting._Broker._close_trade


def main():
    warnings.simplefilter("ignore")
    backtesting.backtesting._tqdm = lambda sequence, **_: sequence
    outcomes = [run(case) for case in json.load(sys.stdin)]
    json.dump({"version": backtesting.__version__, "outcomes": outcomes}, sys.stdout)


main()
