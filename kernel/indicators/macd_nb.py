"""Differences of averages: MACD and its kin. The shorter period is the fast one, whichever way they are given."""

from kernel.indicators.averages_nb import NAN, TALIB, ema_of_nb, smooth_nb
from kernel.indicators.declare import choice, indicator, period
from kernel.indicators.windows_nb import delay_nb, sum_nb, weighted_nb
from kernel.jit import inlined

AVERAGE = choice("average", 2)  # 0 simple, 1 exponential


@inlined
def average_nb(kind, count, begin, position, head, average, memory, at, value, period):
    """A simple (kind 0) or exponential average. The exponential one begins as the mean of the ``period`` values that
    end with value number ``begin``, as TA-Lib does to let two of them start together. Words: ``period``.

    Returns position, head, average.
    """
    position, head, total = sum_nb(position, head, memory, at, value, period)
    if kind == 0 or count <= begin:
        average = total / period
    else:
        take = 2.0 / (period + 1.0)
        average = average * (1.0 - take) + value * take
    return position, head, average


@indicator(
    "macd",
    "MACD: fast less slow exponential average, its signal line, and their difference; seed 0 begins both averages with "
    "means of the same last bar, 1 each with the mean of the first bars.",
    source=f"G. Appel (1979); {TALIB} MACD (seed 0), Stock.Indicators (seed 1)",
    parameters=(period(12, 2, "fast"), period(26, 2, "slow"), period(9, name="signal"), choice("seed", 2)),
    outputs="macd signal histogram", state="fast_average slow_average signal_average",
    lookback=lambda fast, slow, signal, seed: max(fast, slow) + signal - 2,
)  # fmt: skip
def macd(count, fast_average, slow_average, signal_average, memory, at, value, fast, slow, signal, seed):
    longest = max(fast, slow)
    fast = min(fast, slow)
    slow = longest
    begun = count - (longest - fast) if seed == 0 else count
    fast_average = ema_of_nb(begun, fast_average, value, fast, 0)
    slow_average = ema_of_nb(count, slow_average, value, slow, 0)
    difference = fast_average - slow_average
    signal_average = ema_of_nb(count - (longest - 1), signal_average, difference, signal, 0)
    if count < longest + signal - 2:
        difference = NAN
    return (
        fast_average,
        slow_average,
        signal_average,
        difference,
        signal_average + 0.0 * difference,
        (difference - signal_average),
    )


@indicator(
    "macdfix", "MACD 12/26 with the weights 0.15 and 0.075 of its origin.", source=f"{TALIB} MACDFIX",
    parameters=(period(9, name="signal"),), outputs="macd signal histogram",
    state="fast_average slow_average signal_average", lookback=lambda signal: 24 + signal,
)  # fmt: skip
def macdfix(count, fast_average, slow_average, signal_average, memory, at, value, signal):
    fast_average = smooth_nb(count - 14, fast_average, value, 12, 0.15, 0)
    slow_average = smooth_nb(count, slow_average, value, 26, 0.075, 0)
    difference = fast_average - slow_average
    signal_average = ema_of_nb(count - 25, signal_average, difference, signal, 0)
    if count < 24 + signal:
        difference = NAN
    return (
        fast_average,
        slow_average,
        signal_average,
        difference,
        signal_average + 0.0 * difference,
        (difference - signal_average),
    )


@indicator(
    "macdext", "MACD with a choice of average for each line: 0 simple, 1 exponential.", source=f"{TALIB} MACDEXT",
    parameters=(
        period(12, 2, "fast"), choice("fast_average", 2), period(26, 2, "slow"), choice("slow_average", 2),
        period(9, name="signal"), choice("signal_average", 2),
    ),
    outputs="macd signal histogram",
    state="fast_position:int fast_head fast_mean slow_position:int slow_head slow_mean position:int head mean",
    window=lambda fast, fast_average, slow, slow_average, signal, signal_average: fast + slow + signal,
    lookback=lambda fast, fast_average, slow, slow_average, signal, signal_average: max(fast, slow) + signal - 2,
)  # fmt: skip
def macdext(
    count, fast_position, fast_head, fast_mean, slow_position, slow_head, slow_mean, position, head, mean, memory, at,
    value, fast, fast_average, slow, slow_average, signal, signal_average,
):  # fmt: skip
    begin = max(fast, slow) - 1
    if fast > slow:
        fast, slow = slow, fast
        fast_average, slow_average = slow_average, fast_average
    fast_position, fast_head, fast_mean = average_nb(
        fast_average, count, begin, fast_position, fast_head, fast_mean, memory, at, value, fast
    )
    slow_position, slow_head, slow_mean = average_nb(
        slow_average, count, begin, slow_position, slow_head, slow_mean, memory, at + fast, value, slow
    )
    difference = fast_mean - slow_mean
    if count >= begin:
        position, head, mean = average_nb(
            signal_average, count, begin + signal - 1, position, head, mean, memory, at + fast + slow, difference,
            signal,
        )  # fmt: skip
    if count < begin + signal - 1:
        difference = NAN
    return (
        fast_position, fast_head, fast_mean, slow_position, slow_head, slow_mean, position, head, mean,
        difference, mean + 0.0 * difference, difference - mean,
    )  # fmt: skip


