"""Behind the engine: hashing, the journal and the tables, on a thread of their own.

Owns the order in which finished frames are written, and the hash that binds referenced market rows into them. The
engine goes on computing meanwhile; the queue between them is bounded, so a slow disk slows the run and loses nothing.
"""

import hashlib
import queue
import threading
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from journal import JournalWriter
from kernel.emit_nb import OUTPUT_RECORDS
from kernel.events.layout import RECORD, SEGMENT
from kernel.ports import FrameSink
from replay.memory import FRAME, FRAME_RECORDS
from replay.outcome import ResultHash
from replay.pick_nb import FILL_WORDS, MAX_CHECKS, OPINIONS, pick_nb
from replay.prices import PriceLine
from replay.tables import TradeWriter

QUEUE_ITEMS = 3
# What can be in use at once: the one being filled, those in the queue, the one being worked on, and one to spare.
IN_FLIGHT = QUEUE_ITEMS + 3


class FrameCut(NamedTuple):
    """The fields of ``replay.memory.FRAME``."""

    record_end: int
    row_count: int
    row_end: int
    first_sequence: int
    event_count: int
    ts_ingest_ns: int


assert FrameCut._fields == FRAME.names


class Chunk(msgspec.Struct):
    """What the engine finished: records (valid for a while) and frame cuts, and the rows that the frames account for.

    ``rows[row_start:row_stop]`` are the rows that were done since the last chunk; a frame's ``row_end`` is a position
    in ``rows``.
    """

    records: np.ndarray
    frames: list[FrameCut]
    rows: np.ndarray
    row_start: int
    row_stop: int
    bodies: bytes = b""  # of the records, when all are in one frame


class ChunkBuffers:
    """Memory for the records of chunks, used in turn: as many as can be on their way at once."""

    def __init__(self, count: int) -> None:
        self._buffers = [np.zeros(OUTPUT_RECORDS, RECORD) for _ in range(count)]
        self._next = 0

    def copy(self, records: np.ndarray) -> np.ndarray:
        """A copy that stays valid until all other buffers have been used."""
        buffer = self._buffers[self._next][: len(records)]
        self._next = (self._next + 1) % len(self._buffers)
        buffer.view(np.uint8)[:] = records.view(np.uint8)
        return buffer


class JournalSink:
    """Appends frames to a journal."""

    def __init__(self, writer: JournalWriter) -> None:
        self.writer = writer

    def frame(self, records: np.ndarray, bodies: bytes, *, first_sequence: int, event_count: int, ts_ns: int) -> None:
        self.writer.append(
            records.view(np.uint8),
            bodies,
            event_count=event_count,
            first_sequence=first_sequence,
            ts_ingest_ns=ts_ns,
        )


class Pipeline:
    """The thread. ``put`` chunks, then ``close``; an error of the thread is raised at the next call."""

    def __init__(
        self,
        sink: FrameSink | None,
        result: ResultHash,
        trades: Sequence[TradeWriter],
        prices: PriceLine | None,
        *,
        by_reference: bool,
    ) -> None:
        self._sink, self._result, self._trades, self._prices = sink, result, trades, prices
        self._by_reference = by_reference
        self._fills = np.zeros((OUTPUT_RECORDS, FILL_WORDS), np.int64)
        self._closed = np.zeros(OUTPUT_RECORDS, np.int64)
        self.refusals = np.zeros((MAX_CHECKS, 3), np.int64)  # by number of the check, as ``pick_nb`` counts them
        self._counts = np.zeros(2, np.int64)
        self.opinions = np.zeros((3, OPINIONS), np.int64)
        self._rows_done = 0
        self._segment = _Segment()
        self._queue: queue.Queue[Chunk | None] = queue.Queue(QUEUE_ITEMS)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def put(self, chunk: Chunk) -> None:
        """Hand over a chunk; waits while the queue is full."""
        self._raise_error()
        self._queue.put(chunk)

    def close(self) -> None:
        """Wait until everything is done."""
        self._queue.put(None)
        self._thread.join()
        self._raise_error()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (chunk := self._queue.get()) is not None:
            if self._error is None:  # after an error only drain, so that the engine never waits for ever
                try:
                    self._take(chunk)
                except BaseException as error:
                    self._error = error

    def _take(self, chunk: Chunk) -> None:
        pick_nb(chunk.records, self._fills, self._closed, self.refusals, self._counts, self.opinions)
        fills, trades = self._counts.tolist()
        self._result.add_fills(self._fills[:fills])
        if self._trades and trades:
            places = self._closed[:trades]
            closed, books = chunk.records[places], chunk.records[places - 1]  # a book comes before its trip
            for writer in self._trades:
                writer.add_closed(closed, books)
        if self._prices is not None:
            self._prices.add(chunk.rows[chunk.row_start : chunk.row_stop])
        if self._sink is None:
            return
        at_record, at_row = 0, chunk.row_start
        for cut in chunk.frames:
            self._hash_rows(chunk.rows[at_row : cut.row_end])
            records = chunk.records[at_record : cut.record_end]
            if self._by_reference and cut.row_count:
                assert self._segment.row_count == cut.row_count
                records = self._segment.finish(cut, self._rows_done, records)
            self._rows_done += cut.row_count
            self._sink.frame(
                records,
                chunk.bodies,
                first_sequence=cut.first_sequence,
                event_count=cut.event_count,
                ts_ns=cut.ts_ingest_ns,
            )
            at_record, at_row = cut.record_end, cut.row_end
        self._hash_rows(chunk.rows[at_row : chunk.row_stop])

    def _hash_rows(self, rows: np.ndarray) -> None:
        if self._by_reference and len(rows):
            self._segment.add(rows)


class _Segment:
    """The market rows of the frame under way."""

    def __init__(self) -> None:
        self._frame = np.zeros(FRAME_RECORDS + 1, RECORD)
        # Bytes, because numpy copies records field by field, ten times slower.
        self._frame_bytes = self._frame.view(np.uint8)
        carrier = self._frame[0]
        carrier["kind"], carrier["version"] = SEGMENT.kind, 1
        carrier["instrument"] = carrier["strategy"] = carrier["account"] = -1
        self._restart()

    def _restart(self) -> None:
        self._digest = hashlib.sha256()
        self.row_count = 0
        self._first_ts_ns = self._last_ts_ns = 0

    def add(self, rows: np.ndarray) -> None:
        if self.row_count == 0:
            self._first_ts_ns = int(rows[0]["ts_ns"])
        self._last_ts_ns = int(rows[-1]["ts_ns"])
        self._digest.update(rows.data)
        self.row_count += len(rows)

    def finish(self, cut: FrameCut, first_row: int, records: np.ndarray) -> np.ndarray:
        """The carrier record and the frame's records, valid until the next call; the next segment begins."""
        carrier = self._frame[0]
        carrier["sequence"] = cut.first_sequence
        carrier["ts_event_ns"] = carrier["ts_ingest_ns"] = cut.ts_ingest_ns
        words = carrier["words"]
        words[SEGMENT.row_count], words[SEGMENT.first_row] = self.row_count, first_row
        words[SEGMENT.first_ts_ns], words[SEGMENT.last_ts_ns] = self._first_ts_ns, self._last_ts_ns
        words[SEGMENT.hash_0 : SEGMENT.hash_3 + 1] = np.frombuffer(self._digest.digest(), ">i8")
        self._restart()
        self._frame_bytes[RECORD.itemsize : RECORD.itemsize * (1 + len(records))] = records.view(np.uint8)
        return self._frame[: 1 + len(records)]
