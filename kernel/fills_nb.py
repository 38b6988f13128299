"""Fills and round trips, exactly: what a fill does to a book, its balance and the round trip under way.

Owns the arithmetic of a fill. The cost of a position is the exact sum of the money that moved, never a rounded average;
a partial close takes out its share of the cost, rounded half to even, and leaves the rest, so nothing is ever lost to
rounding. Fully paid instruments move the cash by the notional, margined ones by the realised profit alone; fees always.
"""

from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import MISMATCH, MONEY_OVERFLOW, notional_nb, revalue_nb


@jit
def fill_nb(state, instrument, position, leg, side, price_ticks, quantity_lots, fee_minor, ts_ns, sequence):
    """Book one fill: close what it closes, open what is left, move the cash. Returns a status.

    ``closed_trade`` of the state then says whose book it was, and which round trip it ended (a quantity of 0: none).
    The books of a hedging account (leg 1 or -1) cannot turn.
    """
    before = position.quantity_lots
    closed = 0
    if before * side < 0:
        closed = min(quantity_lots, abs(before))
    if leg != 0 and (before + side * quantity_lots) * leg < 0:
        return MISMATCH
    money = notional_nb(instrument, price_ticks, quantity_lots)
    closed_money = notional_nb(instrument, price_ticks, closed)
    if money == OVERFLOW or abs(fee_minor) >= MONEY_MAX or abs(money) + abs(fee_minor) >= MONEY_MAX:
        return MONEY_OVERFLOW
    closed_fee = scale_linked_nb(fee_minor, closed, 1, quantity_lots)
    cost_out = 0
    realised = 0
    if closed > 0:
        cost_out = scale_linked_nb(position.cost_minor, closed, 1, abs(before))
        realised = -side * closed_money - cost_out
    cost_change = side * (money - closed_money) - cost_out
    position.cost_minor += cost_change
    position.quantity_lots = before + side * quantity_lots
    position.realised_minor += realised
    position.fees_minor += fee_minor
    _post_fill_nb(state.balances[position.balance], instrument, cost_change, realised, fee_minor)
    if not _amounts_fit_nb(state.balances[position.balance], position):
        return MONEY_OVERFLOW
    closed_trade = state.closed_trade
    closed_trade.leg = leg
    closed_trade.quantity_lots = 0
    if before == 0 or position.quantity_lots == 0:
        instrument.holder_count += 1 if before == 0 else -1
    if before != 0:
        position.high_ticks = max(position.high_ticks, price_ticks)
        position.low_ticks = min(position.low_ticks, price_ticks)
    if closed > 0:
        _close_trade_nb(position, closed_trade, closed_money, realised, closed_fee, ts_ns)
    if quantity_lots > closed:
        opened = quantity_lots - closed
        _open_trade_nb(
            position, side, price_ticks, opened, money - closed_money, fee_minor - closed_fee, ts_ns, sequence
        )
    return revalue_nb(state, instrument, position)


@inlined
def _post_fill_nb(balance, instrument, cost_change, realised, fee_minor):
    """Debits and credits of a fill. What is margined has no cost on the ledger: its profit is marked instead."""
    balance.realised_minor += realised
    balance.fees_minor += fee_minor
    if instrument.margined != 0:
        balance.cash_minor += realised - fee_minor
        balance.value_minor -= cost_change
    else:
        balance.cash_minor += realised - fee_minor - cost_change
        balance.cost_minor += cost_change


@inlined
def _amounts_fit_nb(balance, position):
    """Whether one more amount can be added to any of these without wrapping."""
    return (
        abs(balance.cash_minor) < MONEY_MAX
        and abs(balance.cost_minor) < MONEY_MAX
        and abs(balance.realised_minor) < MONEY_MAX
        and abs(balance.fees_minor) < MONEY_MAX
        and abs(balance.value_minor) < MONEY_MAX
        and abs(position.quantity_lots) < MONEY_MAX
        and abs(position.cost_minor) < MONEY_MAX
        and abs(position.realised_minor) < MONEY_MAX
        and abs(position.fees_minor) < MONEY_MAX
        and abs(position.trade_entry_minor) < MONEY_MAX
        and abs(position.trade_exit_minor) < MONEY_MAX
    )


@inlined
def _open_trade_nb(position, side, price_ticks, opened_lots, money, fee_minor, ts_ns, sequence):
    """Add an opening fill to the round trip under way, or begin one."""
    if position.trade_side == 0:
        position.trade_side = side
        position.trade_ts_entry_ns = ts_ns
        position.trade_entry_sequence = sequence
        position.high_ticks = price_ticks
        position.low_ticks = price_ticks
    position.trade_quantity_lots += opened_lots
    position.trade_entry_minor += money
    position.trade_fees_minor += fee_minor
    position.trade_fill_count += 1


@inlined
def _close_trade_nb(position, closed_trade, money, realised, fee_minor, ts_ns):
    """Add a closing fill to the round trip under way; when nothing is left on its side, hand it over and clear it."""
    position.trade_exit_minor += money
    position.trade_realised_minor += realised
    position.trade_fees_minor += fee_minor
    position.trade_fill_count += 1
    if position.quantity_lots * position.trade_side <= 0:
        hand_over_trade_nb(position, closed_trade, ts_ns)


@jit
def hand_over_trade_nb(position, closed_trade, ts_ns):
    """End the round trip under way: ``closed_trade`` holds it, the position none."""
    closed_trade.ts_entry_ns = position.trade_ts_entry_ns
    closed_trade.ts_exit_ns = ts_ns
    closed_trade.side = position.trade_side
    closed_trade.quantity_lots = position.trade_quantity_lots
    closed_trade.entry_minor = position.trade_entry_minor
    closed_trade.exit_minor = position.trade_exit_minor
    closed_trade.realised_minor = position.trade_realised_minor
    closed_trade.fees_minor = position.trade_fees_minor
    closed_trade.entry_sequence = position.trade_entry_sequence
    closed_trade.fill_count = position.trade_fill_count
    closed_trade.high_ticks = position.high_ticks
    closed_trade.low_ticks = position.low_ticks
    closed_trade.stop_ticks = position.trade_stop_ticks
    closed_trade.income_minor = position.trade_income_minor
    position.high_ticks = 0
    position.low_ticks = 0
    position.trade_stop_ticks = 0
    position.trade_income_minor = 0
    position.trade_ts_entry_ns = 0
    position.trade_entry_sequence = 0
    position.trade_side = 0
    position.trade_quantity_lots = 0
    position.trade_entry_minor = 0
    position.trade_exit_minor = 0
    position.trade_realised_minor = 0
    position.trade_fees_minor = 0
    position.trade_fill_count = 0
