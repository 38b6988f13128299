"""The tape: catalogue files as one stream of market rows in time order.

Owns the merge rule: rows leave by ascending ``ts_ns``; at equal times depth comes before quotes, quotes before
trades and trades before bars, weights last, then the lower instrument id, then the file given earlier, then the
earlier row of the file. So neither the size of the batches nor how data is split over files changes the sequence,
as long as the files of one instrument and kind are given in time order.

Must not know what the rows are for. Memory stays flat: files are open only while the merge is inside their
time span, and each is decoded a chunk at a time.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kernel.market import ROW, WEIGHT
from replay.catalogue.model import CatalogueError, CatalogueFile
from replay.merge_nb import interleave_nb, merge_nb
from replay.streams import Stream, plan_stream

DEFAULT_BATCH_ROWS = 65_536
CHUNK_ROWS = 16_384  # measured: smaller chunks cost more calls, larger ones leave the processor's cache
MIN_CHUNK_ROWS = 1024
ARENA_BYTES = 64 << 20
FOREVER_NS = (1 << 63) - 1


class Tape:
    """Iterate for batches of ``kernel.market.ROW``; a batch is valid for the next ``buffers - 1`` steps.

    ``start_ns`` is included and ``end_ns`` is not, both compared with the time at which a row is known.
    Iterating again starts again.
    """

    def __init__(
        self,
        files: Sequence[CatalogueFile],
        instrument_ids: Mapping[str, int],
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        batch_rows: int = DEFAULT_BATCH_ROWS,
        buffers: int = 1,
    ):
        if batch_rows < 1 or buffers < 1:
            raise ValueError("batch_rows and buffers must be at least 1")
        missing = sorted({file.instrument.name for file in files} - set(instrument_ids))
        if missing:
            raise CatalogueError(f"no instrument id is given for {', '.join(missing)}")
        self._batch_rows, self._buffers = batch_rows, buffers
        start = -FOREVER_NS if start_ns is None else start_ns
        end = FOREVER_NS if end_ns is None else end_ns
        order = sorted(
            range(len(files)),
            key=lambda i: (files[i].kind == WEIGHT, -files[i].kind, instrument_ids[files[i].instrument.name], i),
        )
        planned = [
            plan_stream(files[i], instrument_ids[files[i].instrument.name], rank, start, end)
            for rank, i in enumerate(order)
        ]
        self._plans = sorted((p for p in planned if p.rows), key=lambda p: (p.first_ts_ns, p.rank))
        self.rows_total = sum(plan.rows for plan in self._plans)
        self._skip = 0

    def skip(self, n: int) -> None:
        """Start from the ``n``-th merged row. Decodes only the times of the rows before it."""
        if n < 0:
            raise ValueError("cannot skip a negative number of rows")
        self._skip = n

    def __iter__(self) -> Iterator[np.ndarray]:
        plans = self._plans
        if self._skip:
            plans = _positions_after(plans, self._skip)
        ring = itertools.cycle([np.zeros((self._batch_rows, 8), np.int64) for _ in range(self._buffers)])
        width = _most_open(plans)
        filled = _chain(plans, ring) if width <= 1 else _Merge(plans, width, 7).fill(ring, self._batch_rows)
        for rows in filled:
            yield rows.reshape(-1).view(ROW)


def _chain(plans: Sequence[Stream], ring: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Streams that never overlap need no merge: interleave one after another, straight into the batch."""
    rows, at = next(ring), 0
    for plan in plans:
        for columns in plan.chunks(CHUNK_ROWS):
            start, size = 0, len(columns[0])
            while start < size:
                count = min(size - start, len(rows) - at)
                at = interleave_nb(*columns, start, count, plan.tag, rows, at)
                start += count
                if at == len(rows):
                    yield rows
                    rows, at = next(ring), 0
    if at:
        yield rows[:at]


