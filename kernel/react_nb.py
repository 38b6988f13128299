"""``react``: what the kernel derives from a report of the venue, right after it was applied.

Owns the events that follow a fill: what it did to the book, and the round trip when it ended one; then what the
orders of a group need (``linked_nb``). Simulated and real venues alike: a driver applies a report and then calls this.
"""

import numpy as np

from kernel.after_fill_nb import after_fill_nb, liquidation_fee_nb
from kernel.emit_nb import OUTPUT
from kernel.events.layout import CHECKED, FILLED, REQUEST_REJECTED
from kernel.jit import unit
from kernel.ledger_nb import OK
from kernel.lifecycle import LIQUIDATION_ORDER
from kernel.linked_nb import drop_idle_nb, keep_groups_nb
from kernel.mending_nb import mend_group_nb
from kernel.state import STATE


@unit(STATE, OUTPUT, np.int64)
def react_nb(state, output, at):
    """Derive what follows from the report that is record ``at`` of the output. Returns a status."""
    record = output.records[at]
    head, kind, status = state.head, record.kind, OK
    output.cause = record.sequence
    if kind == FILLED.kind:
        status = after_fill_nb(state, output, record.strategy, record.instrument, record.words[FILLED.order_id])
        if status == OK and state.closed_trade.purpose == LIQUIDATION_ORDER:
            words = record.words
            order_id, price, lots = words[FILLED.order_id], words[FILLED.price_ticks], words[FILLED.quantity_lots]
            status = liquidation_fee_nb(state, output, record.strategy, record.instrument, order_id, price, lots)
        if status == OK and head.order_count > 0:
            status = drop_idle_nb(state, output, record.strategy, record.instrument)
    if status == OK and kind == FILLED.kind and state.group_fill.group_id != 0:
        status = mend_group_nb(state, output, at)
        output.cause = record.sequence
    if status == OK and head.group_order_count > 0 and CHECKED.kind <= kind <= REQUEST_REJECTED.kind:
        status = keep_groups_nb(state, output)
    return status
