"""What a strategy is given when it is called, and how it answers.

Owns the layout of the call (what happened) and of the intents (what the strategy wants). A strategy reads the state
and its own memory, and writes its memory and intents; it can do nothing else. Its intents become events only through
``decide``, which checks each.
"""

from collections import namedtuple

import numpy as np

from kernel.events.layout import WORDS

MAX_INTENTS = 32
# What a strategy can be called for: the numbers of market kinds are those of kernel.market.
START, BAR, TRADE, QUOTE, FILL, TIMER = 0, 1, 2, 3, 4, 5
CALL_NAMES = {START: "start", BAR: "bar", TRADE: "trade", QUOTE: "quote", FILL: "fill", TIMER: "timer"}

SUBMIT, CANCEL, REPLACE, SET_TIMER = 1, 2, 3, 4

CALL = np.dtype(
    [
        ("kind", "<i8"),
        ("strategy", "<i8"),
        ("instrument", "<i8"),
        ("cause", "<i8"),
        ("ts_ns", "<i8"),
        ("memory_at", "<i8"),
        ("memory_size", "<i8"),
        ("parameters_at", "<i8"),
        ("intent_count", "<i8"),
        ("intents_lost", "<i8"),
        ("callback", "<i8"),
        ("words", "<i8", (WORDS,)),
    ],
    align=True,
)
INTENT = np.dtype(
    [
        (name, "<i8")
        for name in (
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
            "due_ns",
            "interval_ns",
        )
    ],
    align=True,
)

# ``state`` is the kernel's State; ``call`` has one row; ``memory`` and ``parameters`` are float64 and shared by all
# strategies, each having its own stretch from ``call.memory_at`` and ``call.parameters_at`` on.
Context = namedtuple("Context", "state call intents memory parameters")
