"""Catalogue files on disk: where they are, how they are opened, and how they are written whole or not at all.

Owns the Parquet encoding. Compression is off and every column is DELTA_BINARY_PACKED: measured at 15 to 27 ns
a row to decode on one thread and 5 to 25 bytes a row, which no compressor improved on. A file is written
under a temporary name in its own directory, synced and renamed, so that a failed or killed import leaves no
half-written file behind.
"""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kernel.instruments import Instrument
from kernel.market import BAR, KIND_NAMES
from replay.catalogue.intervals import format_interval
from replay.catalogue.model import (
    COLUMNS,
    METADATA_KEY,
    ROW_GROUP_ROWS,
    SCHEMA_VERSION,
    CatalogueError,
    CatalogueFile,
    Metadata,
)

KINDS_BY_NAME = {name: kind for kind, name in KIND_NAMES.items()}
TEMPORARY_SUFFIX = ".partial"
_VENUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def catalogue_path(root: Path, instrument: Instrument, kind: int, interval_ns: int = 0) -> Path:
    """Where a file belongs. A symbol such as ``BTC/USDT`` is percent-encoded, so that it is one directory."""
    if not _VENUE.fullmatch(instrument.venue):
        raise CatalogueError(
            f"venue {instrument.venue!r} may hold letters, digits, '.', '_' and '-' only: give --venue"
        )
    symbol = quote(instrument.symbol, safe="")
    if not symbol.strip("."):
        raise CatalogueError(f"symbol {instrument.symbol!r} cannot name a directory")
    name = KIND_NAMES[kind]
    if kind == BAR:
        name += f"-{format_interval(interval_ns)}"
    return Path(root) / instrument.venue / symbol / f"{name}.parquet"


def open_file(path: str | os.PathLike[str]) -> CatalogueFile:
    """The catalogue file at ``path``. Raises CatalogueError when it is not one, or one of another schema
    version.
    """
    path = Path(path)
    with open_parquet(path) as parquet:
        raw = (parquet.metadata.metadata or {}).get(METADATA_KEY)
        if raw is None:
            raise CatalogueError(f"{path}: a Parquet file, but not of a catalogue: first run kernel data import {path}")
        metadata = decode_metadata(raw, path)
        kind = KINDS_BY_NAME[metadata.kind]
        _check_layout(parquet, metadata, kind, path)
    fields = ("instrument", "interval_ns", "rows", "first_ts_ns", "last_ts_ns", "volume_known")
    told = {name: getattr(metadata, name) for name in (*fields, "source_sha256", "schema_version")}
    return CatalogueFile(path=path, kind=kind, metadata=metadata, **told)


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file opened for flat memory; one clear line when it is missing, truncated or no Parquet."""
    if not path.is_file():
        raise CatalogueError(f"{path}: no such file" if not path.exists() else f"{path}: not a file")
    size = path.stat().st_size
    if size == 0:
        raise CatalogueError(f"{path}: the file is empty")
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(max(0, size - 4))
        tail = stream.read(4)
    if head != b"PAR1":
        raise CatalogueError(f"{path}: not a Parquet file")
    if tail != b"PAR1" or size < 12:
        raise CatalogueError(f"{path}: a truncated Parquet file (its end mark is missing): copy or import it again")
    try:
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise CatalogueError(f"{path}: a damaged Parquet file: {first_line(error)}") from None


def decode_metadata(raw: bytes, path: Path) -> Metadata:
    """The metadata of a file, checked field by field."""
    try:
        version = msgspec.json.decode(raw, type=dict[str, Any])["schema_version"]
        if version != SCHEMA_VERSION:
            raise CatalogueError(
                f"{path}: schema version {version}, but this kernel reads {SCHEMA_VERSION}: import the source again"
            )
        metadata = msgspec.json.decode(raw, type=Metadata)
    except (msgspec.DecodeError, KeyError) as error:
        raise CatalogueError(f"{path}: damaged metadata: {first_line(error)}") from None
    if metadata.kind not in KINDS_BY_NAME:
        raise CatalogueError(f"{path}: unknown kind {metadata.kind!r} in the metadata")
    return metadata


def _check_layout(parquet: pq.ParquetFile, metadata: Metadata, kind: int, path: Path) -> None:
    schema = parquet.schema_arrow
    found = tuple(schema.names)
    if found != COLUMNS[kind]:
        raise CatalogueError(f"{path}: columns are {', '.join(found)}, expected {', '.join(COLUMNS[kind])}")
    wrong = [field.name for field in schema if field.type != pa.int64() or field.nullable]
    if wrong:
        raise CatalogueError(f"{path}: columns must be int64 without nulls: {', '.join(wrong)}")
    if parquet.metadata.num_rows != metadata.rows:
        raise CatalogueError(f"{path}: {parquet.metadata.num_rows} rows, but the metadata says {metadata.rows}")


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Every column of a catalogue file, in memory: for appending and for checks."""
    try:
        with open_parquet(path) as parquet:
            table = parquet.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise CatalogueError(f"{path}: damaged data: {first_line(error)}") from None
    return {name: table.column(name).to_numpy() for name in table.column_names}


