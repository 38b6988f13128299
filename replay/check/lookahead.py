"""Does a strategy look ahead? It must decide the same before a moment whatever comes after it.

Owns the runs that are compared: on the whole data, once more on it, and for each of several cuts on the data that
ends there, and on data whose rows are others from there on. Every event before the cut must be the same, byte for byte.
"""

import tempfile
from collections.abc import Callable
from typing import IO, Any

import msgspec
import numpy as np

from kernel.events.layout import (
    EXIT_TRIGGERED,
    INTENDED,
    RECORD,
    REGIME_CHANGED,
    RUN_CLOSED,
    SIGNAL,
    STATE_DIGEST,
    TIMER_SET,
)
from replay.audit import Difference, compare_records
from replay.check.preparing import load_afresh
from replay.check.reading import ReadWatch
from replay.check.tapes import FUTURE_ROWS, altered
from replay.execution import Execution, Prepared

DECISIONS = (INTENDED.kind, SIGNAL.kind, REGIME_CHANGED.kind, EXIT_TRIGGERED.kind, TIMER_SET.kind)
AFTER_DECISIONS = 3  # of four cuts come right after a decision, where one that looks a bar ahead shows it
CONFIRMED_BY = 3
_CLOSING = (STATE_DIGEST.kind, RUN_CLOSED.kind)


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison with the run on the whole data; ``difference`` is None when there is none.

    ``row`` counts the rows before the cut and ``ts_ns`` is the time of the last of them. ``difference_ts_ns`` is when
    the event happened that differs.
    """

    what: str
    row: int
    ts_ns: int
    decisions: int
    difference: Difference | None = None
    difference_ts_ns: int = 0


class LookaheadReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``reads`` says what the strategy opened by itself, which it must not."""

    rows: int
    decisions: int
    cuts: tuple[Cut, ...]
    reads: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """No difference, and nothing read."""
        return not self.reads and all(cut.difference is None for cut in self.cuts)


