"""One pass of the engine over market rows: the core that backtest, audit and resume share.

Owns the conversation with the compiled loop (why it came back, what to do about it) and the handing over of finished
frames. Where rows come from and where frames go is the caller's.
"""

import traceback
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from kernel.events.catalogue import Event, RunClosed, StateDigest
from kernel.events.layout import Stored, encode
from kernel.instruments import Instrument
from kernel.ledger_nb import STATUS_TEXT, total_nb
from kernel.market import KIND_NAMES, ROW_WORD_NAMES
from kernel.state import state_digest
from kernel.tables.table import word_of
from kernel.units import from_units
from replay.cuts_nb import APPLY_FAILED, DIGEST_DUE, NEED_ROWS, OUTPUT_FULL, STOP_DUE, STRATEGY_RAISED
from replay.engine import EngineMemory
from replay.fold_nb import fold_nb
from replay.loading import LoadedStrategy
from replay.opening import OpeningFrame
from replay.pipeline import IN_FLIGHT, Chunk, ChunkBuffers, FrameCut
from replay.python_host import PythonHost


class RunError(RuntimeError):
    """A run that cannot go on. The text says what happened, where, and what to do."""


class Injection(msgspec.Struct, frozen=True):
    """Recorded input events that are not market data, to be taken in at their sequence: one frame of them."""

    sequence: int
    records: np.ndarray
    bodies: bytes

    def taken(self, next_sequence: int) -> "Injection":
        """What is taken in, when the next event would have that sequence."""
        return self


def describe_row(row: Any, instruments: Sequence[Instrument]) -> str:
    """One market row for people, in decimals."""
    instrument = instruments[int(row["instrument"])]
    kind, words = int(row["kind"]), row["words"].tolist()
    values = " ".join(
        f"{name} {_word_text(name, word, instrument)}" for name, word in zip(ROW_WORD_NAMES[kind], words, strict=False)
    )
    when = np.datetime64(int(row["ts_ns"]), "ns")
    return f"{KIND_NAMES[kind].removesuffix('s')} of {instrument.name} at {when}Z: {values}"


def _word_text(name: str, word: int, instrument: Instrument) -> str:
    if name.endswith("_ns"):
        return f"{np.datetime64(word, 'ns')}Z"
    if name in ("side", "flags", "phase", "weight_rate", "level", "value"):
        return str(word)
    is_size = name in ("volume", "quantity") or name.endswith("_size")
    return f"{from_units(word, instrument.lot_size if is_size else instrument.tick_size).normalize():f}"


class Copies(Protocol):
    """Where records that are handed over are copied to."""

    def copy(self, records: np.ndarray) -> np.ndarray:
        """A copy that stays valid for as long as whoever gets it needs it."""


