"""Decimal numbers in float columns to whole ticks and lots, exactly and all at once.

A float in a source stands for the shortest decimal that names it: 0.1 means 0.1. A unit is ``m / 10**d`` with
whole ``m`` and ``d``, so ``n`` units are ``n * m / 10**d``; while ``n * m`` is below 2**53 and ``d`` at most
22 both are exact floats and their quotient is the float nearest to the decimal. So a number is on the grid
exactly when that quotient is the very same float: no tolerance is needed, and none is given.
"""

from decimal import Decimal

import numpy as np

from kernel.units import UnitError, to_decimal
from replay.catalogue.model import CatalogueError

EXACT_FLOAT_MAX = 1 << 53
MAX_DECIMALS = 12
_MAX_EXACT_POWER = 22


def unit_parts(unit: str, option: str) -> tuple[int, int]:
    """``(m, d)`` with unit = m / 10**d. Raises CatalogueError when the unit is no positive decimal."""
    try:
        number = to_decimal(unit)
    except UnitError as error:
        raise CatalogueError(f"{option}: {error}") from None
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    decimals = max(0, -exponent)
    mantissa = int(number.scaleb(decimals))
    if not 0 < mantissa < EXACT_FLOAT_MAX or decimals > _MAX_EXACT_POWER:
        raise CatalogueError(f"{option}: {unit} is not a positive size that can be used")
    return mantissa, decimals


def plain_text(unit: str) -> str:
    """The same decimal without an exponent or idle zeros: ``1e-8`` and ``0.000000010`` are one lot size."""
    return format(to_decimal(unit).normalize(), "f")


def to_units(values: np.ndarray, mantissa: int, decimals: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(units, off_grid, too_large)`` of finite ``values``: the nearest whole units and where they do not
    hold.
    """
    power = 10.0**decimals
    with np.errstate(over="ignore"):
        nearest = np.rint(values * power / mantissa)
        too_large = ~(np.abs(nearest * mantissa) < EXACT_FLOAT_MAX)
    nearest = np.where(too_large, 0.0, nearest)
    off_grid = (nearest * mantissa / power != values) & ~too_large
    return nearest.astype(np.int64), off_grid, too_large


def from_units(units: np.ndarray, mantissa: int, decimals: int) -> np.ndarray:
    """The floats nearest to whole units: what a source would have held."""
    return units * float(mantissa) / 10.0**decimals


def needed_decimals(values: np.ndarray) -> tuple[int, int] | None:
    """``(decimals, count)``: the decimals that write all ``values`` exactly, and how many need the last of
    them.

    None when some value needs more than MAX_DECIMALS or more digits than a float holds.
    """
    left = values
    count = left.size
    for decimals in range(MAX_DECIMALS + 1):
        _, off_grid, too_large = to_units(left, 1, decimals)
        if too_large.any():
            return None
        count, left = left.size, left[off_grid]
        if not left.size:
            return decimals, count
    return None


def unit_text(decimals: int) -> str:
    """10**-decimals as plain text: ``0.01``."""
    return format(Decimal(1).scaleb(-decimals), "f")
