"""Validation of catalogue files: whether what is stored keeps every promise that readers rely on.

Owns the checks of stored integers. Reads a file whole; the promises themselves are in ``model``. A source
that is not in a catalogue yet is checked by importing it into nowhere.
"""

import tempfile
from pathlib import Path

import numpy as np

from kernel.market import (
    BAR,
    DEPTH,
    GREEK_LEVEL,
    LEVEL,
    LEVEL_NAMES,
    MODEL,
    NO_PRICE,
    QUOTE,
    SESSION,
    TRADE,
    UNKNOWN_SIZE,
    WEIGHT,
)
from kernel.units import RATE_SCALE, UnitError
from replay.catalogue.bars import gap_note
from replay.catalogue.depth import CROSSED_TEXT, FLAGS, crossed_messages
from replay.catalogue.files import open_file, open_parquet, read_columns
from replay.catalogue.frame import SHOWN_ROWS
from replay.catalogue.grid import unit_parts
from replay.catalogue.importer import import_file
from replay.catalogue.model import (
    ERROR,
    INFORMATION,
    METADATA_KEY,
    PRICE_COLUMNS,
    SIZE_COLUMNS,
    WARNING,
    CatalogueError,
    CatalogueFile,
    DataProblem,
)
from replay.catalogue.options import ImportOptions


def validate_source(path: str | Path, timezone: str = "") -> tuple[CatalogueFile, list[DataProblem]]:
    """What an import of a source would find: an import into a folder that is then thrown away.

    Raises CatalogueError with the problems when the import would be refused.
    """
    options = ImportOptions(
        venue="source", symbol=Path(path).stem, currency="USD", timezone=timezone, ignore_unknown=True
    )
    with tempfile.TemporaryDirectory() as folder:
        report = import_file(path, folder, options)
    notes = [DataProblem(rule="note", severity=INFORMATION, message=note) for note in report.notes]
    return report.file, [*notes, *report.problems]


def is_catalogue_file(path: str | Path) -> bool:
    """Whether ``path`` is a Parquet file with catalogue metadata, sound or not."""
    try:
        with open_parquet(Path(path)) as parquet:
            return METADATA_KEY in (parquet.metadata.metadata or {})
    except CatalogueError:
        return False


def validate_file(path: str | Path) -> tuple[CatalogueFile | None, list[DataProblem]]:
    """The file, if it opens at all, and everything wrong or worth knowing about it."""
    try:
        file = open_file(path)
        columns = read_columns(file.path)
    except CatalogueError as error:
        return None, [DataProblem(rule="unreadable", severity=ERROR, message=str(error))]
    problems = [*_instrument_problems(file), *_metadata_problems(file, columns)]
    problems += [
        _problem(rule, severity, text, bad) for rule, severity, text, bad in _rules(file, columns) if bad.any()
    ]
    if file.kind == BAR and file.interval_ns and not any(problem.severity == ERROR for problem in problems):
        problems += gap_note(columns["ts_open"], file.interval_ns)
    return file, problems


def _instrument_problems(file: CatalogueFile) -> list[DataProblem]:
    try:
        unit_parts(file.instrument.tick_size, "tick size")
        unit_parts(file.instrument.lot_size, "lot size")
        _ = file.instrument.notional_ratio
    except (CatalogueError, UnitError) as error:
        return [DataProblem(rule="instrument", severity=ERROR, message=f"the instrument is unusable: {error}")]
    return []


def _metadata_problems(file: CatalogueFile, columns: dict[str, np.ndarray]) -> list[DataProblem]:
    ts = columns["ts"]
    found = {"first_ts_ns": int(ts[0]), "last_ts_ns": int(ts[-1])} if len(ts) else {}
    wrong = [name for name, value in found.items() if getattr(file, name) != value]
    made_by_rule = "bars" in file.metadata.options  # such bars may be of no one length
    if file.kind == BAR and (file.interval_ns < 0 or (file.interval_ns == 0 and not made_by_rule)):
        wrong.append("interval_ns")
    sizes = [columns[name] for name in SIZE_COLUMNS[file.kind]]
    if sizes and file.volume_known == all(bool(np.all(size == UNKNOWN_SIZE)) for size in sizes):
        wrong.append("volume_known")
    if not len(ts):
        wrong.append("rows")
    return [
        DataProblem(rule="metadata", severity=ERROR, message=f"{name} in the metadata is not that of the rows")
        for name in wrong
    ]


