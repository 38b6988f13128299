"""``apply``: the one reducer. Everything the kernel knows is a fold of it over the journal.

Owns every change of the state. It decides nothing: it books what an event says, and refuses (with a status, the state
then being unusable) an event that does not fit the state, which is a damaged history or a bug of ours. Backtest, live
trading, recovery and audit run this very function.
"""

from kernel.accounts_nb import define_money_nb
from kernel.bars.apply_nb import series_event_nb
from kernel.events.layout import (
    ADOPTED,
    BAR_CLOSED,
    BAR_DROPPED,
    CHECKED,
    COMMAND_GIVEN,
    CROSSED,
    DEPOSIT,
    FEATURE_VECTOR,
    FEATURES,
    GROUP_BROKEN,
    HALTED,
    INPUT_ROUTED,
    INTENDED,
    KEY_ROTATED,
    LEVEL_SET,
    LIMITS,
    LIQUIDATION_FEE,
    LIVE_OPENED,
    MODEL_SIGNAL,
    PORTFOLIO_PLAN_SET,
    POSITION_CHANGED,
    RATE_STATED,
    RECORD,
    REJECTED,
    REQUEST_REFUSED,
    RESTORED,
    RESUMED,
    RULE_SET,
    RUN_CLOSED,
    RUN_FORKED,
    RUN_OPENED,
    SEGMENT,
    SERIES_DEFINED,
    SHADOW_FILLED,
    SIGNAL,
    SIGNAL_DROPPED,
    STATE_DIGEST,
    STRATEGY,
    TAIL_DISCARDED,
    TERMS,
    TIMER_FIRED,
    TIMER_SET,
    TRADE_CLOSED,
    VENUE,
    VENUE_POSITION,
    WEIGHT_SET,
)
from kernel.income_nb import book_money_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import (
    BAD_INDEX,
    BAD_SEQUENCE,
    MISMATCH,
    NO_CAPACITY,
    OK,
    book_index_nb,
    equity_nb,
    is_shadow_nb,
)
from kernel.live_nb import live_event_nb
from kernel.marks_nb import market_nb
from kernel.orders_nb import order_nb
from kernel.pipeline.book_nb import pipeline_event_nb
from kernel.risk.count_nb import after_deposit_nb, after_order_nb, after_trade_nb, before_order_nb
from kernel.risk.define_nb import risk_event_nb
from kernel.risk.totals_nb import refresh_all_nb
from kernel.signals_nb import note_refusal_nb, note_rejection_nb, signal_event_nb
from kernel.state import STATE
from kernel.tables.table import MAX_INSTRUMENTS, MAX_POSITIONS, MAX_STRATEGIES, MAX_TIMERS, NEVER_NS

LAST_PIPELINE_EVENT = INPUT_ROUTED.kind


@inlined
def _position_nb(state, record):
    """What the kernel derived from a fill must be what the fill did: a journal that says otherwise is refused."""
    head, words = state.head, record.words
    if record.strategy < 0 or record.strategy >= head.strategy_count:
        return BAD_INDEX
    if record.instrument < 0 or record.instrument >= head.instrument_count:
        return BAD_INDEX
    at = book_index_nb(state, record.strategy, record.instrument, state.closed_trade.leg)
    position = state.positions[at]
    if (
        position.quantity_lots != words[POSITION_CHANGED.quantity_lots]
        or position.cost_minor != words[POSITION_CHANGED.cost_minor]
        or position.realised_minor != words[POSITION_CHANGED.realised_minor]
        or position.fees_minor != words[POSITION_CHANGED.fees_minor]
        or state.balances[position.balance].cash_minor != words[POSITION_CHANGED.cash_minor]
    ):
        return MISMATCH
    trade = state.closed_trade
    if trade.quantity_lots != 0:
        high, low, stop, income = trade.high_ticks, trade.low_ticks, trade.stop_ticks, trade.income_minor
    else:
        high, low, stop = position.high_ticks, position.low_ticks, position.trade_stop_ticks
        income = position.trade_income_minor
    if (
        high != words[POSITION_CHANGED.high_ticks]
        or low != words[POSITION_CHANGED.low_ticks]
        or stop != words[POSITION_CHANGED.stop_ticks]
        or income != words[POSITION_CHANGED.income_minor]
    ):
        return MISMATCH
    return OK


