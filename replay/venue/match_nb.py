"""Matching: what a market row does at the simulated venue.

Owns the order of it: what ends with the day, the auctions, then the resting orders, by the rules of the profile.
"""

from kernel.emit_nb import OUTPUT
from kernel.events.layout import BAR_CLOSED, TRADE_SEEN
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK, is_over_nb
from kernel.lifecycle import AT_CLOSE, AT_OPEN, DAY
from kernel.market import BAR, DEPTH, QUOTE, ROW
from kernel.state import STATE
from replay.venue.auction_nb import auction_nb
from replay.venue.book_match_nb import match_book_nb, take_depth_nb
from replay.venue.facts_nb import take_fact_nb
from replay.venue.finer_nb import is_finer_nb
from replay.venue.memory import VENUE
from replay.venue.path_nb import walk_nb
from replay.venue.profiles import BOOK, INTRABAR, OHLC, OHLC_ADAPTIVE, PESSIMISTIC, TRADING, UNLIMITED
from replay.venue.range_match_nb import match_range_nb
from replay.venue.range_nb import offered_lots_nb
from replay.venue.reports_nb import expire_order_nb
from replay.venue.resting_nb import DAY_NS, drop_done_nb, is_in_maintenance_nb
from replay.venue.settle_nb import settle_nb


@inlined
def _end_day_nb(venue, state, output, ts_ns):
    """At the first row of a new UTC day: end the DAY orders of the days before, where no sessions are known.

    ``ts_ns`` is when the event began: a bar belongs to the day in which it opened, though it is known at its close.
    """
    head = venue.head
    day = ts_ns // DAY_NS
    if day <= head.day:
        return OK
    head.day = day
    cause = output.cause
    for at in range(head.order_count):
        order = venue.orders[at]
        is_due = order.time_in_force == DAY and order.accepted_ns // DAY_NS < day and order.remaining_lots > 0
        if is_due and venue.markets[order.instrument].session_close_ns == 0:
            first_record = output.count
            status = expire_order_nb(venue, state, output, order, output.ts_event_ns)
            if status == OK:
                status = settle_nb(venue, state, output, first_record)
                output.cause = cause
            if status != OK:
                return status
    return OK


@inlined
def _print_nb(venue, state, output, row, closing):
    """Hold an auction when this row has the first (or, after it, the last) print of the session."""
    market = venue.markets[row.instrument]
    open_ns, close_ns = market.session_open_ns, market.session_close_ns
    if close_ns == 0 or row.kind >= QUOTE or (closing and row.kind != BAR):
        return OK
    words = row.words
    begins_ns = words[BAR_CLOSED.ts_open_ns] if row.kind == BAR else row.ts_ns
    whole = begins_ns <= open_ns and row.ts_ns >= close_ns  # a bar that holds the session
    offered = UNLIMITED
    if venue.head.profile == PESSIMISTIC or venue.head.profile == INTRABAR:
        offered = offered_lots_nb(venue.head, state.instruments[row.instrument], row, 1)
    if closing:
        if market.has_closed == 1 or not (whole or row.ts_ns == close_ns):
            return OK
        market.has_closed = 1
        price, force, before_ns, ts_event_ns = words[BAR_CLOSED.close_ticks], AT_CLOSE, close_ns, row.ts_ns
    else:
        if market.has_opened == 1 or not (whole or begins_ns >= open_ns):
            return OK
        market.has_opened = 1
        price = words[BAR_CLOSED.open_ticks] if row.kind == BAR else words[TRADE_SEEN.price_ticks]
        force, before_ns, ts_event_ns = AT_OPEN, open_ns + 1, begins_ns
    return auction_nb(venue, state, output, row.instrument, force, before_ns, price, offered, ts_event_ns)


@inlined
def _is_walked_nb(venue, row):
    """Whether a bar's span was walked in finer rows already. A bar without any fills as it is."""
    market = venue.markets[row.instrument]
    if row.kind > QUOTE or market.finer_span_ns == 0:
        return False
    if is_finer_nb(market, row):
        market.finer_ns = row.ts_ns
        return False
    return market.finer_ns > row.words[BAR_CLOSED.ts_open_ns]


@unit(VENUE, STATE, OUTPUT, ROW)
def match_nb(venue, state, output, row):
    """Let a market row meet the venue. Returns a status."""
    head = venue.head
    complete = 0
    if row.kind == DEPTH and head.profile == BOOK:
        complete = take_depth_nb(venue, row)
    if row.kind > QUOTE and complete == 0:
        return take_fact_nb(venue, row)
    begins_ns = row.words[BAR_CLOSED.ts_open_ns] if row.kind == BAR else row.ts_ns
    status = _end_day_nb(venue, state, output, begins_ns)
    instrument = state.instruments[row.instrument]
    closed = venue.markets[row.instrument].status != TRADING
    if instrument.expiry_ns != 0 and is_over_nb(instrument, row.kind == BAR, row.ts_ns, row.words):
        closed = True
    if head.profile == INTRABAR and _is_walked_nb(venue, row):
        closed = True
    if status != OK or closed or is_in_maintenance_nb(venue, row.instrument, row.ts_ns):
        drop_done_nb(venue)
        return status
    head.row += 1
    head.matching = head.row
    status = _print_nb(venue, state, output, row, False)
    if status == OK and (head.profile == OHLC or head.profile == OHLC_ADAPTIVE):
        status = walk_nb(venue, state, output, row)
    elif status == OK and head.profile == BOOK:
        status = match_book_nb(venue, state, output, row)
    elif status == OK:
        status = match_range_nb(venue, state, output, row)
    if status == OK:
        status = _print_nb(venue, state, output, row, True)
    head.matching = 0
    drop_done_nb(venue)
    return status
