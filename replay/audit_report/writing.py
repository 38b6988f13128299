"""Tables that grow row by row, as Parquet or CSV.

Owns how values are written: exact decimals and integers as they are, times in Parquet as nanoseconds (UTC), in CSV as
ISO 8601 with all their digits. A table without a row is written all the same, with its columns.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as parquet

from replay.inspect.phrases import iso_time

BATCH_ROWS = 8192


class TableFile:
    """A table in a file; use it in a ``with`` block. ``rows`` counts what was written."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema, self.rows = path, schema, 0
        self._waiting: list[dict[str, Any]] = []
        if path.suffix == ".csv":
            self._file = path.open("w", encoding="utf-8", newline="")
            self._csv = csv.writer(self._file, lineterminator="\n")
            self._csv.writerow(schema.names)
        else:
            self._parquet = parquet.ParquetWriter(path, schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        (self._file if self.path.suffix == ".csv" else self._parquet).close()

    def add(self, row: dict[str, Any]) -> None:
        """Add one row."""
        self._waiting.append(row)
        if len(self._waiting) >= BATCH_ROWS:
            self._flush()

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Add rows that are Arrow already, of the table's schema."""
        self._flush()
        self._write(batch)

    def _flush(self) -> None:
        if self._waiting:
            rows, self._waiting = self._waiting, []
            columns = [pa.array([row[field.name] for row in rows], field.type) for field in self.schema]
            self._write(pa.record_batch(columns, schema=self.schema))

    def _write(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        if self.path.suffix == ".csv":
            self._csv.writerows(zip(*(_texts(column, column.type) for column in batch.columns), strict=True))
        else:
            self._parquet.write_batch(batch)


def _texts(column: pa.Array, kind: pa.DataType) -> Sequence[Any]:
    """Values as CSV has them; an empty field is null."""
    if pa.types.is_timestamp(kind):
        whole = column.cast(pa.timestamp("ns", kind.tz)).cast(pa.int64()).to_pylist()
        return [None if value is None else iso_time(value) for value in whole]
    if pa.types.is_decimal(kind):
        return [None if value is None else f"{value:f}" for value in column.to_pylist()]
    if pa.types.is_boolean(kind):
        return [None if value is None else str(value).lower() for value in column.to_pylist()]
    return list(column.to_pylist())
