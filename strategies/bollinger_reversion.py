"""Bollinger reversion: buy below the lower band, sell at the middle."""

from math import isnan

from kernel.indicators import lookback, words
from kernel.indicators.steps import bbands_nb
from kernel.strategy.api_nb import close_ticks, position_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be


@compiled(
    memory=lambda period, deviations, **_: words("bbands", period=period, up=deviations, down=deviations),
    warm_up=lambda period, **_: lookback("bbands", period=period),
    period=20, deviations=2.0, fraction=0.95, short=0,
)  # fmt: skip
def bollinger_reversion(ctx, own, period, deviations, fraction, short):
    """Long after a close below the lower band (short, with short=1, above the upper one), flat again at the middle one.

    Source: J. Bollinger, Bollinger on Bollinger Bands (2001); mean of the closes and population deviation.
    """
    close = close_ticks(ctx)
    upper, middle, lower = bbands_nb(own, 0, close, period, deviations, deviations)
    if isnan(middle):
        return
    held = position_lots(ctx)
    if close < lower:
        be(ctx, 1, fraction, short)
    elif close > upper:
        be(ctx, -1, fraction, short)
    elif (held > 0 and close >= middle) or (held < 0 and close <= middle):
        be(ctx, 0, fraction, short)
