"""Repairs of rows on their way in: only those that were asked for, each counted.

Owns what each named repair does. They apply in the order of ``options.REPAIR_RULES``.
"""

import numpy as np

from replay.catalogue import checks
from replay.catalogue.frame import Frame
from replay.catalogue.grid import EXACT_FLOAT_MAX, from_units, to_units
from replay.catalogue.model import Repair
from replay.catalogue.options import DROP_DUPLICATES_LAST


def repair_before_grid(frame: Frame, asked: frozenset[str]) -> list[Repair]:
    """Drop holes, sort and drop duplicates."""
    done = []
    if "drop-nan" in asked:
        done.append(_drop(frame, "drop-nan", checks.without_time(frame) | checks.not_numbers(frame)))
    if "sort" in asked:
        order = np.argsort(frame.columns["ts"], kind="stable")
        moved = int(np.count_nonzero(order != np.arange(len(order))))
        if moved:
            frame.keep(order)
        done.append(Repair("sort", moved))
    if DROP_DUPLICATES_LAST in asked:
        repeated = checks.same_time_as_above(frame)
        done.append(_drop(frame, DROP_DUPLICATES_LAST, np.concatenate([repeated[1:], [False]])))
    elif "drop-duplicates" in asked:
        done.append(_drop(frame, "drop-duplicates", checks.same_as_above(frame)))
    return done


def repair_to_grid(frame: Frame, units: dict[str, tuple[int, int]]) -> Repair:
    """Round every number to its nearest tick or lot; ``units`` gives the unit of each column."""
    changed = np.zeros(len(frame), bool)
    for name, (mantissa, decimals) in units.items():
        values = frame.columns[name]
        finite = np.isfinite(values)
        whole, off_grid, _ = to_units(np.where(finite, values, 0.0), mantissa, decimals)
        rounded = from_units(whole, mantissa, decimals)
        # A price below half a tick would become zero, which is no price: it stays and is reported.
        change = off_grid & finite & (np.abs(values) < EXACT_FLOAT_MAX) & ((whole != 0) | (name in frame.sizes))
        frame.columns[name] = np.where(change, rounded, values)
        changed |= change
    return Repair("round-to-tick", int(np.count_nonzero(changed)))


def repair_ranges(frame: Frame, asked: frozenset[str]) -> list[Repair]:
    """Widen high and low to hold open and close; drop what still makes no sense."""
    done = []
    if "clip-range" in asked:
        columns = frame.columns
        every = [columns[name] for name in ("open", "high", "low", "close")]
        high, low = np.maximum.reduce(every), np.minimum.reduce(every)
        changed = (high != columns["high"]) | (low != columns["low"])
        columns["high"], columns["low"] = high, low
        done.append(Repair("clip-range", int(np.count_nonzero(changed & ~np.isnan(high)))))
    if "drop-invalid" in asked:
        done.append(_drop(frame, "drop-invalid", checks.invalid(frame)))
    return done


def _drop(frame: Frame, rule: str, bad: np.ndarray) -> Repair:
    count = int(np.count_nonzero(bad))
    if count:
        frame.keep(~bad)
    return Repair(rule, count)
