"""Folding a journal through ``apply``: recovery, and looking at any moment of a history.

Owns the joining of stored records and referenced market rows by sequence. It decides nothing and calls no strategy.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.events.layout import RECORD, SEGMENT
from kernel.jit import unit, vector
from kernel.ledger_check_nb import ledger_problem_nb
from kernel.ledger_nb import OK
from kernel.market import ROW
from kernel.marks_nb import event_kind_nb, market_nb
from kernel.state import STATE


@unit(STATE, vector(RECORD), vector(ROW), np.int64, vector(np.int64), np.int64)
def fold_nb(state, records, rows, last_sequence, progress, checked):
    """Apply the records of one frame and the rows that it references, up to and with ``last_sequence``.

    ``progress`` (int64, length 2, owned by the caller) is left at how many records and rows were applied. Returns OK or
    the status of the event that did not fit; a row is taken wherever no stored record bears the next sequence. With
    ``checked`` (1) the ledger is checked after every event, and what is wrong with it is returned negative.
    """
    at, row = 0, 0
    status = OK
    while status == OK and state.head.next_sequence <= last_sequence:
        if at < len(records) and records[at].kind == SEGMENT.kind:
            at += 1
        elif at < len(records) and (records[at].sequence == state.head.next_sequence or row >= len(rows)):
            status = apply_nb(state, records[at])
            at += 1
        elif row < len(rows):
            status = market_nb(
                state, event_kind_nb(rows[row].kind), rows[row].instrument, rows[row].ts_ns, rows[row].words
            )
            row += 1
        else:
            break
        if checked == 1 and status == OK:
            status = -ledger_problem_nb(state)
    progress[0] = at
    progress[1] = row
    return status
