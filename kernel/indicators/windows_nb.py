"""Running sums over a window, without drift: what windowed indicators are built of.

A window of ``period`` values is cut into blocks of that length. Within the current block a running total grows (the
head); when the block is full, the totals from each of its values to its end (the tails) are written in place. A window
is then always one head plus one tail. So nothing is ever subtracted, no error accumulates however long it runs, and a
value that has left the window has left no trace. The cost is two additions a value, one of them at the end of a block.
Source: M. van Herk, A fast algorithm for local minimum and maximum filters (1992); J. Gil and M. Werman (1993).

Each takes ``position`` (the place within the block), its heads, the memory and where its words begin; a window that is
not full yet counts what is missing as 0, so callers ignore the result until then.
"""

import numpy as np

from kernel.jit import inlined

# The type of a place in memory: an index that cannot be negative is not looked at for being so, which is up to half of
# the time of a window.
unsigned = np.uintp


@inlined
def delay_nb(position, memory, at, value, period):
    """The value ``period`` bars ago (0 before that). Words: ``period``. Returns position, old value."""
    old = memory[unsigned(at + position)]
    memory[unsigned(at + position)] = value
    position += 1
    if position == period:
        position = 0
    return position, old


@inlined
def sum_nb(position, head, memory, at, value, period):
    """Sum of the last ``period`` values. Words: ``period``. Returns position, head, sum."""
    memory[unsigned(at + position)] = value
    head += value
    position += 1
    if position < period:
        return position, head, head + memory[unsigned(at + position)]
    sum_tails_nb(memory, at, period)
    return 0, 0.0, head


@inlined
def sum_two_nb(position, head, other_head, memory, at, value, other, period):
    """Sums of two series over the last ``period``. Words: 2 * ``period``. Returns position, both heads, both sums."""
    memory[unsigned(at + position)] = value
    memory[unsigned(at + period + position)] = other
    head += value
    other_head += other
    position += 1
    if position < period:
        total = head + memory[unsigned(at + position)]
        return position, head, other_head, total, other_head + memory[unsigned(at + period + position)]
    sum_tails_nb(memory, at, period)
    sum_tails_nb(memory, at + period, period)
    return 0, 0.0, 0.0, head, other_head


