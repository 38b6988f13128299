"""What is to be sent: requests to the venue, read from the events that the kernel decided.

Owns the way from an approved order in the state to the request that an adapter renders. It is a function of the events
and the state: after a restart the same orders stand there as submitted, and are looked up before anything is sent.
"""

from collections.abc import Sequence
from typing import NamedTuple

from kernel.events.layout import CANCEL_REQUESTED, CHECKED, RELEASED, REPLACE_REQUESTED, PlainRecord
from kernel.lifecycle import HELD
from kernel.risk.numbers import APPROVED
from kernel.venue import CancelOrder, NewOrder, ReplaceOrder
from replay.live.identities import Identities
from replay.live.orders import OpenOrder, OpenOrders

SENT = frozenset({CHECKED.kind, RELEASED.kind, CANCEL_REQUESTED.kind, REPLACE_REQUESTED.kind})
Request = NewOrder | CancelOrder | ReplaceOrder


class Outgoing(NamedTuple):
    """A request that may leave when the journal is durable up to ``sequence``."""

    sequence: int
    order_id: int
    request: Request


def outgoing(told: Sequence[PlainRecord], orders: OpenOrders, identities: Identities) -> list[Outgoing]:
    """The requests that follow from new events, in their order; kinds other than SENT are passed over."""
    found: list[Outgoing] = []
    for record in told:
        kind, words, sequence = record.kind, record.words, record.sequence
        if kind not in SENT:
            continue
        order_id = words[0]
        order = orders.find(order_id)
        if order is None or order.status == HELD:
            continue
        request: Request | None = None
        if (kind == CHECKED.kind and words[CHECKED.check] == APPROVED) or kind == RELEASED.kind:
            request = new_order(orders, order, identities)
        elif kind == CANCEL_REQUESTED.kind:
            request = cancel_order(order, identities)
        elif kind == REPLACE_REQUESTED.kind:
            request = replace_order(order, identities)
        if request is not None:
            found.append(Outgoing(sequence, order_id, request))
    return found


def new_order(orders: OpenOrders, order: OpenOrder, identities: Identities) -> NewOrder:
    """The order as the state holds it."""
    return NewOrder(
        client_order_id=identities.client_order_id(order.order_id),
        instrument=order.instrument,
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        quantity_lots=order.left_lots,
        limit_ticks=order.limit_ticks,
        stop_ticks=order.stop_ticks,
        instructions=order.instructions,
        expire_ns=order.expire_ns,
        trail_kind=order.trail_kind,
        trail_value=order.trail_value,
        display_lots=order.display_lots,
        leg=order.leg,
        reference_ticks=orders.last_ticks(order.instrument),
    )


def cancel_order(order: OpenOrder, identities: Identities) -> CancelOrder:
    """A request to cancel what is left of an order of the state."""
    order_id = order.order_id
    return CancelOrder(
        client_order_id=identities.client_order_id(order_id),
        instrument=order.instrument,
        venue_order_id=identities.venue_ids.get(order_id, ""),
    )


def replace_order(order: OpenOrder, identities: Identities) -> ReplaceOrder:
    """The last change that was asked of an order of the state."""
    order_id = order.order_id
    asked = identities.asked[order_id]
    return ReplaceOrder(
        client_order_id=identities.client_order_id(order_id),
        instrument=order.instrument,
        quantity_lots=asked.quantity_lots,
        limit_ticks=asked.limit_ticks,
        stop_ticks=asked.stop_ticks,
        venue_order_id=identities.venue_ids.get(order_id, ""),
    )


assert CHECKED.order_id == RELEASED.order_id == CANCEL_REQUESTED.order_id == REPLACE_REQUESTED.order_id == 0
