"""Sources: CSV and Parquet files read into columns of one shape, whatever they were.

Owns file formats, encodings and column types on the way in. Knows nothing of ticks or repairs: prices and
sizes leave as floats that stand for their shortest decimals, NaN where absent.
"""

import csv
import gzip
import io
import re
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from replay.catalogue.files import file_sha256, first_line, open_parquet
from replay.catalogue.grid import EXACT_FLOAT_MAX
from replay.catalogue.model import METADATA_KEY, CatalogueError
from replay.catalogue.names import IMPORT_KINDS, detect_kind, match_columns, select_fields
from replay.catalogue.options import ImportOptions

NULL_TEXTS = ["", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "null", "NULL", "None", "<NA>", "#N/A"]
TEXT_FIELDS = frozenset({"ts", "side", "buyer_is_maker", "message", "is_snapshot", "earnings", "news"})
_HEADER_BYTES = 1 << 16
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SIDES = {
    "buy": 1, "b": 1, "bid": 1, "buyer": 1, "1": 1, "+1": 1, "1.0": 1,
    "sell": -1, "s": -1, "ask": -1, "seller": -1, "a": -1, "-1": -1, "-1.0": -1,
    "": 0, "0": 0, "0.0": 0, "none": 0, "unknown": 0, "n": 0,
}  # fmt: skip
# A buyer who is the maker was hit by a seller.
_TRUTHS = {"true": -1, "1": -1, "t": -1, "false": 1, "0": 1, "f": 1, "": 0}


class SourceTable(msgspec.Struct, frozen=True, kw_only=True):
    """One source, read: its columns by our names (times still as written), and what its metadata says."""

    path: Path
    sha256: str
    kind: str
    rows: int
    columns: dict[str, pa.ChunkedArray]
    names: dict[str, str]
    ignored: tuple[str, ...]
    hints: dict[str, str]


def read_source(path: Path, options: ImportOptions) -> SourceTable:
    """Read one CSV or Parquet file. Raises CatalogueError, in one line, for whatever is wrong with it."""
    path = Path(path)
    if not path.is_file():
        raise CatalogueError(f"{path}: not a file" if path.exists() else f"{path}: no such file")
    if path.stat().st_size == 0:
        raise CatalogueError(f"{path}: the file is empty")
    with path.open("rb") as stream:
        head = stream.read(4)
    is_parquet = head == b"PAR1" or path.suffix.lower() in (".parquet", ".pq")
    if head[:2] == b"PK":
        raise CatalogueError(f"{path}: a zip archive: unpack it first")
    try:
        table = _read_parquet(path, options) if is_parquet else _read_csv(path, options)
    except CatalogueError as error:
        text = str(error)
        raise CatalogueError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    except (pa.ArrowException, OSError, EOFError) as error:
        raise CatalogueError(f"{path}: {first_line(error)}") from None
    if table.rows == 0:
        raise CatalogueError(f"{path}: there are no rows")
    return table


def _read_parquet(path: Path, options: ImportOptions) -> SourceTable:
    with open_parquet(path) as parquet:
        raw = parquet.schema_arrow.metadata or {}
        if METADATA_KEY in raw or METADATA_KEY in (parquet.metadata.metadata or {}):
            raise CatalogueError(f"{path}: already a catalogue file: copy it under the root instead")
        hints = {key.decode(): value.decode("utf-8", "replace") for key, value in raw.items()}
        names = [name for name in parquet.schema_arrow.names if not name.startswith("__index_level")]
        kind, fields, ignored = _choose(names, options, hints)
        table = parquet.read(columns=list(fields.values()))
    columns = {field: table.column(name) for field, name in fields.items()}
    return SourceTable(
        path=path, sha256=file_sha256(path), kind=kind, rows=table.num_rows, columns=columns, names=fields,
        ignored=tuple(ignored), hints=hints,
    )  # fmt: skip


def _choose(names: list[str], options: ImportOptions, hints: dict[str, str]) -> tuple[str, dict[str, str], list[str]]:
    found = match_columns(names, options.columns)
    kind = options.kind or hints.get("kind", "")
    if kind and kind not in IMPORT_KINDS:
        raise CatalogueError(f"the source says that it holds {kind}: {', '.join(IMPORT_KINDS)} can be read")
    if not kind:
        kind = detect_kind(found)
    elif kind == "quotes" and "bid" not in found and "bid_close" in found:
        kind = "quotebars"
    fields, ignored = select_fields(kind, names, found, options.ignore_unknown)
    return kind, fields, ignored


