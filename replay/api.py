"""Backtests from Python: one function for notebooks and tests.

The same run as ``kernel replay``, with the result as an object.
"""

import tempfile
from pathlib import Path
from typing import Any

from replay.config import load_config
from replay.execution import prepare
from replay.result import RunResult
from replay.runner import run_backtest
from replay.sample import sample_root

SAMPLE = "coinbase/BTC-USD"


def backtest(
    strategy: str,
    *,
    data: list[str] | None = None,
    parameters: dict[str, Any] | None = None,
    run_dir: str | Path | None = None,
    **settings: Any,
) -> RunResult:
    """Run ``strategy`` (a built-in name or ``FILE.py[:NAME]``) on ``data`` (default: the sample that ships with us).

    ``settings`` are those of the TOML file (``cash``, ``fill``, ``fee_bps`` ...). The run directory is a new temporary
    one unless it is named. Raises ConfigError, StrategyError or RunError with one line each.
    """
    where = Path(run_dir) if run_dir is not None else Path(tempfile.mkdtemp(prefix="kernel-"))
    values = {
        "data": data or [str(sample_root() / SAMPLE)],
        "strategy": [{"use": strategy, "set": parameters or {}}],
        **settings,
    }
    return run_backtest(prepare(load_config(None, values)), where)
