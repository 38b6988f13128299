"""Wilder's directional movement, true range, stop and reverse; trend strength."""

from kernel.indicators.averages_nb import NAN, TALIB
from kernel.indicators.bands_nb import BARS, atr_of_nb, true_range_nb
from kernel.indicators.declare import choice, indicator, period
from kernel.indicators.extremes_nb import highest_age_nb
from kernel.indicators.windows_nb import delay_nb, sum_nb
from kernel.jit import fused_nb, inlined

MOVES = "last_high last_low last_close up down width"


@indicator("trange", "True range: the bar's range, widened to the close before.", source=f"{TALIB} TRANGE", inputs=BARS,
           state="last", lookback=lambda: 1)  # fmt: skip
def trange(count, last, memory, at, high, low, close):
    return close, true_range_nb(count, last, high, low) if count > 0 else NAN


@indicator(
    "atr", "Average true range by Wilder's smoothing.", source=f"{TALIB} ATR", inputs=BARS, parameters=(period(14),),
    state="last average", lookback=lambda period: period,
)  # fmt: skip
def atr(count, last, average, memory, at, high, low, close, period):
    average = atr_of_nb(count, average, last, high, low, period)
    return close, average, average if count >= period else NAN


@indicator(
    "natr", "Average true range in percent of the close; 0 if that is 0.", source=f"{TALIB} NATR", inputs=BARS,
    parameters=(period(14),), state="last average", lookback=lambda period: period,
)  # fmt: skip
def natr(count, last, average, memory, at, high, low, close, period):
    average = atr_of_nb(count, average, last, high, low, period)
    if count < period:
        return close, average, NAN
    return close, average, 100.0 * average / close if close != 0.0 else 0.0


WILDER_SEED = choice("seed", 2)


@inlined
def wilder_sum_nb(count, total, value, period, seed):
    """Wilder's running sum: a plain one at first, then total - total / period + value.

    Of the first ``period`` - 1 values with seed 0, of ``period`` with seed 1.
    """
    if count < period + seed:
        return total + value
    return fused_nb(total, 1.0 - 1.0 / period, value)


@inlined
def moves_nb(last_high, last_low, high, low):
    """Directional movement up and down: of the two moves the larger, if positive."""
    up = high - last_high
    down = last_low - low
    if down > 0.0 and up < down:
        return 0.0, down
    if up > 0.0 and up > down:
        return up, 0.0
    return 0.0, 0.0


@inlined
def movement_nb(count, last_high, last_low, last_close, up, down, width, high, low, close, period, seed):
    """One step of Wilder's sums of both movements and the true range: the new ``MOVES``."""
    if count > 0:
        rise, fall = moves_nb(last_high, last_low, high, low)
        up = wilder_sum_nb(count, up, rise, period, seed)
        down = wilder_sum_nb(count, down, fall, period, seed)
        width = wilder_sum_nb(count, width, true_range_nb(count, last_close, high, low), period, seed)
    return high, low, close, up, down, width


@inlined
def dx_nb(up, down, before):
    """Directional index of two sums, whose common true range cancels; ``before`` where there was no movement."""
    both = up + down
    return 100.0 * abs(up - down) / both if both > 0.0 else before


@indicator(
    "plus_di", "Plus directional indicator, in percent of the true range.", source=f"{TALIB} PLUS_DI", inputs=BARS,
    parameters=(period(14, 2), WILDER_SEED), state=MOVES, lookback=lambda period, seed: period,
)  # fmt: skip
def plus_di(count, last_high, last_low, last_close, up, down, width, memory, at, high, low, close, period, seed):
    last_high, last_low, last_close, up, down, width = movement_nb(
        count, last_high, last_low, last_close, up, down, width, high, low, close, period, seed
    )
    percent = 100.0 * up / width if width > 0.0 else 0.0
    return last_high, last_low, last_close, up, down, width, percent if count >= period else NAN


