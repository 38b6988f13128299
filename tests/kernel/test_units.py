"""Decimals to integers and back, exactly, or a UnitError."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as generators

from kernel.instruments import Instrument, currency_scale
from kernel.units import (
    BPS,
    INT64_MAX,
    RATE_SCALE,
    UnitError,
    from_minor,
    from_units,
    notional_ratio,
    to_decimal,
    to_minor,
    to_rate,
    to_units,
)

units = generators.sampled_from(["1", "0.01", "0.00000001", "0.25", "1000", "0.1", "2.5e-4"])


@given(generators.integers(-INT64_MAX, INT64_MAX), units)
def test_units_there_and_back(count: int, unit: str) -> None:
    assert to_units(from_units(count, unit), unit) == count
    assert Fraction(from_units(count, unit)) == count * Fraction(unit)


@given(generators.integers(-INT64_MAX, INT64_MAX), generators.integers(0, 12))
def test_minor_units_there_and_back(minor: int, scale: int) -> None:
    assert to_minor(from_minor(minor, scale), scale) == minor


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-inf", "1..2", "0x10", "1e"])
def test_what_is_not_a_finite_number(text: str) -> None:
    with pytest.raises(UnitError):
        to_decimal(text)


def test_off_the_grid_is_refused() -> None:
    with pytest.raises(UnitError, match="is not a multiple of"):
        to_units("100.001", "0.01")
    with pytest.raises(UnitError, match="not a multiple"):
        to_minor("0.0000001", 6)


def test_what_does_not_fit_64_bits_is_refused() -> None:
    assert to_units(INT64_MAX, "1") == INT64_MAX
    for number in (INT64_MAX + 1, -INT64_MAX - 1):
        with pytest.raises(UnitError, match="does not fit 64 bits"):
            to_units(number, "1")
    with pytest.raises(UnitError, match="does not fit 64 bits"):
        notional_ratio("1e12", "1e12", "1", 6)


def test_rates() -> None:
    assert to_rate("0.001") == 100_000
    assert to_rate("10", per=10_000) == 10 * BPS == 100_000
    assert to_rate("0.00000001") == 1
    assert to_rate("-2.5", per=10_000) == -25_000
    with pytest.raises(UnitError):
        to_rate("0.000000001")
    assert to_rate("1") == RATE_SCALE


@given(units, units, generators.sampled_from(["1", "100", "0.001", "50"]), generators.integers(0, 8))
@example("0.00000001", "0.00000001", "0.001", 0)
def test_notional_ratio_is_the_value_of_a_tick_of_a_lot(tick: str, lot: str, multiplier: str, scale: int) -> None:
    exact = Fraction(tick) * Fraction(lot) * Fraction(multiplier) * 10**scale
    if max(exact.numerator, exact.denominator) > INT64_MAX:
        with pytest.raises(UnitError, match="does not fit 64 bits"):
            notional_ratio(tick, lot, multiplier, scale)
        return
    numerator, denominator = notional_ratio(tick, lot, multiplier, scale)
    assert Fraction(numerator, denominator) == exact
    assert Fraction(numerator, denominator).denominator == denominator


@pytest.mark.parametrize("sizes", [("0", "1", "1"), ("1", "-1", "1"), ("1", "1", "0")])
def test_sizes_must_be_positive(sizes: tuple[str, str, str]) -> None:
    with pytest.raises(UnitError, match="must be positive"):
        notional_ratio(*sizes, 6)


def test_instrument_derives_its_integers() -> None:
    instrument = Instrument(venue="v", symbol="A/B", currency="USD", tick_size="0.010", lot_size="0.001")
    assert instrument.name == "v/A/B"
    assert instrument.scale == currency_scale("USD") == 6
    assert instrument.notional_ratio == (10, 1)
    assert instrument.price_decimals == 2
    assert currency_scale("BTC") == 8
    assert from_minor(to_minor(Decimal("12.34"), 6), 6) == Decimal("12.34")
