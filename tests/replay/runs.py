"""Backtests over the packaged sample, for tests that compare runs; as a program it prints one as JSON.

``python -m tests.replay.runs OUT '{"to": "1998-10-01"}'`` runs one in a process of its own.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from journal import JournalReader
from kernel.events.layout import RECORD
from replay.config import RunConfig
from replay.execution import prepare
from replay.runner import run_backtest
from replay.sample import sample_root

ROOT = Path(__file__).resolve().parents[2]
SPY = str(sample_root() / "us" / "SPY" / "bars-1h.parquet")


def config(**settings: Any) -> RunConfig:
    """Settings as in a TOML file, over the bars of SPY and the EMA cross."""
    return msgspec.convert({"data": [SPY], "strategy": [{"use": "ema_cross"}], "fsync": "off", **settings}, RunConfig)


def run(out: Path, batch_rows: int | None = None, **settings: Any) -> dict[str, Any]:
    """Run into a new folder; what identifies the outcome."""
    result = run_backtest(prepare(config(**settings)), out, batch_rows=batch_rows)
    names = ("result_hash", "journal_root", "frames", "events", "bars", "fills", "trades")
    return {name: getattr(result, name) for name in names}


def run_in_process(out: Path, environment: dict[str, str], **settings: Any) -> dict[str, Any]:
    """The same in another process."""
    import os

    done = subprocess.run(
        [sys.executable, "-m", "tests.replay.runs", str(out), json.dumps(settings)],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def frames_of(out: Path) -> list[tuple[int, int, int]]:
    """``(first sequence, events, time)`` of each frame of a run's journal."""
    return [(frame.first_sequence, frame.event_count, frame.ts_ingest_ns) for frame in JournalReader(out / "journal")]


def records_in(out: Path) -> np.ndarray:
    """Every stored record of a run's journal."""
    return np.concatenate([np.frombuffer(frame.records, RECORD) for frame in JournalReader(out / "journal")])


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), **json.loads(sys.argv[2]))))
