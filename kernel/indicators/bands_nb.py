"""Bands, channels and stops around the price."""

from math import sqrt

from kernel.indicators.averages_nb import NAN, TALIB, ema_of_nb, wilder_of_nb
from kernel.indicators.declare import factor, indicator, period
from kernel.indicators.extremes_nb import range_nb
from kernel.indicators.windows_nb import moments_nb, sum_nb
from kernel.jit import inlined

BARS = "high low close"


@inlined
def true_range_nb(count, last, high, low):
    """The bar's range, widened to the close before; the plain range of the first bar."""
    if count == 0:
        return high - low
    return max(high, last) - min(low, last)


@inlined
def atr_of_nb(count, average, last, high, low, period):
    """Wilder's average true range, from the second bar on: ``count`` is how many bars came before."""
    return wilder_of_nb(count - 1, average, true_range_nb(count, last, high, low), period)


@indicator(
    "bbands", "Bollinger bands: simple average and population standard deviations above and below.",
    source=f"{TALIB} BBANDS with a simple average",
    parameters=(period(5, 2), factor("up", 2.0), factor("down", 2.0)), outputs="upper middle lower",
    state="position:int shift head squares", window=lambda period, up, down: 2 * period,
    lookback=lambda period, up, down: period - 1,
)  # fmt: skip
def bbands(count, position, shift, head, squares, memory, at, value, period, up, down):
    shift = value if count == 0 else shift
    position, shift, head, squares, mean, spread = moments_nb(position, shift, head, squares, memory, at, value, period)
    deviation = sqrt(spread / period)
    if count < period - 1:
        mean = NAN
    return position, shift, head, squares, mean + up * deviation, mean, mean - down * deviation


@indicator(
    "bollinger_position", "Where the value is in its Bollinger bands (0 lower, 1 upper; 0.5 without spread); width.",
    source="J. Bollinger, Bollinger on Bollinger Bands (2001): %b and BandWidth",
    parameters=(period(20, 2), factor("deviations", 2.0, 1e-6)), outputs="percent_b width",
    state="position:int shift head squares", window=lambda period, deviations: 2 * period,
    lookback=lambda period, deviations: period - 1,
)  # fmt: skip
def bollinger_position(count, position, shift, head, squares, memory, at, value, period, deviations):
    shift = value if count == 0 else shift
    position, shift, head, squares, mean, spread = moments_nb(position, shift, head, squares, memory, at, value, period)
    reach = deviations * sqrt(spread / period)
    percent = (value - (mean - reach)) / (2.0 * reach) if reach > 0.0 else 0.5
    width = 2.0 * reach / mean if mean != 0.0 else 0.0
    ready = count >= period - 1
    return position, shift, head, squares, percent if ready else NAN, width if ready else NAN


@indicator(
    "accbands", "Acceleration bands: averages of the price stretched by its relative range.",
    source=f"{TALIB} ACCBANDS", inputs=BARS, parameters=(period(20, 2),), outputs="upper middle lower",
    state="upper_position:int upper middle_position:int middle lower_position:int lower",
    window=lambda period: 3 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def accbands(
    count, upper_position, upper, middle_position, middle, lower_position, lower, memory, at, high, low, close, period
):
    both = high + low
    stretch = 4.0 * (high - low) / both if both != 0.0 else 0.0
    upper_position, upper, above = sum_nb(upper_position, upper, memory, at, high * (1.0 + stretch), period)
    middle_position, middle, total = sum_nb(middle_position, middle, memory, at + period, close, period)
    lower_position, lower, below = sum_nb(lower_position, lower, memory, at + 2 * period, low * (1 - stretch), period)
    length = period if count >= period - 1 else NAN
    above /= length
    total /= length
    below /= length
    return upper_position, upper, middle_position, middle, lower_position, lower, above, total, below


@indicator(
    "donchian", "Donchian channel: highest high, their middle, lowest low.", source="TA-Lib DONCHIAN",
    inputs="high low", parameters=(period(20),), outputs="upper middle lower", state="position:int top bottom",
    window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def donchian(count, position, top, bottom, memory, at, high, low, period):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, high, low, period)
    if count < period - 1:
        upper = NAN
        lower = NAN
    return position, top, bottom, upper, (upper + lower) / 2.0, lower


@indicator(
    "midpoint", "Middle of the highest and lowest value.", source=f"{TALIB} MIDPOINT", parameters=(period(14),),
    state="position:int top bottom", window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def midpoint(count, position, top, bottom, memory, at, value, period):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, value, value, period)
    return position, top, bottom, (upper + lower) / 2.0 if count >= period - 1 else NAN


@indicator(
    "midprice", "Middle of the highest high and lowest low.", source=f"{TALIB} MIDPRICE", inputs="high low",
    parameters=(period(14),), state="position:int top bottom", window=lambda period: 2 * period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def midprice(count, position, top, bottom, memory, at, high, low, period):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, high, low, period)
    return position, top, bottom, (upper + lower) / 2.0 if count >= period - 1 else NAN


@indicator(
    "keltner", "Keltner channel: exponential average of the close, and average true ranges above and below.",
    source="C. Keltner, revised by L. Bradford Raschke", inputs=BARS,
    parameters=(period(20), factor("multiple", 2.0), period(10, name="atr_period")), outputs="upper middle lower",
    state="average width last", lookback=lambda period, multiple, atr_period: max(period - 1, atr_period),
)  # fmt: skip
def keltner(count, average, width, last, memory, at, high, low, close, period, multiple, atr_period):
    average = ema_of_nb(count, average, close, period, 0)
    width = atr_of_nb(count, width, last, high, low, atr_period)
    middle = average if count >= max(period - 1, atr_period) else NAN
    return average, width, close, middle + multiple * width, middle, middle - multiple * width


@indicator(
    "kc", "Keltner channel of typical prices: exponential average, and average true ranges; both begin together.",
    source="TA-Lib KC", inputs=BARS,
    parameters=(period(20), period(10, name="atr_period"), factor("multiple", 2.0)), outputs="upper middle lower",
    state="average width last", lookback=lambda period, atr_period, multiple: max(period - 1, atr_period),
)  # fmt: skip
def kc(count, average, width, last, memory, at, high, low, close, period, atr_period, multiple):
    begin = max(period - 1, atr_period)
    average = ema_of_nb(count - (begin - period + 1), average, (high + low + close) / 3.0, period, 0)
    extent = true_range_nb(count, last, high, low)
    width = wilder_of_nb(count - (begin - atr_period + 1), width, extent, atr_period)
    middle = average if count >= begin else NAN
    return average, width, close, middle + multiple * width, middle, middle - multiple * width
