"""``decide``: from what a strategy wants to what the kernel does about it.

Owns the step from an intent to events: an order (``placing_nb``), a request to cancel or replace, a timer. It writes
each event and gives it to ``apply`` at once, so the next check sees what the last one left. It sends nothing: an
approved order simply stands in the state as submitted, and the driver carries it to the venue.
"""

import numpy as np

from kernel.apply_nb import apply_nb, find_timer_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import TIMER_SET
from kernel.groups_nb import is_sized_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK, book_index_nb
from kernel.lifecycle import (
    ASK_CANCEL,
    ASK_REPLACE,
    HELD,
    NEXT,
    PENDING_CANCEL,
    PENDING_REPLACE,
    REDUCING,
    STRATEGY_ORDER,
    SUBMITTED,
)
from kernel.lifecycle_nb import find_order_nb, reducible_lots_nb
from kernel.pipeline.combine_nb import combine_nb
from kernel.pipeline.route_nb import route_nb
from kernel.pipeline.rules import ARM_A, ARM_B
from kernel.pipeline.signal_nb import emit_regime_nb, emit_signal_nb
from kernel.placing_nb import place_nb
from kernel.requests_nb import ask_cancel_nb, ask_replace_nb, refuse_nb
from kernel.risk.numbers import APPROVED, CAPACITY, INVALID_ORDER, INVALID_TIMER, KERNEL_ORDER, NOT_OPEN, NOT_ROUTED
from kernel.risk_nb import check_order_nb
from kernel.state import STATE
from kernel.strategy.context import CANCEL, COMBINE, EMIT_REGIME, EMIT_SIGNAL, INTENT, REPLACE, SUBMIT
from kernel.tables.table import MAX_LOTS, MAX_TIMERS
from kernel.venue_rules_nb import rises_nb, step_lots_nb, step_ticks_nb

MIN_INTERVAL_NS = 1_000_000


@inlined
def _request_nb(state, output, strategy, intent):
    """Record a wish to cancel or replace, or why it is not passed on."""
    happening = ASK_CANCEL if intent.action == CANCEL else ASK_REPLACE
    row = find_order_nb(state, intent.order_id)
    open_to_it = False
    if row >= 0:
        order = state.orders[row]
        pending = order.status == PENDING_CANCEL
        if intent.action == REPLACE and (order.status == PENDING_REPLACE or order.status == SUBMITTED):
            pending = True
        open_to_it = order.strategy == strategy and not pending and NEXT[order.status, happening] >= 0
    if not open_to_it:
        return refuse_nb(state, output, strategy, intent.instrument, intent.order_id, NOT_OPEN, 0, 0)
    order = state.orders[row]
    if order.purpose != STRATEGY_ORDER:
        purpose = order.purpose
        return refuse_nb(state, output, strategy, order.instrument, order.order_id, KERNEL_ORDER, 0, purpose)
    if intent.action == CANCEL:
        return ask_cancel_nb(state, output, order, 0)
    quantity_lots = step_lots_nb(state, order.instrument, intent.quantity_lots)
    intent.limit_ticks = step_ticks_nb(state, order.instrument, intent.limit_ticks, int(order.side < 0))
    above = int(rises_nb(order.side, order.order_type))
    intent.stop_ticks = step_ticks_nb(state, order.instrument, intent.stop_ticks, above)
    if is_sized_nb(order.group_role):
        quantity_lots = order.group_lots if order.status != HELD else order.quantity_lots
    elif order.instructions & REDUCING != 0:
        lots = reducible_lots_nb(state, strategy, order.instrument, order.leg, order.side)
        quantity_lots = min(quantity_lots, order.filled_lots + lots)
    check = _check_replace_nb(state, output, order, quantity_lots, intent.limit_ticks, intent.stop_ticks)
    if check != APPROVED:
        limit, value = output.ask.limit, output.ask.value
        return refuse_nb(state, output, strategy, order.instrument, order.order_id, check, limit, value)
    return ask_replace_nb(state, output, order, quantity_lots, intent.limit_ticks, intent.stop_ticks, 0)


@inlined
def _check_replace_nb(state, output, order, quantity_lots, limit_ticks, stop_ticks):
    """The verdict on the order as it would be; only what it adds is new to its book."""
    if quantity_lots <= order.filled_lots or quantity_lots > MAX_LOTS:
        output.ask.limit = order.filled_lots
        output.ask.value = quantity_lots
        return INVALID_ORDER
    extra_lots, leaves_lots = quantity_lots - order.quantity_lots, quantity_lots - order.filled_lots
    return check_order_nb(state, output, order, extra_lots, leaves_lots, limit_ticks, stop_ticks)


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


@inlined
def _route_order_nb(state, output, strategy, intent):
    """Route the instrument of an order. One of arm B that enters what was not routed to it is refused: a value of 1."""
    output.ask.value = 0
    if intent.instrument < 0 or intent.instrument >= state.head.instrument_count:
        return OK
    cause = output.cause
    status = route_nb(state, output, intent.instrument)
    output.cause = cause
    if status != OK or state.arms[strategy].arm != ARM_B or state.routes[intent.instrument].arm == ARM_B:
        return status
    held = state.positions[book_index_nb(state, strategy, intent.instrument, intent.leg)].quantity_lots
    if intent.instructions & REDUCING != 0 or (held * intent.side < 0 and intent.quantity_lots <= abs(held)):
        return OK
    if held * intent.side < 0:  # it may leave, and not turn
        intent.quantity_lots = abs(held)
        return OK
    status = refuse_nb(state, output, strategy, intent.instrument, 0, NOT_ROUTED, ARM_B, ARM_A)
    output.ask.value = 1
    return status


@unit(STATE, OUTPUT, np.int64, INTENT)
def decide_nb(state, output, strategy, intent):
    """Turn one intent of a strategy into events. What was approved stands in the state; the driver carries it on."""
    if intent.action == SUBMIT:
        if state.experiment.active == 1 and state.arms[strategy].arm != 0:
            status = _route_order_nb(state, output, strategy, intent)
            if status != OK or output.ask.value != 0:
                return status
        return place_nb(state, output, strategy, intent.instrument, intent, STRATEGY_ORDER)
    if intent.action == EMIT_SIGNAL:
        return emit_signal_nb(state, output, strategy, intent)
    if intent.action == COMBINE:
        return combine_nb(state, output, strategy, intent.instrument)
    if intent.action == EMIT_REGIME:
        return emit_regime_nb(state, output, strategy, intent)
    if intent.action == CANCEL or intent.action == REPLACE:
        return _request_nb(state, output, strategy, intent)
    return _set_timer_nb(state, output, strategy, intent)
