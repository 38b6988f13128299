"""One backtest as it is measured: the EMA cross on bars, with accounting, risk checks and the journal asked for.

Owns the settings of the measured run. They are those of a user's run but for the costs: at ten basis points a fill a
strategy that trades every half hour is broke within weeks, and from then on nothing would be measured.
"""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from replay.config import load_config
from replay.execution import Engine, Prepared, prepare
from replay.result import RunResult
from replay.runner import run_backtest

FAST, SLOW, FRACTION = 12, 26, 0.95
SETTINGS: dict[str, Any] = {"fee_bps": "0.01", "slippage_bps": "0", "cash": "100000"}


def prepare_run(data: Sequence[Path], **settings: Any) -> Prepared:
    """The measured run over ``data``, compiled or loaded from the cache. ``settings`` are those of the TOML file."""
    strategy = {"use": "ema_cross", "set": {"fast": FAST, "slow": SLOW, "fraction": FRACTION}}
    values = {"data": [str(path) for path in data], "strategy": [strategy], **SETTINGS, **settings}
    prepared = prepare(load_config(None, values))
    Engine(prepared, lambda chunk: None)
    return prepared


def run_once(prepared: Prepared) -> RunResult:
    """Run into a temporary directory, which is gone afterwards; what the result tells about files is of no use."""
    with tempfile.TemporaryDirectory(prefix="kernel-bench-") as folder:
        return run_backtest(prepared, Path(folder) / "run")


class Spread(msgspec.Struct, frozen=True):
    """What repeating a measurement came to, in seconds."""

    best: float
    median: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread":
        """The spread of some measurements."""
        return cls(min(seconds), statistics.median(seconds))


def in_turn(what: dict[str, Callable[[], float]], repeats: int) -> dict[str, Spread]:
    """Measure several things ``repeats`` times, one after the other each time, so that noise falls on all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(repeats):
        for name, measure in what.items():
            seconds[name].append(measure())
    return {name: Spread.of(values) for name, values in seconds.items()}
