"""Chance without state: a number that depends on the seed and on what is asked for, and on nothing else.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011): ten rounds of a
32-bit multiplication mix a counter under a key. There is no generator to advance, so the draw for one request is the
same whatever else happens. The products are put together from halves, so that all of it fits signed 64 bits.
"""

import numpy as np

from kernel.jit import jit, unit

_LOW = 0xFFFFFFFF
_HALF = 0xFFFF
_MULTIPLY_0, _MULTIPLY_1 = 0xD2511F53, 0xCD9E8D57
_WEYL_0, _WEYL_1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
DRAW_BITS = 32


@jit
def _product_nb(a, b):
    """``(high, low)`` 32 bits of the product of two 32-bit numbers."""
    by_low = a * (b & _HALF)
    by_high = a * (b >> 16)
    high = (by_high + (by_low >> 16)) >> 16
    low = (((by_high & _HALF) << 16) + by_low) & _LOW
    return high, low


@jit
def draw_nb(key_0, key_1, counter_0, counter_1, counter_2, counter_3):
    """The first of the four 32-bit words of Philox4x32-10; all arguments are 32-bit numbers."""
    for _ in range(ROUNDS):
        high_0, low_0 = _product_nb(_MULTIPLY_0, counter_0)
        high_1, low_1 = _product_nb(_MULTIPLY_1, counter_2)
        counter_0, counter_2 = high_1 ^ counter_1 ^ key_0, high_0 ^ counter_3 ^ key_1
        counter_1, counter_3 = low_1, low_0
        key_0 = (key_0 + _WEYL_0) & _LOW
        key_1 = (key_1 + _WEYL_1) & _LOW
    return counter_0


@unit(np.int64, np.int64, np.int64)
def chance_nb(seed, purpose, number):
    """A uniform 32-bit number for the ``number``-th use (up to 2^63) of a purpose (a small number)."""
    return draw_nb(seed & _LOW, seed >> 32 & _LOW, number & _LOW, number >> 32 & _LOW, purpose, 0)
