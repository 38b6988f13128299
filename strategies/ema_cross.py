"""EMA cross: long while the fast average is above the slow one."""

from math import isnan

from kernel.indicators import fading, lookback
from kernel.indicators.steps import ema_nb
from kernel.strategy.api_nb import close_ticks, position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled(
    memory=4,
    warm_up=lambda fast, slow, **_: max(lookback("ema", period=fast), lookback("ema", period=slow)),
    settle=lambda fast, slow, **_: fading(2.0 / (max(fast, slow) + 1.0)),
    fast=12, slow=26, fraction=0.95, short=0,
)  # fmt: skip
def ema_cross(ctx, own, fast, slow, fraction, short):
    """Long while the fast exponential average is above the slow one; flat (or short, with short=1) below.

    The averages begin with the first close, and count from the ``slow``-th on. A short side begins with the first cross
    down out of a long one. Source: G. Appel, Technical Analysis: Power Tools for Active Investors (2005): 12 and 26.
    """
    price = close_ticks(ctx)
    quick = ema_nb(own, 0, price, fast, 1)
    steady = ema_nb(own, 2, price, slow, 1)
    if isnan(quick) or isnan(steady):
        return
    held = position_lots(ctx)
    if quick > steady and held <= 0:
        target_fraction(ctx, fraction)
    elif quick < steady and held > 0:
        target_fraction(ctx, -fraction * short)
