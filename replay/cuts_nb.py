"""Cutting the stream of records into frames.

Owns where a frame ends: between transactions, by rules that depend on the transactions alone, so batches and files of
any size give the same journal. And the codes with which the loop comes back.
"""

from kernel.events.layout import RECORD
from kernel.jit import inlined, jit
from replay.memory import FRAME_BYTES, FRAME_RECORDS, FRAME_ROWS

RECORD_BYTES = RECORD.itemsize

# Why the loop came back.
NEED_ROWS, OUTPUT_FULL, DIGEST_DUE, STOP_DUE, STRATEGY_RAISED, APPLY_FAILED, FRAME_TOO_LARGE = range(7)


@jit
def cut_frame_nb(engine, record_end, next_sequence, ts_ns):
    """Finish the frame under way: everything before ``record_end`` and ``next_sequence`` that is not yet in one."""
    control = engine.control
    frame = engine.frames[control.frame_count]
    frame.record_end = record_end
    frame.row_count = control.frame_rows
    frame.row_end = control.row
    frame.first_sequence = control.frame_sequence
    frame.event_count = next_sequence - control.frame_sequence
    frame.ts_ingest_ns = ts_ns
    control.frame_count += 1
    control.frame_record = record_end
    control.frame_rows = control.frame_bytes = 0
    control.frame_sequence = next_sequence


@inlined
def end_transaction_nb(engine, first_record, first_sequence, ts_before_ns, rows):
    """Put the finished transaction into a frame: the one under way, or a new one when it would not fit.

    Where frames are cut depends on the transactions alone, so batches and files of any size give the same journal.
    """
    control, head, count = engine.control, engine.context.state.head, engine.output.count
    bodies = control.body_bytes
    if count - first_record > FRAME_RECORDS or (count - first_record) * RECORD_BYTES + bodies > FRAME_BYTES:
        return FRAME_TOO_LARGE
    total = (count - control.frame_record) * RECORD_BYTES + control.frame_bytes + bodies
    if count - control.frame_record > FRAME_RECORDS or (bodies + control.frame_bytes > 0 and total > FRAME_BYTES):
        cut_frame_nb(engine, first_record, first_sequence, ts_before_ns)
    control.frame_bytes += bodies
    control.body_bytes = 0
    control.frame_rows += rows
    control.row += rows
    control.row_count += rows
    control.done_sequence = head.next_sequence
    control.done_ts_ns = head.now_ns
    if control.frame_rows >= FRAME_ROWS:
        cut_frame_nb(engine, count, head.next_sequence, head.now_ns)
    return NEED_ROWS
