"""Accounts at the end of a run, for reports.

Owns the totals of the ledger in the currency of the first account. Statistics only: nothing that decides reads them.
"""

from typing import Any

from kernel.exact_nb import OVERFLOW
from kernel.ledger_nb import convert_nb, in_first_currency_nb
from kernel.tables.ledger import LEDGER_ACCOUNTS


def ledger_totals(state: Any) -> dict[str, int]:
    """Each ledger account over all balances but those in shadow, converted at the last rates.

    What no rate converts is left out.
    """
    totals = dict.fromkeys(LEDGER_ACCOUNTS, 0)
    for balance in state.balances[: state.head.balance_count]:
        if state.accounts[balance.account].shadow:
            continue
        for name in LEDGER_ACCOUNTS:
            amount = convert_nb(balance, balance[f"{name}_minor"])
            if amount != OVERFLOW:
                amount = in_first_currency_nb(state, state.accounts[balance.account], amount)
            totals[name] += int(amount) if amount != OVERFLOW else 0
    return totals
