"""Levels: numbers that the gates of risk and the exits read, beside the prices of an instrument.

Owns their import. A source has a column of times, at which each row is *known*, and a column for each level that it
tells (``kernel.market.LEVEL_NAMES``): the volatility index, the average daily volume, the time of the next earnings, a
measure of an option. An empty cell says nothing. The instrument is that of the prices beside which the file is written.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kernel.instruments import Instrument
from kernel.market import (
    DAILY_VOLUME_LEVEL,
    EARNINGS_LEVEL,
    GREEK_LEVEL,
    KIND_NAMES,
    LEVEL,
    LEVEL_NAMES,
    NEWS_LEVEL,
    OPEN_INTEREST_LEVEL,
)
from kernel.units import RATE_SCALE
from replay.catalogue.appending import joined_with
from replay.catalogue.files import catalogue_path, find_files, open_file, write_file
from replay.catalogue.grid import EXACT_FLOAT_MAX, to_units
from replay.catalogue.instrument import name_of
from replay.catalogue.model import COLUMNS, ERROR, SCHEMA_VERSION, CatalogueError, DataProblem, Metadata, Source
from replay.catalogue.options import ImportOptions, ImportReport
from replay.catalogue.sources import SourceTable, numbers
from replay.catalogue.times import NO_TIME, read_times

ReadRows = Callable[[SourceTable, ImportOptions, list[str]], dict[str, np.ndarray]]
E8_DECIMALS = len(str(RATE_SCALE)) - 1
SHOWN_ROWS = 5
_UNUSED = (
    "interval",
    "ts_label",
    "tick_size",
    "lot_size",
    "currency",
    "multiplier",
    "asset_class",
    "calendar",
    "repairs",
)


def import_levels(tables: list[SourceTable], root: Path, options: ImportOptions) -> ImportReport:
    """Write the levels of one instrument beside its prices. Raises CatalogueError with every problem found."""
    return import_facts(tables, root, options, LEVEL, _rows)


def import_facts(
    tables: list[SourceTable], root: Path, options: ImportOptions, kind: int, read_rows: ReadRows
) -> ImportReport:
    """Write what is known beside the prices of one instrument. Raises CatalogueError with every problem found."""
    for name in _UNUSED:
        if getattr(options, name):
            raise CatalogueError(f"--{name.removesuffix('s').replace('_', '-')} has no meaning for {KIND_NAMES[kind]}")
    instrument, path = _place(root, options, tables[0].hints, kind)
    parts, notes = [], [f"time: taken as the instant at which the {KIND_NAMES[kind]} of a row are known"]
    for table in tables:
        parts.append(read_rows(table, options, notes))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS[kind]}
    if not len(columns["ts"]):
        raise CatalogueError(f"there are no {KIND_NAMES[kind]}: every cell is empty")
    if len(tables) > 1 and np.any(np.diff(columns["ts"]) < 0):
        raise CatalogueError("times run backwards from one source to the next: give them in time order")
    metadata = Metadata(
        schema_version=SCHEMA_VERSION, instrument=instrument, kind=KIND_NAMES[kind], interval_ns=0,
        rows=len(columns["ts"]), first_ts_ns=0, last_ts_ns=0, volume_known=True, options=options.recorded(),
        sources=tuple(
            Source(table.path.name, table.sha256, len(part["ts"])) for table, part in zip(tables, parts, strict=True)
        ),
    )  # fmt: skip
    imported = len(columns["ts"])
    if path.exists() and options.append:
        metadata, columns = joined_with(open_file(path), metadata, columns)
    file = write_file(path, metadata, columns)
    return ImportReport(
        file=file, rows_read=sum(table.rows for table in tables), rows_imported=imported, notes=tuple(notes),
        repairs=(), problems=(), sources=tuple(table.path for table in tables),
    )  # fmt: skip


def _place(root: Path, options: ImportOptions, hints: dict[str, str], kind: int) -> tuple[Instrument, Path]:
    """The instrument, as its prices in the catalogue have it, and where the file belongs."""
    venue, symbol = name_of(options, hints)
    named = Instrument(venue=venue, symbol=symbol, currency="", tick_size="1", lot_size="1")
    path = catalogue_path(root, named, kind)
    if path.exists() and not options.replace and not options.append:
        raise CatalogueError(f"{path}: exists already: add --replace, or --append for later rows")
    others = [found for found in find_files(root) if found.parent == path.parent and found != path]
    if not others:
        raise CatalogueError(
            f"{path.parent}: holds no prices of {named.name}; import them first (an index of volatility belongs to any "
            "instrument that is traded, and holds for all)"
        )
    return open_file(others[0]).instrument, path


def _rows(table: SourceTable, options: ImportOptions, notes: list[str]) -> dict[str, np.ndarray]:
    """The rows of one source, row by row and within it in the order of the levels' numbers."""
    times = read_times(table.columns["ts"], table.names["ts"], options.ts_unit, options.timezone)
    notes += [note for note in times.notes if note not in notes]
    problems = list(times.problems)
    problems += problem_of("missing-time", "rows without a time", times.ts_ns == NO_TIME)
    problems += problem_of("unsorted", "times run backwards", np.concatenate([[False], np.diff(times.ts_ns) < 0]))
    ts, levels, values, places = [], [], [], []
    for number, name in LEVEL_NAMES.items():
        if name not in table.columns:
            continue
        found, known, more = _values(table, number, name, options)
        problems += more
        places.append(np.flatnonzero(known))
        ts.append(times.ts_ns[known])
        levels.append(np.full(int(known.sum()), number, np.int64))
        values.append(found[known])
    errors = [problem for problem in problems if problem.severity == ERROR]
    if errors:
        raise CatalogueError("\n".join(f"{table.path}: {problem.line}" for problem in errors), tuple(problems))
    if not ts:
        raise CatalogueError(f"{table.path}: no column of levels; they are {', '.join(LEVEL_NAMES.values())}")
    order = np.lexsort((np.concatenate(levels), np.concatenate(places)))
    columns = {"ts": ts, "level": levels, "value": values}
    return {name: np.concatenate(parts).astype(np.int64)[order] for name, parts in columns.items()}


