"""Profiles that see a row as a range of prices: at what price, and how much, it fills a resting order.

Owns the price rules of ``pessimistic`` (also that of ``intrabar`` on finer rows) and ``next_open``, and the volume that
a row offers. All rules are written for a buyer; a sale is the same thing with every price negated. They are stated in
``docs/fills.md``, whose tables are tests.
"""

import numpy as np

from kernel.events.layout import BAR_CLOSED, QUOTE_SEEN, TRADE_SEEN
from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit, unit
from kernel.lifecycle import MARKET
from kernel.market import BAR, NO_PRICE, QUOTE, ROW, UNKNOWN_SIZE
from kernel.tables.ledger import INSTRUMENT
from kernel.units import RATE_SCALE
from replay.venue.kinds_nb import has_trigger_nb, is_touch_nb, takes_any_price_nb
from replay.venue.memory import VENUE_HEAD
from replay.venue.profiles import NEXT_OPEN, UNLIMITED


@inlined
def _set_off_nb(touch, stop, open_, high, low):
    """``(price, at_open)`` of a market order that its trigger sets off; price 0 means that it is not."""
    if touch:
        if low > stop:
            return 0, False
        return min(stop, open_), open_ <= stop
    if high < stop:
        return 0, False
    return max(stop, open_), open_ >= stop


@inlined
def _pessimistic_limit_nb(touch, limit, stop, triggered, open_, high, low):
    """``(price, at_open, triggered)`` of an order with a limit.

    It fills at its own price, and only if the market traded through it. One that its trigger lets loose in this bar
    waits for the next, because the path inside the bar is unknown.
    """
    if triggered == 0:
        hit = low <= stop if touch else high >= stop
        return 0, False, 1 if hit else 0
    if low < limit:
        return limit, False, 1
    return 0, False, 1


@inlined
def _next_open_limit_nb(touch, limit, stop, triggered, open_, high, low):
    """``(price, at_open, triggered)`` of an order with a limit, as backtesting.py 0.6 fills.

    A limit fills at the better of limit and open when the bar touches it. A stop-limit whose limit lies at or below its
    stop is assumed to have passed the limit first, and waits. A limit-if-touched meets its touch on the way down.
    """
    if triggered == 0 and touch:
        reach = min(limit, stop)
        if low <= reach:
            return min(open_, reach), open_ <= reach, 1
        return 0, False, 1 if low <= stop else 0
    if triggered == 0:
        if high < stop:
            return 0, False, 0
        if low > limit or limit <= stop:
            return 0, False, 1
        return min(stop, limit), False, 1
    if low <= limit:
        return min(open_, limit), open_ <= limit, 1
    return 0, False, 1


@inlined
def price_nb(profile, order, open_, high, low):
    """``(price, at_open, triggered)`` of a resting order in a range of prices, without slippage; 0 means no fill."""
    side, kind = order.side, order.order_type
    if side < 0:
        open_, high, low = -open_, -low, -high
    limit, stop = side * order.limit_ticks, side * order.stop_ticks
    touch = is_touch_nb(kind)
    triggered = order.triggered
    if kind == MARKET:
        price, at_open = open_, True
    elif takes_any_price_nb(kind):
        price, at_open = _set_off_nb(touch, stop, open_, high, low)
    else:
        loose = 1 if triggered == 1 or not has_trigger_nb(kind) else 0
        if profile == NEXT_OPEN:
            price, at_open, triggered = _next_open_limit_nb(touch, limit, stop, loose, open_, high, low)
        else:
            price, at_open, triggered = _pessimistic_limit_nb(touch, limit, stop, loose, open_, high, low)
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
def volume_lots_nb(instrument, row, side):
    """The size that a row names on one side; UNLIMITED where it is not known."""
    words = row.words
    if row.kind == QUOTE:
        size = words[QUOTE_SEEN.ask_size_lots] if side > 0 else words[QUOTE_SEEN.bid_size_lots]
        return UNLIMITED if size == UNKNOWN_SIZE else size
    if instrument.volume_known == 0:
        return UNLIMITED
    return words[BAR_CLOSED.volume_lots] if row.kind == BAR else words[TRADE_SEEN.quantity_lots]


@unit(VENUE_HEAD, INSTRUMENT, ROW, np.int64)
def offered_lots_nb(head, instrument, row, side):
    """How many lots a row can fill on one side, by the profile's volume rule."""
    if head.profile == NEXT_OPEN:
        return UNLIMITED
    volume = volume_lots_nb(instrument, row, side)
    if row.kind == QUOTE or volume == UNLIMITED:
        return volume
    share = scale_linked_nb(volume, head.volume_share_rate, 1, RATE_SCALE)
    return UNLIMITED if share == OVERFLOW else share
