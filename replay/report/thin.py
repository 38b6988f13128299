"""Fewer points for a drawing, without losing a spike.

Owns the reduction of a curve to columns: of all the points that fall into a column it keeps the first, the
lowest, the highest and the last. A line drawn through them covers the same pixels as the whole curve.
"""

import msgspec
import numpy as np

# A curve that spans this many times its lowest value is drawn on a logarithmic scale, unless that value is
# smaller than any that money or a price has.
LOG_SPAN = 10
LOG_LOWEST = 1e-12


class Columns(msgspec.Struct, frozen=True):
    """What is left of a curve: parallel arrays, one element for each column that holds a point, ascending."""

    column: np.ndarray
    first: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    last: np.ndarray


def to_columns(times: np.ndarray, values: np.ndarray, start: int, end: int, count: int) -> Columns:
    """The curve in ``count`` columns of equal time from ``start`` to ``end``; a point at ``end`` is in the
    last.
    """
    length = max(end - start, 1)
    column = np.clip((times - start) / length * count, 0, count - 1).astype(np.int64)
    begins = np.flatnonzero(np.append(column.size > 0, column[1:] != column[:-1]))[: column.size]
    if not column.size:
        empty = values[:0]
        return Columns(column, empty, empty, empty, empty)
    ends = np.append(begins[1:], column.size) - 1
    lowest, highest = np.minimum.reduceat(values, begins), np.maximum.reduceat(values, begins)
    return Columns(column[begins], values[begins], lowest, highest, values[ends])


def wants_logarithm(values: np.ndarray) -> bool:
    """Whether the values are all positive and so far apart that a linear scale would hide the small ones."""
    if not values.size:
        return False
    lowest = float(values.min())
    return lowest >= LOG_LOWEST and float(values.max()) >= LOG_SPAN * lowest