def check_lookahead(
    prepared: Prepared,
    watch: ReadWatch,
    *,
    cuts: int = 12,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> LookaheadReport:
    """Run a strategy again and again and compare. ``prepared`` has ``digest_interval = 0`` and no journal."""
    rows_total = altered(prepared, between=watch.between).tape().rows_total
    told: list[Cut] = []
    with tempfile.TemporaryFile() as kept, watch.active():
        whole = _Keep(kept)
        _run(prepared, whole, watch)
        chosen = choose_cuts(kept, rows_total, cuts)
        tell = progress or (lambda done, of: None)
        again = _Compare(kept)
        _run(prepared, again, watch)
        again.expect_no_more(rows_total, again.last_ts_ns)
        told.append(_cut("the same data again", rows_total, again.last_ts_ns, again))
        for number, row in enumerate(chosen):
            tell(number, len(chosen))
            ended, other = _Compare(kept), _Compare(kept)
            _run(prepared, ended, watch, end=row)
            ended.expect_no_more(row, ended.last_ts_ns)
            told.append(_cut("data that ends", row, ended.last_ts_ns, ended))
            other.only_until(row, ended.last_ts_ns)
            _run(prepared, other, watch, end=row + FUTURE_ROWS, cut=row, seed=seed + number)
            other.expect_no_more(row, ended.last_ts_ns)
            told.append(_cut("another future", row, ended.last_ts_ns, other))
        _confirm(prepared, watch)
        tell(len(chosen), len(chosen))
    return LookaheadReport(rows=rows_total, decisions=whole.decisions, cuts=tuple(told), reads=tuple(watch.found))


def _confirm(prepared: Prepared, watch: ReadWatch) -> None:
    """What somebody else may have opened counts when it is opened each time that the strategy is loaded and run."""
    suspected = set(watch.suspected)
    for _ in range(CONFIRMED_BY if suspected else 0):
        watch.suspected.clear()
        for strategy in prepared.config.strategies:
            load_afresh(strategy.use)
        watch.between(True)
        _run(prepared, _Compare(None), watch)
        suspected &= watch.suspected
    watch.confirm(sorted(suspected))


def choose_cuts(kept: IO[bytes], rows_total: int, count: int) -> list[int]:
    """Numbers of rows after which to cut: most right after decisions, spread evenly, the others anywhere."""
    records = _read(kept, 0, -1)
    places = np.flatnonzero(np.isin(records["kind"], DECISIONS))
    rows = np.unique(_rows_before(records, 0)[places])
    rows = rows[(rows > 0) & (rows < rows_total)]
    wanted = count * AFTER_DECISIONS // 4
    chosen = {int(rows[at * len(rows) // wanted]) for at in range(wanted)} if len(rows) else set()
    missing = count - len(chosen)
    chosen |= {rows_total * (at + 1) // (missing + 1) for at in range(missing)}
    return sorted(row for row in chosen if 0 < row < rows_total)


def _run(prepared: Prepared, sink: Any, watch: ReadWatch, **changes: Any) -> None:
    execution = Execution(altered(prepared, between=watch.between, **changes), sink)
    execution.run()
    watch.between(True)
    sink.last_ts_ns = int(execution.memory.state.head.now_ns)


def _cut(what: str, row: int, ts_ns: int, compared: "_Compare") -> Cut:
    return Cut(
        what=what, row=row, ts_ns=ts_ns, decisions=compared.decisions,
        difference=compared.difference, difference_ts_ns=compared.difference_ts_ns,
    )  # fmt: skip


def _read(kept: IO[bytes], first: int, count: int) -> np.ndarray:
    kept.seek(first * RECORD.itemsize)
    return np.frombuffer(kept.read(count * RECORD.itemsize if count >= 0 else -1), RECORD)


def _rows_before(records: np.ndarray, first: int) -> np.ndarray:
    """How many market rows were taken until each record, ``first`` being the place of the first in its run.

    Every row and every stored record has one sequence, so what is missing between the sequences are the rows.
    """
    return np.asarray(records["sequence"] - 1 - np.arange(first, first + len(records)))


def _decisions_in(records: np.ndarray) -> int:
    return int(np.isin(records["kind"], DECISIONS).sum())


class _Keep:
    """Writes the records of a run to a file, without those that close it."""

    def __init__(self, kept: IO[bytes]) -> None:
        self._kept = kept
        self.decisions = self.last_ts_ns = 0

    def frame(self, records: np.ndarray, bodies: bytes, **_: Any) -> None:
        open_ones = records[~np.isin(records["kind"], _CLOSING)]
        self._kept.write(open_ones.tobytes())
        self.decisions += _decisions_in(open_ones)


class _Compare:
    """Compares the records of a run to those that were kept."""

    def __init__(self, kept: IO[bytes] | None) -> None:
        self._kept = kept
        self._done = self._seen = 0
        self._until: tuple[int, int] | None = None
        self.decisions = self.last_ts_ns = self.difference_ts_ns = 0
        self.difference: Difference | None = None

    def only_until(self, row: int, ts_ns: int) -> None:
        """Leave out what happened after the first ``row`` rows, or after ``ts_ns`` and before the next row."""
        self._until = row, ts_ns

    def frame(self, records: np.ndarray, bodies: bytes, **_: Any) -> None:
        """Take one frame; nothing is compared after the first difference, or without anything to compare it to."""
        if self._kept is None:
            return
        here = records[~np.isin(records["kind"], _CLOSING)]
        rows_before = _rows_before(here, self._seen)
        self._seen += len(here)
        if self._until is not None:
            here = here[(rows_before <= self._until[0]) & (here["ts_ingest_ns"] <= self._until[1])]
        if self.difference is None and len(here):
            self._compare(_read(self._kept, self._done, len(here)), here)
            self.decisions += _decisions_in(here)
            self._done += len(here)

    def expect_no_more(self, row: int, ts_ns: int) -> None:
        """After the run: nothing else happened in the whole one until then."""
        if self.difference is None and self._kept is not None:
            there = _read(self._kept, self._done, 1)
            before = (_rows_before(there, self._done) <= row) & (there["ts_ingest_ns"] <= ts_ns)
            self._compare(there[before], there[:0])

    def _compare(self, there: np.ndarray, here: np.ndarray) -> None:
        self.difference = compare_records(there, here)
        if self.difference is not None:
            at = 0
            while at < min(len(here), len(there)) and here[at] == there[at]:
                at += 1
            self.difference_ts_ns = int(min(side[at]["ts_event_ns"] for side in (here, there) if at < len(side)))
