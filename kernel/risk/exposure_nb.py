"""Checks of what would be held: positions, exposures, shares of equity, correlation, leverage.

Each takes a running total, less what its book counts there now, plus what it would count with the order. The order is
valued at the highest of last price, limit and stop. Money is in the currency of the first account; shares of what an
instrument or a sector holds are shares of the equity of all accounts, leverage is that of its own.
"""

from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import book_index_nb, equity_nb, in_first_currency_nb, total_nb
from kernel.risk import rules
from kernel.risk.numbers import (
    CORRELATED_SHARE,
    LEVERAGE,
    POSITIONS,
    SECTOR_EXPOSURE,
    SECTOR_SHARE,
    STRATEGY_EXPOSURE,
    SYMBOL_EXPOSURE,
    SYMBOL_POSITIONS,
    SYMBOL_SHARE,
    TOTAL_EXPOSURE,
)
from kernel.risk.order_checks_nb import over_nb
from kernel.risk.totals_nb import money_nb, rule_nb, worse_lots_nb
from kernel.units import RATE_SCALE


@jit
def _share_nb(ask, check, limit, money_minor, equity_minor):
    """Refuse money that is too large a share of equity; without equity any is."""
    if limit == 0:
        return 0
    return over_nb(
        ask, check, limit, scale_nb(money_minor, RATE_SCALE, 1, equity_minor) if equity_minor > 0 else OVERFLOW
    )


@inlined
def _correlated_nb(state, instrument, at_least):
    """Money of the symbols whose correlation with this one is at least that."""
    total = 0
    for at in range(state.risk.correlation_count):
        entry = state.correlations[at]
        if entry.rate < at_least:
            continue
        if entry.first == instrument:
            total += state.risk_symbols[entry.second].exposure_minor
        elif entry.second == instrument:
            total += state.risk_symbols[entry.first].exposure_minor
    return total


@inlined
def _counts_nb(state, ask, book):
    """How many positions there are, if this order opens one."""
    extra = int(state.exposures[book].lots == 0)
    account, symbol = state.risk_accounts[state.positions[book].account], state.risk_symbols[ask.instrument]
    check = over_nb(ask, POSITIONS, rule_nb(state, rules.POSITIONS), account.position_count + extra)
    if check == 0:
        limit = rule_nb(state, rules.SYMBOL_POSITIONS)
        check = over_nb(ask, SYMBOL_POSITIONS, limit, symbol.position_count + extra)
    return check


@inlined
def _worse_with_nb(position, side, extra_lots):
    """Lots of the worse side with so many more on the side of the order (or fewer)."""
    return worse_lots_nb(position, extra_lots if side > 0 else 0, extra_lots if side < 0 else 0)


@jit
def exposure_checks_nb(state, ask, price_ticks):
    """All of them in their order; 0 when none refuses, or when the order does not make its book's worse side worse."""
    book = book_index_nb(state, ask.strategy, ask.instrument, ask.leg)
    number = state.positions[book].account
    symbol, account = state.risk_symbols[ask.instrument], state.risk_accounts[number]
    lots = _worse_with_nb(state.positions[book], ask.side, ask.extra_lots)
    without = _worse_with_nb(state.positions[book], ask.side, ask.extra_lots - ask.quantity_lots)
    if lots <= without:
        return 0
    more = money_nb(state, book, ask.instrument, price_ticks, lots) - state.exposures[book].money_minor
    check = _counts_nb(state, ask, book) if without == 0 else 0
    if check == 0:
        check = over_nb(ask, SYMBOL_EXPOSURE, rule_nb(state, rules.SYMBOL_EXPOSURE), symbol.exposure_minor + more)
    in_sector = state.risk_sectors[symbol.sector].exposure_minor + more
    if check == 0 and symbol.sector > 0:
        check = over_nb(ask, SECTOR_EXPOSURE, rule_nb(state, rules.SECTOR_EXPOSURE), in_sector)
    if check == 0:
        of_strategy = state.risk_strategies[ask.strategy].exposure_minor + more
        check = over_nb(ask, STRATEGY_EXPOSURE, rule_nb(state, rules.STRATEGY_EXPOSURE), of_strategy)
    if check == 0:
        check = over_nb(ask, TOTAL_EXPOSURE, rule_nb(state, rules.TOTAL_EXPOSURE), account.exposure_minor + more)
    if check != 0:
        return check
    equity, _, _ = total_nb(state)
    in_symbol = symbol.exposure_minor + more
    check = _share_nb(ask, SYMBOL_SHARE, rule_nb(state, rules.SYMBOL_SHARE), in_symbol, equity)
    if check == 0 and symbol.sector > 0:
        check = _share_nb(ask, SECTOR_SHARE, rule_nb(state, rules.SECTOR_SHARE), in_sector, equity)
    limit = rule_nb(state, rules.CORRELATED_SHARE)
    if check == 0 and limit > 0:
        alike = _correlated_nb(state, ask.instrument, rule_nb(state, rules.CORRELATION_AT_LEAST))
        check = _share_nb(ask, CORRELATED_SHARE, limit, in_symbol + alike, equity)
    if check == 0:
        equity = in_first_currency_nb(state, state.accounts[number], equity_nb(state.accounts[number]))
        check = _share_nb(ask, LEVERAGE, rule_nb(state, rules.LEVERAGE), account.exposure_minor + more, equity)
    return check
