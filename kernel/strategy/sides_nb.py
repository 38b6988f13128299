"""Being long, flat or short with one share of equity: what most strategies of one instrument want."""

from kernel.jit import jit
from kernel.strategy.api_nb import position_lots, target_fraction


@jit
def be(ctx, side, fraction, short):
    """Be long (1), flat (0) or short (-1) with ``fraction`` of equity; a short side is flat unless ``short`` is 1.

    A position that is on that side already is left as large as it is.
    """
    held = position_lots(ctx)
    if side < 0 and short != 1:
        side = 0
    if side > 0 and held <= 0:
        target_fraction(ctx, fraction)
    elif side < 0 and held >= 0:
        target_fraction(ctx, -fraction)
    elif side == 0 and held != 0:
        target_fraction(ctx, 0.0)
