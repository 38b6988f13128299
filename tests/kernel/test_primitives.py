"""What is lowered by hand, against exact arithmetic and numpy."""

from math import isnan

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.jit import data_address, floats_at, fused_nb, integers_at, jit

numbers = generators.floats()
close_numbers = generators.floats(-1e9, 1e9)


@jit
def fused(factor, other, addend):  # type: ignore[no-untyped-def]
    return fused_nb(factor, other, addend)


@jit
def last_float(address, size):  # type: ignore[no-untyped-def]
    return floats_at(address, size)[size - 1]


@jit
def last_integer(address, size):  # type: ignore[no-untyped-def]
    return integers_at(address, size)[size - 1]


@settings(deadline=None)  # compiling is within the first example
@given(numbers, numbers, numbers)
def test_a_fused_sum_is_that_of_exact_arithmetic(factor: float, other: float, addend: float) -> None:
    compiled, exact = fused(factor, other, addend), fused_nb.py_func(factor, other, addend)
    assert compiled == exact or (isnan(compiled) and isnan(exact))


@settings(deadline=None)
@given(close_numbers, close_numbers)
def test_a_fused_sum_keeps_what_the_product_loses(factor: float, other: float) -> None:
    lost = fused(factor, other, -(factor * other))
    assert factor * other + lost == factor * other  # at most half of the last place
    assert fused(0.1, 10.0, -1.0) == 2.0**-54


def test_arrays_at_an_address() -> None:
    assert last_float(data_address(np.array([1.5, 2.5])), 2) == 2.5
    assert last_integer(data_address(np.array([7, -9])), 2) == -9
    assert data_address(np.array([7])) != 0
    fixed = np.array([1.0, 4.0])
    fixed.setflags(write=False)
    assert data_address(fixed) == fixed.ctypes.data
