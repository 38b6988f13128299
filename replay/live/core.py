"""The kernel in a live session: recorded inputs in, events and requests to the venue out.

Owns the times that inputs get (each later than the one before), their turning into rows for the engine loop, and the
joining of bodies to the records that bear them. It decides nothing and waits for nothing: the loop is the one that a
backtest runs. Where frames go is the caller's.
"""

import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from kernel.events.body import pack_body
from kernel.events.catalogue import Event
from kernel.events.layout import HAS_BODY, RECORD, Stored, encode
from kernel.market import BAR, CLOCK, INPUT, LEVEL, MODEL, ROW, ROW_WORDS, WEIGHT
from kernel.marks_nb import event_kind_nb
from kernel.tables.table import word_of
from kernel.venue import MarketRow
from replay.execution import Engine, Prepared
from replay.memory import MAX_INPUTS
from replay.opening import OpeningFrame
from replay.pipeline import Chunk, FrameCut

MOST_BODY_BYTES = 32_768
# Rows on which nothing was decided that share a frame at most, where they come one by one: what waits is hashed and
# written before a request leaves.
QUIET_ROWS = 256
# The kind of row that an event is taken in as, by its number.
ROW_KIND_OF_EVENT = np.full(1 << 10, INPUT, np.int32)
for _kind in (*range(BAR, LEVEL + 1), WEIGHT, MODEL):
    ROW_KIND_OF_EVENT[event_kind_nb(_kind)] = _kind
_ROW = struct.Struct(f"<qii{ROW_WORDS}q")
assert _ROW.size == ROW.itemsize
_NO_RECORDS = np.zeros(0, RECORD)
FrameTaker = Callable[[bytes, bytes, FrameCut], None]


class Input(NamedTuple):
    """A recorded input that is no market row. ``ts_event_ns`` 0 stands for the time at which it is taken in."""

    event: Event
    instrument: int = -1
    strategy: int = -1
    account: int = -1
    cause: int = 0
    ts_event_ns: int = 0
    body: bytes = b""


