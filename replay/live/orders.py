"""The open orders of the state, and inputs about them.

Owns finding an order by its id, and whose it is: every input about an order names its instrument, its strategy, its
account, and the order as its cause.
"""

from typing import Any

import numpy as np

from kernel.events.catalogue import Event
from kernel.lifecycle import PENDING_CANCEL, PENDING_REPLACE, SUBMITTED
from replay.live.core import Input


class OpenOrders:
    """A view: what the kernel decides shows at once."""

    def __init__(self, state: Any) -> None:
        # Kept: to reach a part of the state by its name costs microseconds each time.
        self._head, self._all, self._positions = state["head"], state["orders"], state["positions"]
        self._ids, self._last_ticks = self._all["order_id"], state["instruments"]["last_ticks"]

    @property
    def rows(self) -> np.ndarray:
        """All of them, oldest first (dtype ORDER)."""
        return self._all[: int(self._head["order_count"])]

    def find(self, order_id: int) -> Any | None:
        """The row of an order, or None when it is not open."""
        found = (self._ids[: int(self._head["order_count"])] == order_id).nonzero()[0]
        return self._all[int(found[0])] if len(found) else None

    def last_ticks(self, instrument: int) -> int:
        """The last price of an instrument."""
        return int(self._last_ticks[instrument])

    def account_of(self, strategy: int, instrument: int) -> int:
        """The account of a strategy's book in an instrument."""
        return int(self._positions[strategy * int(self._head["instrument_count"]) + instrument]["account"])

    def about(self, order: Any, event: Event, ts_event_ns: int = 0, body: bytes = b"") -> Input:
        """An input about an order, which is its cause."""
        strategy, instrument = int(order["strategy"]), int(order["instrument"])
        account = self.account_of(strategy, instrument)
        return Input(event, instrument, strategy, account, int(order["order_id"]), ts_event_ns, body)

    def in_doubt(self) -> list[int]:
        """Those of which the venue has not said anything, and those whose cancel or replace it has not answered."""
        rows = self.rows
        status = rows["status"]
        waiting = (status == SUBMITTED) | (status == PENDING_CANCEL) | (status == PENDING_REPLACE)
        return [int(order_id) for order_id in rows["order_id"][waiting]]
