"""Orders in the state: the part of ``apply`` that walks an order along its lifecycle.

Owns the table of open orders and what they leave pending in their books. Only ``apply`` calls what changes something.
"""

from kernel.accounts_nb import note_next_expiry_nb
from kernel.events.layout import (
    ACCEPTED,
    ADOPTED,
    CANCEL_REQUESTED,
    CANCELED,
    CHECKED,
    CROSSED,
    EXPIRED,
    FILLED,
    GROUP_BROKEN,
    INTENDED,
    ORDER_TERMS,
    RECORD,
    REJECTED,
    RELEASED,
    REPLACE_REQUESTED,
    REPLACED,
    REQUEST_REFUSED,
    REQUEST_REJECTED,
)
from kernel.fills_nb import fill_nb
from kernel.groups_nb import group_broken_nb, group_fill_nb, is_sized_nb, join_group_nb, note_group_fill_nb
from kernel.jit import inlined, unit
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
    HELD,
    HOLD,
    REFUSE_CANCEL,
    REFUSE_REPLACE,
    REJECT,
    RELEASE,
    REPLACE,
    REQUEST_CANCEL,
    STOP_LOSS,
    WORKING,
)
from kernel.lifecycle import INTENDED as STATUS_INTENDED
from kernel.lifecycle_nb import advance_nb, find_order_nb, note_stop_nb, pend_nb, position_index_nb
from kernel.state import STATE
from kernel.tables.table import MAX_LOTS, MAX_ORDERS

assert ADOPTED[1:] == INTENDED[1:]
assert CROSSED[1:] == FILLED[1:]  # a cross is booked as a fill


@inlined
def _intend_nb(state, record):
    """An order that is wanted, or (``OrderAdopted``) one that is at the venue though the kernel did not want it."""
    head = state.head
    if head.order_count >= MAX_ORDERS:
        return NO_CAPACITY
    if record.instrument < 0 or record.instrument >= head.instrument_count:
        return BAD_INDEX
    if record.strategy < 0 or record.strategy >= head.strategy_count:
        return BAD_INDEX
    words = record.words
    account = state.accounts[state.positions[position_index_nb(state, record.strategy, record.instrument)].account]
    if abs(words[INTENDED.leg]) != account.hedging or account.shadow != 0:
        return MISMATCH
    if words[INTENDED.quantity_lots] <= 0 or words[INTENDED.quantity_lots] > MAX_LOTS:
        return MISMATCH
    order = state.orders[head.order_count]
    head.order_count += 1
    order.order_id = record.sequence
    order.status = STATUS_INTENDED if record.kind == INTENDED.kind else WORKING
    order.accepted = 0 if record.kind == INTENDED.kind else 1
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
    order.arrival_ticks = state.instruments[record.instrument].last_ticks
    position = state.positions[book_index_nb(state, record.strategy, record.instrument, order.leg)]
    pend_nb(position, order, order.quantity_lots)
    return OK


@inlined
def _terms_nb(state, words):
    """What an order says beyond the plain fields, once and before its verdict."""
    row = find_order_nb(state, words[ORDER_TERMS.order_id])
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    role = words[ORDER_TERMS.group_role]
    if order.status != STATUS_INTENDED or order.group_id != 0:
        return ILLEGAL_TRANSITION
    if role < 0 or role > STOP_LOSS or (words[ORDER_TERMS.group_id] != 0) != (role != 0):
        return MISMATCH
    order.trail_kind = words[ORDER_TERMS.trail_kind]
    order.trail_value = words[ORDER_TERMS.trail_value]
    order.limit_offset_ticks = words[ORDER_TERMS.limit_offset_ticks]
    order.display_lots = words[ORDER_TERMS.display_lots]
    order.expire_ns = words[ORDER_TERMS.expire_ns]
    order.group_id = words[ORDER_TERMS.group_id]
    order.group_role = role
    order.parent_id = words[ORDER_TERMS.parent_id]
    order.key = words[ORDER_TERMS.key]
    if role != 0:
        state.head.group_order_count += 1
        join_group_nb(order)
    return OK


@inlined
def _verdict_nb(state, words):
    row = find_order_nb(state, words[CHECKED.order_id])
    happening = DENY
    if words[CHECKED.check] == 0:
        happening = HOLD if row >= 0 and state.orders[row].parent_id != 0 else APPROVE
        if row >= 0 and happening == APPROVE:
            note_stop_nb(state, state.orders[row])
    return advance_nb(state, words[CHECKED.order_id], happening)


@inlined
def _resize_nb(state, order, quantity_lots):
    """Give an open order another total quantity. Returns a status."""
    if quantity_lots <= order.filled_lots or quantity_lots > MAX_LOTS:
        return MISMATCH
    position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
    pend_nb(position, order, quantity_lots - order.quantity_lots)
    order.quantity_lots = quantity_lots
    return OK


