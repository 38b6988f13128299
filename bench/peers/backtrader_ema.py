"""backtrader: EMA cross on bars, orders filled at the next open. Prints one JSON line.

Settings: vectorised indicators (``runonce``), preloaded data, no observers, no plots. Counts from the creation of the
strategy on, when the bars are loaded, to the end of the run. It accounts for cash, position and commission in floats;
no risk checks beyond cash, no record of events. Its EMA starts from a simple average, so the first trades may differ.
"""

import json
import sys
import time

import backtrader as bt
import numpy as np
import pandas as pd

FAST, SLOW, FRACTION = 12, 26, 0.95


class EmaCross(bt.Strategy):
    def __init__(self):
        self.started = time.perf_counter()
        self.fast = bt.indicators.ExponentialMovingAverage(self.data.close, period=FAST)
        self.slow = bt.indicators.ExponentialMovingAverage(self.data.close, period=SLOW)
        self.trades = 0

    def next(self):
        if self.fast[0] > self.slow[0]:
            if not self.position:
                self.order_target_percent(target=FRACTION)
        elif self.fast[0] < self.slow[0] and self.position:
            self.close()

    def notify_trade(self, trade):
        self.trades += trade.isclosed


def main():
    bars, cash, fee = np.load(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    index = pd.to_datetime(bars[:, 0], unit="s")
    frame = pd.DataFrame(bars[:, 1:], index=index, columns=["open", "high", "low", "close", "volume"])
    cerebro = bt.Cerebro(stdstats=False, runonce=True, preload=True)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(EmaCross)
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=fee)
    (strategy,) = cerebro.run()
    seconds = time.perf_counter() - strategy.started
    result = {"bars": len(bars), "seconds": seconds, "trades": strategy.trades, "equity": cerebro.broker.getvalue()}
    print(json.dumps({**result, "version": bt.__version__}))


main()
