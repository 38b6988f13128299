"""One order in the state: how it is found, what it leaves pending, and its steps along the lifecycle table.

Owns the table of open orders as a table. Which event makes which step is ``orders_nb``'s.
"""

from kernel.jit import inlined, jit
from kernel.ledger_nb import ILLEGAL_TRANSITION, OK, UNKNOWN_ORDER, book_index_nb
from kernel.lifecycle import (
    ACCEPT,
    ASK_REPLACE,
    BACK,
    FIRST_TERMINAL,
    IS_THROUGH,
    LIMIT_IF_TOUCHED,
    MARKET_IF_TOUCHED,
    NEXT,
    PARTIAL,
    PENDING_CANCEL,
    PENDING_REPLACE,
    REDUCING,
    REFUSE_REPLACE,
    REJECTED,
    REPLACE,
    SUBMITTED,
    WORKING,
)
from kernel.tables.table import MAX_ORDERS


@jit
def find_order_nb(state, order_id):
    """The row of an open order, or -1."""
    for row in range(state.head.order_count):
        if state.orders[row].order_id == order_id:
            return row
    return -1


@inlined
def position_index_nb(state, strategy, instrument):
    """The row of a strategy's book in an instrument."""
    return strategy * state.head.instrument_count + instrument


@inlined
def reducible_lots_nb(state, strategy, instrument, leg, side):
    """How many lots an order on ``side`` can reduce a book by; for side 0, how many it holds."""
    held = state.positions[book_index_nb(state, strategy, instrument, leg)].quantity_lots
    return abs(held) if side == 0 else max(-side * held, 0)


@inlined
def pend_nb(position, order, lots):
    """Add to (or take from) what the open orders of a book may still do on the order's side.

    An order that can only reduce a position never adds to what the book may become, so it is not counted.
    """
    if order.instructions & REDUCING == 0:
        if order.side > 0:
            position.pending_buy_lots += lots
        else:
            position.pending_sell_lots += lots


@jit
def _remove_order_nb(state, row):
    """Close the gap, so that the open orders stay in the order in which they were intended."""
    head = state.head
    if state.orders[row].group_id != 0:
        head.group_order_count -= 1
    last = head.order_count - 1
    for at in range(row, last):
        state.orders[at] = state.orders[at + 1]
    state.orders[last] = state.orders[MAX_ORDERS]
    head.order_count = last


@jit
def _step_nb(order, status, happening):
    """What a status of the order becomes; -1 where the table does not allow it."""
    after = NEXT[status, happening]
    if after == REJECTED and (order.accepted == 1 or order.filled_lots > 0):
        return -1
    if after != BACK:
        return after
    if status == PENDING_CANCEL:
        return order.before_request
    if order.replaces_pending > 1:
        return PENDING_REPLACE
    if order.filled_lots > 0:
        return PARTIAL
    return WORKING if order.accepted == 1 else SUBMITTED


@jit
def advance_nb(state, order_id, happening):
    """Move an order along the lifecycle table; an order that ends leaves the table of open orders."""
    row = find_order_nb(state, order_id)
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    status = order.status
    after = _step_nb(order, status, happening)
    if after < 0:
        return ILLEGAL_TRANSITION
    if status == PENDING_CANCEL and IS_THROUGH[happening] == 1:
        under = _step_nb(order, order.before_request, happening)
        if under < 0:
            return ILLEGAL_TRANSITION
        order.before_request = under
    elif after == PENDING_CANCEL and status != PENDING_CANCEL:
        order.before_request = status
    elif after != PENDING_CANCEL:
        order.before_request = order.cancel_linked = 0
    if happening == ASK_REPLACE and after == PENDING_REPLACE:
        order.replaces_pending += 1
    elif (happening == REPLACE or happening == REFUSE_REPLACE) and order.replaces_pending > 0:
        order.replaces_pending -= 1
        if order.replaces_pending == 0:
            order.asked_lots = 0
    if happening == ACCEPT:
        order.accepted = 1
    order.status = after
    if after >= FIRST_TERMINAL:
        leaves = order.quantity_lots - order.filled_lots
        position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
        pend_nb(position, order, -leaves)
        _remove_order_nb(state, row)
    return OK


@inlined
def note_stop_nb(state, order):
    """The first stop that protects a round trip is its initial one: what it risks."""
    position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
    touches = order.order_type == MARKET_IF_TOUCHED or order.order_type == LIMIT_IF_TOUCHED
    protects = order.instructions & REDUCING != 0 and order.side * position.trade_side < 0 and not touches
    if protects and order.stop_ticks > 0 and position.trade_stop_ticks == 0:
        position.trade_stop_ticks = order.stop_ticks
