"""When a bar is known: open and close times, intervals and gaps.

Owns the one rule of bar times: a bar closes at its open time plus the interval, or when the next bar opens if
that is earlier (a local day of 23 hours); so no bar is known before its end and none overlaps the next.
"""

import numpy as np

from kernel.plurals import counted
from replay.catalogue.intervals import format_interval, format_span
from replay.catalogue.model import ERROR, INFORMATION, CatalogueError, DataProblem

# More bars than this share closer together than the interval mean that the interval is wrong.
_OVERLAP_SHARE = 0.05


def infer_interval(ts_ns: np.ndarray) -> int:
    """The most common distance between bars. Raises CatalogueError when there are too few bars to tell."""
    steps = np.diff(ts_ns)
    steps = steps[steps > 0]
    if not steps.size:
        raise CatalogueError("too few bars to tell their interval: give --interval, such as 1m")
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def bar_times(ts_ns: np.ndarray, interval_ns: int, label: str) -> tuple[np.ndarray, np.ndarray]:
    """``(ts_open, ts)``: open and close times of bars labelled by their ``open`` or ``close``."""
    if label == "close":
        opened = ts_ns - interval_ns
        opened[1:] = np.maximum(opened[1:], ts_ns[:-1])
        return opened, ts_ns
    return ts_ns, close_times(ts_ns, interval_ns)


def close_times(ts_open: np.ndarray, interval_ns: int) -> np.ndarray:
    """The close times of bars in time order."""
    closed = ts_open + interval_ns
    closed[:-1] = np.minimum(closed[:-1], ts_open[1:])
    return closed


def check_interval(ts_ns: np.ndarray, interval_ns: int) -> list[DataProblem]:
    """An error when bars stand closer together than their interval, too often for clock changes."""
    steps = np.diff(ts_ns)
    close = int(np.count_nonzero(steps < interval_ns))
    if close <= max(2, _OVERLAP_SHARE * steps.size):
        return []
    usual = format_interval(infer_interval(ts_ns))
    message = (
        f"{close:,} bars are closer together than the interval {format_interval(interval_ns)}; "
        f"most are {usual} apart: give the right --interval"
    )
    return [DataProblem(rule="interval", severity=ERROR, message=message)]


def find_gaps(ts_open: np.ndarray, interval_ns: int) -> tuple[int, int]:
    """``(count, largest_ns)`` of stretches without a bar; a stretch is measured from close to next open."""
    missing = np.diff(ts_open) - interval_ns
    missing = missing[missing > 0]
    return int(missing.size), int(missing.max(initial=0))


def gap_note(ts_open: np.ndarray, interval_ns: int) -> list[DataProblem]:
    """Gaps as information: markets close, and bars without trades are often left out."""
    count, largest_ns = find_gaps(ts_open, interval_ns)
    if not count:
        return []
    after = np.datetime64(int(ts_open[np.argmax(np.diff(ts_open))]), "ns").astype("datetime64[s]")
    message = f"{counted(count, 'gap')} between bars, the largest {format_span(largest_ns)} after the bar of {after}Z"
    return [DataProblem(rule="gaps", severity=INFORMATION, message=message)]