@inlined
def sum_tails_nb(memory, at, period):
    """Replace each value of a block by the sum from it to the block's end.

    Two at a time: what the next two wait for is then one addition, not two.
    """
    tail = 0.0
    for pair in range(period // 2):
        place = at + period - 1 - 2 * pair
        late = memory[unsigned(place)]
        both = late + memory[unsigned(place - 1)]
        memory[unsigned(place)] = tail + late
        tail += both
        memory[unsigned(place - 1)] = tail
    if period % 2 == 1:
        memory[unsigned(at)] += tail


@inlined
def weighted_nb(position, head, weighted, memory, at, value, period):
    """Sum of the last ``period`` values with weights 1 (oldest) to ``period``. Words: ``period``.

    The tails are totals of totals. Returns position, head, weighted head, weighted sum.
    """
    memory[unsigned(at + position)] = value
    position += 1
    head += value
    weighted += position * value
    if position < period:
        return position, head, weighted, weighted + (period - position) * head + memory[unsigned(at + position)]
    tail = 0.0
    total = 0.0
    for place in range(at + period - 1, at - 1, -1):
        tail += memory[unsigned(place)]
        total += tail
        memory[unsigned(place)] = total
    return 0, 0.0, 0.0, weighted


@inlined
def typical_nb(memory, at, period):
    """The middle one of three values of a full block (its first, middle and last): not one that stands alone."""
    first = memory[unsigned(at)]
    middle = memory[unsigned(at + period // 2)]
    last = memory[unsigned(at + period - 1)]
    return max(min(first, middle), min(max(first, middle), last))


@inlined
def line_nb(position, shift, head, weighted, memory, at, value, period):
    """Plain and weighted sums (weights as in weighted_nb) of the last values less ``shift``. Words: 2 * ``period``.

    ``shift`` is a value of the window's neighbourhood, so that a slope far smaller than the level keeps its digits.
    Returns position, new shift, head, weighted head, sum, weighted sum, the shift of these sums.
    """
    memory[unsigned(at + position)] = value
    position += 1
    less = value - shift
    head += less
    weighted += position * less
    if position < period:
        total = head + memory[unsigned(at + period + position)]
        line = weighted + (period - position) * head + memory[unsigned(at + position)]
        return position, shift, head, weighted, total, line, shift
    used = shift
    shift = typical_nb(memory, at, period)
    tail = 0.0
    tails = 0.0
    for place in range(at + period - 1, at - 1, -1):
        tail += memory[unsigned(place)] - shift
        tails += tail
        memory[unsigned(place)] = tails
        memory[unsigned(place + period)] = tail
    return 0, shift, 0.0, 0.0, head, weighted, used


@inlined
def moments_nb(position, shift, head, squares, memory, at, value, period):
    """Mean and sum of squared deviations of the last ``period`` values. Words: 2 * ``period``.

    Sums are of values less ``shift``, a typical one of the block before, so that a spread far smaller than the level
    keeps its digits; what is left of a spread by rounding alone is 0. Returns position, new shift, head, squares, mean,
    squared deviations.
    """
    memory[unsigned(at + position)] = value
    position += 1
    less = value - shift
    head += less
    squares += less * less
    if position < period:
        total = head + memory[unsigned(at + position)]
        square = squares + memory[unsigned(at + period + position)]
        spread = square - total * total / period
        spread = spread if spread > square * 1e-14 else 0.0
        return position, shift, head, squares, shift + total / period, spread
    spread = squares - head * head / period
    spread = spread if spread > squares * 1e-14 else 0.0
    mean = shift + head / period
    shift = typical_nb(memory, at, period)
    tail = 0.0
    tails = 0.0
    for place in range(at + period - 1, at - 1, -1):
        less = memory[unsigned(place)] - shift
        tail += less
        tails += less * less
        memory[unsigned(place)] = tail
        memory[unsigned(place + period)] = tails
    return 0, shift, 0.0, 0.0, mean, spread


@inlined
def pair_nb(position, shift, other_shift, x, y, xx, yy, xy, memory, at, value, other, period):
    """Sums of two series over the last ``period``: deviations of each, and their products. Words: 5 * ``period``.

    Returns position, both new shifts, the five heads, then mean of each, squared deviations of each, and the sum of
    products of the deviations.
    """
    memory[unsigned(at + position)] = value
    memory[unsigned(at + period + position)] = other
    position += 1
    less = value - shift
    apart = other - other_shift
    x += less
    y += apart
    xx += less * less
    yy += apart * apart
    xy += less * apart
    total_x = x
    total_y = y
    total_xx = xx
    total_yy = yy
    total_xy = xy
    used = shift
    other_used = other_shift
    if position < period:
        place = at + position
        total_x += memory[unsigned(place)]
        total_y += memory[unsigned(place + period)]
        total_xx += memory[unsigned(place + 2 * period)]
        total_yy += memory[unsigned(place + 3 * period)]
        total_xy += memory[unsigned(place + 4 * period)]
    else:
        position = 0
        shift = typical_nb(memory, at, period)
        other_shift = typical_nb(memory, at + period, period)
        x = 0.0
        y = 0.0
        xx = 0.0
        yy = 0.0
        xy = 0.0
        for place in range(at + period - 1, at - 1, -1):
            less = memory[unsigned(place)] - shift
            apart = memory[unsigned(place + period)] - other_shift
            x += less
            y += apart
            xx += less * less
            yy += apart * apart
            xy += less * apart
            memory[unsigned(place)] = x
            memory[unsigned(place + period)] = y
            memory[unsigned(place + 2 * period)] = xx
            memory[unsigned(place + 3 * period)] = yy
            memory[unsigned(place + 4 * period)] = xy
        x = 0.0
        y = 0.0
        xx = 0.0
        yy = 0.0
        xy = 0.0
    spread = total_xx - total_x * total_x / period
    other_spread = total_yy - total_y * total_y / period
    common = total_xy - total_x * total_y / period
    spread = spread if spread > total_xx * 1e-14 else 0.0
    other_spread = other_spread if other_spread > total_yy * 1e-14 else 0.0
    mean = used + total_x / period
    other_mean = other_used + total_y / period
    return (
        position, shift, other_shift, x, y, xx, yy, xy, mean, other_mean, spread, other_spread, common
    )  # fmt: skip
