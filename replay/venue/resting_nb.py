"""The orders that rest at the venue: finding them, taking out what is done, and what ends when."""

from kernel.jit import inlined, jit
from kernel.tables.table import NEVER_NS
from replay.venue.memory import MAX_REPORTS, MAX_REQUESTS, VENUE_ORDERS
from replay.venue.profiles import HALT, MAINTENANCE

DAY_NS = 86_400_000_000_000


@jit
def find_resting_nb(venue, order_id):
    """The row of a resting order at the venue, or -1."""
    for at in range(venue.head.order_count):
        if venue.orders[at].order_id == order_id and venue.orders[at].remaining_lots > 0:
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
def is_in_maintenance_nb(venue, instrument, ts_ns):
    """Whether the venue takes no request for an instrument: its status says so, or a window of the day."""
    found = venue.markets[instrument].status == MAINTENANCE
    time_ns = ts_ns % DAY_NS
    for at in range(venue.head.window_count):
        window = venue.windows[at]
        found = found or window.start_ns <= time_ns < window.end_ns
    return found


@inlined
def is_halted_nb(venue, instrument):
    """Whether trading in an instrument is halted: it can only be cancelled there."""
    return venue.markets[instrument].status == HALT


@jit
def note_end_nb(venue, end_ns):
    """Something ends at this time."""
    head = venue.head
    head.next_end_ns = min(head.next_end_ns, end_ns)
    head.next_due_ns = min(head.next_due_ns, end_ns)


@jit
def note_next_due_nb(venue):
    """Find anew what the venue does next by itself."""
    head = venue.head
    due_ns = head.next_end_ns
    if head.report_count > 0:
        due_ns = min(due_ns, venue.reports[head.report_first % MAX_REPORTS].ts_ingest_ns)
    if head.request_count > 0:
        due_ns = min(due_ns, venue.requests[head.request_first % MAX_REQUESTS].due_ns)
    head.next_due_ns = due_ns


@jit
def note_next_end_nb(venue, instrument_count):
    """Find anew what ends next: the time of an order, or a session whose last print has not come."""
    head = venue.head
    end_ns = NEVER_NS
    for at in range(head.order_count):
        order = venue.orders[at]
        if order.remaining_lots > 0 and order.ends_ns > 0:
            end_ns = min(end_ns, order.ends_ns)
    for at in range(instrument_count):
        market = venue.markets[at]
        if market.session_close_ns > 0 and market.has_closed == 0:
            end_ns = min(end_ns, market.session_close_ns + 1)
    head.next_end_ns = end_ns
