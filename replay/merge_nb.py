"""Compiled: columns of market data to rows, and several sorted streams to one.

Owns the order in which rows of different streams leave: ascending time, then ascending stream rank. Knows no
file and no kind of market data: a stream is seven columns (the time and the six words of a row) and a tag,
which is the word that holds kind and instrument. Rows are written as eight 64-bit words; see
``kernel.market.ROW``.
"""

import numpy as np

from kernel.jit import jit, unit, vector

_COLUMN = vector(np.int64)
_VECTOR = vector(np.int64)
_ROWS = vector(np.int64, 2)
_HEAP = vector(np.int64, 2)
_CHUNKS = vector(np.int64, 3)


@unit(_COLUMN, np.int64)
def first_descent_nb(ts, previous_ts):
    """The first index whose time is below the one before it (``previous_ts`` before the first), or -1."""
    for i in range(ts.size):
        if ts[i] < previous_ts:
            return i
        previous_ts = ts[i]
    return -1


@unit(*[_COLUMN] * 7, np.int64, np.int64, np.int64, _ROWS, np.int64)
def interleave_nb(ts, word0, word1, word2, word3, word4, word5, start, count, tag, rows, at):
    """Write ``count`` rows of one stream, from index ``start``, into ``rows`` at ``at``; returns the next
    ``at``.
    """
    for i in range(count):
        source = start + i
        row = rows[at + i]
        row[0] = ts[source]
        row[1] = tag
        row[2] = word0[source]
        row[3] = word1[source]
        row[4] = word2[source]
        row[5] = word3[source]
        row[6] = word4[source]
        row[7] = word5[source]
    return at + count


@jit
def leaves_first_nb(ts_a, rank_a, ts_b, rank_b):
    """Whether a row at ``ts_a`` of the stream with ``rank_a`` leaves before the other."""
    return ts_a < ts_b or (ts_a == ts_b and rank_a < rank_b)


@jit
def sift_down_nb(heap, size, at):
    """Restore the heap after the entry at ``at`` moved on to a later row."""
    ts, rank, stream = heap[at, 0], heap[at, 1], heap[at, 2]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        other = child + 1
        if other < size and leaves_first_nb(heap[other, 0], heap[other, 1], heap[child, 0], heap[child, 1]):
            child = other
        if not leaves_first_nb(heap[child, 0], heap[child, 1], ts, rank):
            break
        heap[at, 0], heap[at, 1], heap[at, 2] = heap[child, 0], heap[child, 1], heap[child, 2]
        at = child
    heap[at, 0], heap[at, 1], heap[at, 2] = ts, rank, stream


@jit
def build_heap_nb(chunks, position, length, rank, heap):
    """Fill ``heap`` with the heads of the streams that hold rows; returns how many there are."""
    size = 0
    for stream in range(position.size):
        if position[stream] < length[stream]:
            heap[size, 0] = chunks[stream, 0, position[stream]]
            heap[size, 1] = rank[stream]
            heap[size, 2] = stream
            size += 1
    for at in range(size // 2 - 1, -1, -1):
        sift_down_nb(heap, size, at)
    return size


@unit(_CHUNKS, _VECTOR, _VECTOR, _VECTOR, _VECTOR, _HEAP, np.int64, _ROWS, np.int64, np.int64)
def merge_nb(chunks, position, length, rank, tag, heap, bound_ts, rows, at, limit):
    """Merge until ``at`` reaches ``limit``, a stream has no more rows here, or the next row is at
    ``bound_ts``.

    Advances ``position`` and returns the next ``at``. With no columns but the time in ``chunks`` (its second
    axis has length 1) the rows are counted and not written. ``heap`` holds the time, rank and stream of each
    head side by side, so that a comparison touches one place in memory.
    """
    size = build_heap_nb(chunks, position, length, rank, heap)
    writes = chunks.shape[1] > 1
    while size > 0 and at < limit:
        stream = heap[0, 2]
        # Rows leave in runs: all that come before the best head of the other streams.
        last_ts = bound_ts - 1
        if size > 1:
            rival = 1
            if size > 2 and leaves_first_nb(heap[2, 0], heap[2, 1], heap[1, 0], heap[1, 1]):
                rival = 2
            last_ts = min(last_ts, heap[rival, 0] if heap[0, 1] < heap[rival, 1] else heap[rival, 0] - 1)
        source = position[stream]
        end = min(length[stream], source + limit - at)
        first = source
        while source < end and chunks[stream, 0, source] <= last_ts:
            if writes:
                row = rows[at]
                row[0] = chunks[stream, 0, source]
                row[1] = tag[stream]
                for word in range(6):
                    row[2 + word] = chunks[stream, 1 + word, source]
            at += 1
            source += 1
        position[stream] = source
        if source == length[stream] or source == first:
            break
        heap[0, 0] = chunks[stream, 0, source]
        sift_down_nb(heap, size, 0)
    return at
