"""A line chart in characters: braille dots, or asterisks where the terminal cannot show them.

Owns the drawing of one curve into lines of text, with its highest, lowest, first and last value.
Deterministic, and light enough for the end of every run.
"""

from itertools import pairwise

import numpy as np

from replay.report import format as show
from replay.report.thin import Columns, to_columns, wants_logarithm

_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BLANK = 0x2800


def equity_chart(
    times_ns: np.ndarray, minor: np.ndarray, scale: int, *, columns: int, rows: int, braille: bool
) -> list[str]:
    """The curve as lines of text at most ``columns`` wide. No lines for no points."""
    if not minor.size:
        return []
    high, low = show.money(int(minor.max()), scale), show.money(int(minor.min()), scale)
    gutter = max(len(high), len(low))
    width = max(columns - gutter - 2, 10)
    picture = _picture(times_ns, minor.astype(np.float64), width, rows, braille)
    rule, tick, corner, dash = ("│", "┤", "└", "─") if braille else ("|", "+", "+", "-")
    lines = ["Equity, logarithmic scale" if wants_logarithm(minor) else "Equity"]
    for number, line in enumerate(picture):
        label = high if number == 0 else low if number == rows - 1 else ""
        lines.append(f"{label:>{gutter}} {tick if label else rule}{line}".rstrip())
    lines.append(" " * (gutter + 1) + corner + dash * width)
    left = f"{show.day(int(times_ns[0]))}  {show.money(int(minor[0]), scale)}"
    right = f"{show.day(int(times_ns[-1]))}  {show.money(int(minor[-1]), scale)}"
    indent = " " * (gutter + 2)
    if minor.size == 1:
        return [*lines, indent + left]
    if len(left) + len(right) + 2 > width:
        return [*lines, indent + left, indent + f"{right:>{width}}"]
    return [*lines, indent + left + f"{right:>{width - len(left)}}"]


def _picture(times: np.ndarray, values: np.ndarray, width: int, rows: int, braille: bool) -> list[str]:
    across, down = _DOTS.shape[::-1] if braille else (1, 1)
    if wants_logarithm(values):
        values = np.log(values)
    thinned = to_columns(times, values, int(times[0]), int(times[-1]), width * across)
    grid = _dots(thinned, width * across, rows * down)
    if not braille:
        return ["".join("*" if dot else " " for dot in row) for row in grid.tolist()]
    cells = grid.reshape(rows, down, width, across).transpose(0, 2, 1, 3)
    codes = _BLANK + (cells * _DOTS).sum(axis=(2, 3))
    return ["".join(chr(code) if code > _BLANK else " " for code in row) for row in codes.tolist()]


def _dots(thinned: Columns, width: int, height: int) -> np.ndarray:
    """A grid with a dot wherever the curve, joined from column to column, passes; row 0 is the top."""
    lowest, highest = float(thinned.lowest.min()), float(thinned.highest.max())
    unit = (height - 1) / (highest - lowest) if highest > lowest else 0.0
    floor = 0.0 if unit else (height - 1) / 2

    def level(values: np.ndarray) -> np.ndarray:
        return np.rint((values - lowest) * unit + floor)

    grid = np.zeros((height, width), np.bool_)
    firsts, lasts = level(thinned.first), level(thinned.last)
    bottoms, tops = level(thinned.lowest), level(thinned.highest)
    before: tuple[int, float] | None = None
    for number, column in enumerate(thinned.column.tolist()):
        if before is not None:
            levels = np.rint(np.linspace(before[1], firsts[number], column - before[0] + 1)).tolist()
            for offset, (start, end) in enumerate(pairwise(levels)):
                _join(grid, before[0] + offset, int(start), int(end))
        _fill(grid, column, int(bottoms[number]), int(tops[number]))
        before = (column, float(lasts[number]))
    return grid


def _join(grid: np.ndarray, column: int, start: int, end: int) -> None:
    """Dots from ``start`` in this column to ``end`` in the next; each column draws its own half of a jump."""
    sign = 1 if end > start else -1
    turn = start + sign * max((abs(end - start) - 1) // 2, 0)
    _fill(grid, column, start, turn)
    _fill(grid, column + 1, turn + sign if start != end else end, end)


def _fill(grid: np.ndarray, column: int, start: int, end: int) -> None:
    low, high = min(start, end), max(start, end)
    grid[grid.shape[0] - 1 - high : grid.shape[0] - low, column] = True
