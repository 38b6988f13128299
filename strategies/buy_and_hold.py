"""Buy and hold: the benchmark that every strategy must beat."""

from kernel.strategy.api_nb import instrument_of, pending_in, position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled(fraction=0.95)
def buy_and_hold(ctx, own, fraction):
    """Put a fraction of equity into each instrument at its first bar, and keep it.

    Source: the benchmark of W. Sharpe, The Arithmetic of Active Management (1991).
    """
    if position_lots(ctx) == 0 and pending_in(ctx, instrument_of(ctx)) == 0:
        target_fraction(ctx, fraction)
