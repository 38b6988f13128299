"""Indicators against TA-Lib's own output, stored with the version that made it, and against their definitions.

TA-Lib seeds its EMA with a simple mean and ours with the first value, so ours is started from TA-Lib's first value; the
RSI is compared as it is. The input is a stretch of the packaged hourly closes of SPY, in ticks.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.indicators_nb import ema_nb, rsi_nb
from replay.catalogue.files import read_columns
from replay.sample import sample_root

VECTORS = json.loads((Path(__file__).resolve().parents[1] / "data" / "indicators" / "talib.json").read_text())
CLOSES = VECTORS["closes"]
prices = generators.lists(generators.integers(1, 10**6), min_size=1, max_size=60)


def ema(values: list[int], period: int) -> list[float]:
    memory = np.zeros(3)
    return [ema_nb(memory, 1, float(value), period, count) for count, value in enumerate(values)]


def rsi(values: list[int], period: int) -> list[float]:
    memory = np.zeros(5)
    out = [rsi_nb(memory, 1, float(value), period, count) for count, value in enumerate(values)]
    assert memory[0] == memory[4] == 0.0, "only its own words"
    return out


def test_the_vectors_are_of_the_packaged_sample() -> None:
    closes = read_columns(sample_root() / "us" / "SPY" / "bars-1h.parquet")["close"]
    assert closes[5000 : 5000 + len(CLOSES)].tolist() == CLOSES
    assert VECTORS["source"].startswith("TA-Lib 0.")


@pytest.mark.parametrize("period", sorted(VECTORS["ema"], key=int))
def test_ema_equals_talib(period: str) -> None:
    theirs, first = VECTORS["ema"][period], int(period) - 1
    assert theirs[first] == pytest.approx(sum(CLOSES[: int(period)]) / int(period), rel=1e-12)
    memory = np.array([theirs[first]])
    ours = [*theirs[: first + 1], *(ema_nb(memory, 0, float(v), int(period), 1) for v in CLOSES[first + 1 :])]
    compare(ours, theirs, first)


def test_ema_forgets_its_seed() -> None:
    """Far from the start the seeding does not matter any more."""
    assert ema(CLOSES, 12)[200:] == pytest.approx(VECTORS["ema"]["12"][200:], rel=1e-9)


@pytest.mark.parametrize("period", sorted(VECTORS["rsi"], key=int))
def test_rsi_equals_talib(period: str) -> None:
    compare(rsi(CLOSES, int(period)), VECTORS["rsi"][period], int(period))


def compare(ours: list[float], theirs: list[float | None], first: int) -> None:
    assert [value is None for value in theirs] == [at < first for at in range(len(theirs))]
    for at in range(first, len(theirs)):
        assert ours[at] == pytest.approx(theirs[at], rel=1e-9), f"at {at}"


@settings(max_examples=100, deadline=None)
@given(prices, generators.integers(1, 30))
def test_ema_is_a_weighted_mean(values: list[int], period: int) -> None:
    weight = 2.0 / (period + 1.0)
    expected = float(values[0])
    for value, ours in zip(values, ema(values, period), strict=True):
        expected = (1.0 - weight) * expected + weight * value
        assert ours == pytest.approx(expected, rel=1e-9)
        assert min(values) * (1 - 1e-12) <= ours <= max(values) * (1 + 1e-12)


@settings(max_examples=100, deadline=None)
@given(prices, generators.integers(1, 20))
def test_rsi_stays_in_its_range(values: list[int], period: int) -> None:
    out = rsi(values, period)
    assert all(0.0 <= value <= 100.0 for value in out)
    assert out[:period] == [50.0] * len(out[:period])


def test_rsi_extremes() -> None:
    assert rsi([1, 2, 3, 4, 5, 6], 3)[3:] == [100.0, 100.0, 100.0]
    assert rsi([6, 5, 4, 3, 2, 1], 3)[3:] == [0.0, 0.0, 0.0]
    assert rsi([7] * 6, 3) == [50.0] * 6
