"""The largest and smallest of a window: a head and a tail, as the sums of ``windows_nb``."""

from kernel.indicators.windows_nb import unsigned
from kernel.jit import inlined


@inlined
def highest_tails_nb(memory, at, period):
    """Replace each value of a block by the largest from it to the block's end.

    Two at a time: what the next two wait for is then one comparison, not two.
    """
    tail = memory[unsigned(at + period - 1)]
    for pair in range(period // 2):
        place = at + period - 1 - 2 * pair
        late = memory[unsigned(place)]
        early = memory[unsigned(place - 1)]
        both = late if late > early else early
        memory[unsigned(place)] = late if late > tail else tail
        tail = both if both > tail else tail
        memory[unsigned(place - 1)] = tail
    first = memory[unsigned(at)]
    memory[unsigned(at)] = first if first > tail else tail


@inlined
def lowest_tails_nb(memory, at, period):
    """Replace each value of a block by the smallest from it to the block's end, as highest_tails_nb."""
    tail = memory[unsigned(at + period - 1)]
    for pair in range(period // 2):
        place = at + period - 1 - 2 * pair
        late = memory[unsigned(place)]
        early = memory[unsigned(place - 1)]
        both = late if late < early else early
        memory[unsigned(place)] = late if late < tail else tail
        tail = both if both < tail else tail
        memory[unsigned(place - 1)] = tail
    first = memory[unsigned(at)]
    memory[unsigned(at)] = first if first < tail else tail


@inlined
def highest_nb(position, head, memory, at, value, period):
    """Largest of the last ``period`` values. Words: ``period``. Returns position, head, largest."""
    memory[unsigned(at + position)] = value
    head = value if (position == 0) | (value > head) else head
    position += 1
    if position < period:
        tail = memory[unsigned(at + position)]
        return position, head, tail if tail > head else head
    highest_tails_nb(memory, at, period)
    return 0, head, head


@inlined
def lowest_nb(position, head, memory, at, value, period):
    """Smallest of the last ``period`` values. Words: ``period``. Returns position, head, smallest."""
    memory[unsigned(at + position)] = value
    head = value if (position == 0) | (value < head) else head
    position += 1
    if position < period:
        tail = memory[unsigned(at + position)]
        return position, head, tail if tail < head else head
    lowest_tails_nb(memory, at, period)
    return 0, head, head


@inlined
def range_nb(position, top, bottom, memory, at, high, low, period):
    """Largest ``high`` and smallest ``low`` of the last ``period``. Words: 2 * ``period``.

    Returns position, both heads, largest, smallest.
    """
    memory[unsigned(at + position)] = high
    memory[unsigned(at + period + position)] = low
    top = high if (position == 0) | (high > top) else top
    bottom = low if (position == 0) | (low < bottom) else bottom
    position += 1
    if position < period:
        high_tail = memory[unsigned(at + position)]
        low_tail = memory[unsigned(at + period + position)]
        highest = high_tail if high_tail > top else top
        return position, top, bottom, highest, low_tail if low_tail < bottom else bottom
    highest_tails_nb(memory, at, period)
    lowest_tails_nb(memory, at + period, period)
    return 0, top, bottom, top, bottom


@inlined
def highest_age_nb(position, head, head_at, memory, at, value, period):
    """The largest of the last ``period`` values and how many bars ago it was, the latest of equal ones.

    Words: 2 * ``period``. Returns position, head, its place, largest, age. The smallest is that of the negated values.
    """
    memory[unsigned(at + position)] = value
    if position == 0 or value >= head:
        head = value
        head_at = position
    position += 1
    if position < period:
        if memory[unsigned(at + position)] > head:
            age = position - 1 + period - int(memory[unsigned(at + period + position)])
            return position, head, head_at, memory[unsigned(at + position)], age
        return position, head, head_at, head, position - 1 - head_at
    tail = value
    tail_at = period - 1
    for place in range(period - 1, -1, -1):
        if memory[unsigned(at + place)] > tail:
            tail = memory[unsigned(at + place)]
            tail_at = place
        memory[unsigned(at + place)] = tail
        memory[unsigned(at + period + place)] = tail_at
    return 0, head, head_at, head, period - 1 - head_at
