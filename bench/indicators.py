"""``python -m bench.indicators``: the indicators beside TA-Lib's C, one step of them, and a vector of forty.

Both sides get the same series and make their own outputs; times are of the processor, best of several, in turn. TA-Lib
comes with the extra ``test``.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np

from bench.lines import Line, as_json, render
from kernel.indicators import Indicator, indicator_named, indicators
from kernel.indicators.steps import atr_nb, ema_nb, macd_nb, rsi_nb, sma_nb
from kernel.jit import jit
from tests.kernel.indicators import talib_cases

FORTY = (
    "sma", "ema", "wma", "dema", "tema", "kama", "hma", "vwma", "bbands", "donchian", "keltner", "mom", "roc", "rsi",
    "cmo", "macd", "ppo", "trix", "er", "stoch", "willr", "cci", "mfi", "ultosc", "aroon", "atr", "natr", "adx",
    "plus_di", "minus_di", "sar", "supertrend", "obv", "ad", "cmf", "stddev", "zscore", "linearreg_slope", "correl",
    "return",
)  # fmt: skip


def main() -> int:
    """Parse, measure, render."""
    parser = argparse.ArgumentParser(prog="python -m bench.indicators", description="Speed of the indicators.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="How many bars are made up.  [default: 1000000]")
    parser.add_argument(
        "--ratio-rows",
        type=int,
        default=100_000,
        help="How many of them TA-Lib is compared on; with more, the memory is measured too.  [default: 100000]",
    )
    parser.add_argument("--repeats", type=int, default=15, help="How often each thing is measured.  [default: 15]")
    parser.add_argument("--each", action="store_true", help="Also one line for every indicator.")
    parser.add_argument("--json", action="store_true", help="Print one JSON array.")
    options = parser.parse_args()
    columns = made_up(options.rows)
    part = {name: one[: options.ratio_rows].copy() for name, one in columns.items()}
    lines = [*ratio_lines(part, options.repeats, options.each), *step_lines(columns, options.repeats)]
    lines.append(vector_line(columns))
    print(json.dumps(as_json(lines)) if options.json else render(lines))
    return 0


def made_up(rows: int) -> dict[str, np.ndarray]:
    """One-minute bars of a random walk, and what else an indicator takes."""
    random = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.001, rows)))
    open_ = np.concatenate([close[:1], close[:-1]]) * (1.0 + random.normal(0.0, 0.0003, rows))
    high = np.maximum(open_, close) * (1.0 + np.abs(random.normal(0.0, 0.0005, rows)))
    low = np.minimum(open_, close) * (1.0 - np.abs(random.normal(0.0, 0.0005, rows)))
    found = {"open": open_, "high": high, "low": low, "close": close, "value": close}
    found["volume"] = random.integers(100, 10_000, rows).astype(float)
    found["other"] = open_ + random.normal(0.0, 1.0, rows)
    found["period"] = 2.0 + np.arange(rows) % 31
    return found


def seconds(call: Callable[[], Any]) -> float:
    """Processor time of one call."""
    started = time.thread_time()
    call()
    return time.thread_time() - started


def ratio_lines(columns: dict[str, np.ndarray], repeats: int, each: bool) -> Iterator[Line]:
    """All that TA-Lib has too: its time to ours, the median over the set and the least."""
    ratios = {}
    for name, indicator in indicators().items():
        if not talib_cases.has_oracle(indicator):
            continue
        ours, theirs = beside(indicator, columns, repeats)
        ratios[name] = theirs / ours
        print(f"  {name}: {ratios[name]:.2f}", file=sys.stderr, flush=True)
        if each:
            bar = 1e9 / len(columns["close"])
            yield Line(what=name, value=ratios[name], unit="x", note=f"{ours * bar:.2f} ns a bar")
    least = min(ratios, key=ratios.__getitem__)
    below = sum(one < 0.5 for one in ratios.values())
    yield Line(
        what=f"batch to TA-Lib's C, median of {len(ratios)}",
        value=median(ratios.values()),
        unit="x",
        at_least=1.0,
        note=f"{sum(one >= 1.0 for one in ratios.values())} at or above 1",
    )
    note = f"{least}; {below} below 0.5"
    yield Line(what="batch to TA-Lib's C, the least", value=ratios[least], unit="x", at_least=0.5, note=note)


def beside(indicator: Indicator, columns: dict[str, np.ndarray], repeats: int) -> tuple[float, float]:
    """The best times of our batch and of TA-Lib, taken in turn."""
    given = [columns[name] for name in indicator.inputs]
    indicator.batch(*(one[:100] for one in given))
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(seconds(lambda: indicator.batch(*given)))
        theirs.append(seconds(lambda: talib_cases.expected(indicator, columns, indicator.defaults)))
    return min(ours), min(theirs)


@jit
def ema_steps(memory, series):  # type: ignore[no-untyped-def]
    """Every bar by the step, as a strategy calls it."""
    total = 0.0
    for bar in range(series.size):
        total += ema_nb(memory, 0, series[bar], 12, 0)
    return total


@jit
def rsi_steps(memory, series):  # type: ignore[no-untyped-def]
    """Every bar by the step."""
    total = 0.0
    for bar in range(series.size):
        total += rsi_nb(memory, 0, series[bar], 14)
    return total


@jit
def sma_steps(memory, series):  # type: ignore[no-untyped-def]
    """Every bar by the step."""
    total = 0.0
    for bar in range(series.size):
        total += sma_nb(memory, 0, series[bar], 30)
    return total


@jit
def macd_steps(memory, series):  # type: ignore[no-untyped-def]
    """Every bar by the step."""
    total = 0.0
    for bar in range(series.size):
        total += macd_nb(memory, 0, series[bar], 12, 26, 9)[2]
    return total


@jit
def atr_steps(memory, series):  # type: ignore[no-untyped-def]
    """Every bar by the step."""
    total = 0.0
    for bar in range(series.size):
        total += atr_nb(memory, 0, series[bar] + 1.0, series[bar] - 1.0, series[bar], 14)
    return total


def step_lines(columns: dict[str, np.ndarray], repeats: int) -> Iterator[Line]:
    """One step of the small ones in a compiled loop."""
    series = columns["close"]
    loops = {"ema": ema_steps, "rsi": rsi_steps, "sma": sma_steps, "macd": macd_steps, "atr": atr_steps}
    for name, loop in loops.items():
        words = indicator_named(name).words()
        loop(np.zeros(words), series[:10])
        best = min(seconds(lambda: loop(np.zeros(words), series)) for _ in range(repeats))  # noqa: B023
        yield Line(what=f"step of {name}", value=best / series.size * 1e9, unit="ns", at_most=50)


def vector_line(columns: dict[str, np.ndarray]) -> Line:
    """Forty indicators over all bars, one after the other, with their outputs kept."""
    chosen = [indicator_named(name) for name in FORTY]
    for one in chosen:
        one.batch(*(columns[name][:10] for name in one.inputs))
    started = time.thread_time()
    kept = [one.batch(*(columns[name] for name in one.inputs)) for one in chosen]
    taken = time.thread_time() - started
    width = sum(len(one) if isinstance(one, tuple) else 1 for one in kept)
    what = f"{len(FORTY)} indicators on {columns['close'].size:,} bars, one core"
    return Line(what=what, value=taken, unit="s", at_most=2.0, note=f"{width} columns")


if __name__ == "__main__":
    sys.exit(main())