class _Merge:
    """A merge under way: one slot of the arena for each open stream."""

    def __init__(self, plans: Sequence[Stream], width: int, columns: int):
        self._waiting = list(reversed(plans))
        chunk_rows = min(CHUNK_ROWS, max(MIN_CHUNK_ROWS, ARENA_BYTES // (8 * columns * width)))
        self._arena = np.zeros((width, columns, chunk_rows), np.int64)
        self._position, self._length, self._rank, self._tag = np.zeros((4, width), np.int64)
        self._heap = np.zeros((width, 3), np.int64)
        self._open: dict[int, tuple[Stream, Iterator[list[np.ndarray]]]] = {}
        self._free = list(range(width))
        self.taken: dict[int, int] = {}

    def fill(self, ring: Iterator[np.ndarray], limit: int) -> Iterator[np.ndarray]:
        """Yield the rows each time ``limit`` is reached, and at the end what remains."""
        rows, at = next(ring), 0
        while True:
            self._refill()
            if not self._open and not self._waiting:
                break
            bound_ts = self._waiting[-1].first_ts_ns if self._waiting else FOREVER_NS
            before = at
            at = merge_nb(
                self._arena,
                self._position,
                self._length,
                self._rank,
                self._tag,
                self._heap,
                bound_ts,
                rows,
                at,
                limit,
            )
            if at == limit:
                yield rows
                rows, at = next(ring), 0
            elif at == before and self._waiting:
                self._admit(bound_ts)
            else:
                assert at > before, "the merge makes progress or admits a stream"
        if at:
            yield rows[:at]

    def _admit(self, ts_ns: int) -> None:
        """Open the streams that begin at ``ts_ns``: from there on they have a say in the order."""
        while self._waiting and self._waiting[-1].first_ts_ns <= ts_ns:
            plan = self._waiting.pop()
            slot = self._free.pop()
            self._open[slot] = (plan, plan.chunks(self._arena.shape[2], times_only=self._arena.shape[1] == 1))
            self._rank[slot], self._tag[slot] = plan.rank, plan.tag
            self._position[slot] = self._length[slot] = 0

    def _refill(self) -> None:
        for slot in np.flatnonzero(self._position == self._length).tolist():
            if slot not in self._open:
                continue
            plan, chunks = self._open[slot]
            self.taken[plan.rank] = self.taken.get(plan.rank, 0) + int(self._length[slot])
            columns = next(chunks, None)
            self._position[slot] = 0
            self._length[slot] = 0 if columns is None else len(columns[0])
            if columns is None:
                del self._open[slot]
                self._free.append(slot)
                continue
            for index, column in enumerate(columns):
                self._arena[slot, index, : len(column)] = column

    def positions(self) -> dict[int, int]:
        """How many rows of each stream have left, by rank."""
        inside = {plan.rank: int(self._position[slot]) for slot, (plan, _) in self._open.items()}
        return {rank: self.taken.get(rank, 0) + inside.get(rank, 0) for rank in {*self.taken, *inside}}


def _positions_after(plans: Sequence[Stream], skip: int) -> list[Stream]:
    """The streams without the first ``skip`` rows of their merge, found from their times alone."""
    if skip >= sum(plan.rows for plan in plans):
        return []
    merge = _Merge(plans, _most_open(plans), 1)
    next(merge.fill(itertools.repeat(np.zeros((0, 8), np.int64)), skip))
    taken = merge.positions()
    left = [plan.advanced(taken.get(plan.rank, 0)) for plan in plans]
    return sorted((p for p in left if p.rows), key=lambda p: (p.first_ts_ns, p.rank))


def _most_open(plans: Sequence[Stream]) -> int:
    """The largest number of streams whose time spans overlap at one instant."""
    edges = [(plan.first_ts_ns, 0) for plan in plans] + [(plan.last_ts_ns, 1) for plan in plans]
    most = count = 0
    for _, closes in sorted(edges):
        count += -1 if closes else 1
        most = max(most, count)
    return most
