"""What each type of order needs, and what goes together: one table.

Owns the rules of form that an order must keep before anything is said about its size or price. ``terms_nb.py`` applies
them; ``docs/orders.md`` is made from them.
"""

from typing import NamedTuple

import numpy as np

from kernel.lifecycle import (
    AT_CLOSE,
    AT_OPEN,
    CLOSE_POSITION,
    DAY,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    MARKET_IF_TOUCHED,
    POST_ONLY,
    REDUCE_ONLY,
    STOP,
    STOP_LIMIT,
    TRAILING_STOP,
    TRAILING_STOP_LIMIT,
)

NO, YES, MAY = range(3)  # a field must be 0, must be more, may be either


class Rule(NamedTuple):
    """The form of one type of order."""

    limit: int
    stop: int
    trail: int
    offset: int
    forces: tuple[int, ...]
    instructions: tuple[int, ...]
    display: int


_AT_ONCE = (IOC, FOK)
_AUCTION = (AT_OPEN, AT_CLOSE)
_LASTING = (GTC, DAY, GTD)
_REDUCING = (REDUCE_ONLY, CLOSE_POSITION)
_ANY = (*_REDUCING, POST_ONLY)
RULES = {
    MARKET: Rule(NO, NO, NO, NO, (*_LASTING, *_AT_ONCE, *_AUCTION), _REDUCING, NO),
    LIMIT: Rule(YES, NO, NO, NO, (*_LASTING, *_AT_ONCE, *_AUCTION), _ANY, MAY),
    STOP: Rule(NO, YES, NO, NO, (*_LASTING, *_AT_ONCE), _REDUCING, NO),
    STOP_LIMIT: Rule(YES, YES, NO, NO, (*_LASTING, *_AT_ONCE), _ANY, MAY),
    MARKET_IF_TOUCHED: Rule(NO, YES, NO, NO, (*_LASTING, *_AT_ONCE), _REDUCING, NO),
    LIMIT_IF_TOUCHED: Rule(YES, YES, NO, NO, (*_LASTING, *_AT_ONCE), _ANY, MAY),
    TRAILING_STOP: Rule(NO, MAY, YES, NO, _LASTING, _REDUCING, NO),
    TRAILING_STOP_LIMIT: Rule(NO, MAY, YES, MAY, _LASTING, _REDUCING, MAY),
}
# Post-only wants to rest and an iceberg to stay; what must trade now, or in an auction, does neither.
REST_FORCES = _LASTING

_TYPES, _FORCES = TRAILING_STOP_LIMIT + 1, AT_CLOSE + 1
NEEDS = np.zeros((_TYPES, 5), np.int64)  # limit, stop, trail, offset, display
ALLOWS_FORCE = np.zeros((_TYPES, _FORCES), np.int64)
ALLOWED_INSTRUCTIONS = np.zeros(_TYPES, np.int64)  # as bits
RESTS = np.zeros(_FORCES, np.int64)
for _type, _rule in RULES.items():
    NEEDS[_type] = (_rule.limit, _rule.stop, _rule.trail, _rule.offset, _rule.display)
    ALLOWS_FORCE[_type, list(_rule.forces)] = 1
    ALLOWED_INSTRUCTIONS[_type] = sum(_rule.instructions)
RESTS[list(REST_FORCES)] = 1