@indicator(
    "apo", "Absolute price oscillator: fast less slow average (0 simple, 1 exponential).", source=f"{TALIB} APO",
    parameters=(period(12, 2, "fast"), period(26, 2, "slow"), AVERAGE),
    state="fast_position:int fast_head fast_mean slow_position:int slow_head slow_mean",
    window=lambda fast, slow, average: fast + slow, lookback=lambda fast, slow, average: max(fast, slow) - 1,
)  # fmt: skip
def apo(
    count, fast_position, fast_head, fast_mean, slow_position, slow_head, slow_mean, memory, at, value, fast, slow,
    average,
):  # fmt: skip
    begin = max(fast, slow) - 1
    fast = min(fast, slow)
    slow = begin + 1
    fast_position, fast_head, fast_mean = average_nb(
        average, count, fast - 1, fast_position, fast_head, fast_mean, memory, at, value, fast
    )
    slow_position, slow_head, slow_mean = average_nb(
        average, count, slow - 1, slow_position, slow_head, slow_mean, memory, at + fast, value, slow
    )
    difference = fast_mean - slow_mean if count >= begin else NAN
    return fast_position, fast_head, fast_mean, slow_position, slow_head, slow_mean, difference


@indicator(
    "ppo", "Percentage price oscillator: fast to slow average (0 simple, 1 exponential) less 1, in percent.",
    source=f"{TALIB} PPO", parameters=(period(12, 2, "fast"), period(26, 2, "slow"), AVERAGE),
    state="fast_position:int fast_head fast_mean slow_position:int slow_head slow_mean",
    window=lambda fast, slow, average: fast + slow, lookback=lambda fast, slow, average: max(fast, slow) - 1,
)  # fmt: skip
def ppo(
    count, fast_position, fast_head, fast_mean, slow_position, slow_head, slow_mean, memory, at, value, fast, slow,
    average,
):  # fmt: skip
    begin = max(fast, slow) - 1
    fast = min(fast, slow)
    slow = begin + 1
    fast_position, fast_head, fast_mean = average_nb(
        average, count, fast - 1, fast_position, fast_head, fast_mean, memory, at, value, fast
    )
    slow_position, slow_head, slow_mean = average_nb(
        average, count, slow - 1, slow_position, slow_head, slow_mean, memory, at + fast, value, slow
    )
    percent = 100.0 * (fast_mean - slow_mean) / slow_mean if slow_mean != 0.0 else 0.0
    return fast_position, fast_head, fast_mean, slow_position, slow_head, slow_mean, percent if count >= begin else NAN


@indicator(
    "trix", "One-bar rate of change, in percent, of a triple exponential average.", source=f"{TALIB} TRIX",
    parameters=(period(30),), state="once twice thrice", lookback=lambda period: 3 * (period - 1) + 1,
)  # fmt: skip
def trix(count, once, twice, thrice, memory, at, value, period):
    apart = period - 1
    before = thrice
    once = ema_of_nb(count, once, value, period, 0)
    twice = ema_of_nb(count - apart, twice, once, period, 0)
    thrice = ema_of_nb(count - 2 * apart, thrice, twice, period, 0)
    if count <= 3 * apart:
        return once, twice, thrice, NAN
    return once, twice, thrice, (thrice / before - 1.0) * 100.0 if before != 0.0 else 0.0


@indicator(
    "tsi", "True strength index: doubly smoothed change to doubly smoothed absolute change, in percent.",
    source="W. Blau, Momentum, Direction and Divergence (1995)",
    parameters=(period(25, name="slow"), period(13, name="fast")), state="last one two size_one size_two",
    lookback=lambda slow, fast: slow + fast - 1,
)  # fmt: skip
def tsi(count, last, one, two, size_one, size_two, memory, at, value, slow, fast):
    change = value - last
    one = ema_of_nb(count - 1, one, change, slow, 0)
    two = ema_of_nb(count - slow, two, one, fast, 0)
    size_one = ema_of_nb(count - 1, size_one, abs(change), slow, 0)
    size_two = ema_of_nb(count - slow, size_two, size_one, fast, 0)
    strength = 100.0 * two / size_two if size_two > 0.0 else 0.0
    return value, one, two, size_one, size_two, strength if count >= slow + fast - 1 else NAN


@indicator(
    "coppock", "Coppock curve: weighted average of the sum of two rates of change.",
    source="E. Coppock (1962); TA-Lib COPPOCK",
    parameters=(period(10, name="average_period"), period(11, name="fast"), period(14, name="slow")),
    state="fast_position:int slow_position:int position:int head weighted",
    window=lambda average_period, fast, slow: fast + slow + average_period,
    lookback=lambda average_period, fast, slow: max(fast, slow) + average_period - 1,
)  # fmt: skip
def coppock(
    count, fast_position, slow_position, position, head, weighted, memory, at, value, average_period, fast, slow
):
    fast_position, fast_old = delay_nb(fast_position, memory, at, value, fast)
    slow_position, slow_old = delay_nb(slow_position, memory, at + fast, value, slow)
    first = max(fast, slow)
    curve = NAN
    if count >= first:
        change = (value / fast_old - 1.0) * 100.0 if fast_old != 0.0 else 0.0
        change += (value / slow_old - 1.0) * 100.0 if slow_old != 0.0 else 0.0
        window = at + fast + slow
        position, head, weighted, total = weighted_nb(position, head, weighted, memory, window, change, average_period)
        if count >= first + average_period - 1:
            curve = total / (average_period * (average_period + 1) / 2)
    return fast_position, slow_position, position, head, weighted, curve