def _read_csv(path: Path, options: ImportOptions) -> SourceTable:
    header, delimiter = _read_header(path)
    if not options.header and all(_NUMBER.fullmatch(cell.strip()) for cell in header if cell.strip()):
        raise CatalogueError("no header line: name the columns, such as --header ts,open,high,low,close,volume")
    names = list(options.header) or header
    if options.header and len(names) != len(header):
        raise CatalogueError(f"--header names {len(names)} columns, but the file has {len(header)}")
    kind, fields, ignored = _choose(names, options, {})
    types = {name: pa.string() if field in TEXT_FIELDS else pa.float64() for field, name in fields.items()}
    try:
        # One thread: the parser then says in which row it failed.
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=not options.header
            ),
            parse_options=pacsv.ParseOptions(delimiter=delimiter),
            convert_options=pacsv.ConvertOptions(
                column_types=types, include_columns=list(fields.values()), null_values=NULL_TEXTS,
                strings_can_be_null=True,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as error:
        raise CatalogueError(_csv_failure(error, bool(options.header))) from None
    columns = {field: table.column(name) for field, name in fields.items()}
    return SourceTable(
        path=path, sha256=file_sha256(path), kind=kind, rows=table.num_rows, columns=columns, names=fields,
        ignored=tuple(ignored), hints={},
    )  # fmt: skip


def _read_header(path: Path) -> tuple[list[str], str]:
    """The cells of the first line and the delimiter."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as stream:
        raw = stream.read(_HEADER_BYTES)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise CatalogueError("encoded as UTF-16: save it as UTF-8")
    if b"\0" in raw:
        raise CatalogueError("neither CSV nor Parquet: it holds binary data")
    line = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").splitlines()[0] if raw.strip() else b""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CatalogueError(f"not encoded as UTF-8 (byte {error.start + 1} of the first line)") from None
    if not text.strip():
        raise CatalogueError("the file is empty")
    delimiter = max(",;\t|", key=text.count)
    return next(csv.reader(io.StringIO(text), delimiter=delimiter)), delimiter


def _csv_failure(error: pa.ArrowInvalid, has_no_header: bool) -> str:
    text = first_line(error)
    if "invalid UTF8" in text:
        return f"not encoded as UTF-8 ({text}): save it as UTF-8"
    # The parser counts lines of the file; the first data row is 1 everywhere else.
    shift = 0 if has_no_header else 1
    text = re.sub(r"Row #(\d+)", lambda match: f"row {int(match[1]) - shift}", text)
    text = re.sub(r"CSV conversion error to \w+: invalid value (.*)", r"\1 is no number", text)
    return re.sub(r"^(CSV parse error|In CSV column #\d+): ", "", text)


def numbers(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """A price or size column as float64, NaN where absent."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
        kind = column.type
    if pa.types.is_integer(kind):
        span = pc.min_max(column).as_py()
        if span["max"] is not None and max(abs(span["min"]), abs(span["max"])) >= EXACT_FLOAT_MAX:
            raise CatalogueError(f"column {name!r} holds whole numbers beyond 2**53, which cannot be read exactly")
    elif pa.types.is_decimal(kind) or (pa.types.is_floating(kind) and kind.bit_width < 64):
        # By way of the text: a 32-bit 0.1 means 0.1 too.
        column = pc.cast(column, pa.string())
    elif not (pa.types.is_floating(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise CatalogueError(f"column {name!r} is of type {kind}, which is no number")
    try:
        values = pc.cast(column, pa.float64())
    except pa.ArrowInvalid as error:
        raise CatalogueError(f"column {name!r}: {first_line(error)}") from None
    return np.array(pc.fill_null(values, float("nan")).to_numpy(), dtype=np.float64)


def sides(column: pa.ChunkedArray, field: str) -> tuple[np.ndarray, np.ndarray]:
    """``(side, unknown)`` of trades and depth: +1, -1 or 0, and where the text is none that is known."""
    return _coded(column, _TRUTHS if field == "buyer_is_maker" else _SIDES)


def truths(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """``(truth, unknown)`` of a column of yes and no, however it is written; absent is no."""
    values, unknown = _coded(column, _TRUTHS)
    return values < 0, unknown


def _coded(column: pa.ChunkedArray, words: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(pc.cast(column, pa.string()), "")))
    coded = text.combine_chunks().dictionary_encode() if isinstance(text, pa.ChunkedArray) else text
    known = [words.get(word) for word in coded.dictionary.to_pylist()]
    values = np.array([0 if side is None else side for side in known] or [0], np.int64)
    strange = np.array([side is None for side in known] or [False])
    places = coded.indices.to_numpy(zero_copy_only=False)
    return values[places], strange[places]
