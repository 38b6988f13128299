"""The engine's memory: everything that the loop reads and writes, as one record.

Owns the layout and its bounds; ``engine.py`` allocates it, ``loop_nb.py`` works on it.
"""

from kernel.emit_nb import OUTPUT
from kernel.events.layout import RECORD
from kernel.records import record_dtype
from kernel.strategy.context import CONTEXT
from kernel.tables.bars import MAX_SERIES
from kernel.tables.table import MAX_INSTRUMENTS, MAX_POSITIONS, MAX_STRATEGIES, table_dtype
from replay.venue.memory import VENUE

FRAME_RECORDS = 500  # with the header and a segment record this stays under 65,535 bytes
FRAME_ROWS = 32_768
FRAME_BYTES = 64_800  # of records and bodies, where there are bodies
TRANSACTION_RECORDS = 1024  # room that a transaction can take: what one row fills, then one call after FRAME_RECORDS
SAMPLES = 1 << 16
MAX_DAYS = 1 << 16
MAX_FRAMES = 1024

# Subscribed: 1 to all rows, 2 to all but bars, which it hears of its series instead.
BOOK = table_dtype("subscribed", "starts", "memory_at", "memory_size", "parameters_at", "callback")
# What is computed when a bar closes, by instrument for the data's own bars, then by series: the place of the compiled
# set among the entries, from 1 (0: nothing), and where its memory and its values begin.
FEATURE_PLAN = table_dtype("entry", "memory_at", "values_at", "value_count", "record", "callback")
CONTROL = table_dtype(
    "features_on",  # 1 when some feature is computed
    "row",  # next row of the batch
    "row_count",  # rows done since the start
    "bars_left",  # 1: bars of this moment are still to be closed, in a transaction of their own
    "status",  # of apply, when it failed
    "strategy",  # that raised
    "started",
    "inline",  # journal market rows as records
    "transaction_record",  # where the transaction under way begins in the output
    "told_record",  # up to where strategies were told of their fills
    "frame_record",  # where the frame under way begins in the output
    "frame_rows",
    "frame_sequence",
    "frame_count",  # finished frames in this output
    "done_sequence",  # the next sequence, and the time, after the last whole transaction
    "done_ts_ns",
    "dated",  # 1: the rows have times of their own at the venue (``events_ns``), beside those at which they are known
    "quiet_rows",  # when the rows are used up, a frame of more than rows, or of so many, is cut; 0: it is not
    "body_bytes",  # of the input under way, with what packs it
    "frame_bytes",  # of the bodies in the frame under way
    "stop_sequence",  # where the driver wants to step in; 0 is nowhere
)
# Inputs that are no market rows, with the size of their bodies. The record's sequence is given when it is taken in.
MAX_INPUTS = 2048
FRAME = table_dtype("record_end", "row_count", "row_end", "first_sequence", "event_count", "ts_ingest_ns")
# Statistics are for reports only; nothing that decides reads them.
STATISTICS = record_dtype(
    sample_count="<i8",
    sample_stride="<i8",
    sample_skip="<i8",
    day_count="<i8",
    peak_minor="<i8",
    trough_minor="<i8",
    drawdown="<f8",
    day_end_ns="<i8",
    last_ts_ns="<i8",
    data_rows="<i8",  # bars, trades, quotes and depth
    exposed_rows="<i8",  # of them, while something was held
)
SAMPLE = table_dtype("ts_ns", "equity_minor", "cash_minor")
ENGINE = record_dtype(
    context=CONTEXT,
    venue=VENUE,
    control=CONTROL,
    statistics=STATISTICS,
    books=(BOOK, MAX_POSITIONS),
    hearing=("<i8", MAX_SERIES * MAX_STRATEGIES),  # place of a series among those of a strategy, from 1; 0: not heard
    feature_plans=(FEATURE_PLAN, MAX_INSTRUMENTS + MAX_SERIES),
    output=OUTPUT,
    frames=(FRAME, MAX_FRAMES),
    inputs=(RECORD, MAX_INPUTS),
    input_bytes=("<i8", MAX_INPUTS),
    events_ns=("<i8", MAX_INPUTS),
    samples=(SAMPLE, SAMPLES),
    days=(SAMPLE, MAX_DAYS),
)
