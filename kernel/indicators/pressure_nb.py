"""Oscillators of bodies, middles and powers, and the composed ones."""

from math import sqrt

from kernel.indicators.averages_nb import NAN, TALIB, ema_of_nb, wilder_of_nb
from kernel.indicators.bands_nb import BARS
from kernel.indicators.declare import indicator, period
from kernel.indicators.elementary_nb import log_nb
from kernel.indicators.extremes_nb import range_nb
from kernel.indicators.momentum_nb import strength_nb
from kernel.indicators.oscillators_nb import inside_nb
from kernel.indicators.windows_nb import delay_nb, moments_nb, sum_nb, unsigned


@indicator(
    "bop", "Balance of power: the bar's body to its range, -1 to 1; 0 without range.", source=f"{TALIB} BOP",
    inputs="open high low close",
)  # fmt: skip
def bop(count, memory, at, open, high, low, close):
    return (close - open) / (high - low) if high > low else 0.0


@indicator(
    "imi", "Intraday momentum index: rising bodies in percent of all bodies; 50 if there were none.",
    source="TA-Lib IMI", inputs="open close", parameters=(period(14, 2),),
    state="up_position:int up all_position:int all", window=lambda period: 2 * period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def imi(count, up_position, up, all_position, all, memory, at, open, close, period):
    body = close - open
    up_position, up, rises = sum_nb(up_position, up, memory, at, body if body > 0.0 else 0.0, period)
    all_position, all, total = sum_nb(all_position, all, memory, at + period, abs(body), period)
    index = 100.0 * rises / total if total > 0.0 else 50.0
    return up_position, up, all_position, all, index if count >= period - 1 else NAN


@indicator(
    "qstick", "Simple average of the bodies.", source="T. Chande; TA-Lib QSTICK", inputs="open close",
    parameters=(period(10),), state="position:int head", window=lambda period: period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def qstick(count, position, head, memory, at, open, close, period):
    position, head, total = sum_nb(position, head, memory, at, close - open, period)
    return position, head, total / period if count >= period - 1 else NAN


@indicator(
    "ao", "Awesome oscillator: fast less slow simple average of the bar's middle.", source="B. Williams; TA-Lib AO",
    inputs="high low", parameters=(period(5, name="fast"), period(34, name="slow")),
    state="fast_position:int fast_head slow_position:int slow_head", window=lambda fast, slow: fast + slow,
    lookback=lambda fast, slow: max(fast, slow) - 1,
)  # fmt: skip
def ao(count, fast_position, fast_head, slow_position, slow_head, memory, at, high, low, fast, slow):
    middle = (high + low) / 2.0
    fast_position, fast_head, quick = sum_nb(fast_position, fast_head, memory, at, middle, fast)
    slow_position, slow_head, steady = sum_nb(slow_position, slow_head, memory, at + fast, middle, slow)
    difference = quick / fast - steady / slow if count >= max(fast, slow) - 1 else NAN
    return fast_position, fast_head, slow_position, slow_head, difference


@indicator(
    "ac", "Accelerator: the awesome oscillator less its simple average.", source="B. Williams; TA-Lib AC",
    inputs="high low", parameters=(period(5, name="fast"), period(34, name="slow"), period(5, name="signal")),
    state="fast_position:int fast_head slow_position:int slow_head position:int head",
    window=lambda fast, slow, signal: fast + slow + signal,
    lookback=lambda fast, slow, signal: max(fast, slow) + signal - 2,
)  # fmt: skip
def ac(count, fast_position, fast_head, slow_position, slow_head, position, head, memory, at, high, low, fast, slow,
       signal):  # fmt: skip
    middle = (high + low) / 2.0
    fast_position, fast_head, quick = sum_nb(fast_position, fast_head, memory, at, middle, fast)
    slow_position, slow_head, steady = sum_nb(slow_position, slow_head, memory, at + fast, middle, slow)
    value = NAN
    if count >= max(fast, slow) - 1:
        difference = quick / fast - steady / slow
        position, head, total = sum_nb(position, head, memory, at + fast + slow, difference, signal)
        if count >= max(fast, slow) + signal - 2:
            value = difference - total / signal
    return fast_position, fast_head, slow_position, slow_head, position, head, value


@indicator(
    "eri", "Elder ray: bull and bear power, high and low less the exponential average of the close.",
    source="A. Elder, Trading for a Living (1993); TA-Lib ERI", inputs=BARS, parameters=(period(13),),
    outputs="bull bear", state="average", lookback=lambda period: period - 1,
)  # fmt: skip
def eri(count, average, memory, at, high, low, close, period):
    average = ema_of_nb(count, average, close, period, 0)
    shown = average if count >= period - 1 else NAN
    return average, high - shown, low - shown


@indicator(
    "fisher", "Fisher transform of the smoothed place of the bar's middle in its range, and that of the bar before.",
    source="J. Ehlers, Using the Fisher Transform (2002)", inputs="high low", parameters=(period(10, 2),),
    outputs="fisher trigger", state="position:int top bottom place transform", window=lambda period: 2 * period,
    lookback=lambda period: period,
)  # fmt: skip
def fisher(count, position, top, bottom, place, transform, memory, at, high, low, period):
    middle = (high + low) / 2.0
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, middle, middle, period)
    if count < period - 1:
        return position, top, bottom, place, transform, NAN, NAN
    inside = (middle - lower) / (upper - lower) - 0.5 if upper > lower else 0.0
    place = min(max(0.66 * inside + 0.67 * place, -0.999), 0.999)
    before = transform
    transform = 0.5 * log_nb((1.0 + place) / (1.0 - place)) + 0.5 * before
    if count < period:
        return position, top, bottom, place, transform, NAN, NAN
    return position, top, bottom, place, transform, transform, before


@indicator(
    "smi", "Stochastic momentum index: distance from the middle of the range, doubly smoothed, and its signal.",
    source="W. Blau, Momentum, Direction and Divergence (1995)", inputs=BARS,
    parameters=(period(10), period(3, name="slow"), period(3, name="fast"), period(10, name="signal")),
    outputs="smi signal", state="position:int top bottom one two size_one size_two average",
    window=lambda period, slow, fast, signal: 2 * period,
    lookback=lambda period, slow, fast, signal: period + slow + fast + signal - 4,
)  # fmt: skip
def smi(
    count, position, top, bottom, one, two, size_one, size_two, average, memory, at, high, low, close, period, slow,
    fast, signal,
):  # fmt: skip
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, high, low, period)
    since = count - (period - 1)
    one = ema_of_nb(since, one, close - (upper + lower) / 2.0, slow, 0)
    size_one = ema_of_nb(since, size_one, (upper - lower) / 2.0, slow, 0)
    since -= slow - 1
    two = ema_of_nb(since, two, one, fast, 0)
    size_two = ema_of_nb(since, size_two, size_one, fast, 0)
    since -= fast - 1
    index = 100.0 * two / size_two if size_two > 0.0 else 0.0
    average = ema_of_nb(since, average, index, signal, 0)
    if since < signal - 1:
        return position, top, bottom, one, two, size_one, size_two, average, NAN, NAN
    return position, top, bottom, one, two, size_one, size_two, average, index, average


