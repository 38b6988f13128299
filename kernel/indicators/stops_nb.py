"""Stops that follow the price, and choppiness."""

from kernel.indicators.averages_nb import NAN, TALIB
from kernel.indicators.bands_nb import BARS, atr_of_nb, true_range_nb
from kernel.indicators.declare import choice, factor, indicator, period
from kernel.indicators.directional_nb import moves_nb
from kernel.indicators.elementary_nb import log_nb
from kernel.indicators.extremes_nb import range_nb
from kernel.indicators.windows_nb import sum_nb
from kernel.jit import inlined

MOVES = "last_high last_low last_close up down width"


@inlined
def stop_nb(count, long, stop, extreme, speed, last_high, last_low, high, low, first, step, most):
    """Wilder's stop and reverse, one bar after the second. Returns long, stop, extreme, speed, the stop of this bar."""
    if long == 1 and low <= stop:
        shown = max(extreme, last_high, high)
        stop = max(shown + first * (low - shown), last_high, high)
        return 0, stop, low, first, shown
    if long == 0 and high >= stop:
        shown = min(extreme, last_low, low)
        stop = min(shown + first * (high - shown), last_low, low)
        return 1, stop, high, first, shown
    shown = stop
    if long == 1:
        if high > extreme:
            extreme = high
            speed = min(speed + step, most)
        stop = min(stop + speed * (extreme - stop), last_low, low)
    else:
        if low < extreme:
            extreme = low
            speed = min(speed + step, most)
        stop = max(stop + speed * (extreme - stop), last_high, high)
    return long, stop, extreme, speed, shown


@indicator(
    "sar", "Parabolic stop and reverse; seed 0 begins in the direction of the first move, 1 begins long.",
    source=f"J. W. Wilder (1978); {TALIB} SAR (seed 0), Stock.Indicators (seed 1, which leaves out the first trend)",
    inputs="high low", parameters=(factor("acceleration", 0.02), factor("maximum", 0.2), choice("seed", 2)),
    state="long:int stop extreme speed last_high last_low", lookback=lambda *_: 1,
)  # fmt: skip
def sar(count, long, stop, extreme, speed, last_high, last_low, memory, at, high, low, acceleration, maximum, seed):
    if count == 0:
        return long, stop, extreme, speed, high, low, NAN
    step = min(acceleration, maximum)
    if count == 1 and seed == 1:
        long = 1
        extreme = last_high
        stop = last_low + step * (extreme - last_low)
        speed = step
    elif count == 1:
        _, fall = moves_nb(last_high, last_low, high, low)
        long = 0 if fall > 0.0 else 1
        extreme = high if long == 1 else low
        stop = last_low if long == 1 else last_high
        speed = step
        last_high = high
        last_low = low
    long, stop, extreme, speed, shown = stop_nb(
        count, long, stop, extreme, speed, last_high, last_low, high, low, step, step, maximum
    )
    return long, stop, extreme, speed, high, low, shown


@indicator(
    "sarext", "Parabolic stop and reverse with an acceleration for each side; negative while short.",
    source=f"{TALIB} SAREXT", inputs="high low",
    parameters=(
        factor("start", 0.0, -1e12, 1e12), factor("offset", 0.0), factor("long_first", 0.02), factor("long_step", 0.02),
        factor("long_maximum", 0.2), factor("short_first", 0.02), factor("short_step", 0.02),
        factor("short_maximum", 0.2),
    ),
    state="long:int stop extreme speed last_high last_low", lookback=lambda *_: 1,
)  # fmt: skip
def sarext(
    count, long, stop, extreme, speed, last_high, last_low, memory, at, high, low, start, offset, long_first, long_step,
    long_maximum, short_first, short_step, short_maximum,
):  # fmt: skip
    if count == 0:
        return long, stop, extreme, speed, high, low, NAN
    if count == 1:
        _, fall = moves_nb(last_high, last_low, high, low)
        long = 0 if fall > 0.0 else 1
        if start != 0.0:
            long = 1 if start > 0.0 else 0
        extreme = high if long == 1 else low
        stop = last_low if long == 1 else last_high
        if start != 0.0:
            stop = abs(start)
        speed = min(long_first, long_maximum) if long == 1 else min(short_first, short_maximum)
        last_high = high
        last_low = low
    if long == 1 and low <= stop:
        shown = max(extreme, last_high, high)
        shown += shown * offset
        speed = min(short_first, short_maximum)
        stop = max(shown + speed * (low - shown), last_high, high)
        return 0, stop, low, speed, high, low, -shown
    if long == 0 and high >= stop:
        shown = min(extreme, last_low, low)
        shown -= shown * offset
        speed = min(long_first, long_maximum)
        stop = min(shown + speed * (high - shown), last_low, low)
        return 1, stop, high, speed, high, low, shown
    shown = stop
    if long == 1:
        if high > extreme:
            extreme = high
            speed = min(speed + min(long_step, long_maximum), long_maximum)
        stop = min(stop + speed * (extreme - stop), last_low, low)
        return long, stop, extreme, speed, high, low, shown
    if low < extreme:
        extreme = low
        speed = min(speed + min(short_step, short_maximum), short_maximum)
    stop = max(stop + speed * (extreme - stop), last_high, high)
    return long, stop, extreme, speed, high, low, -shown


@indicator(
    "supertrend", "SuperTrend: a stop some true ranges from the middle, that only tightens; and its side, 1 or -1.",
    source="O. Seban; starts long, as Stock.Indicators", inputs=BARS,
    parameters=(period(10), factor("multiple", 3.0)), outputs="stop side",
    state="last average upper lower side:int", lookback=lambda period, multiple: period,
)  # fmt: skip
def supertrend(count, last, average, upper, lower, side, memory, at, high, low, close, period, multiple):
    average = atr_of_nb(count, average, last, high, low, period)
    if count < period:
        return close, average, upper, lower, side, NAN, NAN
    middle = (high + low) / 2.0
    above = middle + multiple * average
    below = middle - multiple * average
    if count == period:
        side = 1 if close >= middle else -1
        upper = above
        lower = below
    else:
        upper = above if above < upper or last > upper else upper
        lower = below if below > lower or last < lower else lower
        side = -1 if close <= (lower if side == 1 else upper) else 1
    return close, average, upper, lower, side, lower if side == 1 else upper, float(side)


@indicator(
    "choppiness", "Choppiness: path of true ranges to the range of the period, by logarithms; 100 is no trend.",
    source="E. W. Dreiss", inputs=BARS, parameters=(period(14, 2),),
    state="last path_position:int path position:int top bottom", window=lambda period: 3 * period,
    lookback=lambda period: period,
)  # fmt: skip
def choppiness(count, last, path_position, path, position, top, bottom, memory, at, high, low, close, period):
    extent = true_range_nb(count, last, high, low)
    path_position, path, total = sum_nb(path_position, path, memory, at, extent, period)
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at + period, high, low, period)
    index = NAN
    if count >= period:
        index = 100.0 * log_nb(total / (upper - lower)) / log_nb(float(period)) if upper > lower else 100.0
    return close, path_position, path, position, top, bottom, index
