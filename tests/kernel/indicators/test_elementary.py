"""Logarithm, exponential and angles of + - * / alone, against the platform's, which are good to a unit or less."""

import math

import numpy as np
import pytest

from kernel.indicators.elementary_nb import atan_nb, cos_nb, exp_nb, log_nb, sin_nb

random = np.random.default_rng(3)
NEAR_ONE = 1.0 + random.normal(0.0, 1e-4, 2000)
CASES = {
    "log": (log_nb, math.log, np.concatenate([np.exp(random.uniform(-130, 130, 4000)), NEAR_ONE, [1.0, 2.0, 0.5]])),
    "exp": (exp_nb, math.exp, np.concatenate([random.uniform(-60, 60, 4000), random.normal(0, 1e-6, 1000), [0.0]])),
    "atan": (
        atan_nb,
        math.atan,
        np.concatenate([random.uniform(-3, 3, 4000), np.exp(random.uniform(-40, 100, 2000)), [0.0, 1.0, -1.0]]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_within_two_units_in_the_last_place(name: str) -> None:
    ours, theirs, points = CASES[name]
    for point in points.tolist():
        expected = theirs(point)
        assert abs(ours(point) - expected) <= 2.0 * math.ulp(expected), point


@pytest.mark.parametrize(("ours", "theirs"), [(sin_nb, math.sin), (cos_nb, math.cos)], ids=["sin", "cos"])
def test_sine_and_cosine(ours, theirs) -> None:
    """To two units of the value, or of 1e-3 where the value is smaller: there the angle's own rounding shows."""
    for point in random.uniform(-10.0, 10.0, 4000).tolist():
        expected = theirs(point)
        assert abs(ours(point) - expected) <= 2.0 * math.ulp(max(abs(expected), 1e-3)), point


def test_edges() -> None:
    assert log_nb(1.0) == 0.0
    assert log_nb(0.0) == log_nb(-1.0) == -1e300
    assert exp_nb(0.0) == 1.0
    assert exp_nb(1e9) == exp_nb(700.0)
    assert exp_nb(-1e9) == exp_nb(-700.0) > 0.0
    assert atan_nb(1e300) == math.pi / 2
    assert sin_nb(0.0) == 0.0
    assert cos_nb(0.0) == 1.0


@pytest.mark.parametrize("function", [log_nb, exp_nb, atan_nb, sin_nb, cos_nb], ids=lambda one: one.__name__)
def test_compiled_is_plain_bit_for_bit(function) -> None:
    """Nothing is fused or reordered by the compiler, and nothing of the platform's library is called."""
    plain = getattr(function, "py_func", function)
    for point in np.abs(random.normal(0.0, 3.0, 500)).tolist():
        assert function(point) == plain(point)
