"""Orders in the state: the part of ``apply`` that walks an order along its lifecycle.

Owns the table of open orders and what they leave pending in their books. Only ``apply`` calls what changes something.
"""

from kernel.events.layout import (
    ACCEPTED,
    CANCEL_REQUESTED,
    CANCELED,
    CHECKED,
    EXPIRED,
    FILLED,
    INTENDED,
    REJECTED,
    REPLACE_REQUESTED,
    REPLACED,
    REQUEST_REFUSED,
)
from kernel.fills_nb import fill_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import (
    BAD_INDEX,
    ILLEGAL_TRANSITION,
    MISMATCH,
    NO_CAPACITY,
    OK,
    UNKNOWN_ORDER,
    book_index_nb,
)
from kernel.lifecycle import (
    ACCEPT,
    APPROVE,
    ASK_CANCEL,
    ASK_REPLACE,
    CANCEL,
    DENY,
    EXPIRE,
    FILL_PART,
    FILL_REST,
    FIRST_TERMINAL,
    NEXT,
    REJECT,
    REPLACE,
)
from kernel.lifecycle import INTENDED as STATUS_INTENDED
from kernel.tables.table import MAX_LOTS, MAX_ORDERS


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
def pend_nb(position, side, lots):
    """Add to (or take from) what the open orders of a book may still do on one side."""
    if side > 0:
        position.pending_buy_lots += lots
    else:
        position.pending_sell_lots += lots


@jit
def _remove_order_nb(state, row):
    """Close the gap, so that the open orders stay in the order in which they were intended."""
    head = state.head
    last = head.order_count - 1
    for at in range(row, last):
        state.orders[at] = state.orders[at + 1]
    state.orders[last] = state.orders[MAX_ORDERS]
    head.order_count = last


@jit
def _advance_nb(state, order_id, happening):
    """Move an order along the lifecycle table; an order that ends leaves the table of open orders."""
    row = find_order_nb(state, order_id)
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    after = NEXT[order.status, happening]
    if after < 0:
        return ILLEGAL_TRANSITION
    order.status = after
    if after >= FIRST_TERMINAL:
        leaves = order.quantity_lots - order.filled_lots
        position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
        pend_nb(position, order.side, -leaves)
        _remove_order_nb(state, row)
    return OK


@inlined
def _intend_nb(state, record):
    head = state.head
    if head.order_count >= MAX_ORDERS:
        return NO_CAPACITY
    if record.instrument < 0 or record.instrument >= head.instrument_count:
        return BAD_INDEX
    if record.strategy < 0 or record.strategy >= head.strategy_count:
        return BAD_INDEX
    words = record.words
    hedging = state.accounts[
        state.positions[position_index_nb(state, record.strategy, record.instrument)].account
    ].hedging
    if abs(words[INTENDED.leg]) != hedging:
        return MISMATCH
    if words[INTENDED.quantity_lots] <= 0 or words[INTENDED.quantity_lots] > MAX_LOTS:
        return MISMATCH
    order = state.orders[head.order_count]
    head.order_count += 1
    order.order_id = record.sequence
    order.status = STATUS_INTENDED
    order.strategy = record.strategy
    order.instrument = record.instrument
    order.side = words[INTENDED.side]
    order.order_type = words[INTENDED.order_type]
    order.time_in_force = words[INTENDED.time_in_force]
    order.quantity_lots = words[INTENDED.quantity_lots]
    order.filled_lots = 0
    order.limit_ticks = words[INTENDED.limit_ticks]
    order.stop_ticks = words[INTENDED.stop_ticks]
    order.tag = words[INTENDED.tag]
    order.instructions = words[INTENDED.instructions]
    order.purpose = words[INTENDED.purpose]
    order.leg = words[INTENDED.leg]
    order.ts_intended_ns = record.ts_ingest_ns
    order.cause = record.cause
    position = state.positions[book_index_nb(state, record.strategy, record.instrument, order.leg)]
    pend_nb(position, order.side, order.quantity_lots)
    return OK


@inlined
def _fill_order_nb(state, record):
    words = record.words
    row = find_order_nb(state, words[FILLED.order_id])
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    quantity = words[FILLED.quantity_lots]
    leaves = order.quantity_lots - order.filled_lots - quantity
    if quantity <= 0 or leaves != words[FILLED.leaves_lots] or leaves < 0 or order.side != words[FILLED.side]:
        return MISMATCH
    position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
    status = fill_nb(
        state,
        state.instruments[order.instrument],
        position,
        order.leg,
        order.side,
        words[FILLED.price_ticks],
        quantity,
        words[FILLED.fee_minor],
        record.ts_event_ns,
        record.sequence,
    )
    if status != OK:
        return status
    order.filled_lots += quantity
    pend_nb(position, order.side, -quantity)
    state.head.fill_count += 1
    return _advance_nb(state, words[FILLED.order_id], FILL_REST if leaves == 0 else FILL_PART)


@inlined
def _replace_nb(state, words):
    row = find_order_nb(state, words[REPLACED.order_id])
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    if words[REPLACED.quantity_lots] <= order.filled_lots or words[REPLACED.quantity_lots] > MAX_LOTS:
        return MISMATCH
    position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
    pend_nb(position, order.side, words[REPLACED.quantity_lots] - order.quantity_lots)
    order.quantity_lots = words[REPLACED.quantity_lots]
    order.limit_ticks = words[REPLACED.limit_ticks]
    order.stop_ticks = words[REPLACED.stop_ticks]
    return _advance_nb(state, words[REPLACED.order_id], REPLACE)


@inlined
def order_nb(state, record):
    """The events of an order's life."""
    kind, words = record.kind, record.words
    if kind == INTENDED.kind:
        return _intend_nb(state, record)
    if kind == CHECKED.kind:
        return _advance_nb(state, words[CHECKED.order_id], APPROVE if words[CHECKED.check] == 0 else DENY)
    if kind == ACCEPTED.kind:
        return _advance_nb(state, words[ACCEPTED.order_id], ACCEPT)
    if kind == REJECTED.kind:
        return _advance_nb(state, words[REJECTED.order_id], REJECT)
    if kind == FILLED.kind:
        return _fill_order_nb(state, record)
    if kind == CANCELED.kind:
        return _advance_nb(state, words[CANCELED.order_id], CANCEL)
    if kind == EXPIRED.kind:
        return _advance_nb(state, words[EXPIRED.order_id], EXPIRE)
    if kind == CANCEL_REQUESTED.kind:
        return _advance_nb(state, words[CANCEL_REQUESTED.order_id], ASK_CANCEL)
    if kind == REPLACE_REQUESTED.kind:
        return _advance_nb(state, words[REPLACE_REQUESTED.order_id], ASK_REPLACE)
    if kind == REPLACED.kind:
        return _replace_nb(state, words)
    assert kind == REQUEST_REFUSED.kind
    return OK
