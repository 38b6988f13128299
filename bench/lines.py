"""The table that the bench prints: what, value, floor, and whether the floor holds.

Owns how figures are written. Knows nothing of how they were measured.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

OK, MISSED, NO_FLOOR = "ok", "missed", ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. ``at_least`` or ``at_most`` is its floor; without either it is there for scale."""

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """``ok``, ``missed``, or nothing where there is no floor."""
        if self.at_least is not None:
            return OK if self.value >= self.at_least else MISSED
        if self.at_most is not None:
            return OK if self.value <= self.at_most else MISSED
        return NO_FLOOR

    @property
    def floor(self) -> str:
        """The floor in words."""
        if self.at_least is not None:
            return f"at least {amount(self.at_least, self.unit)}"
        if self.at_most is not None:
            return f"at most {amount(self.at_most, self.unit)}"
        return "-"


def amount(value: float, unit: str) -> str:
    """A figure with its unit: ``5.12 M bars/s``, ``0.31 s``, ``24.0 %``."""
    if unit in ("bars/s", "events/s", "rows/s"):
        return f"{value / 1e6:.2f} M {unit}" if value >= 1e6 else f"{value:,.0f} {unit}"
    if unit in ("%", "MB"):
        return f"{value:,.1f} {unit}"
    return f"{value:,.2f} {unit}".rstrip()


def render(lines: Sequence[Line]) -> str:
    """The table as text."""
    rows = [("what", "value", "floor", "", "")]
    rows += [(line.what, amount(line.value, line.unit), line.floor, line.verdict, line.note) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    shown = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].ljust(widths[2]), row[3].ljust(widths[3])]
        shown.append("  ".join([*cells, row[4]]).rstrip())
    shown.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(shown)


def as_json(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The table for machines."""
    return [
        {**{name: getattr(line, name) for name in line.__struct_fields__}, "verdict": line.verdict} for line in lines
    ]
