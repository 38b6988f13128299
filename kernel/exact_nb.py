"""Exact integer arithmetic for money: products of 64-bit integers through 128 bits, rounded half to even.

The common case (the product fits 62 bits) is one multiplication and one division; the rest goes through a long
division that is slow, rare and just as exact. Nothing wraps: what does not fit is returned as ``OVERFLOW``.
"""

import numpy as np

from kernel.jit import jit, unit

OVERFLOW = -(1 << 63)  # no amount of money is INT64_MIN, so it can say "does not fit"
MONEY_MAX = 1 << 62  # sums of two amounts within this bound cannot wrap
_SAFE_PRODUCT = 4.0e18  # below 2**62 by more than any rounding of the float estimate
_MASK = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_1 = np.uint64(1)
_0 = np.uint64(0)
_TOP = np.uint64(63)


@jit
def multiply_wide_nb(a, b):
    """The 128-bit product of two unsigned 64-bit integers as ``(high, low)``."""
    a_low, a_high = a & _MASK, a >> _32
    b_low, b_high = b & _MASK, b >> _32
    low = a_low * b_low
    cross = a_high * b_low + (low >> _32)
    middle = (cross & _MASK) + a_low * b_high
    high = a_high * b_high + (cross >> _32) + (middle >> _32)
    return high, ((middle & _MASK) << _32) | (low & _MASK)


@jit
def divide_wide_nb(high, low, divisor):
    """``(quotient, remainder)`` of a 128-bit integer; needs ``high < divisor < 2**63``, so nothing can wrap."""
    quotient, remainder = _0, high
    for position in range(64):
        bit = (low >> (_TOP - np.uint64(position))) & _1
        remainder = (remainder << _1) | bit
        quotient = quotient << _1
        if remainder >= divisor:
            remainder = remainder - divisor
            quotient = quotient | _1
    return quotient, remainder


@jit
def _scale_wide_nb(a, b, numerator, denominator):
    negative = (a < 0) != (b < 0)
    high, low = multiply_wide_nb(np.uint64(abs(a)), np.uint64(abs(b)))
    if numerator != 1:
        carry, low = multiply_wide_nb(low, np.uint64(numerator))
        over, high = multiply_wide_nb(high, np.uint64(numerator))
        if over != _0 or high > ~carry:
            return OVERFLOW
        high = high + carry
    divisor = np.uint64(denominator)
    if high >= divisor:
        return OVERFLOW
    quotient, remainder = divide_wide_nb(high, low, divisor)
    if quotient >= np.uint64(MONEY_MAX):  # also keeps the rounding below from wrapping
        return OVERFLOW
    rest = divisor - remainder
    if remainder > rest or (remainder == rest and quotient & _1 == _1):
        quotient = quotient + _1
    if quotient >= np.uint64(MONEY_MAX):
        return OVERFLOW
    magnitude = np.int64(quotient)
    return -magnitude if negative else magnitude


@jit
def scale_nb(a, b, numerator, denominator):
    """``a * b * numerator / denominator`` rounded half to even, or OVERFLOW.

    ``numerator`` and ``denominator`` are positive. OVERFLOW when the result reaches 2**62 or when ``a * b *
    numerator`` does not fit 128 bits.
    """
    if abs(np.float64(a) * np.float64(b) * np.float64(numerator)) >= _SAFE_PRODUCT:
        return _scale_wide_nb(a, b, numerator, denominator)
    product = a * b * numerator
    quotient = product // denominator
    remainder = product - quotient * denominator
    rest = denominator - remainder
    if remainder > rest or (remainder == rest and quotient & 1 == 1):
        quotient += 1
    return quotient


@jit
def divide_product_nb(a, b, denominator):
    """``(quotient, remainder)`` of ``a * b / denominator`` for numbers that are not negative.

    The quotient is rounded towards zero; it is OVERFLOW when it reaches 2**62.
    """
    if np.float64(a) * np.float64(b) < _SAFE_PRODUCT:
        product = a * b
        quotient = product // denominator
        return quotient, product - quotient * denominator
    high, low = multiply_wide_nb(np.uint64(a), np.uint64(b))
    divisor = np.uint64(denominator)
    if high >= divisor:
        return OVERFLOW, 0
    wide, rest = divide_wide_nb(high, low, divisor)
    if wide >= np.uint64(MONEY_MAX):
        return OVERFLOW, 0
    return np.int64(wide), np.int64(rest)


@unit(np.int64, np.int64, np.int64, np.int64)
def scale_linked_nb(a, b, numerator, denominator):
    """``scale_nb``, compiled once: for code that runs seldom."""
    return scale_nb(a, b, numerator, denominator)
