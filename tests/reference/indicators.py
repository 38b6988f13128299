"""Naive twins of the indicators that TA-Lib does not have: whole windows, anew for every bar, from the definitions.

Each takes whole series and gives a list with one value a bar (None before it is defined), or a tuple of such lists.
Plain Python and its libm; nothing is shared with the code that is tested.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import fmean, linear_regression, pstdev, pvariance, variance

Series = Sequence[float]
Column = list[float | None]


def over(bars: int, first: int, value: Callable[[int], float]) -> Column:
    """``value(bar)`` for every bar from ``first`` on."""
    return [value(bar) if bar >= first else None for bar in range(bars)]


def window(series: Series, bar: int, period: int) -> Series:
    """The last ``period`` values up to a bar."""
    return series[bar + 1 - period : bar + 1]


def average_from_mean(series: Series, weight: float, period: int) -> list[float]:
    """Exponential average of a series that begins as the mean of its first ``period``; values from there on."""
    found = [fmean(series[:period])]
    for value in series[period:]:
        found.append(found[-1] + weight * (value - found[-1]))
    return found


def true_ranges(high: Series, low: Series, close: Series) -> list[float]:
    """True range of each bar; the first has only its own range."""
    found = [high[0] - low[0]]
    for bar in range(1, len(high)):
        last = close[bar - 1]
        found.append(max(high[bar] - low[bar], abs(high[bar] - last), abs(low[bar] - last)))
    return found


def average_true_range(high: Series, low: Series, close: Series, period: int) -> Column:
    """Wilder's, from the second bar's true range on."""
    return [None] * period + average_from_mean(true_ranges(high, low, close)[1:], 1.0 / period, period)  # type: ignore[return-value]


def line(values: Series) -> tuple[float, float]:
    """Level at the first value and slope of the least-squares line."""
    middle = (len(values) - 1) / 2.0
    mean = fmean(values)
    slope = sum((at - middle) * (value - mean) for at, value in enumerate(values))
    slope /= sum((at - middle) ** 2 for at in range(len(values)))
    return mean - slope * middle, slope


def strength(values: Series, period: int) -> list[float]:
    """RSI by Wilder from value ``period`` on; 50 where nothing moved."""
    changes = [now - before for before, now in itertools.pairwise(values)]
    ups = average_from_mean([max(change, 0.0) for change in changes], 1.0 / period, period)
    downs = average_from_mean([max(-change, 0.0) for change in changes], 1.0 / period, period)
    return [100.0 * up / (up + down) if up + down > 0 else 50.0 for up, down in zip(ups, downs, strict=True)]


def bollinger_position(value: Series, period: int, deviations: float) -> tuple[Column, Column]:
    def reach(bar: int) -> tuple[float, float]:
        seen = window(value, bar, period)
        return fmean(seen), deviations * pstdev(seen)

    def percent(bar: int) -> float:
        mean, away = reach(bar)
        return (value[bar] - mean + away) / (2 * away) if away else 0.5

    return (
        over(len(value), period - 1, percent),
        over(len(value), period - 1, lambda bar: 2 * reach(bar)[1] / reach(bar)[0]),
    )


def keltner(
    high: Series, low: Series, close: Series, period: int, multiple: float, atr_period: int
) -> tuple[Column, Column, Column]:
    middle = [None] * (period - 1) + average_from_mean(close, 2.0 / (period + 1), period)
    width = average_true_range(high, low, close, atr_period)
    first = max(period - 1, atr_period)
    middle[:first] = [None] * first
    pairs = list(zip(middle, width, strict=True))
    upper = [m + multiple * w if m is not None and w is not None else None for m, w in pairs]
    lower = [m - multiple * w if m is not None and w is not None else None for m, w in pairs]
    return upper, middle, lower


def choppiness(high: Series, low: Series, close: Series, period: int) -> Column:
    ranges = true_ranges(high, low, close)

    def value(bar: int) -> float:
        span = max(window(high, bar, period)) - min(window(low, bar, period))
        return 100.0 * math.log10(math.fsum(window(ranges, bar, period)) / span) / math.log10(period)

    return over(len(high), period, value)


def fisher(high: Series, low: Series, period: int) -> tuple[Column, Column]:
    middle = [(up + down) / 2 for up, down in zip(high, low, strict=True)]
    place, transform = 0.0, 0.0
    found: Column = []
    before: Column = []
    for bar in range(len(middle)):
        if bar >= period - 1:
            top, bottom = max(window(middle, bar, period)), min(window(middle, bar, period))
            inside = (middle[bar] - bottom) / (top - bottom) - 0.5 if top > bottom else 0.0
            place = min(max(0.66 * inside + 0.67 * place, -0.999), 0.999)
            last, transform = transform, 0.5 * math.log((1 + place) / (1 - place)) + 0.5 * transform
        found.append(transform if bar >= period else None)
        before.append(last if bar >= period else None)
    return found, before


def connors_rsi(value: Series, period: int, streak_period: int, rank_period: int) -> Column:
    streaks, changes = [0.0], [0.0]
    for last, now in itertools.pairwise(value):
        changes.append((now - last) / last)
        if now == last:
            streaks.append(0.0)
        elif now > last:
            streaks.append(max(streaks[-1], 0.0) + 1.0)
        else:
            streaks.append(min(streaks[-1], 0.0) - 1.0)
    of_value, of_streak = strength(value, period), strength(streaks, streak_period)

    def at(bar: int) -> float:
        rank = sum(one < changes[bar] for one in changes[bar - rank_period : bar]) / rank_period
        return (of_value[bar - period] + of_streak[bar - streak_period] + 100.0 * rank) / 3.0

    return over(len(value), max(period, streak_period, rank_period + 1), at)


def simple_return(value: Series, period: int) -> Column:
    return over(len(value), period, lambda bar: value[bar] / value[bar - period] - 1.0)


def log_return(value: Series, period: int) -> Column:
    return over(len(value), period, lambda bar: math.log(value[bar]) - math.log(value[bar - period]))


def returns(value: Series, *horizons: int) -> tuple[Column, ...]:
    first = max(horizons)
    return tuple(
        over(len(value), first, lambda bar, period=period: value[bar] / value[bar - period] - 1.0)  # type: ignore[misc]
        for period in horizons
    )


def volatility_close(value: Series, period: int, year: float) -> Column:
    moves = [0.0] + [math.log(now / last) for last, now in itertools.pairwise(value)]
    return over(len(value), period, lambda bar: math.sqrt(variance(window(moves, bar, period)) * year))


def volatility_parkinson(high: Series, low: Series, period: int, year: float) -> Column:
    squares = [math.log(up / down) ** 2 for up, down in zip(high, low, strict=True)]
    return over(
        len(high),
        period - 1,
        lambda bar: math.sqrt(math.fsum(window(squares, bar, period)) / (4 * period * math.log(2)) * year),
    )


def volatility_garman_klass(open: Series, high: Series, low: Series, close: Series, period: int, year: float) -> Column:
    def one(bar: int) -> float:
        width, body = math.log(high[bar] / low[bar]), math.log(close[bar] / open[bar])
        return 0.5 * width**2 - (2 * math.log(2) - 1) * body**2

    terms = [one(bar) for bar in range(len(open))]
    return over(len(open), period - 1, lambda bar: math.sqrt(max(fmean(window(terms, bar, period)), 0) * year))


def _rogers_satchell(open: Series, high: Series, low: Series, close: Series) -> list[float]:
    return [
        math.log(h / c) * math.log(h / o) + math.log(down / c) * math.log(down / o)
        for o, h, down, c in zip(open, high, low, close, strict=True)
    ]


def volatility_rogers_satchell(
    open: Series, high: Series, low: Series, close: Series, period: int, year: float
) -> Column:
    terms = _rogers_satchell(open, high, low, close)
    return over(len(open), period - 1, lambda bar: math.sqrt(max(fmean(window(terms, bar, period)), 0) * year))


def volatility_yang_zhang(open: Series, high: Series, low: Series, close: Series, period: int, year: float) -> Column:
    gaps = [0.0] + [math.log(open[bar] / close[bar - 1]) for bar in range(1, len(open))]
    bodies = [math.log(c / o) for o, c in zip(open, close, strict=True)]
    terms = _rogers_satchell(open, high, low, close)
    share = 0.34 / (1.34 + (period + 1) / (period - 1))

    def value(bar: int) -> float:
        between, within = variance(window(gaps, bar, period)), variance(window(bodies, bar, period))
        total = between + share * within + (1 - share) * fmean(window(terms, bar, period))
        return math.sqrt(total * year)

    return over(len(open), period, value)


def vwap_session(
    timestamp: Sequence[int], high: Series, low: Series, close: Series, volume: Series, shift: int, deviations: float
) -> tuple[Column, Column, Column]:
    price = [(h + down + c) / 3 for h, down, c in zip(high, low, close, strict=True)]
    days = [datetime.fromtimestamp(t // 10**9 - 60 * shift, UTC).date() for t in timestamp]

    def at(bar: int) -> tuple[float, float]:
        begin = days.index(days[bar])
        total = math.fsum(volume[begin : bar + 1])
        if not total:
            return price[bar], 0.0
        part = range(begin, bar + 1)
        mean = math.fsum(price[one] * volume[one] for one in part) / total
        return mean, math.sqrt(math.fsum(volume[one] * (price[one] - mean) ** 2 for one in part) / total)

    both = [at(bar) for bar in range(len(price))]
    return (
        [mean for mean, _ in both],
        [mean + deviations * away for mean, away in both],
        [mean - deviations * away for mean, away in both],
    )


def vwap_anchored(
    timestamp: Sequence[int], high: Series, low: Series, close: Series, volume: Series, anchor: float
) -> Column:
    found: Column = []
    money = total = 0.0
    for bar, at in enumerate(timestamp):
        if at < anchor * 10**9:
            found.append(None)
            continue
        price = (high[bar] + low[bar] + close[bar]) / 3
        money, total = money + price * volume[bar], total + volume[bar]
        found.append(money / total if total else price)
    return found


def order_flow_imbalance(bid: Series, bid_size: Series, ask: Series, ask_size: Series, period: int) -> Column:
    changes = [0.0]
    for bar in range(1, len(bid)):
        came = (bid[bar] >= bid[bar - 1]) * bid_size[bar] - (bid[bar] <= bid[bar - 1]) * bid_size[bar - 1]
        went = (ask[bar] <= ask[bar - 1]) * ask_size[bar] - (ask[bar] >= ask[bar - 1]) * ask_size[bar - 1]
        changes.append(came - went)
    return over(len(bid), period, lambda bar: math.fsum(window(changes, bar, period)))


def volume_imbalance(close: Series, volume: Series, period: int) -> Column:
    sides = [0]
    for last, now in itertools.pairwise(close):
        sides.append(sides[-1] if now == last else 1 if now > last else -1)
    signed = [side * size for side, size in zip(sides, volume, strict=True)]
    return over(
        len(close), period, lambda bar: math.fsum(window(signed, bar, period)) / math.fsum(window(volume, bar, period))
    )


def zscore(value: Series, period: int) -> Column:
    def at(bar: int) -> float:
        seen = window(value, bar, period)
        return (value[bar] - fmean(seen)) / pstdev(seen)

    return over(len(value), period - 1, at)


def rolling_beta(value: Series, other: Series, period: int) -> tuple[Column, Column]:
    def slope(bar: int) -> float:
        xs, ys = window(value, bar, period), window(other, bar, period)
        x_mean, y_mean = fmean(xs), fmean(ys)
        common = math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
        return common / (period * pvariance(xs))

    def level(bar: int) -> float:
        return fmean(window(other, bar, period)) - slope(bar) * fmean(window(value, bar, period))

    return over(len(value), period - 1, slope), over(len(value), period - 1, level)


def percentrank(value: Series, period: int) -> Column:
    return over(
        len(value), period, lambda bar: 100.0 * sum(one < value[bar] for one in value[bar - period : bar]) / period
    )


def hurst(value: Series, period: int) -> Column:
    changes = [0.0] + [now / last - 1 for last, now in itertools.pairwise(value)]

    def at(bar: int) -> float:
        seen = window(changes, bar, period)
        mean = fmean(seen)
        walk = [0.0]
        for one in seen:
            walk.append(walk[-1] + one - mean)
        return math.log((max(walk) - min(walk)) / pstdev(seen)) / math.log(period / 2)

    return over(len(value), period, at)


def cointegration(value: Series, other: Series, period: int) -> Column:
    def at(bar: int) -> float:
        y, x = window(value, bar, period), window(other, bar, period)
        slope, level = linear_regression(x, y)
        left = [a - slope * b - level for a, b in zip(y, x, strict=True)]
        moves = [now - last for last, now in itertools.pairwise(left)]
        squares = math.fsum(one * one for one in left[:-1])
        pull = math.fsum(move * last for move, last in zip(moves, left, strict=False)) / squares
        errors = math.fsum((move - pull * last) ** 2 for move, last in zip(moves, left, strict=False))
        return pull / math.sqrt(errors / (period - 2) / squares)

    return over(len(value), period - 1, at)


def ichimoku(
    high: Series, low: Series, conversion: int, base: int, span: int, shift: int
) -> tuple[Column, Column, Column, Column]:
    def middle(bar: int, period: int) -> float:
        return (max(window(high, bar, period)) + min(window(low, bar, period))) / 2

    first, bars = max(conversion, base, span) - 1 + shift, len(high)
    return (
        over(bars, first, lambda bar: middle(bar, conversion)),
        over(bars, first, lambda bar: middle(bar, base)),
        over(bars, first, lambda bar: (middle(bar - shift, conversion) + middle(bar - shift, base)) / 2),
        over(bars, first, lambda bar: middle(bar - shift, span)),
    )


def ttm_squeeze(
    high: Series, low: Series, close: Series, period: int, deviations: float, multiple: float
) -> tuple[Column, Column]:
    ranges = true_ranges(high, low, close)

    def above(bar: int) -> float:
        middle = (max(window(high, bar, period)) + min(window(low, bar, period))) / 2
        return close[bar] - (middle + fmean(window(close, bar, period))) / 2

    def squeeze(bar: int) -> float:
        inner = deviations * pstdev(window(close, bar, period))
        return float(inner < multiple * fmean(window(ranges, bar, period)))

    def momentum(bar: int) -> float:
        level, slope = line([above(one) for one in range(bar + 1 - period, bar + 1)])
        return level + slope * (period - 1)

    first = 2 * period - 2
    return over(len(high), first, squeeze), over(len(high), first, momentum)


def calendar(timestamp: Sequence[int], shift: int) -> tuple[Column, ...]:
    times = [datetime.fromtimestamp(at // 10**9 - 60 * shift, UTC) for at in timestamp]
    return (
        [60.0 * at.hour + at.minute for at in times],
        [float(at.weekday()) for at in times],
        [float(at.day) for at in times],
        [float(at.month) for at in times],
        [float(at.timetuple().tm_yday) for at in times],
        [float((at.month + 2) // 3) for at in times],
    )


def session_position(timestamp: Sequence[int], begin: int, end: int) -> Column:
    found: Column = []
    for at in timestamp:
        minutes = (at // 10**9 % 86400 / 60 - begin) % 1440
        found.append(minutes / (end - begin) if minutes <= end - begin else None)
    return found


TWINS: dict[str, Callable[..., Column | tuple[Column, ...]]] = {
    "return": simple_return,
    **{
        twin.__name__: twin
        for twin in (
            bollinger_position, keltner, choppiness, fisher, connors_rsi, log_return, returns, volatility_close,
            volatility_parkinson, volatility_garman_klass, volatility_rogers_satchell, volatility_yang_zhang,
            vwap_session, vwap_anchored, order_flow_imbalance, volume_imbalance, zscore, rolling_beta, hurst, ichimoku,
            ttm_squeeze, calendar, session_position, cointegration,
        )
    },
}  # fmt: skip
