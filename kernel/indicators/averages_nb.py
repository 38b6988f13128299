"""Moving averages of one series."""

from math import sqrt

from kernel.indicators.declare import choice, factor, indicator, period
from kernel.indicators.windows_nb import delay_nb, sum_nb, sum_two_nb, weighted_nb
from kernel.jit import fused_nb, inlined

NAN = float("nan")
TALIB = "TA-Lib"


@inlined
def smooth_nb(count, average, value, length, take, seed):
    """One step of an exponential average that begins as the mean of ``length`` values, or with the first (seed 1).

    ``count`` is how many values came before; nothing happens while it is negative. Written as keep * average + take *
    value with the sum fused, so that from one average to the next it is a single operation.
    """
    if count >= length:
        return fused_nb(average, 1.0 - take, value * take)
    if count < 0:
        return average
    if seed == 1:
        return fused_nb(average, 1.0 - take, value * take) if count > 0 else value
    average += value
    return average / length if count == length - 1 else average


@inlined
def ema_of_nb(count, average, value, length, seed):
    """smooth_nb with the usual weight 2 / (length + 1)."""
    return smooth_nb(count, average, value, length, 2.0 / (length + 1.0), seed)


@inlined
def wilder_of_nb(count, average, value, length):
    """smooth_nb with Wilder's weight 1 / length."""
    return smooth_nb(count, average, value, length, 1.0 / length, 0)


SEED = choice("seed", 2)


