"""What a compiled strategy calls for orders of several parts: closing, trailing stops, groups.

The same rules as in ``api_nb``: everything is an intent, noted and checked later. A group is all or nothing: when there
is no room for its intents, none of it is noted, and the kernel says how many were lost.
"""

from kernel.jit import jit
from kernel.lifecycle import (
    BUY,
    CHILD,
    CLOSE_POSITION,
    ENTRY,
    GTC,
    LIMIT,
    MARKET,
    OCO,
    OUO,
    PARENT,
    REDUCE_ONLY,
    SELL,
    STOP,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
)
from kernel.strategy.api_nb import submit
from kernel.strategy.context import MAX_INTENTS


@jit
def close_position_in(ctx, instrument, leg):
    """Close at the market whatever the strategy holds; ``leg`` is 1 or -1 in a hedging account, else 0."""
    intent = submit(ctx, instrument, 0, MARKET, GTC, 0, 0, 0, 0)
    intent.instructions = CLOSE_POSITION
    intent.leg = leg
    return intent


@jit
def close_position(ctx):
    """Close at the market whatever the strategy holds in the event's instrument."""
    return close_position_in(ctx, ctx.call.instrument, 0)


@jit
def trailing_stop(ctx, side, quantity_lots, trail_kind, trail_value):
    """Rest a reduce-only stop that follows the best price, so many ticks or basis points behind it."""
    intent = submit(ctx, ctx.call.instrument, side, TRAILING_STOP, GTC, quantity_lots, 0, 0, 0)
    intent.instructions = REDUCE_ONLY
    intent.trail_kind = trail_kind
    intent.trail_value = trail_value
    return intent


@jit
def _begin_group(ctx, first_role, rest_role, size):
    """The next ``size`` orders are a group; without room for all of them none is noted. Returns whether there is."""
    call = ctx.call
    call.group_first, call.group_rest, call.group_size, call.group_left = first_role, rest_role, size, size
    if call.intent_count + size > MAX_INTENTS:
        call.group_size = 0
    return call.group_size > 0


@jit
def oco(ctx, size):
    """The next ``size`` orders are one-cancels-other: the first fill of one cancels all the others."""
    return _begin_group(ctx, OCO, OCO, size)


@jit
def ouo(ctx, size):
    """The next ``size`` orders are one-updates-other: each fill of one takes as much from all the others."""
    return _begin_group(ctx, OUO, OUO, size)


@jit
def oto(ctx, size):
    """The next ``size`` orders are one-triggers-other: the first is the parent, the others wait until it is done."""
    return _begin_group(ctx, PARENT, CHILD, size)


@jit
def bracket(ctx, instrument, side, quantity_lots, limit_ticks, take_profit_ticks, stop_loss_ticks):
    """An entry (at the market when ``limit_ticks`` is 0) with a take-profit limit and a stop-loss around it.

    The exits wait for the entry, are as large as what it has filled, and each takes from the other what it fills.
    Returns the intents of entry, take-profit and stop-loss.
    """
    _begin_group(ctx, ENTRY, TAKE_PROFIT, 3)
    kind = LIMIT if limit_ticks > 0 else MARKET
    other = SELL if side == BUY else BUY
    entry = submit(ctx, instrument, side, kind, GTC, quantity_lots, limit_ticks, 0, 0)
    profit = submit(ctx, instrument, other, LIMIT, GTC, quantity_lots, take_profit_ticks, 0, 0)
    loss = submit(ctx, instrument, other, STOP, GTC, quantity_lots, 0, stop_loss_ticks, 0)
    profit.instructions = REDUCE_ONLY
    loss.instructions = REDUCE_ONLY
    loss.group_role = STOP_LOSS
    return entry, profit, loss


@jit
def trailing_bracket(ctx, instrument, side, quantity_lots, limit_ticks, take_profit_ticks, trail_kind, trail_value):
    """A bracket whose stop-loss trails; see ``bracket`` and ``trailing_stop``."""
    entry, profit, loss = bracket(ctx, instrument, side, quantity_lots, limit_ticks, take_profit_ticks, 0)
    loss.order_type = TRAILING_STOP
    loss.trail_kind = trail_kind
    loss.trail_value = trail_value
    return entry, profit, loss
