"""Oscillators of bars: where the close stands in recent ranges."""

from kernel.indicators.averages_nb import NAN, TALIB
from kernel.indicators.bands_nb import BARS
from kernel.indicators.declare import indicator, period
from kernel.indicators.extremes_nb import range_nb
from kernel.indicators.windows_nb import delay_nb, sum_nb, sum_two_nb
from kernel.jit import inlined


@inlined
def inside_nb(value, upper, lower):
    """Where a value is in a range, in percent; 0 without range."""
    return 100.0 * (value - lower) / (upper - lower) if upper > lower else 0.0


@indicator(
    "stoch", "Stochastic: where the close is in the range, averaged simply twice; 0 without range.",
    source=f"{TALIB} STOCH with simple averages", inputs=BARS,
    parameters=(period(5, name="fast_k"), period(3, name="slow_k"), period(3, name="slow_d")),
    outputs="slow_k slow_d", state="position:int top bottom k_position:int k d_position:int d",
    window=lambda fast_k, slow_k, slow_d: 2 * fast_k + slow_k + slow_d,
    lookback=lambda fast_k, slow_k, slow_d: fast_k + slow_k + slow_d - 3,
)  # fmt: skip
def stoch(
    count, position, top, bottom, k_position, k, d_position, d, memory, at, high, low, close, fast_k, slow_k, slow_d
):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, high, low, fast_k)
    if count < fast_k - 1:
        return position, top, bottom, k_position, k, d_position, d, NAN, NAN
    inside = inside_nb(close, upper, lower)
    k_position, k, total = sum_nb(k_position, k, memory, at + 2 * fast_k, inside, slow_k)
    if count < fast_k + slow_k - 2:
        return position, top, bottom, k_position, k, d_position, d, NAN, NAN
    slow = total / slow_k
    d_position, d, total = sum_nb(d_position, d, memory, at + 2 * fast_k + slow_k, slow, slow_d)
    if count < fast_k + slow_k + slow_d - 3:
        return position, top, bottom, k_position, k, d_position, d, NAN, NAN
    return position, top, bottom, k_position, k, d_position, d, slow, total / slow_d


@indicator(
    "stochf", "Fast stochastic: where the close is in the range, and its simple average; 0 without range.",
    source=f"{TALIB} STOCHF with a simple average", inputs=BARS,
    parameters=(period(5, name="fast_k"), period(3, name="fast_d")), outputs="fast_k fast_d",
    state="position:int top bottom d_position:int d", window=lambda fast_k, fast_d: 2 * fast_k + fast_d,
    lookback=lambda fast_k, fast_d: fast_k + fast_d - 2,
)  # fmt: skip
def stochf(count, position, top, bottom, d_position, d, memory, at, high, low, close, fast_k, fast_d):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, high, low, fast_k)
    if count < fast_k - 1:
        return position, top, bottom, d_position, d, NAN, NAN
    inside = inside_nb(close, upper, lower)
    d_position, d, total = sum_nb(d_position, d, memory, at + 2 * fast_k, inside, fast_d)
    if count < fast_k + fast_d - 2:
        return position, top, bottom, d_position, d, NAN, NAN
    return position, top, bottom, d_position, d, inside, total / fast_d


@indicator(
    "willr", "Williams' %R: how far the close is below the highest high, -100 to 0; 0 without range.",
    source=f"{TALIB} WILLR", inputs=BARS, parameters=(period(14, 2),), state="position:int top bottom",
    window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def willr(count, position, top, bottom, memory, at, high, low, close, period):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, high, low, period)
    percent = -100.0 * (upper - close) / (upper - lower) if upper > lower else 0.0
    return position, top, bottom, percent if count >= period - 1 else NAN


@inlined
def mean_deviation_nb(memory, at, mean, period):
    """Mean distance of a ring's values from their mean: no running form is known, so it visits them all."""
    total = 0.0
    for value in memory[at : at + period]:
        total += abs(value - mean)
    return total / period