class Session:
    """Feed it rows; it gives finished chunks to ``put``."""

    def __init__(
        self,
        memory: EngineMemory,
        instruments: Sequence[Instrument],
        strategies: Sequence[LoadedStrategy],
        hosts: Sequence[PythonHost | None],
        put: Callable[[Chunk], None],
        injections: Sequence[Injection] = (),
    ) -> None:
        self.memory = memory
        self._instruments, self._strategies = instruments, strategies
        self._hosts, self._put = hosts, put
        self._injections = list(injections)
        # Kept, because to reach a part of a record by its name costs microseconds, and a live session does so for each
        # message.
        engine = memory.engine
        self._row, self._frame_record, self._frame_count = (
            word_of(engine.control, name) for name in ("row", "frame_record", "frame_count")
        )
        self._output_count = word_of(engine.output, "count")
        self._frames = np.asarray(engine.frames).view(np.int64).data
        self._records = engine.output.records
        self._rows = memory.no_rows()
        self._row_start = 0
        self.buffers: Copies = ChunkBuffers(IN_FLIGHT)
        self._arm()

    def open(self, frames: Sequence[OpeningFrame]) -> None:
        """Apply the opening events; their frames are the caller's to write."""
        state, control = self.memory.state, self.memory.engine.control
        progress = np.zeros(2, np.int64)
        for frame in frames:
            last = int(frame.records["sequence"][-1])
            status = fold_nb(state, frame.records, self._rows, last, progress, 0)
            assert status == 0, STATUS_TEXT[status]
        control.frame_sequence = control.done_sequence = state.head.next_sequence
        statistics = self.memory.engine.statistics
        statistics.peak_minor = statistics.trough_minor = total_nb(state)[0]

    def feed(self, rows: np.ndarray) -> None:
        """Process a batch of rows whole. Raises RunError when a strategy raised or an amount overflowed."""
        self._rows, self._row_start = rows, 0
        self._row[0] = 0
        while (code := self.memory.run(rows)) != NEED_ROWS:
            if code == DIGEST_DUE:
                self.record_digest()
            elif code == OUTPUT_FULL:
                self._hand_over()
            elif code == STOP_DUE:
                self._inject()
            else:
                self._fail(code)
        self._hand_over()

    def finish(self) -> None:
        """After the last row: a digest, the end of the run, and the last frame."""
        while self._injections:
            self._inject()
        self.record_digest()
        state = self.memory.state
        equity, cash, _ = total_nb(state)
        closed = RunClosed(
            int(self.memory.engine.control.row_count),
            int(cash),
            int(equity),
            int(state.head.fill_count),
        )
        self._record(closed, -1)
        self.close_frame()

    def close_frame(self) -> None:
        """Cut the frame under way and hand it over."""
        self.memory.close_frame()
        self._hand_over()

    def record_digest(self) -> None:
        """Record the digest of the state, as a transaction of its own."""
        words = np.frombuffer(state_digest(self.memory.state), ">i8")
        self._record(StateDigest(*(int(word) for word in words)), int(self.memory.state.head.next_sequence) - 1)

    def _record(self, event: Event, cause: int) -> None:
        self._record_one(encode(Stored(0, 0, 0, cause, -1, -1, -1, event)))

    def _record_one(self, record: np.ndarray) -> None:
        code = self.memory.record(record)
        if code != NEED_ROWS:
            self._fail(code)

    def _inject(self) -> None:
        """Take in recorded inputs at their place, as the frame of their own that they were."""
        self.close_frame()
        injection = self._injections.pop(0).taken(int(self.memory.state.head.next_sequence))
        for at in range(len(injection.records)):
            self._record_one(injection.records[at : at + 1])
        self.memory.close_frame()
        self._hand_over(injection.bodies)
        self._arm()

    def _arm(self) -> None:
        self.memory.engine.control.stop_sequence = self._injections[0].sequence if self._injections else 0

    def _hand_over(self, bodies: bytes = b"") -> None:
        """Give the finished frames away, and move what belongs to the frame under way to the front."""
        records, row_stop = self._records, self._row[0]
        end, frames = self._frame_record[0], self._frame_count[0]
        if frames or row_stop > self._row_start:
            self._put(
                Chunk(
                    records=self.buffers.copy(records[:end]),
                    frames=[self._frame(number) for number in range(frames)],
                    rows=self._rows,
                    row_start=self._row_start,
                    row_stop=row_stop,
                    bodies=bodies,
                )
            )
        left = self._output_count[0] - end
        if end and left:
            records[:left] = records[end : end + left].copy()
        self._output_count[0], self._frame_record[0], self._frame_count[0] = left, 0, 0
        self._row_start = row_stop

    def _frame(self, number: int) -> FrameCut:
        words = len(FrameCut._fields)
        return FrameCut._make(self._frames[number * words : (number + 1) * words])

    def _fail(self, code: int) -> None:
        """Close the journal's last whole frame, then raise what went wrong."""
        self.close_frame()
        if code == STRATEGY_RAISED:
            self._raise_strategy_error()
        if code == APPLY_FAILED:
            status = int(self.memory.engine.control.status)
            reason = STATUS_TEXT[status]
            raise RunError(f"{self._where()}: the kernel refused an event: {reason}; lower the order sizes")
        raise RunError(f"{self._where()}: one event caused more than a frame can hold; send fewer orders at once")

    def _where(self) -> str:
        at = int(self.memory.engine.control.row)
        if at >= len(self._rows):
            return "at the end of the data"
        number = int(self.memory.engine.control.row_count)
        return f"row {number:,} of the data ({describe_row(self._rows[at], self._instruments)})"

    def _raise_strategy_error(self) -> None:
        number = int(self.memory.engine.control.strategy)
        strategy, host = self._strategies[number], self._hosts[number]
        error = host.error if host is not None else None
        if error is None:
            raise RunError(f"strategy {strategy.name} stopped on {self._where()}")
        frames = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in frames if frame.filename == str(strategy.source_file)]
        place = inside[-1] if inside else frames[-1]
        raise RunError(
            f"strategy {strategy.name} raised {type(error).__name__}: {error}; {place.filename}, line {place.lineno}, "
            f"on {self._where()}; the journal up to there is intact"
        ) from error
