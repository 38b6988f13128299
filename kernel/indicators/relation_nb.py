"""How two series hang together over a window."""

from math import sqrt

from kernel.indicators.averages_nb import NAN
from kernel.indicators.declare import indicator, period
from kernel.indicators.windows_nb import unsigned
from kernel.jit import inlined


@inlined
def cointegrated_below_nb(percent, period):
    """The value that the statistic of ``cointegration`` is below by chance ``percent`` (1, 5 or 10) times in 100.

    Source: J. MacKinnon, Critical Values for Cointegration Tests (2010), table 2: two series, a constant, no trend.
    """
    bars = period - 1.0
    if percent <= 1:
        return -3.89644 - 10.9519 / bars - 33.527 / (bars * bars)
    if percent <= 5:
        return -3.33613 - 6.1101 / bars - 6.823 / (bars * bars)
    return -3.04445 - 4.2412 / bars - 2.720 / (bars * bars)


@indicator(
    "cointegration",
    "How surely the first series less a multiple of the second returns to a level: the lower, the surer.",
    source="R. Engle and C. Granger (1987): Dickey-Fuller statistic, without lags, of what a regression leaves",
    inputs="value other", parameters=(period(60, 4),), past="value other", depth=lambda period: period,
    lookback=lambda period: period - 1,
)  # fmt: skip
def cointegration(count, value_past, value_now, other_past, other_now, value, other, period):
    if count < period - 1:
        return NAN
    mean = 0.0
    other_mean = 0.0
    for back in range(period):
        mean += value_past[unsigned(value_now - back)] - value
        other_mean += other_past[unsigned(other_now - back)] - other
    mean = value + mean / period
    other_mean = other + other_mean / period
    spread = 0.0
    common = 0.0
    for back in range(period):
        apart = other_past[unsigned(other_now - back)] - other_mean
        spread += apart * apart
        common += apart * (value_past[unsigned(value_now - back)] - mean)
    slope = common / spread if spread > 0.0 else 0.0
    after = value - mean - slope * (other - other_mean)
    squares = 0.0
    products = 0.0
    moves = 0.0
    for back in range(1, period):
        apart = other_past[unsigned(other_now - back)] - other_mean
        before = value_past[unsigned(value_now - back)] - mean - slope * apart
        squares += before * before
        products += before * (after - before)
        moves += (after - before) * (after - before)
        after = before
    if squares <= 0.0:
        return 0.0
    pull = products / squares
    variance = (moves - pull * products) / (period - 2)
    return pull / sqrt(variance / squares) if variance > 0.0 else 0.0
