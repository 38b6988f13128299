"""Market maker: quote both sides, and lean against what is held."""

from kernel.events.layout import QUOTE_SEEN
from kernel.lifecycle import BUY, POST_ONLY, SELL
from kernel.market import NO_PRICE
from kernel.strategy.api_nb import cancel_all, instrument_of, limit_order, lots_for_fraction, position_lots
from kernel.strategy.declare import compiled

UNIT, BID, ASK, HELD = range(4)


@compiled(
    memory=4, settle=1, on="quote", half_spread_ticks=20, skew_ticks=10, max_units=5, requote_ticks=5, fraction=0.05
)  # fmt: skip
def market_maker(ctx, own, half_spread_ticks, skew_ticks, max_units, requote_ticks, fraction):
    """Rest a bid and an ask ``half_spread_ticks`` around the middle, moved down ``skew_ticks`` for each unit held.

    A unit is ``fraction`` of equity at the first quote; never more than ``max_units`` are held on either side. Both are
    post-only and stay inside the market's other side. They are sent again when something was traded or when one of them
    is off by ``requote_ticks``. Without a bid or an ask in the market all is cancelled. It sells short, so the account
    must let it. Source: M. Avellaneda, S. Stoikov, High-frequency Trading in a Limit Order Book (2008), with a
    reservation price that is linear in the inventory.
    """
    instrument = instrument_of(ctx)
    best_bid, best_ask = ctx.call.words[QUOTE_SEEN.bid_ticks], ctx.call.words[QUOTE_SEEN.ask_ticks]
    if best_bid == NO_PRICE or best_ask == NO_PRICE:
        cancel_all(ctx, instrument)
        own[BID] = own[ASK] = 0.0
        return
    if own[UNIT] == 0.0:
        own[UNIT] = lots_for_fraction(ctx, instrument, fraction)
    unit, held = int(own[UNIT]), position_lots(ctx)
    if unit <= 0:
        return
    twice = best_bid + best_ask - 2 * skew_ticks * held // unit  # the middle may be half a tick
    bid = min(twice // 2 - half_spread_ticks, best_ask - 1)
    ask = max((twice + 1) // 2 + half_spread_ticks, best_bid + 1)
    if held == own[HELD] and abs(bid - own[BID]) < requote_ticks and abs(ask - own[ASK]) < requote_ticks:
        return
    own[BID], own[ASK], own[HELD] = bid, ask, held
    cancel_all(ctx, instrument)
    room = max_units * unit
    if held < room and bid > 0:
        limit_order(ctx, BUY, min(unit, room - held), bid).instructions = POST_ONLY
    if held > -room:
        limit_order(ctx, SELL, min(unit, room + held), ask).instructions = POST_ONLY