@indicator(
    "cci", "Commodity channel index: typical price less its mean, to its mean deviation; 0 without deviation.",
    source=f"{TALIB} CCI", inputs=BARS, parameters=(period(14, 2),),
    state="ring:int position:int head", window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def cci(count, ring, position, head, memory, at, high, low, close, period):
    price = (high + low + close) / 3.0
    ring, _ = delay_nb(ring, memory, at, price, period)
    position, head, total = sum_nb(position, head, memory, at + period, price, period)
    if count < period - 1:
        return ring, position, head, NAN
    mean = total / period
    less = price - mean
    deviation = mean_deviation_nb(memory, at, mean, period)
    # Rounding of the mean alone is no deviation.
    if deviation <= abs(mean) * 1e-14:
        return ring, position, head, 0.0
    return ring, position, head, less / (0.015 * deviation)


@indicator(
    "avgdev", "Mean absolute deviation from the mean.", source="TA-Lib AVGDEV", parameters=(period(14, 2),),
    state="ring:int position:int head", window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def avgdev(count, ring, position, head, memory, at, value, period):
    ring, _ = delay_nb(ring, memory, at, value, period)
    position, head, total = sum_nb(position, head, memory, at + period, value, period)
    if count < period - 1:
        return ring, position, head, NAN
    return ring, position, head, mean_deviation_nb(memory, at, total / period, period)


@indicator(
    "mfi", "Money flow index: turnover on rising typical prices, in percent of both; 0 if there was none.",
    source=f"{TALIB} MFI", inputs="high low close volume", parameters=(period(14, 2),),
    state="last position:int up down", window=lambda period: 2 * period, lookback=lambda period: period,
)  # fmt: skip
def mfi(count, last, position, up, down, memory, at, high, low, close, volume, period):
    price = (high + low + close) / 3.0
    money = price * volume
    rise = money if count > 0 and price > last else 0.0
    fall = money if count > 0 and price < last else 0.0
    position, up, down, rises, falls = sum_two_nb(position, up, down, memory, at, rise, fall, period)
    total = rises + falls
    index = 100.0 * rises / total if total > 0.0 else 0.0
    return price, position, up, down, index if count >= period else NAN


@indicator(
    "ultosc", "Ultimate oscillator: buying pressure to true range over three periods, weighted 4, 2 and 1.",
    source=f"{TALIB} ULTOSC", inputs=BARS,
    parameters=(period(7, name="short"), period(14, name="middle"), period(28, name="long")),
    state="last a1:int a2 a3 b1:int b2 b3 c1:int c2 c3",
    window=lambda short, middle, long: 2 * (short + middle + long),
    lookback=lambda short, middle, long: max(short, middle, long),
)  # fmt: skip
def ultosc(count, last, a1, a2, a3, b1, b2, b3, c1, c2, c3, memory, at, high, low, close, short, middle, long):
    pressure = close - min(low, last) if count > 0 else 0.0
    width = max(high, last) - min(low, last) if count > 0 else 0.0
    a1, a2, a3, pressure_short, width_short = sum_two_nb(a1, a2, a3, memory, at, pressure, width, short)
    at += 2 * short
    b1, b2, b3, pressure_middle, width_middle = sum_two_nb(b1, b2, b3, memory, at, pressure, width, middle)
    at += 2 * middle
    c1, c2, c3, pressure_long, width_long = sum_two_nb(c1, c2, c3, memory, at, pressure, width, long)
    total = 4.0 * pressure_short / width_short if width_short > 0.0 else 0.0
    total += 2.0 * pressure_middle / width_middle if width_middle > 0.0 else 0.0
    total += pressure_long / width_long if width_long > 0.0 else 0.0
    value = 100.0 * (total / 7.0) if count >= max(short, middle, long) else NAN
    return close, a1, a2, a3, b1, b2, b3, c1, c2, c3, value
