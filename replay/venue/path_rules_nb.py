"""What one tick does to one order, for the profiles that walk a bar as ticks (``ohlc``, ``ohlc_adaptive``).

Owns these rules; ``path_nb`` makes the ticks. They follow NautilusTrader 1.231 without its latency model: bid and
offer are the tick's price, each order sees the whole size of the tick again, and what a taker wants beyond that size
fills one tick worse. An order meets the tick that stands on its arrival at once. All rules are written for a buyer; a
sale is the same thing with every price negated.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import (
    CANCEL_FOK,
    CANCEL_IOC,
    CANCEL_POST_ONLY,
    FOK,
    IOC,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MAKER,
    MARKET,
    POST_ONLY,
    TAKER,
)
from kernel.state import STATE
from replay.venue.costs_nb import slipped_nb
from replay.venue.fills_nb import fill_nb
from replay.venue.kinds_nb import has_trigger_nb, is_touch_nb, takes_any_price_nb
from replay.venue.memory import VENUE, VENUE_ORDER
from replay.venue.reports_nb import cancel_rest_nb, is_frozen_nb
from replay.venue.trail_nb import follow_nb


@inlined
def standing_nb(venue, instrument, side):
    """``(price, lots)`` that stand at the venue for one side; a price of 0 means none."""
    standing = venue.markets[instrument]
    if side > 0:
        return standing.ask_ticks, standing.ask_lots
    return standing.bid_ticks, standing.bid_lots


@jit
def take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns):
    """Fill as a taker: what is offered at the price, all the rest one tick worse, unless that is beyond the limit."""
    side = order.side
    first = min(order.remaining_lots, offered_lots)
    if order.time_in_force == FOK and first < order.remaining_lots:
        return cancel_rest_nb(venue, state, output, order, CANCEL_FOK)
    if order.instructions & POST_ONLY != 0:
        return cancel_rest_nb(venue, state, output, order, CANCEL_POST_ONLY)
    takes_any = takes_any_price_nb(order.order_type)
    if takes_any:
        price_ticks = slipped_nb(venue.head, side, price_ticks, order.remaining_lots, offered_lots)
    status = OK
    if first > 0:
        status = fill_nb(venue, state, output, order, price_ticks, first, TAKER, ts_event_ns)
    if status != OK or order.remaining_lots == 0:
        return status
    if order.time_in_force == IOC:
        return cancel_rest_nb(venue, state, output, order, CANCEL_IOC)
    worse = max(price_ticks + side, 1)
    if not takes_any and side * worse > side * order.limit_ticks:
        return OK
    return fill_nb(venue, state, output, order, worse, order.remaining_lots, TAKER, ts_event_ns)


@jit
def _make_nb(venue, state, output, order, price_ticks, offered_lots, through, ts_event_ns):
    """Fill as a maker: what is offered at the price; the rest at the limit, if the market went through it.

    IOC and FOK come here as stop-limits that did not fill when they were triggered.
    """
    first = min(order.remaining_lots, offered_lots)
    if order.time_in_force == FOK and first < order.remaining_lots:
        return cancel_rest_nb(venue, state, output, order, CANCEL_FOK)
    status = OK
    if first > 0:
        status = fill_nb(venue, state, output, order, price_ticks, first, MAKER, ts_event_ns)
    if status != OK or order.remaining_lots == 0:
        return status
    if order.time_in_force == IOC:
        return cancel_rest_nb(venue, state, output, order, CANCEL_IOC)
    if not through:
        return OK
    return fill_nb(venue, state, output, order, order.limit_ticks, order.remaining_lots, MAKER, ts_event_ns)


@inlined
def _is_set_off_nb(order, tick, stop):
    """Whether a tick triggers the order."""
    return tick <= stop if is_touch_nb(order.order_type) else tick >= stop


@inlined
def _meet_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns):
    """An order meets the market for the first time."""
    side, kind = order.side, order.order_type
    order.seen = 1
    if kind == MARKET:
        return take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns)
    if kind == LIMIT and side * price_ticks <= side * order.limit_ticks:
        status = take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns)
        if status != OK or order.remaining_lots == 0:
            return status
        # The rest stands at the price by now, and the size is seen once more.
        return _make_nb(venue, state, output, order, price_ticks, offered_lots, False, ts_event_ns)
    if kind == LIMIT and order.time_in_force == IOC:
        return cancel_rest_nb(venue, state, output, order, CANCEL_IOC)
    if kind == LIMIT and order.time_in_force == FOK:
        return cancel_rest_nb(venue, state, output, order, CANCEL_FOK)
    follow_nb(order, price_ticks)
    if has_trigger_nb(kind) and _is_set_off_nb(order, side * price_ticks, side * order.stop_ticks):
        # It came too late to wait for its trigger; the next tick meets it as a market or limit order.
        order.triggered = 1
    return OK


@inlined
def _set_off_nb(venue, state, output, order, price_ticks, offered_lots, is_open, ts_event_ns):
    """A tick meets an order that waits for its trigger."""
    side, kind = order.side, order.order_type
    tick, limit, stop = side * price_ticks, side * order.limit_ticks, side * order.stop_ticks
    if not _is_set_off_nb(order, tick, stop):
        follow_nb(order, price_ticks)
        return OK
    order.triggered = 1
    if takes_any_price_nb(kind):
        price = tick if is_open == 1 else stop
    elif tick > limit:
        return OK
    elif not is_touch_nb(kind):
        price = min(limit, stop)
    elif limit < stop:
        return _make_nb(venue, state, output, order, order.limit_ticks, offered_lots, tick < limit, ts_event_ns)
    else:
        price = stop if limit > stop else tick
    return take_nb(venue, state, output, order, side * price, offered_lots, ts_event_ns)


@inlined
def _rest_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns):
    """A tick meets a market or limit order that rested before it, or was triggered before it."""
    side, kind = order.side, order.order_type
    tick, limit, stop = side * price_ticks, side * order.limit_ticks, side * order.stop_ticks
    if takes_any_price_nb(kind):
        return take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns)
    if tick > limit:
        return OK
    price = limit if kind == LIMIT or kind == LIMIT_IF_TOUCHED else max(tick, min(limit, stop))
    return _make_nb(venue, state, output, order, side * price, offered_lots, tick < limit, ts_event_ns)


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, np.int64, np.int64)
def tick_order_nb(venue, state, output, order, is_open, ts_event_ns):
    """Try one order against the tick that stands. ``is_open`` says that the tick is the open of a bar."""
    price, offered = standing_nb(venue, order.instrument, order.side)
    if price <= 0 or is_frozen_nb(venue, order):
        return OK
    if order.seen == 0:
        return _meet_nb(venue, state, output, order, price, offered, ts_event_ns)
    if order.triggered == 0 and has_trigger_nb(order.order_type):
        return _set_off_nb(venue, state, output, order, price, offered, is_open, ts_event_ns)
    return _rest_nb(venue, state, output, order, price, offered, ts_event_ns)