def _rules(file: CatalogueFile, columns: dict[str, np.ndarray]) -> list[tuple[str, str, str, np.ndarray]]:
    ts = columns["ts"]
    if file.kind == SESSION:
        return _session_rules(columns)
    prices = [columns[name] for name in PRICE_COLUMNS[file.kind]]
    sizes = [columns[name] for name in SIZE_COLUMNS[file.kind]]
    absent = [(price == NO_PRICE) & (file.kind == QUOTE) for price in prices]
    rules = [
        ("unsorted", ERROR, "times run backwards", np.concatenate([[False], ts[1:] < ts[:-1]])),
        (
            "non-positive", ERROR, "prices that are zero or negative",
            np.any([(price <= 0) & ~none for price, none in zip(prices, absent, strict=True)], axis=0),
        ),
        ("negative-size", ERROR, "negative sizes", np.any([size < UNKNOWN_SIZE for size in sizes], axis=0)),
    ]  # fmt: skip
    if file.kind == BAR:
        rules += _bar_rules(file, columns)
    if file.kind == TRADE:
        rules.append(("side", ERROR, "sides other than -1, 0 and 1", np.abs(columns["side"]) > 1))
    if file.kind == WEIGHT:
        rates = columns["weight_rate"]
        rules.append(("weight", ERROR, "weights beyond 100", np.abs(rates) > 100 * RATE_SCALE))
    if file.kind == MODEL:
        shares = [columns[name] for name in ("strength_rate", "confidence_rate")]
        rules.append(("direction", ERROR, "directions other than -1, 0 and 1", np.abs(columns["direction"]) > 1))
        rules.append(
            (
                "rate",
                ERROR,
                "strengths or confidences beyond 0 to 1",
                np.any([(rate < 0) | (rate > RATE_SCALE) for rate in shares], axis=0),
            )
        )
    if file.kind == LEVEL:
        unknown = ~np.isin(columns["level"], list(LEVEL_NAMES))
        rules.append(("level", ERROR, "levels that are not known", unknown))
        rules.append(
            ("level-value", ERROR, "levels below zero", (columns["value"] < 0) & (columns["level"] != GREEK_LEVEL))
        )
    if file.kind == DEPTH:
        rules += _depth_rules(columns)
    if file.kind == QUOTE:
        bid, ask = columns["bid"], columns["ask"]
        both = (bid != NO_PRICE) & (ask != NO_PRICE)
        rules.append(("crossed", WARNING, "crossed quotes: the bid is above the ask", both & (bid > ask)))
    return rules


def _session_rules(columns: dict[str, np.ndarray]) -> list[tuple[str, str, str, np.ndarray]]:
    ts, phase, opened, closed = (columns[name] for name in ("ts", "phase", "open", "close"))
    known = np.where(phase == 1, opened, closed + 1)
    return [
        ("unsorted", ERROR, "times run backwards", np.concatenate([[False], ts[1:] < ts[:-1]])),
        ("phase", ERROR, "phases other than 0 and 1", (phase != 0) & (phase != 1)),
        ("length", ERROR, "sessions that close before they open", closed <= opened),
        ("next-open", ERROR, "sessions that open before the one above closes", columns["next_open"] < closed),
        ("known", ERROR, "rows that are not known at the open, or just after the close", ts != known),
    ]


def _depth_rules(columns: dict[str, np.ndarray]) -> list[tuple[str, str, str, np.ndarray]]:
    flags = columns["flags"]
    rules = [
        ("side", ERROR, "sides other than -1 and 1", np.abs(columns["side"]) != 1),
        ("unknown-size", ERROR, "sizes that are unknown", columns["quantity"] == UNKNOWN_SIZE),
        ("flags", ERROR, "flags other than 0 to 3", (flags < 0) | (flags > FLAGS)),
    ]
    if any(bad.any() for *_, bad in rules):
        return rules
    return [*rules, ("crossed", WARNING, CROSSED_TEXT, crossed_messages(columns))]


def _bar_rules(file: CatalogueFile, columns: dict[str, np.ndarray]) -> list[tuple[str, str, str, np.ndarray]]:
    opened, closed = columns["ts_open"], columns["ts"]
    high, low = columns["high"], columns["low"]
    top, bottom = np.maximum(columns["open"], columns["close"]), np.minimum(columns["open"], columns["close"])
    repeats = np.concatenate([[False], opened[1:] <= opened[:-1]])
    if file.interval_ns == 0:  # of a rule: several may come of one price
        repeats = np.concatenate([[False], opened[1:] < opened[:-1]])
    overlaps = np.concatenate([closed[:-1] > opened[1:], [False]])
    wrong_length = (closed <= opened) | (closed - opened > file.interval_ns)
    if file.interval_ns == 0:
        wrong_length = closed < opened
    volume = columns["volume"]
    return [
        ("duplicate", ERROR, "bars that do not open after the bar above", repeats),
        ("overlap", ERROR, "bars that close after the next one opens", overlaps),
        ("length", ERROR, "bars that are empty or longer than the interval", wrong_length),
        ("high-below-low", ERROR, "high below low", high < low),
        ("outside-range", ERROR, "open or close outside low to high", (top > high) | (bottom < low)),
        ("volume", ERROR, "unknown volumes beside known ones", (volume == UNKNOWN_SIZE) & file.volume_known),
    ]


def _problem(rule: str, severity: str, message: str, bad: np.ndarray) -> DataProblem:
    places = np.flatnonzero(bad)
    rows = tuple(int(place) + 1 for place in places[:SHOWN_ROWS])
    return DataProblem(rule=rule, severity=severity, message=message, count=len(places), rows=rows)
