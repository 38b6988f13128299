"""Naive twin of the making of bars: lists of inputs and exact fractions, written from docs/bars.md.

Nothing is kept up to date as inputs come: a bar is computed from the list of its inputs when it closes.
"""

from fractions import Fraction
from typing import NamedTuple

from kernel.bars.rule import (
    TICK_IMBALANCE,
    TICKS,
    VALUE,
    VOLUME,
    VOLUME_IMBALANCE,
)

E8 = 10**8
SHORT, GAPS = 1, 2


class Input(NamedTuple):
    """A bar, or a trade or quote (which begins and ends at one instant). ``known_ns`` is when it comes."""

    known_ns: int
    begin_ns: int
    end_ns: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    side: int = 0
    leaves: int = 1  # what it is made of in the end
    covered_ns: int = 0


class Bar(NamedTuple):
    """A closed bar with the time at which it closed."""

    closed_ns: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    begin_ns: int
    end_ns: int
    leaves: int
    flags: int


def half_even(value: Fraction) -> int:
    return round(value)  # of a Fraction: half to even


def volume(inputs: list[Input]) -> int:
    """Unknown (-1) as soon as one is."""
    return -1 if any(one.lots < 0 for one in inputs) else sum(one.lots for one in inputs)


def tick(known_ns: int, price: int, lots: int = 0, side: int = 0) -> Input:
    return Input(known_ns, known_ns, known_ns, price, price, price, price, lots, side)


def span_of(at_ns: int, size_ns: int, sessions: list[tuple[int, int]] | None) -> tuple[int, int] | None:
    """The span of the time bar that holds an instant; None outside of sessions. ``sessions`` None: from the epoch."""
    if sessions is None:
        return at_ns // size_ns * size_ns, at_ns // size_ns * size_ns + size_ns
    for opened, closed in sessions:
        if opened <= at_ns < closed:
            if size_ns == 0:
                return opened, closed
            begin = opened + (at_ns - opened) // size_ns * size_ns
            return begin, min(begin + size_ns, closed)
    return None


def make(inputs: list[Input], begin_ns: int, end_ns: int, closed_ns: int, size_ns: int, of_bars: bool) -> Bar:
    """A bar of its inputs: the first by time opens it, the last one closes it."""
    first = min(inputs, key=lambda one: one.begin_ns)
    last = max(enumerate(inputs), key=lambda pair: (pair[1].end_ns, pair[0]))[1]
    flags = (SHORT if size_ns and end_ns - begin_ns < size_ns else 0) | (
        GAPS if of_bars and sum(one.covered_ns for one in inputs) < end_ns - begin_ns else 0
    )
    return Bar(
        closed_ns, first.open, max(one.high for one in inputs), min(one.low for one in inputs), last.close,
        volume(inputs), begin_ns, end_ns, sum(one.leaves for one in inputs), flags,
    )  # fmt: skip


def time_bars(
    inputs: list[Input],
    size_ns: int,
    sessions: list[tuple[int, int]] | None,
    of_bars: bool,
    until_ns: int,
) -> tuple[list[Bar], int, int, int]:
    """Time bars of inputs in the order in which they come, and how many were late, straddled, or lay outside."""
    bars: list[Bar] = []
    late = straddled = outside = 0
    now: list[Input] = []
    span = (0, 0)
    closed_to = -(2**62)
    wait = 1 if of_bars else 0

    def close(at_ns: int) -> None:
        nonlocal now, closed_to
        bars.append(make(now, *span, at_ns, size_ns, of_bars))
        closed_to = span[1]
        now = []

    for one in inputs:
        if now and one.known_ns >= span[1] + wait:
            close(span[1] + wait)
        elif now and one.begin_ns >= span[1]:
            close(one.known_ns)
        found = span_of(one.begin_ns, size_ns, sessions)
        if found is None:
            starts = any(one.begin_ns < opened < one.end_ns for opened, _ in (sessions or [])[-1:])
            straddled += starts
            outside += not starts
            continue
        if one.end_ns > found[1]:
            straddled += 1
            continue
        if one.begin_ns < (span[0] if now else closed_to):
            late += 1
            continue
        if not now:
            span = found
        now.append(one)
        if one.begin_ns < one.end_ns and one.end_ns >= span[1]:
            close(one.known_ns)
    if now and until_ns >= span[1] + wait:
        close(span[1] + wait)
    return bars, late, straddled, outside


