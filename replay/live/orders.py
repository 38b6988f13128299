"""The open orders of the state, and inputs about them.

Owns finding an order by its id, and whose it is: every input about an order names its instrument, its strategy, its
account, and the order as its cause.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kernel.events.catalogue import Event
from kernel.lifecycle import PENDING_CANCEL, PENDING_REPLACE, SUBMITTED
from kernel.tables.orders import ORDER
from kernel.tables.table import word_of
from replay.live.core import Input


class OpenOrder(NamedTuple):
    """An order as the state held it when it was looked up: the fields of ``kernel.tables.orders.ORDER``."""

    order_id: int
    status: int
    accepted: int
    before_request: int
    cancel_linked: int
    replaces_pending: int
    asked_lots: int
    strategy: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    quantity_lots: int
    filled_lots: int
    limit_ticks: int
    stop_ticks: int
    tag: int
    instructions: int
    purpose: int
    leg: int
    ts_intended_ns: int
    cause: int
    trail_kind: int
    trail_value: int
    limit_offset_ticks: int
    display_lots: int
    expire_ns: int
    group_id: int
    group_role: int
    parent_id: int
    group_lots: int
    group_refused: int
    key: int
    arrival_ticks: int

    @property
    def left_lots(self) -> int:
        """What is not filled."""
        return self.quantity_lots - self.filled_lots


_FIELDS = len(OpenOrder._fields)
assert OpenOrder._fields == ORDER.names
assert OpenOrder._fields[0] == "order_id"


class OpenOrders:
    """Looks into the state each time it is asked."""

    def __init__(self, state: Any) -> None:
        # Kept: to reach a part of the state by its name costs microseconds each time.
        rows, positions = state["orders"], state["positions"]
        self._count = word_of(state["head"], "order_count")
        self._words = np.asarray(rows).view(np.int64).data
        self._instruments = int(state.head.instrument_count)
        self._accounts: memoryview[int] = positions["account"].data
        self._last_ticks: memoryview[int] = state["instruments"]["last_ticks"].data

    def __iter__(self) -> Iterator[OpenOrder]:
        """All of them, oldest first."""
        return map(self._row, range(self._count[0]))

    def find(self, order_id: int) -> OpenOrder | None:
        """An order, or None when it is not open."""
        for row in range(self._count[0] - 1, -1, -1):  # mostly the one that was opened last
            if self._words[row * _FIELDS] == order_id:
                return self._row(row)
        return None

    def newest(self) -> OpenOrder:
        """The order that was opened last; there must be one."""
        return self._row(self._count[0] - 1)

    def _row(self, row: int) -> OpenOrder:
        return OpenOrder._make(self._words[row * _FIELDS : (row + 1) * _FIELDS])

    def last_ticks(self, instrument: int) -> int:
        """The last price of an instrument."""
        return self._last_ticks[instrument]

    def account_of(self, strategy: int, instrument: int) -> int:
        """The account of a strategy's book in an instrument."""
        return self._accounts[strategy * self._instruments + instrument]

    def about(self, order: OpenOrder, event: Event, ts_event_ns: int = 0, body: bytes = b"") -> Input:
        """An input about an order, which is its cause."""
        account = self.account_of(order.strategy, order.instrument)
        return Input(event, order.instrument, order.strategy, account, order.order_id, ts_event_ns, body)

    def in_doubt(self) -> list[int]:
        """Those of which the venue has not said anything, and those whose cancel or replace it has not answered."""
        waiting = (SUBMITTED, PENDING_CANCEL, PENDING_REPLACE)
        return [order.order_id for order in self if order.status in waiting]
