"""Volatility and returns. Annual figures take ``bars_per_year`` (252 for daily bars); 0 leaves them a bar."""

from math import sqrt

from kernel.indicators.averages_nb import NAN, ema_of_nb
from kernel.indicators.declare import factor, indicator, period
from kernel.indicators.elementary_nb import log_nb
from kernel.indicators.windows_nb import delay_nb, moments_nb, sum_nb
from kernel.jit import inlined

BAR = "open high low close"
YEAR = factor("bars_per_year", 252.0, 0.0, 1e9)
LN16 = 2.772588722239781
GK = 0.3862943611198906  # 2 ln 2 - 1


@inlined
def log_ratio_nb(value, other):
    """ln(value / other); 0 where one of them is not positive."""
    return log_nb(value / other) if value > 0.0 and other > 0.0 else 0.0


@inlined
def annual_nb(variance, bars_per_year):
    """Standard deviation of a year from the variance of a bar; never less than 0."""
    scale = bars_per_year if bars_per_year > 0.0 else 1.0
    return sqrt(variance * scale) if variance > 0.0 else 0.0


@indicator(
    "return", "Simple return over the period; 0 if the old value was 0.", source="definition", parameters=(period(1),),
    state="position:int", window=lambda period: period, lookback=lambda period: period,
)  # fmt: skip
def simple_return(count, position, memory, at, value, period):
    position, old = delay_nb(position, memory, at, value, period)
    change = (value - old) / old if old != 0.0 else 0.0
    return position, change if count >= period else NAN


@indicator(
    "log_return", "Logarithmic return over the period; 0 where a value is not positive.", source="definition",
    parameters=(period(1),), state="position:int", window=lambda period: period, lookback=lambda period: period,
)  # fmt: skip
def log_return(count, position, memory, at, value, period):
    position, old = delay_nb(position, memory, at, value, period)
    return position, log_ratio_nb(value, old) if count >= period else NAN


@indicator(
    "returns", "Simple returns over four horizons at once; 0 if the old value was 0.", source="definition",
    parameters=(period(1, name="first"), period(5, name="second"), period(21, name="third"), period(63, name="fourth")),
    outputs="first second third fourth", state="p1:int p2:int p3:int p4:int",
    window=lambda first, second, third, fourth: first + second + third + fourth,
    lookback=lambda first, second, third, fourth: max(first, second, third, fourth),
)  # fmt: skip
def returns(count, p1, p2, p3, p4, memory, at, value, first, second, third, fourth):
    p1, one = delay_nb(p1, memory, at, value, first)
    p2, two = delay_nb(p2, memory, at + first, value, second)
    p3, three = delay_nb(p3, memory, at + first + second, value, third)
    p4, four = delay_nb(p4, memory, at + first + second + third, value, fourth)
    ready = 1.0 if count >= max(first, second, third, fourth) else NAN
    one = (value - one) / one * ready if one != 0.0 else 0.0 * ready
    two = (value - two) / two * ready if two != 0.0 else 0.0 * ready
    three = (value - three) / three * ready if three != 0.0 else 0.0 * ready
    four = (value - four) / four * ready if four != 0.0 else 0.0 * ready
    return p1, p2, p3, p4, one, two, three, four


@indicator(
    "volatility_close", "Realised volatility: sample deviation of logarithmic one-bar returns, annual.",
    source="definition, close to close", parameters=(period(20, 2), YEAR),
    state="last position:int shift head squares", window=lambda period, bars_per_year: 2 * period,
    lookback=lambda period, bars_per_year: period,
)  # fmt: skip
def volatility_close(count, last, position, shift, head, squares, memory, at, value, period, bars_per_year):
    spread = 0.0
    if count > 0:
        move = log_ratio_nb(value, last)
        position, shift, head, squares, _, spread = moments_nb(position, shift, head, squares, memory, at, move, period)
    volatility = annual_nb(spread / (period - 1.0), bars_per_year) if count >= period else NAN
    return value, position, shift, head, squares, volatility


@indicator(
    "volatility_parkinson", "Realised volatility from high and low, annual.",
    source="M. Parkinson, The Extreme Value Method (1980)", inputs="high low", parameters=(period(20), YEAR),
    state="position:int head", window=lambda period, bars_per_year: period,
    lookback=lambda period, bars_per_year: period - 1,
)  # fmt: skip
def volatility_parkinson(count, position, head, memory, at, high, low, period, bars_per_year):
    width = log_ratio_nb(high, low)
    position, head, total = sum_nb(position, head, memory, at, width * width, period)
    return position, head, annual_nb(total / (period * LN16), bars_per_year) if count >= period - 1 else NAN


@indicator(
    "volatility_garman_klass", "Realised volatility from open, high, low and close, annual.",
    source="M. Garman and M. Klass (1980)", inputs=BAR, parameters=(period(20), YEAR), state="position:int head",
    window=lambda period, bars_per_year: period, lookback=lambda period, bars_per_year: period - 1,
)  # fmt: skip
def volatility_garman_klass(count, position, head, memory, at, open, high, low, close, period, bars_per_year):
    width = log_ratio_nb(high, low)
    body = log_ratio_nb(close, open)
    position, head, total = sum_nb(position, head, memory, at, 0.5 * width * width - GK * body * body, period)
    return position, head, annual_nb(total / period, bars_per_year) if count >= period - 1 else NAN


