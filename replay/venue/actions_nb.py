"""What the venue does by itself between two rows, each as a transaction of its own with its own time.

A report arrives at the kernel, a request arrives at the venue, an order's time is over, a session ends.
"""

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import FILLED, WORDS
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import AT_CLOSE
from kernel.react_nb import react_nb
from kernel.state import STATE
from replay.venue.arrival_nb import carry_out_nb
from replay.venue.auction_nb import auction_nb
from replay.venue.memory import MAX_REPORTS, MAX_REQUESTS, VENUE
from replay.venue.profiles import UNLIMITED
from replay.venue.reports_nb import expire_order_nb
from replay.venue.resting_nb import drop_done_nb, note_next_due_nb, note_next_end_nb
from replay.venue.settle_nb import settle_nb


@inlined
def _deliver_nb(venue, state, output):
    """Let the kernel hear of the oldest report."""
    head = venue.head
    report = venue.reports[head.report_first]
    head.report_first = (head.report_first + 1) % MAX_REPORTS
    head.report_count -= 1
    output.ts_event_ns = report.ts_event_ns
    output.cause = report.cause
    record = begin_nb(state, output, report.kind, report.instrument, report.strategy)
    for word in range(WORDS):
        record.words[word] = report.words[word]
    output.ts_event_ns = output.ts_ingest_ns
    at = output.count - 1
    status = apply_nb(state, record)
    if status == OK and report.kind == FILLED.kind:  # settling leaves what follows from a fill to who books it
        status = react_nb(state, output, at)
    return status


@inlined
def _arrive_nb(venue, state, output):
    """Let the venue have the oldest request."""
    head = venue.head
    request = venue.requests[head.request_first]
    head.request_first = (head.request_first + 1) % MAX_REQUESTS
    head.request_count -= 1
    output.cause = request.cause
    return carry_out_nb(venue, state, output, request)


@inlined
def _end_nb(venue, state, output, now_ns):
    """Let the last prints of sessions and the orders whose time is over go."""
    head = venue.head
    for instrument in range(state.head.instrument_count):
        market = venue.markets[instrument]
        if 0 < market.session_close_ns < now_ns and market.has_closed == 0:
            market.has_closed = 1
            price, close_ns = state.instruments[instrument].last_ticks, market.session_close_ns
            status = auction_nb(venue, state, output, instrument, AT_CLOSE, close_ns, price, UNLIMITED, close_ns)
            if status != OK:
                return status
    for at in range(head.order_count):
        order = venue.orders[at]
        if 0 < order.ends_ns <= now_ns and order.remaining_lots > 0:
            first_record = output.count
            output.cause = order.order_id
            status = expire_order_nb(venue, state, output, order, now_ns)
            if status == OK:
                status = settle_nb(venue, state, output, first_record)
            if status != OK:
                return status
    return OK


@unit(VENUE, STATE, OUTPUT)
def act_nb(venue, state, output):
    """Do what is due first. The output bears its time. Returns a status."""
    head = venue.head
    now_ns = head.next_due_ns
    output.ts_event_ns = output.ts_ingest_ns = now_ns
    output.cause = state.head.next_sequence - 1
    first_record = output.count
    if head.next_end_ns <= now_ns:
        status = _end_nb(venue, state, output, now_ns)
    else:
        if head.report_count > 0 and venue.reports[head.report_first].ts_ingest_ns <= now_ns:
            status = _deliver_nb(venue, state, output)
        else:
            status = _arrive_nb(venue, state, output)
        if status == OK:
            status = settle_nb(venue, state, output, first_record)
    drop_done_nb(venue)
    note_next_end_nb(venue, state.head.instrument_count)
    note_next_due_nb(venue)
    return status
