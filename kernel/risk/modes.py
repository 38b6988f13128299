"""Levels of the kill switch, who may ask for them, and trading modes, as the payload words hold them."""

OPERATOR, FILE, HEARTBEAT, ADAPTER = range(1, 5)
SOURCES = {OPERATOR: "operator", FILE: "file", HEARTBEAT: "heartbeat", ADAPTER: "adapter"}
NO_ENTRIES, CANCEL_ALL, FLATTEN_ALL = 1, 2, 3
KILL_LEVELS = {0: "off", NO_ENTRIES: "no new entries", CANCEL_ALL: "cancel all", FLATTEN_ALL: "flatten all"}
# A reason of ``DegradedSet`` that stops what strategies reduce by, too: the session is ending.
DRAINING = 64
ANY_ORDER, REDUCE_MODE, EXIT_MODE = range(3)
MODES = {ANY_ORDER: "normal", REDUCE_MODE: "reduce", EXIT_MODE: "exit"}
