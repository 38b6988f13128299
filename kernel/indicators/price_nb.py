"""Prices made of one bar, and plain arithmetic of one or two series."""

from kernel.indicators.averages_nb import NAN, TALIB
from kernel.indicators.declare import indicator, period
from kernel.indicators.extremes_nb import highest_age_nb, highest_nb, lowest_nb, range_nb
from kernel.indicators.windows_nb import sum_nb

BAR = "open high low close"


@indicator("avgprice", "Mean of open, high, low and close.", source=f"{TALIB} AVGPRICE", inputs=BAR)
def avgprice(count, memory, at, open, high, low, close):
    return (high + low + close + open) / 4.0


@indicator("medprice", "Middle of high and low.", source=f"{TALIB} MEDPRICE", inputs="high low")
def medprice(count, memory, at, high, low):
    return (high + low) / 2.0


@indicator("typprice", "Mean of high, low and close.", source=f"{TALIB} TYPPRICE", inputs="high low close")
def typprice(count, memory, at, high, low, close):
    return (high + low + close) / 3.0


@indicator("wclprice", "Mean of high, low and twice the close.", source=f"{TALIB} WCLPRICE", inputs="high low close")
def wclprice(count, memory, at, high, low, close):
    return (high + low + close * 2.0) / 4.0


@indicator(
    "heikin_ashi", "Heikin-Ashi bars: averaged open, high, low and close.", source="D. Valcu (2004); TA-Lib HA",
    inputs=BAR, outputs="open high low close", state="last_open last_close",
)  # fmt: skip
def heikin_ashi(count, last_open, last_close, memory, at, open, high, low, close):
    middle = (open + high + low + close) / 4.0
    begin = (last_open + last_close) / 2.0 if count > 0 else (open + close) / 2.0
    return begin, middle, begin, max(high, begin, middle), min(low, begin, middle), middle


@indicator("add", "Sum of two series.", source=f"{TALIB} ADD", inputs="value other")
def add(count, memory, at, value, other):
    return value + other


@indicator("sub", "Difference of two series.", source=f"{TALIB} SUB", inputs="value other")
def sub(count, memory, at, value, other):
    return value - other


@indicator("mult", "Product of two series.", source=f"{TALIB} MULT", inputs="value other")
def mult(count, memory, at, value, other):
    return value * other


@indicator("div", "Ratio of two series; NaN where the second is 0.", source=f"{TALIB} DIV", inputs="value other")
def div(count, memory, at, value, other):
    return value / other if other != 0.0 else NAN


@indicator("cumsum", "Sum of all values so far.", source="TA-Lib CUMSUM", state="total error")
def cumsum(count, total, error, memory, at, value):
    # Neumaier's compensated sum, so that a long run does not drift.
    grown = total + value
    error += (total - grown) + value if abs(total) >= abs(value) else (value - grown) + total
    return grown, error, grown + error


@indicator(
    "sum", "Sum over the period.", source=f"{TALIB} SUM", parameters=(period(30),), state="position:int head",
    window=lambda period: period, lookback=lambda period: period - 1,
)  # fmt: skip
def sum(count, position, head, memory, at, value, period):
    position, head, total = sum_nb(position, head, memory, at, value, period)
    return position, head, total if count >= period - 1 else NAN


@indicator(
    "max", "Largest value of the period.", source=f"{TALIB} MAX", parameters=(period(30),), outputs="max",
    state="position:int head", window=lambda period: period, lookback=lambda period: period - 1,
)  # fmt: skip
def maximum(count, position, head, memory, at, value, period):
    position, head, best = highest_nb(position, head, memory, at, value, period)
    return position, head, best if count >= period - 1 else NAN


@indicator(
    "min", "Smallest value of the period.", source=f"{TALIB} MIN", parameters=(period(30),), outputs="min",
    state="position:int head", window=lambda period: period, lookback=lambda period: period - 1,
)  # fmt: skip
def minimum(count, position, head, memory, at, value, period):
    position, head, best = lowest_nb(position, head, memory, at, value, period)
    return position, head, best if count >= period - 1 else NAN


@indicator(
    "minmax", "Smallest and largest value of the period.", source=f"{TALIB} MINMAX", parameters=(period(30),),
    outputs="min max", state="position:int top bottom", window=lambda period: 2 * period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def minmax(count, position, top, bottom, memory, at, value, period):
    position, top, bottom, upper, lower = range_nb(position, top, bottom, memory, at, value, value, period)
    ready = count >= period - 1
    return position, top, bottom, lower if ready else NAN, upper if ready else NAN


@indicator(
    "maxindex", "Which value of the period is largest, counted from the first bar; the latest of equal ones.",
    source=f"{TALIB} MAXINDEX (which of equal ones it takes depends on what came before)", parameters=(period(30),),
    state="position:int head head_at:int", window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def maxindex(count, position, head, head_at, memory, at, value, period):
    position, head, head_at, _, age = highest_age_nb(position, head, head_at, memory, at, value, period)
    return position, head, head_at, float(count - age) if count >= period - 1 else NAN


@indicator(
    "minindex", "Which value of the period is smallest, counted from the first bar; the latest of equal ones.",
    source=f"{TALIB} MININDEX (which of equal ones it takes depends on what came before)", parameters=(period(30),),
    state="position:int head head_at:int", window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def minindex(count, position, head, head_at, memory, at, value, period):
    position, head, head_at, _, age = highest_age_nb(position, head, head_at, memory, at, -value, period)
    return position, head, head_at, float(count - age) if count >= period - 1 else NAN


@indicator(
    "minmaxindex", "Which values of the period are smallest and largest, counted from the first bar.",
    source=f"{TALIB} MINMAXINDEX (which of equal ones it takes depends on what came before)",
    parameters=(period(30),), outputs="minindex maxindex",
    state="low_position:int low low_at:int high_position:int high high_at:int",
    window=lambda period: 4 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def minmaxindex(count, low_position, low, low_at, high_position, high, high_at, memory, at, value, period):
    low_position, low, low_at, _, low_age = highest_age_nb(low_position, low, low_at, memory, at, -value, period)
    high_position, high, high_at, _, high_age = highest_age_nb(
        high_position, high, high_at, memory, at + 2 * period, value, period
    )
    lowest = float(count - low_age) if count >= period - 1 else NAN
    highest = float(count - high_age) if count >= period - 1 else NAN
    return low_position, low, low_at, high_position, high, high_at, lowest, highest
