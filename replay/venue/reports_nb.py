"""What the venue says: reports, which are events like those of a real venue.

Owns the writing of a report. Without a latency the kernel hears of it at once; else it waits in a ring until it arrives
(``actions_nb``).
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import CANCELED, EXPIRED, FILLED, RECORD, REJECTED, REQUEST_REJECTED, WORDS
from kernel.jit import jit, unit
from kernel.ledger_nb import NO_CAPACITY, OK
from kernel.state import STATE
from replay.venue.latency_nb import latency_ns_nb
from replay.venue.memory import MAX_REPORTS, REQUEST, VENUE, VENUE_ORDER
from replay.venue.profiles import LATENCY_NONE, REPORT_DRAW


@jit
def begin_report_nb(venue, state, output, kind, instrument, strategy):
    """Start a report with the header that the output holds; the caller fills its words and then sends it."""
    head = venue.head
    if venue.report_latency.model == LATENCY_NONE:
        return begin_nb(state, output, kind, instrument, strategy)
    at = (head.report_first + head.report_count) % MAX_REPORTS
    venue.report_groups[at] = 0
    record = venue.reports[at]
    record.ts_event_ns = output.ts_event_ns
    record.cause = output.cause
    record.kind = kind
    record.instrument = instrument
    record.strategy = strategy
    for word in range(WORDS):
        record.words[word] = 0
    return record


@unit(VENUE, STATE, OUTPUT, RECORD)
def send_report_nb(venue, state, output, record):
    """Send a report that was begun last. Returns a status."""
    head, latency = venue.head, venue.report_latency
    if latency.model == LATENCY_NONE:
        return apply_nb(state, record)
    if head.report_count >= MAX_REPORTS - 1:
        return NO_CAPACITY
    head.report_number += 1
    due_ns = output.ts_ingest_ns + latency_ns_nb(latency, head.seed, REPORT_DRAW, head.report_number)
    head.report_due_ns = max(head.report_due_ns, due_ns)
    record.ts_ingest_ns = head.report_due_ns
    head.report_count += 1
    head.next_due_ns = min(head.next_due_ns, head.report_due_ns)
    return OK


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, np.int64)
def cancel_rest_nb(venue, state, output, order, reason):
    """Cancel what is left of an order, and say why."""
    record = begin_report_nb(venue, state, output, CANCELED.kind, order.instrument, order.strategy)
    record.words[CANCELED.order_id] = order.order_id
    record.words[CANCELED.leaves_lots] = order.remaining_lots
    record.words[CANCELED.reason] = reason
    order.remaining_lots = 0
    return send_report_nb(venue, state, output, record)


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, np.int64)
def expire_order_nb(venue, state, output, order, ts_event_ns):
    """End an order whose time is over."""
    ts_before_ns = output.ts_event_ns
    output.ts_event_ns = ts_event_ns
    record = begin_report_nb(venue, state, output, EXPIRED.kind, order.instrument, order.strategy)
    output.ts_event_ns = ts_before_ns
    record.words[EXPIRED.order_id] = order.order_id
    record.words[EXPIRED.leaves_lots] = order.remaining_lots
    order.remaining_lots = 0
    return send_report_nb(venue, state, output, record)


@unit(VENUE, STATE, OUTPUT, REQUEST, np.int64)
def reject_nb(venue, state, output, request, reason):
    """Refuse an order that was not accepted yet."""
    record = begin_report_nb(venue, state, output, REJECTED.kind, request.instrument, request.strategy)
    record.words[REJECTED.order_id] = request.order_id
    record.words[REJECTED.reason] = reason
    return send_report_nb(venue, state, output, record)


@unit(VENUE, STATE, OUTPUT, REQUEST, np.int64, np.int64)
def reject_request_nb(venue, state, output, request, which, reason):
    """Refuse to cancel or to replace an order; it is as it was."""
    record = begin_report_nb(venue, state, output, REQUEST_REJECTED.kind, request.instrument, request.strategy)
    record.words[REQUEST_REJECTED.order_id] = request.order_id
    record.words[REQUEST_REJECTED.request] = which
    record.words[REQUEST_REJECTED.reason] = reason
    return send_report_nb(venue, state, output, record)


@jit
def is_frozen_nb(venue, order):
    """Whether an order of the same group has filled and the kernel has not heard of it: its group must act first."""
    if order.group_id == 0 or venue.head.report_count == 0:
        return False
    head = venue.head
    for number in range(head.report_count):
        at = (head.report_first + number) % MAX_REPORTS
        if venue.report_groups[at] == order.group_id and venue.reports[at].words[FILLED.order_id] != order.order_id:
            return True
    return False


@jit
def unheard_lots_nb(venue, order):
    """What fills of the order's book and side, of which the kernel has not heard, add up to."""
    head = venue.head
    lots = 0
    for number in range(head.report_count):
        record = venue.reports[(head.report_first + number) % MAX_REPORTS]
        of_book = record.instrument == order.instrument and record.strategy == order.strategy
        if record.kind == FILLED.kind and of_book and record.words[FILLED.side] == order.side:
            lots += record.words[FILLED.quantity_lots]
    return lots
