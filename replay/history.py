"""A read-only view of a journal as events: every sequence resolved, wherever its bytes lie.

Owns the joining of stored records with the market rows that a frame refers to (checked against the hash that the
journal holds), the names of things, and the state at any moment. Memory stays flat: one frame at a time. It writes
nothing, calls no strategy, and reads market data only when a market row is asked for.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from journal import Frame, JournalError, JournalReader, SnapshotStore
from journal.scan import Scan
from journal.storage import FileStorage
from kernel.events.layout import RECORD, Stored, encode, schema_digest
from replay.catalogue import CatalogueError
from replay.inspect.folding import Folding
from replay.inspect.frames import DEFINING_KINDS, Filter, HistoryFrame, open_frame, put_rows, stored_events
from replay.inspect.names import Names, read_names
from replay.inspect.source import RUN_FILE, DataChangedError, DataMissingError, MarketRows, recorded_places
from replay.snapshots import Standing, definitions_of, newest

Progress = Callable[[int, int], None]  # events done, and in all

EVENTS_KIND = 0  # of a frame (journal/FORMAT.md)
LOOK_AHEAD_FRAMES = 2  # so that hashing on the other core never waits
THREAD_FROM_ROWS = 2048  # hashing fewer takes no longer than handing them to another thread
KEPT_FRAMES = 16


class HistoryError(ValueError):
    """A question that the journal cannot answer: no such journal, sequence or order. The text is one line."""


def find_journal(path: Path) -> tuple[Path, Path | None]:
    """``(journal, run directory or None)`` for a run directory or a journal. Raises HistoryError."""
    if not path.exists():
        raise HistoryError(f"{path}: no such directory")
    journal = path / "journal" if (path / "journal").is_dir() else path
    if not journal.is_dir() or not any(journal.glob("*.seg")):
        raise HistoryError(f"{path}: no journal there; name a run directory or the journal in it")
    run_dir = journal.parent if (journal.parent / RUN_FILE).is_file() else None
    return journal, run_dir


class History:
    """The events of a journal (a run directory or the journal in it). ``data`` says where market data lies now.

    ``check_hashes=False`` is for a journal whose chain has just been verified; segment hashes are checked all the same.
    """

    def __init__(self, path: Path | str, data: Sequence[str] | None = None, *, check_hashes: bool = True) -> None:
        self.journal, self.run_dir = find_journal(Path(path))
        self._data = list(data or ())
        self.reader = JournalReader(self.journal, check_hashes=check_hashes)
        self._source: MarketRows | None = None
        self._kept: dict[int, HistoryFrame] = {}
        self.pruned = Scan(FileStorage(self.journal)).pruned
        self._standing: Standing | None = None  # the snapshot that stands in for events that were pruned
        if self.pruned.frames:
            self._standing = newest(self.journal, self.reader.genesis_id, None, same_reducer=False)
        self.names: Names = read_names(self._definitions())

    def again(self) -> "History":
        """Another view of the same journal, for another thread: a history reads one thing at a time."""
        return History(self.journal if self.run_dir is None else self.run_dir, self._data)

    @property
    def same_schema(self) -> bool:
        """Whether the journal was written with this catalogue of events."""
        return self.reader.schema_digest == schema_digest()

    @property
    def last_sequence(self) -> int:
        """The last sequence of the journal."""
        return self.reader.last_sequence

    # --- frames -------------------------------------------------------------------------------------------------

    def stored_frames(self, first: int = 1) -> Iterator[HistoryFrame]:
        """The frames from the one with sequence ``first`` on, rows not resolved: needs no market data."""
        frames = iter(self.reader) if first <= 1 else self.reader.iter_from(first)
        return (open_frame(self._of_events(frame)) for frame in frames)

    def _of_events(self, frame: Frame) -> Frame:
        if frame.kind != EVENTS_KIND:
            raise HistoryError(
                f"{self.journal}: frame {frame.number:,} is of kind {frame.kind}, and holds no events of the kernel "
                "(applications of the eventsourcing library write such ones); kernel verify, checkpoint and prove "
                "work on it all the same"
            )
        return frame

    def frames(self, first: int = 1) -> Iterator[HistoryFrame]:
        """The same with their rows, each segment's hash checked. Raises DataMissingError or DataChangedError.

        Hashing runs ahead on a thread; what went wrong further on is raised only after the frames before it.
        """
        with ThreadPoolExecutor(1, "segment-hash") as pool:
            waiting: deque[tuple[HistoryFrame, Future[bytes] | None]] = deque()
            failure: Exception | None = None
            frames = self.stored_frames(first)
            while failure is None:
                try:
                    frame = next(frames, None)
                    if frame is None:
                        break
                    waiting.append((frame, self._load(frame, pool)))
                except (JournalError, CatalogueError) as error:
                    failure = error
                if len(waiting) > LOOK_AHEAD_FRAMES:
                    yield _checked(*waiting.popleft())
            while waiting:
                yield _checked(*waiting.popleft())
            if failure is not None:
                raise failure

    def _load(self, frame: HistoryFrame, pool: ThreadPoolExecutor) -> "Future[bytes] | None":
        if not frame.row_count:
            return None
        frame.rows = self.source().take(frame.first_row, frame.row_count)
        if frame.row_count < THREAD_FROM_ROWS:
            _check_hash(frame, _digest(frame.rows))
            return None
        return pool.submit(_digest, frame.rows)

    def source(self) -> MarketRows:
        """The market data. Raises DataMissingError or DataChangedError."""
        if self._source is None:
            self._source = MarketRows(self._data or recorded_places(self.run_dir), self.names)
        return self._source

    @property
    def by_reference(self) -> bool:
        """Whether any frame refers to market rows that are not in the journal."""
        return any(frame.row_count for frame in self.stored_frames())

    def data_problem(self) -> str:
        """Why market data cannot be read; empty when it can, as far as names and files go."""
        try:
            self.source()
        except (DataMissingError, DataChangedError) as error:
            return str(error)
        return ""

    def definitions(self) -> list[tuple[bytes, bytes]]:
        """The defining events as records with their bodies, for a snapshot to carry."""
        if self._standing is not None:
            return self._standing.facts.definitions
        return [(encode(stored).tobytes(), stored.body) for stored in self._definitions()]

    def _definitions(self) -> Iterator[Stored]:
        if self.pruned.frames:
            yield from definitions_of(self._standing.facts) if self._standing is not None else ()
            return
        for frame in self.stored_frames():
            defining = frame.records[np.isin(frame.records["kind"], sorted(DEFINING_KINDS))]
            if not len(defining):
                return
            yield from stored_events(defining, frame.body_of())

    # --- events -------------------------------------------------------------------------------------------------

    def batches(self, wanted: Filter) -> Iterator[tuple[np.ndarray, dict[int, bytes]]]:
        """The wanted events as records, a frame at a time, with their bodies by sequence."""
        frames = self.frames(wanted.first) if wanted.market else self.stored_frames(wanted.first)
        for frame in frames:
            if wanted.last is not None and frame.first_sequence > wanted.last:
                return
            records = wanted.select(frame.expanded() if wanted.market else frame.records)
            if len(records):
                yield records, frame.body_of()

    def events(self, wanted: Filter | None = None) -> Iterator[Stored]:
        """The wanted events in order, streaming."""
        for records, bodies in self.batches(wanted or Filter()):
            yield from stored_events(records, bodies)

    def event(self, sequence: int) -> Stored:
        """One event: a stored record, or the row at its place. Raises HistoryError for one that does not exist."""
        frame = self._frame_with(sequence)
        records = frame.records[frame.records["sequence"] == sequence]
        if not len(records):
            resolved = self.resolve(frame)
            places = np.flatnonzero(resolved.row_sequences() == sequence)
            records = np.zeros(1, RECORD)
            records["sequence"] = sequence
            put_rows(records, np.zeros(1, np.int64), resolved.rows[places])
        return next(stored_events(records, frame.body_of()))

    def _frame_with(self, sequence: int) -> HistoryFrame:
        for frame in self._kept.values():
            if frame.first_sequence <= sequence < frame.next_sequence:
                return frame
        self.check_sequence(sequence)
        found = next(self.stored_frames(sequence))
        if len(self._kept) >= KEPT_FRAMES:
            del self._kept[next(iter(self._kept))]
        self._kept[found.number] = found
        return found

    def resolve(self, frame: HistoryFrame) -> HistoryFrame:
        """The frame with its rows read and checked. Raises DataMissingError or DataChangedError."""
        if frame.row_count and not len(frame.rows):
            rows = self.source().take(frame.first_row, frame.row_count)
            _check_hash(frame, _digest(rows))
            frame.rows = rows
        return frame

    def check_sequence(self, sequence: int) -> None:
        """Raises HistoryError for a sequence that the journal does not have."""
        last = self.last_sequence
        if last < 1:
            raise HistoryError(f"{self.journal}: the journal holds no event yet")
        if not 1 <= sequence <= last:
            raise HistoryError(f"event {sequence:,} does not exist: the journal holds events 1 to {last:,}")
        if sequence < self.pruned.next_sequence:
            raise HistoryError(f"event {sequence:,} was pruned: the journal begins with {self.pruned.next_sequence:,}")

    # --- state --------------------------------------------------------------------------------------------------

    def _snapshot_for(self, last: int) -> Standing | None:
        """What to fold on from. After pruning it may be of another version of the reducer: there is no other way."""
        pruned, bound = self.pruned, last
        while True:
            found = newest(self.journal, self.reader.genesis_id, bound, same_reducer=not pruned.frames)
            if found is None or self.is_bound(found):
                break
            bound = found.sequence - 1
        if found is None and pruned.frames:
            raise HistoryError(
                f"events before {pruned.next_sequence:,} were pruned, and no snapshot stands in for them at {last:,}"
            )
        return found

    def is_bound(self, found: Standing) -> bool:
        """Whether a snapshot was taken of this history: the frame that it was taken after is the one that is here."""
        if found.frame_number <= self.pruned.frames:
            return (found.frame_number, found.head) == (self.pruned.frames, self.pruned.prev)
        frame = next(self.reader.iter_from(found.sequence), None)
        return frame is not None and (frame.number, frame.hash) == (found.frame_number, found.head)

    def begin(self, folding: Folding) -> int:
        """Let a folding begin where it can: with the first event, or with the first snapshot after what was pruned.

        Returns the first sequence that is to be folded. Raises HistoryError where there is no such snapshot.
        """
        if not self.pruned.frames:
            return 1
        for info in SnapshotStore(self.journal).list():
            found = newest(self.journal, self.reader.genesis_id, info.sequence, same_reducer=False)
            if found is not None and found.sequence == info.sequence and self.is_bound(found):
                folding.begin(found.state)
                return found.sequence + 1
        raise HistoryError(f"{self.journal}: events were pruned, and no snapshot of this journal stands in for them")

    def state_at(self, sequence: int, progress: Progress | None = None) -> Any:
        """The state (dtype STATE) after an event, folded from the first; digests on the way are checked."""
        self.check_sequence(sequence)
        return self.fold(sequence, progress).state

    def fold(self, last: int | None = None, progress: Progress | None = None, *, snapshots: bool = True) -> Folding:
        """Fold to ``last`` (default: all) from the first event, or from a snapshot of this reducer before it.

        Without ``snapshots`` one is used only where the events before it were pruned. Raises FoldError or a data error;
        HistoryError where pruned events are needed that no snapshot stands in for.
        """
        folding = Folding(self.names)
        end = self.last_sequence if last is None else last
        start = self._snapshot_for(end) if snapshots or self.pruned.frames else None
        if start is not None:
            folding.begin(start.state)
            if start.sequence == end:
                return folding
        for frame in self.frames(folding.events + 1):
            folding.take(frame, last)
            if progress is not None:
                progress(folding.events, end)
            if last is not None and frame.next_sequence > last:
                break
        return folding


def _digest(rows: np.ndarray) -> bytes:
    return hashlib.sha256(rows.view(np.uint8).data).digest()


def _checked(frame: HistoryFrame, digest: "Future[bytes] | None") -> HistoryFrame:
    if digest is not None:
        _check_hash(frame, digest.result())
    return frame


def _check_hash(frame: HistoryFrame, digest: bytes) -> None:
    if digest != frame.row_hash:
        raise DataChangedError(
            f"the market data has changed: rows {frame.first_row:,} to {frame.first_row + frame.row_count - 1:,} are "
            f"not those that were recorded (frame {frame.number}, events {frame.first_sequence:,} to "
            f"{frame.next_sequence - 1:,}); pass --data PATH with the data of the run"
        )
