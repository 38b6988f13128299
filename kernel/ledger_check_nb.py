"""The invariants of the ledger, as one function: what ``kernel verify --deep`` checks after every event.

Owns nothing that decides: it reads a state and says what is wrong with it.
"""

from kernel.jit import jit
from kernel.ledger_nb import ledger_sum_nb
from kernel.tables.table import MAX_POSITIONS

SOUND, UNBALANCED, BOOKS_DIFFER, ACCOUNT_DIFFERS = range(4)
PROBLEM_TEXT = {
    UNBALANCED: "debits and credits of a balance differ",
    BOOKS_DIFFER: "a balance is not the sum of its books",
    ACCOUNT_DIFFERS: "an account is not the sum of its balances",
}


@jit
def _books_problem_nb(state, row):
    """Whether a balance is what its books come to."""
    balance = state.balances[row]
    books = state.head.instrument_count * state.head.strategy_count
    cost, realised, fees, income, value, gross = 0, 0, 0, 0, 0, 0
    initial, maintenance = 0, 0
    for at in range(2 * books):
        if at >= books and state.head.hedging_count == 0:
            break
        position = state.positions[at if at < books else at - books + MAX_POSITIONS]
        if position.balance != row:
            continue
        margined = state.instruments[(at % books) % state.head.instrument_count].margined
        cost += position.cost_minor if margined == 0 else 0
        value += position.value_minor if margined == 0 else position.value_minor - position.cost_minor
        gross += abs(position.value_minor)
        realised += position.realised_minor
        fees += position.fees_minor
        income += position.income_minor
        initial += position.initial_minor
        maintenance += position.maintenance_minor
    paid = balance.dividends_minor - balance.funding_minor - balance.borrow_minor
    return (
        cost != balance.cost_minor
        or realised != balance.realised_minor
        or fees != balance.fees_minor
        or income != paid
        or value != balance.value_minor
        or gross != balance.gross_minor
        or initial != balance.initial_minor
        or maintenance != balance.maintenance_minor
    )


@jit
def ledger_problem_nb(state):
    """SOUND, or the first invariant that does not hold."""
    for row in range(state.head.balance_count):
        if ledger_sum_nb(state.balances[row]) != 0:
            return UNBALANCED
        if _books_problem_nb(state, row):
            return BOOKS_DIFFER
    for number in range(state.head.account_count):
        cash, value, gross = 0, 0, 0
        for row in range(state.head.balance_count):
            balance = state.balances[row]
            if balance.account == number:
                cash += balance.base_cash_minor
                value += balance.base_value_minor
                gross += balance.base_gross_minor
        account = state.accounts[number]
        if cash != account.cash_minor or value != account.value_minor or gross != account.gross_minor:
            return ACCOUNT_DIFFERS
    return SOUND