@inlined
def rogers_satchell_nb(open, high, low, close):
    """Variance of one bar that a drift does not disturb. Source: L. Rogers and S. Satchell (1991)."""
    up = log_ratio_nb(high, open)
    down = log_ratio_nb(low, open)
    body = log_ratio_nb(close, open)
    return up * (up - body) + down * (down - body)


@indicator(
    "volatility_rogers_satchell", "Realised volatility that allows for a drift, annual.",
    source="L. Rogers and S. Satchell (1991)", inputs=BAR, parameters=(period(20), YEAR), state="position:int head",
    window=lambda period, bars_per_year: period, lookback=lambda period, bars_per_year: period - 1,
)  # fmt: skip
def volatility_rogers_satchell(count, position, head, memory, at, open, high, low, close, period, bars_per_year):
    variance = rogers_satchell_nb(open, high, low, close)
    position, head, total = sum_nb(position, head, memory, at, variance, period)
    return position, head, annual_nb(total / period, bars_per_year) if count >= period - 1 else NAN


@indicator(
    "volatility_yang_zhang", "Realised volatility that allows for a drift and for gaps between bars, annual.",
    source="D. Yang and Q. Zhang (2000), with k = 0.34 / (1.34 + (n + 1) / (n - 1))", inputs=BAR,
    parameters=(period(20, 2), YEAR),
    state="last gap_at:int gap_shift gap gaps body_at:int body_shift body bodies position:int head",
    window=lambda period, bars_per_year: 5 * period, lookback=lambda period, bars_per_year: period,
)  # fmt: skip
def volatility_yang_zhang(
    count, last, gap_at, gap_shift, gap, gaps, body_at, body_shift, body, bodies, position, head, memory, at, open,
    high, low, close, period, bars_per_year,
):  # fmt: skip
    volatility = NAN
    if count > 0:
        gap_at, gap_shift, gap, gaps, _, between = moments_nb(
            gap_at, gap_shift, gap, gaps, memory, at, log_ratio_nb(open, last), period
        )
        body_at, body_shift, body, bodies, _, within = moments_nb(
            body_at, body_shift, body, bodies, memory, at + 2 * period, log_ratio_nb(close, open), period
        )
        variance = rogers_satchell_nb(open, high, low, close)
        position, head, total = sum_nb(position, head, memory, at + 4 * period, variance, period)
        if count >= period:
            share = 0.34 / (1.34 + (period + 1.0) / (period - 1.0))
            between /= period - 1.0
            within /= period - 1.0
            volatility = annual_nb(between + share * within + (1.0 - share) * total / period, bars_per_year)
    return close, gap_at, gap_shift, gap, gaps, body_at, body_shift, body, bodies, position, head, volatility


@indicator(
    "adr", "Average range: simple average of high less low.", source="TA-Lib ADR", inputs="high low",
    parameters=(period(14),), state="position:int head", window=lambda period: period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def adr(count, position, head, memory, at, high, low, period):
    position, head, total = sum_nb(position, head, memory, at, high - low, period)
    return position, head, total / period if count >= period - 1 else NAN


@indicator(
    "cvi", "Chaikin volatility: rate of change of the exponential average of the range, in percent; 0 if it was 0.",
    source="M. Chaikin; TA-Lib CVI", inputs="high low", parameters=(period(10),), state="average position:int",
    window=lambda period: period, lookback=lambda period: 2 * period - 1,
)  # fmt: skip
def cvi(count, average, position, memory, at, high, low, period):
    average = ema_of_nb(count, average, high - low, period, 0)
    position, old = delay_nb(position, memory, at, average, period)
    change = 100.0 * (average - old) / old if old != 0.0 else 0.0
    return average, position, change if count >= 2 * period - 1 else NAN


@indicator(
    "massi", "Mass index: sum of the average range to the average of that average; 1 a bar without range.",
    source="D. Dorsey (1992); TA-Lib MASSI", inputs="high low", parameters=(period(25), period(9, name="smooth")),
    state="once twice position:int head", window=lambda period, smooth: period,
    lookback=lambda period, smooth: 2 * (smooth - 1) + period - 1,
)  # fmt: skip
def massi(count, once, twice, position, head, memory, at, high, low, period, smooth):
    once = ema_of_nb(count, once, high - low, smooth, 0)
    since = count - (smooth - 1)
    twice = ema_of_nb(since, twice, once, smooth, 0)
    since -= smooth - 1
    mass = NAN
    if since >= 0:
        ratio = once / twice if twice > 0.0 else 1.0
        position, head, total = sum_nb(position, head, memory, at, ratio, period)
        mass = total if since >= period - 1 else NAN
    return once, twice, position, head, mass
