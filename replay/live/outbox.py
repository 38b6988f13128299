"""What is to be sent: requests to the venue, read from the events that the kernel decided.

Owns the way from an approved order in the state to the request that an adapter renders. It is a function of the events
and the state: after a restart the same orders stand there as submitted, and are looked up before anything is sent.
"""

from typing import Any, NamedTuple

import numpy as np

from kernel.events.catalogue import Event
from kernel.events.layout import CANCEL_REQUESTED, CHECKED, RELEASED, REPLACE_REQUESTED
from kernel.lifecycle import HELD, PENDING_CANCEL, PENDING_REPLACE, SUBMITTED
from kernel.risk.numbers import APPROVED
from kernel.tables.orders import ORDER
from kernel.venue import CancelOrder, NewOrder, ReplaceOrder
from replay.live.core import Input
from replay.live.identities import Identities

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


def find_order(state: Any, order_id: int) -> Any | None:
    """The row of an open order in the state, or None."""
    orders = state["orders"]
    found = np.flatnonzero(orders["order_id"] == order_id)  # the rows beyond the open ones are zero
    return orders[int(found[0])] if len(found) and order_id else None


def account_of(state: Any, strategy: int, instrument: int) -> int:
    """The account of a strategy's book in an instrument."""
    return int(state.positions[strategy * int(state.head.instrument_count) + instrument]["account"])


def about_order(state: Any, order: Any, event: Event, ts_event_ns: int = 0, body: bytes = b"") -> Input:
    """An input about an order of the state, which is its cause."""
    strategy, instrument = int(order["strategy"]), int(order["instrument"])
    account = account_of(state, strategy, instrument)
    return Input(event, instrument, strategy, account, int(order["order_id"]), ts_event_ns, body)


def outgoing(records: np.ndarray, state: Any, identities: Identities) -> list[Outgoing]:
    """The requests that follow from new events, in their order."""
    found = []
    for at in np.flatnonzero(_SENT[records["kind"]]):
        record = records[at]
        kind, words, sequence = int(record["kind"]), record["words"], int(record["sequence"])
        order_id = int(words[0])
        order = find_order(state, order_id)
        if order is None or int(order["status"]) == HELD:
            continue
        request: Request | None = None
        if (kind == CHECKED.kind and int(words[CHECKED.check]) == APPROVED) or kind == RELEASED.kind:
            request = new_order(state, order, identities)
        elif kind == CANCEL_REQUESTED.kind:
            request = cancel_order(order, identities)
        elif kind == REPLACE_REQUESTED.kind:
            request = replace_order(order, identities)
        if request is not None:
            found.append(Outgoing(sequence, order_id, request))
    return found


def new_order(state: Any, order: Any, identities: Identities) -> NewOrder:
    """The order as the state holds it."""
    values = dict(zip(ORDER.names, order.item(), strict=True))  # at once: field by field takes ten times as long
    return NewOrder(
        client_order_id=identities.client_order_id(values["order_id"]),
        quantity_lots=values["quantity_lots"] - values["filled_lots"],
        reference_ticks=int(state["instruments"][values["instrument"]]["last_ticks"]),
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


def in_doubt(state: Any) -> list[int]:
    """Orders of which the venue has not said anything, and those whose cancel or replace it has not answered."""
    orders = state.orders[: int(state.head.order_count)]
    unsaid = orders["status"] == SUBMITTED
    asked = (orders["status"] == PENDING_CANCEL) | (orders["status"] == PENDING_REPLACE)
    return [int(order_id) for order_id in orders["order_id"][unsaid | asked]]


assert CHECKED.order_id == RELEASED.order_id == CANCEL_REQUESTED.order_id == REPLACE_REQUESTED.order_id == 0
