"""Exits of open positions: facts from the state, the verdict of ``exits_nb``, the event and the order.

Owns how a position is given up. When all of it goes, the open orders of the book are cancelled first; then what is held
is traded back at the market, reduce-only. An exit asks only for what is not yet on its way out: so it does not repeat
itself while its order works, and asks again when the order was refused.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import EXIT_TRIGGERED
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.exits_nb import PARTIAL_TARGET, STAY, check_exit_nb, tier_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import ASK_CANCEL, BUY, EXIT_ORDER, NEXT, REDUCE_ONLY, SELL, STRATEGY_ORDER
from kernel.lifecycle_nb import position_index_nb
from kernel.placing_nb import make_order_nb, place_nb
from kernel.plans import MAX_RUNGS
from kernel.portfolio_nb import MOST_RECORDS, leaving_lots_nb
from kernel.requests_nb import ask_cancel_nb
from kernel.signals_nb import entry_ticks_nb
from kernel.state import STATE
from kernel.venue_rules_nb import is_sendable_nb, step_lots_nb


@inlined
def _gather_nb(state, facts, strategy, instrument_id):
    """Fill in the facts about one book.

    In the event that brought the entry only the last price is known to have come after it.
    """
    book = position_index_nb(state, strategy, instrument_id)
    row, position, instrument = state.signals[book], state.positions[book], state.instruments[instrument_id]
    held, last = abs(position.quantity_lots), instrument.last_ticks
    known = row.trip_sequence == position.trade_entry_sequence
    entry_ticks = entry_ticks_nb(position, instrument)
    facts.quantity_lots = position.quantity_lots
    facts.entry_ticks = entry_ticks
    facts.opened_ns = position.trade_ts_entry_ns
    facts.peak_lots = row.peak_lots if known else held
    facts.best_ticks = row.best_before_ticks if known else entry_ticks
    facts.rungs_taken = row.rungs_taken if known else 0
    facts.entry_volatility_e8 = row.entry_measure_e8 if known else row.measure_e8
    facts.protection_rejected = 1 if row.rejected_trip == position.trade_entry_sequence else 0
    facts.stop_ticks = row.stop_ticks
    facts.target_ticks = row.target_ticks
    facts.strength_rate = row.strength_rate
    facts.signal_ns = row.signal_ns
    facts.horizon_ns = row.horizon_ns
    facts.volatility_e8 = row.measure_e8
    greek = scale_linked_nb(instrument.greek_e8, position.quantity_lots, 1, 1)
    facts.greek_e8 = MONEY_MAX if greek == OVERFLOW else greek
    facts.now_ns = state.head.now_ns
    facts.last_ticks = last
    facts.high_ticks = instrument.high_ticks if known else last
    facts.low_ticks = instrument.low_ticks if known else last
    facts.corrupt = 0


@inlined
def _cancel_book_nb(state, output, strategy, instrument):
    """Ask for the cancel of all orders of a book that are the strategy's. Returns a status."""
    for at in range(state.head.order_count):
        order = state.orders[at]
        if order.strategy != strategy or order.instrument != instrument or order.purpose != STRATEGY_ORDER:
            continue
        if NEXT[order.status, ASK_CANCEL] < 0:
            continue
        status = ask_cancel_nb(state, output, order, 0)
        if status != OK:
            return status
    return OK


@jit
def _exit_book_nb(state, output, strategy, instrument, cause):
    """Check the exits of one book, and give up what they say. Returns a status."""
    facts = output.work.facts
    _gather_nb(state, facts, strategy, instrument)
    plan = state.exit_plans[strategy]
    reason, lots, limit, value, rungs = check_exit_nb(plan, state.exit_rungs, strategy * MAX_RUNGS, facts)
    if reason == STAY:
        return OK
    lots = min(lots, abs(facts.quantity_lots) - leaving_lots_nb(state, strategy, instrument))
    lots = step_lots_nb(state, instrument, lots)
    if not is_sendable_nb(state, instrument, lots) or state.head.now_ns < state.instruments[instrument].retry_ns:
        return OK
    output.cause = cause
    record = begin_nb(state, output, EXIT_TRIGGERED.kind, instrument, strategy)
    words = record.words
    words[EXIT_TRIGGERED.tier] = tier_nb(reason)
    words[EXIT_TRIGGERED.reason] = reason
    words[EXIT_TRIGGERED.limit] = limit
    words[EXIT_TRIGGERED.value] = value
    words[EXIT_TRIGGERED.quantity_lots] = lots
    words[EXIT_TRIGGERED.rungs_taken] = rungs
    output.cause = record.sequence
    status = apply_nb(state, record)
    if status == OK and reason != PARTIAL_TARGET:
        status = _cancel_book_nb(state, output, strategy, instrument)
    if status != OK:
        return status
    intent = output.work.intent
    make_order_nb(intent, instrument, SELL if facts.quantity_lots > 0 else BUY, lots)
    intent.instructions = REDUCE_ONLY
    return place_nb(state, output, strategy, instrument, intent, EXIT_ORDER)


@unit(STATE, OUTPUT, np.int64, np.int64)
def exits_nb(state, output, instrument, cause):
    """Check the exits of all books in an instrument after the event ``cause``. Returns a status."""
    first_record = output.count
    for strategy in range(state.head.strategy_count):
        held = state.positions[position_index_nb(state, strategy, instrument)].quantity_lots
        if state.exit_plans[strategy].active == 0 or held == 0:
            continue
        if output.count - first_record > MOST_RECORDS:
            return OK
        status = _exit_book_nb(state, output, strategy, instrument, cause)
        if status != OK:
            return status
    return OK
