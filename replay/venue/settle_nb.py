"""Settling: what follows from new events, until nothing more does.

Owns the walk over the records that were just written: a report of the venue is given to the kernel, which may derive
events from it; an order or a request of the kernel is given to the venue, which may answer. What either adds is walked
too, so one call leaves nothing undone.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.events.layout import FILLED
from kernel.jit import unit
from kernel.ledger_nb import OK
from kernel.react_nb import react_nb
from kernel.state import STATE
from replay.venue.memory import VENUE
from replay.venue.receive_nb import receive_nb


@unit(VENUE, STATE, OUTPUT, np.int64)
def settle_nb(venue, state, output, first_record):
    """Settle the records from ``first_record`` on. Returns a status; the cause in the output is changed."""
    at = first_record
    while at < output.count:
        record = output.records[at]
        status = OK
        if record.kind != FILLED.kind:  # what a fill brings was derived when it was booked
            status = react_nb(state, output, at)
        if status == OK:
            output.cause = record.sequence
            status = receive_nb(venue, state, output, record)
        if status != OK:
            return status
        at += 1
    return OK
