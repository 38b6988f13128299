"""Sending requests to the venue, one after another for each order, and finding out what became of them.

Owns the three outcomes. Accepted and rejected are said at once. What is ambiguous is looked up at the venue by its
client order id until the venue says what it is; an order is never sent again, except when the venue surely did nothing.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from kernel.events.body import encode_body
from kernel.events.catalogue import OrderInDoubt, OrderRejected, RequestRejected
from kernel.lifecycle import (
    FOK,
    IOC,
    MARKET,
    PENDING_CANCEL,
    REJECT_BY_VENUE,
    REJECT_NEVER_SEEN,
    REJECT_NOT_SENT,
    REQUEST_CANCEL,
    REQUEST_REPLACE,
)
from kernel.venue import (
    CancelOrder,
    NewOrder,
    OrderStatus,
    Outcome,
    OutcomeStatus,
    ReplaceOrder,
    VenueAdapter,
    VenueError,
)
from replay.live.core import Input
from replay.live.identities import Identities
from replay.live.mirror import Mirror
from replay.live.orders import OpenOrder, OpenOrders
from replay.live.outbox import Outgoing, Request, cancel_order

MOST_AT_ONCE = 16
MOST_TRIES = 5  # of a request that surely did nothing
LOOK_DELAYS_S = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0)
NEVER_SEEN_AFTER_S = 4.0  # how old an order must be, and how often the venue must have said that it has none
NEVER_SEEN_TIMES = 3
SETTLED_AFTER_S = 2.0  # when what was accepted is looked up, if the stream has not said it
FILLS_BEFORE_NS = 120_000_000_000


class Sender:
    """``say`` records inputs; ``forbidden`` says why no new order may leave, or nothing."""

    def __init__(
        self,
        adapter: VenueAdapter,
        orders: OpenOrders,
        mirror: Mirror,
        identities: Identities,
        say: Callable[[list[Input]], Any],
        forbidden: Callable[[], str],
    ) -> None:
        self._adapter, self._orders, self._mirror, self._identities = adapter, orders, mirror, identities
        self._say, self._forbidden = say, forbidden
        self._queues: dict[int, deque[Request]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._looked_after: set[int] = set()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._jitter = random.Random()
        self.on_sent: Callable[[int], None] = lambda order_id: None
        self.failure: BaseException | None = None
        self.has_begun = False  # a request since this was last set so

    @property
    def busy(self) -> int:
        """Orders with a request that has no outcome yet."""
        return len(self._queues)

    def push(self, outgoing: Outgoing) -> None:
        """Send a request when those before it, for the same order, have their outcomes."""
        waiting = self._queues.get(outgoing.order_id)
        if waiting is not None:
            waiting.append(outgoing.request)
            return
        self.has_begun = True
        self._queues[outgoing.order_id] = deque([outgoing.request])
        self.start(self._work(outgoing.order_id))

    def start(self, work: Any) -> None:
        """Run something beside; what it raises ends the session."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and self.failure is None:
            self.failure = task.exception()

    async def stop(self) -> None:
        """Let go of everything that is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def look_later(self, order_id: int, delay_s: float = SETTLED_AFTER_S) -> None:
        """Look an order up after a while, if it is still in doubt or asked for then."""
        if order_id not in self._looked_after:
            self._looked_after.add(order_id)
            self.start(self._look_later(order_id, delay_s))

    async def _work(self, order_id: int) -> None:
        queue = self._queues[order_id]
        try:
            while queue:
                async with self._room:
                    await self._one(order_id, queue.popleft())
        finally:
            del self._queues[order_id]

    async def _one(self, order_id: int, request: Request) -> None:
        if isinstance(request, NewOrder):
            await self._submit(order_id, request)
        elif isinstance(request, CancelOrder):
            await self._cancel(order_id)
        else:
            await self._replace(order_id, request)

    # --- orders -------------------------------------------------------------------------------------------------

    async def _submit(self, order_id: int, request: NewOrder) -> None:
        for number in range(MOST_TRIES):
            order = self._orders.find(order_id)
            if order is None or order.accepted == 1:
                return
            why = self._forbidden()
            if why:
                self._reject(order_id, REJECT_NOT_SENT, why)
                return
            self.on_sent(order_id)
            outcome = await self._adapter.submit(request)
            if outcome.status is not OutcomeStatus.REJECTED or not outcome.retry_after_ns:
                break
            if number + 1 < MOST_TRIES:
                await self._pause(outcome)
        if outcome.status is OutcomeStatus.ACCEPTED:
            self._mirror.accept(order_id, outcome.venue_order_id)
            ends_at_once = request.order_type == MARKET or request.time_in_force in (IOC, FOK)
            if ends_at_once:
                self.look_later(order_id)
        elif outcome.status is OutcomeStatus.REJECTED:
            self._reject(order_id, outcome.reason or REJECT_BY_VENUE, outcome.text)
        else:
            self._doubt(order_id, 0, outcome.text)
            await self.resolve(order_id)

    def _reject(self, order_id: int, reason: int, text: str) -> None:
        """The venue does not have the order. When it has been seen there meanwhile, that stands."""
        order = self._orders.find(order_id)
        if order is None or order.accepted == 1 or order.filled_lots > 0:
            return
        self._say([self._of(order, OrderRejected(order_id, reason), text)])

    def _doubt(self, order_id: int, request: int, text: str) -> None:
        order = self._orders.find(order_id)
        if order is not None:
            self._say([self._of(order, OrderInDoubt(order_id, request), text)])

    async def resolve(self, order_id: int) -> None:
        """Look an order up until the venue has said what it is, or for long enough that it does not have it."""
        unseen = number = 0
        while True:
            await asyncio.sleep(LOOK_DELAYS_S[min(number, len(LOOK_DELAYS_S) - 1)] * self._jitter.uniform(0.8, 1.2))
            number += 1
            order = self._orders.find(order_id)
            if order is None or order.accepted == 1:
                return
            try:
                if await self.look(order_id):
                    return
            except VenueError:
                continue
            unseen += 1
            age_s = (time.time_ns() - order.ts_intended_ns) / 1e9
            if unseen >= NEVER_SEEN_TIMES and age_s >= NEVER_SEEN_AFTER_S:
                self._reject(order_id, REJECT_NEVER_SEEN, "")
                return

    async def look(self, order_id: int) -> bool:
        """Take in the venue's picture of an order, and its fills where some are missing. Raises VenueError."""
        order = self._orders.find(order_id)
        if order is None or not self._identities.client_order_id(order_id):
            return True  # one that was adopted is heard of by the stream and the list of open orders
        instrument, since_ns = order.instrument, order.ts_intended_ns - FILLS_BEFORE_NS
        picture = await self._adapter.fetch_order(self._identities.client_order_id(order_id), instrument)
        if picture is None:
            return False
        self._mirror.take([picture], b"", 0)
        left = self._orders.find(order_id)
        if left is not None and picture.filled_lots > left.filled_lots:
            self._mirror.take(await self._adapter.fetch_fills(since_ns), b"", 0)
        return True

    async def _look_later(self, order_id: int, delay_s: float) -> None:
        try:
            await self._look_on(order_id, delay_s)
        finally:
            self._looked_after.discard(order_id)

    async def _look_on(self, order_id: int, delay_s: float) -> None:
        seen = 0
        for number in range(len(LOOK_DELAYS_S)):
            await asyncio.sleep(delay_s + LOOK_DELAYS_S[number])
            if self._orders.find(order_id) is None:
                return
            try:
                seen += int(await self.look(order_id))
            except VenueError:
                continue
        # The venue took the request, and shows the order as it was, again and again: nothing came of it.
        order = self._orders.find(order_id)
        if order is not None and seen > 1 and order_id not in self._queues:
            gone = Outcome(status=OutcomeStatus.REJECTED, text="the venue took the request and nothing came of it")
            self._refuse(order_id, REQUEST_REPLACE, gone)
            self._refuse(order_id, REQUEST_CANCEL, gone)

    # --- requests about orders ----------------------------------------------------------------------------------

    async def _cancel(self, order_id: int) -> None:
        for number in range(MOST_TRIES):
            order = self._orders.find(order_id)
            if order is None or order.status != PENDING_CANCEL:
                return
            outcome = await self._adapter.cancel(cancel_order(order, self._identities))
            if outcome.status is OutcomeStatus.ACCEPTED:
                self.look_later(order_id)
                return
            if outcome.retry_after_ns:
                await self._pause(outcome)
            elif await self._settled(order_id, number, REQUEST_CANCEL):
                return
            elif outcome.status is OutcomeStatus.REJECTED:
                break
        self._refuse(order_id, REQUEST_CANCEL, outcome)

    async def _replace(self, order_id: int, request: ReplaceOrder) -> None:
        for number in range(MOST_TRIES):
            order = self._orders.find(order_id)
            if order is None or order.replaces_pending == 0:
                return
            outcome = await self._adapter.replace(request)
            if outcome.status is OutcomeStatus.ACCEPTED:
                if not await self._settled(order_id, number, REQUEST_REPLACE):
                    self.look_later(order_id)
                return
            if not outcome.retry_after_ns:
                break
            await self._pause(outcome)
        if outcome.status is OutcomeStatus.AMBIGUOUS:
            self._doubt(order_id, REQUEST_REPLACE, outcome.text)
        for number in range(len(LOOK_DELAYS_S)):
            if await self._settled(order_id, number, REQUEST_REPLACE):
                return
            if outcome.status is OutcomeStatus.REJECTED:
                break
        self._refuse(order_id, REQUEST_REPLACE, outcome)

    async def _settled(self, order_id: int, number: int, which: int) -> bool:
        """Whether, once it was looked up, the order is no longer waiting for the answer."""
        await asyncio.sleep(LOOK_DELAYS_S[min(number, len(LOOK_DELAYS_S) - 1)])
        try:
            await self.look(order_id)
        except VenueError:
            return False
        order = self._orders.find(order_id)
        return order is None or not _waits(order, which)

    def _refuse(self, order_id: int, which: int, outcome: Outcome) -> None:
        order = self._orders.find(order_id)
        if order is not None and _waits(order, which):
            refused = RequestRejected(order_id, which, outcome.reason or REJECT_BY_VENUE)
            self._say([self._of(order, refused, outcome.text)])

    async def cancel_orphan(self, client_order_id: str, venue_order_id: str, instrument: int) -> bool:
        """Cancel an order at the venue that is over for the kernel. Returns whether it is open there no more."""
        picture = await self._adapter.fetch_order(client_order_id, instrument)
        if picture is not None and picture.status is OrderStatus.OPEN:
            request = CancelOrder(client_order_id=client_order_id, instrument=instrument, venue_order_id=venue_order_id)
            return (await self._adapter.cancel(request)).status is OutcomeStatus.ACCEPTED
        return True

    async def _pause(self, outcome: Outcome) -> None:
        await asyncio.sleep(outcome.retry_after_ns / 1e9 * self._jitter.uniform(1.0, 1.5))

    def _of(self, order: OpenOrder, event: Any, text: str) -> Input:
        return self._orders.about(order, event, body=encode_body(text) if text else b"")


def _waits(order: OpenOrder, which: int) -> bool:
    """Whether the order waits for the answer to such a request. A replace may wait under a cancel that came later."""
    return order.replaces_pending > 0 if which == REQUEST_REPLACE else order.status == PENDING_CANCEL
