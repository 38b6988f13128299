"""What an adapter remembers of orders, to spare questions: bounded, and never the truth. What is forgotten is asked.

Owns which of Alpaca's orders stands for a client order id just now, whose order a fill is of, and which number the next
replacement gets.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from decimal import Decimal
from typing import Generic, TypeVar

from adapters.alpaca.identity import base_id, generation
from adapters.alpaca.parse import REPLACED
from adapters.alpaca.wire import WireActivity, WireOrder, WireUpdate

REMEMBERED = 20_000
UNSETTLED = ("pending_new", "accepted")
OVER = ("filled", "canceled", "expired", "rejected", REPLACED)
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Bounded(OrderedDict[Key, Value], Generic[Key, Value]):
    """A dictionary that forgets what was set longest ago."""

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > REMEMBERED:
            self.popitem(last=False)


class OrderMemory:
    """Orders as they were last shown."""

    def __init__(self) -> None:
        self.client_ids: Bounded[str, str] = Bounded()  # by Alpaca's id
        self._heads: Bounded[str, WireOrder] = Bounded()  # by the driver's id
        self._attempts: Bounded[str, int] = Bounded()
        self._statuses: Bounded[str, str] = Bounded()  # by Alpaca's id
        self._settling: dict[str, asyncio.Event] = {}
        self._ended: Bounded[str, bool] = Bounded()
        self._executions: Bounded[tuple[str, Decimal], set[str]] = Bounded()

    def note(self, order: WireOrder) -> None:
        """Take in a picture. A replacement stands for the order once it is more than asked for."""
        base, number = base_id(order.client_order_id), generation(order.client_order_id)
        self.client_ids[order.id] = order.client_order_id
        if order.status not in UNSETTLED or order.id not in self._statuses:
            self._statuses[order.id] = order.status
            if order.status not in UNSETTLED and order.id in self._settling:
                self._settling[order.id].set()
        self._attempts[base] = max(number, self._attempts.get(base, 0))
        head = self._heads.get(base)
        if order.status in OVER:
            self._ended[order.id] = True
            if head is not None and head.id == order.id:
                del self._heads[base]
        elif not (number and order.status in UNSETTLED) and (
            head is None or number >= generation(head.client_order_id)
        ):
            self._heads[base] = order

    def head(self, client_order_id: str) -> WireOrder | None:
        """The open order that stands for a client order id, as far as is remembered."""
        return self._heads.get(base_id(client_order_id))

    async def settled(self, order_id: str, seconds: float) -> str:
        """The status of an order once it is more than asked for; empty when that is not heard in time."""
        if self._statuses.get(order_id, UNSETTLED[0]) in UNSETTLED:
            event = self._settling.setdefault(order_id, asyncio.Event())
            try:
                async with asyncio.timeout(seconds):
                    await event.wait()
            except TimeoutError:
                return ""
            finally:
                self._settling.pop(order_id, None)
        return self._statuses[order_id]

    def is_old(self, order: WireOrder) -> bool:
        """Whether a picture that shows an order open was overtaken by its end."""
        return order.id in self._ended and order.status not in OVER

    def forget_head(self, client_order_id: str) -> None:
        """What stands for it is not known any more."""
        self._heads.pop(base_id(client_order_id), None)

    def next_replacement(self, order: WireOrder) -> int:
        """A number that no replacement had yet, as far as is remembered."""
        base = base_id(order.client_order_id)
        self._attempts[base] = max(self._attempts.get(base, 0), generation(order.client_order_id)) + 1
        return self._attempts[base]

    def note_execution(self, update: WireUpdate) -> None:
        """A fill of the stream, by how much of its order had filled with it."""
        order = update.order
        if update.execution_id and order.filled_qty is not None and not generation(order.client_order_id):
            key = (order.id, order.filled_qty.normalize())
            self._executions[key] = self._executions.get(key, set()) | {update.execution_id}

    def contradicts(self, activity: WireActivity, trade_id: str) -> bool:
        """Whether the stream told of this very fill by another id.

        That the ids are the same in both is how fills are counted once; Alpaca does not promise it in writing.
        """
        if activity.cum_qty is None:
            return False
        told = self._executions.get((activity.order_id, activity.cum_qty.normalize()))
        return told is not None and trade_id not in told
