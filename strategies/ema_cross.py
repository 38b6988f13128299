"""EMA cross: long while the fast average is above the slow one."""

from math import isnan

from kernel.indicators.steps import ema_nb
from kernel.strategy.api_nb import close_ticks, position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled(memory=4, fast=12, slow=26, fraction=0.95, short=0)
def ema_cross(ctx, own, fast, slow, fraction, short):
    """Long while the fast exponential average is above the slow one; flat (or short, with short=1) below."""
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
