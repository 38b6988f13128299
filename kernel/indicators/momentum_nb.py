"""Momentum of one series: differences, ratios, and strengths of rises against falls."""

from kernel.indicators.averages_nb import NAN, TALIB, wilder_of_nb
from kernel.indicators.declare import choice, indicator, period
from kernel.indicators.extremes_nb import range_nb
from kernel.indicators.windows_nb import delay_nb, sum_nb, unsigned
from kernel.jit import inlined

AVERAGE = choice("average", 2)  # 0 simple, 1 exponential


@indicator(
    "mom", "Momentum: the change over the period.", source=f"{TALIB} MOM", parameters=(period(10),),
    past="value", depth=lambda period: period + 1, lookback=lambda period: period,
)  # fmt: skip
def mom(count, value_past, value_now, value, period):
    old = value_past[unsigned(value_now - period)]
    return value - old if count >= period else NAN


@indicator(
    "roc", "Rate of change in percent; 0 if the old value was 0.", source=f"{TALIB} ROC", parameters=(period(10),),
    past="value", depth=lambda period: period + 1, lookback=lambda period: period,
)  # fmt: skip
def roc(count, value_past, value_now, value, period):
    old = value_past[unsigned(value_now - period)]
    if count < period:
        return NAN
    return (value / old - 1.0) * 100.0 if old != 0.0 else 0.0


@indicator(
    "rocp", "Rate of change as a fraction; 0 if the old value was 0.", source=f"{TALIB} ROCP", parameters=(period(10),),
    past="value", depth=lambda period: period + 1, lookback=lambda period: period,
)  # fmt: skip
def rocp(count, value_past, value_now, value, period):
    old = value_past[unsigned(value_now - period)]
    if count < period:
        return NAN
    return (value - old) / old if old != 0.0 else 0.0


@indicator(
    "rocr", "Value to its old value; 0 if that was 0.", source=f"{TALIB} ROCR", parameters=(period(10),),
    past="value", depth=lambda period: period + 1, lookback=lambda period: period,
)  # fmt: skip
def rocr(count, value_past, value_now, value, period):
    old = value_past[unsigned(value_now - period)]
    if count < period:
        return NAN
    return value / old if old != 0.0 else 0.0


@indicator(
    "rocr100", "Value to its old value in percent; 0 if that was 0.", source=f"{TALIB} ROCR100",
    parameters=(period(10),), past="value", depth=lambda period: period + 1, lookback=lambda period: period,
)  # fmt: skip
def rocr100(count, value_past, value_now, value, period):
    old = value_past[unsigned(value_now - period)]
    if count < period:
        return NAN
    return value / old * 100.0 if old != 0.0 else 0.0


@inlined
def strength_nb(count, last, up, down, value, period):
    """Wilder's averages of rises and falls. Returns up, down; defined from ``count`` == ``period`` on."""
    if count == 0:
        return up, down
    change = value - last
    gain = change if change > 0.0 else 0.0
    up = wilder_of_nb(count - 1, up, gain, period)
    down = wilder_of_nb(count - 1, down, gain - change, period)
    return up, down


@indicator(
    "rsi", "Relative strength index by Wilder's smoothing; 50 if nothing has moved.",
    source="J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib RSI, which gives 0 if nothing moved",
    parameters=(period(14, 2),), state="last up down", lookback=lambda period: period,
)  # fmt: skip
def rsi(count, last, up, down, memory, at, value, period):
    up, down = strength_nb(count, last, up, down, value, period)
    if count < period:
        return value, up, down, NAN
    total = up + down
    return value, up, down, 100.0 * up / total if total > 0.0 else 50.0


@indicator(
    "cmo", "Chande momentum oscillator by Wilder's smoothing, -100 to 100; 0 if nothing has moved.",
    source=f"{TALIB} CMO", parameters=(period(14, 2),), state="last up down", lookback=lambda period: period,
)  # fmt: skip
def cmo(count, last, up, down, memory, at, value, period):
    up, down = strength_nb(count, last, up, down, value, period)
    if count < period:
        return value, up, down, NAN
    total = up + down
    return value, up, down, 100.0 * (up - down) / total if total > 0.0 else 0.0


