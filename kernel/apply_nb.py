"""``apply``: the one reducer. Everything the kernel knows is a fold of it over the journal.

Owns every change of the state. It decides nothing: it books what an event says, and refuses (with a status, the state
then being unusable) an event that does not fit the state, which is a damaged history or a bug of ours. Backtest, live
trading, recovery and audit run this very function.
"""

from kernel.events.layout import (
    ACCEPTED,
    BAR_CLOSED,
    CANCEL_REQUESTED,
    CANCELED,
    CHECKED,
    CURRENCY,
    DEPOSIT,
    EXPIRED,
    FILLED,
    HALTED,
    INSTRUMENT,
    INTENDED,
    LIMITS,
    POSITION_CHANGED,
    QUOTE_SEEN,
    REJECTED,
    REPLACE_REQUESTED,
    REPLACED,
    REQUEST_REFUSED,
    RESUMED,
    RUN_CLOSED,
    RUN_OPENED,
    SEGMENT,
    STATE_DIGEST,
    STRATEGY,
    TAIL_DISCARDED,
    TIMER_FIRED,
    TIMER_SET,
    TRADE_CLOSED,
    TRADE_SEEN,
    VENUE,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW
from kernel.jit import inlined, jit
from kernel.ledger_nb import (
    BAD_INDEX,
    BAD_SEQUENCE,
    ILLEGAL_TRANSITION,
    MISMATCH,
    MONEY_OVERFLOW,
    NO_CAPACITY,
    OK,
    UNKNOWN_KIND,
    UNKNOWN_ORDER,
    fill_nb,
    revalue_nb,
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
from kernel.market import NO_PRICE
from kernel.state import (
    MAX_INSTRUMENTS,
    MAX_LOTS,
    MAX_ORDERS,
    MAX_POSITIONS,
    MAX_STRATEGIES,
    MAX_TIMERS,
    NEVER_NS,
)


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
def market_nb(state, kind, instrument_id, ts_ns, words):
    """Book one market event (a row or a record): last price, quotes, and the value of what is held."""
    head = state.head
    if instrument_id < 0 or instrument_id >= head.instrument_count:
        return BAD_INDEX
    head.next_sequence += 1
    head.now_ns = ts_ns
    instrument = state.instruments[instrument_id]
    instrument.updated_ns = ts_ns
    instrument.event_count += 1
    before = instrument.last_ticks
    if kind == BAR_CLOSED.kind:
        instrument.last_ticks = words[BAR_CLOSED.close_ticks]
    elif kind == TRADE_SEEN.kind:
        instrument.last_ticks = words[TRADE_SEEN.price_ticks]
    elif not _quote_nb(instrument, words):
        return MONEY_OVERFLOW
    if instrument.last_ticks == before:
        return OK
    return _revalue_all_nb(state, instrument_id)


@inlined
def _quote_nb(instrument, words):
    """Keep both sides; the last price becomes the middle, rounded half to even, when both are quoted.

    Returns whether the prices are small enough to be added.
    """
    bid, ask = words[QUOTE_SEEN.bid_ticks], words[QUOTE_SEEN.ask_ticks]
    if (bid != NO_PRICE and abs(bid) >= MONEY_MAX) or (ask != NO_PRICE and abs(ask) >= MONEY_MAX):
        return False
    instrument.bid_ticks = bid if bid != NO_PRICE else 0
    instrument.ask_ticks = ask if ask != NO_PRICE else 0
    if bid != NO_PRICE and ask != NO_PRICE:
        total = bid + ask
        middle = total // 2
        if total % 2 == 1 and middle % 2 == 1:
            middle += 1
        instrument.last_ticks = middle
    return True


@inlined
def _revalue_all_nb(state, instrument_id):
    head = state.head
    for strategy in range(head.strategy_count):
        position = state.positions[position_index_nb(state, strategy, instrument_id)]
        if position.quantity_lots != 0:
            status = revalue_nb(state.accounts[0], state.instruments[instrument_id], position)
            if status != OK:
                return status
    return OK


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
        position = state.positions[position_index_nb(state, order.strategy, order.instrument)]
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
    order.ts_intended_ns = record.ts_ingest_ns
    order.cause = record.cause
    position = state.positions[position_index_nb(state, record.strategy, record.instrument)]
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
    position = state.positions[position_index_nb(state, order.strategy, order.instrument)]
    status = fill_nb(
        state.accounts[0],
        state.instruments[order.instrument],
        position,
        state.closed_trade,
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
    position = state.positions[position_index_nb(state, order.strategy, order.instrument)]
    pend_nb(position, order.side, words[REPLACED.quantity_lots] - order.quantity_lots)
    order.quantity_lots = words[REPLACED.quantity_lots]
    order.limit_ticks = words[REPLACED.limit_ticks]
    order.stop_ticks = words[REPLACED.stop_ticks]
    return _advance_nb(state, words[REPLACED.order_id], REPLACE)


@inlined
def _order_nb(state, record):
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


@inlined
def _position_nb(state, record):
    """What the kernel derived from a fill must be what the fill did: a journal that says otherwise is refused."""
    head, words = state.head, record.words
    if record.strategy < 0 or record.strategy >= head.strategy_count:
        return BAD_INDEX
    if record.instrument < 0 or record.instrument >= head.instrument_count:
        return BAD_INDEX
    position = state.positions[position_index_nb(state, record.strategy, record.instrument)]
    if (
        position.quantity_lots != words[POSITION_CHANGED.quantity_lots]
        or position.cost_minor != words[POSITION_CHANGED.cost_minor]
        or position.realised_minor != words[POSITION_CHANGED.realised_minor]
        or position.fees_minor != words[POSITION_CHANGED.fees_minor]
        or state.accounts[0].cash_minor != words[POSITION_CHANGED.cash_minor]
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
    state.head.trade_count += 1
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
    """Definitions, limits, deposits and halts."""
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
    elif kind == CURRENCY.kind:
        state.accounts[0].currency = words[CURRENCY.currency]
        state.accounts[0].scale = words[CURRENCY.scale]
    elif kind == INSTRUMENT.kind:
        if record.instrument < 0 or record.instrument >= head.instrument_count:
            return BAD_INDEX
        instrument = state.instruments[record.instrument]
        instrument.currency = words[INSTRUMENT.currency]
        instrument.numerator = words[INSTRUMENT.numerator]
        instrument.denominator = words[INSTRUMENT.denominator]
        instrument.volume_known = words[INSTRUMENT.volume_known]
    elif kind == LIMITS.kind:
        _set_limits_nb(state.limits, words)
    elif kind == DEPOSIT.kind:
        if abs(words[DEPOSIT.amount_minor]) >= MONEY_MAX or words[DEPOSIT.amount_minor] == OVERFLOW:
            return MONEY_OVERFLOW
        state.accounts[0].cash_minor += words[DEPOSIT.amount_minor]
        state.accounts[0].deposited_minor += words[DEPOSIT.amount_minor]
        if abs(state.accounts[0].cash_minor) >= MONEY_MAX:
            return MONEY_OVERFLOW
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


@jit
def apply_nb(state, record):
    """Book one event. Returns OK, or the status that says why it does not fit the state."""
    head, kind = state.head, record.kind
    if kind == SEGMENT.kind:
        return OK
    if record.sequence != head.next_sequence:
        return BAD_SEQUENCE
    if kind == BAR_CLOSED.kind or kind == TRADE_SEEN.kind or kind == QUOTE_SEEN.kind:
        return market_nb(state, kind, record.instrument, record.ts_ingest_ns, record.words)
    head.next_sequence += 1
    head.now_ns = record.ts_ingest_ns
    if INTENDED.kind <= kind <= REQUEST_REFUSED.kind:
        return _order_nb(state, record)
    if kind == POSITION_CHANGED.kind:
        return _position_nb(state, record)
    if kind == TRADE_CLOSED.kind:
        return _trade_closed_nb(state, record)
    if kind == TIMER_SET.kind:
        return _set_timer_nb(state, record)
    if kind == TIMER_FIRED.kind:
        return _fire_timer_nb(state, record)
    if kind == STATE_DIGEST.kind:
        if head.digest_interval > 0:
            head.next_digest = (record.sequence // head.digest_interval + 1) * head.digest_interval
        return OK
    if RUN_OPENED.kind <= kind <= VENUE.kind or kind == HALTED.kind or kind == RESUMED.kind:
        return _define_nb(state, record)
    if kind == TAIL_DISCARDED.kind or kind == RUN_CLOSED.kind or kind == STRATEGY.kind:
        return OK
    return UNKNOWN_KIND
