"""Statistics over a window: spread, lines, ranks, and two series against each other."""

from math import sqrt

from kernel.indicators.averages_nb import NAN, TALIB
from kernel.indicators.declare import factor, indicator, period
from kernel.indicators.elementary_nb import atan_nb, log_nb
from kernel.indicators.windows_nb import delay_nb, line_nb, moments_nb, pair_nb, unsigned
from kernel.jit import inlined

DEGREES = 57.29577951308232
PAIR = "position:int shift other_shift x y xx yy xy"
LINE = "position:int shift head weighted"


@indicator(
    "var", "Population variance.", source=f"{TALIB} VAR (its second parameter does nothing)", parameters=(period(5),),
    state="position:int shift head squares", window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def var(count, position, shift, head, squares, memory, at, value, period):
    shift = value if count == 0 else shift
    position, shift, head, squares, _, spread = moments_nb(position, shift, head, squares, memory, at, value, period)
    return position, shift, head, squares, spread / period if count >= period - 1 else NAN


@indicator(
    "stddev", "Population standard deviation.", source=f"{TALIB} STDDEV",
    parameters=(period(5, 2), factor("deviations", 1.0)), state="position:int shift head squares",
    window=lambda period, deviations: 2 * period, lookback=lambda period, deviations: period - 1,
)  # fmt: skip
def stddev(count, position, shift, head, squares, memory, at, value, period, deviations):
    shift = value if count == 0 else shift
    position, shift, head, squares, _, spread = moments_nb(position, shift, head, squares, memory, at, value, period)
    return position, shift, head, squares, sqrt(spread / period) * deviations if count >= period - 1 else NAN


@indicator(
    "zscore", "Value less the mean, in population standard deviations; 0 without spread.", source="definition",
    parameters=(period(20, 2),), state="position:int shift head squares", window=lambda period: 2 * period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def zscore(count, position, shift, head, squares, memory, at, value, period):
    shift = value if count == 0 else shift
    position, shift, head, squares, mean, spread = moments_nb(position, shift, head, squares, memory, at, value, period)
    score = (value - mean) / sqrt(spread / period) if spread > 0.0 else 0.0
    return position, shift, head, squares, score if count >= period - 1 else NAN


@inlined
def fitted_nb(total, weighted, shift, period):
    """Level (at the oldest value) and slope of the line through sums as line_nb gives them."""
    # Weights are 1 to period, so that places from 0 are one less.
    middle = (period - 1) / 2.0
    slope = (weighted - total - middle * total) / (period * (period * period - 1.0) / 12.0)
    return shift + total / period - slope * middle, slope


@indicator(
    "linearreg", "Least-squares line: its value at the latest bar.", source=f"{TALIB} LINEARREG",
    parameters=(period(14, 2),), state=LINE, window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def linearreg(count, position, shift, head, weighted, memory, at, value, period):
    shift = value if count == 0 else shift
    position, shift, head, weighted, total, line, used = line_nb(
        position, shift, head, weighted, memory, at, value, period
    )
    level, slope = fitted_nb(total, line, used, period)
    return position, shift, head, weighted, level + slope * (period - 1) if count >= period - 1 else NAN


@indicator(
    "linearreg_slope", "Least-squares line: its slope a bar.", source=f"{TALIB} LINEARREG_SLOPE",
    parameters=(period(14, 2),), state=LINE, window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def linearreg_slope(count, position, shift, head, weighted, memory, at, value, period):
    shift = value if count == 0 else shift
    position, shift, head, weighted, total, line, used = line_nb(
        position, shift, head, weighted, memory, at, value, period
    )
    _, slope = fitted_nb(total, line, used, period)
    return position, shift, head, weighted, slope if count >= period - 1 else NAN


@indicator(
    "linearreg_angle", "Least-squares line: its slope as an angle in degrees.", source=f"{TALIB} LINEARREG_ANGLE",
    parameters=(period(14, 2),), state=LINE, window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def linearreg_angle(count, position, shift, head, weighted, memory, at, value, period):
    shift = value if count == 0 else shift
    position, shift, head, weighted, total, line, used = line_nb(
        position, shift, head, weighted, memory, at, value, period
    )
    _, slope = fitted_nb(total, line, used, period)
    return position, shift, head, weighted, atan_nb(slope) * DEGREES if count >= period - 1 else NAN


@indicator(
    "linearreg_intercept", "Least-squares line: its value at the oldest bar.", source=f"{TALIB} LINEARREG_INTERCEPT",
    parameters=(period(14, 2),), state=LINE, window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def linearreg_intercept(count, position, shift, head, weighted, memory, at, value, period):
    shift = value if count == 0 else shift
    position, shift, head, weighted, total, line, used = line_nb(
        position, shift, head, weighted, memory, at, value, period
    )
    level, _ = fitted_nb(total, line, used, period)
    return position, shift, head, weighted, level if count >= period - 1 else NAN


@indicator(
    "tsf", "Least-squares line: its value one bar ahead.", source=f"{TALIB} TSF", parameters=(period(14, 2),),
    state=LINE, window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def tsf(count, position, shift, head, weighted, memory, at, value, period):
    shift = value if count == 0 else shift
    position, shift, head, weighted, total, line, used = line_nb(
        position, shift, head, weighted, memory, at, value, period
    )
    level, slope = fitted_nb(total, line, used, period)
    return position, shift, head, weighted, level + slope * period if count >= period - 1 else NAN


@indicator(
    "fosc", "Forecast oscillator: value less its forecast of the bar before, in percent of it; 0 if it is 0.",
    source="T. Chande; TA-Lib FOSC", parameters=(period(14, 2),), state=f"{LINE} forecast",
    window=lambda period: 2 * period, lookback=lambda period: period,
)  # fmt: skip
def fosc(count, position, shift, head, weighted, forecast, memory, at, value, period):
    shift = value if count == 0 else shift
    less = 100.0 * (value - forecast) / value if value != 0.0 else 0.0
    position, shift, head, weighted, total, line, used = line_nb(
        position, shift, head, weighted, memory, at, value, period
    )
    level, slope = fitted_nb(total, line, used, period)
    return position, shift, head, weighted, level + slope * period, less if count >= period else NAN


@indicator(
    "correl", "Pearson's correlation of two series; 0 if one does not vary.", source=f"{TALIB} CORREL",
    inputs="value other", parameters=(period(30, 2),), state=PAIR, window=lambda period: 5 * period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def correl(count, position, shift, other_shift, x, y, xx, yy, xy, memory, at, value, other, period):
    shift = value if count == 0 else shift
    other_shift = other if count == 0 else other_shift
    position, shift, other_shift, x, y, xx, yy, xy, _, _, spread, other_spread, common = pair_nb(
        position, shift, other_shift, x, y, xx, yy, xy, memory, at, value, other, period
    )
    both = sqrt(spread) * sqrt(other_spread)
    related = common / both if both > 0.0 else 0.0
    return position, shift, other_shift, x, y, xx, yy, xy, related if count >= period - 1 else NAN


@indicator(
    "rolling_beta", "Slope of other on value over the period, of their levels; 0 if value does not vary.",
    source="definition: covariance to variance", inputs="value other", parameters=(period(30, 2),),
    outputs="beta intercept", state=PAIR, window=lambda period: 5 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def rolling_beta(count, position, shift, other_shift, x, y, xx, yy, xy, memory, at, value, other, period):
    shift = value if count == 0 else shift
    other_shift = other if count == 0 else other_shift
    position, shift, other_shift, x, y, xx, yy, xy, mean, other_mean, spread, _, common = pair_nb(
        position, shift, other_shift, x, y, xx, yy, xy, memory, at, value, other, period
    )
    slope = common / spread if spread > 0.0 else 0.0
    if count < period - 1:
        slope = NAN
    return position, shift, other_shift, x, y, xx, yy, xy, slope, other_mean - slope * mean


@indicator(
    "beta", "Slope of the one-bar returns of other on those of value; 0 if those do not vary.",
    source=f"{TALIB} BETA", inputs="value other", parameters=(period(5),), state=f"last last_other {PAIR}",
    window=lambda period: 5 * period, lookback=lambda period: period,
)  # fmt: skip
def beta(count, last, last_other, position, shift, other_shift, x, y, xx, yy, xy, memory, at, value, other, period):
    slope = NAN
    if count > 0:
        change = (value - last) / last if last != 0.0 else 0.0
        other_change = (other - last_other) / last_other if last_other != 0.0 else 0.0
        position, shift, other_shift, x, y, xx, yy, xy, _, _, spread, _, common = pair_nb(
            position, shift, other_shift, x, y, xx, yy, xy, memory, at, change, other_change, period
        )
        if count >= period:
            slope = common / spread if spread > 0.0 else 0.0
    return value, other, position, shift, other_shift, x, y, xx, yy, xy, slope


@inlined
def sorted_nb(count, ring, memory, at, value, period):
    """Keep the last ``period`` values in order, at ``at`` + ``period``. Words: 2 * ``period``. Returns the place.

    Only what lies between the value that leaves and the one that comes is moved, one place each.
    """
    ranked = at + period
    filled = count if count < period else period
    old = memory[at + ring]
    memory[at + ring] = value
    place = 0
    if count < period:
        place = filled
    else:
        # The place of the one that leaves, by bisection.
        last = period - 1
        while place < last:
            middle = (place + last) // 2
            if memory[ranked + middle] < old:
                place = middle + 1
            else:
                last = middle
        filled -= 1
    while place > 0 and memory[ranked + place - 1] > value:
        memory[ranked + place] = memory[ranked + place - 1]
        place -= 1
    while place < filled and memory[ranked + place + 1] < value:
        memory[ranked + place] = memory[ranked + place + 1]
        place += 1
    memory[ranked + place] = value
    return ring + 1 if ring + 1 < period else 0


@indicator(
    "percentrank", "How many of the values before are below this one, in percent.", source="TA-Lib PERCENTRANK",
    parameters=(period(100),), past="value", depth=lambda period: period + 1, lookback=lambda period: period,
)  # fmt: skip
def percentrank(count, value_past, value_now, value, period):
    below = 0
    for place in range(value_now - period, value_now):
        below += value_past[unsigned(place)] < value
    return 100.0 * below / period if count >= period else NAN


@indicator(
    "hurst", "Hurst exponent by rescaled range of one window: log(R / S) / log(period / 2); 0.5 without spread.",
    source="H. Hurst (1951); the estimate of one window of one-bar returns", parameters=(period(100, 8),),
    state="last position:int shift head squares ring:int", window=lambda period: 3 * period,
    lookback=lambda period: period,
)  # fmt: skip
def hurst(count, last, position, shift, head, squares, ring, memory, at, value, period):
    exponent = NAN
    if count > 0:
        change = (value - last) / last if last != 0.0 else 0.0
        position, shift, head, squares, mean, spread = moments_nb(
            position, shift, head, squares, memory, at, change, period
        )
        at += 2 * period
        ring, _ = delay_nb(ring, memory, at, change, period)
        if count >= period:
            walk = 0.0
            top = 0.0
            bottom = 0.0
            place = ring
            for _ in range(period):
                walk += memory[at + place] - mean
                top = walk if walk > top else top
                bottom = walk if walk < bottom else bottom
                place = place + 1 if place + 1 < period else 0
            exponent = 0.5
            if spread > 0.0 and top > bottom:
                exponent = log_nb((top - bottom) / sqrt(spread / period)) / log_nb(period / 2.0)
    return value, position, shift, head, squares, ring, exponent


@indicator(
    "percentile", "Percentile of the last values by nearest rank.", source="TA-Lib PERCENTILE",
    parameters=(period(30), factor("percentile", 50.0, 0.0, 100.0)),
    state="ring:int", window=lambda period, percentile: 2 * period, lookback=lambda period, percentile: period - 1,
)  # fmt: skip
def percentile(count, ring, memory, at, value, period, percentile):
    ring = sorted_nb(count, ring, memory, at, value, period)
    exact = percentile * period / 100.0
    rank = int(exact)
    rank = max(rank + 1 if exact > rank else rank, 1)
    return ring, memory[at + period + rank - 1] if count >= period - 1 else NAN
