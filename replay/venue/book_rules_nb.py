"""What the book does to one order: the profile ``book``.

Owns taking from the book (depth, or the best quote alone), joining the queue at a price, and triggers. Which row asks
for what is in ``book_match_nb``, the book itself in ``replay/book_nb.py``, the queue in ``replay/queue_nb.py``. What
our own orders took is not there for the next until the book changes.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import CANCEL_FOK, CANCEL_IOC, CANCEL_POST_ONLY, FOK, IOC, POST_ONLY, TAKER
from kernel.market import NO_PRICE
from kernel.state import STATE
from replay.book_nb import best_ticks_nb, level_lots_nb, next_level_nb, node_lots_nb, node_ticks_nb, walk_book_nb
from replay.queue_nb import join_queue_nb
from replay.venue.fills_nb import fill_nb
from replay.venue.kinds_nb import has_trigger_nb, is_touch_nb, takes_any_price_nb
from replay.venue.memory import MARKET, VENUE, VENUE_ORDER
from replay.venue.profiles import BY_DEPTH, UNLIMITED
from replay.venue.reports_nb import cancel_rest_nb, is_frozen_nb
from replay.venue.trail_nb import follow_nb


@unit(VENUE, np.int64, np.int64)
def best_nb(venue, instrument, side):
    """The best price of a side of the book (1 bid, -1 ask); 0 when there is none."""
    market = venue.markets[instrument]
    if market.source == BY_DEPTH:
        price = best_ticks_nb(venue.books[market.book - 1], side)
        return price if price != NO_PRICE else 0
    return market.bid_ticks + 0 if side > 0 else market.ask_ticks + 0


@unit(VENUE, np.int64, np.int64, np.int64)
def level_nb(venue, instrument, side, price_ticks):
    """The lots that others show at a price; 0 where nothing is known of it."""
    market = venue.markets[instrument]
    if market.source == BY_DEPTH:
        return level_lots_nb(venue.books[market.book - 1], side, price_ticks)
    lots = market.bid_lots if side > 0 else market.ask_lots
    best = market.bid_ticks if side > 0 else market.ask_ticks
    return lots + 0 if best == price_ticks and lots != UNLIMITED else 0


@inlined
def _taken_nb(market, side):
    """What our own orders have taken from the side that an order of ``side`` takes from."""
    return market.ask_taken_lots if side > 0 else market.bid_taken_lots


@jit
def _add_taken_nb(market, side, lots):
    if side > 0:
        market.ask_taken_lots += lots
    else:
        market.bid_taken_lots += lots


@inlined
def _available_nb(venue, market, order, limit_ticks):
    """How many lots the order could take at once."""
    taken = _taken_nb(market, order.side)
    if market.source == BY_DEPTH:
        wanted = order.remaining_lots + taken
        filled, _cost, _worst = walk_book_nb(venue.books[market.book - 1], order.side, wanted, limit_ticks)
        return filled - taken
    lots = market.ask_lots if order.side > 0 else market.bid_lots
    price = market.ask_ticks if order.side > 0 else market.bid_ticks
    within = price > 0 and (limit_ticks == NO_PRICE or order.side * price <= order.side * limit_ticks)
    return lots - taken if within else 0


@inlined
def _take_levels_nb(venue, state, output, market, order, limit_ticks, ts_event_ns):
    """One fill for each level of the depth, from the best on."""
    book, side = venue.books[market.book - 1], order.side
    skip = _taken_nb(market, side)
    node = next_level_nb(book, -side, 0)
    while node != 0 and order.remaining_lots > 0:
        price = node_ticks_nb(book, -side, node)
        if limit_ticks != NO_PRICE and side * price > side * limit_ticks:
            break
        lots = node_lots_nb(book, -side, node)
        gone = min(lots, skip)
        skip -= gone
        lots = min(lots - gone, order.remaining_lots)
        if lots > 0:
            before = order.filled_lots
            status = fill_nb(venue, state, output, order, price, lots, TAKER, ts_event_ns)
            _add_taken_nb(market, side, order.filled_lots - before)
            if status != OK:
                return status
        node = next_level_nb(book, -side, node)
    return OK


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, np.int64)
def take_book_nb(venue, state, output, order, ts_event_ns):
    """Take what the book offers within the limit; IOC and FOK end with it. The rest of a market order waits."""
    market = venue.markets[order.instrument]
    limit = NO_PRICE if takes_any_price_nb(order.order_type) else order.limit_ticks
    available = _available_nb(venue, market, order, limit)
    if order.time_in_force == FOK and available < order.remaining_lots:
        return cancel_rest_nb(venue, state, output, order, CANCEL_FOK)
    if available > 0 and order.instructions & POST_ONLY != 0:
        return cancel_rest_nb(venue, state, output, order, CANCEL_POST_ONLY)
    status = OK
    if available > 0 and market.source == BY_DEPTH:
        status = _take_levels_nb(venue, state, output, market, order, limit, ts_event_ns)
    elif available > 0:
        before = order.filled_lots
        price = market.ask_ticks if order.side > 0 else market.bid_ticks
        lots = min(available, order.remaining_lots)
        status = fill_nb(venue, state, output, order, price, lots, TAKER, ts_event_ns)
        _add_taken_nb(market, order.side, order.filled_lots - before)
    if status == OK and order.remaining_lots > 0 and order.time_in_force == IOC:
        return cancel_rest_nb(venue, state, output, order, CANCEL_IOC)
    return status


@jit
def join_nb(venue, order):
    """Put what the order shows at the end of the queue at its price."""
    order.shown_lots = min(order.display_lots, order.remaining_lots)
    join_queue_nb(order, level_nb(venue, order.instrument, order.side, order.limit_ticks))


@jit
def is_set_off_nb(order, price_ticks):
    """Whether a price triggers the order."""
    beyond = order.side * (price_ticks - order.stop_ticks)
    return beyond <= 0 if is_touch_nb(order.order_type) else beyond >= 0


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, np.int64, np.int64)
def trigger_nb(venue, state, output, order, price_ticks, ts_event_ns):
    """Let a price trigger the order, or its stop follow it. What is triggered takes at once; the rest rests."""
    if not has_trigger_nb(order.order_type) or order.triggered == 1 or price_ticks <= 0:
        return OK
    if order.stop_ticks == 0 or not is_set_off_nb(order, price_ticks):
        return follow_nb(order, price_ticks)
    order.triggered = 1
    order.seen = 1
    status = take_book_nb(venue, state, output, order, ts_event_ns)
    if status == OK and order.remaining_lots > 0 and not takes_any_price_nb(order.order_type):
        join_nb(venue, order)
    return status


@inlined
def trigger_price_nb(venue, market, order):
    """What triggers: the last trade, or the best opposite price of data without trades."""
    if market.has_trades == 1:
        return market.trade_ticks + 0
    return best_nb(venue, order.instrument, -order.side)


@unit(VENUE, STATE, OUTPUT, MARKET, VENUE_ORDER, np.int64)
def meet_book_nb(venue, state, output, market, order, ts_event_ns):
    """An order that arrives meets the book that stands, and joins the queue with what is left.

    One whose group has filled another, of which the kernel has not heard, takes nothing: the group must act first.
    """
    kind = order.order_type
    if is_frozen_nb(venue, order):
        if not has_trigger_nb(kind) and not takes_any_price_nb(kind):
            order.seen = 1 if market.source > 1 else 0
            join_nb(venue, order)
        return OK
    if has_trigger_nb(kind) and order.triggered == 0:
        return trigger_nb(venue, state, output, order, trigger_price_nb(venue, market, order), ts_event_ns)
    order.seen = 1 if market.source > 1 else 0
    if market.source == 1:  # trades alone: there is nothing to take before the next one
        join_nb(venue, order)
        return OK
    if takes_any_price_nb(kind) and best_nb(venue, order.instrument, -order.side) == 0:
        return OK  # nobody is there yet; it waits for the first
    status = take_book_nb(venue, state, output, order, ts_event_ns)
    if status == OK and order.remaining_lots > 0:
        join_nb(venue, order)
    return status
