"""Apportioning: a whole number shared out by weights, so that the parts sum to it exactly.

Owns the one rule by which the kernel divides what cannot be divided evenly: portfolio weights, and the fills of an
order that several strategies wanted.
"""

import numpy as np

from kernel.exact_nb import divide_product_nb
from kernel.jit import unit
from kernel.ledger_nb import OK
from kernel.records import record_dtype
from kernel.tables.table import MAX_INSTRUMENTS

MOST_PARTS = MAX_INSTRUMENTS
SHARES = record_dtype(weights=("<i8", MOST_PARTS), parts=("<i8", MOST_PARTS), remainders=("<i8", MOST_PARTS))


@unit(SHARES, np.int64, np.int64)
def apportion_nb(shares, total, count):
    """Share ``total`` out into ``shares.parts[:count]`` in proportion to ``shares.weights[:count]``. Returns OK.

    Each part is rounded down; what is left goes one by one to the largest remainders, the lowest place first among
    equals (Hamilton's method). All numbers are integers, none is negative, and the weights sum to less than 2**62;
    ``total`` too is less than 2**62. When all weights are 0, so are all parts.
    """
    sum_weights = 0
    for place in range(count):
        shares.parts[place] = 0
        sum_weights += shares.weights[place]
    if sum_weights == 0:
        return OK
    left = total
    for place in range(count):
        part, remainder = divide_product_nb(total, shares.weights[place], sum_weights)
        shares.parts[place] = part
        shares.remainders[place] = remainder
        left -= part
    for _ in range(left):
        best = 0
        for place in range(1, count):
            if shares.remainders[place] > shares.remainders[best]:
                best = place
        shares.parts[best] += 1
        shares.remainders[best] = -1
    return OK
