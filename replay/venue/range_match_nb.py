"""Matching a row as a range of prices: the profiles ``pessimistic``, ``next_open`` and ``intrabar``.

Owns the order in which a row meets the orders, what it offers them together, and which part of a bar an order sees that
came in the middle of it. At which price a row fills is decided in ``range_nb``.
"""

from kernel.emit_nb import OUTPUT
from kernel.jit import jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import (
    AT_CLOSE,
    AT_OPEN,
    CANCEL_FOK,
    CANCEL_IOC,
    CANCEL_POST_ONLY,
    FOK,
    IOC,
    LIMIT,
    MAKER,
    MARKET,
    POST_ONLY,
    TAKER,
)
from kernel.market import BAR, QUOTE, ROW
from kernel.state import STATE
from replay.venue.costs_nb import slipped_nb
from replay.venue.fills_nb import fill_nb
from replay.venue.kinds_nb import takes_any_price_nb
from replay.venue.memory import VENUE
from replay.venue.profiles import NEXT_OPEN
from replay.venue.range_nb import offered_lots_nb, price_nb, range_nb, volume_lots_nb
from replay.venue.reports_nb import cancel_rest_nb, is_frozen_nb
from replay.venue.settle_nb import settle_nb
from replay.venue.trail_nb import follow_nb

_OLD_FIRST, _OLD_REST, _NEW_FIRST, _NEW_REST = range(4)  # the turns in which a bar meets the orders


@jit
def _is_too_young_nb(head, order, row, ts_open_ns):
    """Whether the order was not there yet. What came in this very bar saw the rest of it if it came at the open.

    Under ``next_open`` only a market order lets others go at the open: backtesting.py looks at the orders that follow
    from any other on the next bar.
    """
    if row.kind != BAR:
        return order.accepted_ns >= row.ts_ns
    if order.arrived_in_row != head.row:
        return order.accepted_ns > ts_open_ns
    if order.entry_at_open == 1:
        return False
    return head.profile == NEXT_OPEN or order.goes_first == 0


@jit
def _match_order_nb(venue, state, output, order, row, offered_lots, volume_lots):
    """Try one resting order against a row. Returns ``(status, lots filled)``."""
    head = venue.head
    open_, high, low, ts_open_ns = range_nb(row, order.side)
    if open_ <= 0 or _is_too_young_nb(head, order, row, ts_open_ns) or is_frozen_nb(venue, order):
        return OK, 0
    if row.kind == BAR and order.arrived_in_row == head.row and order.entry_at_open == 0:
        open_ = order.entry_ticks
        high, low = max(high, open_), min(low, open_)
    at_once = order.time_in_force == IOC or order.time_in_force == FOK
    if at_once:
        high = low = open_
    follow_nb(order, open_)
    was_waiting = order.seen == 1 and order.triggered == 1
    crosses = order.seen == 0 and order.side * open_ <= order.side * order.limit_ticks
    price, at_open, order.triggered = price_nb(head.profile, order, open_, high, low)
    # A limit makes the market unless it crosses on arrival, or is let loose by its trigger in this very bar.
    is_maker = not at_once and ((order.order_type == LIMIT and not crosses) or was_waiting)
    order.seen = 1
    filled_before = order.filled_lots
    quantity = 0
    if price > 0:
        if not is_maker and order.instructions & POST_ONLY != 0:
            return cancel_rest_nb(venue, state, output, order, CANCEL_POST_ONLY), 0
        quantity = min(order.remaining_lots, offered_lots)
    if order.time_in_force == FOK and quantity < order.remaining_lots:
        return cancel_rest_nb(venue, state, output, order, CANCEL_FOK), 0
    status = OK
    if quantity > 0:
        if takes_any_price_nb(order.order_type):
            price = slipped_nb(head, order.side, price, quantity, volume_lots)
        lets_go_at_open = at_open and (head.profile != NEXT_OPEN or order.order_type == MARKET)
        head.fill_at_open = 1 if lets_go_at_open else 0
        liquidity = MAKER if is_maker else TAKER
        ts_event_ns = ts_open_ns if at_open else row.ts_ns
        status = fill_nb(venue, state, output, order, price, quantity, liquidity, ts_event_ns)
    elif row.kind == BAR:
        follow_nb(order, low if order.side > 0 else high)
    if status == OK and at_once and order.remaining_lots > 0:
        status = cancel_rest_nb(venue, state, output, order, CANCEL_IOC)
    return status, order.filled_lots - filled_before


@jit
def _is_its_turn_nb(head, order, turn, is_bar):
    """A row that is one price meets all in the order of arrival; of a bar, the worse legs go first."""
    if not is_bar:
        return turn == _OLD_FIRST
    first = order.goes_first == 1
    if order.arrived_in_row == head.row:
        return turn == (_NEW_FIRST if first else _NEW_REST)
    return turn == (_OLD_FIRST if first else _OLD_REST)


@unit(VENUE, STATE, OUTPUT, ROW)
def match_range_nb(venue, state, output, row):
    """Fill what the row fills; the orders of one side share what it offers.

    What follows from a fill is settled before the next order is tried.
    """
    head = venue.head
    cause = output.cause
    instrument = state.instruments[row.instrument]
    is_bar, shared = row.kind == BAR, row.kind != QUOTE
    buys, sells = offered_lots_nb(head, instrument, row, 1), offered_lots_nb(head, instrument, row, -1)
    for turn in range(4):
        at = 0
        while at < head.order_count:  # it grows when a fill releases other orders
            order = venue.orders[at]
            at += 1
            if order.instrument != row.instrument or order.remaining_lots == 0:
                continue
            if order.time_in_force == AT_OPEN or order.time_in_force == AT_CLOSE:
                continue
            if not _is_its_turn_nb(head, order, turn, is_bar):
                continue
            first_record = output.count
            offered = buys if order.side > 0 else sells
            volume = volume_lots_nb(instrument, row, order.side)
            status, filled = _match_order_nb(venue, state, output, order, row, offered, volume)
            if status == OK and output.count > first_record:
                status = settle_nb(venue, state, output, first_record)
                output.cause = cause
            if status != OK:
                return status
            if order.side > 0 or shared:
                buys -= filled
            if order.side < 0 or shared:
                sells -= filled
        if not is_bar:
            return OK
    return OK
