"""Writing events: the one way in which compiled code makes a record.

Owns the caller's output array of records and its cursor. An event gets the next sequence when it is begun, so that
what it causes can name it at once; it takes effect only when ``apply`` has been given the finished record.
"""

from collections import namedtuple

import numpy as np

from kernel.jit import jit

# ``records`` is a caller-owned array of RECORD; ``cursor[0]`` says how many are written.
Output = namedtuple("Output", "records cursor")
CURSOR = np.dtype([("count", "<i8"), ("ts_event_ns", "<i8"), ("ts_ingest_ns", "<i8"), ("cause", "<i8")], align=True)


@jit
def begin_nb(state, output, kind, instrument, strategy):
    """Start a record with the header that the cursor holds (times, cause) and zeroed words; returns the record.

    The caller fills the words and then gives the record to ``apply_nb``, which takes the sequence.
    """
    cursor = output.cursor[0]
    record = output.records[cursor.count]
    cursor.count += 1
    record.sequence = state.head[0].next_sequence
    record.ts_event_ns = cursor.ts_event_ns
    record.ts_ingest_ns = cursor.ts_ingest_ns
    record.cause = cursor.cause
    record.kind = kind
    record.version = 1
    record.flags = 0
    record.instrument = instrument
    record.strategy = strategy
    record.account = 0
    record.words[:] = 0
    return record
