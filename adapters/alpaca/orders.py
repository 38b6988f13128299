"""Submitting, cancelling and replacing at Alpaca: one answer for each, and never an exception for a venue's doing.

Owns which of Alpaca's orders a request is about. A submit is sent once; a cancel is sent a second time only to the
order that stands for the first one's now.
"""

from collections.abc import Callable
from typing import Any

from adapters.alpaca.errors import Action, Refused, outcome_of, outcome_of_failure
from adapters.alpaca.identity import replacement_id
from adapters.alpaca.memory import OVER, OrderMemory
from adapters.alpaca.parse import ParseError, order_seen, parse_order
from adapters.alpaca.reads import Reads
from adapters.alpaca.render import NotPossible, render_order, render_replace
from adapters.alpaca.rest import Rest, TradingBytes
from adapters.alpaca.settings import AlpacaSettings
from kernel.lifecycle import REJECT_BY_VENUE, REJECT_UNKNOWN_ORDER
from kernel.venue import CancelOrder, NewOrder, Outcome, OutcomeStatus, ReplaceOrder, VenueError

UNASKED_NS = 1_000_000_000  # when to try again what could not be asked


class Orders:
    """The three requests."""

    def __init__(self, settings: AlpacaSettings, rest: Rest, reads: Reads, memory: OrderMemory) -> None:
        self._settings = settings
        self._rest = rest
        self._reads = reads
        self._memory = memory

    async def submit(self, order: NewOrder) -> Outcome:
        """Send an order, once."""
        try:
            body = render_order(order, self._reads.markets.all[order.instrument], self._settings.asset_class)
        except NotPossible as no:
            return _refused(str(no), no.reason)
        return await self._send(Action.SUBMIT, lambda client: client.post("/orders", body), order.client_order_id)

    async def cancel(self, request: CancelOrder) -> Outcome:
        """Ask for a cancel of the order that stands for this client order id."""
        head = self._memory.head(request.client_order_id)
        order_id = head.id if head is not None else request.venue_order_id
        outcome = _refused("the order is not known", REJECT_UNKNOWN_ORDER)
        if order_id:
            outcome = await self._send(Action.CANCEL, lambda client: client.delete(f"/orders/{order_id}"))
        if outcome.reason != REJECT_UNKNOWN_ORDER:
            return outcome
        # Not open under this id: it was never known, or a replacement stands for it.
        try:
            found = await self._reads.order_by_client_id(request.client_order_id)
        except VenueError as error:
            return _refused(str(error), REJECT_BY_VENUE, UNASKED_NS)
        if found is None or found.status in OVER or found.id == order_id:
            return outcome
        return await self._send(Action.CANCEL, lambda client: client.delete(f"/orders/{found.id}"))

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """Ask for a change. It makes a new order at Alpaca, that stands for the old one once it is in force."""
        market = self._reads.markets.all[request.instrument]
        try:
            head = self._memory.head(request.client_order_id)
            head = head or await self._reads.order_by_client_id(request.client_order_id)
        except VenueError as error:
            return _refused(str(error), REJECT_BY_VENUE, UNASKED_NS)
        if head is None or head.status in OVER:
            return _refused("the order is not open", REJECT_UNKNOWN_ORDER)
        try:
            seen = order_seen(head, self._reads.markets)
            if seen is None:
                return _refused("the order is of another symbol", REJECT_UNKNOWN_ORDER)
            body = render_replace(request, seen, market, self._settings.asset_class)
        except NotPossible as no:
            return _refused(str(no), no.reason)
        except ParseError as error:
            return _refused(str(error), REJECT_BY_VENUE)
        new_id = replacement_id(request.client_order_id, self._memory.next_replacement(head))
        body["client_order_id"] = new_id
        order_id = head.id
        self._memory.forget_head(request.client_order_id)
        outcome = await self._send(Action.REPLACE, lambda client: client.patch(f"/orders/{order_id}", body), new_id)
        return await self._in_force(outcome) if outcome.status is OutcomeStatus.ACCEPTED else outcome

    async def _in_force(self, outcome: Outcome) -> Outcome:
        """Wait a while for what becomes of a replacement: Alpaca takes it, and may reject it afterwards."""
        status = await self._memory.settled(outcome.venue_order_id, self._settings.replaced_within_s)
        if not status:
            try:
                order = await self._reads.order_by_id(outcome.venue_order_id)
                status = order.status if order is not None else ""
            except VenueError:
                pass  # the order is looked up by whoever asked for the change
        if status == "rejected":
            return _refused("the replacement was rejected: the order stands as it was", REJECT_BY_VENUE)
        return outcome

    async def _send(self, action: Action, ask: Callable[[TradingBytes], Any], client_order_id: str = "") -> Outcome:
        try:
            is_cancel = action is Action.CANCEL
            raw = await self._rest.send(ask, is_cancel=is_cancel)
            if is_cancel:
                return Outcome(status=OutcomeStatus.ACCEPTED)
            order = parse_order(raw)
        except Refused as refused:
            return self._said(outcome_of(action, refused))
        except Exception as error:  # whatever it is, the request may have arrived: the driver looks
            return self._said(outcome_of_failure(error))
        if order.client_order_id != client_order_id:
            return Outcome(status=OutcomeStatus.AMBIGUOUS, text="the answer is about another order")
        self._memory.note(order)
        if order.status == "rejected":
            return Outcome(
                status=OutcomeStatus.REJECTED, reason=REJECT_BY_VENUE, text="rejected", venue_order_id=order.id
            )
        return Outcome(status=OutcomeStatus.ACCEPTED, venue_order_id=order.id)

    def _said(self, outcome: Outcome) -> Outcome:
        return Outcome(
            status=outcome.status,
            reason=outcome.reason,
            text=self._rest.clean(outcome.text),
            retry_after_ns=outcome.retry_after_ns,
        )


def _refused(text: str, reason: int, retry_after_ns: int = 0) -> Outcome:
    return Outcome(status=OutcomeStatus.REJECTED, reason=reason, text=text, retry_after_ns=retry_after_ns)
