"""A read-only view of a journal as events: every sequence resolved, wherever its bytes lie.

Owns the joining of stored records with the market rows that a frame refers to (checked against the hash that the
journal holds), the names of things, and the state at any moment. Memory stays flat: one frame at a time. It writes
nothing, calls no strategy, and reads market data only when a market row is asked for.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from journal import Frame, JournalError, JournalReader
from kernel.events.body import unpack_bodies
from kernel.events.catalogue import event_types
from kernel.events.layout import BAR_CLOSED, QUOTE_SEEN, RECORD, SEGMENT, TRADE_SEEN, Stored, schema_digest
from kernel.market import BAR, QUOTE, ROW, ROW_WORDS, TRADE
from replay.audit import records_of
from replay.catalogue import CatalogueError
from replay.inspect.folding import Folding
from replay.inspect.names import Names, read_names
from replay.inspect.source import RUN_FILE, DataChangedError, DataMissingError, MarketRows, recorded_places

LOOK_AHEAD_FRAMES = 2  # so that hashing on the other core never waits
KEPT_FRAMES = 16
MARKET_KINDS = frozenset(kind.kind for kind in event_types() if kind.market)
_DEFINITIONS_END = 15  # kinds up to here define what later integers mean
_TYPES = {kind.kind: kind for kind in event_types()}
_EVENT_KINDS = np.zeros(4, np.uint16)
_EVENT_KINDS[BAR], _EVENT_KINDS[TRADE], _EVENT_KINDS[QUOTE] = BAR_CLOSED.kind, TRADE_SEEN.kind, QUOTE_SEEN.kind
_NO_ROWS = np.zeros(0, ROW)


class HistoryError(ValueError):
    """A question that the journal cannot answer: no such journal, sequence or order. The text is one line."""


class HistoryFrame(msgspec.Struct):
    """One frame as events: stored ``records`` (owned, carrier left out) and the ``rows`` it refers to.

    ``row_count`` says how many rows it refers to; ``rows`` is empty where they were not asked for.
    """

    number: int
    first_sequence: int
    next_sequence: int
    records: np.ndarray
    bodies: bytes
    row_count: int
    first_row: int
    row_hash: bytes
    rows: np.ndarray = _NO_ROWS

    def expanded(self) -> np.ndarray:
        """All events of the frame as records in order, as ``--journal full`` would store them."""
        if not self.row_count:
            return self.records
        out = np.zeros(self.next_sequence - self.first_sequence, RECORD)
        out["sequence"] = np.arange(self.first_sequence, self.next_sequence)
        is_row = np.ones(len(out), bool)
        stored = self.records["sequence"] - self.first_sequence
        is_row[stored] = False
        _put_rows(out, np.flatnonzero(is_row), self.rows)
        out[stored] = self.records
        return out

    def row_sequences(self) -> np.ndarray:
        """The sequences of the rows, in order."""
        return np.setdiff1d(
            np.arange(self.first_sequence, self.next_sequence), self.records["sequence"], assume_unique=True
        )

    def body_of(self) -> dict[int, bytes]:
        """Sequence to body, for the records that have one."""
        if not self.bodies:
            return {}
        bodies = unpack_bodies(self.records, self.bodies)
        return {int(at): body for at, body in zip(self.records["sequence"], bodies, strict=True) if body}


def _put_rows(out: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
    out["kind"][places] = _EVENT_KINDS[rows["kind"]]
    out["version"][places] = 1
    out["instrument"][places] = rows["instrument"]
    out["strategy"][places] = out["account"][places] = -1
    out["ts_event_ns"][places] = out["ts_ingest_ns"][places] = rows["ts_ns"]
    out["words"][places, :ROW_WORDS] = rows["words"]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted; the default is all stored ones. ``end_ns`` is excluded, ``last`` is included.

    ``market`` asks for market rows too, which takes the market data where they are journaled by reference.
    """

    kinds: frozenset[int] | None = None
    instruments: frozenset[int] | None = None
    strategies: frozenset[int] | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    first: int = 1
    last: int | None = None
    market: bool = False

    def select(self, records: np.ndarray) -> np.ndarray:
        """The records that are wanted."""
        wanted = np.ones(len(records), bool)
        for field, values in (("kind", self.kinds), ("instrument", self.instruments), ("strategy", self.strategies)):
            if values is not None:
                wanted &= np.isin(records[field], np.array(sorted(values), np.int64))
        if not self.market:
            wanted &= ~np.isin(records["kind"], np.array(sorted(MARKET_KINDS), np.int64))
        for bound, field, below in (
            (self.start_ns, "ts_event_ns", False),
            (self.end_ns, "ts_event_ns", True),
            (self.first, "sequence", False),
            (None if self.last is None else self.last + 1, "sequence", True),
        ):
            if bound is not None:
                wanted &= records[field] < bound if below else records[field] >= bound
        return records if wanted.all() else records[wanted]


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
    """The events of a journal (a run directory or the journal in it). ``data`` says where market data lies now."""

    def __init__(self, path: Path | str, data: Sequence[str] | None = None) -> None:
        self.journal, self.run_dir = find_journal(Path(path))
        self._data = list(data or ())
        self.reader = JournalReader(self.journal)
        self._source: MarketRows | None = None
        self._kept: dict[int, HistoryFrame] = {}
        self.names: Names = read_names(self._definitions())

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
        return (_open_frame(frame) for frame in frames)

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

    def _definitions(self) -> Iterator[Stored]:
        for frame in self.stored_frames():
            defining = frame.records[frame.records["kind"] <= _DEFINITIONS_END]
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
            _put_rows(records, np.zeros(1, np.int64), resolved.rows[places])
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

    # --- state --------------------------------------------------------------------------------------------------

    def state_at(self, sequence: int) -> Any:
        """The state (dtype STATE) after an event, folded from the first; digests on the way are checked."""
        self.check_sequence(sequence)
        return self.fold(sequence).state

    def fold(self, last: int | None = None) -> Folding:
        """Fold from the first event to ``last`` (default: all). Raises FoldError, DataMissingError, DataChangedError."""
        folding = Folding(self.names)
        for frame in self.frames():
            folding.take(frame, last)
            if last is not None and frame.next_sequence > last:
                break
        return folding


