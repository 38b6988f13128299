"""Donchian breakout: the turtles' first system."""

from math import isnan

from kernel.indicators import fading, lookback, words
from kernel.indicators.steps import atr_nb, donchian_nb
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks, position_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

UPPER, LOWER, LEAVE_UPPER, LEAVE_LOWER, STOP, RANGE, CHANNELS = 0, 1, 2, 3, 4, 5, 8


@compiled(
    memory=lambda entry, leave, **_: CHANNELS + 2 * words("donchian", period=max(entry, leave)),
    warm_up=lambda entry, leave, atr_period, **_: max(
        lookback("donchian", period=entry) + 1, lookback("donchian", period=leave) + 1,
        lookback("atr", period=atr_period),
    ),
    settle=lambda atr_period, **_: fading(1.0 / atr_period),
    entry=20, leave=10, atr_period=20, stop_ranges=2.0, fraction=0.95, short=0,
)  # fmt: skip
def donchian_breakout(ctx, own, entry, leave, atr_period, stop_ranges, fraction, short):
    """Long when a high exceeds those of ``entry`` bars before; out below the lows of ``leave`` bars, or at the stop.

    The stop is ``stop_ranges`` average true ranges from the close of the bar that broke out; with short=1 the mirror
    image is traded too. A bar that breaks out on both sides is left alone. The turtles' pyramids and their filter by
    the last breakout are not here. Source: C. Faith, Way of the Turtle (2007), System 1.
    """
    high, low, close = high_ticks(ctx), low_ticks(ctx), close_ticks(ctx)
    upper, lower, leave_upper, leave_lower = own[UPPER], own[LOWER], own[LEAVE_UPPER], own[LEAVE_LOWER]
    half = CHANNELS + (own.size - CHANNELS) // 2
    own[UPPER], _, own[LOWER] = donchian_nb(own, CHANNELS, high, low, entry)
    own[LEAVE_UPPER], _, own[LEAVE_LOWER] = donchian_nb(own, half, high, low, leave)
    width = atr_nb(own, RANGE, high, low, close, atr_period)
    if isnan(width) or not (upper > 0.0 and leave_upper > 0.0):  # the channels of the bar before: 0 or NaN at first
        return
    held = position_lots(ctx)
    if held > 0:
        if low < leave_lower or low <= own[STOP]:
            be(ctx, 0, fraction, short)
    elif held < 0:
        if high > leave_upper or high >= own[STOP]:
            be(ctx, 0, fraction, short)
    elif (high > upper) != (low < lower):
        side = 1 if high > upper else -1
        own[STOP] = close - side * stop_ranges * width
        be(ctx, side, fraction, short)
