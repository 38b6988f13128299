"""Market events in the state: the part of ``apply`` that takes in prices.

Owns the last prices and quotes of the instruments and the marking of what is held.
"""

from kernel.events.layout import (
    BAR_CLOSED,
    QUOTE_SEEN,
    TRADE_SEEN,
)
from kernel.exact_nb import MONEY_MAX
from kernel.jit import inlined
from kernel.ledger_nb import (
    BAD_INDEX,
    MONEY_OVERFLOW,
    OK,
    revalue_nb,
)
from kernel.market import BAR, NO_PRICE
from kernel.orders_nb import position_index_nb

FIRST_MARKET_EVENT = BAR_CLOSED.kind


@inlined
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
    elif kind == QUOTE_SEEN.kind and not _quote_nb(instrument, words):
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


@inlined
def event_kind_nb(row_kind):
    """The event kind of a market row: the market events are declared in the order of the kinds of rows."""
    return row_kind + FIRST_MARKET_EVENT - BAR
