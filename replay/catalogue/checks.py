"""Checks of rows on their way in: each finds the rows that break one rule, as a mask.

Owns what counts as wrong in a source. Repairs use the same masks, so a repair removes exactly what a check
would find.
"""

import numpy as np

from kernel.market import BAR, DEPTH, QUOTE, TRADE
from replay.catalogue.frame import Frame
from replay.catalogue.model import ERROR, WARNING, DataProblem
from replay.catalogue.times import NO_TIME


def without_time(frame: Frame) -> np.ndarray:
    """Rows that have no time."""
    return np.asarray(frame.columns["ts"] == NO_TIME)


def not_numbers(frame: Frame) -> np.ndarray:
    """Rows that lack a number they need.

    A quote may lack a side or a size, and a whole source of bars or trades its volumes; anything else is a hole.
    """
    bad = np.zeros(len(frame), bool)
    for name in frame.prices:
        values = frame.columns[name]
        bad |= np.isinf(values) if frame.kind == QUOTE else ~np.isfinite(values)
    for name in frame.sizes:
        values = frame.columns[name]
        absent = np.isnan(values)
        is_hole = frame.kind == DEPTH or (frame.kind != QUOTE and not absent.all())
        bad |= np.isinf(values) | (absent & is_hole)
    return bad


def descending(frame: Frame) -> np.ndarray:
    """Rows whose time is before that of the row above."""
    ts = frame.columns["ts"]
    return np.concatenate([[False], (ts[1:] < ts[:-1]) & (ts[1:] != NO_TIME)])


def same_time_as_above(frame: Frame) -> np.ndarray:
    """Rows with the very time of the row above."""
    ts = frame.columns["ts"]
    return np.concatenate([[False], (ts[1:] == ts[:-1]) & (ts[1:] != NO_TIME)])


def same_as_above(frame: Frame) -> np.ndarray:
    """Rows equal to the row above in every column."""
    same = same_time_as_above(frame)
    for name in (*frame.prices, *frame.sizes):
        values = frame.columns[name]
        equal = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
        same[1:] &= equal
    return same


def not_positive(frame: Frame) -> np.ndarray:
    """Rows with a price of zero or below."""
    return np.asarray(np.any([frame.columns[name] <= 0 for name in frame.prices], axis=0))


def negative_size(frame: Frame) -> np.ndarray:
    """Rows with a size below zero."""
    return np.asarray(np.any([frame.columns[name] < 0 for name in frame.sizes], axis=0))


def high_below_low(frame: Frame) -> np.ndarray:
    """Bars whose high is below their low."""
    return np.asarray(frame.columns["high"] < frame.columns["low"])


def outside_range(frame: Frame) -> np.ndarray:
    """Bars whose open or close is above their high or below their low."""
    columns = frame.columns
    top = np.maximum(columns["open"], columns["close"])
    bottom = np.minimum(columns["open"], columns["close"])
    outside = (top > columns["high"]) | (bottom < columns["low"])
    return np.asarray(outside & ~high_below_low(frame))


def crossed(frame: Frame) -> np.ndarray:
    """Quotes whose bid is above their ask."""
    return np.asarray(frame.columns["bid"] > frame.columns["ask"])


def invalid(frame: Frame) -> np.ndarray:
    """Rows whose numbers make no sense, whatever the grid: what ``drop-invalid`` drops."""
    bad: np.ndarray = not_positive(frame) | negative_size(frame)
    if frame.kind == BAR:
        bad |= high_below_low(frame) | outside_range(frame)
    if frame.kind in (TRADE, DEPTH):
        bad |= frame.columns["strange_side"]
    if frame.kind == DEPTH:
        bad |= frame.columns["strange_flags"]
    return bad


_RULES = (
    ("missing-time", without_time, "rows without a time (--repair drop-nan drops them)"),
    ("nan", not_numbers, "missing or infinite numbers (--repair drop-nan drops the rows)"),
    ("unsorted", descending, "times run backwards (--repair sort sorts the rows)"),
    ("non-positive", not_positive, "prices that are zero or negative (--repair drop-invalid drops the rows)"),
    ("negative-size", negative_size, "negative sizes (--repair drop-invalid drops the rows)"),
)
_BAR_RULES = (
    ("high-below-low", high_below_low, "high below low (--repair clip-range or drop-invalid)"),
    (
        "outside-range",
        outside_range,
        "open or close outside low to high (--repair clip-range or drop-invalid)",
    ),
)


def check_frame(frame: Frame) -> list[DataProblem]:
    """Every problem of the rows that does not depend on ticks and lots."""
    rules = _RULES + _BAR_RULES if frame.kind == BAR else _RULES
    found = [(rule, finder(frame), message) for rule, finder, message in rules]
    problems = [frame.problem(rule, ERROR, message, bad) for rule, bad, message in found if bad.any()]
    if frame.kind == BAR:
        problems += _duplicates(frame)
    if frame.kind in (TRADE, DEPTH):
        problems += _strange_words(frame)
    if frame.kind == QUOTE and (bad := crossed(frame)).any():
        problems.append(frame.problem("crossed", WARNING, "crossed quotes, kept: the bid is above the ask", bad))
    return problems


def _strange_words(frame: Frame) -> list[DataProblem]:
    names = "buy nor sell" if frame.kind == TRADE else "bid nor ask"
    found = [("side", frame.columns["strange_side"], f"sides that are neither {names}")]
    if frame.kind == DEPTH:
        found.append(
            ("flags", frame.columns["strange_flags"], "flags other than 0 to 3, or is_snapshot not true or false")
        )
    repair = "(--repair drop-invalid drops the rows)"
    return [frame.problem(rule, ERROR, f"{text} {repair}", bad) for rule, bad, text in found if bad.any()]


def _duplicates(frame: Frame) -> list[DataProblem]:
    same_time = same_time_as_above(frame)
    if not same_time.any():
        return []
    differ = same_time & ~same_as_above(frame)
    if differ.any():
        message = "bars with the time of the bar above, but other numbers (--repair drop-duplicates=last)"
        return [frame.problem("duplicate", ERROR, message, differ)]
    message = "bars that repeat the bar above (--repair drop-duplicates drops them)"
    return [frame.problem("duplicate", ERROR, message, same_time)]
