"""Exposure as running totals: by book, symbol, sector, strategy and account, kept by ``apply``.

The exposure of a book is the money of its worse side at the last price: what it would hold if all open orders of that
side filled. So an order that is on its way counts already, and a check only adds what it asks about. All figures are in
the currency of the first account, at the recorded rates, so that those of several accounts and currencies add up; a
change of a rate brings them up to date. An exposure that does not fit counts as ``EXPOSURE_MAX``, so that all sums of
books do fit; limits are below that.
"""

from kernel.exact_nb import OVERFLOW
from kernel.jit import inlined, jit
from kernel.ledger_nb import book_index_nb, convert_nb, exposure_nb, in_first_currency_nb, is_shadow_nb
from kernel.tables.risk import EXPOSURE_MAX


@jit
def rule_nb(state, number):
    """The value of a rule, 0 when it is off. A call of its own, as access to a nested table is slow to compile."""
    return state.rules[number].value


@jit
def in_first_nb(state, book, money):
    """Money in the currency of a book's instrument in that of the first account; OVERFLOW when it cannot be told."""
    balance = state.balances[state.positions[book].balance]
    if money == OVERFLOW or balance.currency == state.accounts[0].currency:
        return money
    money = convert_nb(balance, money)
    return money if money == OVERFLOW else in_first_currency_nb(state, state.accounts[balance.account], money)


@jit
def money_nb(state, book, instrument, price_ticks, lots):
    """Money of lots of a book at a price, unsigned, in the currency of the first account; at most EXPOSURE_MAX."""
    if lots == 0:
        return 0
    money = in_first_nb(state, book, exposure_nb(state.instruments[instrument], price_ticks, lots))
    return EXPOSURE_MAX if money == OVERFLOW else min(abs(money), EXPOSURE_MAX)


@inlined
def worse_lots_nb(position, extra_buy_lots, extra_sell_lots):
    """Lots of the worse side of a book, if all open orders of that side filled, and these on top."""
    bought = abs(position.quantity_lots + position.pending_buy_lots + extra_buy_lots)
    sold = abs(position.quantity_lots - position.pending_sell_lots - extra_sell_lots)
    return max(bought, sold)


@jit
def refresh_book_nb(state, strategy, instrument, leg):
    """Bring the totals up to date with one book."""
    if state.head.shadow_count > 0 and is_shadow_nb(state, strategy, instrument):
        return
    at = book_index_nb(state, strategy, instrument, leg)
    exposure, position = state.exposures[at], state.positions[at]
    lots = worse_lots_nb(position, 0, 0)
    if lots == 0 and exposure.lots == 0:
        return
    last = state.instruments[instrument].last_ticks
    if lots == abs(position.quantity_lots) and last > 0:  # nothing is on its way: it was just valued at that price
        money = in_first_nb(state, at, abs(position.value_minor))
        money = EXPOSURE_MAX if money == OVERFLOW else min(abs(money), EXPOSURE_MAX)
    else:
        money = money_nb(state, at, instrument, last, lots)
    count = int(lots > 0) - int(exposure.lots > 0)
    change = money - exposure.money_minor
    symbol, account = state.risk_symbols[instrument], state.risk_accounts[position.account]
    symbol.exposure_minor += change
    symbol.position_count += count
    state.risk_sectors[symbol.sector].exposure_minor += change
    state.risk_strategies[strategy].exposure_minor += change
    state.risk_strategies[strategy].position_count += count
    account.exposure_minor += change
    account.position_count += count
    exposure.lots = lots
    exposure.money_minor = money


@jit
def refresh_both_nb(state, strategy, instrument):
    """The same for both books of a hedging account."""
    refresh_book_nb(state, strategy, instrument, 1)
    if state.head.hedging_count > 0:
        refresh_book_nb(state, strategy, instrument, -1)


@jit
def refresh_symbol_nb(state, instrument):
    """Bring the totals up to date with a new price, or with a change of all books in an instrument."""
    for strategy in range(state.head.strategy_count):
        refresh_both_nb(state, strategy, instrument)


@jit
def refresh_all_nb(state):
    """The same for all instruments in which anything is held or on its way: a rate has changed."""
    for instrument in range(state.head.instrument_count):
        if state.risk_symbols[instrument].position_count != 0:
            refresh_symbol_nb(state, instrument)


@jit
def assign_sector_nb(state, instrument, sector):
    """Move an instrument's exposure to a sector."""
    symbol = state.risk_symbols[instrument]
    state.risk_sectors[symbol.sector].exposure_minor -= symbol.exposure_minor
    symbol.sector = sector
    state.risk_sectors[sector].exposure_minor += symbol.exposure_minor
