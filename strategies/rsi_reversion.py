"""RSI mean reversion: buy weakness, sell when it has passed."""

from math import isnan

from kernel.indicators import fading, lookback
from kernel.indicators.steps import rsi_nb
from kernel.strategy.api_nb import close_ticks, position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled(
    memory=4, warm_up=lambda period, **_: lookback("rsi", period=period),
    settle=lambda period, **_: fading(1.0 / period), period=14, low=30.0, high=55.0, fraction=0.95,
)  # fmt: skip
def rsi_reversion(ctx, own, period, low, high, fraction):
    """Long when the relative strength index falls below ``low``; flat again when it rises above ``high``.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978); the exit near the middle is common practice.
    """
    strength = rsi_nb(own, 0, close_ticks(ctx), period)
    if isnan(strength):
        return
    held = position_lots(ctx)
    if strength < low and held == 0:
        target_fraction(ctx, fraction)
    elif strength > high and held > 0:
        target_fraction(ctx, 0.0)
