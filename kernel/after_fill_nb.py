"""What follows from a fill that has just been booked: what it did to the book, and the round trip that it ended."""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import LIQUIDATION_FEE, POSITION_CHANGED, TRADE_CLOSED
from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import unit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, book_index_nb, exposure_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE


@unit(STATE, OUTPUT, np.int64, np.int64, np.int64)
def after_fill_nb(state, output, strategy, instrument, order_id):
    """Record what a fill, already applied, did to the book; and the round trip when it ended one."""
    trade = state.closed_trade
    position = state.positions[book_index_nb(state, strategy, instrument, trade.leg)]
    record = begin_nb(state, output, POSITION_CHANGED.kind, instrument, strategy)
    words = record.words
    words[POSITION_CHANGED.order_id] = order_id
    words[POSITION_CHANGED.quantity_lots] = position.quantity_lots
    words[POSITION_CHANGED.cost_minor] = position.cost_minor
    words[POSITION_CHANGED.realised_minor] = position.realised_minor
    words[POSITION_CHANGED.fees_minor] = position.fees_minor
    words[POSITION_CHANGED.cash_minor] = state.balances[position.balance].cash_minor
    ended = trade.quantity_lots != 0
    words[POSITION_CHANGED.high_ticks] = trade.high_ticks if ended else position.high_ticks
    words[POSITION_CHANGED.low_ticks] = trade.low_ticks if ended else position.low_ticks
    words[POSITION_CHANGED.stop_ticks] = trade.stop_ticks if ended else position.trade_stop_ticks
    words[POSITION_CHANGED.income_minor] = trade.income_minor if ended else position.trade_income_minor
    status = apply_nb(state, record)
    if status != OK or not ended:
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


@unit(STATE, OUTPUT, *[np.int64] * 5)
def liquidation_fee_nb(state, output, strategy, instrument, order_id, price_ticks, quantity_lots):
    """The fee that a fill of a liquidation costs beside the venue's. Returns a status."""
    entry = state.instruments[instrument]
    value = exposure_nb(entry, price_ticks, quantity_lots)
    amount = scale_linked_nb(value, entry.liquidation_fee_rate, 1, RATE_SCALE) if value != OVERFLOW else OVERFLOW
    if amount == OVERFLOW:
        return MONEY_OVERFLOW
    if amount == 0:
        return OK
    record = begin_nb(state, output, LIQUIDATION_FEE.kind, instrument, strategy)
    record.words[LIQUIDATION_FEE.order_id] = order_id
    record.words[LIQUIDATION_FEE.value_minor] = value
    record.words[LIQUIDATION_FEE.rate] = entry.liquidation_fee_rate
    record.words[LIQUIDATION_FEE.amount_minor] = amount
    return apply_nb(state, record)