class LiveCore:
    """The engine of a session. ``put`` takes each finished frame: records, packed bodies, where it is cut."""

    def __init__(self, prepared: Prepared, put: FrameTaker, *, elsewhere: bool) -> None:
        self._put_frame = put
        self._bodies: deque[bytes] = deque()
        self._produced: list[np.ndarray] = []
        self._copied = b""  # the records that were handed over last
        self._engine = Engine(prepared, self._put)
        self.memory = self._engine.memory
        self.state = self.memory.state
        engine = self.memory.engine
        # Kept: to reach them by name costs microseconds each time.
        head = self.state.head
        self._now, self._next_sequence = word_of(head, "now_ns"), word_of(head, "next_sequence")
        self._due = (
            *(word_of(head, f"next_{name}_ns") for name in ("timer", "bar")),
            word_of(engine.venue.head, "next_due_ns"),
        )
        self._waiting_rows = word_of(engine.control, "frame_rows")
        self._inputs, self._input_bytes, self._events_ns = engine.inputs, engine.input_bytes, engine.events_ns
        self._rows = np.zeros(MAX_INPUTS, ROW)
        self._one_row, self._packed = self._rows[:1], self._rows.view(np.uint8).data
        self._event_times = memoryview(self._events_ns)
        engine.control.inline = engine.control.dated = 1
        engine.control.quiet_rows = QUIET_ROWS
        self._engine.session.buffers = self
        engine.venue.head.elsewhere = int(elsewhere)

    def open(self, frames: Sequence[OpeningFrame]) -> None:
        """Take in the opening events; their frames are the caller's to write."""
        self._engine.session.open(frames)

    @property
    def now_ns(self) -> int:
        """The time of the last event."""
        return int(self._now[0])

    @property
    def next_sequence(self) -> int:
        """The sequence that the next event gets."""
        return int(self._next_sequence[0])

    @property
    def waiting_rows(self) -> int:
        """Rows that wait for a frame: they come first in what is returned next."""
        return int(self._waiting_rows[0])

    @property
    def due_ns(self) -> int:
        """When something happens by itself next: a timer, a bar, the simulated venue."""
        return min(int(due[0]) for due in self._due)

    def take_rows(self, rows: Sequence[MarketRow], now_ns: int) -> np.ndarray:
        """Take in market rows, in their order; returns the events that are in a frame now (dtype RECORD).

        Rows on which nothing was decided wait for those that come next, so that a frame of one row is rare.
        """
        first_ns, count = self._first_ns(now_ns), len(rows)
        # Packed, because numpy takes a microsecond for each field.
        for at, (event_ns, kind, instrument, *words) in enumerate(rows):
            self._event_times[at] = event_ns
            _ROW.pack_into(self._packed, at * _ROW.size, first_ns + at, kind, instrument, *words)
        return self._run(self._one_row if count == 1 else self._rows[:count])

    def take(self, inputs: Sequence[Input], now_ns: int) -> np.ndarray:
        """Take in other inputs, in their order; returns the rows that waited, and all events that came of it."""
        count, first_ns = len(inputs), self._first_ns(now_ns)
        batch = np.zeros(count, ROW)
        batch["ts_ns"], batch["kind"], batch["instrument"] = np.arange(first_ns, first_ns + count), INPUT, -1
        batch["words"][:, 0] = np.arange(count)
        records = np.concatenate([_record(one) for one in inputs])
        undated = records["ts_event_ns"] == 0
        records["ts_event_ns"][undated] = batch["ts_ns"][undated]
        self._bodies.extend(one.body for one in inputs if one.body)
        self._give_inputs(records, [packed_bytes(one.body) for one in inputs])
        return self._run(batch)

    def take_again(self, recorded: np.ndarray, bodies: Sequence[bytes]) -> np.ndarray:
        """Take in recorded inputs (dtype RECORD, at most MAX_INPUTS), market rows among them, as they were."""
        count = len(recorded)
        batch = np.zeros(count, ROW)
        batch["ts_ns"], batch["instrument"] = recorded["ts_ingest_ns"], recorded["instrument"]
        batch["words"] = recorded["words"][:, :ROW_WORDS]
        batch["kind"] = ROW_KIND_OF_EVENT[recorded["kind"]]
        others = np.flatnonzero(batch["kind"] == INPUT)
        batch["words"][others, 0] = np.arange(len(others))
        self._bodies.extend(body for body in bodies if body)
        self._give_inputs(recorded[others], [packed_bytes(bodies[at]) for at in others.tolist()])
        self._events_ns[:count] = recorded["ts_event_ns"]
        return self._run(batch)

    def _give_inputs(self, records: np.ndarray, body_bytes: Sequence[int]) -> None:
        assert len(records) <= MAX_INPUTS
        self._inputs[: len(records)] = records
        self._input_bytes[: len(records)] = body_bytes

    def advance(self, now_ns: int) -> np.ndarray:
        """Let what is due by now happen; the time itself is no event."""
        batch = np.zeros(1, ROW)
        batch["ts_ns"], batch["kind"], batch["instrument"] = max(now_ns, self.now_ns), CLOCK, -1
        return self._run(batch)

    def record_digest(self) -> np.ndarray:
        """Record the digest of the state, as at the end of a session."""
        self._engine.session.record_digest()
        return self.close_frame()

    def close_frame(self) -> np.ndarray:
        """Let go of the market rows that wait for a frame; returns them."""
        self._engine.session.close_frame()
        return self._collect()

    def _first_ns(self, now_ns: int) -> int:
        return max(now_ns, self.now_ns + 1)

    def _run(self, batch: np.ndarray) -> np.ndarray:
        self._engine.session.feed(batch)
        return self._collect()

    def copy(self, records: np.ndarray) -> np.ndarray:
        """Records that stay as they are: the journal may write them later."""
        self._copied = records.tobytes()  # numpy copies records field by field, in seven times as long
        return np.frombuffer(self._copied, RECORD)

    def _collect(self) -> np.ndarray:
        produced, self._produced = self._produced, []
        if len(produced) == 1:
            return produced[0]
        return np.concatenate(produced) if produced else _NO_RECORDS

    def _put(self, chunk: Chunk) -> None:
        at = 0
        for cut in chunk.frames:
            records = chunk.records[at : cut.record_end]
            bodies = b""
            if self._bodies:
                count = int(np.count_nonzero(records["flags"] & HAS_BODY))
                bodies = b"".join(pack_body(self._bodies.popleft()) for _ in range(count))
            self._produced.append(records)
            self._put_frame(self._copied[at * RECORD.itemsize : cut.record_end * RECORD.itemsize], bodies, cut)
            at = cut.record_end


def packed_bytes(body: bytes) -> int:
    """How many bytes a body takes in a frame."""
    return len(pack_body(body)) if body else 0


def _record(one: Input) -> Any:
    assert len(one.body) <= MOST_BODY_BYTES
    return encode(
        Stored(0, one.ts_event_ns, 0, one.cause, one.instrument, one.strategy, one.account, one.event, one.body)
    )
