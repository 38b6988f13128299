"""Formats, scales and thinning: the small parts of every drawing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as generators

from replay.report import format as show
from replay.report.axes import TimeAxis, value_axis
from replay.report.thin import to_columns, wants_logarithm
from tests.replay.report.makers import DAY_NS, START_NS


@pytest.mark.parametrize(
    ("minor", "scale", "text"),
    [
        (1_234_567_890_000, 6, "1,234,567.89"),
        (0, 6, "0.00"),
        (-5_000, 6, "-0.005"),
        (12, 6, "0.000012"),
        (-1_500_000, 6, "-1.50"),
        (2_125_000, 6, "2.12"),
        (123_456_789, 8, "1.23456789"),
        (2**63 - 1, 6, "9,223,372,036,854.78"),
        (None, 6, "n/a"),
    ],
)
def test_money(minor: int | None, scale: int, text: str) -> None:
    assert show.money(minor, scale) == text


def test_signed_money_and_exact_text() -> None:
    assert show.money(1_000_000, 6, signed=True) == "+1.00"
    assert show.money(0, 6, signed=True) == "0.00"
    assert show.decimal_text(0, 6) == "0.000000"
    assert show.decimal_text(-1, 8) == "-0.00000001"
    assert show.rough_money(1_234_560_000, 6) == "1,235"
    assert show.rough_money(-999_990_000, 6) == "-999.99"


@pytest.mark.parametrize(
    ("share", "plain", "signed"),
    [
        (0.1234, "12.34%", "+12.34%"),
        (-0.5, "-50.00%", "-50.00%"),
        (0.0, "0.00%", "0.00%"),
        (-0.0, "0.00%", "0.00%"),
        (-1e-9, "0.00%", "0.00%"),
        (123.4, "12,340%", "+12,340%"),
        (None, "n/a", "n/a"),
    ],
)
def test_percent(share: float | None, plain: str, signed: str) -> None:
    assert show.percent(share) == plain
    assert show.percent(share, signed=True) == signed


def test_ratios_have_no_negative_zero() -> None:
    texts = [show.ratio(number) for number in (-0.004, 0.006, -1.5, 1234.0)]
    assert texts == ["0.00", "0.01", "-1.50", "1,234.00"]
    assert show.ratio(None) == "n/a"


def test_times_and_spans() -> None:
    assert show.moment(START_NS) == "2024-01-01 00:00"
    assert show.moment(START_NS + 7_000_000_000) == "2024-01-01 00:00:07"
    assert show.iso(START_NS + 1_500_000) == "2024-01-01T00:00:00.0015Z"
    assert show.iso(-1) == "1969-12-31T23:59:59.999999999Z"
    assert show.span(9 * DAY_NS) == "9 days"
    assert show.span(DAY_NS) == "24 hours"
    assert show.span(800 * DAY_NS) == "2.2 years"
    assert show.span(0) == "0 seconds"
    assert show.span(None) == "n/a"


def test_quantities_have_no_exponent() -> None:
    assert [show.quantity(value) for value in (0.0, 1.0, 1234.5, 1e-8, 0.00012)] == [
        "0", "1", "1,234.5", "0.00000001", "0.00012",
    ]  # fmt: skip


points_in_time = generators.tuples(generators.integers(0, 40), generators.integers(-9, 9))
curves = generators.lists(points_in_time, min_size=1)


@given(curves.map(sorted), generators.integers(1, 12))
def test_columns_keep_ends_and_extremes(points: list[tuple[int, int]], count: int) -> None:
    times = np.array([time for time, _ in points], np.int64)
    values = np.array([value for _, value in points], np.float64)
    found = to_columns(times, values, 0, 40, count)
    expected: dict[int, list[float]] = {}
    for time, value in points:
        expected.setdefault(min(int(time / 40 * count), count - 1), []).append(value)
    assert found.column.tolist() == list(expected)
    for number, inside in enumerate(expected.values()):
        kept = (found.first[number], found.lowest[number], found.highest[number], found.last[number])
        assert kept == (inside[0], min(inside), max(inside), inside[-1])


def test_columns_of_nothing_and_of_one_instant() -> None:
    none = np.zeros(0, np.int64)
    assert to_columns(none, none.astype(np.float64), 0, 0, 10).column.size == 0
    assert to_columns(np.array([5]), np.array([1.0]), 5, 5, 10).column.tolist() == [0]


def test_logarithm_only_for_positive_values_far_apart() -> None:
    assert wants_logarithm(np.array([1.0, 10.0]))
    assert not wants_logarithm(np.array([1.0, 9.9]))
    assert not wants_logarithm(np.array([0.0, 100.0]))
    assert not wants_logarithm(np.array([-1.0, 100.0]))
    assert not wants_logarithm(np.zeros(0))


spread = generators.floats(-1e12, 1e12, allow_nan=False)


@given(generators.lists(spread, min_size=1, max_size=20))
def test_value_axis_holds_all_values_and_few_labels(values: list[float]) -> None:
    numbers = np.array(values)
    axis = value_axis(numbers, 10, 100)
    pixels = axis.pixels(numbers)
    assert np.isfinite(pixels).all()
    assert (pixels >= 9.9).all()
    assert (pixels <= 110.1).all()
    ticks = axis.ticks()
    assert len(ticks) <= 12
    assert all(9.9 <= y <= 110.1 for y, _ in ticks)


def test_labels_of_both_scales() -> None:
    assert [label for _, label in value_axis(np.array([0.0, 1.0]), 0, 100).ticks()] == [
        "0", "0.2", "0.4", "0.6", "0.8", "1.0",
    ]  # fmt: skip
    assert [label for _, label in value_axis(np.array([100.0, 2e7]), 0, 100).ticks()] == [
        "100", "1,000", "10,000", "100,000", "1M", "10M",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (3650, ["2024", "2025", "2026", "2027", "2028", "2029", "2030", "2031", "2032", "2033"]),
        (240, ["2024", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06", "2024-07", "2024-08"]),
        (3, ["2024-01-01", "12:00", "2024-01-02", "12:00", "2024-01-03", "12:00", "2024-01-04"]),
    ],
)
def test_time_labels(days: int, labels: list[str]) -> None:
    axis = TimeAxis(START_NS, START_NS + days * DAY_NS, 1000)
    assert [label for _, label in axis.ticks()] == labels


@given(generators.integers(0, 2 * 10**18), generators.integers(0, 10**19 // 4))
def test_time_labels_are_few_and_inside(start_ns: int, length_ns: int) -> None:
    ticks = TimeAxis(start_ns, start_ns + length_ns, 1000).ticks()
    assert len(ticks) <= 13
    assert all(-0.01 <= x <= 1000.01 for x, _ in ticks)