@indicator(
    "minus_di", "Minus directional indicator, in percent of the true range.", source=f"{TALIB} MINUS_DI", inputs=BARS,
    parameters=(period(14, 2), WILDER_SEED), state=MOVES, lookback=lambda period, seed: period,
)  # fmt: skip
def minus_di(count, last_high, last_low, last_close, up, down, width, memory, at, high, low, close, period, seed):
    last_high, last_low, last_close, up, down, width = movement_nb(
        count, last_high, last_low, last_close, up, down, width, high, low, close, period, seed
    )
    percent = 100.0 * down / width if width > 0.0 else 0.0
    return last_high, last_low, last_close, up, down, width, percent if count >= period else NAN


@indicator(
    "plus_dm", "Plus directional movement, Wilder's running sum.", source=f"{TALIB} PLUS_DM", inputs="high low",
    parameters=(period(14, 2),), state="last_high last_low total", lookback=lambda period: period - 1,
)  # fmt: skip
def plus_dm(count, last_high, last_low, total, memory, at, high, low, period):
    if count > 0:
        rise, _ = moves_nb(last_high, last_low, high, low)
        total = wilder_sum_nb(count, total, rise, period, 0)
    return high, low, total, total if count >= period - 1 else NAN


@indicator(
    "minus_dm", "Minus directional movement, Wilder's running sum.", source=f"{TALIB} MINUS_DM", inputs="high low",
    parameters=(period(14, 2),), state="last_high last_low total", lookback=lambda period: period - 1,
)  # fmt: skip
def minus_dm(count, last_high, last_low, total, memory, at, high, low, period):
    if count > 0:
        _, fall = moves_nb(last_high, last_low, high, low)
        total = wilder_sum_nb(count, total, fall, period, 0)
    return high, low, total, total if count >= period - 1 else NAN


@indicator(
    "dx", "Directional movement index; as before where nothing moved.", source=f"{TALIB} DX", inputs=BARS,
    parameters=(period(14, 2), WILDER_SEED), state=f"{MOVES} strength", lookback=lambda period, seed: period,
)  # fmt: skip
def dx(count, last_high, last_low, last_close, up, down, width, strength, memory, at, high, low, close, period, seed):
    last_high, last_low, last_close, up, down, width = movement_nb(
        count, last_high, last_low, last_close, up, down, width, high, low, close, period, seed
    )
    strength = dx_nb(up, down, strength)
    return last_high, last_low, last_close, up, down, width, strength, strength if count >= period else NAN


@inlined
def adx_nb(count, average, up, down, period):
    """Wilder's average of the directional index, which does not change where nothing moved."""
    if count < period:
        return average
    if up + down > 0.0 or count < 2 * period:
        strength = dx_nb(up, down, 0.0)
        if count < 2 * period:
            average += strength
            return average / period if count == 2 * period - 1 else average
        return average * (1.0 - 1.0 / period) + strength * (1.0 / period)
    return average


@indicator(
    "adx", "Average directional movement index: how strong the trend is.", source=f"{TALIB} ADX", inputs=BARS,
    parameters=(period(14, 2), WILDER_SEED), state=f"{MOVES} average", lookback=lambda period, seed: 2 * period - 1,
)  # fmt: skip
def adx(count, last_high, last_low, last_close, up, down, width, average, memory, at, high, low, close, period, seed):
    last_high, last_low, last_close, up, down, width = movement_nb(
        count, last_high, last_low, last_close, up, down, width, high, low, close, period, seed
    )
    average = adx_nb(count, average, up, down, period)
    return last_high, last_low, last_close, up, down, width, average, average if count >= 2 * period - 1 else NAN


