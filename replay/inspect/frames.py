"""The frames of a journal as events: stored records and market rows under one sequence.

Owns the resolving of a frame into records, the choice of those that are wanted, and their decoding. Reads no file; the
history gives it frames and rows.
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from journal import Frame
from kernel.events.body import unpack_bodies
from kernel.events.catalogue import Event, event_types
from kernel.events.layout import (
    BAR_CLOSED,
    CHECKED,
    ENTRIES_STOPPED,
    KILL_TRIPPED,
    MODEL_SIGNAL,
    RECORD,
    REQUEST_REFUSED,
    SEGMENT,
    WEIGHT_SET,
    Stored,
)
from kernel.market import BAR, MODEL, ROW, ROW_WORDS, WEIGHT
from replay.audit import records_of

# What the integers of later events mean.
DEFINING_KINDS = frozenset(kind.kind for kind in event_types() if kind.kind < 16 or kind.topic.startswith("define."))
MARKET_KINDS = frozenset(kind.kind for kind in event_types() if kind.market)
KINDS = 1 << 16  # that there can be: a kind is two bytes of the record
_TYPES = {kind.kind: kind for kind in event_types()}
_FIRST_KIND = BAR_CLOSED.kind - BAR  # the market events are declared in the order of the kinds of rows
# Where the events that name a check have it.
CHECK_WORDS = {event.kind: event.check for event in (CHECKED, REQUEST_REFUSED, KILL_TRIPPED, ENTRIES_STOPPED)}
_NO_ROWS = np.zeros(0, ROW)
_STORED_FIELDS = ("sequence", "ts_event_ns", "ts_ingest_ns", "cause", "instrument", "strategy", "account")


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
        put_rows(out, np.flatnonzero(is_row), self.rows)
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


def put_rows(out: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
    """Write market rows as records at some places of ``out``; their sequences are the caller's."""
    kinds = rows["kind"]
    out["kind"][places] = np.select(
        [kinds == WEIGHT, kinds == MODEL], [WEIGHT_SET.kind, MODEL_SIGNAL.kind], kinds + _FIRST_KIND
    )
    out["version"][places] = 1
    out["instrument"][places] = rows["instrument"]
    out["strategy"][places] = out["account"][places] = -1
    out["ts_event_ns"][places] = out["ts_ingest_ns"][places] = rows["ts_ns"]
    out["words"][places, :ROW_WORDS] = rows["words"]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted; the default is all stored ones. ``end_ns`` is excluded, ``last`` is included.

    ``market`` asks for market rows too, which takes the market data where they are journaled by reference. ``checks``
    asks for the events that name one of these checks (0: approved).
    """

    kinds: frozenset[int] | None = None
    instruments: frozenset[int] | None = None
    strategies: frozenset[int] | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    first: int = 1
    last: int | None = None
    market: bool = False
    checks: frozenset[int] | None = None

    def select(self, records: np.ndarray) -> np.ndarray:
        """The records that are wanted."""
        wanted = np.ones(len(records), bool)
        for field, values in (("kind", self.kinds), ("instrument", self.instruments), ("strategy", self.strategies)):
            if values is not None:
                wanted &= np.isin(records[field], np.array(sorted(values), np.int64))
        if not self.market:
            wanted &= ~np.isin(records["kind"], np.array(sorted(MARKET_KINDS), np.int64))
        if self.checks is not None:
            named = np.zeros(len(records), bool)
            for kind, word in CHECK_WORDS.items():
                is_kind = records["kind"] == kind
                named |= is_kind & np.isin(records["words"][:, word], np.array(sorted(self.checks), np.int64))
            wanted &= named
        for bound, field, below in (
            (self.start_ns, "ts_event_ns", False),
            (self.end_ns, "ts_event_ns", True),
            (self.first, "sequence", False),
            (None if self.last is None else self.last + 1, "sequence", True),
        ):
            if bound is not None:
                wanted &= records[field] < bound if below else records[field] >= bound
        return records if wanted.all() else records[wanted]


def open_frame(frame: Frame) -> HistoryFrame:
    """A journal's frame as events, its carrier record read and left out, its rows not resolved."""
    records = records_of(frame)
    row_count, first_row, row_hash = 0, 0, b""
    if len(records) and records[0]["kind"] == SEGMENT.kind:  # it leads its frame
        words = records[0]["words"]
        row_count, first_row = int(words[SEGMENT.row_count]), int(words[SEGMENT.first_row])
        row_hash = words[SEGMENT.hash_0 : SEGMENT.hash_3 + 1].astype(">i8").tobytes()
        records = records[1:]
    return HistoryFrame(
        frame.number,
        frame.first_sequence,
        frame.next_sequence,
        records.copy(),  # the frame's memory belongs to the mapped file, and goes with it
        bytes(frame.bodies),
        row_count,
        first_row,
        row_hash,
    )


class UnknownKindError(LookupError):
    """An event of a kind that the catalogue of this release does not have. The text is one line."""


def stored_events(records: np.ndarray, bodies: dict[int, bytes]) -> Iterator[Stored]:
    """Records as event objects; faster than one by one. Raises UnknownKindError."""
    fields = [records[name].tolist() for name in _STORED_FIELDS]
    for kind, words, *header in zip(records["kind"].tolist(), records["words"].tolist(), *fields, strict=True):
        declared = _TYPES.get(kind)
        if declared is None:
            raise UnknownKindError(
                f"event {header[0]:,} is of kind {kind}, which this release does not know; use the one that wrote it"
            )
        event: Event = declared.cls(*words[: len(declared.fields)])
        sequence, ts_event_ns, ts_ingest_ns, cause, instrument, strategy, account = header
        body = bodies.get(sequence, b"")
        yield Stored(sequence, ts_event_ns, ts_ingest_ns, cause, instrument, strategy, account, event, body)
