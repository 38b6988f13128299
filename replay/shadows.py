"""What the strategies in shadow came to, for the summary: each shadow account at the end of a run."""

from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.ledger_nb import equity_nb
from kernel.tables.ledger import LEDGER_ACCOUNTS


class Shadow(msgspec.Struct, frozen=True):
    """One shadow account: its strategies, round trips that are over, and money in minor units of its currency."""

    account: str
    strategies: tuple[str, ...]
    trades: int
    deposited_minor: int
    equity_minor: int
    realised_minor: int
    fees_minor: int


def list_shadows(
    state: Any, accounts: Sequence[str], strategies: Sequence[str], trades: Sequence[int]
) -> tuple[Shadow, ...]:
    """The shadow accounts in their order. ``trades`` counts the round trips of each account."""
    found = []
    for number in range(int(state.head.account_count)):
        if state.accounts[number].shadow == 0:
            continue
        totals = dict.fromkeys(LEDGER_ACCOUNTS, 0)
        for balance in state.balances[: state.head.balance_count]:
            if balance.account == number and balance.currency == state.accounts[number].currency:
                totals |= {name: int(balance[f"{name}_minor"]) for name in LEDGER_ACCOUNTS}
        whose = dict.fromkeys(
            strategies[at // int(state.head.instrument_count)]
            for at in range(int(state.head.instrument_count) * int(state.head.strategy_count))
            if state.positions[at].account == number
        )
        found.append(
            Shadow(
                accounts[number],
                tuple(whose),
                trades[number],
                totals["deposits"],
                int(equity_nb(state.accounts[number])),
                totals["realised"],
                totals["fees"],
            )
        )
    return tuple(found)
