"""Rows on their way in: the columns of a source as arrays, each row with the name of the place it came from.

Owns the float view of a source, before ticks and lots. Repairs select and change rows here; checks read them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kernel.market import BAR, DEPTH, QUOTE, TRADE
from replay.catalogue.depth import message_columns
from replay.catalogue.model import PRICE_COLUMNS, SIZE_COLUMNS, DataProblem
from replay.catalogue.options import ImportOptions
from replay.catalogue.sources import SourceTable, numbers, sides
from replay.catalogue.times import read_times

SHOWN_ROWS = 5
KIND_OF = {"bars": BAR, "trades": TRADE, "quotes": QUOTE, "quotebars": QUOTE, "depth": DEPTH}


@dataclass
class Frame:
    """Columns of equal length. ``row`` is the row in its source (the first is 1), ``part`` which source that
    is.
    """

    kind: int
    columns: dict[str, np.ndarray]
    row: np.ndarray
    part: np.ndarray
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def prices(self) -> tuple[str, ...]:
        """The names of the price columns."""
        return PRICE_COLUMNS[self.kind]

    @property
    def sizes(self) -> tuple[str, ...]:
        """The names of the size columns."""
        return SIZE_COLUMNS[self.kind]

    def keep(self, which: np.ndarray) -> None:
        """Keep the rows of a mask, or reorder by an index."""
        self.columns = {name: values[which] for name, values in self.columns.items()}
        self.row, self.part = self.row[which], self.part[which]

    def problem(self, rule: str, severity: str, message: str, bad: np.ndarray) -> DataProblem:
        """A problem of the rows in the mask ``bad``."""
        places = np.flatnonzero(bad)
        shown = places[:SHOWN_ROWS]
        if len(self.paths) > 1 and len(shown):
            # Of several sources the first concerned is named, and rows count within it.
            part = self.part[shown[0]]
            shown = shown[self.part[shown] == part]
            message = f"{message}, first in {self.paths[part].name}"
        rows = tuple(int(number) for number in self.row[shown])
        return DataProblem(rule=rule, severity=severity, message=message, count=len(places), rows=rows)


def load_frame(tables: list[SourceTable], options: ImportOptions) -> tuple[Frame, list[str], list[DataProblem]]:
    """The rows of all sources, one after another, with what was assumed and problems of their times."""
    kind = KIND_OF[tables[0].kind]
    notes: list[str] = []
    problems: list[DataProblem] = []
    parts: list[dict[str, np.ndarray]] = []
    for table in tables:
        zone = options.timezone
        times = read_times(table.columns["ts"], table.names["ts"], options.ts_unit, zone)
        notes += [note for note in times.notes if note not in notes]
        problems += times.problems
        columns = {"ts": times.ts_ns}
        prefix = table.kind == "quotebars"
        for name in (*PRICE_COLUMNS[kind], *SIZE_COLUMNS[kind]):
            field = f"{name}_close" if prefix and name in ("bid", "ask") else name
            columns[name] = (
                numbers(table.columns[field], table.names[field])
                if field in table.columns
                else np.full(table.rows, np.nan)
            )
        if kind in (TRADE, DEPTH):
            columns["side"], columns["strange_side"] = _side_columns(table)
        if kind == DEPTH:
            columns["strange_side"] |= columns["side"] == 0
            columns |= message_columns(table, times.ts_ns)
            before = parts[-1]["message"][-1] if parts else 0
            columns["message"] += before
        parts.append(columns)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    row = np.concatenate([np.arange(1, table.rows + 1) for table in tables])
    part_of = np.repeat(np.arange(len(tables)), [table.rows for table in tables])
    paths = tuple(table.path for table in tables)
    return Frame(kind, joined, row, part_of, paths), notes, problems


def _side_columns(table: SourceTable) -> tuple[np.ndarray, np.ndarray]:
    for field in ("side", "buyer_is_maker"):
        if field in table.columns:
            return sides(table.columns[field], field)
    return np.zeros(table.rows, np.int64), np.zeros(table.rows, bool)
