"""What is to be sent: requests to the venue, read from the events that the kernel decided.

Owns the way from an approved order in the state to the request that an adapter renders. It is a function of the events
and the state: after a restart the same orders stand there as submitted, and are looked up before anything is sent.
"""

from typing import Any, NamedTuple

import numpy as np

from kernel.events.layout import CANCEL_REQUESTED, CHECKED, RELEASED, REPLACE_REQUESTED
from kernel.lifecycle import HELD
from kernel.risk.numbers import APPROVED
from kernel.tables.orders import ORDER
from kernel.venue import CancelOrder, NewOrder, ReplaceOrder
from replay.live.identities import Identities
from replay.live.orders import OpenOrders

_SENT = np.zeros(1 << 10, bool)  # by the number of the kind
_SENT[[CHECKED.kind, RELEASED.kind, CANCEL_REQUESTED.kind, REPLACE_REQUESTED.kind]] = True
Request = NewOrder | CancelOrder | ReplaceOrder


_AS_IN_STATE = (
    "instrument", "side", "order_type", "time_in_force", "limit_ticks", "stop_ticks", "instructions", "expire_ns",
    "trail_kind", "trail_value", "display_lots", "leg",
)  # fmt: skip


class Outgoing(NamedTuple):
    """A request that may leave when the journal is durable up to ``sequence``."""

    sequence: int
    order_id: int
    request: Request


def outgoing(records: np.ndarray, orders: OpenOrders, identities: Identities) -> list[Outgoing]:
    """The requests that follow from new events, in their order."""
    found = []
    for at in np.flatnonzero(_SENT[records["kind"]]):
        record = records[at]
        kind, words, sequence = int(record["kind"]), record["words"], int(record["sequence"])
        order_id = int(words[0])
        order = orders.find(order_id)
        if order is None or int(order["status"]) == HELD:
            continue
        request: Request | None = None
        if (kind == CHECKED.kind and int(words[CHECKED.check]) == APPROVED) or kind == RELEASED.kind:
            request = new_order(orders, order, identities)
        elif kind == CANCEL_REQUESTED.kind:
            request = cancel_order(order, identities)
        elif kind == REPLACE_REQUESTED.kind:
            request = replace_order(order, identities)
        if request is not None:
            found.append(Outgoing(sequence, order_id, request))
    return found


def new_order(orders: OpenOrders, order: Any, identities: Identities) -> NewOrder:
    """The order as the state holds it."""
    values = dict(zip(ORDER.names, order.item(), strict=True))  # at once: field by field takes ten times as long
    return NewOrder(
        client_order_id=identities.client_order_id(values["order_id"]),
        quantity_lots=values["quantity_lots"] - values["filled_lots"],
        reference_ticks=orders.last_ticks(values["instrument"]),
        **{name: values[name] for name in _AS_IN_STATE},
    )


def cancel_order(order: Any, identities: Identities) -> CancelOrder:
    """A request to cancel what is left of an order of the state."""
    order_id = int(order["order_id"])
    return CancelOrder(
        client_order_id=identities.client_order_id(order_id),
        instrument=int(order["instrument"]),
        venue_order_id=identities.venue_ids.get(order_id, ""),
    )


def replace_order(order: Any, identities: Identities) -> ReplaceOrder:
    """The last change that was asked of an order of the state."""
    order_id = int(order["order_id"])
    asked = identities.asked[order_id]
    return ReplaceOrder(
        client_order_id=identities.client_order_id(order_id),
        instrument=int(order["instrument"]),
        quantity_lots=asked.quantity_lots,
        limit_ticks=asked.limit_ticks,
        stop_ticks=asked.stop_ticks,
        venue_order_id=identities.venue_ids.get(order_id, ""),
    )


assert CHECKED.order_id == RELEASED.order_id == CANCEL_REQUESTED.order_id == REPLACE_REQUESTED.order_id == 0
