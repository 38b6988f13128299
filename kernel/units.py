"""Exact units at the edge: decimals to ticks, lots and minor units, and back.

Owns the conversion between the decimal numbers that people and venues write and the integers that the kernel
computes with. Everything here is exact ``decimal`` or ``fractions`` arithmetic; compiled code never calls it.
"""

from decimal import Context, Decimal, InvalidOperation, localcontext
from fractions import Fraction

INT64_MAX = (1 << 63) - 1
RATE_SCALE = 100_000_000  # a rate of 1 is 100,000,000; a basis point is 10,000
BPS = RATE_SCALE // 10_000
_EXACT = Context(prec=60)


class UnitError(ValueError):
    """A number that does not fit its unit: not a number, off the grid, or too large for 64 bits."""


def to_decimal(text: str | int | Decimal) -> Decimal:
    """The exact decimal that ``text`` writes. Raises UnitError for anything that is not a finite number."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UnitError(f"{text!r} is not a number") from None
    if not number.is_finite():
        raise UnitError(f"{text!r} is not a finite number")
    return number


def to_units(value: str | int | Decimal, unit: str | Decimal) -> int:
    """How many ``unit`` there are in ``value``, exactly. Raises UnitError when it is not a whole number of them."""
    ratio = Fraction(to_decimal(value)) / Fraction(to_decimal(unit))
    if ratio.denominator != 1:
        raise UnitError(f"{value} is not a multiple of {unit}")
    return checked_int64(ratio.numerator, f"{value} in units of {unit}")


def from_units(count: int, unit: str | Decimal) -> Decimal:
    """The decimal value of ``count`` units, exactly."""
    with localcontext(_EXACT):
        return Decimal(int(count)) * to_decimal(unit)


def to_minor(value: str | int | Decimal, scale: int) -> int:
    """Money in minor units of a currency with ``scale`` decimals, exactly. Raises UnitError when it is finer."""
    return to_units(value, Decimal(1).scaleb(-scale))


def from_minor(minor: int, scale: int) -> Decimal:
    """Minor units as a decimal amount of money with ``scale`` decimals."""
    with localcontext(_EXACT):
        return Decimal(int(minor)).scaleb(-scale)


def to_rate(value: str | int | Decimal, *, per: int = 1) -> int:
    """A rate (0.001, or 10 with ``per=10_000`` for basis points) in units of 1/100,000,000, exactly."""
    with localcontext(_EXACT):
        return to_units(to_decimal(value), Decimal(per) / RATE_SCALE)


def notional_ratio(tick_size: str, lot_size: str, multiplier: str, scale: int) -> tuple[int, int]:
    """``(numerator, denominator)`` with minor units = ticks * lots * numerator / denominator, in lowest terms."""
    unit = Fraction(to_decimal(tick_size)) * Fraction(to_decimal(lot_size)) * Fraction(to_decimal(multiplier))
    ratio = unit * 10**scale
    if ratio <= 0:
        raise UnitError(f"tick {tick_size}, lot {lot_size} and multiplier {multiplier} must be positive")
    checked_int64(ratio.numerator, "the value of one tick of one lot")
    checked_int64(ratio.denominator, "the divisor of one tick of one lot")
    return ratio.numerator, ratio.denominator


def inverse_ratio(tick_size: str, lot_size: str, multiplier: str, scale: int) -> tuple[int, int]:
    """``(numerator, denominator)`` with minor units = lots * numerator / (ticks * denominator), in lowest terms."""
    tick, lot, value = (Fraction(to_decimal(text)) for text in (tick_size, lot_size, multiplier))
    if tick <= 0 or lot <= 0 or value <= 0:
        raise UnitError(f"tick {tick_size}, lot {lot_size} and multiplier {multiplier} must be positive")
    ratio = lot * value * 10**scale / tick
    checked_int64(ratio.numerator, "the value of one lot at a price of one tick")
    checked_int64(ratio.denominator, "the divisor of one lot at a price of one tick")
    return ratio.numerator, ratio.denominator


def checked_int64(number: int, what: str) -> int:
    """``number`` itself if a signed 64-bit integer holds it; UnitError otherwise."""
    if not -INT64_MAX <= number <= INT64_MAX:
        raise UnitError(f"{what} is {number}, which does not fit 64 bits")
    return number