@inlined
def _trade_closed_nb(state, record):
    trade, words = state.closed_trade, record.words
    if (
        trade.ts_entry_ns != words[TRADE_CLOSED.ts_entry_ns]
        or trade.ts_exit_ns != words[TRADE_CLOSED.ts_exit_ns]
        or trade.side != words[TRADE_CLOSED.side]
        or trade.quantity_lots != words[TRADE_CLOSED.quantity_lots]
        or trade.entry_minor != words[TRADE_CLOSED.entry_minor]
        or trade.exit_minor != words[TRADE_CLOSED.exit_minor]
        or trade.realised_minor != words[TRADE_CLOSED.realised_minor]
        or trade.fees_minor != words[TRADE_CLOSED.fees_minor]
        or trade.entry_sequence != words[TRADE_CLOSED.entry_sequence]
        or trade.fill_count != words[TRADE_CLOSED.fill_count]
    ):
        return MISMATCH
    if state.head.shadow_count > 0 and is_shadow_nb(state, record.strategy, record.instrument):
        state.head.shadow_trade_count += 1
        return OK
    state.head.trade_count += 1
    if state.head.risk_on == 1:
        after_trade_nb(state, trade.realised_minor - trade.fees_minor)
    return OK


@jit
def find_timer_nb(state, strategy, instrument, timer):
    """The row of a strategy's active timer, or -1."""
    for row in range(MAX_TIMERS):
        entry = state.timers[row]
        if entry.active == 1 and entry.strategy == strategy and entry.instrument == instrument and entry.timer == timer:
            return row
    return -1


@jit
def _note_next_timer_nb(state):
    next_ns = NEVER_NS
    for row in range(MAX_TIMERS):
        if state.timers[row].active == 1:
            next_ns = min(next_ns, state.timers[row].due_ns)
    state.head.next_timer_ns = next_ns


@inlined
def _set_timer_nb(state, record):
    words = record.words
    row = find_timer_nb(state, record.strategy, record.instrument, words[TIMER_SET.timer])
    if row < 0:
        for free in range(MAX_TIMERS):
            if state.timers[free].active == 0:
                row = free
                break
        if row < 0:
            return NO_CAPACITY
    entry = state.timers[row]
    entry.active = 1 if words[TIMER_SET.due_ns] > 0 else 0
    entry.strategy = record.strategy
    entry.instrument = record.instrument
    entry.timer = words[TIMER_SET.timer]
    entry.due_ns = words[TIMER_SET.due_ns]
    entry.interval_ns = words[TIMER_SET.interval_ns]
    _note_next_timer_nb(state)
    return OK


@inlined
def _fire_timer_nb(state, record):
    row = find_timer_nb(state, record.strategy, record.instrument, record.words[TIMER_FIRED.timer])
    if row < 0 or state.timers[row].due_ns != record.words[TIMER_FIRED.due_ns]:
        return MISMATCH
    entry = state.timers[row]
    if entry.interval_ns > 0:
        entry.due_ns += entry.interval_ns
    else:
        entry.active = 0
    _note_next_timer_nb(state)
    return OK


@inlined
def _define_nb(state, record):
    """The opening, limits and halts."""
    kind, words, head = record.kind, record.words, state.head
    if kind == RUN_OPENED.kind:
        instruments, strategies = words[RUN_OPENED.instrument_count], words[RUN_OPENED.strategy_count]
        if not (0 < instruments <= MAX_INSTRUMENTS and 0 < strategies <= MAX_STRATEGIES):
            return BAD_INDEX
        if instruments * strategies > MAX_POSITIONS:
            return NO_CAPACITY
        # The shape is said once: another one would give every book another place.
        if head.instrument_count > 0 and (head.instrument_count != instruments or head.strategy_count != strategies):
            return MISMATCH
        head.instrument_count = instruments
        head.strategy_count = strategies
        head.digest_interval = words[RUN_OPENED.digest_interval]
        head.next_digest = words[RUN_OPENED.digest_interval]
    elif kind == LIMITS.kind:
        _set_limits_nb(state.limits, words)
    elif kind == HALTED.kind or kind == RESUMED.kind:
        halted = 1 if kind == HALTED.kind else 0
        if record.instrument >= head.instrument_count:
            return BAD_INDEX
        if record.instrument < 0:
            head.halted = halted
        else:
            state.instruments[record.instrument].halted = halted
    return OK


