"""Netted books: what the books of strategies that net come to together, where power is counted.

Owns one idea: at the venue the books of one account in one instrument are one position, so strategies whose portfolio
plan nets need margin for that position, not for each book. Instruments with margin terms of their own, cash accounts
and accounts with a long and a short book are left out: there each book stands for itself.
"""

from kernel.exact_nb import MONEY_MAX
from kernel.jit import inlined, jit
from kernel.ledger_nb import CASH, convert_nb, exposure_nb
from kernel.lifecycle import INTENDED
from kernel.lifecycle_nb import position_index_nb


@jit
def nets_nb(state, strategy, instrument, account):
    """Whether a strategy's book in an instrument is one of those that are one position of an account."""
    if state.portfolio_plans[strategy].net == 0 or state.instruments[instrument].has_margin != 0:
        return False
    holder = state.accounts[account]
    mine = state.positions[position_index_nb(state, strategy, instrument)].account == account
    return mine and holder.hedging == 0 and (holder.mode != CASH or state.instruments[instrument].margined != 0)


@inlined
def waits_nb(state, order, instrument, account):
    """Whether an order in an instrument waits for its verdict, to trade first with others of the account that do."""
    if order.status != INTENDED or order.instrument != instrument or order.group_role != 0:
        return False
    book = state.positions[position_index_nb(state, order.strategy, instrument)]
    return state.portfolio_plans[order.strategy].net == 1 and book.account == account


@jit
def waiting_lots_nb(state, instrument, account):
    """Lots to buy and lots to sell of the orders that wait."""
    bought = sold = 0
    for row in range(state.head.order_count):
        order = state.orders[row]
        if waits_nb(state, order, instrument, account):
            if order.side > 0:
                bought += order.quantity_lots
            else:
                sold += order.quantity_lots
    return bought, sold


@inlined
def leaving_lots_nb(state, ask, account):
    """The most that is left of an order that waits when all have traded with each other."""
    if state.portfolio_plans[ask.strategy].net == 0:
        return ask.quantity_lots
    bought, sold = waiting_lots_nb(state, ask.instrument, account)
    return min(ask.quantity_lots, max(ask.side * (bought - sold), 0))


@jit
def netted_sides_nb(state, instrument, account, side, extra_lots):
    """``(most, least)`` lots of the position that nets, if all open orders to buy filled, or all to sell.

    Orders that wait for their verdicts trade with each other first. ``extra_lots`` more count on a side.
    """
    held = bought = sold = 0
    for strategy in range(state.head.strategy_count):
        if nets_nb(state, strategy, instrument, account):
            position = state.positions[position_index_nb(state, strategy, instrument)]
            held += position.quantity_lots
            bought += position.pending_buy_lots
            sold += position.pending_sell_lots
    if side > 0:
        bought += extra_lots
    else:
        sold += extra_lots
    crossing = 0
    if bought > 0 and sold > 0:
        buying, selling = waiting_lots_nb(state, instrument, account)
        crossing = min(buying, selling)
    return held + bought - crossing, held - sold + crossing


@jit
def is_first_nb(state, strategy, instrument, account):
    """Whether no strategy before this one has a book of the same position that nets."""
    first = True
    for before in range(strategy):
        first = first and not nets_nb(state, before, instrument, account)
    return first


@inlined
def _is_first_purchase_nb(state, at, account):
    """Whether no purchase in its instrument that waits stands before this one."""
    for row in range(at):
        order = state.orders[row]
        if order.side > 0 and waits_nb(state, order, state.orders[at].instrument, account):
            return False
    return True


@jit
def crossing_minor_nb(state, account, balance):
    """What the sales of the orders that wait bring in for their purchases, at the last price, in a balance."""
    total = 0
    for row in range(state.head.order_count):
        order = state.orders[row]
        instrument, entry = order.instrument, state.instruments[order.instrument]
        book = state.positions[position_index_nb(state, order.strategy, instrument)]
        if order.side < 0 or book.balance != balance or not waits_nb(state, order, instrument, account):
            continue
        if not _is_first_purchase_nb(state, row, account):
            continue
        bought, sold = waiting_lots_nb(state, instrument, account)
        money = exposure_nb(entry, entry.last_ticks, min(bought, sold))
        if entry.denominator != 1:
            money -= state.head.strategy_count  # each strategy's fill is rounded by itself, at most a unit off
        if money > 0 and total + money < MONEY_MAX:
            total += money
    return total


@jit
def netted_value_nb(state, instrument, account):
    """``(value, sum of the absolute values, lots, a book)`` of the position that nets; the book is -1 without one."""
    value = gross = lots = 0
    book = -1
    for strategy in range(state.head.strategy_count):
        if nets_nb(state, strategy, instrument, account):
            book = position_index_nb(state, strategy, instrument)
            position = state.positions[book]
            value += position.value_minor
            gross += abs(position.value_minor)
            lots += position.quantity_lots
    return value, gross, lots, book


@jit
def netted_gross_minor_nb(state, account):
    """The gross value of an account in its currency, each position that nets counted once."""
    gross = state.accounts[account].gross_minor
    for instrument in range(state.head.instrument_count if state.head.strategy_count > 1 else 0):
        value, of_books, _, book = netted_value_nb(state, instrument, account)
        if of_books != abs(value):
            gross -= convert_nb(state.balances[state.positions[book].balance], of_books - abs(value))
    return gross
