"""A bare loop over the same bars: two averages and their crossings, no orders, no money, no events.

For scale only: it is what the strategy alone costs.
"""

import time

import numpy as np

from kernel.jit import jit
from replay.execution import Prepared


@jit
def count_crossings_nb(closes, fast, slow):
    """How often the fast average of ``closes`` crosses the slow one."""
    quick = steady = float(closes[0])
    fast_share, slow_share = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    above = 0
    crossings = 0
    for at in range(1, len(closes)):
        quick += (closes[at] - quick) * fast_share
        steady += (closes[at] - steady) * slow_share
        now_above = 1 if quick > steady else 0
        crossings += 1 if now_above != above else 0
        above = now_above
    return crossings


def closes_of(prepared: Prepared) -> np.ndarray:
    """All closes of a run, in memory."""
    return np.concatenate([rows["words"][:, 3].copy() for rows in prepared.tape()])


def bare_seconds(closes: np.ndarray, fast: int, slow: int) -> float:
    """The time of one pass."""
    started = time.perf_counter()
    count_crossings_nb(closes, fast, slow)
    return time.perf_counter() - started