def _open_frame(frame: Frame) -> HistoryFrame:
    records = records_of(frame)
    carriers = records[records["kind"] == SEGMENT.kind]
    row_count, first_row, row_hash = 0, 0, b""
    if len(carriers):
        words = carriers[0]["words"]
        row_count, first_row = int(words[SEGMENT.row_count]), int(words[SEGMENT.first_row])
        row_hash = words[SEGMENT.hash_0 : SEGMENT.hash_3 + 1].astype(">i8").tobytes()
        records = records[records["kind"] != SEGMENT.kind]
    else:
        records = records.copy()  # the frame's memory belongs to the mapped file, and cannot be written to
    return HistoryFrame(
        frame.number,
        frame.first_sequence,
        frame.next_sequence,
        records,
        bytes(frame.bodies),
        row_count,
        first_row,
        row_hash,
    )


def _digest(rows: np.ndarray) -> bytes:
    return hashlib.sha256(rows.view(np.uint8)).digest()


def _checked(frame: HistoryFrame, digest: "Future[bytes] | None") -> HistoryFrame:
    if digest is not None:
        _check_hash(frame, digest.result())
    return frame


def _check_hash(frame: HistoryFrame, digest: bytes) -> None:
    if digest != frame.row_hash:
        raise DataChangedError(
            f"the market data has changed: rows {frame.first_row:,} to {frame.first_row + frame.row_count - 1:,} are not "
            f"those that were recorded (frame {frame.number}, events {frame.first_sequence:,} to "
            f"{frame.next_sequence - 1:,}); pass --data PATH with the data of the run"
        )


def stored_events(records: np.ndarray, bodies: dict[int, bytes]) -> Iterator[Stored]:
    """Records as event objects; faster than one by one. Raises KeyError for a kind that is not in the catalogue."""
    fields = [records[name].tolist() for name in _STORED_FIELDS]
    for kind, words, *header in zip(records["kind"].tolist(), records["words"].tolist(), *fields, strict=True):
        declared = _TYPES[kind]
        yield Stored(*header, declared.cls(*words[: len(declared.fields)]), bodies.get(header[0], b""))


_STORED_FIELDS = ("sequence", "ts_event_ns", "ts_ingest_ns", "cause", "instrument", "strategy", "account")
