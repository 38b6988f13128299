"""What is special to imbalance bars, Renko and Heikin-Ashi; see docs/bars.md for the rules.

All of it is exact: integers, and averages in units of 1/100,000,000 (volumes: of 1/100 lot), rounded half to even.
"""

from kernel.bars.rule import VOLUME_IMBALANCE
from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import MONEY_OVERFLOW, OK
from kernel.units import RATE_SCALE

LOT_SCALE = 100  # a mean volume is kept in hundredths of a lot: 64 bits hold it where lots are as fine as 1e-8
AVERAGE_MOST = 1 << 36  # ticks; four such prices in 1/100,000,000 still fit


@inlined
def take_imbalance_nb(series, close_ticks, lots, side):
    """Sign one input and add it up; returns whether the bar is complete.

    An input has the sign of its aggressor, or else of the change of the price; without a change, that of the input
    before. Source: Lopez de Prado (2018), Advances in Financial Machine Learning, ch. 2.3.2.
    """
    if side != 0:
        series.sign = side
    elif series.has_price == 1 and close_ticks != series.previous_ticks:
        series.sign = 1 if close_ticks > series.previous_ticks else -1
    series.previous_ticks = close_ticks
    series.has_price = 1
    series.imbalance += series.sign * lots if series.kind == VOLUME_IMBALANCE else series.sign
    steps = series.step_count
    if series.bar_count == 0:
        return steps >= series.size_units
    return steps >= series.most or (steps >= series.least and abs(series.imbalance) >= series.threshold)


@inlined
def expect_imbalance_nb(series):
    """After a bar: what the next one is expected to hold. Returns a status.

    Both averages are exponential over the bars, by 2 / (span + 1). The expected length stays within least and most.
    """
    length_e8 = series.step_count * RATE_SCALE
    scale = LOT_SCALE if series.kind == VOLUME_IMBALANCE else RATE_SCALE
    mean = scale_linked_nb(series.imbalance, scale, 1, series.step_count)
    if mean == OVERFLOW:
        return MONEY_OVERFLOW
    if series.bar_count > 0:
        length_e8 = series.expected_length_e8 + scale_linked_nb(
            length_e8 - series.expected_length_e8, 2, 1, series.span + 1
        )
        change = scale_linked_nb(mean - series.expected_imbalance, 2, 1, series.span + 1)
        if change == OVERFLOW:
            return MONEY_OVERFLOW
        mean = series.expected_imbalance + change
    length_e8 = min(max(length_e8, series.least * RATE_SCALE), series.most * RATE_SCALE)
    threshold = scale_linked_nb(length_e8, abs(mean), 1, RATE_SCALE * scale)
    if threshold == OVERFLOW:
        return MONEY_OVERFLOW
    series.expected_length_e8 = length_e8
    series.expected_imbalance = mean
    series.threshold = max(threshold, 1)
    series.imbalance = 0
    return OK


@inlined
def take_brick_nb(series, close_ticks):
    """Count the bricks up to a price; returns whether there are any. The first price is the base of the first brick.

    A brick goes on in the direction of the last one after one size, and turns after two.
    """
    if series.has_price == 0:
        series.has_price = 1
        series.direction = 0
        series.brick_ticks = close_ticks
    size = series.size_units
    moved = close_ticks - series.brick_ticks
    direction = 1 if moved > 0 else -1
    bricks = abs(moved) // size
    if direction == -series.direction:
        bricks -= 1
    if bricks <= 0:
        return False
    if direction == -series.direction:
        series.brick_ticks += direction * size
    series.direction = direction
    series.brick_count = bricks
    lay_brick_nb(series)
    return True


@jit
def lay_brick_nb(series):
    """Make the next brick the bar in progress."""
    opened = series.brick_ticks
    closed = opened + series.direction * series.size_units
    series.open_ticks = opened
    series.close_ticks = closed
    series.high_ticks = max(opened, closed)
    series.low_ticks = min(opened, closed)


@inlined
def take_average_nb(series, open_ticks, high_ticks, low_ticks, close_ticks):
    """One Heikin-Ashi bar of one bar. Returns a status.

    Close: the mean of the four prices. Open: the middle of the previous open and close (of this bar's, for the first).
    """
    if max(abs(open_ticks), abs(high_ticks), abs(low_ticks), abs(close_ticks)) >= AVERAGE_MOST:
        return MONEY_OVERFLOW
    if series.has_price == 0:
        series.has_price = 1
        series.average_open_e8 = (open_ticks + close_ticks) * (RATE_SCALE // 2)
    else:
        total = series.average_open_e8 + series.average_close_e8
        series.average_open_e8 = scale_linked_nb(total, 1, 1, 2)
    series.average_close_e8 = (open_ticks + high_ticks + low_ticks + close_ticks) * (RATE_SCALE // 4)
    opened = scale_linked_nb(series.average_open_e8, 1, 1, RATE_SCALE)
    closed = scale_linked_nb(series.average_close_e8, 1, 1, RATE_SCALE)
    series.open_ticks = opened
    series.close_ticks = closed
    series.high_ticks = max(high_ticks, opened, closed)
    series.low_ticks = min(low_ticks, opened, closed)
    return OK
