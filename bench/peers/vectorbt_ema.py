"""vectorbt: EMA cross on bars, signals of a close filled at the next open. Prints one JSON line.

Settings: compiled (numba, warmed on a few bars first), one column, NumPy arrays, no plots. Counts the averages, the
signals and ``Portfolio.from_signals``, then what a run of ours also delivers: the equity curve with its drawdown and
the table of trades. ``simulation_seconds`` is the part up to and with ``from_signals``. It works on whole arrays in
floats: no order book, no risk checks, no record of events, and a strategy must be expressible as array operations.
"""

import json
import sys
import time

import numpy as np
import pandas as pd
import vectorbt as vbt

FAST, SLOW, FRACTION = 12, 26, 0.95


def run(frame, cash, fee):
    started = time.perf_counter()
    close = frame["close"]
    fast = vbt.MA.run(close, FAST, ewm=True).ma.to_numpy()
    slow = vbt.MA.run(close, SLOW, ewm=True).ma.to_numpy()
    entries, exits = np.zeros((2, len(close)), bool)
    entries[SLOW:] = (fast > slow)[SLOW - 1 : -1]
    exits[SLOW:] = (fast < slow)[SLOW - 1 : -1]
    portfolio = vbt.Portfolio.from_signals(
        close, entries, exits, price=frame["open"], size=FRACTION, size_type="percent", fees=fee, init_cash=cash,
        freq="1min",
    )  # fmt: skip
    simulated = time.perf_counter()
    equity = portfolio.value()
    portfolio.drawdown()
    trades = len(portfolio.trades.records)
    finished = time.perf_counter()
    return finished - started, simulated - started, trades, float(equity.iloc[-1])


def main():
    bars, cash, fee = np.load(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    index = pd.to_datetime(bars[:, 0], unit="s")
    frame = pd.DataFrame(bars[:, 1:], index=index, columns=["open", "high", "low", "close", "volume"])
    run(frame.iloc[:1000], cash, fee)
    seconds, simulation, trades, equity = min(run(frame, cash, fee) for _ in range(int(sys.argv[4])))
    result = {"bars": len(bars), "seconds": seconds, "simulation_seconds": simulation, "trades": trades}
    print(json.dumps({**result, "equity": equity, "version": vbt.__version__}))


main()
