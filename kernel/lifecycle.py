"""The life of an order, as one table, and the numbers of what an order can be.

Owns the statuses, the things that can happen to an order, and which may follow which. Compiled code reads the same
table as ``NEXT[status, happening]``; -1 there means that it cannot happen, and ``apply`` refuses it. What a type of
order needs, and what goes together, is in ``terms.py``.
"""

import numpy as np

INTENDED, HELD, SUBMITTED, WORKING, PARTIAL, PENDING_CANCEL, PENDING_REPLACE = range(1, 8)
FILLED, CANCELED, EXPIRED, REJECTED, DENIED = range(8, 13)
STATUS_NAMES = {
    INTENDED: "intended",
    HELD: "held",
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

APPROVE, HOLD, DENY, RELEASE, ACCEPT, REJECT, FILL_PART, FILL_REST, CANCEL, EXPIRE = range(10)
ASK_CANCEL, REFUSE_CANCEL, ASK_REPLACE, REPLACE, REFUSE_REPLACE = range(10, 15)
HAPPENING_NAMES = (
    "approve",
    "hold",
    "deny",
    "release",
    "accept",
    "reject",
    "fill part",
    "fill rest",
    "cancel",
    "expire",
    "ask cancel",
    "refuse cancel",
    "ask replace",
    "replace",
    "refuse replace",
)

# A venue may fill before it acknowledges, and fill or expire while a cancel or a replace is under way: those races are
# legal here and nowhere else. A refusal that comes late, when nothing is pending any more, changes nothing. An order
# that is held is not at the venue yet: what is asked of it happens at once. Only a group asks twice for the same.
#
# BACK leads to what the order was before the request. When the last replace is answered, that is submitted, working or
# partly filled, by what the venue has said of it; only an order that was not accepted can still be rejected. A cancel
# goes back to ``before_request``; what the venue says meanwhile (THROUGH) must be legal for that, and moves it on.
BACK = 0
THROUGH = (ACCEPT, REJECT, FILL_PART, REPLACE, REFUSE_REPLACE)
_OPEN = {FILL_REST: FILLED, CANCEL: CANCELED, EXPIRE: EXPIRED}
_ASK = {ASK_CANCEL: PENDING_CANCEL, ASK_REPLACE: PENDING_REPLACE}
_LATE = (REFUSE_CANCEL, REFUSE_REPLACE)
TABLE = {
    INTENDED: {APPROVE: SUBMITTED, HOLD: HELD, DENY: DENIED},
    HELD: {RELEASE: SUBMITTED, ASK_CANCEL: CANCELED, ASK_REPLACE: HELD},
    SUBMITTED: {
        ACCEPT: WORKING,
        REJECT: REJECTED,
        FILL_PART: PARTIAL,
        **_ASK,
        **_OPEN,
        **dict.fromkeys(_LATE, SUBMITTED),
    },
    WORKING: {FILL_PART: PARTIAL, **_ASK, **_OPEN, **dict.fromkeys(_LATE, WORKING)},
    PARTIAL: {ACCEPT: PARTIAL, FILL_PART: PARTIAL, **_ASK, **_OPEN, **dict.fromkeys(_LATE, PARTIAL)},
    PENDING_CANCEL: {
        **dict.fromkeys(THROUGH, PENDING_CANCEL),
        REJECT: REJECTED,
        ASK_CANCEL: PENDING_CANCEL,
        REFUSE_CANCEL: BACK,
        **_OPEN,
    },
    PENDING_REPLACE: {
        ACCEPT: PENDING_REPLACE,
        REJECT: REJECTED,
        FILL_PART: PENDING_REPLACE,
        REPLACE: BACK,
        REFUSE_REPLACE: BACK,
        REFUSE_CANCEL: PENDING_REPLACE,
        **_ASK,
        **_OPEN,
    },
}

NEXT = np.full((DENIED + 1, len(HAPPENING_NAMES)), -1, np.int64)
for _status, _row in TABLE.items():
    for _happening, _after in _row.items():
        NEXT[_status, _happening] = _after
IS_THROUGH = np.array([happening in THROUGH for happening in range(len(HAPPENING_NAMES))], np.int64)

# Order types, times in force and sides, as the payload words hold them.
MARKET, LIMIT, STOP, STOP_LIMIT = range(1, 5)
MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED, TRAILING_STOP, TRAILING_STOP_LIMIT = range(5, 9)
ORDER_TYPE_NAMES = {
    MARKET: "market",
    LIMIT: "limit",
    STOP: "stop",
    STOP_LIMIT: "stop-limit",
    MARKET_IF_TOUCHED: "market-if-touched",
    LIMIT_IF_TOUCHED: "limit-if-touched",
    TRAILING_STOP: "trailing stop",
    TRAILING_STOP_LIMIT: "trailing stop-limit",
}
GTC, IOC, FOK, DAY, GTD, AT_OPEN, AT_CLOSE = range(1, 8)
TIME_IN_FORCE_NAMES = {
    GTC: "GTC",
    IOC: "IOC",
    FOK: "FOK",
    DAY: "DAY",
    GTD: "GTD",
    AT_OPEN: "at-open",
    AT_CLOSE: "at-close",
}
BUY, SELL = 1, -1
SIDE_NAMES = {BUY: "buy", SELL: "sell"}
# What a trailing stop keeps from the best price: ticks, or basis points of it. A distance in money of the instrument is
# a number of ticks, and becomes one before it reaches the kernel.
TRAIL_TICKS, TRAIL_BPS = 1, 2

# Why a venue cancelled the rest of an order, refused it, or refused a request; and how a fill met the market.
CANCEL_ON_REQUEST, CANCEL_IOC, CANCEL_FOK, CANCEL_NO_FUNDS, CANCEL_REDUCE_ONLY, CANCEL_AUCTION = range(6)
CANCEL_POST_ONLY = 6
CANCEL_REASONS = {
    CANCEL_ON_REQUEST: "requested",
    CANCEL_IOC: "immediate-or-cancel: the rest did not fill",
    CANCEL_FOK: "fill-or-kill: not enough volume",
    CANCEL_NO_FUNDS: "not enough margin at the fill price",
    CANCEL_REDUCE_ONLY: "reduce-only: nothing is left to reduce",
    CANCEL_AUCTION: "at-open or at-close: the auction is over",
    CANCEL_POST_ONLY: "post-only: it would have taken",
}
REJECT_STOP_IN_MARKET, REJECT_BY_VENUE, REJECT_POST_ONLY, REJECT_REDUCE_ONLY = range(1, 5)
REJECT_CLOSED, REJECT_UNKNOWN_ORDER, REJECT_EXPIRED, REJECT_NO_SESSION, REJECT_FILLED = range(5, 10)
REJECT_NOT_SENT, REJECT_NEVER_SEEN, REJECT_NO_FUNDS, REJECT_NOT_OFFERED = range(10, 14)
REJECT_REASONS = {
    REJECT_STOP_IN_MARKET: "the market is beyond the stop already",
    REJECT_BY_VENUE: "the venue gave no reason",
    REJECT_POST_ONLY: "post-only: it would have taken",
    REJECT_REDUCE_ONLY: "reduce-only: nothing to reduce",
    REJECT_CLOSED: "the venue is not trading",
    REJECT_UNKNOWN_ORDER: "the order is not open there",
    REJECT_EXPIRED: "its time had passed",
    REJECT_NO_SESSION: "at-open or at-close: no session of the exchange is known",
    REJECT_FILLED: "more than the new quantity has filled",
    REJECT_NOT_SENT: "it did not leave: the switches for real money are not all on, or the session was ending",
    REJECT_NEVER_SEEN: "it was in doubt, and the venue has never seen it",
    REJECT_NO_FUNDS: "the venue says that there is not enough money",
    REJECT_NOT_OFFERED: "the venue does not offer this kind of order",
}
REQUEST_CANCEL, REQUEST_REPLACE = 1, 2
REQUEST_NAMES = {REQUEST_CANCEL: "cancel", REQUEST_REPLACE: "replace"}
TAKER, MAKER, INTERNAL, SHADOW = 1, 2, 3, 4  # the last: on paper, in a shadow account

# What an order insists on, as bits, and who wants it.
POST_ONLY, REDUCE_ONLY, CLOSE_POSITION = 1, 2, 4
REDUCING = REDUCE_ONLY | CLOSE_POSITION
INSTRUCTION_NAMES = {POST_ONLY: "post-only", REDUCE_ONLY: "reduce-only", CLOSE_POSITION: "close-position"}
STRATEGY_ORDER, EXIT_ORDER, LIQUIDATION_ORDER, FLATTEN_ORDER = range(4)
PURPOSE_NAMES = {
    STRATEGY_ORDER: "strategy",
    EXIT_ORDER: "exit",
    LIQUIDATION_ORDER: "liquidation",
    FLATTEN_ORDER: "flatten",
}

# The role of an order in its group. The first fill of one OCO order ends the others; of OUO orders ("one updates the
# other") each fill takes as much from the others. The orders of the last four roles wait for, or are waited for.
NO_GROUP, OCO, OUO, PARENT, CHILD, ENTRY, TAKE_PROFIT, STOP_LOSS = range(8)
ROLE_NAMES = {
    OCO: "one-cancels-other",
    OUO: "one-updates-other",
    PARENT: "parent",
    CHILD: "child",
    ENTRY: "entry",
    TAKE_PROFIT: "take-profit",
    STOP_LOSS: "stop-loss",
}
