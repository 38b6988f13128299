"""The life of an order, as one table.

Owns the statuses, the things that can happen to an order, and which may follow which. Compiled code reads the same
table as ``NEXT[status, happening]``; -1 there means that it cannot happen, and ``apply`` refuses it.
"""

import numpy as np

INTENDED, SUBMITTED, WORKING, PARTIAL, PENDING_CANCEL, PENDING_REPLACE = range(1, 7)
FILLED, CANCELED, EXPIRED, REJECTED, DENIED = range(7, 12)
STATUS_NAMES = {
    INTENDED: "intended",
    SUBMITTED: "submitted",
    WORKING: "working",
    PARTIAL: "partly filled",
    PENDING_CANCEL: "cancel pending",
    PENDING_REPLACE: "replace pending",
    FILLED: "filled",
    CANCELED: "cancelled",
    EXPIRED: "expired",
    REJECTED: "rejected",
    DENIED: "denied",
}
FIRST_TERMINAL = FILLED

APPROVE, DENY, ACCEPT, REJECT, FILL_PART, FILL_REST, ASK_CANCEL, CANCEL, EXPIRE, ASK_REPLACE, REPLACE = range(11)
HAPPENING_NAMES = (
    "approve",
    "deny",
    "accept",
    "reject",
    "fill part",
    "fill rest",
    "ask cancel",
    "cancel",
    "expire",
    "ask replace",
    "replace",
)

# A venue may fill before it acknowledges, and fill or expire while a cancel or a replace is under way: those races are
# legal here and nowhere else.
_OPEN = {FILL_REST: FILLED, CANCEL: CANCELED, EXPIRE: EXPIRED}
TABLE = {
    INTENDED: {APPROVE: SUBMITTED, DENY: DENIED},
    SUBMITTED: {ACCEPT: WORKING, REJECT: REJECTED, FILL_PART: PARTIAL, ASK_CANCEL: PENDING_CANCEL, **_OPEN},
    WORKING: {FILL_PART: PARTIAL, ASK_CANCEL: PENDING_CANCEL, ASK_REPLACE: PENDING_REPLACE, **_OPEN},
    PARTIAL: {ACCEPT: PARTIAL, FILL_PART: PARTIAL, ASK_CANCEL: PENDING_CANCEL, ASK_REPLACE: PENDING_REPLACE, **_OPEN},
    PENDING_CANCEL: {ACCEPT: PENDING_CANCEL, FILL_PART: PENDING_CANCEL, REJECT: REJECTED, **_OPEN},
    PENDING_REPLACE: {REPLACE: WORKING, FILL_PART: PENDING_REPLACE, ASK_CANCEL: PENDING_CANCEL, **_OPEN},
}

NEXT = np.full((DENIED + 1, len(HAPPENING_NAMES)), -1, np.int64)
for _status, _row in TABLE.items():
    for _happening, _after in _row.items():
        NEXT[_status, _happening] = _after

# Order types, times in force and sides, as the payload words hold them.
MARKET, LIMIT, STOP, STOP_LIMIT = range(1, 5)
ORDER_TYPE_NAMES = {MARKET: "market", LIMIT: "limit", STOP: "stop", STOP_LIMIT: "stop-limit"}
GTC, IOC, FOK, DAY = range(1, 5)
TIME_IN_FORCE_NAMES = {GTC: "GTC", IOC: "IOC", FOK: "FOK", DAY: "DAY"}
BUY, SELL = 1, -1
SIDE_NAMES = {BUY: "buy", SELL: "sell"}

# Why a venue cancelled the rest of an order, and how a fill met the market.
CANCEL_ON_REQUEST, CANCEL_IOC, CANCEL_FOK, CANCEL_NO_FUNDS = range(4)
CANCEL_REASONS = {
    CANCEL_ON_REQUEST: "requested",
    CANCEL_IOC: "immediate-or-cancel: the rest did not fill",
    CANCEL_FOK: "fill-or-kill: not enough volume",
    CANCEL_NO_FUNDS: "not enough margin at the fill price",
}
TAKER, MAKER = 1, 2

# Why the simulated venue refuses an order.
REJECT_STOP_IN_MARKET = 1
REJECT_REASONS = {REJECT_STOP_IN_MARKET: "the market is beyond the stop already"}

# What an order insists on, as bits, and who wants it.
POST_ONLY, REDUCE_ONLY, CLOSE_POSITION = 1, 2, 4
INSTRUCTION_NAMES = {POST_ONLY: "post-only", REDUCE_ONLY: "reduce-only", CLOSE_POSITION: "close-position"}
STRATEGY_ORDER, EXIT_ORDER, LIQUIDATION_ORDER, FLATTEN_ORDER = range(4)
PURPOSE_NAMES = {
    STRATEGY_ORDER: "strategy",
    EXIT_ORDER: "exit",
    LIQUIDATION_ORDER: "liquidation",
    FLATTEN_ORDER: "flatten",
}
