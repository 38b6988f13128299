"""Making bars of market rows alone: the same code as in a run, without venue, orders and strategies."""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.bars.closing_nb import bars_due_nb, close_bar_nb, due_series_nb, overtaken_ns_nb
from kernel.emit_nb import OUTPUT, OUTPUT_RECORDS, begin_nb
from kernel.jit import inlined, unit, vector
from kernel.ledger_nb import OK
from kernel.market import ROW, ROW_WORDS
from kernel.marks_nb import event_kind_nb
from kernel.state import STATE


@inlined
def _take_row_nb(state, output, row):
    """Apply one row; what it takes to do so is not kept."""
    output.ts_event_ns = output.ts_ingest_ns = row.ts_ns
    output.cause = 0
    record = begin_nb(state, output, event_kind_nb(row.kind), row.instrument, -1)
    for word in range(ROW_WORDS):
        record.words[word] = row.words[word]
    status = apply_nb(state, record)
    output.cause = record.sequence
    output.count -= 1
    return status


@unit(STATE, OUTPUT, vector(ROW), np.int64)
def aggregate_nb(state, output, rows, at):
    """Take rows from ``at`` on, and write the events of bars into the output.

    Returns how many rows were taken when they are used up or the output is nearly full; -1 - status when one does not
    fit.
    """
    head = state.head
    status = OK
    instrument, number = -1, due_series_nb(state, -1, -1)
    while status == OK and output.count < OUTPUT_RECORDS - 8:
        if number >= 0:
            status = close_bar_nb(state, output, number)
            number = due_series_nb(state, instrument, number)
            continue
        if at >= len(rows):
            break
        row = rows[at]
        overtaken_ns = overtaken_ns_nb(state, row) if head.bars_wait == 1 else 0
        if head.next_bar_ns <= row.ts_ns or overtaken_ns > 0:
            of_row = head.next_bar_ns > row.ts_ns
            output.ts_event_ns = output.ts_ingest_ns = row.ts_ns if of_row else head.next_bar_ns
            output.cause = 0
            instrument = row.instrument if of_row else -1
            status = bars_due_nb(state, output, instrument, overtaken_ns if of_row else 0)
        else:
            instrument = row.instrument
            status = _take_row_nb(state, output, row)
            at += 1
        number = due_series_nb(state, instrument, -1)
    return at if status == OK else -1 - status