def as_input(bar: Bar, covered_ns: int) -> Input:
    return Input(
        bar.closed_ns,
        bar.begin_ns,
        bar.end_ns,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.lots,
        0,
        bar.leaves,
        covered_ns,
    )


def counted_bars(kind: int, size: int, inputs: list[Input], *, value_of=None, limits=(0, 0, 0)) -> list[Bar]:
    """Bars of ticks, volume, value and imbalance."""
    bars: list[Bar] = []
    now: list[Input] = []
    sign, previous, theta = 0, None, 0
    length = mean = Fraction(0)
    threshold = 0
    span, least, most = limits
    for one in inputs:
        now.append(one)
        if one.side:
            sign = one.side
        elif previous is not None and one.close != previous:
            sign = 1 if one.close > previous else -1
        previous = one.close
        theta += sign * (one.lots if kind == VOLUME_IMBALANCE else 1)
        count = len(now)
        if kind == TICKS:
            done = count >= size
        elif kind == VOLUME:
            done = sum(each.lots for each in now) >= size
        elif kind == VALUE:
            done = sum(value_of(each.close, each.lots) for each in now) >= size
        elif not bars:
            done = count >= size
        else:
            done = count >= most or (count >= least and abs(theta) >= threshold)
        if not done:
            continue
        if kind in (TICK_IMBALANCE, VOLUME_IMBALANCE):
            unit = 100 if kind == VOLUME_IMBALANCE else E8
            seen = half_even(Fraction(theta * unit, count))
            weight = Fraction(2, span + 1)
            length = length + half_even((count * E8 - length) * weight) if bars else Fraction(count * E8)
            mean = mean + half_even((seen - mean) * weight) if bars else Fraction(seen)
            length = min(max(length, least * E8), most * E8)
            threshold = max(half_even(length * abs(mean) / E8 / unit), 1)
            theta = 0
        bars.append(make(now, now[0].begin_ns, now[-1].end_ns, one.known_ns, 0, False))
        now = []
    return bars


def renko_bars(size: int, inputs: list[Input]) -> list[Bar]:
    bars: list[Bar] = []
    now: list[Input] = []
    base, direction = inputs[0].close if inputs else 0, 0
    for one in inputs:
        now.append(one)
        while True:
            up = one.close - base >= (2 if direction < 0 else 1) * size
            down = base - one.close >= (2 if direction > 0 else 1) * size
            if not (up or down):
                break
            step = 1 if up else -1
            opened = base + step * size * (direction == -step)
            closed, direction = opened + step * size, step
            base = closed
            begin = now[0].begin_ns if now else one.end_ns
            bars.append(
                Bar(one.known_ns, opened, max(opened, closed), min(opened, closed), closed,
                    volume(now), begin, one.end_ns, sum(each.leaves for each in now), 0)
            )  # fmt: skip
            now = []
    return bars


def heikin_ashi_bars(inputs: list[Input]) -> list[Bar]:
    bars: list[Bar] = []
    opened = closed = None
    for one in inputs:
        opened = (
            Fraction(one.open + one.close, 2) * E8 if opened is None else Fraction(half_even((opened + closed) / 2))
        )
        closed = Fraction(one.open + one.high + one.low + one.close, 4) * E8
        first, last = half_even(opened / E8), half_even(closed / E8)
        bars.append(
            Bar(one.known_ns, first, max(one.high, first, last), min(one.low, first, last), last, one.lots,
                one.begin_ns, one.end_ns, one.leaves, 0)
        )  # fmt: skip
    return bars
