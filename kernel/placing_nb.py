"""Placing: from an intent to an order that is approved, held or denied.

Owns the events of an order's birth (what is wanted, its terms, the verdict) for strategies and for the kernel's own
orders alike, and the all-or-nothing of groups. It sends nothing: an approved order simply stands in the state.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import CHECKED, INTENDED, ORDER_TERMS
from kernel.groups_nb import is_leg_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK, book_index_nb, is_shadow_nb
from kernel.lifecycle import (
    BUY,
    CHILD,
    CLOSE_POSITION,
    ENTRY,
    GTC,
    MARKET,
    OCO,
    OUO,
    PARENT,
    REDUCING,
    SELL,
)
from kernel.lifecycle import INTENDED as STATUS_INTENDED
from kernel.lifecycle_nb import position_index_nb, reducible_lots_nb
from kernel.pipeline.shadow_nb import shadow_place_nb
from kernel.requests_nb import refuse_nb
from kernel.risk import rules
from kernel.risk.numbers import APPROVED, CAPACITY, GROUP_REFUSED, INVALID_ORDER, REDUCE_ONLY, STALE, VENUE_RULES
from kernel.risk.totals_nb import rule_nb
from kernel.risk_nb import check_order_nb
from kernel.state import STATE
from kernel.strategy.context import INTENT, SUBMIT
from kernel.tables.table import MAX_LOTS, MAX_ORDERS
from kernel.venue_rules_nb import rises_nb, step_lots_nb, step_ticks_nb


@jit
def write_verdict_nb(state, output, order, check, limit, value):
    """Record the verdict on an intended order."""
    output.cause = order.order_id
    record = begin_nb(state, output, CHECKED.kind, order.instrument, order.strategy)
    record.words[CHECKED.order_id] = order.order_id
    record.words[CHECKED.check] = check
    record.words[CHECKED.limit] = limit
    record.words[CHECKED.value] = value
    return apply_nb(state, record)


@jit
def make_order_nb(intent, instrument, side, quantity_lots):
    """Make the intent a market order."""
    intent.action = SUBMIT
    intent.instrument = instrument
    intent.side = side
    intent.order_type = MARKET
    intent.time_in_force = GTC
    intent.quantity_lots = quantity_lots
    intent.limit_ticks = 0
    intent.stop_ticks = 0
    intent.order_id = 0
    intent.signal_ns = 0
    intent.key = 0
    intent.tag = 0
    intent.instructions = 0
    intent.leg = 0
    intent.trail_kind = 0
    intent.trail_value = 0
    intent.limit_offset_ticks = 0
    intent.display_lots = 0
    intent.expire_ns = 0
    intent.group_role = 0
    intent.group_size = 0


@inlined
def _write_intent_nb(state, output, strategy, instrument, intent, side, quantity_lots, purpose):
    """Record an order that is wanted, without its terms. Returns ``(status, order id)``."""
    record = begin_nb(state, output, INTENDED.kind, instrument, strategy)
    words = record.words
    words[INTENDED.side] = side
    words[INTENDED.order_type] = intent.order_type
    words[INTENDED.time_in_force] = intent.time_in_force
    words[INTENDED.quantity_lots] = quantity_lots
    words[INTENDED.limit_ticks] = intent.limit_ticks
    words[INTENDED.stop_ticks] = intent.stop_ticks
    words[INTENDED.tag] = intent.tag
    words[INTENDED.instructions] = intent.instructions
    words[INTENDED.purpose] = purpose
    words[INTENDED.leg] = intent.leg
    order_id = record.sequence
    return apply_nb(state, record), order_id


@inlined
def _write_terms_nb(state, output, strategy, instrument, intent, order_id):
    """Record what the order says beyond the plain fields, when it says anything."""
    role = intent.group_role
    numbers = intent.trail_kind | intent.trail_value | intent.limit_offset_ticks | intent.display_lots | intent.key
    if numbers | intent.expire_ns | role == 0:
        return OK
    group_id = order_id if intent.group_size > 0 else output.group_id
    output.cause = order_id
    record = begin_nb(state, output, ORDER_TERMS.kind, instrument, strategy)
    words = record.words
    words[ORDER_TERMS.order_id] = order_id
    words[ORDER_TERMS.trail_kind] = intent.trail_kind
    words[ORDER_TERMS.trail_value] = intent.trail_value
    words[ORDER_TERMS.limit_offset_ticks] = intent.limit_offset_ticks
    words[ORDER_TERMS.display_lots] = intent.display_lots
    words[ORDER_TERMS.expire_ns] = intent.expire_ns
    words[ORDER_TERMS.group_id] = group_id if role != 0 else 0
    words[ORDER_TERMS.group_role] = role
    words[ORDER_TERMS.parent_id] = group_id if role == CHILD or is_leg_nb(role) else 0
    words[ORDER_TERMS.key] = intent.key
    return apply_nb(state, record)


@jit
def verdict_on_nb(state, output, order):
    """The verdict on an order that has been intended."""
    check = check_order_nb(state, output, order, 0, order.quantity_lots, order.limit_ticks, order.stop_ticks)
    return check, output.ask.limit, output.ask.value


@inlined
def _place_one_nb(state, output, strategy, instrument, intent, purpose):
    """Record an intended order and, when it belongs to no group, the verdict on it. Returns a status."""
    head = state.head
    if head.shadow_count > 0 and 0 <= instrument < head.instrument_count and is_shadow_nb(state, strategy, instrument):
        return shadow_place_nb(state, output, strategy, instrument, intent, purpose)
    room = MAX_ORDERS - max(intent.group_size, 1)
    if head.order_count > room:
        return refuse_nb(state, output, strategy, instrument, 0, CAPACITY, MAX_ORDERS, head.order_count)
    if instrument < 0 or instrument >= head.instrument_count:
        return refuse_nb(state, output, strategy, -1, 0, INVALID_ORDER, 0, intent.quantity_lots)
    oldest, age = rule_nb(state, rules.STALE_AFTER), head.now_ns - intent.signal_ns
    if intent.signal_ns != 0 and 0 < oldest < age:
        return refuse_nb(state, output, strategy, instrument, 0, STALE, oldest, age)
    account = state.positions[position_index_nb(state, strategy, instrument)].account
    if abs(intent.leg) != state.accounts[account].hedging:
        return refuse_nb(state, output, strategy, instrument, 0, INVALID_ORDER, 0, intent.quantity_lots)
    side, quantity_lots = intent.side, intent.quantity_lots
    waits = is_leg_nb(intent.group_role) or intent.group_role == CHILD
    if intent.instructions & REDUCING != 0 and not waits:
        lots = reducible_lots_nb(state, strategy, instrument, intent.leg, side)
        if intent.instructions & CLOSE_POSITION != 0:
            held = state.positions[book_index_nb(state, strategy, instrument, intent.leg)].quantity_lots
            side = side if side != 0 else (SELL if held > 0 else BUY)
            quantity_lots = lots
            if lots == 0:
                return refuse_nb(state, output, strategy, instrument, 0, REDUCE_ONLY, 0, 0)
        elif lots > 0:
            quantity_lots = min(quantity_lots, lots)
    if not 0 < quantity_lots <= MAX_LOTS:
        return refuse_nb(state, output, strategy, instrument, 0, INVALID_ORDER, 0, quantity_lots)
    if head.rules_on == 1:
        asked_lots = quantity_lots
        quantity_lots = step_lots_nb(state, instrument, asked_lots)
        if quantity_lots == 0:
            step = state.instruments[instrument].quantity_step_lots
            return refuse_nb(state, output, strategy, instrument, 0, VENUE_RULES, step, asked_lots)
        intent.limit_ticks = step_ticks_nb(state, instrument, intent.limit_ticks, int(side < 0))
        intent.stop_ticks = step_ticks_nb(state, instrument, intent.stop_ticks, int(rises_nb(side, intent.order_type)))
    status, order_id = _write_intent_nb(state, output, strategy, instrument, intent, side, quantity_lots, purpose)
    if status == OK:
        status = _write_terms_nb(state, output, strategy, instrument, intent, order_id)
    output.order_id = order_id
    if status != OK or intent.group_role != 0 or output.defers == 1:
        return status
    order = state.orders[head.order_count - 1]
    check, limit, value = verdict_on_nb(state, output, order)
    return write_verdict_nb(state, output, order, check, limit, value)


@jit
def conclude_group_nb(state, output):
    """Give the verdicts on the orders of the group that is being intended: all are approved, or none is."""
    group_id, refused, refused_id = output.group_id, output.group_refused, 0
    output.group_id = output.group_role = output.group_left = output.group_refused = 0
    check, limit, value = APPROVED, 0, 0
    for row in range(state.head.order_count):
        order = state.orders[row]
        if order.group_id == group_id and order.status == STATUS_INTENDED and refused == 0 and refused_id == 0:
            check, limit, value = verdict_on_nb(state, output, order)
            if check != APPROVED:
                refused_id = order.order_id
    while True:
        row = _first_intended_nb(state, group_id)
        if row < 0:
            return OK
        order = state.orders[row]
        if order.order_id == refused_id:
            status = write_verdict_nb(state, output, order, check, limit, value)
        elif refused == 1 or refused_id != 0:
            status = write_verdict_nb(state, output, order, GROUP_REFUSED, 0, 0)
        else:
            status = write_verdict_nb(state, output, order, APPROVED, 0, 0)
        if status != OK:
            return status


@jit
def abandon_group_nb(state, output):
    """Refuse the orders of a group that was begun and not completed."""
    output.group_refused = 1
    return conclude_group_nb(state, output)


@inlined
def _first_intended_nb(state, group_id):
    """The row of the first order of a group that has no verdict yet, or -1."""
    for row in range(state.head.order_count):
        if state.orders[row].group_id == group_id and state.orders[row].status == STATUS_INTENDED:
            return row
    return -1


@inlined
def _begins_nb(intent):
    """Whether this order may begin a group."""
    role = intent.group_role
    return intent.group_size >= 2 and (role == OCO or role == OUO or role == PARENT or role == ENTRY)


@inlined
def _goes_with_nb(first_role, role):
    """Whether an order of this role belongs in a group that began with the other role."""
    if first_role == PARENT:
        return role == CHILD
    if first_role == ENTRY:
        return is_leg_nb(role)
    return role == first_role


@inlined
def _place_member_nb(state, output, strategy, instrument, intent, purpose):
    """One order of a group."""
    first = output.group_left == 0
    if first:
        output.group_id = output.group_refused = 0
        output.group_role = intent.group_role
        output.group_left = intent.group_size
    output.group_left -= 1
    fits = _begins_nb(intent) if first else _goes_with_nb(output.group_role, intent.group_role)
    if output.group_refused == 1:
        status = refuse_nb(state, output, strategy, instrument, 0, GROUP_REFUSED, 0, 0)
    elif not fits:
        status = refuse_nb(state, output, strategy, instrument, 0, INVALID_ORDER, 0, intent.quantity_lots)
        output.group_refused = 1
    else:
        status = _place_one_nb(state, output, strategy, instrument, intent, purpose)
        if output.order_id == 0:
            output.group_refused = 1
        elif first:
            output.group_id = output.order_id
    if status == OK and output.group_left <= 0:
        status = conclude_group_nb(state, output)
    return status


@unit(STATE, OUTPUT, np.int64, np.int64, INTENT, np.int64)
def place_nb(state, output, strategy, instrument, intent, purpose):
    """Make an intent an order: what is wanted, its terms, and the verdict of the risk checks. Returns a status.

    ``purpose`` says who wants it (``kernel.lifecycle``). A reduce-only order is cut to what there is to reduce, and a
    close-position order is as large as that. The orders of a group are intended one after another, the first with the
    size of the group; the verdicts follow the last one, and refuse all when one is refused. ``output.order_id`` is the
    order afterwards, or 0 when the intent was refused before it became one.
    """
    cause, status = output.cause, OK
    output.order_id = 0
    if output.group_left > 0 and (intent.group_role == 0 or intent.group_size > 0):
        status = abandon_group_nb(state, output)
        output.cause = cause
    if status == OK and intent.group_role != 0:
        status = _place_member_nb(state, output, strategy, instrument, intent, purpose)
    elif status == OK:
        status = _place_one_nb(state, output, strategy, instrument, intent, purpose)
    output.cause = cause
    return status
