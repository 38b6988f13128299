"""128-bit products against fractions over the whole range of 64-bit integers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as generators

from kernel.exact_nb import MONEY_MAX, OVERFLOW, divide_wide_nb, multiply_wide_nb, scale_nb

INT64_MAX = 2**63 - 1
# Every magnitude is as likely as any other, and the neighbours of powers of two are likely.
magnitudes = generators.integers(0, 63).flatmap(
    lambda bits: generators.one_of(
        generators.integers(0, 2**bits - 1),
        generators.sampled_from([max(0, 2**bits - 2), 2**bits - 1, min(2**bits, INT64_MAX), 2**bits // 3]),
    )
)
signed = generators.tuples(magnitudes, generators.sampled_from([1, -1])).map(lambda pair: pair[0] * pair[1])
positive = magnitudes.map(lambda number: max(1, number))


def exact(a: int, b: int, numerator: int, denominator: int) -> int:
    """The same with unbounded integers."""
    value = round(Fraction(a * b * numerator, denominator))
    return OVERFLOW if abs(value) >= MONEY_MAX else value


@settings(max_examples=800, deadline=None)
@given(signed, signed, positive, positive)
@example(-(2**63), 1, 1, 2**40)
@example(-(2**63), -(2**63), INT64_MAX, INT64_MAX)
@example(INT64_MAX, INT64_MAX, INT64_MAX, 1)
@example(2**62 - 1, 1, 1, 1)
@example(2**61, 2, 1, 1)
@example(INT64_MAX, 1, 1, 2)  # below the bound before it is rounded
@example(0, INT64_MAX, INT64_MAX, 1)
def test_scale_is_the_exact_quotient_or_overflow(a: int, b: int, numerator: int, denominator: int) -> None:
    assert scale_nb(a, b, numerator, denominator) == exact(a, b, numerator, denominator)


@settings(max_examples=600, deadline=None)
@given(generators.integers(-(2**61), 2**61), generators.integers(1, 2**61))
def test_a_quotient_that_was_multiplied_out_comes_back(quotient: int, divisor: int) -> None:
    assert scale_nb(quotient, divisor, 1, divisor) == quotient
    assert scale_nb(quotient, 1, divisor, divisor) == quotient


@settings(max_examples=600, deadline=None)
@given(generators.integers(-(2**61), 2**61), generators.integers(1, 2**30))
def test_ties_go_to_the_even_neighbour(whole: int, half: int) -> None:
    """``whole + 1/2``, written with any even denominator, on the fast path and on the long one."""
    tie = scale_nb(2 * whole + 1, half, 1, 2 * half)
    assert tie % 2 == 0
    assert abs(tie - Fraction(2 * whole + 1, 2)) == Fraction(1, 2)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("halves", "even"), [(1, 0), (3, 2), (5, 2), (7, 4), (2**62 + 1, 2**61), (2**62 + 3, 2**61 + 2)]
)
def test_named_ties(halves: int, even: int, sign: int) -> None:
    assert scale_nb(sign * halves, 1, 1, 2) == sign * even


@pytest.mark.parametrize("sign", [1, -1])
def test_overflow_begins_at_two_to_the_sixty_second(sign: int) -> None:
    assert scale_nb(sign * (MONEY_MAX - 1), 1, 1, 1) == sign * (MONEY_MAX - 1)
    assert scale_nb(sign * MONEY_MAX, 1, 1, 1) == OVERFLOW
    assert scale_nb(sign * 2**31, 2**31, 1, 1) == OVERFLOW
    assert scale_nb(sign * 2**31, 2**31 - 1, 1, 1) == sign * (2**62 - 2**31)
    assert scale_nb(sign * INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX) == OVERFLOW
    assert scale_nb(sign * INT64_MAX, 2**61, 1, INT64_MAX) == sign * 2**61


@settings(max_examples=600, deadline=None)
@given(generators.integers(0, 2**64 - 1), generators.integers(0, 2**64 - 1))
def test_wide_product(a: int, b: int) -> None:
    high, low = multiply_wide_nb(np.uint64(a), np.uint64(b))
    assert int(high) << 64 | int(low) == a * b


@settings(max_examples=600, deadline=None)
@given(generators.integers(1, INT64_MAX), generators.data())
def test_wide_quotient(divisor: int, data: generators.DataObject) -> None:
    high = data.draw(generators.integers(0, divisor - 1))
    low = data.draw(generators.integers(0, 2**64 - 1))
    quotient, remainder = divide_wide_nb(np.uint64(high), np.uint64(low), np.uint64(divisor))
    assert (int(quotient), int(remainder)) == divmod(high << 64 | low, divisor)
