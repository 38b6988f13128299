"""``decide``: from what a strategy wants to what the kernel does about it.

Owns the step from an intent to events: the intent itself, the verdict of the risk checks, a request to cancel or
replace. It writes each event and gives it to ``apply`` at once, so the next check sees what the last one left. It
sends nothing: an approved order simply stands in the state as submitted, and the driver carries it to the venue.
"""

from kernel.apply_nb import apply_nb, find_timer_nb
from kernel.emit_nb import begin_nb
from kernel.events.layout import (
    CANCEL_REQUESTED,
    CHECKED,
    INTENDED,
    POSITION_CHANGED,
    REPLACE_REQUESTED,
    REQUEST_REFUSED,
    TIMER_SET,
    TRADE_CLOSED,
)
from kernel.jit import inlined, jit
from kernel.ledger_nb import OK
from kernel.lifecycle import ASK_CANCEL, ASK_REPLACE, NEXT
from kernel.orders_nb import find_order_nb
from kernel.risk_nb import APPROVED, CAPACITY, INVALID_ORDER, INVALID_TIMER, NOT_OPEN, check_order_nb
from kernel.state import MAX_LOTS, MAX_ORDERS, MAX_TIMERS
from kernel.strategy.context import CANCEL, REPLACE

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
def submit_nb(state, output, strategy, intent):
    """Record an intended order and the verdict on it. Returns ``(status, order id)``; the id is 0 when refused."""
    head = state.head
    instrument = intent.instrument
    if head.order_count >= MAX_ORDERS:
        return refuse_nb(state, output, strategy, instrument, 0, CAPACITY, MAX_ORDERS, head.order_count), 0
    if instrument < 0 or instrument >= head.instrument_count or not 0 < intent.quantity_lots <= MAX_LOTS:
        return refuse_nb(state, output, strategy, -1, 0, INVALID_ORDER, 0, intent.quantity_lots), 0
    record = begin_nb(state, output, INTENDED.kind, instrument, strategy)
    words = record.words
    words[INTENDED.side] = intent.side
    words[INTENDED.order_type] = intent.order_type
    words[INTENDED.time_in_force] = intent.time_in_force
    words[INTENDED.quantity_lots] = intent.quantity_lots
    words[INTENDED.limit_ticks] = intent.limit_ticks
    words[INTENDED.stop_ticks] = intent.stop_ticks
    words[INTENDED.tag] = intent.tag
    order_id = record.sequence
    status = apply_nb(state, record)
    if status != OK:
        return status, 0
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
    output.cause = record.sequence
    status = apply_nb(state, record)
    return status, order_id if check == APPROVED else 0


@inlined
def request_nb(state, output, strategy, intent):
    """Record a wish to cancel or replace. Returns ``(status, order id)``; the id is 0 when it is not passed on."""
    happening = ASK_CANCEL if intent.action == CANCEL else ASK_REPLACE
    row = find_order_nb(state, intent.order_id)
    open_to_it = False
    if row >= 0:
        order = state.orders[row]
        open_to_it = order.strategy == strategy and NEXT[order.status, happening] >= 0
    if not open_to_it:
        return refuse_nb(state, output, strategy, intent.instrument, intent.order_id, NOT_OPEN, 0, 0), 0
    order = state.orders[row]
    if intent.action == REPLACE:
        check, limit, value = _check_replace_nb(state, order, intent)
        if check != APPROVED:
            status = refuse_nb(state, output, strategy, order.instrument, order.order_id, check, limit, value)
            return status, 0
        record = begin_nb(state, output, REPLACE_REQUESTED.kind, order.instrument, strategy)
        record.words[REPLACE_REQUESTED.quantity_lots] = intent.quantity_lots
        record.words[REPLACE_REQUESTED.limit_ticks] = intent.limit_ticks
        record.words[REPLACE_REQUESTED.stop_ticks] = intent.stop_ticks
    else:
        record = begin_nb(state, output, CANCEL_REQUESTED.kind, order.instrument, strategy)
    assert REPLACE_REQUESTED.order_id == CANCEL_REQUESTED.order_id
    record.words[CANCEL_REQUESTED.order_id] = intent.order_id
    output.cause = record.sequence
    return apply_nb(state, record), intent.order_id


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
def set_timer_nb(state, output, strategy, intent):
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
def after_fill_nb(state, output, strategy, instrument, order_id):
    """Record what a fill, already applied, did to the book; and the round trip when it ended one."""
    account = state.accounts[0]
    position = state.positions[strategy * state.head.instrument_count + instrument]
    record = begin_nb(state, output, POSITION_CHANGED.kind, instrument, strategy)
    words = record.words
    words[POSITION_CHANGED.order_id] = order_id
    words[POSITION_CHANGED.quantity_lots] = position.quantity_lots
    words[POSITION_CHANGED.cost_minor] = position.cost_minor
    words[POSITION_CHANGED.realised_minor] = position.realised_minor
    words[POSITION_CHANGED.fees_minor] = position.fees_minor
    words[POSITION_CHANGED.cash_minor] = account.cash_minor
    status = apply_nb(state, record)
    trade = state.closed_trade
    if status != OK or trade.quantity_lots == 0:
        return status
    record = begin_nb(state, output, TRADE_CLOSED.kind, instrument, strategy)
    words = record.words
    words[TRADE_CLOSED.ts_entry_ns] = trade.ts_entry_ns
    words[TRADE_CLOSED.ts_exit_ns] = trade.ts_exit_ns
    words[TRADE_CLOSED.side] = trade.side
    words[TRADE_CLOSED.quantity_lots] = trade.quantity_lots
    words[TRADE_CLOSED.entry_minor] = trade.entry_minor
    words[TRADE_CLOSED.exit_minor] = trade.exit_minor
    words[TRADE_CLOSED.realised_minor] = trade.realised_minor
    words[TRADE_CLOSED.fees_minor] = trade.fees_minor
    words[TRADE_CLOSED.entry_sequence] = trade.entry_sequence
    words[TRADE_CLOSED.fill_count] = trade.fill_count
    return apply_nb(state, record)
