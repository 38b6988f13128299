"""A strategy that is never quiet: what sessions under test run, so that something is always under way.

Every few quotes it places, changes or cancels orders, in turn, and keeps what it holds small. It decides by counting,
so it does the same in a re-run.
"""

from kernel.events.layout import QUOTE_SEEN
from kernel.jit import jit
from kernel.lifecycle import BUY, GTC, LIMIT, SELL
from kernel.market import NO_PRICE
from kernel.strategy.api_nb import buy, cancel, instrument_of, limit_order, position_lots, replace, sell, submit
from kernel.strategy.declare import compiled

COUNT = 0


@jit
def oldest(ctx):
    """The row of the strategy's oldest open order in the event's instrument, or -1."""
    for row in range(ctx.state.head.order_count):
        order = ctx.state.orders[row]
        if order.strategy == ctx.call.strategy and order.instrument == ctx.call.instrument:
            return row
    return -1


@compiled(memory=1, settle=1, on="quote", every=3, lots=10, most=50, away_ticks=2)
def busy(ctx, own, every, lots, most, away_ticks):
    """One thing every ``every`` quotes: a market order, a limit order near the touch, a change, a cancel."""
    bid, ask = ctx.call.words[QUOTE_SEEN.bid_ticks], ctx.call.words[QUOTE_SEEN.ask_ticks]
    own[COUNT] += 1.0
    count = int(own[COUNT])
    if bid == NO_PRICE or ask == NO_PRICE or count % every != 0:
        return
    held, turn = position_lots(ctx), count // every % 8
    side = BUY if held <= -most else SELL if held >= most else BUY if count // every // 8 % 2 == 0 else SELL
    row = oldest(ctx)
    if turn == 0:
        if side == BUY:
            buy(ctx, lots)
        else:
            sell(ctx, lots)
    elif turn == 1 or turn == 3:
        limit_order(ctx, side, lots, bid - away_ticks if side == BUY else ask + away_ticks)
    elif turn == 2:
        limit_order(ctx, side, 2 * lots, bid if side == BUY else ask)
    elif turn == 5:
        submit(ctx, instrument_of(ctx), side, LIMIT, GTC, lots, ask if side == BUY else bid, 0, 0)
    elif turn == 4 and row >= 0:
        order = ctx.state.orders[row]
        replace(ctx, order.order_id, order.quantity_lots + lots, order.limit_ticks - order.side, order.stop_ticks)
    elif turn >= 6 and row >= 0:
        cancel(ctx, ctx.state.orders[row].order_id)
