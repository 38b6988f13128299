"""What the kernel sends to the venue: orders, and requests about them, with the time that they need.

Owns the way there. Without a latency a request is carried out at once; else it waits in a ring until it arrives. What a
group of orders asks (``linked``) is carried out at once: the group rests at the venue.
"""

from kernel.events.layout import CANCEL_REQUESTED, CHECKED, RELEASED, REPLACE_REQUESTED
from kernel.jit import inlined
from kernel.ledger_nb import OK
from kernel.lifecycle import HELD, REJECT_BY_VENUE, REQUEST_CANCEL, REQUEST_REPLACE
from kernel.lifecycle_nb import find_order_nb
from kernel.risk.numbers import APPROVED
from replay.venue.arrival_nb import carry_out_nb
from replay.venue.latency_nb import latency_ns_nb
from replay.venue.memory import MAX_REQUESTS
from replay.venue.profiles import CANCEL, LATENCY_NONE, NEW, REPLACE, REQUEST_DRAW
from replay.venue.reports_nb import reject_nb, reject_request_nb


@inlined
def _read_nb(request, record):
    """What the record asks of the venue; the kind is 0 when it asks nothing."""
    kind, words = record.kind, record.words
    request.kind = 0
    request.linked = 0
    if kind == CHECKED.kind and words[CHECKED.check] == APPROVED:
        request.kind = NEW
        request.order_id = words[CHECKED.order_id]
    elif kind == RELEASED.kind:
        request.kind = NEW
        request.order_id = words[RELEASED.order_id]
        request.linked = 1
    elif kind == CANCEL_REQUESTED.kind:
        request.kind = CANCEL
        request.order_id = words[CANCEL_REQUESTED.order_id]
        request.linked = words[CANCEL_REQUESTED.linked]
    elif kind == REPLACE_REQUESTED.kind:
        request.kind = REPLACE
        request.order_id = words[REPLACE_REQUESTED.order_id]
        request.quantity_lots = words[REPLACE_REQUESTED.quantity_lots]
        request.limit_ticks = words[REPLACE_REQUESTED.limit_ticks]
        request.stop_ticks = words[REPLACE_REQUESTED.stop_ticks]
        request.linked = words[REPLACE_REQUESTED.linked]
    request.instrument = record.instrument
    request.strategy = record.strategy
    request.cause = record.sequence


@inlined
def _send_nb(venue, state, output, request):
    """Put a request on its way. What finds no room is refused at once."""
    head = venue.head
    if head.request_count >= MAX_REQUESTS:
        if request.kind == NEW:
            return reject_nb(venue, state, output, request, REJECT_BY_VENUE)
        which = REQUEST_CANCEL if request.kind == CANCEL else REQUEST_REPLACE
        return reject_request_nb(venue, state, output, request, which, REJECT_BY_VENUE)
    due_ns = output.ts_ingest_ns + latency_ns_nb(venue.request_latency, head.seed, REQUEST_DRAW, request.cause)
    head.request_due_ns = max(head.request_due_ns, due_ns)
    request.due_ns = head.request_due_ns
    venue.requests[(head.request_first + head.request_count) % MAX_REQUESTS] = request
    head.request_count += 1
    head.next_due_ns = min(head.next_due_ns, request.due_ns)
    return OK


@inlined
def receive_nb(venue, state, output, record):
    """Take what the kernel sends. Other records are none of the venue's business."""
    if venue.head.elsewhere == 1:
        return OK  # what stands in the state as submitted is for the driver to carry
    request = venue.requests[MAX_REQUESTS]
    _read_nb(request, record)
    if request.kind == 0:
        return OK
    row = find_order_nb(state, request.order_id)
    if row < 0 or state.orders[row].status == HELD:
        return OK  # it never left, so there is nothing to take or to change
    if request.kind == NEW and request.linked == 0 and state.orders[row].parent_id != 0:
        return OK  # approved, but it leaves when it is released
    if request.linked == 0 and venue.request_latency.model != LATENCY_NONE:
        return _send_nb(venue, state, output, request)
    return carry_out_nb(venue, state, output, request)