@inlined
def _release_nb(state, words):
    row = find_order_nb(state, words[RELEASED.order_id])
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    if order.status != HELD:
        return ILLEGAL_TRANSITION
    if order.group_lots != words[RELEASED.quantity_lots]:
        return MISMATCH
    status = _resize_nb(state, order, words[RELEASED.quantity_lots])
    if status != OK:
        return status
    note_stop_nb(state, order)
    return advance_nb(state, words[RELEASED.order_id], RELEASE)


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
    if state.instruments[order.instrument].expired != 0:
        note_next_expiry_nb(state)  # it filled before the end of the contract, and is settled next
    state.closed_trade.purpose = order.purpose
    order.filled_lots += quantity
    pend_nb(position, order, -quantity)
    state.group_fill.group_id = order.group_id
    if order.group_id != 0:
        note_group_fill_nb(state.group_fill, order, quantity)
        group_fill_nb(state, order, quantity)
    state.head.fill_count += 1
    return advance_nb(state, words[FILLED.order_id], FILL_REST if leaves == 0 else FILL_PART)


@inlined
def _ask_nb(state, kind, words):
    """A request to cancel or replace. What is asked of an order that is held happens at once."""
    order_id = words[CANCEL_REQUESTED.order_id]
    row = find_order_nb(state, order_id)
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    if kind == CANCEL_REQUESTED.kind:
        if words[CANCEL_REQUESTED.linked] == 1:
            order.cancel_linked = 1
        return advance_nb(state, order_id, ASK_CANCEL)
    if order.status == HELD:
        status = _resize_nb(state, order, words[REPLACE_REQUESTED.quantity_lots])
        if status != OK:
            return status
        order.limit_ticks = words[REPLACE_REQUESTED.limit_ticks]
        order.stop_ticks = words[REPLACE_REQUESTED.stop_ticks]
    else:
        order.asked_lots = words[REPLACE_REQUESTED.quantity_lots]
    return advance_nb(state, order_id, ASK_REPLACE)


@inlined
def _replace_nb(state, words):
    row = find_order_nb(state, words[REPLACED.order_id])
    if row < 0:
        return UNKNOWN_ORDER
    order = state.orders[row]
    as_wanted = order.group_lots == order.quantity_lots and not is_sized_nb(order.group_role)
    status = _resize_nb(state, order, words[REPLACED.quantity_lots])
    if status != OK:
        return status
    if order.group_id != 0 and as_wanted:
        order.group_lots = order.quantity_lots
    order.limit_ticks = words[REPLACED.limit_ticks]
    order.stop_ticks = words[REPLACED.stop_ticks]
    return advance_nb(state, words[REPLACED.order_id], REPLACE)


@inlined
def _refused_nb(state, words):
    """The venue refused a request. When the order has ended meanwhile, the request just lost the race."""
    row = find_order_nb(state, words[REQUEST_REJECTED.order_id])
    if row < 0:
        return OK
    state.orders[row].group_refused = 1 if state.orders[row].group_id != 0 else 0
    refused = REFUSE_CANCEL if words[REQUEST_REJECTED.request] == REQUEST_CANCEL else REFUSE_REPLACE
    return advance_nb(state, words[REQUEST_REJECTED.order_id], refused)


@unit(STATE, RECORD)
def order_nb(state, record):
    """The events of an order's life."""
    kind, words = record.kind, record.words
    if kind == INTENDED.kind or kind == ADOPTED.kind:
        return _intend_nb(state, record)
    if kind == CHECKED.kind:
        return _verdict_nb(state, words)
    if kind == ACCEPTED.kind:
        return advance_nb(state, words[ACCEPTED.order_id], ACCEPT)
    if kind == REJECTED.kind:
        return advance_nb(state, words[REJECTED.order_id], REJECT)
    if kind == FILLED.kind or kind == CROSSED.kind:
        return _fill_order_nb(state, record)
    if kind == CANCELED.kind:
        return advance_nb(state, words[CANCELED.order_id], CANCEL)
    if kind == EXPIRED.kind:
        return advance_nb(state, words[EXPIRED.order_id], EXPIRE)
    if kind == CANCEL_REQUESTED.kind or kind == REPLACE_REQUESTED.kind:
        return _ask_nb(state, kind, words)
    if kind == REPLACED.kind:
        return _replace_nb(state, words)
    if kind == ORDER_TERMS.kind:
        return _terms_nb(state, words)
    if kind == RELEASED.kind:
        return _release_nb(state, words)
    if kind == REQUEST_REJECTED.kind:
        return _refused_nb(state, words)
    if kind == GROUP_BROKEN.kind:
        return group_broken_nb(state, words)
    return OK  # REQUEST_REFUSED: nothing came of it


assert CANCEL_REQUESTED.order_id == REPLACE_REQUESTED.order_id == 0
assert REQUEST_REFUSED.kind < ORDER_TERMS.kind
