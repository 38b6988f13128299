"""Grid: buy each step down, sell each step up."""

from kernel.jit import jit
from kernel.lifecycle import BUY, SELL
from kernel.strategy.api_nb import cancel_all, close_ticks, instrument_of, limit_order, lots_for_fraction, position_lots
from kernel.strategy.context import BAR
from kernel.strategy.declare import NEVER, compiled

ANCHOR, UNIT = 0, 1
BASIS_POINTS = 10_000


@jit
def open_orders(ctx):
    """How many orders of this strategy are open in the event's instrument."""
    count = 0
    for row in range(ctx.state.head.order_count):
        order = ctx.state.orders[row]
        if order.strategy == ctx.call.strategy and order.instrument == ctx.call.instrument:
            count += 1
    return count


@compiled(memory=2, settle=NEVER, on=("bar", "fill"), spacing_bps=100, levels=10, fraction=0.95)
def grid(ctx, own, spacing_bps, levels, fraction):
    """Rest a limit to buy one unit a step below what is held, and one to sell the last unit a step above its price.

    Steps are ``spacing_bps`` of the anchor, in whole ticks: the close of the first bar, moved up to a later close
    that is more than a step above it while nothing is held. A unit is ``fraction`` of equity, at the anchor, shared
    by ``levels`` steps; below the last of them it only waits. What is held tells the level, so that an order that
    was refused is sent again at the next bar. Source: H. Masover, Value Investing in Commodity
    Futures: How to Profit with Scale Trading.
    """
    held = position_lots(ctx)
    anchor = int(own[ANCHOR])
    moved = ctx.call.kind != BAR
    if not moved:
        close = close_ticks(ctx)
        if held == 0 and (anchor == 0 or close * BASIS_POINTS > anchor * (BASIS_POINTS + spacing_bps)):
            moved = True
            anchor = close
            own[ANCHOR] = anchor
            own[UNIT] = lots_for_fraction(ctx, instrument_of(ctx), fraction / max(levels, 1))
    unit = int(own[UNIT])
    step = anchor * spacing_bps // BASIS_POINTS
    if unit <= 0 or step <= 0 or held < 0:
        return
    below = held // unit + 1
    buys = below <= levels and anchor > below * step
    if not moved and open_orders(ctx) == int(buys) + int(held > 0):
        return
    cancel_all(ctx, instrument_of(ctx))
    if buys:
        limit_order(ctx, BUY, below * unit - held, anchor - below * step)
    if held > 0:
        kept = (held - 1) // unit  # whole units that stay when the last one is sold
        limit_order(ctx, SELL, held - kept * unit, anchor - kept * step)
