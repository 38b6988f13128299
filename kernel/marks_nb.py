"""Market events in the state: the part of ``apply`` that takes in prices.

Owns the last prices and quotes of the instruments and the marking of what is held.
"""

from kernel.accounts_nb import set_rate_nb
from kernel.bars.input_nb import note_row_nb
from kernel.events.layout import (
    BAR_CLOSED,
    CORPORATE_ACTION,
    LEVEL_SET,
    MODEL_SIGNAL,
    QUOTE_SEEN,
    RATE_SET,
    SESSION_CHANGED,
    STATUS_CHANGED,
    TRADE_SEEN,
    WEIGHT_SET,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW
from kernel.jit import inlined
from kernel.ledger_nb import (
    BAD_INDEX,
    MONEY_OVERFLOW,
    OK,
    book_index_nb,
    is_over_nb,
    revalue_nb,
)
from kernel.market import BAR, GREEK_LEVEL, MODEL, NO_PRICE, SPLIT, WEIGHT
from kernel.risk.count_nb import after_market_nb, roll_day_nb
from kernel.signals_nb import note_prices_nb, set_weight_nb
from kernel.splits_nb import take_split_nb

FIRST_MARKET_EVENT = BAR_CLOSED.kind


@inlined
def market_nb(state, kind, instrument_id, ts_ns, words):
    """Book one market event (a row or a record): last price, quotes, rates, and the value of what is held."""
    head = state.head
    if instrument_id < 0 or instrument_id >= head.instrument_count:
        return BAD_INDEX
    if head.risk_on == 1 and ts_ns >= state.risk.day_end_ns:
        roll_day_nb(state, ts_ns)
    head.next_sequence += 1
    head.now_ns = ts_ns
    status = _take_nb(state, kind, instrument_id, ts_ns, words)
    if status == OK and head.series_count > 0:
        status = note_row_nb(
            state, kind, instrument_id, ts_ns, words[0], words[1], words[2], words[3], words[4], words[5]
        )
    if status == OK and head.risk_on == 1:
        after_market_nb(state, kind, instrument_id, ts_ns, words[0], words[1], words[2], words[3], words[4])
    return status


@inlined
def _take_nb(state, kind, instrument_id, ts_ns, words):
    instrument = state.instruments[instrument_id]
    instrument.updated_ns = ts_ns
    instrument.event_count += 1
    if kind > QUOTE_SEEN.kind:
        return _fact_nb(state, instrument, kind, instrument_id, words)
    if instrument.expiry_ns != 0 and is_over_nb(instrument, kind == BAR_CLOSED.kind, ts_ns, words):
        return OK  # a contract that is over has no price any more
    before, high, low, range_ns = _price_nb(instrument, kind, ts_ns, words)
    if instrument.last_ticks == OVERFLOW:
        return MONEY_OVERFLOW
    if instrument.holder_count != 0:
        status = _mark_books_nb(state, instrument_id, instrument.last_ticks != before, high, low, range_ns)
        if status != OK:
            return status
    if state.head.exits_on == 1:
        note_prices_nb(state, instrument_id, before)
    if instrument.rate_numerator != 0 and instrument.last_ticks > 0:
        return _state_rate_nb(state, instrument)
    return OK


@inlined
def _fact_nb(state, instrument, kind, instrument_id, words):
    """What is known besides prices: sessions, statuses, rates, splits, weights."""
    if kind == CORPORATE_ACTION.kind and words[CORPORATE_ACTION.action] == SPLIT:
        return take_split_nb(
            state, instrument_id, words[CORPORATE_ACTION.numerator], words[CORPORATE_ACTION.denominator]
        )
    if kind == SESSION_CHANGED.kind:
        _session_nb(instrument, words)
    if kind == STATUS_CHANGED.kind:
        instrument.trading_status = words[STATUS_CHANGED.status]
    if kind == LEVEL_SET.kind and words[LEVEL_SET.level] == GREEK_LEVEL:
        instrument.greek_e8 = words[LEVEL_SET.value]
    if kind == WEIGHT_SET.kind:
        return set_weight_nb(state, instrument_id, words[WEIGHT_SET.weight_rate])
    if kind == RATE_SET.kind:
        return set_rate_nb(
            state,
            words[RATE_SET.from_currency],
            words[RATE_SET.to_currency],
            words[RATE_SET.numerator],
            words[RATE_SET.denominator],
        )
    return OK


@inlined
def _session_nb(instrument, words):
    """A session opens or closes. The close of another session than the one that opened last changes nothing."""
    if words[SESSION_CHANGED.phase] == 1:
        instrument.session_phase = 1
        instrument.session_open_ns = words[SESSION_CHANGED.open_ns]
        instrument.session_close_ns = words[SESSION_CHANGED.close_ns]
        instrument.next_open_ns = words[SESSION_CHANGED.next_open_ns]
    elif words[SESSION_CHANGED.open_ns] == instrument.session_open_ns:
        instrument.session_phase = 0


@inlined
def _price_nb(instrument, kind, ts_ns, words):
    """Take in a price; returns the last price and the range of the row before. OVERFLOW as last price: too large."""
    before, high, low, range_ns = (
        instrument.last_ticks,
        instrument.high_ticks,
        instrument.low_ticks,
        instrument.range_ns,
    )
    instrument.range_ns = ts_ns
    if kind == BAR_CLOSED.kind:
        instrument.last_ticks = words[BAR_CLOSED.close_ticks]
        instrument.high_ticks = words[BAR_CLOSED.high_ticks]
        instrument.low_ticks = words[BAR_CLOSED.low_ticks]
        instrument.range_ns = words[BAR_CLOSED.ts_open_ns]
        return before, high, low, range_ns
    if kind == TRADE_SEEN.kind:
        instrument.last_ticks = words[TRADE_SEEN.price_ticks]
    elif not _quote_nb(instrument, words):
        instrument.last_ticks = OVERFLOW
    if instrument.last_ticks == 0:
        instrument.range_ns = -1  # no price yet: it counts for no round trip
    instrument.high_ticks = instrument.last_ticks
    instrument.low_ticks = instrument.last_ticks
    return before, high, low, range_ns


@inlined
def _mark_books_nb(state, instrument_id, moved, high, low, range_ns):
    """Every book that holds the instrument: the range of the row before, and its value when the price moved.

    A row's range counts for a round trip that was entered when it began or before, and is still open when the next
    row comes. So the bar in which it ends does not count: what came before the exit in it is not known.
    """
    head = state.head
    for leg in (1, -1):
        if leg < 0 and head.hedging_count == 0:
            break
        for strategy in range(head.strategy_count):
            position = state.positions[book_index_nb(state, strategy, instrument_id, leg)]
            if position.quantity_lots == 0:
                continue
            if position.trade_ts_entry_ns <= range_ns:
                position.high_ticks = max(position.high_ticks, high)
                position.low_ticks = min(position.low_ticks, low)
            if moved:
                status = revalue_nb(state, state.instruments[instrument_id], position)
                if status != OK:
                    return status
    return OK


@inlined
def _state_rate_nb(state, instrument):
    """The rate that the last price of this instrument states."""
    if float(instrument.last_ticks) * float(instrument.rate_numerator) >= MONEY_MAX:
        return MONEY_OVERFLOW
    numerator = instrument.last_ticks * instrument.rate_numerator
    return set_rate_nb(state, instrument.rate_from, instrument.rate_to, numerator, instrument.rate_denominator)


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
def event_kind_nb(row_kind):
    """The event kind of a market row: the market events are declared in the order of the kinds of rows,
    but for the weights and the signals of models, which came later."""
    if row_kind == WEIGHT:
        return WEIGHT_SET.kind
    return MODEL_SIGNAL.kind if row_kind == MODEL else row_kind + FIRST_MARKET_EVENT - BAR
