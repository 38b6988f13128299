"""``decide``: from what a strategy wants to what the kernel does about it.

Owns the step from an intent to events: the intent itself, the verdict of the risk checks, a request to cancel or
replace. It writes each event and gives it to ``apply`` at once, so the next check sees what the last one left. It
sends nothing: an approved order simply stands in the state as submitted, and the driver carries it to the venue.
"""

from numba import types

from kernel.apply_nb import apply_nb, find_timer_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import (
    CANCEL_REQUESTED,
    CHECKED,
    INTENDED,
    REPLACE_REQUESTED,
    REQUEST_REFUSED,
    TIMER_SET,
)
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import ASK_CANCEL, ASK_REPLACE, NEXT, STRATEGY_ORDER
from kernel.orders_nb import find_order_nb
from kernel.risk_nb import APPROVED, CAPACITY, INVALID_ORDER, INVALID_TIMER, NOT_OPEN, check_order_nb
from kernel.state import STATE
from kernel.strategy.context import CANCEL, INTENT, REPLACE, SUBMIT
from kernel.tables.table import MAX_LOTS, MAX_ORDERS, MAX_TIMERS

MIN_INTERVAL_NS = 1_000_000


@jit
def refuse_nb(state, output, strategy, instrument, order_id, check, limit, value):
    """Record that a request was not passed on, and why."""
    record = begin_nb(state, output, REQUEST_REFUSED.kind, instrument, strategy)
    record.words[REQUEST_REFUSED.order_id] = order_id
    record.words[REQUEST_REFUSED.check] = check
    record.words[REQUEST_REFUSED.limit] = limit
    record.words[REQUEST_REFUSED.value] = value
    return apply_nb(state, record)


@inlined
def _submit_nb(state, output, strategy, intent):
    """Record an intended order and the verdict on it."""
    head = state.head
    instrument = intent.instrument
    if head.order_count >= MAX_ORDERS:
        return refuse_nb(state, output, strategy, instrument, 0, CAPACITY, MAX_ORDERS, head.order_count)
    if instrument < 0 or instrument >= head.instrument_count or not 0 < intent.quantity_lots <= MAX_LOTS:
        return refuse_nb(state, output, strategy, -1, 0, INVALID_ORDER, 0, intent.quantity_lots)
    record = begin_nb(state, output, INTENDED.kind, instrument, strategy)
    words = record.words
    words[INTENDED.side] = intent.side
    words[INTENDED.order_type] = intent.order_type
    words[INTENDED.time_in_force] = intent.time_in_force
    words[INTENDED.quantity_lots] = intent.quantity_lots
    words[INTENDED.limit_ticks] = intent.limit_ticks
    words[INTENDED.stop_ticks] = intent.stop_ticks
    words[INTENDED.tag] = intent.tag
    words[INTENDED.instructions] = intent.instructions
    words[INTENDED.purpose] = STRATEGY_ORDER
    words[INTENDED.leg] = intent.leg
    order_id = record.sequence
    status = apply_nb(state, record)
    if status != OK:
        return status
    check, limit, value = check_order_nb(
        state,
        strategy,
        instrument,
        intent.side,
        intent.order_type,
        intent.time_in_force,
        0,
        intent.quantity_lots,
        intent.limit_ticks,
        intent.stop_ticks,
    )
    output.cause = order_id
    record = begin_nb(state, output, CHECKED.kind, instrument, strategy)
    record.words[CHECKED.order_id] = order_id
    record.words[CHECKED.check] = check
    record.words[CHECKED.limit] = limit
    record.words[CHECKED.value] = value
    return apply_nb(state, record)


@inlined
def _request_nb(state, output, strategy, intent):
    """Record a wish to cancel or replace, or why it is not passed on."""
    happening = ASK_CANCEL if intent.action == CANCEL else ASK_REPLACE
    row = find_order_nb(state, intent.order_id)
    open_to_it = False
    if row >= 0:
        order = state.orders[row]
        open_to_it = order.strategy == strategy and NEXT[order.status, happening] >= 0
    if not open_to_it:
        return refuse_nb(state, output, strategy, intent.instrument, intent.order_id, NOT_OPEN, 0, 0)
    order = state.orders[row]
    if intent.action == REPLACE:
        check, limit, value = _check_replace_nb(state, order, intent)
        if check != APPROVED:
            return refuse_nb(state, output, strategy, order.instrument, order.order_id, check, limit, value)
        record = begin_nb(state, output, REPLACE_REQUESTED.kind, order.instrument, strategy)
        record.words[REPLACE_REQUESTED.quantity_lots] = intent.quantity_lots
        record.words[REPLACE_REQUESTED.limit_ticks] = intent.limit_ticks
        record.words[REPLACE_REQUESTED.stop_ticks] = intent.stop_ticks
    else:
        record = begin_nb(state, output, CANCEL_REQUESTED.kind, order.instrument, strategy)
    assert REPLACE_REQUESTED.order_id == CANCEL_REQUESTED.order_id
    record.words[CANCEL_REQUESTED.order_id] = intent.order_id
    return apply_nb(state, record)


@inlined
def _check_replace_nb(state, order, intent):
    """The verdict on the order as it would be; only what it adds is new to its book."""
    if intent.quantity_lots <= order.filled_lots or intent.quantity_lots > MAX_LOTS:
        return INVALID_ORDER, order.filled_lots, intent.quantity_lots
    return check_order_nb(
        state,
        order.strategy,
        order.instrument,
        order.side,
        order.order_type,
        order.time_in_force,
        intent.quantity_lots - order.quantity_lots,
        intent.quantity_lots - order.filled_lots,
        intent.limit_ticks,
        intent.stop_ticks,
    )


@inlined
def _set_timer_nb(state, output, strategy, intent):
    """Record that a strategy set (or removed) a timer; refuse one in the past, or beyond the table's room."""
    late = intent.due_ns != 0 and intent.due_ns <= state.head.now_ns
    if late or intent.interval_ns < 0 or 0 < intent.interval_ns < MIN_INTERVAL_NS:
        now_ns = state.head.now_ns
        return refuse_nb(state, output, strategy, intent.instrument, 0, INVALID_TIMER, now_ns, intent.due_ns)
    used = 0
    for row in range(MAX_TIMERS):
        used += state.timers[row].active
    if used == MAX_TIMERS and find_timer_nb(state, strategy, intent.instrument, intent.tag) < 0:
        return refuse_nb(state, output, strategy, intent.instrument, 0, CAPACITY, MAX_TIMERS, used)
    record = begin_nb(state, output, TIMER_SET.kind, intent.instrument, strategy)
    record.words[TIMER_SET.timer] = intent.tag
    record.words[TIMER_SET.due_ns] = intent.due_ns
    record.words[TIMER_SET.interval_ns] = intent.interval_ns
    return apply_nb(state, record)


@unit(STATE, OUTPUT, types.int64, INTENT)
def decide_nb(state, output, strategy, intent):
    """Turn one intent of a strategy into events. What was approved stands in the state; the driver carries it on."""
    if intent.action == SUBMIT:
        return _submit_nb(state, output, strategy, intent)
    if intent.action == CANCEL or intent.action == REPLACE:
        return _request_nb(state, output, strategy, intent)
    return _set_timer_nb(state, output, strategy, intent)
