"""Apportioning: a whole number shared out by weights, so that the parts sum to it exactly.

Owns the one rule by which the kernel divides what cannot be divided evenly: portfolio weights, and the fills of an
order that several strategies wanted.
"""

from kernel.exact_nb import divide_product_nb
from kernel.jit import jit


@jit
def apportion_nb(total, weights, count, parts, remainders):
    """Share ``total`` out into ``parts[:count]`` in proportion to ``weights[:count]``.

    Each part is rounded down; what is left goes one by one to the largest remainders, the lowest place first among
    equals (Hamilton's method). All numbers are integers, none is negative, and the weights sum to less than 2**62;
    ``total`` too is less than 2**62. When all weights are 0, so are all parts. ``remainders`` is room for as many.
    """
    sum_weights = 0
    for place in range(count):
        parts[place] = 0
        sum_weights += weights[place]
    if sum_weights == 0:
        return
    left = total
    for place in range(count):
        part, remainder = divide_product_nb(total, weights[place], sum_weights)
        parts[place] = part
        remainders[place] = remainder
        left -= part
    for _ in range(left):
        best = 0
        for place in range(1, count):
            if remainders[place] > remainders[best]:
                best = place
        parts[best] += 1
        remainders[best] = -1
