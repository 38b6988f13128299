"""One catalogue file as a stream of chunks of columns, cut to a time span and a row position.

Owns how a file is decoded with flat memory, and checks on the way that its times never run backwards. Knows
nothing of merging; that is the tape's.
"""

from collections.abc import Iterator
from functools import cache

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from replay.catalogue.files import first_line, open_parquet
from replay.catalogue.model import ROW_COLUMNS, CatalogueError, CatalogueFile
from replay.merge_nb import first_descent_nb

WORDS = 6


class Stream(msgspec.Struct, frozen=True):
    """Rows ``first_row`` to ``first_row + rows`` of a file. ``first_ts_ns`` bounds their times from below."""

    file: CatalogueFile
    rank: int
    tag: int
    first_row: int
    rows: int
    first_ts_ns: int
    last_ts_ns: int

    def advanced(self, rows: int) -> "Stream":
        """The same stream without its first ``rows`` rows."""
        if not rows:
            return self
        left = msgspec.structs.replace(self, first_row=self.first_row + rows, rows=self.rows - rows)
        if not left.rows:
            return left
        return msgspec.structs.replace(left, first_ts_ns=_time_at(left.file, left.first_row))

    def chunks(self, chunk_rows: int, times_only: bool = False) -> Iterator[list[np.ndarray]]:
        """Columns of at most ``chunk_rows`` rows: the time and, unless ``times_only``, the six words of a
        row.
        """
        names = ROW_COLUMNS[self.file.kind]
        read = names[:1] if times_only else names
        absent = [] if times_only else [_zeros(chunk_rows)] * (1 + WORDS - len(names))
        previous_ts = self.first_ts_ns
        row = self.first_row
        for columns in _decoded(self.file, read, self.first_row, self.rows, chunk_rows):
            size = len(columns[0])
            descent = first_descent_nb(columns[0], previous_ts)
            if descent >= 0 or columns[0][-1] > self.last_ts_ns:
                at = row + max(descent, 0) + 1
                raise CatalogueError(f"{self.file.path}: times run backwards at row {at}: validate the file")
            previous_ts = int(columns[0][-1])
            row += size
            yield columns + [zeros[:size] for zeros in absent]


def plan_stream(file: CatalogueFile, instrument_id: int, rank: int, start_ns: int, end_ns: int) -> Stream:
    """The part of ``file`` with ``start_ns <= ts < end_ns``."""
    tag = file.kind | instrument_id << 32
    first, last = file.first_ts_ns, file.last_ts_ns
    if start_ns <= first and last < end_ns:
        return Stream(file, rank, tag, 0, file.rows, first, last)
    if end_ns <= start_ns or last < start_ns or first >= end_ns:
        return Stream(file, rank, tag, 0, 0, first, last)
    begin = _row_of(file, start_ns) if first < start_ns else 0
    end = _row_of(file, end_ns) if last >= end_ns else file.rows
    return Stream(file, rank, tag, begin, end - begin, max(first, start_ns), min(last, end_ns - 1))


def _decoded(
    file: CatalogueFile, names: tuple[str, ...], first_row: int, rows: int, chunk_rows: int
) -> Iterator[list[np.ndarray]]:
    """Chunks of the named columns, from the row group that holds ``first_row`` on."""
    with open_parquet(file.path) as parquet:
        if parquet.metadata.num_rows != file.rows:
            raise CatalogueError(f"{file.path}: the file has changed since it was opened")
        groups, skip = _groups_from(parquet, first_row)
        batches = parquet.iter_batches(chunk_rows, row_groups=groups, columns=list(names), use_threads=False)
        try:
            for batch in batches:
                drop = min(skip, batch.num_rows)
                skip -= drop
                kept = batch.slice(drop, rows)
                if kept.num_rows:
                    rows -= kept.num_rows
                    yield [kept.column(name).to_numpy() for name in names]
                if not rows:
                    return
        except (pa.ArrowException, OSError) as error:
            raise CatalogueError(f"{file.path}: damaged data: {first_line(error)}") from None
    raise CatalogueError(f"{file.path}: the file ends {rows} rows early")


def _groups_from(parquet: pq.ParquetFile, first_row: int) -> tuple[list[int], int]:
    """The row groups from the one with ``first_row`` on, and how many rows of the first to drop."""
    for group in range(parquet.num_row_groups):
        size = parquet.metadata.row_group(group).num_rows
        if first_row < size:
            return list(range(group, parquet.num_row_groups)), first_row
        first_row -= size
    return [], 0


def _row_of(file: CatalogueFile, ts_ns: int) -> int:
    """The first row whose time is not below ``ts_ns``: one row group is decoded, found by its statistics."""
    row = 0
    with open_parquet(file.path) as parquet:
        for group in range(parquet.num_row_groups):
            facts = parquet.metadata.row_group(group)
            if facts.column(0).statistics.max >= ts_ns:
                ts = parquet.read_row_group(group, columns=["ts"], use_threads=False).column(0).to_numpy()
                return row + int(np.searchsorted(ts, ts_ns, side="left"))
            row += facts.num_rows
    return row


def _time_at(file: CatalogueFile, row: int) -> int:
    with open_parquet(file.path) as parquet:
        groups, skip = _groups_from(parquet, row)
        ts = parquet.read_row_group(groups[0], columns=["ts"], use_threads=False).column(0)
    return int(ts[skip].as_py())


@cache
def _zeros(size: int) -> np.ndarray:
    zeros = np.zeros(size, np.int64)
    zeros.flags.writeable = False
    return zeros
