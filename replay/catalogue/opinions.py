"""Signals of a model outside the kernel: recorded inputs, beside the prices of an instrument.

Owns their import. A source has a column of times, at which each row is *known*, a direction (1, -1, 0), a confidence
from 0 to 1, and if it likes a strength, a horizon in seconds, and a low and a high quantile of the expected return.
"""

from pathlib import Path

import numpy as np

from kernel.market import MODEL
from kernel.units import RATE_SCALE
from replay.catalogue.grid import to_units
from replay.catalogue.levels import E8_DECIMALS, import_facts, problem_of
from replay.catalogue.model import ERROR, CatalogueError, DataProblem
from replay.catalogue.options import ImportOptions, ImportReport
from replay.catalogue.sources import SourceTable, numbers
from replay.catalogue.times import NO_TIME, read_times

_SECOND_NS = 1_000_000_000
MOST_SECONDS = 1 << 32
MOST_RETURN = 10
# Our column: the source's field, its value where a cell is empty or there is no column, the least and the most.
FIELDS: dict[str, tuple[str, float | None, float, float]] = {
    "direction": ("side", None, -1, 1),
    "strength_rate": ("strength", 1.0, 0, 1),
    "confidence_rate": ("confidence", None, 0, 1),
    "horizon_ns": ("horizon", 0.0, 0, MOST_SECONDS),
    "low_return_rate": ("low_return", 0.0, -MOST_RETURN, MOST_RETURN),
    "high_return_rate": ("high_return", 0.0, -MOST_RETURN, MOST_RETURN),
}


def import_opinions(tables: list[SourceTable], root: Path, options: ImportOptions) -> ImportReport:
    """Write the signals for one instrument beside its prices. Raises CatalogueError with every problem found."""
    return import_facts(tables, root, options, MODEL, _rows)


def _rows(table: SourceTable, options: ImportOptions, notes: list[str]) -> dict[str, np.ndarray]:
    times = read_times(table.columns["ts"], table.names["ts"], options.ts_unit, options.timezone)
    notes += [note for note in times.notes if note not in notes]
    problems: list[DataProblem] = list(times.problems)
    problems += problem_of("missing-time", "rows without a time", times.ts_ns == NO_TIME)
    problems += problem_of("unsorted", "times run backwards", np.concatenate([[False], np.diff(times.ts_ns) < 0]))
    columns = {"ts": times.ts_ns}
    for name, (field, unsaid, least, most) in FIELDS.items():
        if field not in table.columns:
            columns[name] = np.full(len(times.ts_ns), round(unsaid or 0.0) * RATE_SCALE, np.int64)
            continue
        read = numbers(table.columns[field], table.names[field])
        absent = np.isnan(read)
        if unsaid is None:
            problems += problem_of("absent", f"rows without a {field}", absent)
        read = np.where(absent, unsaid or 0.0, read)
        problems += problem_of("range", f"{field} beyond {least:g} to {most:g}", (read < least) | (read > most))
        read = np.clip(read, least, most)
        if name == "direction":
            problems += problem_of("direction", f"{field} other than -1, 0 and 1", read != np.rint(read))
            columns[name] = np.rint(read).astype(np.int64)
        elif name == "horizon_ns":
            problems += problem_of("horizon", f"{field} of a part of a second", read != np.rint(read))
            columns[name] = np.rint(read).astype(np.int64) * _SECOND_NS
        else:
            columns[name], off_grid, too_large = to_units(read, 1, E8_DECIMALS)
            problems += problem_of("digits", f"{field} finer than 1/100,000,000", off_grid | too_large)
    errors = [problem for problem in problems if problem.severity == ERROR]
    if errors:
        raise CatalogueError("\n".join(f"{table.path}: {problem.line}" for problem in errors), tuple(problems))
    return columns
