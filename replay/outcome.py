"""What a run comes to, as a hash: the same for every way of storing and splitting the same history.

Owns the definition of the result hash. It covers what happened to the money and nothing about how that was recorded:
every fill, then the books, the account and the equity of each day. Sequences, frames and journal mode are not in it.
"""

import hashlib
from typing import Any

import numpy as np

from kernel.tables.ledger import LEDGER_ACCOUNTS
from kernel.tables.table import MAX_POSITIONS


class ResultHash:
    """SHA-256 over the outcome of a run, fed as the run goes on."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256(b"trading-kernel result 1\0")

    def add_fills(self, fills: np.ndarray) -> None:
        """Take in fills in order (int64, one row each, as ``pick_nb`` writes them)."""
        self._digest.update(np.ascontiguousarray(fills, "<i8").data)

    def finish(self, state: Any, days: np.ndarray) -> str:
        """The hash in hex, after the last record: books, account, and the equity of each day (dtype SAMPLE)."""
        books = state.head.instrument_count * state.head.strategy_count
        digest = self._digest.copy()
        for field in ("quantity_lots", "cost_minor", "value_minor", "realised_minor", "fees_minor"):
            digest.update(np.ascontiguousarray(state.positions[field][:books]).data)
        first = state.balances[0]
        totals = (first.cash_minor, first.deposits_minor, first.realised_minor, first.fees_minor)
        digest.update(np.array(totals, "<i8").data)
        self._add_ledger(digest, state)
        digest.update(np.ascontiguousarray(days["ts_ns"]).data)
        digest.update(np.ascontiguousarray(days["equity_minor"]).data)
        return digest.hexdigest()

    @staticmethod
    def _add_ledger(digest: Any, state: Any) -> None:
        """What a run with one account, one currency and no income beside fills does not have."""
        short = state.positions[MAX_POSITIONS:]
        ledger = [state.balances[f"{name}_minor"][: state.head.balance_count] for name in LEDGER_ACCOUNTS]
        plain = ("cash", "cost", "deposits", "realised", "fees")
        more = [amounts for name, amounts in zip(LEDGER_ACCOUNTS, ledger, strict=True) if name not in plain]
        if state.head.balance_count > 1 or any(amounts.any() for amounts in more) or short["fees_minor"].any():
            for amounts in ledger:
                digest.update(np.ascontiguousarray(amounts))
