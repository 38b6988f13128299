"""Matching: what a market row does to the orders that rest at the simulated venue.

Owns the order in which a row meets them. At which price and how much a row fills is decided in ``range_nb``; profiles
that walk a row as ticks are in ``path_nb``.
"""

from kernel.emit_nb import OUTPUT
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import CANCEL_FOK, CANCEL_IOC, FOK, IOC, LIMIT, MAKER, TAKER
from kernel.market import BAR, QUOTE, ROW
from kernel.state import STATE
from replay.venue.fills_nb import fill_nb
from replay.venue.memory import VENUE
from replay.venue.path_nb import walk_nb
from replay.venue.profiles import OHLC, OHLC_ADAPTIVE
from replay.venue.range_nb import offered_lots_nb, price_nb, range_nb
from replay.venue.receive_nb import drop_done_nb
from replay.venue.reports_nb import cancel_rest_nb
from replay.venue.settle_nb import settle_nb


@inlined
def _match_order_nb(venue, state, output, order, row, offered_lots):
    """Try one resting order against a row. Returns ``(status, lots filled)``."""
    open_, high, low, ts_open_ns = range_nb(row, order.side)
    too_young = order.accepted_ns > ts_open_ns if row.kind == BAR else order.accepted_ns >= row.ts_ns
    if open_ <= 0 or too_young:
        return OK, 0
    at_once = order.time_in_force == IOC or order.time_in_force == FOK
    if at_once:
        high = low = open_
    was_waiting = order.seen == 1 and order.triggered == 1
    crosses = order.seen == 0 and order.side * open_ <= order.side * order.limit_ticks
    price, at_open, order.triggered = price_nb(venue.head, order, open_, high, low)
    # A limit makes the market unless it crosses on arrival, or is let loose by its stop in this very bar.
    is_maker = not at_once and ((order.order_type == LIMIT and not crosses) or was_waiting)
    order.seen = 1
    filled_before = order.filled_lots
    quantity = 0
    if price > 0:
        quantity = min(order.remaining_lots, offered_lots)
    if order.time_in_force == FOK and quantity < order.remaining_lots:
        return cancel_rest_nb(state, output, order, CANCEL_FOK), 0
    status = OK
    if quantity > 0:
        ts_event_ns = ts_open_ns if at_open else row.ts_ns
        liquidity = MAKER if is_maker else TAKER
        status = fill_nb(venue, state, output, order, price, quantity, liquidity, ts_event_ns)
    if status == OK and at_once and order.remaining_lots > 0:
        status = cancel_rest_nb(state, output, order, CANCEL_IOC)
    return status, order.filled_lots - filled_before


@unit(VENUE, STATE, OUTPUT, ROW)
def match_nb(venue, state, output, row):
    """Fill what the row fills, in the order of arrival; the orders of one side share what the row offers.

    What follows from a fill is settled before the next order is tried.
    """
    if row.kind > QUOTE:
        return OK
    head = venue.head
    if head.profile == OHLC or head.profile == OHLC_ADAPTIVE:
        return walk_nb(venue, state, output, row)
    cause = output.cause
    instrument = state.instruments[row.instrument]
    buys, sells = offered_lots_nb(head, instrument, row, 1), offered_lots_nb(head, instrument, row, -1)
    shared = row.kind != QUOTE
    at = 0
    while at < head.order_count:  # it grows when a fill releases other orders
        order = venue.orders[at]
        at += 1
        if order.instrument != row.instrument or order.remaining_lots == 0:
            continue
        first_record = output.count
        status, filled = _match_order_nb(venue, state, output, order, row, buys if order.side > 0 else sells)
        if status == OK and output.count > first_record:
            status = settle_nb(venue, state, output, first_record)
            output.cause = cause
        if status != OK:
            return status
        if order.side > 0 or shared:
            buys -= filled
        if order.side < 0 or shared:
            sells -= filled
    drop_done_nb(venue)
    return OK
