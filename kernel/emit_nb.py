"""Writing events: the one way in which compiled code makes a record.

Owns the output, an array of records and how many are written. An event gets the next sequence when it is begun, so that
what it causes can name it at once; it takes effect only when ``apply`` has been given the finished record.
"""

from kernel.apportion_nb import MOST_PARTS, SHARES
from kernel.events.layout import RECORD, WORDS
from kernel.jit import jit
from kernel.plans import EXIT_FACTS
from kernel.records import record_dtype
from kernel.strategy.context import INTENT
from kernel.tables.risk import ASK

OUTPUT_RECORDS = 1 << 14
# Room to work in, for what the kernel wants by itself; nothing is kept there from one call to the next.
WORK = record_dtype(
    intent=INTENT,
    facts=EXIT_FACTS,
    shares=SHARES,
    order_ids=("<i8", MOST_PARTS),
)
# The times and the cause are the header of the next record; ``count`` says how many are written. The rest is
# ``place_nb``'s: the order that it made last (0 when it made none), and the group whose orders are being intended: its
# id, the role that began it, how many orders are to come, and whether one was refused.
# ``defers`` is 1 while orders that may trade with each other are intended: their verdicts follow the last one.
# ``ask`` is what is asked of the risk checks, and their answer.
OUTPUT = record_dtype(
    count="<i8",
    ts_event_ns="<i8",
    ts_ingest_ns="<i8",
    cause="<i8",
    order_id="<i8",
    group_id="<i8",
    group_role="<i8",
    group_left="<i8",
    group_refused="<i8",
    defers="<i8",
    work=WORK,
    ask=ASK,
    records=(RECORD, OUTPUT_RECORDS),
)


@jit
def begin_nb(state, output, kind, instrument, strategy):
    """Start a record with the header that the output holds (times, cause) and zeroed words; returns the record.

    The caller fills the words and then gives the record to ``apply_nb``, which takes the sequence.
    """
    record = output.records[output.count]
    output.count += 1
    record.sequence = state.head.next_sequence
    record.ts_event_ns = output.ts_event_ns
    record.ts_ingest_ns = output.ts_ingest_ns
    record.cause = output.cause
    record.kind = kind
    record.version = 1
    record["flags"] = 0  # by item: numpy records have an attribute of that name
    record.instrument = instrument
    record.strategy = strategy
    record.account = 0
    if strategy >= 0 and instrument >= 0:
        record.account = state.positions[strategy * state.head.instrument_count + instrument].account
    for word in range(WORDS):
        record.words[word] = 0
    return record
