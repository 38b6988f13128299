"""MACD cross: long while the MACD line is above its signal line."""

from math import isnan

from kernel.indicators import fading, lookback, words
from kernel.indicators.steps import macd_nb
from kernel.strategy.api_nb import close_ticks
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be


@compiled(
    memory=lambda fast, slow, signal, **_: words("macd", fast=fast, slow=slow, signal=signal),
    warm_up=lambda fast, slow, signal, **_: lookback("macd", fast=fast, slow=slow, signal=signal),
    settle=lambda fast, slow, signal, **_: fading(2.0 / (max(fast, slow) + 1.0)) + fading(2.0 / (signal + 1.0)),
    fast=12, slow=26, signal=9, fraction=0.95, short=0,
)  # fmt: skip
def macd_cross(ctx, own, fast, slow, signal, fraction, short):
    """Long while the MACD line is above its signal line, flat (short, with short=1) while it is below.

    Where they are equal nothing changes. Source: G. Appel, Technical Analysis: Power Tools for Active Investors (2005).
    """
    _, _, histogram = macd_nb(own, 0, close_ticks(ctx), fast, slow, signal)
    if isnan(histogram) or histogram == 0.0:
        return
    be(ctx, 1 if histogram > 0.0 else -1, fraction, short)
