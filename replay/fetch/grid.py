"""Which bars are absent: the intervals of a span in which no bar opens.

Owns the grid of a market that never closes (whole intervals since the epoch) and of one with sessions. Knows no
provider and reads nothing.
"""

from collections.abc import Iterable

import numpy as np

Stretch = tuple[int, int]


def missing(opens: Iterable[int], start_ns: int, end_ns: int, interval_ns: int) -> list[Stretch]:
    """The stretches ``[start, end)`` without bars of a market that never closes; ``opens`` in time order.

    A stretch is at least one interval: an exchange may begin its days at another hour than midnight.
    """
    cursor = -(-start_ns // interval_ns) * interval_ns
    last = -(-end_ns // interval_ns) * interval_ns  # the first open at or after the end
    stretches = []
    for ts_open in opens:
        if ts_open - cursor >= interval_ns:
            stretches.append((cursor, ts_open))
        cursor = max(cursor, ts_open + interval_ns)
    if last - cursor >= interval_ns:
        stretches.append((cursor, last))
    return stretches


def joined(stretches: list[Stretch], more: Iterable[Stretch]) -> list[Stretch]:
    """Both in time order, with those that touch made one."""
    result = list(stretches)
    for start_ns, end_ns in more:
        if result and result[-1][1] >= start_ns:
            result[-1] = (result[-1][0], max(end_ns, result[-1][1]))
        else:
            result.append((start_ns, end_ns))
    return result


def bars_in(stretches: Iterable[Stretch], interval_ns: int) -> int:
    """How many bars would fill them."""
    return sum((end_ns - start_ns) // interval_ns for start_ns, end_ns in stretches)


def missing_in_sessions(
    ts_open: np.ndarray, opens: np.ndarray, closes: np.ndarray, span: Stretch, interval_ns: int
) -> int:
    """How many bars are absent in sessions (their opens and closes) within a span."""
    expected = 0
    present = 0
    for opened, closed in zip(opens.tolist(), closes.tolist(), strict=True):
        grid = np.arange(opened, closed, interval_ns, dtype=np.int64)
        grid = grid[(grid >= span[0]) & (grid < span[1])]
        expected += len(grid)
        present += int(np.isin(grid, ts_open, assume_unique=True).sum())
    return expected - present
