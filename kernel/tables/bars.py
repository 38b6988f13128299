"""Series of bars in the state: the rule of each, its bar in progress, and what it remembers."""

from kernel.tables.table import table_dtype

MAX_SERIES = 512
# Why an input is in no bar. What lies outside of sessions is only counted.
LATE, STRADDLES = 1, 2
# Flags of a bar: shorter than its rule says (the session ended, or a bar was cut before), not covered by its inputs,
# cut by a split.
SHORT, GAPS, CUT = 1, 2, 4

SERIES = table_dtype(
    "instrument",
    "next_series",  # of the same instrument, counted from 1; 0 for none
    "kind",
    "size_units",  # nanoseconds, inputs, lots, minor units or ticks; 0: the whole session
    "session",
    "span",
    "least",
    "most",
    "source",
    "parent",
    "from_bars",  # 1: its inputs, or those of its parent, are bars
    "source_span_ns",  # the length of the bars that it is made of; 0 is not known
    "skip_span_ns",  # bars of this length or shorter are there for the venue alone
    "wait_ns",  # how long after its end a time bar waits for its last input
    # The bar in progress. As long as there are no inputs there is none.
    "input_count",
    "step_count",  # of its direct inputs; the inputs of a series count what those were made of
    "open_ticks",
    "high_ticks",
    "low_ticks",
    "close_ticks",
    "volume_lots",
    "value_minor",
    "begin_ns",
    "end_ns",
    "first_ns",  # when its first input began, and its last one ended
    "last_ns",
    "covered_ns",  # the sum of the spans of its inputs
    "due_ns",  # when it is to be closed; NEVER_NS without one in progress
    "cut",
    # An input that was dropped and is to be told.
    "dropped",
    "dropped_open_ns",
    "dropped_end_ns",
    # What is remembered from bar to bar.
    "last_end_ns",
    "has_price",  # of what follows
    "previous_ticks",
    "sign",
    "imbalance",
    "threshold",
    "expected_length_e8",
    "expected_imbalance",  # an input: signs in 1/100,000,000, volumes in 1/100 lot
    "brick_ticks",
    "direction",
    "brick_count",  # bricks that are still to be closed
    "average_open_e8",
    "average_close_e8",
    # Counts for reports.
    "bar_count",
    "gap_count",
    "late_count",
    "straddle_count",
    "outside_count",
)