@indicator(
    "cmou", "Chande momentum oscillator of plain sums, as its author defined it; 0 if nothing has moved.",
    source="T. Chande and S. Kroll, The New Technical Trader (1994); TA-Lib CMOU", parameters=(period(14, 2),),
    state="last up_position:int up down_position:int down", window=lambda period: 2 * period,
    lookback=lambda period: period,
)  # fmt: skip
def cmou(count, last, up_position, up, down_position, down, memory, at, value, period):
    change = value - last if count > 0 else 0.0
    gain = change if change > 0.0 else 0.0
    up_position, up, rises = sum_nb(up_position, up, memory, at, gain, period)
    down_position, down, falls = sum_nb(down_position, down, memory, at + period, gain - change, period)
    total = rises + falls
    strength = 100.0 * (rises - falls) / total if total > 0.0 else 0.0
    return value, up_position, up, down_position, down, strength if count >= period else NAN


@indicator(
    "stochrsi", "Stochastic of the RSI: where it stands in its own range, and the mean of that.",
    source=f"{TALIB} STOCHRSI with a simple average",
    parameters=(period(14, 2), period(5, name="fast_k"), period(3, name="fast_d")), outputs="fast_k fast_d",
    state="last up down position:int top bottom mean_position:int mean",
    window=lambda period, fast_k, fast_d: 2 * fast_k + fast_d,
    lookback=lambda period, fast_k, fast_d: period + fast_k + fast_d - 2,
)  # fmt: skip
def stochrsi(
    count, last, up, down, position, top, bottom, mean_position, mean, memory, at, value, period, fast_k, fast_d
):
    up, down = strength_nb(count, last, up, down, value, period)
    inside = NAN
    smooth = NAN
    if count >= period:
        total = up + down
        strength = 100.0 * up / total if total > 0.0 else 50.0
        position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, strength, strength, fast_k)
        if count >= period + fast_k - 1:
            inside = 100.0 * (strength - lower) / (upper - lower) if upper > lower else 0.0
            mean_position, mean, total = sum_nb(mean_position, mean, memory, at + 2 * fast_k, inside, fast_d)
            smooth = total / fast_d
            if count < period + fast_k + fast_d - 2:
                return value, up, down, position, top, bottom, mean_position, mean, NAN, NAN
    return value, up, down, position, top, bottom, mean_position, mean, inside, smooth


@indicator(
    "er", "Kaufman's efficiency ratio: net change to the path walked, 0 to 1; 0 if nothing has moved.",
    source="P. Kaufman, Smarter Trading (1995); TA-Lib ER", parameters=(period(10),),
    state="position:int last path_position:int path", window=lambda period: 2 * period,
    lookback=lambda period: period,
)  # fmt: skip
def er(count, position, last, path_position, path, memory, at, value, period):
    moved = abs(value - last) if count > 0 else 0.0
    position, old = delay_nb(position, memory, at, value, period)
    path_position, path, total = sum_nb(path_position, path, memory, at + period, moved, period)
    ratio = abs(value - old) / total if total > 0.0 else 0.0
    return position, value, path_position, path, ratio if count >= period else NAN


@indicator(
    "vhf", "Vertical horizontal filter: range of the values to the path walked; 0 if nothing has moved.",
    source="A. White (1991); TA-Lib VHF", parameters=(period(28, 2),),
    state="position:int top bottom last path_position:int path", window=lambda period: 3 * period,
    lookback=lambda period: period,
)  # fmt: skip
def vhf(count, position, top, bottom, last, path_position, path, memory, at, value, period):
    moved = abs(value - last) if count > 0 else 0.0
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, value, value, period)
    path_position, path, total = sum_nb(path_position, path, memory, at + 2 * period, moved, period)
    ratio = (upper - lower) / total if total > 0.0 else 0.0
    return position, top, bottom, value, path_position, path, ratio if count >= period else NAN


@indicator(
    "dpo", "Detrended price oscillator: the value period / 2 + 1 bars ago less the simple average.",
    source="TA-Lib DPO", parameters=(period(20),), state="delay_position:int position:int head",
    window=lambda period: period // 2 + 1 + period, lookback=lambda period: max(period - 1, period // 2 + 1),
)  # fmt: skip
def dpo(count, delay_position, position, head, memory, at, value, period):
    back = period // 2 + 1
    delay_position, old = delay_nb(delay_position, memory, at, value, back)
    position, head, total = sum_nb(position, head, memory, at + back, value, period)
    ready = count >= max(period - 1, back)
    return delay_position, position, head, old - total / period if ready else NAN
