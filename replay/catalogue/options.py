"""What an import is told and what it tells back.

Owns the options of an import, the names of the repairs and the order in which they apply, and the report.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from replay.catalogue.model import CatalogueError, CatalogueFile, DataProblem, Repair

# Repairs apply in this order, whatever the order in which they are named.
REPAIR_RULES = ("drop-nan", "sort", "drop-duplicates", "round-to-tick", "clip-range", "drop-invalid")
DROP_DUPLICATES_LAST = "drop-duplicates=last"


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may be said about a source. What is left empty comes from its metadata or its data.

    ``columns`` maps our names to the source's (``{"open": "Open"}``); ``header`` names the columns of a CSV
    file that has no header line.
    """

    venue: str = ""
    symbol: str = ""
    kind: str = ""
    interval: str = ""
    tick_size: str = ""
    lot_size: str = ""
    currency: str = ""
    multiplier: str = ""
    asset_class: str = ""
    calendar: str = ""
    ts_label: str = ""
    ts_unit: str = ""
    timezone: str = ""
    columns: dict[str, str] = {}
    header: tuple[str, ...] = ()
    ignore_unknown: bool = False
    repairs: tuple[str, ...] = ()
    replace: bool = False
    append: bool = False

    def recorded(self) -> dict[str, str]:
        """The options that were set, as text: what the file's metadata keeps of them."""
        kept = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not value or name in ("replace", "append", "repairs"):
                continue
            if isinstance(value, dict):
                value = ",".join(f"{ours}={theirs}" for ours, theirs in sorted(value.items()))
            elif isinstance(value, tuple):
                value = ",".join(value)
            kept[name] = "true" if value is True else str(value)
        return kept


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did: the file, what was assumed or inferred, what was repaired, and what is worth
    knowing.
    """

    file: CatalogueFile
    rows_read: int
    rows_imported: int
    notes: tuple[str, ...]
    repairs: tuple[Repair, ...]
    problems: tuple[DataProblem, ...]
    sources: tuple[Path, ...]

    def lines(self) -> list[str]:
        """Everything that was assumed, repaired or noticed: one line each."""
        told = [f"note: {note}" for note in self.notes]
        told += [f"repair: {repair.rule}, {repair.rows:,} row{'s' * (repair.rows != 1)}" for repair in self.repairs]
        return told + [f"{problem.severity}: {problem.line}" for problem in self.problems]


def check_repairs(names: Iterable[str], is_bars: bool) -> frozenset[str]:
    """The repairs asked for, checked. Raises CatalogueError for an unknown or unsuitable rule."""
    asked = frozenset(names)
    unknown = sorted(asked - {*REPAIR_RULES, DROP_DUPLICATES_LAST})
    if unknown:
        raise CatalogueError(f"unknown repair {', '.join(unknown)}: the rules are {', '.join(REPAIR_RULES)}")
    bars_only = sorted(asked & {"drop-duplicates", DROP_DUPLICATES_LAST, "clip-range"})
    if bars_only and not is_bars:
        raise CatalogueError(f"{', '.join(bars_only)} is for bars only: equal times and rows are legal in ticks")
    return asked