@indicator(
    "adxr", "Mean of the ADX and that of period - 1 bars ago.", source=f"{TALIB} ADXR", inputs=BARS,
    parameters=(period(14, 2), WILDER_SEED), state=f"{MOVES} average position:int", window=lambda period, seed: period,
    lookback=lambda period, seed: 3 * period - 2,
)  # fmt: skip
def adxr(
    count, last_high, last_low, last_close, up, down, width, average, position, memory, at, high, low, close, period,
    seed,
):  # fmt: skip
    last_high, last_low, last_close, up, down, width = movement_nb(
        count, last_high, last_low, last_close, up, down, width, high, low, close, period, seed
    )
    average = adx_nb(count, average, up, down, period)
    position, old = delay_nb(position, memory, at, average, period - 1)
    rating = (average + old) / 2.0 if count >= 3 * period - 2 else NAN
    return last_high, last_low, last_close, up, down, width, average, position, rating


@indicator(
    "aroon", "Aroon: how recent the lowest low and the highest high are, 100 for now.", source=f"{TALIB} AROON",
    inputs="high low", parameters=(period(14, 2),), outputs="down up",
    state="low_position:int lowest low_at:int high_position:int highest high_at:int",
    window=lambda period: 4 * (period + 1), lookback=lambda period: period,
)  # fmt: skip
def aroon(count, low_position, lowest, low_at, high_position, highest, high_at, memory, at, high, low, period):
    low_position, lowest, low_at, _, low_age = highest_age_nb(
        low_position, lowest, low_at, memory, at, -low, period + 1
    )
    high_position, highest, high_at, _, high_age = highest_age_nb(
        high_position, highest, high_at, memory, at + 2 * (period + 1), high, period + 1
    )
    factor = 100.0 / period if count >= period else NAN
    down = factor * (period - low_age)
    return low_position, lowest, low_at, high_position, highest, high_at, down, factor * (period - high_age)


@indicator(
    "aroonosc", "Aroon oscillator: Aroon up less Aroon down.", source=f"{TALIB} AROONOSC", inputs="high low",
    parameters=(period(14, 2),), state="low_position:int lowest low_at:int high_position:int highest high_at:int",
    window=lambda period: 4 * (period + 1), lookback=lambda period: period,
)  # fmt: skip
def aroonosc(count, low_position, lowest, low_at, high_position, highest, high_at, memory, at, high, low, period):
    low_position, lowest, low_at, _, low_age = highest_age_nb(
        low_position, lowest, low_at, memory, at, -low, period + 1
    )
    high_position, highest, high_at, _, high_age = highest_age_nb(
        high_position, highest, high_at, memory, at + 2 * (period + 1), high, period + 1
    )
    factor = 100.0 / period if count >= period else NAN
    return low_position, lowest, low_at, high_position, highest, high_at, factor * (low_age - high_age)


@indicator(
    "vortex", "Vortex: movement up and down to the true range; 0 without range.",
    source="E. Botes and D. Siepman, The Vortex Indicator (2010); TA-Lib VORTEX", inputs=BARS,
    parameters=(period(14, 2),), outputs="plus minus",
    state="last_high last_low last_close up_position:int up down_position:int down width_position:int width",
    window=lambda period: 3 * period, lookback=lambda period: period,
)  # fmt: skip
def vortex(
    count, last_high, last_low, last_close, up_position, up, down_position, down, width_position, width, memory, at,
    high, low, close, period,
):  # fmt: skip
    rise = abs(high - last_low) if count > 0 else 0.0
    fall = abs(low - last_high) if count > 0 else 0.0
    extent = true_range_nb(count, last_close, high, low) if count > 0 else 0.0
    up_position, up, rises = sum_nb(up_position, up, memory, at, rise, period)
    down_position, down, falls = sum_nb(down_position, down, memory, at + period, fall, period)
    width_position, width, total = sum_nb(width_position, width, memory, at + 2 * period, extent, period)
    plus = rises / total if total > 0.0 else 0.0
    minus = falls / total if total > 0.0 else 0.0
    if count < period:
        plus = NAN
        minus = NAN
    return high, low, close, up_position, up, down_position, down, width_position, width, plus, minus
