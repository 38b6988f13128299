"""backtesting.py: EMA cross on bars, orders filled at the next open. Prints one JSON line.

Settings: indicators as arrays, no plots, no progress bar. Counts ``Backtest.run``, which also computes its statistics
(they are part of every run). It accounts for equity, margin, commission and trades in floats; no record of events.
"""

import json
import sys
import time

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

FAST, SLOW, FRACTION = 12, 26, 0.95


def ema(values, span):
    return pd.Series(values).ewm(span=span, adjust=False).mean().to_numpy()


class EmaCross(Strategy):
    def init(self):
        self.fast = self.I(ema, self.data.Close, FAST)
        self.slow = self.I(ema, self.data.Close, SLOW)
        self.count = 0

    def next(self):
        if len(self.data) < SLOW:
            return
        fast, slow = self.fast[-1], self.slow[-1]
        if fast > slow:
            if not self.position:
                self.buy(size=FRACTION)
        elif fast < slow and self.position:
            self.position.close()


def main():
    bars, cash, fee = np.load(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    backtesting.backtesting._tqdm = lambda sequence, **_: sequence
    index = pd.to_datetime(bars[:, 0], unit="s")
    frame = pd.DataFrame(bars[:, 1:], index=index, columns=["Open", "High", "Low", "Close", "Volume"])
    backtest = Backtest(frame, EmaCross, cash=cash, commission=fee, trade_on_close=False, finalize_trades=True)
    started = time.perf_counter()
    stats = backtest.run()
    seconds = time.perf_counter() - started
    result = {"bars": len(bars), "seconds": seconds, "trades": int(stats["# Trades"])}
    print(json.dumps({**result, "equity": float(stats["Equity Final [$]"]), "version": backtesting.__version__}))


main()