@indicator(
    "sma", "Simple moving average.", source=f"{TALIB} SMA",
    parameters=(period(30),), state="position:int head", window=lambda period: period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def sma(count, position, head, memory, at, value, period):
    position, head, total = sum_nb(position, head, memory, at, value, period)
    return position, head, total / period if count >= period - 1 else NAN


@indicator(
    "ema", "Exponential moving average, weight 2 / (period + 1); seed 0 begins with a mean, 1 with the first value.",
    source=f"{TALIB} EMA (seed 0)", parameters=(period(30), SEED), state="average",
    lookback=lambda period, seed: period - 1,
)  # fmt: skip
def ema(count, average, memory, at, value, period, seed):
    average = ema_of_nb(count, average, value, period, seed)
    return average, average if count >= period - 1 else NAN


@indicator(
    "rma", "Wilder's moving average, weight 1 / period, beginning with a mean.", source=f"{TALIB} RMA",
    parameters=(period(14),), state="average", lookback=lambda period: period - 1,
)  # fmt: skip
def rma(count, average, memory, at, value, period):
    average = wilder_of_nb(count, average, value, period)
    return average, average if count >= period - 1 else NAN


@indicator(
    "wma", "Linearly weighted moving average, the latest value weighs most.", source=f"{TALIB} WMA",
    parameters=(period(30),), state="position:int head weighted", window=lambda period: period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def wma(count, position, head, weighted, memory, at, value, period):
    position, head, weighted, total = weighted_nb(position, head, weighted, memory, at, value, period)
    average = total / (period * (period + 1) / 2)
    return position, head, weighted, average if count >= period - 1 else NAN


@indicator(
    "dema", "Double exponential moving average, 2 * EMA - EMA(EMA).", source=f"{TALIB} DEMA (seed 0)",
    parameters=(period(30), SEED), state="once twice", lookback=lambda period, seed: 2 * (period - 1),
)  # fmt: skip
def dema(count, once, twice, memory, at, value, period, seed):
    once = ema_of_nb(count, once, value, period, seed)
    begun = count if seed == 1 else count - (period - 1)
    twice = ema_of_nb(begun, twice, once, period, seed)
    return once, twice, 2.0 * once - twice if count >= 2 * (period - 1) else NAN


@indicator(
    "tema", "Triple exponential moving average, 3 * EMA - 3 * EMA(EMA) + EMA(EMA(EMA)).",
    source=f"{TALIB} TEMA (seed 0)", parameters=(period(30), SEED), state="once twice thrice",
    lookback=lambda period, seed: 3 * (period - 1),
)  # fmt: skip
def tema(count, once, twice, thrice, memory, at, value, period, seed):
    apart = 0 if seed == 1 else period - 1
    once = ema_of_nb(count, once, value, period, seed)
    twice = ema_of_nb(count - apart, twice, once, period, seed)
    thrice = ema_of_nb(count - 2 * apart, thrice, twice, period, seed)
    return once, twice, thrice, 3.0 * once - 3.0 * twice + thrice if count >= 3 * (period - 1) else NAN


@indicator(
    "t3", "Tillson's T3: six exponential averages one upon the other, sharpened by the volume factor.",
    source=f"{TALIB} T3", parameters=(period(5, 2), factor("volume_factor", 0.7, 0.0, 1.0)),
    state="one two three four five six", lookback=lambda period, volume_factor: 6 * (period - 1),
)  # fmt: skip
def t3(count, one, two, three, four, five, six, memory, at, value, period, volume_factor):
    apart = period - 1
    one = ema_of_nb(count, one, value, period, 0)
    two = ema_of_nb(count - apart, two, one, period, 0)
    three = ema_of_nb(count - 2 * apart, three, two, period, 0)
    four = ema_of_nb(count - 3 * apart, four, three, period, 0)
    five = ema_of_nb(count - 4 * apart, five, four, period, 0)
    six = ema_of_nb(count - 5 * apart, six, five, period, 0)
    square = volume_factor * volume_factor
    cube = square * volume_factor
    second = 3.0 * (square + cube)
    third = -6.0 * square - 3.0 * (volume_factor + cube)
    fourth = 1.0 + 3.0 * volume_factor + cube + 3.0 * square
    average = -cube * six + second * five + third * four + fourth * three
    return one, two, three, four, five, six, average if count >= 6 * apart else NAN


@indicator(
    "trima", "Triangular moving average: a mean of means, the middle weighs most.", source=f"{TALIB} TRIMA",
    parameters=(period(30, 2),), state="first_position:int first second_position:int second",
    window=lambda period: period + 1, lookback=lambda period: period - 1,
)  # fmt: skip
def trima(count, first_position, first, second_position, second, memory, at, value, period):
    short = (period + 1) // 2
    long = period // 2 + 1
    first_position, first, total = sum_nb(first_position, first, memory, at, value, short)
    average = 0.0
    if count >= short - 1:
        second_position, second, average = sum_nb(second_position, second, memory, at + short, total / short, long)
    return first_position, first, second_position, second, average / long if count >= period - 1 else NAN


@indicator(
    "hma", "Hull moving average: WMA(2 * WMA(period / 2) - WMA(period), root of period), both rounded down.",
    source="A. Hull; TA-Lib HMA", parameters=(period(16, 2),),
    state="half_position:int half_head half full_position:int full_head full position:int head weighted",
    window=lambda period: period // 2 + period + int(sqrt(period)),
    lookback=lambda period: period + int(sqrt(period)) - 2,
)  # fmt: skip
def hma(
    count, half_position, half_head, half, full_position, full_head, full, position, head, weighted, memory, at, value,
    period,
):  # fmt: skip
    middle = period // 2
    root = int(sqrt(period))
    half_position, half_head, half, quick = weighted_nb(half_position, half_head, half, memory, at, value, middle)
    full_position, full_head, full, slow = weighted_nb(
        full_position, full_head, full, memory, at + middle, value, period
    )
    average = NAN
    if count >= period - 1:
        raw = 2.0 * quick / (middle * (middle + 1) / 2) - slow / (period * (period + 1) / 2)
        position, head, weighted, total = weighted_nb(position, head, weighted, memory, at + middle + period, raw, root)
        if count >= period + root - 2:
            average = total / (root * (root + 1) / 2)
    return half_position, half_head, half, full_position, full_head, full, position, head, weighted, average


@indicator(
    "zlema", "Zero-lag exponential average: an EMA of 2 * value - value (period - 1) / 2 bars ago.",
    source="J. Ehlers and R. Way, Zero lag (2010); TA-Lib ZLEMA (seed 0)", parameters=(period(14), SEED),
    state="position:int average", window=lambda period, seed: (period - 1) // 2 + 1,
    lookback=lambda period, seed: (period - 1) // 2 + period - 1,
)  # fmt: skip
def zlema(count, position, average, memory, at, value, period, seed):
    lag = (period - 1) // 2
    old = value
    if lag > 0:
        position, old = delay_nb(position, memory, at, value, lag)
    average = ema_of_nb(count - lag, average, 2.0 * value - old, period, seed)
    return position, average, average if count >= lag + period - 1 else NAN


@indicator(
    "kama", "Kaufman's adaptive average: quick in a trend, slow in noise.", source=f"{TALIB} KAMA",
    parameters=(period(30), period(2, name="fast"), period(30, name="slow")),
    state="position:int last path_position:int path average",
    window=lambda period, fast, slow: 2 * period, lookback=lambda period, fast, slow: period,
)  # fmt: skip
def kama(count, position, last, path_position, path, average, memory, at, value, period, fast, slow):
    moved = abs(value - last) if count > 0 else 0.0
    position, old = delay_nb(position, memory, at, value, period)
    path_position, path, total = sum_nb(path_position, path, memory, at + period, moved, period)
    if count < period:
        return position, value, path_position, path, value, NAN
    net = value - old
    efficiency = abs(net) / total if total > net and total > 0.0 else 1.0
    floor = 2.0 / (slow + 1.0)
    weight = efficiency * (2.0 / (fast + 1.0) - floor) + floor
    average += weight * weight * (value - average)
    return position, value, path_position, path, average, average


@indicator(
    "vwma", "Moving average weighted by volume; the plain close where there was none.", source="TA-Lib VWMA",
    inputs="close volume", parameters=(period(20),), state="position:int money_head volume_head",
    window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def vwma(count, position, money_head, volume_head, memory, at, close, volume, period):
    position, money_head, volume_head, money, total = sum_two_nb(
        position, money_head, volume_head, memory, at, close * volume, volume, period
    )
    average = money / total if total > 0.0 else close
    return position, money_head, volume_head, average if count >= period - 1 else NAN


@indicator(
    "mavp", "Simple moving average whose period is a series of its own, held between two bounds.",
    source=f"{TALIB} MAVP", inputs="value period", parameters=(period(2, name="lowest"), period(30, name="highest")),
    state="position:int", window=lambda lowest, highest: highest, lookback=lambda lowest, highest: highest - 1,
)  # fmt: skip
def mavp(count, position, memory, at, value, period, lowest, highest):
    memory[at + position] = value
    length = min(max(int(period), lowest), highest)
    total = 0.0
    place = position
    for _ in range(length):
        total += memory[at + place]
        place = place - 1 if place > 0 else highest - 1
    position = position + 1 if position + 1 < highest else 0
    return position, total / length if count >= highest - 1 else NAN