@inlined
def _set_limits_nb(limits, words):
    limits.order_lots = words[LIMITS.order_lots]
    limits.order_notional_minor = words[LIMITS.order_notional_minor]
    limits.position_notional_minor = words[LIMITS.position_notional_minor]
    limits.price_band_rate = words[LIMITS.price_band_rate]
    limits.margin_rate = words[LIMITS.margin_rate]
    limits.cost_buffer_rate = words[LIMITS.cost_buffer_rate]
    limits.open_orders = words[LIMITS.open_orders]


@inlined
def _money_nb(state, record):
    """A deposit is no gain, and what leaves is no loss: the monitors of risk are told; and a rate moves exposures."""
    if state.head.risk_on == 1 and record.kind == RATE_STATED.kind:
        status = define_money_nb(state, record)
        refresh_all_nb(state)
        return status
    known = 0 <= record.account < state.head.account_count
    if state.head.risk_on == 0 or record.kind != DEPOSIT.kind or not known:
        return define_money_nb(state, record)
    before = equity_nb(state.accounts[record.account])
    status = define_money_nb(state, record)
    after_deposit_nb(state, record.account, equity_nb(state.accounts[record.account]) - before)
    return status


@unit(STATE, RECORD)
def _seldom_nb(state, record):
    """Events that are few: compiled by themselves, so that the others are compiled sooner."""
    head, kind = state.head, record.kind
    if kind == TIMER_SET.kind:
        return _set_timer_nb(state, record)
    if kind == TIMER_FIRED.kind:
        return _fire_timer_nb(state, record)
    if kind == STATE_DIGEST.kind:
        if head.digest_interval > 0:
            head.next_digest = (record.sequence // head.digest_interval + 1) * head.digest_interval
        return OK
    if kind == RUN_OPENED.kind or kind == LIMITS.kind or kind == HALTED.kind or kind == RESUMED.kind:
        return _define_nb(state, record)
    if kind == FEATURES.kind or kind == FEATURE_VECTOR.kind:  # floats, which no decision of the kernel rests on
        return OK
    if kind == TAIL_DISCARDED.kind or kind == RUN_CLOSED.kind or kind == VENUE.kind or kind == RUN_FORKED.kind:
        return OK
    if RESTORED.kind <= kind <= KEY_ROTATED.kind:  # custody: about the journal, not about the account
        return OK
    if LIVE_OPENED.kind <= kind <= COMMAND_GIVEN.kind:
        return live_event_nb(state, record)
    return _money_nb(state, record)


@unit(STATE, RECORD)
def apply_nb(state, record):
    """Book one event. Returns OK, or the status that says why it does not fit the state."""
    head, kind = state.head, record.kind
    if kind == SEGMENT.kind:
        return OK
    if record.sequence != head.next_sequence:
        return BAD_SEQUENCE
    if BAR_CLOSED.kind <= kind <= LEVEL_SET.kind or kind == WEIGHT_SET.kind or kind == MODEL_SIGNAL.kind:
        return market_nb(state, kind, record.instrument, record.ts_ingest_ns, record.words)
    head.next_sequence += 1
    head.now_ns = record.ts_ingest_ns
    if INTENDED.kind <= kind <= GROUP_BROKEN.kind or kind == CROSSED.kind or kind == ADOPTED.kind:
        if kind == REJECTED.kind:
            note_rejection_nb(state, record)
        if kind == CHECKED.kind or kind == REJECTED.kind or kind == REQUEST_REFUSED.kind:
            note_refusal_nb(state, record)
        if head.risk_on == 0:
            return order_nb(state, record)
        before_order_nb(state, record)
        status = order_nb(state, record)
        return status if status != OK else after_order_nb(state, record)
    if SERIES_DEFINED.kind <= kind <= BAR_DROPPED.kind:
        return series_event_nb(state, record)
    if SIGNAL.kind <= kind <= PORTFOLIO_PLAN_SET.kind or kind == STRATEGY.kind or kind == SIGNAL_DROPPED.kind:
        return signal_event_nb(state, record)
    if SHADOW_FILLED.kind <= kind <= LAST_PIPELINE_EVENT:
        return pipeline_event_nb(state, record)
    if RULE_SET.kind <= kind <= VENUE_POSITION.kind:
        return risk_event_nb(state, record)
    if TERMS.kind <= kind <= LIQUIDATION_FEE.kind:
        return book_money_nb(state, record)
    if kind == POSITION_CHANGED.kind:
        return _position_nb(state, record)
    if kind == TRADE_CLOSED.kind:
        return _trade_closed_nb(state, record)
    return _seldom_nb(state, record)
