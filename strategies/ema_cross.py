"""EMA cross: long while the fast average is above the slow one."""

from kernel.indicators_nb import ema_nb
from kernel.strategy.api_nb import close_ticks, position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled(memory=3, fast=12, slow=26, fraction=0.95, short=0)
def ema_cross(ctx, own, fast, slow, fraction, short):
    """Long while the fast exponential average is above the slow one; flat (or short, with short=1) below."""
    price = close_ticks(ctx)
    quick = ema_nb(own, 0, price, fast, own[2])
    steady = ema_nb(own, 1, price, slow, own[2])
    own[2] += 1
    if own[2] < slow:
        return
    held = position_lots(ctx)
    if quick > steady and held <= 0:
        target_fraction(ctx, fraction)
    elif quick < steady and held > 0:
        target_fraction(ctx, -fraction * short)
