"""Positions and cash, exactly: what a fill and a new price do to the books.

Owns the arithmetic of one account whose strategies each keep a book (a position) per instrument. The cost of a
position is the exact sum of the money that moved, never a rounded average; a partial close takes out its share of the
cost, rounded half to even, and leaves the rest, so nothing is ever lost to rounding:

    cash = deposits + realised - fees - cost of what is open        (after every event)
"""

from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_nb
from kernel.jit import inlined, jit

OK, UNKNOWN_ORDER, ILLEGAL_TRANSITION, MONEY_OVERFLOW, NO_CAPACITY = range(5)
MISMATCH, UNKNOWN_KIND, BAD_INDEX, BAD_SEQUENCE = range(5, 9)
STATUS_TEXT = {
    OK: "ok",
    UNKNOWN_ORDER: "it names an order that is not open",
    ILLEGAL_TRANSITION: "the order's status does not allow it",
    MONEY_OVERFLOW: "an amount of money does not fit 64 bits",
    NO_CAPACITY: "a table of the state is full",
    MISMATCH: "it does not agree with the state",
    UNKNOWN_KIND: "its kind is not in the catalogue",
    BAD_INDEX: "it names an instrument, strategy or timer that is not defined",
    BAD_SEQUENCE: "its sequence is not the next one",
}


@inlined
def notional_nb(instrument, price_ticks, quantity_lots):
    """Money of a quantity at a price, in minor units, signed as the quantity; OVERFLOW if it does not fit."""
    return scale_nb(price_ticks, quantity_lots, instrument.numerator, instrument.denominator)


@jit
def revalue_nb(account, instrument, position):
    """Mark one position to the instrument's last price."""
    value = notional_nb(instrument, instrument.last_ticks, position.quantity_lots)
    if value == OVERFLOW:
        return MONEY_OVERFLOW
    before = position.value_minor
    account.value_minor += value - before
    account.gross_minor += abs(value) - abs(before)
    position.value_minor = value
    if abs(account.value_minor) >= MONEY_MAX or account.gross_minor >= MONEY_MAX:
        return MONEY_OVERFLOW
    return OK


@inlined
def equity_nb(account):
    """Cash plus the market value of all that is open, in minor units."""
    return account.cash_minor + account.value_minor


@inlined
def fill_nb(account, instrument, position, closed_trade, side, price_ticks, quantity_lots, fee_minor, ts_ns, sequence):
    """Book one fill: close what it closes, open what is left, move the cash. Returns a status.

    When it ends a round trip, ``closed_trade`` holds that trip afterwards; otherwise its quantity is 0.
    """
    before = position.quantity_lots
    closed = 0
    if before * side < 0:
        closed = min(quantity_lots, abs(before))
    money = notional_nb(instrument, price_ticks, quantity_lots)
    closed_money = notional_nb(instrument, price_ticks, closed)
    if money == OVERFLOW or abs(fee_minor) >= MONEY_MAX or abs(money) + abs(fee_minor) >= MONEY_MAX:
        return MONEY_OVERFLOW
    closed_fee = scale_nb(fee_minor, closed, 1, quantity_lots)
    cost_out = 0
    realised = 0
    if closed > 0:
        cost_out = scale_nb(position.cost_minor, closed, 1, abs(before))
        realised = -side * closed_money - cost_out
    cost_change = side * (money - closed_money) - cost_out
    position.cost_minor += cost_change
    position.quantity_lots = before + side * quantity_lots
    position.realised_minor += realised
    position.fees_minor += fee_minor
    account.cost_minor += cost_change
    account.realised_minor += realised
    account.fees_minor += fee_minor
    account.cash_minor -= side * money + fee_minor
    if not _amounts_fit_nb(account, position):
        return MONEY_OVERFLOW
    closed_trade.quantity_lots = 0
    if closed > 0:
        _close_trade_nb(position, closed_trade, closed_money, realised, closed_fee, ts_ns)
    if quantity_lots > closed:
        opened = quantity_lots - closed
        _open_trade_nb(position, side, opened, money - closed_money, fee_minor - closed_fee, ts_ns, sequence)
    return revalue_nb(account, instrument, position)


@inlined
def _amounts_fit_nb(account, position):
    """Whether one more amount can be added to any of these without wrapping."""
    return (
        abs(account.cash_minor) < MONEY_MAX
        and abs(account.cost_minor) < MONEY_MAX
        and abs(account.realised_minor) < MONEY_MAX
        and abs(account.fees_minor) < MONEY_MAX
        and abs(position.quantity_lots) < MONEY_MAX
        and abs(position.cost_minor) < MONEY_MAX
        and abs(position.realised_minor) < MONEY_MAX
        and abs(position.fees_minor) < MONEY_MAX
        and abs(position.trade_entry_minor) < MONEY_MAX
        and abs(position.trade_exit_minor) < MONEY_MAX
    )


@inlined
def _open_trade_nb(position, side, opened_lots, money, fee_minor, ts_ns, sequence):
    """Add an opening fill to the round trip under way, or begin one."""
    if position.trade_side == 0:
        position.trade_side = side
        position.trade_ts_entry_ns = ts_ns
        position.trade_entry_sequence = sequence
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
    if position.quantity_lots * position.trade_side > 0:
        return
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
    position.trade_ts_entry_ns = 0
    position.trade_entry_sequence = 0
    position.trade_side = 0
    position.trade_quantity_lots = 0
    position.trade_entry_minor = 0
    position.trade_exit_minor = 0
    position.trade_realised_minor = 0
    position.trade_fees_minor = 0
    position.trade_fill_count = 0