@indicator(
    "connors_rsi", "Connors RSI: mean of an RSI, the RSI of the length of the streak, and the rank of the last change.",
    source="L. Connors and C. Alvarez (2012)",
    parameters=(period(3, 2), period(2, 2, "streak_period"), period(100, 2, "rank_period")),
    state="last up down streak streak_up streak_down ring:int",
    window=lambda period, streak_period, rank_period: rank_period,
    lookback=lambda period, streak_period, rank_period: max(period, streak_period, rank_period + 1),
)  # fmt: skip
def connors_rsi(
    count, last, up, down, streak, streak_up, streak_down, ring, memory, at, value, period, streak_period, rank_period
):
    up, down = strength_nb(count, last, up, down, value, period)
    before = streak
    change = 0.0
    if count > 0:
        change = (value - last) / last if last != 0.0 else 0.0
        if value > last:
            streak = streak + 1.0 if streak > 0.0 else 1.0
        elif value < last:
            streak = streak - 1.0 if streak < 0.0 else -1.0
        else:
            streak = 0.0
    streak_up, streak_down = strength_nb(count, before, streak_up, streak_down, streak, streak_period)
    index = NAN
    if count >= max(period, streak_period, rank_period + 1):
        below = 0
        for one in memory[at : at + rank_period]:
            below += one < change
        total = up + down
        strength = 100.0 * up / total if total > 0.0 else 50.0
        total = streak_up + streak_down
        length = 100.0 * streak_up / total if total > 0.0 else 50.0
        index = (strength + length + 100.0 * below / rank_period) / 3.0
    if count > 0:
        ring, _ = delay_nb(ring, memory, at, change, rank_period)
    return value, up, down, streak, streak_up, streak_down, ring, index


