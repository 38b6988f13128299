"""The journal by itself: verification against plain hashing of the same bytes, and folding through ``apply``.

Owns how these two are measured; the journals are written by an ordinary run.
"""

import hashlib
import time
from pathlib import Path

from bench.runs import Spread, in_turn
from journal import verify_journal
from replay.execution import Prepared
from replay.history import History
from replay.inspect.folding import Folding, compile_fold
from replay.runner import JOURNAL_DIR, run_backtest


def write_run(prepared: Prepared, folder: Path) -> Path:
    """Run into ``folder`` and return the run directory."""
    return run_backtest(prepared, folder).run_dir


def verify_against_hashing(run_dir: Path, repeats: int) -> tuple[dict[str, Spread], int]:
    """Seconds of ``verify`` and of ``plain`` SHA-256 over the same bytes, in turn, and how many bytes that is."""
    journal = run_dir / JOURNAL_DIR
    size = sum(segment.stat().st_size for segment in journal.glob("*.seg"))
    spreads = in_turn({"plain": lambda: hash_plainly(journal), "verify": lambda: _verify(journal)}, repeats)
    return spreads, size


def _verify(journal: Path) -> float:
    started = time.perf_counter()
    report = verify_journal(journal)
    seconds = time.perf_counter() - started
    assert report.ok
    return seconds


def hash_plainly(journal: Path) -> float:
    """Seconds that SHA-256 of all segments takes."""
    started = time.perf_counter()
    for segment in sorted(journal.glob("*.seg")):
        with segment.open("rb") as file:
            hashlib.file_digest(file, "sha256")
    return time.perf_counter() - started


def fold_speed(run_dir: Path, repeats: int) -> tuple[Spread, int]:
    """Seconds that ``apply`` takes over the whole history, reading excluded, and how many events that is."""
    compile_fold()
    history = History(run_dir)
    seconds = [_fold(history) for _ in range(repeats)]
    return Spread.of(seconds), history.last_sequence


def _fold(history: History) -> float:
    folding, seconds = Folding(history.names), 0.0
    for frame in history.frames():
        started = time.perf_counter()
        folding.take(frame)
        seconds += time.perf_counter() - started
    assert folding.events == history.last_sequence
    return seconds
