"""Replacements as Alpaca makes them: a new order, in force at once or after a while, or never.

While it waits the old order is ``pending_replace`` and the new one ``accepted``. When the old one is over by then, the
new one is rejected.
"""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.venues.alpaca_words import Record
from tests.venues.shapes import RefusedError

if TYPE_CHECKING:
    from tests.venues.alpaca_server import Alpaca


class Replacements:
    """What is on its way."""

    def __init__(self, venue: "Alpaca", wait_s: float) -> None:
        self.venue = venue
        self.wait_s = wait_s
        self.in_force: tuple[Record, Record, dict[str, Any]] | None = None
        self.waiting: set[asyncio.Task[None]] = set()

    def ask(self, old: Record, client_order_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Replace an order; returns the picture of the new one. Raises RefusedError."""
        new = self.venue.records.begin(client_order_id, is_next=False)
        if not self.wait_s:
            try:
                self.put_in_force(old, new, body)
            except RefusedError:
                self.venue.records.undo(new)
                raise
            return new.picture()
        new.order, new.replaces = old.order, old.record_id
        terms = {name: body[name] for name in ("qty", "limit_price", "stop_price") if name in body}
        old.meanwhile = {"status": "pending_replace"}
        new.meanwhile = terms | {"status": "accepted"}
        shown = new.picture()
        self.venue.streams.update("pending_replace", old.picture())
        self.venue.streams.update("pending_new", shown | {"status": "pending_new"})
        task = asyncio.create_task(self.later(old, new, body, shown))
        self.waiting.add(task)
        task.add_done_callback(self.waiting.discard)
        return shown

    async def later(self, old: Record, new: Record, body: dict[str, Any], shown: dict[str, Any]) -> None:
        """It reaches the exchange."""
        await asyncio.sleep(self.wait_s)
        old.meanwhile, new.meanwhile = {}, {}
        try:
            self.put_in_force(old, new, body)
        except RefusedError:
            new.frozen = shown | {"status": "rejected"}
            self.venue.streams.update("order_replace_rejected", old.picture())
            self.venue.streams.update("rejected", new.picture())

    def put_in_force(self, old: Record, new: Record, body: dict[str, Any]) -> None:
        """Change the order at the exchange. The first that is heard of it says that it is replaced."""
        assert old.order is not None
        numbers = {name: Decimal(body[name]) for name in ("qty", "limit_price", "stop_price") if name in body}
        self.in_force = (old, new, old.picture())
        try:
            self.venue.exchange.amend(
                old.order.order_id,
                self.venue.now_ns(),
                quantity=numbers.get("qty"),
                limit=numbers.get("limit_price"),
                trigger=numbers.get("stop_price"),
            )
        finally:
            self.in_force = None
