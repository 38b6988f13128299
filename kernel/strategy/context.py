"""What a strategy is given when it is called, and how it answers.

Owns the layout of the call (what happened) and of the intents (what the strategy wants). A strategy reads the state
and its own memory, and writes its memory and intents; it can do nothing else. Its intents become events only through
``decide``, which checks each.
"""

from kernel.events.layout import WORDS
from kernel.records import record_dtype
from kernel.state import STATE
from kernel.tables.table import MAX_POSITIONS, MAX_STRATEGIES, table_dtype

MAX_INTENTS = 32
MAX_PARAMETERS = 32
MEMORY_WORDS = 1 << 16
FEATURE_VALUES, FEATURE_PLACES, FEATURE_WORDS = 1 << 15, 1 << 16, 1 << 20
# What a strategy can be called for: the numbers of market kinds are those of kernel.market.
START, BAR, TRADE, QUOTE, DEPTH, SESSION, FUNDING, STATUS, ACTION, RATE, LEVEL = range(11)
MODEL = 12
FILL, TIMER = 32, 33
CALL_NAMES = {
    START: "start",
    BAR: "bar",
    TRADE: "trade",
    QUOTE: "quote",
    DEPTH: "depth",
    SESSION: "session",
    FUNDING: "funding",
    STATUS: "status",
    ACTION: "corporate_action",
    RATE: "rate",
    LEVEL: "level",
    MODEL: "model",
    FILL: "fill",
    TIMER: "timer",
}

SUBMIT, CANCEL, REPLACE, SET_TIMER, EMIT_SIGNAL, COMBINE, EMIT_REGIME = 1, 2, 3, 4, 5, 6, 7

CALL = record_dtype(
    kind="<i8",
    strategy="<i8",
    instrument="<i8",
    cause="<i8",
    ts_ns="<i8",
    memory_at="<i8",
    memory_size="<i8",
    parameters_at="<i8",
    intent_count="<i8",
    intents_lost="<i8",
    callback="<i8",
    series="<i8",  # of a bar: which of the series that the strategy asked for, from 0
    # The group that the next orders belong to: the role of the one that comes next, of those after it, how large the
    # group is, and how many orders are still to come.
    group_first="<i8",
    group_rest="<i8",
    group_size="<i8",
    group_left="<i8",
    words=("<i8", WORDS),
)
INTENT = table_dtype(
    "action",
    "instrument",
    "side",
    "order_type",
    "time_in_force",
    "quantity_lots",
    "limit_ticks",
    "stop_ticks",
    "order_id",
    "tag",
    "instructions",
    "leg",
    "due_ns",
    "interval_ns",
    "trail_kind",
    "trail_value",
    "limit_offset_ticks",
    "display_lots",
    "expire_ns",
    "group_role",
    "group_size",  # of the group that this order begins; 0 for the others in it, which follow at once
    # Of a signal, whose direction is the side and whose target price the limit.
    "strength_rate",
    "confidence_rate",
    "horizon_ns",
    "measure_e8",
    "low_return_rate",
    "high_return_rate",
    "key",  # the same key twice is a duplicate; 0 is none
    "signal_ns",  # when the signal arose that this acts on; 0 is now
)
# All strategies share ``memory`` and ``parameters``; each has its own stretch of them, from ``call.memory_at`` and
# ``call.parameters_at`` on. The last intent is a spare that takes what is over the limit.
CONTEXT = record_dtype(
    state=STATE,
    call=CALL,
    intents=(INTENT, MAX_INTENTS + 1),
    parameters=("<f8", MAX_STRATEGIES * MAX_PARAMETERS),
    memory=("<f8", MEMORY_WORDS),
    # The values of all features. At its place, a book has how many it reads, and the places of those.
    feature_books=("<i8", MAX_POSITIONS),
    feature_places=("<i8", FEATURE_PLACES),
    features=("<f8", FEATURE_VALUES),
    feature_memory=("<f8", FEATURE_WORDS),
)
