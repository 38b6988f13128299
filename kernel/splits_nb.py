"""Splits: what they change besides money at once, and how the lots of a book follow.

Owns everything in the state that is told in ticks or lots of an instrument and outlives a split: last prices, the
stops, targets and best prices of positions and signals, and what the risk checks remember.
"""

import numpy as np

from kernel.accounts_nb import post_nb
from kernel.events.layout import RECORD, SPLIT_APPLIED
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.fills_nb import hand_over_trade_nb
from kernel.financing_nb import MAX_RATE
from kernel.jit import jit, unit
from kernel.ledger_nb import MISMATCH, MONEY_OVERFLOW, OK, revalue_nb
from kernel.lifecycle_nb import position_index_nb
from kernel.state import STATE
from kernel.tables.ledger import INSTRUMENT, POSITION
from kernel.tables.risk import WINDOW_BARS


@jit
def scaled_ticks_nb(ticks, numerator, denominator):
    """A price after a split of ``numerator`` new lots for ``denominator`` old ones, rounded half to even."""
    return scale_linked_nb(ticks, denominator, 1, numerator)


@unit(INSTRUMENT, np.int64, np.int64)
def adjust_price_nb(instrument, numerator, denominator):
    """Adjust the prices of an instrument for a split, so that no book looks richer until the next price."""
    if not (0 < numerator < MAX_RATE and 0 < denominator < MAX_RATE) or instrument.margined != 0:
        return MISMATCH
    last = scaled_ticks_nb(instrument.last_ticks, numerator, denominator)
    bid = scaled_ticks_nb(instrument.bid_ticks, numerator, denominator)
    ask = scaled_ticks_nb(instrument.ask_ticks, numerator, denominator)
    high = scaled_ticks_nb(instrument.high_ticks, numerator, denominator)
    low = scaled_ticks_nb(instrument.low_ticks, numerator, denominator)
    if last == OVERFLOW or bid == OVERFLOW or ask == OVERFLOW or high == OVERFLOW or low == OVERFLOW:
        return MONEY_OVERFLOW
    instrument.last_ticks = last
    instrument.bid_ticks = bid
    instrument.ask_ticks = ask
    instrument.high_ticks = high
    instrument.low_ticks = low
    return OK


@jit
def _kept_ticks_nb(ticks, numerator, denominator):
    """A stop, a target or a price that is remembered; 0 says that there is none, so no other becomes 0."""
    if ticks <= 0:
        return ticks
    after = scale_linked_nb(ticks, denominator, 1, numerator)
    return max(after, 1) if after != OVERFLOW else MONEY_MAX


@jit
def _kept_lots_nb(lots, numerator, denominator):
    """A number of lots that is remembered."""
    after = scale_linked_nb(lots, numerator, 1, denominator)
    return after if after != OVERFLOW else MONEY_MAX


@unit(STATE, np.int64, np.int64, np.int64)
def _adjust_signals_nb(state, instrument_id, numerator, denominator):
    """The stops, targets and best prices that exits go by."""
    for strategy in range(state.head.strategy_count):
        row = state.signals[position_index_nb(state, strategy, instrument_id)]
        row.stop_ticks = _kept_ticks_nb(row.stop_ticks, numerator, denominator)
        row.target_ticks = _kept_ticks_nb(row.target_ticks, numerator, denominator)
        row.best_before_ticks = _kept_ticks_nb(row.best_before_ticks, numerator, denominator)
        row.best_ticks = _kept_ticks_nb(row.best_ticks, numerator, denominator)
        row.target_lots = _kept_lots_nb(row.target_lots, numerator, denominator)
        row.peak_lots = _kept_lots_nb(row.peak_lots, numerator, denominator)
    return OK


