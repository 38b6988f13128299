"""Signals, targets and exits in the state: the part of ``apply`` that keeps what they say.

Owns the signal row of each book and the plans of each strategy. It decides nothing: ``portfolio_nb`` and
``exit_orders_nb`` do. Only ``apply`` calls what changes something here.
"""

import numpy as np

from kernel.events.layout import (
    CHECKED,
    EXIT_PLAN_SET,
    EXIT_RUNG_SET,
    EXIT_TRIGGERED,
    PORTFOLIO_PLAN_SET,
    RECORD,
    REJECTED,
    REQUEST_REFUSED,
    SIGNAL,
    SIGNAL_DROPPED,
    SIZING_PLAN_SET,
    STRATEGY,
    TARGET_SET,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.exits_nb import PARTIAL_TARGET, best_ticks_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import BAD_INDEX, MISMATCH, OK
from kernel.lifecycle import REDUCE_ONLY, STRATEGY_ORDER
from kernel.lifecycle_nb import find_order_nb, position_index_nb
from kernel.pipeline.rules import ARM, MINIMUM
from kernel.plans import EQUITY_SHARE, MAX_RUNGS, NO_METHOD, PERCENT, RECORDED_WEIGHT
from kernel.risk.rules import STALE_AFTER
from kernel.risk.totals_nb import rule_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE

REASK_NS = 1_000_000_000  # after which the kernel asks again for what a venue refused it
RETRY_NS = 60_000_000_000  # after which a refused target is due again
RETRY_FOR_NS = 5 * RETRY_NS  # for how long, where no rule says when a signal is stale
DEFAULT_SHARE_RATE = 95 * PERCENT  # of a strategy that is given no sizing plan


@jit
def entry_ticks_nb(position, instrument):
    """The average price of what a book holds, in whole ticks, rounded half to even; 0 when it does not fit."""
    lots, cost = abs(position.quantity_lots), abs(position.cost_minor)
    above, below = cost, lots
    if instrument.inverse != 0:
        above, below = lots, cost
    factor = instrument.numerator
    divisor = instrument.denominator
    if instrument.inverse != 0:
        factor, divisor = divisor, factor
    if below == 0 or np.float64(below) * np.float64(factor) >= MONEY_MAX:
        return 0
    ticks = scale_linked_nb(above, divisor, 1, below * factor)
    return 0 if ticks == OVERFLOW else ticks


@jit
def begin_trip_nb(row, position, instrument):
    """Forget the trip before."""
    row.trip_sequence = position.trade_entry_sequence
    row.peak_lots = abs(position.quantity_lots)
    row.best_ticks = entry_ticks_nb(position, instrument)
    row.best_before_ticks = row.best_ticks
    row.rungs_taken = 0
    row.entry_measure_e8 = row.measure_e8


@jit
def mark_due_nb(state, row, cause):
    """Note that a book's target is to be set; ``cause`` is the event that says so."""
    if row.due == 0:
        state.head.targets_due += 1
    row.due = 1
    row.due_cause = cause
    row.due_ns = state.head.now_ns
    row.retry_ns = 0


@jit
def _mark_strategy_due_nb(state, strategy, cause):
    """All books of a strategy that have a signal: their weights hang together."""
    for instrument in range(state.head.instrument_count):
        row = state.signals[position_index_nb(state, strategy, instrument)]
        if row.direction != 0:
            mark_due_nb(state, row, cause)


@inlined
def _signal_nb(state, record):
    """Keep the signal. Only one that says something new about direction or size asks for a target."""
    words = record.words
    direction = words[SIGNAL.direction]
    if direction < -1 or direction > 1:
        return MISMATCH
    row = state.signals[position_index_nb(state, record.strategy, record.instrument)]
    turned = direction != row.direction
    changed = turned or words[SIGNAL.confidence_rate] != row.confidence_rate
    row.direction = direction
    row.strength_rate = words[SIGNAL.strength_rate]
    row.confidence_rate = words[SIGNAL.confidence_rate]
    row.horizon_ns = words[SIGNAL.horizon_ns]
    row.measure_e8 = words[SIGNAL.measure_e8]
    row.low_return_rate = words[SIGNAL.low_return_rate]
    row.high_return_rate = words[SIGNAL.high_return_rate]
    row.signal_ns = record.ts_ingest_ns
    row.signal_sequence = record.sequence
    # A stop or target stays until another is named, or the direction turns.
    if turned or words[SIGNAL.stop_ticks] != 0:
        row.stop_ticks = words[SIGNAL.stop_ticks]
    if turned or words[SIGNAL.target_ticks] != 0:
        row.target_ticks = words[SIGNAL.target_ticks]
    if changed:
        method = state.portfolio_plans[record.strategy].method
        if method != NO_METHOD and method != RECORDED_WEIGHT:
            _mark_strategy_due_nb(state, record.strategy, record.sequence)
        mark_due_nb(state, row, record.sequence)
    return OK


@inlined
def _dropped_nb(state, record):
    """A signal that was dropped opens nothing; what stands against it ends, and all when its confidence is small."""
    words = record.words
    direction = words[SIGNAL_DROPPED.direction]
    if abs(direction) != 1 or not MINIMUM <= words[SIGNAL_DROPPED.filter] <= ARM:
        return MISMATCH
    row = state.signals[position_index_nb(state, record.strategy, record.instrument)]
    ends = row.direction == -direction or words[SIGNAL_DROPPED.filter] == MINIMUM
    if row.direction != 0 and ends:
        row.direction = 0
        row.stop_ticks = 0
        row.target_ticks = 0
        method = state.portfolio_plans[record.strategy].method
        if method != NO_METHOD and method != RECORDED_WEIGHT:
            _mark_strategy_due_nb(state, record.strategy, record.sequence)
        mark_due_nb(state, row, record.sequence)
    return OK


@inlined
def _target_nb(state, record):
    row = state.signals[position_index_nb(state, record.strategy, record.instrument)]
    if row.due != 1:
        return MISMATCH
    row.due = 0
    row.retry_ns = 0
    row.target_lots = record.words[TARGET_SET.target_lots]
    row.target_sequence = record.sequence
    state.head.targets_due -= 1
    return OK


@inlined
def _exit_nb(state, record):
    """An exit of all ends the signal, so that nothing opens the book again before the strategy says so."""
    words = record.words
    book = position_index_nb(state, record.strategy, record.instrument)
    row, position = state.signals[book], state.positions[book]
    held, lots = abs(position.quantity_lots), words[EXIT_TRIGGERED.quantity_lots]
    if lots <= 0 or lots > held:
        return MISMATCH
    if row.trip_sequence != position.trade_entry_sequence:
        begin_trip_nb(row, position, state.instruments[record.instrument])
    row.rungs_taken = words[EXIT_TRIGGERED.rungs_taken]
    if words[EXIT_TRIGGERED.reason] == PARTIAL_TARGET:
        row.target_lots = position.quantity_lots - lots if position.quantity_lots > 0 else position.quantity_lots + lots
        return OK
    row.target_lots = 0
    row.direction = 0
    if row.due == 1:
        row.due = 0
        state.head.targets_due -= 1
    return OK


@inlined
def _sizing_plan_nb(plan, words):
    plan.model = words[SIZING_PLAN_SET.model]
    plan.quantity_lots = words[SIZING_PLAN_SET.quantity_lots]
    plan.money_minor = words[SIZING_PLAN_SET.money_minor]
    plan.share_rate = words[SIZING_PLAN_SET.share_rate]
    plan.multiple_rate = words[SIZING_PLAN_SET.multiple_rate]
    plan.win_rate = words[SIZING_PLAN_SET.win_rate]
    plan.payoff_rate = words[SIZING_PLAN_SET.payoff_rate]
    plan.fraction_rate = words[SIZING_PLAN_SET.fraction_rate]
    plan.cap_rate = words[SIZING_PLAN_SET.cap_rate]
    plan.by_confidence = words[SIZING_PLAN_SET.by_confidence]


@inlined
def _exit_plan_nb(plan, words):
    plan.active = 1
    plan.stop_rate = words[EXIT_PLAN_SET.stop_rate]
    plan.trail_rate = words[EXIT_PLAN_SET.trail_rate]
    plan.trail_ticks = words[EXIT_PLAN_SET.trail_ticks]
    plan.time_stop_ns = words[EXIT_PLAN_SET.time_stop_ns]
    plan.time_stop_gain_rate = words[EXIT_PLAN_SET.time_stop_gain_rate]
    plan.max_hold_ns = words[EXIT_PLAN_SET.max_hold_ns]
    plan.target_rate = words[EXIT_PLAN_SET.target_rate]
    plan.strength_floor_rate = words[EXIT_PLAN_SET.strength_floor_rate]
    plan.volatility_multiple_rate = words[EXIT_PLAN_SET.volatility_multiple_rate]
    plan.greek_limit_e8 = words[EXIT_PLAN_SET.greek_limit_e8]


@inlined
def _plan_nb(state, record):
    kind, words, strategy = record.kind, record.words, record.strategy
    if kind == SIZING_PLAN_SET.kind:
        _sizing_plan_nb(state.sizing_plans[strategy], words)
    elif kind == PORTFOLIO_PLAN_SET.kind:
        plan = state.portfolio_plans[strategy]
        plan.method = words[PORTFOLIO_PLAN_SET.method]
        plan.share_rate = words[PORTFOLIO_PLAN_SET.share_rate]
        plan.net = words[PORTFOLIO_PLAN_SET.net]
    elif kind == EXIT_PLAN_SET.kind:
        _exit_plan_nb(state.exit_plans[strategy], words)
        state.head.exits_on = 1
    elif kind == EXIT_RUNG_SET.kind:
        rung = words[EXIT_RUNG_SET.rung]
        if rung < 0 or rung >= MAX_RUNGS:
            return BAD_INDEX
        if words[EXIT_RUNG_SET.share_rate] > RATE_SCALE:
            return MISMATCH
        entry = state.exit_rungs[strategy * MAX_RUNGS + rung]
        entry.gain_rate = words[EXIT_RUNG_SET.gain_rate]
        entry.share_rate = words[EXIT_RUNG_SET.share_rate]
    return OK


@inlined
def _default_sizing_nb(state, strategy):
    """What sizes a strategy's signals until a plan says otherwise."""
    if strategy >= 0 and strategy < state.head.strategy_count:
        state.sizing_plans[strategy].model = EQUITY_SHARE
        state.sizing_plans[strategy].share_rate = DEFAULT_SHARE_RATE
    return OK


@unit(STATE, RECORD)
def signal_event_nb(state, record):
    """The events of signals, targets, exits and plans, and the definition of a strategy. Returns a status."""
    kind, head = record.kind, state.head
    if kind == STRATEGY.kind:
        return _default_sizing_nb(state, record.strategy)
    if record.strategy < 0 or record.strategy >= head.strategy_count:
        return BAD_INDEX
    said = kind == SIGNAL.kind or kind == SIGNAL_DROPPED.kind
    if not said and kind != TARGET_SET.kind and kind != EXIT_TRIGGERED.kind:
        return _plan_nb(state, record)
    if record.instrument < 0 or record.instrument >= head.instrument_count:
        return BAD_INDEX
    if kind == SIGNAL.kind:
        return _signal_nb(state, record)
    if kind == SIGNAL_DROPPED.kind:
        return _dropped_nb(state, record)
    if kind == TARGET_SET.kind:
        return _target_nb(state, record)
    return _exit_nb(state, record)


@unit(STATE, np.int64, np.int64)
def set_weight_nb(state, instrument_id, weight_rate):
    """A recorded weight: books that go by it get a new target. The event is the one before the next sequence."""
    instrument = state.instruments[instrument_id]
    if instrument.weight_rate == weight_rate:
        return OK
    instrument.weight_rate = weight_rate
    for strategy in range(state.head.strategy_count):
        row = state.signals[position_index_nb(state, strategy, instrument_id)]
        if state.portfolio_plans[strategy].method == RECORDED_WEIGHT and row.direction != 0:
            mark_due_nb(state, row, state.head.next_sequence - 1)
    return OK


@jit
def _retry_nb(state, strategy, instrument, cause):
    """What a target asked for was refused: it is due again a while later, as long as it is not too old by then."""
    row = state.signals[position_index_nb(state, strategy, instrument)]
    if cause == 0 or cause != row.target_sequence or row.due == 1:
        return
    oldest, retry_ns = rule_nb(state, STALE_AFTER), state.head.now_ns + RETRY_NS
    if retry_ns - row.due_ns <= (oldest if oldest > 0 else RETRY_FOR_NS):
        state.head.targets_due += 1
        row.due = 1
        row.retry_ns = retry_ns


@inlined
def note_refusal_nb(state, record):
    """A check, or the venue, refused an order or a request. Called before the order leaves the table."""
    words, head = record.words, state.head
    if record.kind == REQUEST_REFUSED.kind:
        if 0 <= record.strategy < head.strategy_count and 0 <= record.instrument < head.instrument_count:
            _retry_nb(state, record.strategy, record.instrument, record.cause)
    elif record.kind == REJECTED.kind or words[CHECKED.check] != 0:
        at = find_order_nb(state, words[CHECKED.order_id])
        if at >= 0:
            order = state.orders[at]
            _retry_nb(state, order.strategy, order.instrument, order.cause)


@inlined
def note_rejection_nb(state, record):
    """The venue refused an order that was to protect a position. Called before the order leaves the table."""
    at = find_order_nb(state, record.words[REJECTED.order_id])
    if at >= 0:
        order = state.orders[at]
        if order.purpose != STRATEGY_ORDER:
            state.instruments[order.instrument].retry_ns = record.ts_ingest_ns + REASK_NS
        if order.instructions & REDUCE_ONLY != 0:
            book = position_index_nb(state, order.strategy, order.instrument)
            state.signals[book].rejected_trip = state.positions[book].trade_entry_sequence


@unit(STATE, np.int64, np.int64)
def note_prices_nb(state, instrument_id, before_ticks):
    """Follow the trips of an instrument through a market event, for the exits of their strategies.

    ``before_ticks`` is the last price before it. A trip is first met here at the event after its entry; until then it
    saw its entry price and that one for certain, the rest of the bar of its entry perhaps not.
    """
    instrument = state.instruments[instrument_id]
    for strategy in range(state.head.strategy_count):
        book = position_index_nb(state, strategy, instrument_id)
        position = state.positions[book]
        if state.exit_plans[strategy].active == 0 or position.quantity_lots == 0:
            continue
        row = state.signals[book]
        side = 1 if position.quantity_lots > 0 else -1
        if row.trip_sequence != position.trade_entry_sequence:
            begin_trip_nb(row, position, instrument)
            row.best_ticks = best_ticks_nb(side, row.best_ticks, before_ticks, before_ticks)
        row.best_before_ticks = row.best_ticks
        row.best_ticks = best_ticks_nb(side, row.best_ticks, instrument.high_ticks, instrument.low_ticks)
        row.peak_lots = max(row.peak_lots, abs(position.quantity_lots))
    return OK


assert CHECKED.order_id == REJECTED.order_id
