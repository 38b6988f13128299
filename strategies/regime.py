"""A classifier of regimes: bull, bear or sideways; quiet or wild; trending or ranging. It never trades."""

from math import isnan

from kernel.indicators import fading, lookback, words
from kernel.indicators.steps import adx_nb, choppiness_nb, percentrank_nb, sma_nb, volatility_close_nb
from kernel.pipeline.rules import BEAR, BULL, HIGH, LOW, MIXED, NORMAL, RANGING, SIDEWAYS, TRENDING
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks
from kernel.strategy.declare import compiled
from kernel.strategy.pipeline_api_nb import regime_is

_ADX, _CHOP = words("adx", period=14), words("choppiness", period=14)


def _memory(fast, slow, volatility_period, rank_period, **_):
    averages = words("sma", period=fast) + words("sma", period=slow)
    volatility = words("volatility_close", period=volatility_period)
    return 4 + averages + volatility + words("percentrank", period=rank_period) + _ADX + _CHOP


@compiled(
    memory=_memory,
    warm_up=lambda slow, volatility_period, rank_period, **_: max(
        lookback("sma", period=slow),
        lookback("adx", period=14),
        lookback("volatility_close", period=volatility_period) + lookback("percentrank", period=rank_period),
    ),
    settle=lambda **_: fading(1.0 / 14),
    fast=20, slow=50, volatility_period=20, rank_period=100, low=25.0, high=75.0, adx=25.0, choppiness=61.8,
)  # fmt: skip
def regime(ctx, own, fast, slow, volatility_period, rank_period, low, high, adx, choppiness):
    """Say when the regime of an instrument changes; the confidences of signals are scaled by it (``[regimes]``).

    Bull: close and fast average above the slow one; bear: both below; else sideways. Volatility is high (low) when the
    deviation of the last returns ranks above ``high`` (below ``low``) percent of those before. Trending: ADX of 14 at
    least ``adx`` and choppiness of 14 at most ``choppiness``; ranging: neither; else mixed. Source: J. W. Wilder (1978)
    for ADX; E. W. Dreiss for the choppiness index, and its 61.8.
    """
    close = close_ticks(ctx)
    at = 0
    quick = sma_nb(own, at, close, fast)
    at += fast + 3
    steady = sma_nb(own, at, close, slow)
    at += slow + 3
    direction = adx_nb(own, at, high_ticks(ctx), low_ticks(ctx), close, 14)
    at += _ADX
    chop = choppiness_nb(own, at, high_ticks(ctx), low_ticks(ctx), close, 14)
    at += _CHOP
    wild = volatility_close_nb(own, at, close, volatility_period, 252.0)
    if isnan(wild):
        return
    at += 2 * volatility_period + 6
    rank = percentrank_nb(own, at, wild, rank_period)
    if isnan(quick) or isnan(steady) or isnan(direction) or isnan(chop) or isnan(rank):
        return
    trend = SIDEWAYS
    if close > steady and quick > steady:
        trend = BULL
    elif close < steady and quick < steady:
        trend = BEAR
    volatility = HIGH if rank > high else LOW if rank < low else NORMAL
    character = MIXED
    if direction >= adx and chop <= choppiness:
        character = TRENDING
    elif direction < adx and chop > choppiness:
        character = RANGING
    regime_is(ctx, trend, volatility, character, quick, steady, direction, chop, rank)