@unit(STATE, np.int64, np.int64, np.int64)
def _adjust_memory_nb(state, instrument_id, numerator, denominator):
    """What the risk checks remember of prices and volumes."""
    symbol = state.risk_symbols[instrument_id]
    symbol.reference_ticks = _kept_ticks_nb(symbol.reference_ticks, numerator, denominator)
    symbol.close_ticks = _kept_ticks_nb(symbol.close_ticks, numerator, denominator)
    symbol.range_e8 = _kept_ticks_nb(symbol.range_e8, numerator, denominator)
    symbol.order_lots = min(_kept_lots_nb(symbol.order_lots, numerator, denominator), MONEY_MAX >> 2)
    if symbol.daily_volume > 1:
        symbol.daily_volume = _kept_lots_nb(symbol.daily_volume - 1, numerator, denominator) + 1
    for at in range(WINDOW_BARS):
        past = state.past_bars[instrument_id * WINDOW_BARS + at]
        past.close_ticks = _kept_ticks_nb(past.close_ticks, numerator, denominator)
        if past.volume_lots > 0:
            past.volume_lots = _kept_lots_nb(past.volume_lots, numerator, denominator)
    return OK


@unit(STATE, np.int64, np.int64, np.int64)
def take_split_nb(state, instrument_id, numerator, denominator):
    """A split of an instrument has come: everything that remembers its prices follows. The lots of the books follow by
    ``SplitApplied``. Returns a status."""
    status = adjust_price_nb(state.instruments[instrument_id], numerator, denominator)
    if status != OK:
        return status
    _adjust_signals_nb(state, instrument_id, numerator, denominator)
    return _adjust_memory_nb(state, instrument_id, numerator, denominator)


@unit(STATE, RECORD, INSTRUMENT, POSITION)
def book_split_nb(state, record, instrument, position):
    """Change the lots of a book; what was left of a lot leaves with its share of the cost."""
    words = record.words
    before, after = words[SPLIT_APPLIED.lots_before], words[SPLIT_APPLIED.lots_after]
    numerator, denominator = words[SPLIT_APPLIED.numerator], words[SPLIT_APPLIED.denominator]
    if not (0 < numerator < MAX_RATE and 0 < denominator < MAX_RATE) or before == 0:
        return MISMATCH
    if after != 0 and (before > 0) != (after > 0):
        return MISMATCH
    whole = scale_linked_nb(before, numerator, 1, denominator)
    cash, realised = words[SPLIT_APPLIED.cash_minor], words[SPLIT_APPLIED.realised_minor]
    if whole == OVERFLOW or abs(whole) >= MONEY_MAX or not -MONEY_MAX < cash < MONEY_MAX:
        return MONEY_OVERFLOW
    if before != position.quantity_lots or abs(after) > abs(whole) + 1:
        return MISMATCH
    cost_out = cash - realised
    if abs(cost_out) > abs(position.cost_minor) or (after == 0 and cost_out != position.cost_minor):
        return MISMATCH
    balance = state.balances[position.balance]
    balance.cash_minor += cash
    balance.realised_minor += realised
    if instrument.margined != 0:
        return MISMATCH  # nothing that is margined is ever split
    balance.cost_minor -= cost_out
    position.cost_minor -= cost_out
    position.realised_minor += realised
    position.quantity_lots = after
    position.trade_realised_minor += realised
    position.trade_exit_minor += abs(cash)
    position.trade_quantity_lots = scale_linked_nb(position.trade_quantity_lots, numerator, 1, denominator)
    position.high_ticks = scaled_ticks_nb(position.high_ticks, numerator, denominator)
    position.low_ticks = scaled_ticks_nb(position.low_ticks, numerator, denominator)
    position.trade_stop_ticks = scaled_ticks_nb(position.trade_stop_ticks, numerator, denominator)
    if position.trade_quantity_lots == 0:
        position.trade_quantity_lots = 1  # a round trip is never of nothing
    if position.trade_quantity_lots == OVERFLOW or position.high_ticks == OVERFLOW or position.low_ticks == OVERFLOW:
        return MONEY_OVERFLOW
    if position.trade_stop_ticks == OVERFLOW or abs(position.realised_minor) >= MONEY_MAX:
        return MONEY_OVERFLOW
    state.closed_trade.leg = words[SPLIT_APPLIED.leg]
    state.closed_trade.quantity_lots = 0
    if after == 0:
        instrument.holder_count -= 1
        hand_over_trade_nb(position, state.closed_trade, record.ts_event_ns)
    status = post_nb(state, position.account, balance)
    return status if status != OK else revalue_nb(state, instrument, position)
