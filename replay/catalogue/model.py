"""What a catalogue file is: its columns, its metadata, and how problems with data are told.

Owns the names and the meaning of everything in a catalogue file. Knows no Parquet library and reads nothing.

A file holds one kind of market data of one instrument, at ``{root}/{venue}/{symbol}/{kind}.parquet``, as
``int64`` columns: times in nanoseconds since the Unix epoch (UTC), prices in ticks, sizes in lots. Its
metadata is one JSON object under the Parquet key ``kernel``; see ``Metadata``.
"""

import hashlib
from pathlib import Path

import msgspec

from kernel.instruments import Instrument
from kernel.market import BAR, DEPTH, LEVEL, MODEL, QUOTE, SESSION, TRADE, WEIGHT
from kernel.plurals import counted

SCHEMA_VERSION = 1
METADATA_KEY = b"kernel"
ROW_GROUP_ROWS = 131_072

COLUMNS = {
    BAR: ("ts", "ts_open", "open", "high", "low", "close", "volume"),
    TRADE: ("ts", "price", "quantity", "side"),
    QUOTE: ("ts", "bid", "bid_size", "ask", "ask_size"),
    DEPTH: ("ts", "side", "price", "quantity", "flags"),
    SESSION: ("ts", "phase", "open", "close", "next_open"),
    LEVEL: ("ts", "level", "value"),
    WEIGHT: ("ts", "weight_rate"),
    MODEL: ("ts", "direction", "strength_rate", "confidence_rate", "horizon_ns", "low_return_rate", "high_return_rate"),
}
# The same columns in the order of the words of a kernel.market.ROW; the time comes first.
ROW_COLUMNS = {**COLUMNS, BAR: ("ts", "open", "high", "low", "close", "volume", "ts_open")}
PRICE_COLUMNS = {
    BAR: ("open", "high", "low", "close"),
    TRADE: ("price",),
    QUOTE: ("bid", "ask"),
    DEPTH: ("price",),
    SESSION: (),
    LEVEL: (),
    WEIGHT: (),
    MODEL: (),
}
SIZE_COLUMNS = {
    BAR: ("volume",),
    TRADE: ("quantity",),
    QUOTE: ("bid_size", "ask_size"),
    DEPTH: ("quantity",),
    SESSION: (),
    LEVEL: (),
    WEIGHT: (),
    MODEL: (),
}

ERROR = "error"
WARNING = "warning"
INFORMATION = "information"


class DataProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong or worth knowing about data: a rule, one line of text, and where it was seen.

    ``rows`` are the first few rows concerned (the first data row is 1); ``count`` is how many there are in
    all.
    """

    rule: str
    severity: str
    message: str
    count: int = 0
    rows: tuple[int, ...] = ()

    @property
    def line(self) -> str:
        """The message with its rows: what the command line prints."""
        if not self.count or not self.rows:
            return self.message
        shown = ", ".join(str(row) for row in self.rows)
        more = ", ..." if self.count > len(self.rows) else ""
        return f"{self.message} ({counted(self.count, 'row')}: {shown}{more})"


class CatalogueError(Exception):
    """Data that cannot be used. ``problems`` holds every finding; the message is one line for each error."""

    def __init__(self, message: str, problems: tuple[DataProblem, ...] = ()):
        super().__init__(message)
        self.problems = problems


class Source(msgspec.Struct, frozen=True):
    """One file that rows came from: its name, the SHA-256 of its bytes, and how many rows were kept of it."""

    name: str
    sha256: str
    rows: int


class Repair(msgspec.Struct, frozen=True):
    """One named repair that was asked for, and how many rows it changed or dropped."""

    rule: str
    rows: int


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON object in a catalogue file. Fields may be added in later versions, never renamed."""

    schema_version: int
    instrument: Instrument
    kind: str
    interval_ns: int
    rows: int
    first_ts_ns: int
    last_ts_ns: int
    volume_known: bool
    gaps: int = 0
    largest_gap_ns: int = 0
    sources: tuple[Source, ...] = ()
    options: dict[str, str] = {}
    repairs: tuple[Repair, ...] = ()

    @property
    def source_sha256(self) -> str:
        """The hash of the one source; of several, the SHA-256 of their hashes, one a line."""
        if len(self.sources) == 1:
            return self.sources[0].sha256
        return hashlib.sha256("\n".join(source.sha256 for source in self.sources).encode()).hexdigest()


class CatalogueFile(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue file as its readers see it: where it is and what its metadata says."""

    path: Path
    instrument: Instrument
    kind: int
    interval_ns: int
    rows: int
    first_ts_ns: int
    last_ts_ns: int
    volume_known: bool
    source_sha256: str
    schema_version: int
    metadata: Metadata
