"""Pairs: two prices that move together, and the distance between them."""

from math import isnan

from kernel.indicators import lookback, words
from kernel.indicators.relation_nb import cointegrated_below_nb
from kernel.indicators.steps import cointegration_nb, rolling_beta_nb, zscore_nb
from kernel.strategy.api_nb import close_ticks, instrument_of, lots_for_fraction, position_in, target_in
from kernel.strategy.declare import compiled

# The last bar of each: its time in whole seconds and what is left of it in nanoseconds, and its close.
FIRST_S, FIRST_NS, FIRST_CLOSE, SECOND_S, SECOND_NS, SECOND_CLOSE, LINE = range(7)
SECOND_IN_NS = 1_000_000_000


@compiled(
    per="portfolio",
    memory=lambda period, spread_period, **_: LINE + 3 * max(
        words("rolling_beta", period=period),
        words("zscore", period=spread_period),
        words("cointegration", period=period),
    ),
    warm_up=lambda period, spread_period, **_: lookback("rolling_beta", period=period) + lookback(
        "zscore", period=spread_period
    ),
    settle=lambda period, **_: period,  # bars without a partner at the same time do not count
    first=0, second=1, period=60, spread_period=60, entry=2.0, leave=0.5, fraction=0.9, significance=5,
)  # fmt: skip
def pairs(ctx, own, first, second, period, spread_period, entry, leave, fraction, significance):
    """Buy the spread first - h * second below -``entry`` deviations, sell it above, out within ``leave`` of its mean.

    h is the slope of a regression of the first price on the second over ``period`` bars (the cointegrating vector
    of Engle and Granger, rolling). A pair is begun only while their test over those bars calls the two cointegrated at
    ``significance`` percent (1, 5 or 10; 0 does not ask). Both legs together are worth ``fraction`` of equity, in the
    proportion 1 to h * second / first. ``first`` and ``second`` are numbers of instruments, in the order of their
    names. A bar counts when both have one that closed at the same time; with a slope that is not positive nothing is
    begun. It sells short, so the account must let it. Source: E. Chan, Algorithmic Trading (2013), ch. 3; R. Engle,
    C. Granger, Co-integration and Error Correction (1987).
    """
    instrument = instrument_of(ctx)
    if instrument != first and instrument != second:
        return
    at = FIRST_S if instrument == first else SECOND_S
    ts_ns = ctx.call.ts_ns
    own[at], own[at + 1], own[at + 2] = ts_ns // SECOND_IN_NS, ts_ns % SECOND_IN_NS, close_ticks(ctx)
    if own[FIRST_S] != own[SECOND_S] or own[FIRST_NS] != own[SECOND_NS] or first == second:
        return
    one, other = own[FIRST_CLOSE], own[SECOND_CLOSE]
    slope, level = rolling_beta_nb(own, LINE, other, one, period)
    part = (own.size - LINE) // 3
    distance = zscore_nb(own, LINE + part, one - slope * other - level, spread_period)
    returns = cointegration_nb(own, LINE + 2 * part, one, other, period)
    if isnan(distance):
        return
    held = position_in(ctx, first)
    holds = significance == 0 or returns < cointegrated_below_nb(significance, period)
    if held == 0 and abs(distance) > entry and slope > 0.0 and holds:
        hedge = slope * other / one
        share = (-fraction if distance > 0.0 else fraction) / (1.0 + hedge)
        target_in(ctx, first, lots_for_fraction(ctx, first, share))
        target_in(ctx, second, lots_for_fraction(ctx, second, -share * hedge))
    elif (held > 0 and distance > -leave) or (held < 0 and distance < leave):
        target_in(ctx, first, 0)
        target_in(ctx, second, 0)