@indicator(
    "kdj", "KDJ: stochastic smoothed twice by Wilder's average, and 3 K - 2 D.", source="TA-Lib KDJ", inputs=BARS,
    parameters=(period(9), period(3, name="smooth"), period(3, name="signal")), outputs="k d j",
    state="position:int top bottom k d", window=lambda period, smooth, signal: 2 * period,
    lookback=lambda period, smooth, signal: period + smooth + signal - 3,
)  # fmt: skip
def kdj(count, position, top, bottom, k, d, memory, at, high, low, close, period, smooth, signal):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, high, low, period)
    since = count - (period - 1)
    k = wilder_of_nb(since, k, inside_nb(close, upper, lower), smooth)
    d = wilder_of_nb(since - (smooth - 1), d, k, signal)
    shown = k if since >= smooth + signal - 2 else NAN
    return position, top, bottom, k, d, shown, d + 0.0 * shown, 3.0 * shown - 2.0 * d


@indicator(
    "fractal", "Williams' fractals: 100 when the bar right bars ago was a swing high, or a swing low.",
    source="B. Williams; TA-Lib FRACTAL", inputs="high low",
    parameters=(period(2, name="left"), period(2, name="right")), outputs="swing_high swing_low",
    past="high low", depth=lambda left, right: left + right + 1, lookback=lambda left, right: left + right,
)  # fmt: skip
def fractal(count, high_past, high_now, low_past, low_now, high, low, left, right):
    top = high_past[unsigned(high_now - right)]
    bottom = low_past[unsigned(low_now - right)]
    above = 0
    below = 0
    for back in range(left + right + 1):  # the bar itself is among them, and neither above nor below itself
        above += high_past[unsigned(high_now - back)] < top
        below += low_past[unsigned(low_now - back)] > bottom
    if count < left + right:
        return NAN, NAN
    return 100.0 if above == left + right else 0.0, 100.0 if below == left + right else 0.0


@indicator(
    "rvi", "Relative volatility index: Wilder's average of deviations on rises, in percent of all; 50 without any.",
    source="D. Dorsey (1993); TA-Lib RVI", parameters=(period(14), period(10, 2, "deviation_period")),
    state="last position:int shift head squares up down",
    window=lambda period, deviation_period: 2 * deviation_period,
    lookback=lambda period, deviation_period: period + deviation_period - 2,
)  # fmt: skip
def rvi(count, last, position, shift, head, squares, up, down, memory, at, value, period, deviation_period):
    shift = value if count == 0 else shift
    position, shift, head, squares, _, spread = moments_nb(
        position, shift, head, squares, memory, at, value, deviation_period
    )
    deviation = sqrt(spread / deviation_period)
    since = count - (deviation_period - 1)
    up = wilder_of_nb(since, up, deviation if value > last else 0.0, period)
    down = wilder_of_nb(since, down, deviation if value < last else 0.0, period)
    total = up + down
    index = 100.0 * up / total if total > 0.0 else 50.0
    return value, position, shift, head, squares, up, down, index if since >= period - 1 else NAN
