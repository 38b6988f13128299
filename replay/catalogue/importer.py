"""The import: sources in, one catalogue file out, or one clear line for every reason why not.

Owns the order of the steps. A source is read, repaired as asked, checked, turned into ticks and lots, given
its close times and written whole. Nothing is repaired that was not asked for, and nothing is assumed in
silence.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from kernel.instruments import Instrument
from kernel.market import BAR, DEPTH, KIND_NAMES, LEVEL, MODEL, NO_PRICE, UNKNOWN_SIZE
from replay.catalogue.appending import joined_with, target_instrument
from replay.catalogue.bars import bar_times, check_interval, find_gaps, gap_note, infer_interval
from replay.catalogue.checks import check_frame
from replay.catalogue.depth import CROSSED_TEXT, crossed_messages, row_flags
from replay.catalogue.files import catalogue_path, open_file, write_file
from replay.catalogue.frame import Frame, load_frame
from replay.catalogue.grid import to_units
from replay.catalogue.instrument import choose_instrument
from replay.catalogue.intervals import format_interval, parse_interval
from replay.catalogue.levels import import_levels
from replay.catalogue.model import (
    ERROR,
    SCHEMA_VERSION,
    WARNING,
    CatalogueError,
    DataProblem,
    Metadata,
    Repair,
    Source,
)
from replay.catalogue.opinions import import_opinions
from replay.catalogue.options import ImportOptions, ImportReport, check_repairs
from replay.catalogue.repairs import repair_before_grid, repair_ranges, repair_to_grid
from replay.catalogue.sessions import write_sessions
from replay.catalogue.sources import SourceTable, read_source

_GRID_MESSAGES = {
    "off-grid-price": "prices such as {!r} are no multiple of the tick size (--repair round-to-tick)",
    "off-grid-size": "sizes such as {!r} are no multiple of the lot size (--repair round-to-tick)",
    "overflow": "numbers such as {!r} have too many digits to be exact: choose a larger tick or lot size",
}
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def import_file(source: Paths, root: str | os.PathLike[str], options: ImportOptions) -> ImportReport:
    """Import one source, or several of one instrument in time order, into the catalogue at ``root``.

    Raises CatalogueError with every problem found; the catalogue is then as it was before.
    """
    if options.replace and options.append:
        raise CatalogueError("--replace and --append exclude each other")
    tables = _read_tables(source, options)
    first = tables[0]
    if first.kind == KIND_NAMES[LEVEL]:
        return import_levels(tables, Path(root), options)
    if first.kind == KIND_NAMES[MODEL]:
        return import_opinions(tables, Path(root), options)
    place = ", ".join(str(table.path) for table in tables)
    frame, notes, problems = load_frame(tables, options)
    asked = check_repairs(options.repairs, frame.kind == BAR)
    _raise_errors(problems, place)
    rows_read = len(frame)
    notes += [f"ignored columns: {', '.join(first.ignored)}"] if first.ignored else []

    repairs = repair_before_grid(frame, asked)
    _refuse_empty(frame)
    sizes_known = _mark_unknown_sizes(frame, notes)
    _raise_errors([p for p in check_frame(frame) if p.rule in ("missing-time", "nan", "unsorted")], place)
    interval_ns = _interval(frame, options, first, notes)
    existing = target_instrument(Path(root), frame.kind, interval_ns, options, first.hints)
    if "round-to-tick" in asked:
        _require_tick_size(options, existing)
    instrument, units = choose_instrument(frame, options, first.hints, existing, notes)
    if "round-to-tick" in asked:
        repairs.append(repair_to_grid(frame, units))
    repairs += repair_ranges(frame, asked)
    _refuse_empty(frame)

    problems = check_frame(frame)
    columns = _to_columns(frame, units, problems)
    _raise_errors(problems, place)
    if frame.kind == DEPTH and (bad := crossed_messages(columns)).any():
        problems.append(frame.problem("crossed", WARNING, CROSSED_TEXT, bad))
    label = _label(frame, options, first, notes)
    columns, more = _with_times(frame, columns, interval_ns, label, first.kind, notes)
    problems += more
    _raise_errors(problems, place)
    metadata = _metadata(tables, frame, instrument, interval_ns, sizes_known, options, repairs)
    return _write(Path(root), metadata, columns, frame, problems, notes, rows_read, options)


def _metadata(
    tables: list[SourceTable], frame: Frame, instrument: Instrument, interval_ns: int, sizes_known: bool,
    options: ImportOptions, repairs: list[Repair],
) -> Metadata:  # fmt: skip
    counts = np.bincount(frame.part, minlength=len(tables)).tolist()
    return Metadata(
        schema_version=SCHEMA_VERSION, instrument=instrument, kind=KIND_NAMES[frame.kind],
        interval_ns=interval_ns if frame.kind == BAR else 0, rows=len(frame), first_ts_ns=0, last_ts_ns=0,
        volume_known=sizes_known, options=options.recorded(), repairs=tuple(repairs),
        sources=tuple(
            Source(table.path.name, table.sha256, rows) for table, rows in zip(tables, counts, strict=True)
        ),
    )  # fmt: skip


def _require_tick_size(options: ImportOptions, existing: Instrument | None) -> None:
    if not options.tick_size and existing is None:
        raise CatalogueError("--repair round-to-tick needs --tick-size: data off the grid does not tell it")


def _write(
    root: Path, metadata: Metadata, columns: dict[str, np.ndarray], frame: Frame,
    problems: list[DataProblem], notes: list[str], rows_read: int, options: ImportOptions,
) -> ImportReport:  # fmt: skip
    path = catalogue_path(root, metadata.instrument, frame.kind, metadata.interval_ns)
    repairs = metadata.repairs
    if path.exists() and not options.replace:
        if not options.append:
            raise CatalogueError(f"{path}: exists already: add --replace, or --append for later rows")
        metadata, columns = joined_with(open_file(path), metadata, columns)
    if frame.kind == BAR:
        problems += gap_note(columns["ts_open"], metadata.interval_ns)
        count, largest_ns = find_gaps(columns["ts_open"], metadata.interval_ns)
        metadata = msgspec.structs.replace(metadata, gaps=count, largest_gap_ns=largest_ns)
    if calendar := metadata.instrument.calendar:
        ts = columns["ts"]
        sessions = write_sessions(root, metadata.instrument, int(ts[0]) - metadata.interval_ns, int(ts[-1]))
        notes = [*notes, f"sessions: {sessions.rows // 2:,} of {calendar}, in {sessions.path.name}"]
    file = write_file(path, metadata, columns)
    return ImportReport(
        file=file, rows_read=rows_read, rows_imported=len(frame), notes=tuple(notes), repairs=repairs,
        problems=tuple(problems), sources=frame.paths,
    )  # fmt: skip


def _read_tables(source: Paths, options: ImportOptions) -> list[SourceTable]:
    paths = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    if not paths:
        raise CatalogueError("no source is given")
    tables = [read_source(Path(path), options) for path in paths]
    for table in tables[1:]:
        if table.kind != tables[0].kind:
            raise CatalogueError(f"{table.path}: holds {table.kind}, but {tables[0].path} holds {tables[0].kind}")
        for key in ("symbol", "venue"):
            ours, theirs = tables[0].hints.get(key), table.hints.get(key)
            if ours != theirs and not getattr(options, key):
                raise CatalogueError(f"{table.path}: {key} is {theirs}, but {tables[0].path} has {ours}")
    return tables


def _raise_errors(problems: list[DataProblem], place: str) -> None:
    errors = [problem for problem in problems if problem.severity == ERROR]
    if errors:
        raise CatalogueError("\n".join(f"{place}: {problem.line}" for problem in errors), tuple(problems))


def _refuse_empty(frame: Frame) -> None:
    if not len(frame):
        raise CatalogueError("no rows are left after the repairs")


def _mark_unknown_sizes(frame: Frame, notes: list[str]) -> bool:
    """A size column that is all zero or absent is unknown: NaN from here on. Whether any size is known."""
    known = frame.kind == DEPTH  # there a size of zero deletes a level
    for name in frame.sizes if not known else ():
        values = frame.columns[name]
        if not np.any(values[~np.isnan(values)] != 0):
            frame.columns[name] = np.full(len(frame), np.nan)
            notes.append(f"{name}: all zero or absent in the source, taken as unknown")
        else:
            known = True
    return known


def _interval(frame: Frame, options: ImportOptions, table: SourceTable, notes: list[str]) -> int:
    """The interval of bars (and of bars of quotes); zero for ticks."""
    if frame.kind != BAR and table.kind != "quotebars":
        if options.interval:
            raise CatalogueError("--interval is for bars only")
        return 0
    text = options.interval or table.hints.get("timeframe", "")
    if text:
        interval_ns = parse_interval(text)
        if not options.interval:
            notes.append(f"interval: {text}, from the source's metadata")
        return interval_ns
    interval_ns = infer_interval(frame.columns["ts"])
    notes.append(f"interval: {format_interval(interval_ns)}, the most common distance between bars")
    return interval_ns


def _label(frame: Frame, options: ImportOptions, table: SourceTable, notes: list[str]) -> str:
    if frame.kind != BAR and table.kind != "quotebars":
        if options.ts_label:
            raise CatalogueError("--ts-label is for bars only")
        return "open"
    if options.ts_label:
        return options.ts_label
    meaning = table.hints.get("ts_means", "")
    for label in ("open", "close"):
        if label in meaning.lower():
            notes.append(f"time: labels the bar's {label}, from the source's metadata ({meaning})")
            return label
    notes.append("time: taken as the bar's open, which can only make a bar known too late (--ts-label overrides)")
    return "open"


def _to_columns(frame: Frame, units: dict[str, tuple[int, int]], problems: list[DataProblem]) -> dict[str, np.ndarray]:
    """Whole ticks and lots; numbers that do not fit are added to ``problems``."""
    columns: dict[str, np.ndarray] = {}
    off: dict[str, np.ndarray] = {}
    examples: dict[str, float] = {}
    for name, (mantissa, decimals) in units.items():
        values = frame.columns[name]
        absent = np.isnan(values)
        whole, off_grid, too_large = to_units(np.where(absent, 0.0, values), mantissa, decimals)
        is_price = name in frame.prices
        rule = "off-grid-price" if is_price else "off-grid-size"
        for found, bad in ((rule, off_grid), ("overflow", too_large)):
            if bad.any():
                off[found] = off.get(found, False) | bad
                examples.setdefault(found, float(values[bad][0]))
        columns[name] = np.where(absent, NO_PRICE if is_price else UNKNOWN_SIZE, whole)
    problems += [
        frame.problem(rule, ERROR, _GRID_MESSAGES[rule].format(examples[rule]), bad) for rule, bad in off.items()
    ]
    if "side" in frame.columns:
        columns["side"] = frame.columns["side"]
    if frame.kind == DEPTH:
        columns["flags"] = row_flags(frame.columns["message"], frame.columns["message_flags"])
    return columns


def _with_times(
    frame: Frame, columns: dict[str, np.ndarray], interval_ns: int, label: str, kind: str, notes: list[str]
) -> tuple[dict[str, np.ndarray], list[DataProblem]]:
    """The columns with the times at which rows are known."""
    ts = frame.columns["ts"]
    if not interval_ns:
        return {"ts": ts, **columns}, []
    problems = check_interval(ts, interval_ns)
    opened, closed = bar_times(ts, interval_ns, label)
    if kind == "quotebars":
        notes.append("quotes: the closing bid and ask of each bar with its sizes, known at the bar's close")
        return {"ts": closed, **columns}, problems
    return {"ts": closed, "ts_open": opened, **columns}, problems
