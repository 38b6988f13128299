"""What compiled code does that numba has no word for: calls through an address, arrays at one, and a fused sum."""

import ctypes
import inspect
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.jit.declared import JIT_ENABLED


class Primitive:
    """A function that is lowered by hand (``kernel.jit.compiling``) where numba has no word for it."""

    def __init__(self, function: Any) -> None:
        self.py_func = function
        self.__name__ = function.__name__
        self.__doc__ = inspect.getdoc(function)

    def __call__(self, *arguments: Any) -> Any:
        """In plain Python the address is the function itself."""
        return self.py_func(*arguments)


@Primitive
def call_entry(address: Any, context: Any) -> int:
    """Call a unit of one record by its address (without compiling: the function itself)."""
    assert not JIT_ENABLED
    return int(address(context))


@Primitive
def call_address(address: Any, argument: int) -> int:
    """Call ``int64 (*)(int64)`` at an address."""
    raise NotImplementedError("only compiled code calls C addresses")


@Primitive
def fused_nb(factor: float, other: float, addend: float) -> float:
    """``factor * other + addend``, rounded once: the fusedMultiplyAdd of IEEE 754, the same on every machine.

    One instruction where the processor has it; in plain Python exact rational arithmetic, which is slow.
    """
    if not (isfinite(factor) and isfinite(other) and isfinite(addend)):
        return factor * other + addend
    exact = Fraction(factor) * Fraction(other) + Fraction(addend)
    if exact == 0:
        return factor * other + addend  # which zero: as the sum of the rounded product has it
    try:
        return float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")


@Primitive
def floats_at(address: int, size: int) -> NDArray[np.float64]:
    """The float64 array at an address. To pass an array as its parts takes ten times as long as as an address."""
    return np.ctypeslib.as_array((ctypes.c_double * int(size)).from_address(int(address)))


@Primitive
def integers_at(address: int, size: int) -> NDArray[np.int64]:
    """The int64 array at an address."""
    return np.ctypeslib.as_array((ctypes.c_int64 * int(size)).from_address(int(address)))
