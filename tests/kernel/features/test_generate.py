"""The compiled set gives for each bar what the batches give for the series, bit for bit; each is computed once."""

import numpy as np
import pytest

from kernel.features.batch import feature_columns
from kernel.features.generate import features_entry, features_source, steps_of
from kernel.features.name import FeatureError, parse_feature
from kernel.features.plan import MOST_VALUES, Wanted, check_places, plan_features
from kernel.records import new_record
from kernel.strategy.api_nb import feature, feature_in
from kernel.strategy.context import CONTEXT, FEATURE_PLACES

NAMES = (
    "ema(12)", "macd.signal", "atr(14)", "sma(5, of=volume)", "bbands(20)", "macd", "obv", "vwap_session", "rsi",
    "ema(12, of=high)", "calendar.weekday", "adx(5)",
)  # fmt: skip


def made_up(bars: int) -> dict[str, np.ndarray]:
    """Bars in ticks of a random walk, one of which does not move."""
    random = np.random.default_rng(5)
    close = 100_000 + np.cumsum(random.integers(-50, 51, bars))
    open_ = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(open_, close) + random.integers(0, 20, bars)
    low = np.minimum(open_, close) - random.integers(0, 20, bars)
    columns = {"open": open_, "high": high, "low": low, "close": close, "volume": random.integers(0, 9, bars)}
    for column in columns.values():
        column[50] = columns["low"][50]
    found = {name: column.astype(np.float64) for name, column in columns.items()}
    return {**found, "timestamp": np.arange(bars, dtype=np.int64) * 3_600_000_000_000}


def test_the_compiled_set_is_the_batches() -> None:
    bars = made_up(400)
    asked = [parse_feature(name) for name in NAMES]
    sets = plan_features([Wanted(0, "", one) for one in asked] + [Wanted(3, "5m", parse_feature("ema(12)"))])
    assert (sets[0].memory_at, sets[0].values_at) == (0, 0)
    assert sets[1].values_at == len(sets[0].columns) == 22
    assert sets[0].columns.count("macd.signal") == 1
    assert sets[0].places(asked[1]) == [sets[0].columns.index("macd.signal")]
    context = new_record(CONTEXT)
    entry = features_entry(sets[0].steps)
    found = np.empty((400, len(sets[0].columns)))
    for bar in range(400):
        words = [int(bars[name][bar]) for name in ("open", "high", "low", "close", "volume", "timestamp")]
        context.call.words[:6] = words
        entry(context)
        found[bar] = context.features[: len(sets[0].columns)]
    expected = feature_columns(sets[0].steps, bars)
    assert list(expected) == list(sets[0].columns)
    for at, (name, column) in enumerate(expected.items()):
        assert found[:, at].tobytes() == column.tobytes() or np.array_equal(found[:, at], column, equal_nan=True), name
        assert not np.isnan(column[200:]).any() or name.startswith("calendar"), name
    for one in asked:
        assert np.isnan(expected[one.columns()[0]][: one.lookback]).all()


def test_what_is_asked_for_twice_is_computed_once() -> None:
    asked = [parse_feature(name) for name in ("macd", "macd.signal", "ema(12)", "ema(period=12)", "macd(8).macd")]
    assert [str(one) for one in steps_of(asked)] == ["macd", "ema(period=12)", "macd(fast=8).macd"]
    assert features_source(steps_of(asked)).count("= step_") == 3
    columns = feature_columns(asked, made_up(60))
    assert list(columns) == ["macd.macd", "macd.signal", "macd.histogram", "ema(period=12)", "macd(fast=8).macd"]


def test_capacity_is_refused() -> None:
    many = [Wanted(0, "", parse_feature(f"ema({period})")) for period in range(1, MOST_VALUES + 2)]
    with pytest.raises(FeatureError, match="257 values of one bar are more than the kernel computes"):
        plan_features(many)
    plan_features(many[:-1])
    with pytest.raises(FeatureError, match="words of memory, more than the kernel holds"):
        plan_features([Wanted(0, "", parse_feature(f"sma({period})")) for period in range(99_000, 99_011)])
    with pytest.raises(FeatureError, match="more than the kernel holds"):
        plan_features([Wanted(at, "", one.feature) for at in range(512) for one in many[:100]])
    check_places(FEATURE_PLACES)
    with pytest.raises(FeatureError, match="strategies read"):
        check_places(FEATURE_PLACES + 1)


def test_reading_what_was_not_asked_for_is_not_a_number() -> None:
    context = new_record(CONTEXT)
    context.state.head.instrument_count = 2
    context.features[:4] = [1.5, 2.5, 3.5, 4.5]
    context.feature_books[:4] = [1, 4, 0, 6]  # of strategies 0 and 1, two instruments each
    context.feature_places[:9] = [0, 2, 0, 2, 1, 1, 2, 3, 0]
    assert [feature_in(context, 0, index) for index in (0, 1)] == [1.5, 3.5]
    assert feature_in(context, 1, 0) == 2.5
    assert np.isnan([feature_in(context, 0, 2), feature_in(context, 0, -1), feature_in(context, 1, 1)]).all()
    context.call.strategy, context.call.instrument = 1, 1
    assert [feature(context, index) for index in (0, 1)] == [4.5, 1.5]
    context.call.instrument = 0
    assert np.isnan(feature(context, 0))
