"""Fill rules: at what price, and how much, a market row fills a resting order.

Owns the price rules of the profiles, slippage and the volume that a row offers. All rules are written for a buyer; a
sale is the same thing with every price negated. They are stated in ``docs/fills.md``, whose tables are tests.
"""

from kernel.events.layout import BAR_CLOSED, QUOTE_SEEN, TRADE_SEEN
from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, jit
from kernel.lifecycle import (
    MARKET,
    STOP,
    STOP_LIMIT,
)
from kernel.market import BAR, NO_PRICE, QUOTE, UNKNOWN_SIZE
from kernel.units import RATE_SCALE
from replay.venue.profiles import PESSIMISTIC, UNLIMITED


@inlined
def pessimistic_price_nb(order_type, limit, stop, triggered, open_, high, low):
    """``(price, at_open, triggered)`` for a buyer; price 0 means no fill.

    A limit fills at its own price and only if the market traded through it; a stop fills at the worse of trigger and
    open; a stop-limit that is triggered in this bar waits for the next, because the path inside the bar is unknown.
    """
    if order_type == MARKET:
        return open_, True, triggered
    if order_type == STOP:
        if high >= stop:
            return max(stop, open_), open_ >= stop, triggered
        return 0, False, triggered
    if order_type == STOP_LIMIT and triggered == 0:
        return 0, False, 1 if high >= stop else 0
    if low < limit:
        return limit, False, triggered
    return 0, False, triggered


@inlined
def next_open_price_nb(order_type, limit, stop, triggered, open_, high, low):
    """``(price, at_open, triggered)`` for a buyer, as backtesting.py 0.6 fills; price 0 means no fill.

    A limit fills at the better of limit and open when the bar touches it. A stop-limit whose limit lies at or below its
    stop is assumed to have passed the limit first, and waits.
    """
    if order_type == MARKET:
        return open_, True, triggered
    if order_type == STOP:
        if high >= stop:
            return max(stop, open_), open_ >= stop, triggered
        return 0, False, triggered
    if order_type == STOP_LIMIT and triggered == 0:
        if high < stop:
            return 0, False, 0
        if low > limit or limit <= stop:
            return 0, False, 1
        return min(stop, limit), False, 1
    if low <= limit:
        return min(open_, limit), open_ <= limit, triggered
    return 0, False, triggered


@inlined
def slipped_nb(price, slippage_rate):
    """A buyer's price after slippage: the rate of it, rounded half to even to a tick, and at least one tick."""
    if slippage_rate == 0:
        return price
    slip = scale_nb(abs(price), slippage_rate, 1, RATE_SCALE)
    return price + max(slip, 1)


@inlined
def price_nb(head, order, open_, high, low):
    """``(price, at_open, triggered)`` of a resting order in a range of prices, slippage included; 0 means no fill."""
    side = order.side
    if side < 0:
        open_, high, low = -open_, -low, -high
    limit, stop = side * order.limit_ticks, side * order.stop_ticks
    if head.profile == PESSIMISTIC:
        price, at_open, triggered = pessimistic_price_nb(
            order.order_type, limit, stop, order.triggered, open_, high, low
        )
    else:
        price, at_open, triggered = next_open_price_nb(order.order_type, limit, stop, order.triggered, open_, high, low)
    if price != 0 and (order.order_type == MARKET or order.order_type == STOP):
        price = slipped_nb(price, head.slippage_rate)
        if side < 0 and price >= 0:
            price = -1  # a sale never slips below one tick
    return side * price, at_open, triggered


@inlined
def range_nb(row, side):
    """``(open, high, low, ts_open_ns)`` that a row offers to one side; prices of 0 mean nothing to trade with."""
    words = row.words
    if row.kind == BAR:
        ts_open_ns = words[BAR_CLOSED.ts_open_ns]
        return words[BAR_CLOSED.open_ticks], words[BAR_CLOSED.high_ticks], words[BAR_CLOSED.low_ticks], ts_open_ns
    if row.kind == QUOTE:
        price = words[QUOTE_SEEN.ask_ticks] if side > 0 else words[QUOTE_SEEN.bid_ticks]
        if price == NO_PRICE:
            price = 0
        return price, price, price, row.ts_ns
    price = words[TRADE_SEEN.price_ticks]
    return price, price, price, row.ts_ns


@jit
def offered_lots_nb(head, instrument, row, side):
    """How many lots a row can fill on one side, by the profile's volume rule."""
    if head.profile != PESSIMISTIC:
        return UNLIMITED
    words = row.words
    if row.kind == QUOTE:
        size = words[QUOTE_SEEN.ask_size_lots] if side > 0 else words[QUOTE_SEEN.bid_size_lots]
        return UNLIMITED if size == UNKNOWN_SIZE else size
    if instrument.volume_known == 0:
        return UNLIMITED
    volume = words[BAR_CLOSED.volume_lots] if row.kind == BAR else words[TRADE_SEEN.quantity_lots]
    share = scale_nb(volume, head.volume_share_rate, 1, RATE_SCALE)
    return UNLIMITED if share == OVERFLOW else share
