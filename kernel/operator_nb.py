"""What follows from the requests of an operator that are about orders: cancel, flatten.

Owns the events right after such a request was applied. The kill switch and the mode are ``watch_nb``'s.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.events.layout import CANCEL_ASKED, FLATTEN_ASKED
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import ASK_CANCEL, FLATTEN_ORDER, LIQUIDATION_ORDER, NEXT, PENDING_CANCEL
from kernel.requests_nb import ask_cancel_nb
from kernel.risk.watch_nb import WORK_RECORDS, flatten_instrument_nb
from kernel.state import STATE


@inlined
def _cancel_nb(state, output, instrument, order_id, below):
    """Ask for the cancel of one order, or of those of an instrument (-1: of all) whose purpose is below a number."""
    most = output.count + WORK_RECORDS
    for back in range(state.head.order_count):
        row = state.head.order_count - 1 - back
        if row < 0 or output.count >= most:
            break
        order = state.orders[row]
        named = order.order_id == order_id if order_id != 0 else instrument < 0 or order.instrument == instrument
        if not named or order.purpose >= below:
            continue
        if order.status == PENDING_CANCEL or NEXT[order.status, ASK_CANCEL] < 0:
            continue
        status = ask_cancel_nb(state, output, order, 0)
        if status != OK:
            return status
    return OK


@unit(STATE, OUTPUT, np.int64)
def operator_nb(state, output, at):
    """Derive what follows from the request that is record ``at`` of the output. Returns a status."""
    record = output.records[at]
    kind, instrument, cause = record.kind, record.instrument, record.sequence
    output.cause = cause
    if kind == CANCEL_ASKED.kind:
        return _cancel_nb(state, output, instrument, record.words[CANCEL_ASKED.order_id], FLATTEN_ORDER + 1)
    if kind != FLATTEN_ASKED.kind:
        return OK
    status = _cancel_nb(state, output, instrument, 0, LIQUIDATION_ORDER)
    most = output.count + WORK_RECORDS
    for number in range(state.head.instrument_count):
        if status == OK and (instrument < 0 or number == instrument):
            output.cause = cause
            status = flatten_instrument_nb(state, output, number, most)
    return status
