"""The rules of the built-in strategies once more, from their definitions: whole columns in numpy, no kernel code.

Each takes the columns of the bars and gives ``wish(at, held)``, called once for each bar in order: the side wanted
after that bar (1, 0, -1), or None for no change. ``held`` is the side that is held. Short sides are traded.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Column = NDArray[np.float64]
Wish = Callable[[int, int], int | None]
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS


def windows(values: Column, period: int, measure: Callable[..., Column]) -> Column:
    """``measure`` of the last ``period`` values at each bar; NaN before there are as many."""
    out = np.full(values.size, np.nan)
    out[period - 1 :] = measure(sliding_window_view(values, period), axis=1)
    return out


def before(values: Column, bars: int = 1) -> Column:
    """The values of so many bars ago."""
    return np.concatenate([np.full(bars, np.nan), values[: values.size - bars]])


def smoothed(values: Column, first: int, seed: int, weight: float) -> Column:
    """An exponential average that begins at bar ``first`` with the mean of the ``seed`` values up to it."""
    out = np.full(values.size, np.nan)
    out[first] = values[first - seed + 1 : first + 1].mean()
    for at in range(first + 1, values.size):
        out[at] = weight * values[at] + (1.0 - weight) * out[at - 1]
    return out


def true_range(bars: Mapping[str, Column]) -> Column:
    last = before(bars["close"])
    last[0] = bars["low"][0]
    return np.maximum(bars["high"], np.maximum(last, bars["low"])) - np.minimum(bars["low"], last)


def average_range(bars: Mapping[str, Column], period: int) -> Column:
    return smoothed(true_range(bars), period, period, 1.0 / period)


def sides(up: NDArray[np.bool_], down: NDArray[np.bool_]) -> Wish:
    """Always on the side that is told, else as before."""
    return lambda at, held: 1 if up[at] else -1 if down[at] else None


def macd_cross(bars: Mapping[str, Column]) -> Wish:
    close = bars["close"]
    line = smoothed(close, 25, 12, 2 / 13) - smoothed(close, 25, 26, 2 / 27)
    signal = smoothed(line, 33, 9, 2 / 10)
    return sides(line > signal, line < signal)


def supertrend(bars: Mapping[str, Column]) -> Wish:
    middle, width, close = (bars["high"] + bars["low"]) / 2, 3 * average_range(bars, 10), bars["close"]
    side = np.zeros(close.size)
    side[10] = 1 if close[10] >= middle[10] else -1
    upper, lower = middle[10] + width[10], middle[10] - width[10]
    for at in range(11, close.size):
        upper = min(upper, middle[at] + width[at]) if close[at - 1] <= upper else middle[at] + width[at]
        lower = max(lower, middle[at] - width[at]) if close[at - 1] >= lower else middle[at] - width[at]
        side[at] = -1 if close[at] <= (lower if side[at - 1] == 1 else upper) else 1
    return sides(side == 1, side == -1)


def historical_returns(bars: Mapping[str, Column]) -> Wish:
    old = before(bars["close"], 21)
    return lambda at, held: None if np.isnan(old[at]) else int(np.sign(bars["close"][at] - old[at]))


def bollinger_reversion(bars: Mapping[str, Column]) -> Wish:
    close = bars["close"]
    mean, deviation = windows(close, 20, np.mean), windows(close, 20, np.std)

    def wish(at: int, held: int) -> int | None:
        if abs(close[at] - mean[at]) > 2 * deviation[at]:
            return 1 if close[at] < mean[at] else -1
        return 0 if held * (close[at] - mean[at]) >= 0 and held else None

    return wish


def ichimoku(bars: Mapping[str, Column]) -> Wish:
    def middle(period: int) -> Column:
        return (windows(bars["high"], period, np.max) + windows(bars["low"], period, np.min)) / 2

    quick, steady, close = middle(9), middle(26), bars["close"]
    first, second = before((quick + steady) / 2, 26), before(middle(52), 26)

    def wish(at: int, held: int) -> int | None:
        if np.isnan(second[at]):
            return None
        if held:
            return 0 if held * (close[at] - steady[at]) < 0 else None
        for side in (1, -1):
            beyond = max(side * first[at], side * second[at])
            if side * close[at] > beyond and side * (quick[at] - steady[at]) > 0:
                return side
        return None

    return wish


def donchian_breakout(bars: Mapping[str, Column]) -> Wish:
    high, low, close, width = bars["high"], bars["low"], bars["close"], average_range(bars, 20)
    upper, lower = before(windows(high, 20, np.max)), before(windows(low, 20, np.min))
    leave_upper, leave_lower = before(windows(high, 10, np.max)), before(windows(low, 10, np.min))
    stop = 0.0

    def wish(at: int, held: int) -> int | None:
        nonlocal stop
        if held > 0:
            return 0 if low[at] < leave_lower[at] or low[at] <= stop else None
        if held < 0:
            return 0 if high[at] > leave_upper[at] or high[at] >= stop else None
        side = int(high[at] > upper[at]) - int(low[at] < lower[at])
        if side:
            stop = close[at] - side * 2 * width[at]
        return side or None

    return wish


def atr_channel(bars: Mapping[str, Column]) -> Wish:
    close = bars["close"]
    mean, width = windows(close, 350, np.mean), average_range(bars, 20)

    def wish(at: int, held: int) -> int | None:
        above = close[at] - mean[at]
        if held:
            return 0 if held * above < 0 else None
        return 1 if above > 7 * width[at] else -1 if above < -3 * width[at] else None

    return wish


def ttm_squeeze(bars: Mapping[str, Column]) -> Wish:
    close, mean = bars["close"], windows(bars["close"], 20, np.mean)
    squeezed = 2 * windows(close, 20, np.std) < 1.5 * windows(true_range(bars), 20, np.mean)
    middle = (windows(bars["high"], 20, np.max) + windows(bars["low"], 20, np.min)) / 2
    above = close - (middle + mean) / 2
    momentum = np.full(close.size, np.nan)
    for at in range(38, close.size):
        slope, level = np.polyfit(np.arange(20), above[at - 19 : at + 1], 1)
        momentum[at] = level + 19 * slope
    weaker = np.abs(momentum) < np.abs(before(momentum))

    def wish(at: int, held: int) -> int | None:
        if at < 39:
            return None
        if held:
            return 0 if (weaker[at] and weaker[at - 1]) or momentum[at] * held <= 0 else None
        return int(np.sign(momentum[at])) if squeezed[at - 1] and not squeezed[at] else None

    return wish


def the_strat(bars: Mapping[str, Column]) -> Wish:
    high, low = bars["high"], bars["low"]
    names = ["?"]
    for at in range(1, high.size):
        up, down = high[at] > high[at - 1], low[at] < low[at - 1]
        names.append("3" if up and down else "U" if up else "D" if down else "1")
    long = {"U1U", "D1U", "31U", "UDU", "DDU", "3DU", "1DU"}
    short = {name.translate(str.maketrans("UD", "DU")) for name in long}
    stop = 0.0

    def wish(at: int, held: int) -> int | None:
        nonlocal stop
        shape = "".join(names[at - 2 : at + 1])
        side = int(shape in long) - int(shape in short)
        if side and side != held:
            stop = low[at - 1] if side > 0 else high[at - 1]
            return side
        return 0 if (held > 0 and low[at] < stop) or (held < 0 and high[at] > stop) else None

    return wish


def opening_range_breakout(bars: Mapping[str, Column]) -> Wish:
    """On bars of one hour: the first one is the range, and the last order is at the end of the fifth."""
    day = bars["ts_open"] // DAY_NS
    first = np.searchsorted(day, day)  # the first bar of the same day
    done: set[int] = set()

    def wish(at: int, held: int) -> int | None:
        begin = int(first[at])
        if at == begin or (bars["ts_open"][at] - bars["ts_open"][begin]) // HOUR_NS >= 4:
            return 0
        side = int(bars["close"][at] > bars["high"][begin]) - int(bars["close"][at] < bars["low"][begin])
        if not side or begin in done:
            return None
        done.add(begin)
        return side

    return wish


def vwap_reversion(bars: Mapping[str, Column]) -> Wish:
    day, close, volume = bars["ts_open"] // DAY_NS, bars["close"], bars["volume"]
    first = np.searchsorted(day, day)
    price = (bars["high"] + bars["low"] + close) / 3

    def wish(at: int, held: int) -> int | None:
        today = slice(int(first[at]), at + 1)
        average = np.average(price[today], weights=volume[today])
        deviation = np.sqrt(np.average((price[today] - average) ** 2, weights=volume[today]))
        if held:
            return 0 if at == first[at] or held * (close[at] - average) >= 0 else None
        if at == first[at] or abs(close[at] - average) <= 2 * deviation:
            return None
        return 1 if close[at] < average else -1

    return wish


def triple_screen(bars: Mapping[str, Column]) -> Wish:
    """Days by the opens of their bars; a day is known to the bars after it."""
    close, day = bars["close"], bars["ts_open"] // DAY_NS
    days, first = np.unique(day, return_index=True)
    number = np.searchsorted(days, day)
    closes = close[np.append(first[1:], close.size) - 1]
    line = smoothed(closes, 25, 12, 2 / 13) - smoothed(closes, 25, 26, 2 / 27)
    slope = np.diff(line - smoothed(line, 33, 9, 2 / 10), prepend=np.nan)
    tide = np.zeros(days.size)
    for at in range(1, days.size):
        tide[at] = tide[at - 1] if np.isnan(slope[at]) or slope[at] == 0 else np.sign(slope[at])
    moved = np.diff(close, prepend=close[0])
    gains, losses = (smoothed(np.maximum(side * moved, 0), 5, 5, 1 / 5) for side in (1, -1))
    strength = 100 * gains / (gains + losses)

    def wish(at: int, held: int) -> int | None:
        side = tide[number[at] - 1] if number[at] > 0 else 0
        weak, strong = strength[at] < 30, strength[at] > 70
        if side == 0:
            return None
        if held:
            return 0 if side == -held or (strong if held > 0 else weak) else None
        return 1 if side > 0 and weak else -1 if side < 0 and strong else None

    return wish


def volatility_breakout(bars: Mapping[str, Column]) -> Wish:
    day = bars["ts_open"] // DAY_NS
    first = np.searchsorted(day, day)
    done: set[int] = set()

    def wish(at: int, held: int) -> int | None:
        begin = int(first[at])
        if begin == 0 or (at == begin and held):
            return 0 if held else None
        yesterday = slice(int(first[begin - 1]), begin)
        needed = 0.6 * (bars["high"][yesterday].max() - bars["low"][yesterday].min())
        move = bars["close"][at] - bars["open"][begin]
        if abs(move) <= needed or begin in done:
            return None
        done.add(begin)
        return 1 if move > 0 else -1

    return wish


RULES = (
    macd_cross, supertrend, historical_returns, bollinger_reversion, ichimoku, donchian_breakout, atr_channel,
    ttm_squeeze, the_strat, triple_screen, opening_range_breakout, vwap_reversion, volatility_breakout,
)  # fmt: skip
