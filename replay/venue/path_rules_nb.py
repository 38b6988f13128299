"""What one tick does to one order, for the profiles that walk a bar as ticks (``ohlc``, ``ohlc_adaptive``).

Owns these rules; ``path_nb`` makes the ticks. They follow NautilusTrader 1.231 without its latency model: bid and
offer are the tick's price, each order sees the whole size of the tick again, and what a taker wants beyond that size
fills one tick worse. An order meets the tick that stands on its arrival at once. All rules are written for a buyer; a
sale is the same thing with every price negated.
"""

from numba import types

from kernel.emit_nb import OUTPUT
from kernel.exact_nb import scale_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import CANCEL_FOK, CANCEL_IOC, FOK, IOC, LIMIT, MAKER, MARKET, STOP, STOP_LIMIT, TAKER
from kernel.state import STATE
from kernel.units import RATE_SCALE
from replay.venue.fills_nb import fill_nb
from replay.venue.memory import VENUE, VENUE_ORDER
from replay.venue.reports_nb import cancel_rest_nb


@inlined
def standing_nb(venue, instrument, side):
    """``(price, lots)`` that stand at the venue for one side; a price of 0 means none."""
    standing = venue.standing[instrument]
    if side > 0:
        return standing.ask_ticks, standing.ask_lots
    return standing.bid_ticks, standing.bid_lots


@jit
def take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns):
    """Fill as a taker: what is offered at the price, all the rest one tick worse, unless that is beyond the limit."""
    side = order.side
    first = min(order.remaining_lots, offered_lots)
    if order.time_in_force == FOK and first < order.remaining_lots:
        return cancel_rest_nb(state, output, order, CANCEL_FOK)
    if (order.order_type == MARKET or order.order_type == STOP) and venue.head.slippage_rate != 0:
        slip = max(scale_nb(abs(price_ticks), venue.head.slippage_rate, 1, RATE_SCALE), 1)
        price_ticks = price_ticks + slip if side > 0 else max(price_ticks - slip, 1)
    status = OK
    if first > 0:
        status = fill_nb(venue, state, output, order, price_ticks, first, TAKER, ts_event_ns)
    if status != OK or order.remaining_lots == 0:
        return status
    if order.time_in_force == IOC:
        return cancel_rest_nb(state, output, order, CANCEL_IOC)
    worse = max(price_ticks + side, 1)
    if order.limit_ticks != 0 and side * worse > side * order.limit_ticks:
        return OK
    return fill_nb(venue, state, output, order, worse, order.remaining_lots, TAKER, ts_event_ns)


@jit
def _make_nb(venue, state, output, order, price_ticks, offered_lots, through, ts_event_ns):
    """Fill as a maker: what is offered at the price; the rest at the limit, if the market went through it.

    IOC and FOK come here as stop-limits that did not fill when they were triggered.
    """
    first = min(order.remaining_lots, offered_lots)
    if order.time_in_force == FOK and first < order.remaining_lots:
        return cancel_rest_nb(state, output, order, CANCEL_FOK)
    status = OK
    if first > 0:
        status = fill_nb(venue, state, output, order, price_ticks, first, MAKER, ts_event_ns)
    if status != OK or order.remaining_lots == 0:
        return status
    if order.time_in_force == IOC:
        return cancel_rest_nb(state, output, order, CANCEL_IOC)
    if not through:
        return OK
    return fill_nb(venue, state, output, order, order.limit_ticks, order.remaining_lots, MAKER, ts_event_ns)


@inlined
def _meet_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns):
    """An order meets the market for the first time."""
    side = order.side
    order.seen = 1
    if order.order_type == MARKET:
        return take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns)
    if order.order_type == LIMIT:
        if side * price_ticks <= side * order.limit_ticks:
            status = take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns)
            if status != OK or order.remaining_lots == 0:
                return status
            # The rest stands at the price by now, and the size is seen once more.
            return _make_nb(venue, state, output, order, price_ticks, offered_lots, False, ts_event_ns)
        if order.time_in_force == IOC:
            return cancel_rest_nb(state, output, order, CANCEL_IOC)
        if order.time_in_force == FOK:
            return cancel_rest_nb(state, output, order, CANCEL_FOK)
    elif order.order_type == STOP and side * price_ticks >= side * order.stop_ticks:
        # It came too late to be a stop; the next tick must take the position out.
        order.triggered = 1
    return OK


@inlined
def _rest_nb(venue, state, output, order, price_ticks, offered_lots, is_open, ts_event_ns):
    """A tick meets an order that rested before it."""
    side, kind = order.side, order.order_type
    tick, limit, stop = side * price_ticks, side * order.limit_ticks, side * order.stop_ticks
    if kind == MARKET or (kind == STOP and order.triggered == 1):
        return take_nb(venue, state, output, order, price_ticks, offered_lots, ts_event_ns)
    if kind == STOP:
        if tick < stop:
            return OK
        order.triggered = 1
        price = price_ticks if is_open == 1 else order.stop_ticks
        return take_nb(venue, state, output, order, price, offered_lots, ts_event_ns)
    if kind == STOP_LIMIT and order.triggered == 0:
        if tick < stop:
            return OK
        order.triggered = 1
        if tick > limit:
            return OK
        return take_nb(venue, state, output, order, side * min(limit, stop), offered_lots, ts_event_ns)
    if tick > limit:
        return OK
    price = limit if kind == LIMIT else max(tick, min(limit, stop))
    return _make_nb(venue, state, output, order, side * price, offered_lots, tick < limit, ts_event_ns)


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, types.int64, types.int64)
def tick_order_nb(venue, state, output, order, is_open, ts_event_ns):
    """Try one order against the tick that stands. ``is_open`` says that the tick is the open of a bar."""
    price, offered = standing_nb(venue, order.instrument, order.side)
    if price <= 0:
        return OK
    if order.seen == 0:
        return _meet_nb(venue, state, output, order, price, offered, ts_event_ns)
    return _rest_nb(venue, state, output, order, price, offered, is_open, ts_event_ns)