def _values(
    table: SourceTable, number: int, name: str, options: ImportOptions
) -> tuple[np.ndarray, np.ndarray, list[DataProblem]]:
    """``(values, which rows have one, problems)`` of the column of one level."""
    column = table.columns[name]
    if number in (EARNINGS_LEVEL, NEWS_LEVEL):
        times = read_times(column, table.names[name], options.ts_unit, options.timezone)
        return times.ts_ns, times.ts_ns != NO_TIME, list(times.problems)
    read = numbers(column, table.names[name])
    known = ~np.isnan(read)
    filled = np.where(known, read, 0.0)
    problems: list[DataProblem] = []
    if number != GREEK_LEVEL:
        problems += problem_of("negative", f"{name} below zero", filled < 0)
    if number in (DAILY_VOLUME_LEVEL, OPEN_INTEREST_LEVEL):
        problems += problem_of("overflow", f"{name} is too large", ~(filled < EXACT_FLOAT_MAX))
        return np.floor(np.where(filled < EXACT_FLOAT_MAX, filled, 0)).astype(np.int64), known, problems
    found, off_grid, too_large = to_units(filled, 1, E8_DECIMALS)
    problems += problem_of("overflow", f"{name} has too many digits to be exact", off_grid | too_large)
    return found, known, problems


def problem_of(rule: str, message: str, bad: np.ndarray) -> list[DataProblem]:
    """The problem of the rows that are bad, if any are."""
    places = np.flatnonzero(bad)
    if not len(places):
        return []
    rows = tuple(int(place) + 1 for place in places[:SHOWN_ROWS])
    return [DataProblem(rule=rule, severity=ERROR, message=message, count=len(places), rows=rows)]
