"""Decimal text to ticks and lots: exactly what ``decimal`` says, refused where it lies between two."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bybit.units import Grid, OffGridError, ParseError, steps_of

SIZES = st.sampled_from(["0.10", "0.5", "0.001", "0.00000001", "1", "10", "0.25", "0.05", "5E-7"])


@given(SIZES, st.integers(-(10**15), 10**15), st.integers(0, 3))
def test_a_multiple_is_its_number_however_it_is_written(size, count, zeros):
    grid = Grid(size)
    text = format(Decimal(count) * Decimal(size), "f")
    text += ("" if "." in text else ".") + "0" * zeros
    assert grid.exact(text) == count
    assert grid.exact(grid.text(count)) == count


@given(SIZES, st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=9))
def test_floor_and_exact_are_what_decimal_says(size, number):
    grid, text = Grid(size), format(number, "f")
    below = int(number // Decimal(size))
    assert grid.floor(text) == below
    if number % Decimal(size) == 0:
        assert grid.exact(text) == below
    else:
        with pytest.raises(OffGridError):
            grid.exact(text)


@pytest.mark.parametrize("text", ["", "1.2.3", "x", "1e5", "--1", "0x1"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ParseError):
        Grid("0.1").exact(text)


@pytest.mark.parametrize(
    ("theirs", "ours", "steps"),
    [("0.10", "0.1", 1), ("0.5", "0.1", 5), ("0.05", "0.1", 1), ("0.3", "0.2", 3), ("0.000001", "0.00000001", 100)],
)
def test_orders_are_multiples_of_both_steps(theirs, ours, steps):
    assert steps_of(theirs, ours) == steps


def test_the_nearest_tick_rounds_half_to_even():
    assert [Grid("0.5").nearest(text) for text in ("100.24", "100.25", "100.75", "100.76")] == [200, 200, 202, 202]
