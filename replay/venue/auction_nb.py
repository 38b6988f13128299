"""Auctions: the single price at which at-open and at-close orders fill.

Owns which orders take part, and what is left of them. The price is the first print of a session (its open), or its
last.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.jit import unit
from kernel.ledger_nb import OK
from kernel.lifecycle import CANCEL_AUCTION, MARKET, TAKER
from kernel.state import STATE
from replay.venue.fills_nb import fill_nb
from replay.venue.memory import VENUE
from replay.venue.reports_nb import cancel_rest_nb
from replay.venue.settle_nb import settle_nb


@unit(VENUE, STATE, OUTPUT, np.int64, np.int64, np.int64, np.int64, np.int64, np.int64)
def auction_nb(venue, state, output, instrument, force, before_ns, price_ticks, offered_lots, ts_event_ns):
    """Fill the orders of this time in force that were there before ``before_ns`` at one price; cancel what is left.

    They share what is offered in the order of their arrival. A price of 0 fills nothing.
    """
    cause = output.cause
    at = 0
    while at < venue.head.order_count:
        order = venue.orders[at]
        at += 1
        takes_part = order.instrument == instrument and order.time_in_force == force and order.remaining_lots > 0
        if not takes_part or order.accepted_ns >= before_ns:
            continue
        first_record = output.count
        status = OK
        within = order.order_type == MARKET or order.side * price_ticks <= order.side * order.limit_ticks
        lots = min(order.remaining_lots, offered_lots) if price_ticks > 0 and within else 0
        if lots > 0:
            filled_before = order.filled_lots
            status = fill_nb(venue, state, output, order, price_ticks, lots, TAKER, ts_event_ns)
            offered_lots -= order.filled_lots - filled_before
        if status == OK and order.remaining_lots > 0:
            status = cancel_rest_nb(venue, state, output, order, CANCEL_AUCTION)
        if status == OK:
            status = settle_nb(venue, state, output, first_record)
            output.cause = cause
        if status != OK:
            return status
    return OK