def write_file(path: Path, metadata: Metadata, columns: Mapping[str, np.ndarray]) -> CatalogueFile:
    """Write one catalogue file from columns in memory."""
    with CatalogueWriter(path, metadata) as writer:
        writer.write(columns)
    return open_file(path)


class CatalogueWriter:
    """Writes a catalogue file in chunks with flat memory; the file appears only when the block ends without
    error.

    The row count and the first and last time in ``metadata`` are replaced by those of the rows written.
    """

    def __init__(self, path: Path, metadata: Metadata):
        self._path = Path(path)
        self._metadata = metadata
        kind = KINDS_BY_NAME[metadata.kind]
        self._schema = pa.schema([pa.field(name, pa.int64(), nullable=False) for name in COLUMNS[kind]])
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._rows = 0
        self._first_ts_ns = self._last_ts_ns = 0

    def __enter__(self) -> "CatalogueWriter":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Not tempfile: its files are private, and a catalogue is read by whoever the umask allows.
        name = f".{self._path.name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        self._temporary = self._path.with_name(name)
        self._stream = self._temporary.open("xb")
        self._parquet = pq.ParquetWriter(
            self._stream, self._schema, compression="none", use_dictionary=False,
            column_encoding="DELTA_BINARY_PACKED", write_statistics=True, store_schema=False,
            write_page_checksum=True,
        )  # fmt: skip
        return self

    def write(self, columns: Mapping[str, np.ndarray]) -> None:
        """Append rows. Their times must not run backwards; the caller has checked the rest."""
        ts = columns["ts"]
        if not len(ts):
            return
        assert not np.any(ts[1:] < ts[:-1]), "rows must be in time order"
        assert not self._rows or ts[0] >= self._last_ts_ns, "rows must follow those written before"
        arrays = [np.ascontiguousarray(columns[name], dtype=np.int64) for name in self._schema.names]
        self._pending.append(pa.table([pa.array(array) for array in arrays], schema=self._schema))
        self._pending_rows += len(ts)
        self._first_ts_ns = self._first_ts_ns if self._rows else int(ts[0])
        self._last_ts_ns = int(ts[-1])
        self._rows += len(ts)
        if self._pending_rows >= ROW_GROUP_ROWS:
            whole = self._pending_rows - self._pending_rows % ROW_GROUP_ROWS
            self._flush(whole)

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._pending)
        self._parquet.write_table(table.slice(0, rows), row_group_size=ROW_GROUP_ROWS)
        self._pending = [table.slice(rows)]
        self._pending_rows -= rows

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if not self._stream.closed:
                with contextlib.suppress(Exception):  # the file is thrown away; the first error is what matters
                    self._parquet.close()
                self._stream.close()
            self._temporary.unlink(missing_ok=True)

    def _finish(self) -> None:
        if not self._rows:
            raise CatalogueError(f"{self._path}: there are no rows to write")
        self._flush(self._pending_rows)
        metadata = msgspec.structs.replace(
            self._metadata, rows=self._rows, first_ts_ns=self._first_ts_ns, last_ts_ns=self._last_ts_ns
        )
        self._parquet.add_key_value_metadata({METADATA_KEY: msgspec.json.encode(metadata)})
        self._parquet.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        os.replace(self._temporary, self._path)
        sync_directory(self._path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename in ``path`` durable. A file system without directory handles is left alone."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def find_files(root: Path) -> Iterator[Path]:
    """Every catalogue file below ``root``, in the order of their names."""
    yield from sorted(path for path in Path(root).glob("*/*/*.parquet") if not path.name.startswith("."))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def first_line(error: BaseException) -> str:
    """The first line of an error's text: libraries like to write several."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
