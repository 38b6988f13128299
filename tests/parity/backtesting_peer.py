"""backtesting.py runs the strategies: ``python backtesting_peer.py JOB.json > outcomes.json``.

Runs in the peer's interpreter and imports nothing of ours but the text of the strategies. Prices are fed as whole
ticks and sizes as whole units, so that its floats are exact wherever there is no commission. The job names the bars (a
.npy of whole numbers: open time, close time, open, high, low, close, volume), the cash and the runs. Its orders are
sent plainly; nothing of it is changed, but the two methods that open and close a trade are listened to, because the
order of fills inside a bar cannot be told from its table of trades.
"""

import json
import sys
import warnings

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from shared_strategies import STRATEGIES


class Listener:
    """Writes down each fill as ``[bar, signed lots, price, profit of what it closed, or null]``."""

    def __init__(self, unit_lots):
        self.fills = []
        broker = backtesting.backtesting._Broker
        if not hasattr(broker, "parity_methods"):
            broker.parity_methods = broker._open_trade, broker._close_trade
        open_trade, close_trade = broker.parity_methods

        def opened(broker, price, size, sl, tp, time_index, tag):
            self.fills.append([time_index, size * unit_lots, price, None])
            open_trade(broker, price, size, sl, tp, time_index, tag)

        def closed(broker, trade, price, time_index):
            close_trade(broker, trade, price, time_index)
            self.fills.append([time_index, -trade.size * unit_lots, price, trade.pl])

        broker._open_trade, broker._close_trade = opened, closed


class Desk:
    """The desk of ``shared_strategies.py`` on backtesting.py."""

    def __init__(self, host, job):
        self.host, self.ticks_per_currency = host, job["ticks_per_currency"]

    @property
    def position(self):
        return int(self.host.position.size)

    @property
    def equity(self):
        return int(self.host.equity // self.ticks_per_currency)

    @property
    def working(self):
        return len(self.host.orders)

    def units_for(self, money, price):
        return money * self.ticks_per_currency // price

    def buy(self, units):
        self.host.buy(size=units)

    def sell(self, units):
        self.host.sell(size=units)

    def limit(self, side, units, price):
        self.send(side, size=units, limit=price)

    def stop(self, side, units, price):
        self.send(side, size=units, stop=price)

    def stop_limit(self, side, units, stop, limit):
        self.send(side, size=units, stop=stop, limit=limit)

    def bracket(self, side, units, limit, target, loss):
        self.send(side, size=units, tp=target, sl=loss, **({"limit": limit} if limit else {}))

    def send(self, side, **order):
        (self.host.buy if side > 0 else self.host.sell)(**order)

    def cancel_oldest(self):
        self.host.orders[0].cancel()

    def cancel_all(self):
        for order in self.host.orders:
            order.cancel()


def host_class(job, bars, run):
    """The peer's strategy class for one run."""

    class Host(Strategy):
        def init(self):
            self.desk = Desk(self, job)
            self.decider = STRATEGIES[run["strategy"]](run["size"], run["pace"])

        def next(self):
            self.decider.on_bar(self.desk, *bars[len(self.data) - 1])

    return Host


def execute(job, table, run):
    """One run: fills, and the equity at every bar."""
    bars = table[:, 2:6].tolist()
    frame = pd.DataFrame(
        table[:, 2:7].astype(float), pd.to_datetime(table[:, 0]), ["Open", "High", "Low", "Close", "Volume"]
    )
    listener = Listener(job["unit_lots"])
    backtest = Backtest(frame, host_class(job, bars, run), cash=float(job["cash_ticks"]), commission=run["fee"])
    stats = backtest.run()
    return {"fills": listener.fills, "equity": stats["_equity_curve"]["Equity"].tolist()}


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    warnings.simplefilter("ignore")
    backtesting.backtesting._tqdm = lambda sequence, **_: sequence
    table = np.load(job["bars"])
    outcomes = [execute(job, table, run) for run in job["runs"]]
    json.dump({"version": backtesting.__version__, "outcomes": outcomes}, sys.stdout)


main()
