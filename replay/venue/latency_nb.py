"""How long a request is on its way to the venue, and a report on its way back.

Models: none; fixed; drawn from a table of quantiles by a seeded counter; replayed from a recorded list. One connection
leads each way, so nothing overtakes: what was sent later arrives no earlier.
"""

import numpy as np

from kernel.chance_nb import DRAW_BITS, chance_nb
from kernel.jit import jit, unit
from replay.venue.memory import LATENCY
from replay.venue.profiles import LATENCY_FIXED, LATENCY_NONE, LATENCY_QUANTILES


@jit
def interpolated_ns_nb(latency, draw):
    """The value at ``draw / 2^32`` of the way through the quantiles, which stand evenly spaced; rounded down."""
    scaled = draw * (latency.count - 1)
    at = scaled >> DRAW_BITS
    part = scaled & ((1 << DRAW_BITS) - 1)
    before, after = latency.values_ns[at], latency.values_ns[at + 1]
    # Latencies are below 2^31 microseconds; in units of 1/2^16 the product fits 63 bits.
    return before + ((after - before) * (part >> 16) >> 16)


@unit(LATENCY, np.int64, np.int64, np.int64)
def latency_ns_nb(latency, seed, purpose, number):
    """The latency of one message; ``number`` tells it from all others of its purpose."""
    if latency.model == LATENCY_NONE:
        return 0
    if latency.model == LATENCY_FIXED:
        return latency.values_ns[0] + 0
    if latency.model == LATENCY_QUANTILES:
        return interpolated_ns_nb(latency, chance_nb(seed, purpose, number))
    value_ns = latency.values_ns[latency.used]
    latency.used = (latency.used + 1) % latency.count
    return value_ns + 0
