"""Picking out of a stretch of records what the outputs need, in one pass.

Owns the layout of a fill as the result hash sees it. numpy picks records field by field, which took five times as long.
"""

import numpy as np

from kernel.events.layout import (
    CHECKED,
    FILLED,
    RECORD,
    REGIME_CHANGED,
    REQUEST_REFUSED,
    SHADOW_FILLED,
    SIGNAL_COMBINED,
    SIGNAL_DROPPED,
    TRADE_CLOSED,
)
from kernel.jit import unit, vector
from kernel.risk.gates_nb import MISSING

FILL_WORDS = 8
MAX_CHECKS = 128  # numbers of checks
DROPS, VERDICTS, TRENDS = range(3)
OPINIONS = 8  # numbers of filters, and of reasons
REFUSALS, FIRST_NS, UNSEEN = range(3)  # what is kept of each


@unit(vector(RECORD), vector(np.int64, 2), vector(np.int64), vector(np.int64, 2), vector(np.int64), vector(np.int64, 2))
def pick_nb(records, fills, trades, refusals, counts, opinions):
    """Write the fills (int64, FILL_WORDS columns), the places of closed trades, and how many there are of both.

    A fill (also one on paper, in a shadow account) is its time, instrument, strategy, side, price, quantity, fee and
    liquidity. ``refusals`` (int64, a row for each check) is added to: how many orders and requests the check refused,
    the time of the first in nanoseconds, and how many it refused for a measure of -1, which gates say that have not
    seen theirs. ``opinions`` (int64, a row each for dropped signals, verdicts of ensembles and changes of a regime)
    counts by the number of the filter, of the reason, and of the trend plus 1.
    """
    fill_count = 0
    trade_count = 0
    for at in range(len(records)):
        record = records[at]
        if record.kind == FILLED.kind or record.kind == SHADOW_FILLED.kind:
            words = record.words
            fills[fill_count, 0] = record.ts_event_ns
            fills[fill_count, 1] = record.instrument
            fills[fill_count, 2] = record.strategy
            fills[fill_count, 3] = words[FILLED.side]
            fills[fill_count, 4] = words[FILLED.price_ticks]
            fills[fill_count, 5] = words[FILLED.quantity_lots]
            fills[fill_count, 6] = words[FILLED.fee_minor]
            fills[fill_count, 7] = words[FILLED.liquidity]
            fill_count += 1
        elif record.kind == TRADE_CLOSED.kind:
            trades[trade_count] = at
            trade_count += 1
        elif record.kind == CHECKED.kind or record.kind == REQUEST_REFUSED.kind:
            check = record.words[CHECKED.check]
            if 0 < check < MAX_CHECKS:
                if refusals[check, REFUSALS] == 0:
                    refusals[check, FIRST_NS] = record.ts_event_ns
                refusals[check, REFUSALS] += 1
                if record.kind == CHECKED.kind and record.words[CHECKED.value] == MISSING:
                    refusals[check, UNSEEN] += 1
        elif record.kind == SIGNAL_DROPPED.kind:
            opinions[DROPS, record.words[SIGNAL_DROPPED.filter]] += 1
        elif record.kind == SIGNAL_COMBINED.kind:
            opinions[VERDICTS, record.words[SIGNAL_COMBINED.reason]] += 1
        elif record.kind == REGIME_CHANGED.kind:
            opinions[TRENDS, record.words[REGIME_CHANGED.trend] + 1] += 1
    counts[0] = fill_count
    counts[1] = trade_count
    return 0


assert SHADOW_FILLED[1:9] == FILLED[1:]
assert CHECKED.check == REQUEST_REFUSED.check
