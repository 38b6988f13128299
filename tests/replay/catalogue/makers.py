"""Small sources and catalogue files for tests."""

from pathlib import Path

import numpy as np

from kernel.instruments import Instrument
from kernel.market import BAR, KIND_NAMES, QUOTE
from replay.catalogue import CatalogueFile, ImportOptions, Metadata, write_file
from replay.catalogue.model import COLUMNS, SCHEMA_VERSION

MINUTE_NS = 60 * 10**9
START_NS = 1_700_000_040 * 10**9  # a whole minute of November 2023
OPTIONS = ImportOptions(venue="test", symbol="ABC-USD", timezone="UTC", interval="1m")
TICK_OPTIONS = ImportOptions(venue="test", symbol="ABC-USD", timezone="UTC")


def csv_of(path: Path, header: str, rows: list[str]) -> Path:
    """A CSV file with a header line."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def bars_csv(path: Path, changes: dict[int, str] | None = None, count: int = 6) -> Path:
    """A CSV file of good one-minute bars, with whole rows (counted from 1) replaced."""
    rows = [
        f"2024-01-02T10:{i:02d}:00Z,{100 + i}.25,{102 + i}.5,{99 + i}.75,{101 + i}.0,{10 + i}" for i in range(count)
    ]
    for number, row in (changes or {}).items():
        rows[number - 1] = row
    return csv_of(path, "ts,open,high,low,close,volume", rows)


def instrument(symbol: str = "ABC-USD") -> Instrument:
    """A plain instrument."""
    return Instrument(venue="test", symbol=symbol, currency="USD", tick_size="0.01", lot_size="1")


def catalogue_file(path: Path, kind: int, ts: list[int], symbol: str = "ABC-USD", seed: int = 1) -> CatalogueFile:
    """A catalogue file with the given times and arbitrary other numbers."""
    generator = np.random.default_rng(seed)
    columns = {name: generator.integers(1, 1000, len(ts)) for name in COLUMNS[kind]}
    columns["ts"] = np.array(ts, np.int64)
    if kind == BAR:
        columns["ts_open"] = columns["ts"] - 1
    if kind == QUOTE:
        columns["ask"] = columns["bid"] + 1
    return write_file(path, metadata_of(kind, symbol), columns)


def metadata_of(kind: int, symbol: str = "ABC-USD") -> Metadata:
    """Metadata before any row is written."""
    return Metadata(
        schema_version=SCHEMA_VERSION, instrument=instrument(symbol), kind=KIND_NAMES[kind],
        interval_ns=MINUTE_NS if kind == BAR else 0, rows=0, first_ts_ns=0, last_ts_ns=0, volume_known=True,
    )  # fmt: skip
