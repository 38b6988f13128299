"""Linked orders: what the kernel asks for after a report, so that the orders of a group stay what their group wants.

Owns the releases, cancels and replaces that follow from a difference between an order and ``group_lots``, and the
cancelling of reduce-only orders that have nothing left to reduce. All of it is derived from the state alone, so it is
the same after a restart, and asking again changes nothing.
"""

from kernel.apply_nb import apply_nb
from kernel.emit_nb import begin_nb
from kernel.events.layout import RELEASED
from kernel.groups_nb import is_leg_nb, is_sized_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import OK
from kernel.lifecycle import (
    ASK_CANCEL,
    ASK_REPLACE,
    CLOSE_POSITION,
    HELD,
    INTENDED,
    NEXT,
    REDUCING,
)
from kernel.lifecycle_nb import find_order_nb, reducible_lots_nb
from kernel.requests_nb import ask_cancel_nb, ask_replace_nb
from kernel.tables.table import MAX_LOTS

MAX_REQUESTS = 100  # of one report; the others follow the next one


@inlined
def _release_nb(state, output, order):
    """Let a held order leave, for what its group wants of it."""
    record = begin_nb(state, output, RELEASED.kind, order.instrument, order.strategy)
    record.words[RELEASED.order_id] = order.order_id
    record.words[RELEASED.quantity_lots] = order.group_lots
    return apply_nb(state, record)


@inlined
def _free_nb(state, output, order):
    """What becomes of an order that is held: it leaves, ends, or goes on waiting.

    A leg leaves with the first fill of its entry; a child when its parent is done. When the parent ended without a fill
    both end.
    """
    waiting = find_order_nb(state, order.parent_id) >= 0
    if order.group_lots > 0 and (is_leg_nb(order.group_role) or not waiting):
        return _release_nb(state, output, order)
    if not waiting:
        return ask_cancel_nb(state, output, order, 1)
    return OK


@inlined
def _asked_lots_nb(order):
    """The total quantity that the order will have once the venue has answered."""
    return order.asked_lots if order.replaces_pending > 0 else order.quantity_lots


@inlined
def _adjust_nb(state, output, order):
    """Ask for what the group wants of an order that is at the venue, where that can be asked now."""
    if order.group_lots <= order.filled_lots:
        if order.cancel_linked == 0 and NEXT[order.status, ASK_CANCEL] >= 0:
            return ask_cancel_nb(state, output, order, 1)
    elif is_sized_nb(order.group_role) and order.group_lots != _asked_lots_nb(order):
        if NEXT[order.status, ASK_REPLACE] >= 0:
            limit_ticks, stop_ticks = order.limit_ticks, order.stop_ticks
            return ask_replace_nb(state, output, order, order.group_lots, limit_ticks, stop_ticks, 1)
        if order.before_request != 0 and order.cancel_linked == 0:
            return ask_cancel_nb(state, output, order, 1)  # it is to end anyway: at once, before it fills too much
    return OK


@jit
def keep_groups_nb(state, output):
    """Ask for whatever a group wants and has not asked for yet. Returns a status."""
    head, first = state.head, output.count
    row = 0
    while row < head.order_count and output.count - first < MAX_REQUESTS:
        order = state.orders[row]
        count = head.order_count
        if order.group_id != 0 and order.status != INTENDED and order.group_refused == 0:
            status = _free_nb(state, output, order) if order.status == HELD else _adjust_nb(state, output, order)
            if status != OK:
                return status
        if head.order_count == count:
            row += 1
    return OK


@inlined
def _follow_position_nb(state, output, order, quantity_lots):
    """A resting order that is to close the position is as large as that."""
    if quantity_lots == _asked_lots_nb(order) or NEXT[order.status, ASK_REPLACE] < 0:
        return OK
    return ask_replace_nb(state, output, order, quantity_lots, order.limit_ticks, order.stop_ticks, 1)


@jit
def drop_idle_nb(state, output, strategy, instrument):
    """After a fill: cancel the reduce-only orders of the book that have nothing left to reduce; those that are to close
    the position become as large as it is. Returns a status."""
    head, first = state.head, output.count
    for row in range(head.order_count):
        order = state.orders[row]
        if order.strategy != strategy or order.instrument != instrument or order.instructions & REDUCING == 0:
            continue
        if order.status == HELD or order.status == INTENDED or order.cancel_linked == 1:
            continue
        if output.count - first >= MAX_REQUESTS:
            return OK
        lots, status = reducible_lots_nb(state, strategy, instrument, order.leg, order.side), OK
        if lots == 0:
            status = ask_cancel_nb(state, output, order, 1)
        elif order.instructions & CLOSE_POSITION != 0 and order.group_id == 0:
            status = _follow_position_nb(state, output, order, min(order.filled_lots + lots, MAX_LOTS))
        if status != OK:
            return status
    return OK
