"""The venue's account as the kernel is to know it: pictures of orders and fills become recorded inputs, once each.

Owns the finding of the step that leads from what the state holds to what the venue shows. A stream, an answer and a
poll may all show the same thing: whoever comes first makes the event, the others find nothing left to say. What the
kernel did not do (a trade by hand, a fill of an order that it believed over) is adopted into a book, never dropped.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np

from kernel.events.body import encode_body
from kernel.events.catalogue import (
    DifferenceFound,
    OrderAccepted,
    OrderAdopted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    VenueMessageSeen,
    by_class,
)
from kernel.instruments import Instrument
from kernel.lifecycle import CANCEL_REDUCE_ONLY, GTC, MARKET, PENDING_CANCEL, PENDING_REPLACE, REDUCING, REJECT_BY_VENUE
from kernel.units import from_units, to_decimal
from kernel.venue import FillSeen, OrderSeen, OrderStatus, Seen
from replay.live.core import MOST_BODY_BYTES, Input
from replay.live.identities import Asked, Identities, Owner, adoption_body, trade_number
from replay.live.orders import OpenOrder, OpenOrders

ORDER, FILL, POSITION, BALANCE = range(1, 5)  # what a difference is about
NO_REPAIR, ADOPT, IMPORT, CANCEL, END, ADJUST, HALT = range(7)
_MESSAGE = by_class(VenueMessageSeen).kind
Take = Callable[[Sequence[Input]], np.ndarray]


class Mirror:
    """Turns what a venue shows into inputs, through ``take`` (which records them at once)."""

    def __init__(
        self, orders: OpenOrders, instruments: Sequence[Instrument], identities: Identities, take: Take, external: int
    ) -> None:
        self._orders, self._instruments, self._identities = orders, instruments, identities
        self._take, self._external = take, external
        # Orders that have ended at the venue while fills of theirs are still missing here.
        self.ending: dict[int, OrderSeen] = {}
        self.orphans: list[OrderSeen] = []  # open there under our name, and over here: to be cancelled
        self._raw, self._stream, self._cause = b"", 0, 0

    def take(self, seen: Sequence[Seen], raw: bytes, stream: int) -> None:
        """Take in what one message or answer shows. The message is recorded when something new is in it."""
        self._raw, self._stream, self._cause = raw, stream, 0
        for one in seen:  # fills first: an order that has ended has them all
            if isinstance(one, FillSeen):
                self._fill(one)
        for one in seen:
            if isinstance(one, OrderSeen):
                self._order(one)
        self._raw = b""

    def accept(self, order_id: int, venue_order_id: str) -> None:
        """The venue has answered that it took an order."""
        if venue_order_id:
            self._identities.venue_ids[order_id] = venue_order_id
        order = self._orders.find(order_id)
        if order is not None and order.accepted == 0:
            self._say(self._of(order, OrderAccepted(order_id)))

    # --- fills --------------------------------------------------------------------------------------------------

    def _fill(self, fill: FillSeen) -> None:
        number = trade_number(fill.trade_id)
        if number in self._identities.trades:
            return
        order_id = self._identities.order_id(fill.client_order_id, fill.venue_order_id)
        order = self._orders.find(order_id) if order_id else None
        if order is not None and fill.quantity_lots > order.left_lots:
            self._prove_replace(order, fill)
            order = self._orders.find(order_id)
        if order is None or fill.quantity_lots > order.left_lots or order.side != fill.side:
            self._import(fill, number, order_id)
        else:
            self._book(fill, number, order, fill.quantity_lots)
        self._end(order_id)

    def _prove_replace(self, order: OpenOrder, fill: FillSeen) -> None:
        """A fill of more than the order has left shows that the change that was asked for took place."""
        asked = self._identities.asked.get(order.order_id)
        if asked is None or order.replaces_pending == 0:
            return
        if asked.quantity_lots - order.filled_lots >= fill.quantity_lots:
            self._say(self._of(order, OrderReplaced(order.order_id, *asked), fill.ts_event_ns))

    def _book(self, fill: FillSeen, number: int, order: OpenOrder, lots: int) -> None:
        order_id, instrument = order.order_id, order.instrument
        leaves = order.quantity_lots - order.filled_lots - lots
        fee_minor, fee_lots = self._fee(fill)
        body = encode_body({"trade_id": fill.trade_id, "fee": fill.fee, "fee_currency": fill.fee_currency})
        filled = OrderFilled(order_id, fill.side, fill.price_ticks, lots, leaves, fee_minor, fill.liquidity, number)
        owner = Owner(order.strategy, instrument, order.leg)
        self._say(self._of(order, filled, fill.ts_event_ns, body))
        if fee_lots:
            self._take_fee(fill, owner, fee_lots)

    def _import(self, fill: FillSeen, number: int, order_id: int) -> None:
        """A fill of an order that is not open here: an order of its own is adopted for it."""
        owner = self._identities.owners.get(order_id, Owner(self._external, fill.instrument, 0))
        why = "a fill of an order that was over here" if order_id else "a fill that the kernel did not ask for"
        body = encode_body({"trade_id": fill.trade_id, "venue_order_id": fill.venue_order_id, "why": why})
        found = Input(DifferenceFound(FILL, IMPORT, 0, fill.side * fill.quantity_lots), fill.instrument, body=body)
        self._say(found)
        adopted = self.adopt(owner, fill.side, fill.quantity_lots, f"{fill.venue_order_id}/{fill.trade_id}", why)
        self._book(fill, number, adopted, fill.quantity_lots)

    def adopt(self, owner: Owner, side: int, lots: int, venue_order_id: str, why: str) -> Any:
        """An order that the kernel did not intend, at the market; returns its row in the state."""
        adopted = OrderAdopted(side, MARKET, GTC, lots, 0, 0, 0, 0, 0, owner.leg)
        return self._adopt(owner, adopted, venue_order_id, why)

    def _adopt(self, owner: Owner, adopted: OrderAdopted, venue_order_id: str, why: str) -> Any:
        account = self._orders.account_of(owner.strategy, owner.instrument)
        body = adoption_body(venue_order_id, why)
        self._say(Input(adopted, owner.instrument, owner.strategy, account, body=body))
        order = self._orders.newest()
        self._identities.owners.setdefault(order.order_id, owner)
        return order

    def _fee(self, fill: FillSeen) -> tuple[int, int]:
        """``(fee in minor units of the settlement currency, lots that the venue kept as its fee)``."""
        instrument = self._instruments[fill.instrument]
        fee = to_decimal(fill.fee)
        if fee == 0:
            return 0, 0
        if fill.fee_currency in ("", instrument.currency):
            return _round(fee.scaleb(instrument.scale)), 0
        if instrument.contract != "spot" or not instrument.symbol.startswith(fill.fee_currency):
            body = encode_body({"trade_id": fill.trade_id, "fee": fill.fee, "currency": fill.fee_currency})
            self._say(Input(DifferenceFound(BALANCE, NO_REPAIR, 0, 0), fill.instrument, body=body))
            return 0, 0
        price = from_units(fill.price_ticks, instrument.tick_size)
        return _round((fee * price).scaleb(instrument.scale)), _round(fee / to_decimal(instrument.lot_size))

    def _take_fee(self, fill: FillSeen, owner: Owner, lots: int) -> None:
        """A fee in the coin itself: it was booked as money, so the coin is sold for that money, without another fee."""
        order = self.adopt(owner, -1, lots, f"{fill.trade_id}/fee", "a fee that was taken in the coin")
        number = trade_number(f"{fill.trade_id}/fee")
        filled = OrderFilled(order.order_id, -1, fill.price_ticks, lots, 0, 0, fill.liquidity, number)
        self._say(self._of(order, filled, fill.ts_event_ns))

    # --- orders -------------------------------------------------------------------------------------------------

    def _order(self, seen: OrderSeen) -> None:
        order_id = self._identities.order_id(seen.client_order_id, seen.venue_order_id)
        order = self._orders.find(order_id) if order_id else None
        if order_id and seen.venue_order_id:
            self._identities.venue_ids[order_id] = seen.venue_order_id
        if order is None:
            self._unknown(seen, order_id)
            return
        if seen.status is OrderStatus.OPEN:
            self._open(seen, order)
            return
        if seen.status is OrderStatus.REJECTED and order.accepted == 0 and order.filled_lots == 0:
            body = encode_body(seen.text)
            self._say(self._of(order, OrderRejected(order_id, seen.reason or REJECT_BY_VENUE), body=body))
            return
        self.ending[order_id] = seen
        self._end(order_id)

    def _open(self, seen: OrderSeen, order: OpenOrder) -> None:
        order_id = order.order_id
        if order.accepted == 0:
            self._say(self._of(order, OrderAccepted(order_id), seen.ts_event_ns))
        asked, after = self._identities.asked.get(order_id), self._orders.find(order_id)
        if asked is None or after is None or after.status not in (PENDING_REPLACE, PENDING_CANCEL):
            return
        order = after
        if order.replaces_pending > 0 and _is_as_asked(seen, asked):
            replaced = OrderReplaced(order_id, asked.quantity_lots, asked.limit_ticks, asked.stop_ticks)
            if asked.quantity_lots > order.filled_lots:
                self._say(self._of(order, replaced, seen.ts_event_ns))

    def _end(self, order_id: int) -> None:
        """End an order that the venue says is over, once all its fills are here."""
        seen = self.ending.get(order_id)
        if seen is None:
            return
        order = self._orders.find(order_id)
        if order is None:
            del self.ending[order_id]
            return
        filled = order.filled_lots
        if seen.filled_lots > filled + self._identities.single_lots.get(seen.venue_order_id, 0):
            return
        del self.ending[order_id]
        leaves = order.quantity_lots - filled
        body = encode_body(seen.text) if seen.text else b""
        if seen.status is OrderStatus.EXPIRED:
            self._say(self._of(order, OrderExpired(order_id, leaves), seen.ts_event_ns, body))
        else:
            # Filled, and something is left: the venue had cut a reduce-only order to what there was to reduce, or made
            # an order smaller as it was asked to.
            reason = seen.reason
            if seen.status is OrderStatus.FILLED and order.instructions & REDUCING:
                reason = CANCEL_REDUCE_ONLY
            self._say(self._of(order, OrderCanceled(order_id, leaves, reason), seen.ts_event_ns, body))

    def _unknown(self, seen: OrderSeen, order_id: int) -> None:
        """An order that is not open here. One of ours is over for the kernel; any other one is somebody's."""
        if seen.status is not OrderStatus.OPEN:
            return
        if order_id or self._identities.is_ours(seen.client_order_id):
            self.orphans.append(seen)
            return
        lots = seen.quantity_lots - self._identities.imported_lots.get(seen.venue_order_id, 0)
        if lots <= 0:
            return
        why = "an order that the kernel did not ask for"
        body = encode_body({"venue_order_id": seen.venue_order_id, "why": why})
        self._say(Input(DifferenceFound(ORDER, ADOPT, 0, seen.side * lots), seen.instrument, body=body))
        owner = Owner(self._external, seen.instrument, 0)
        adopted = OrderAdopted(
            seen.side, seen.order_type, seen.time_in_force, lots, seen.limit_ticks, seen.stop_ticks, 0,
            seen.instructions, 0, 0,
        )  # fmt: skip
        self._adopt(owner, adopted, seen.venue_order_id, why)

    # --- saying it ----------------------------------------------------------------------------------------------

    def _of(self, order: OpenOrder, event: Any, ts_event_ns: int = 0, body: bytes = b"") -> Input:
        return self._orders.about(order, event, ts_event_ns, body)

    def _say(self, one: Input) -> None:
        if self._raw and self._cause == 0:
            raw = self._raw[:MOST_BODY_BYTES]
            made = self._take([Input(VenueMessageSeen(self._stream, len(self._raw)), body=raw)])
            self._cause = int(made[np.flatnonzero(made["kind"] == _MESSAGE)[0]]["sequence"])
        self._take([one._replace(cause=self._cause) if self._cause else one])


def _is_as_asked(seen: OrderSeen, asked: Asked) -> bool:
    return (
        seen.quantity_lots == asked.quantity_lots
        and seen.limit_ticks == asked.limit_ticks
        and seen.stop_ticks == asked.stop_ticks
    )


def _round(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_EVEN))
