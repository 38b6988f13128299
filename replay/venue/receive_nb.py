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
    RELEASED,
    REPLACE_REQUESTED,
    REPLACED,
)
from kernel.jit import inlined, jit
from kernel.ledger_nb import OK
from kernel.lifecycle import CANCEL_ON_REQUEST, DAY, PARTIAL, REJECT_STOP_IN_MARKET, STOP, STOP_LIMIT, SUBMITTED
from kernel.orders_nb import find_order_nb
from kernel.risk.numbers import APPROVED
from replay.venue.memory import VENUE_ORDERS
from replay.venue.path_rules_nb import standing_nb, tick_order_nb
from replay.venue.profiles import OHLC, OHLC_ADAPTIVE
from replay.venue.reports_nb import cancel_rest_nb, reject_nb

DAY_NS = 86_400_000_000_000


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
def _refusal_nb(venue, order):
    """Why the venue does not take an order, 0 if it does."""
    head = venue.head
    if head.profile == OHLC or head.profile == OHLC_ADAPTIVE:
        price, _ = standing_nb(venue, order.instrument, order.side)
        late = order.order_type == STOP or order.order_type == STOP_LIMIT
        # A child protects a position that is already there: it is taken, and fires at the next tick.
        if late and order.is_child == 0 and price > 0 and order.side * price >= order.side * order.stop_ticks:
            return REJECT_STOP_IN_MARKET
    return 0


@jit
def _arrive_nb(venue, state, output, order):
    """An order, new or replaced, reaches the market: a path profile lets it meet the tick that stands."""
    head = venue.head
    order.triggered = 0
    order.seen = 0
    order.accepted_ns = output.ts_ingest_ns
    order.arrived_in_row = head.matching
    order.tick = head.tick
    if head.profile == OHLC or head.profile == OHLC_ADAPTIVE:
        return tick_order_nb(venue, state, output, order, 1, output.ts_event_ns)
    return OK


@inlined
def _accept_nb(venue, state, output, order_id, order):
    """Take an order that the kernel submitted, and report it accepted."""
    head = venue.head
    resting = venue.orders[head.order_count]
    resting.order_id = order_id
    resting.strategy = order.strategy
    resting.instrument = order.instrument
    resting.side = order.side
    resting.order_type = order.order_type
    resting.time_in_force = order.time_in_force
    resting.remaining_lots = order.quantity_lots - order.filled_lots
    resting.filled_lots = order.filled_lots
    resting.limit_ticks = order.limit_ticks
    resting.stop_ticks = order.stop_ticks
    resting.is_child = 1 if order.parent_id != 0 else 0
    reason = _refusal_nb(venue, resting)
    if reason != 0:
        return reject_nb(state, output, resting, reason)
    head.order_count += 1
    record = begin_nb(state, output, ACCEPTED.kind, order.instrument, order.strategy)
    record.words[ACCEPTED.order_id] = order_id
    status = apply_nb(state, record)
    if status != OK:
        return status
    return _arrive_nb(venue, state, output, resting)


@inlined
def _cancel_nb(venue, state, output, order_id):
    """Cancel a resting order on request; one that has ended is not open, and one that never left need not leave."""
    row = find_order_nb(state, order_id)
    if row < 0:
        return OK
    at = find_resting_nb(venue, order_id)
    if at >= 0:
        return cancel_rest_nb(state, output, venue.orders[at], CANCEL_ON_REQUEST)
    order = state.orders[row]
    record = begin_nb(state, output, CANCELED.kind, order.instrument, order.strategy)
    record.words[CANCELED.order_id] = order_id
    record.words[CANCELED.leaves_lots] = order.quantity_lots - order.filled_lots
    record.words[CANCELED.reason] = CANCEL_ON_REQUEST
    return apply_nb(state, record)


@inlined
def _replace_nb(venue, state, output, request):
    """Change a resting order; it is a new order to the market from now on (its stop is armed again).

    When its group asks, only its quantity changes, and it stays what it is to the market.
    """
    order_id = request[REPLACE_REQUESTED.order_id]
    quantity_lots = request[REPLACE_REQUESTED.quantity_lots]
    limit_ticks, stop_ticks = request[REPLACE_REQUESTED.limit_ticks], request[REPLACE_REQUESTED.stop_ticks]
    at = find_resting_nb(venue, order_id)
    if at < 0 or venue.orders[at].remaining_lots == 0:
        return OK
    order = venue.orders[at]
    order.remaining_lots = quantity_lots - order.filled_lots
    linked = request[REPLACE_REQUESTED.linked]
    if linked == 0:
        order.limit_ticks = limit_ticks
        order.stop_ticks = stop_ticks
    record = begin_nb(state, output, REPLACED.kind, order.instrument, order.strategy)
    record.words[REPLACED.order_id] = order_id
    record.words[REPLACED.quantity_lots] = quantity_lots
    record.words[REPLACED.limit_ticks] = limit_ticks
    record.words[REPLACED.stop_ticks] = stop_ticks
    status = apply_nb(state, record)
    if status != OK or linked == 1:
        return status
    return _arrive_nb(venue, state, output, order)


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
    if kind == RELEASED.kind or (kind == CHECKED.kind and words[CHECKED.check] == APPROVED):
        order_id = words[CHECKED.order_id]
        row = find_order_nb(state, order_id)
        if row < 0:
            return OK  # cancelled before it left, or taken whole by an order of another strategy
        order = state.orders[row]
        if order.status != SUBMITTED and order.status != PARTIAL:
            return OK  # held until its parent fills
        return _accept_nb(venue, state, output, order_id, order)
    if kind == CANCEL_REQUESTED.kind:
        return _cancel_nb(venue, state, output, words[CANCEL_REQUESTED.order_id])
    if kind == REPLACE_REQUESTED.kind:
        return _replace_nb(venue, state, output, words)
    return OK
