"""Inline SVG: frames, curves, areas and marks as text.

Owns the markup of drawings. Coordinates are written with one decimal: finer than a pixel, and the same
everywhere.
"""

from html import escape

import msgspec
import numpy as np

from replay.report.axes import TimeAxis, ValueAxis
from replay.report.thin import Columns, to_columns

WIDTH = 1040
PLOT_WIDTH = 964
_LABEL_ROOM = 22


class Drawing(msgspec.Struct):
    """A drawing under way: its name and description for those who cannot see it, and its parts in order."""

    key: str
    title: str
    description: str
    height: int
    parts: list[str]

    def markup(self) -> str:
        """The finished element."""
        return (
            f'<svg viewBox="0 0 {WIDTH} {self.height + _LABEL_ROOM}" role="img" '
            f'aria-labelledby="{self.key}-title {self.key}-desc">'
            f'<title id="{self.key}-title">{escape(self.title)}</title>'
            f'<desc id="{self.key}-desc">{escape(self.description)}</desc>' + "".join(self.parts) + "</svg>"
        )


def grid(values: ValueAxis, times: TimeAxis | None, height: int) -> str:
    """Lines and labels of both axes."""
    parts = []
    for y, label in values.ticks():
        parts.append(f'<path class="grid" d="M0 {y:.1f}H{PLOT_WIDTH}"/>')
        parts.append(f'<text x="{PLOT_WIDTH + 8}" y="{y + 4:.1f}">{escape(label)}</text>')
    for x, label in times.ticks() if times else []:
        anchor = "start" if x < 30 else "end" if x > PLOT_WIDTH - 30 else "middle"
        parts.append(f'<path class="grid" d="M{x:.1f} 0V{height}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height + 16}" text-anchor="{anchor}">{escape(label)}</text>')
    return "".join(parts)


def curve(kind: str, times_ns: np.ndarray, values: np.ndarray, across: TimeAxis, up: ValueAxis) -> str:
    """A line through all points: at each pixel column it covers all that the curve covers there."""
    thinned = to_columns(times_ns, values, across.start_ns, across.end_ns, across.width)
    if thinned.column.size == 1:
        y = float(up.pixels(thinned.last)[0])
        return f'<circle class="{kind} dot" cx="{thinned.column[0]}" cy="{y:.1f}" r="3"/>'
    return f'<path class="{kind}" d="{_through(thinned, up)}"/>' if thinned.column.size else ""


def area_below_zero(kind: str, times_ns: np.ndarray, depths: np.ndarray, across: TimeAxis, up: ValueAxis) -> str:
    """The area between zero and the deepest value of each pixel column; ``depths`` are zero or negative."""
    thinned = to_columns(times_ns, depths, across.start_ns, across.end_ns, across.width)
    if not thinned.column.size:
        return ""
    xs, ys = thinned.column.tolist(), up.pixels(thinned.lowest).tolist()
    zero = float(up.pixels(np.zeros(1))[0])
    outline = "".join(f"L{x} {y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<path class="{kind}" d="M{xs[0]} {zero:.1f}{outline}L{xs[-1]} {zero:.1f}Z"/>'


def marks(kind: str, xs: np.ndarray, ys: np.ndarray, shape: str) -> str:
    """One path with the same shape at every point; points on the same pixel are drawn once."""
    points = sorted({(round(x), round(y)) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)})
    if not points:
        return ""
    return f'<path class="{kind}" d="' + "".join(f"M{x} {y}{shape}" for x, y in points) + '"/>'


def segments(kind: str, xs: np.ndarray, ys: np.ndarray, to_xs: np.ndarray, to_ys: np.ndarray) -> str:
    """Straight lines from each point to its other end."""
    ends = zip(xs.tolist(), ys.tolist(), to_xs.tolist(), to_ys.tolist(), strict=True)
    lines = "".join(f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" for x, y, to_x, to_y in ends)
    return f'<path class="{kind}" d="{lines}"/>' if lines else ""


def _through(thinned: Columns, up: ValueAxis) -> str:
    columns = thinned.column.tolist()
    heights = np.stack(
        [up.pixels(part) for part in (thinned.first, thinned.lowest, thinned.highest, thinned.last)], axis=1
    )
    steps = []
    for x, (first, lowest, highest, last) in zip(columns, np.round(heights, 1).tolist(), strict=True):
        steps.append(f"L{x} {first:g}")
        if lowest != highest:
            steps.append(f"V{lowest:g}V{highest:g}V{last:g}")
    return "M" + "".join(steps)[1:]
