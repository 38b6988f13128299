"""SimVenue: a simulated venue with its own deterministic state.

Owns the resting orders as the venue sees them, and what it answers to an order or a request. The kernel hears of it
only through reports (accepted, filled, cancelled, expired, replaced), which are events like those of a real venue.

What a market row does to resting orders is in ``match_nb``.
"""

from kernel.apply_nb import apply_nb
from kernel.emit_nb import begin_nb
from kernel.events.layout import (
    ACCEPTED,
    CANCEL_REQUESTED,
    CANCELED,
    CHECKED,
    EXPIRED,
    REPLACE_REQUESTED,
    REPLACED,
)
from kernel.jit import inlined, jit
from kernel.ledger_nb import OK
from kernel.lifecycle import CANCEL_ON_REQUEST, DAY
from kernel.orders_nb import find_order_nb
from kernel.records import record_dtype
from kernel.risk_nb import APPROVED
from kernel.tables.table import MAX_ORDERS, table_dtype

DAY_NS = 86_400_000_000_000
VENUE_ORDERS = 2 * MAX_ORDERS

VENUE_ORDER = table_dtype(
    "order_id",
    "strategy",
    "instrument",
    "side",
    "order_type",
    "time_in_force",
    "remaining_lots",
    "filled_lots",
    "limit_ticks",
    "stop_ticks",
    "triggered",
    "seen",  # whether it has met the market
    "accepted_ns",
)
VENUE = record_dtype(
    head=table_dtype(
        "order_count",
        "next_trade_id",
        "day",
        "profile",
        "maker_fee_rate",
        "taker_fee_rate",
        "slippage_rate",
        "volume_share_rate",
    ),
    # Orders that end while a row is matched keep their rows until then. The last row stays zero: it clears the others.
    orders=(VENUE_ORDER, VENUE_ORDERS + 1),
)


@jit
def find_resting_nb(venue, order_id):
    """The row of a resting order at the venue, or -1."""
    for at in range(venue.head.order_count):
        if venue.orders[at].order_id == order_id:
            return at
    return -1


@jit
def drop_done_nb(venue):
    """Take the finished orders out, keeping the others in the order of their arrival."""
    head = venue.head
    kept = 0
    for at in range(head.order_count):
        if venue.orders[at].remaining_lots > 0:
            if kept != at:
                venue.orders[kept] = venue.orders[at]
            kept += 1
    for at in range(kept, head.order_count):
        venue.orders[at] = venue.orders[VENUE_ORDERS]
    head.order_count = kept


@inlined
def _accept_nb(venue, state, output, order_id, order):
    """Take an order that the kernel submitted, and report it accepted."""
    head = venue.head
    resting = venue.orders[head.order_count]
    head.order_count += 1
    resting.order_id = order_id
    resting.strategy = order.strategy
    resting.instrument = order.instrument
    resting.side = order.side
    resting.order_type = order.order_type
    resting.time_in_force = order.time_in_force
    resting.remaining_lots = order.quantity_lots
    resting.filled_lots = 0
    resting.limit_ticks = order.limit_ticks
    resting.stop_ticks = order.stop_ticks
    resting.triggered = 0
    resting.seen = 0
    resting.accepted_ns = output.ts_ingest_ns
    record = begin_nb(state, output, ACCEPTED.kind, order.instrument, order.strategy)
    record.words[ACCEPTED.order_id] = order_id
    return apply_nb(state, record)


@jit
def cancel_rest_nb(state, output, order, reason):
    record = begin_nb(state, output, CANCELED.kind, order.instrument, order.strategy)
    record.words[CANCELED.order_id] = order.order_id
    record.words[CANCELED.leaves_lots] = order.remaining_lots
    record.words[CANCELED.reason] = reason
    order.remaining_lots = 0
    return apply_nb(state, record)


@inlined
def _cancel_nb(venue, state, output, order_id):
    """Cancel a resting order on request."""
    return cancel_rest_nb(state, output, venue.orders[find_resting_nb(venue, order_id)], CANCEL_ON_REQUEST)


@inlined
def _replace_nb(venue, state, output, request):
    """Change a resting order; it is a new order to the market from now on (its stop is armed again)."""
    order_id = request[REPLACE_REQUESTED.order_id]
    quantity_lots = request[REPLACE_REQUESTED.quantity_lots]
    limit_ticks, stop_ticks = request[REPLACE_REQUESTED.limit_ticks], request[REPLACE_REQUESTED.stop_ticks]
    order = venue.orders[find_resting_nb(venue, order_id)]
    order.remaining_lots = quantity_lots - order.filled_lots
    order.limit_ticks = limit_ticks
    order.stop_ticks = stop_ticks
    order.triggered = 0
    order.seen = 0
    order.accepted_ns = output.ts_ingest_ns
    record = begin_nb(state, output, REPLACED.kind, order.instrument, order.strategy)
    record.words[REPLACED.order_id] = order_id
    record.words[REPLACED.quantity_lots] = quantity_lots
    record.words[REPLACED.limit_ticks] = limit_ticks
    record.words[REPLACED.stop_ticks] = stop_ticks
    return apply_nb(state, record)


@inlined
def expire_nb(venue, state, output, ts_ns):
    """At the first market event of a new UTC day: end the DAY orders of the days before.

    ``ts_ns`` is when the event began: a bar belongs to the day in which it opened, though it is known at its close.
    """
    head = venue.head
    day = ts_ns // DAY_NS
    if day <= head.day:
        return OK
    head.day = day
    for at in range(head.order_count):
        order = venue.orders[at]
        if order.time_in_force == DAY and order.accepted_ns // DAY_NS < day:
            record = begin_nb(state, output, EXPIRED.kind, order.instrument, order.strategy)
            record.words[EXPIRED.order_id] = order.order_id
            record.words[EXPIRED.leaves_lots] = order.remaining_lots
            order.remaining_lots = 0
            status = apply_nb(state, record)
            if status != OK:
                return status
    drop_done_nb(venue)
    return OK


@inlined
def receive_nb(venue, state, output, record):
    """Take what the kernel sends: an order, or a request about one. Other records are none of the venue's business."""
    kind, words = record.kind, record.words
    if kind == CHECKED.kind and words[CHECKED.check] == APPROVED:
        order_id = words[CHECKED.order_id]
        return _accept_nb(venue, state, output, order_id, state.orders[find_order_nb(state, order_id)])
    if kind == CANCEL_REQUESTED.kind:
        return _cancel_nb(venue, state, output, words[CANCEL_REQUESTED.order_id])
    if kind == REPLACE_REQUESTED.kind:
        return _replace_nb(venue, state, output, words)
    return OK
