"""Every indicator that TA-Lib has, against TA-Lib, on real bars."""

import numpy as np
import pytest

from kernel.indicators import indicators
from tests.kernel.indicators import talib_cases
from tests.kernel.indicators.data import as_tuple, columns

KNOWN = {name: one for name, one in indicators().items() if talib_cases.has_oracle(one)}
BARS = 3000
VARIANTS = [
    ("sma", {"period": 2}),
    ("ema", {"period": 1}),
    ("ema", {"period": 200}),
    ("wma", {"period": 2}),
    ("trima", {"period": 7}),
    ("rsi", {"period": 2}),
    ("macd", {"fast": 26, "slow": 12}),
    ("macdext", {"fast_average": 1, "slow_average": 1, "signal_average": 1}),
    ("apo", {"average": 1}),
    ("ppo", {"average": 1}),
    ("bbands", {"period": 40, "up": 1.5, "down": 2.5}),
    ("stddev", {"period": 2}),
    ("adx", {"period": 2}),
    ("adxr", {"period": 2}),
    ("plus_dm", {"period": 2}),
    ("aroon", {"period": 50}),
    ("stoch", {"fast_k": 14, "slow_k": 1, "slow_d": 5}),
    ("sar", {"acceleration": 0.3, "maximum": 0.1}),
    ("sarext", {"start": -1_400_000.0, "offset": 0.01, "short_step": 0.05}),
    ("kc", {"period": 5}),
    ("linearreg", {"period": 2}),
    ("beta", {"period": 1}),
    ("percentile", {"percentile": 0.0}),
    ("percentile", {"percentile": 93.0}),
    ("fractal", {"left": 3, "right": 1}),
    ("mama", {"fast_limit": 0.9, "slow_limit": 0.01}),
    ("cdl_morning_star", {"penetration": 0.0}),
]


def compare(indicator, known, parameters) -> None:
    """Equal to 1e-9, and where a value nearly vanishes to 1e-11 of the largest."""
    values = indicator.resolve(parameters)
    ours = as_tuple(indicator.batch(*(known[name] for name in indicator.inputs), **values))
    theirs = talib_cases.expected(indicator, known, values)
    assert len(ours) == len(theirs)
    first = indicator.lookback(**values)
    for name, mine, other in zip(indicator.outputs, ours, theirs, strict=True):
        if not talib_cases.fills_with_zeros(indicator, name):
            assert np.isnan(other[:first]).all(), name
        assert not np.isnan(other[first:]).any(), name
        np.testing.assert_allclose(
            mine[first:], other[first:], rtol=1e-9, atol=1e-11 * np.abs(other[first:]).max(), err_msg=name
        )


@pytest.mark.parametrize("indicator", KNOWN.values(), ids=KNOWN)
def test_equals_talib(indicator) -> None:
    known = columns(BARS)
    if indicator.name in talib_cases.INDICES:
        known = {**known, "value": known["other"]}
    compare(indicator, known, {})


@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_equals_talib_with_other_parameters(name, parameters) -> None:
    compare(KNOWN[name], columns(BARS), parameters)


CANDLES = {name: one for name, one in KNOWN.items() if one.family == "candles"}
# Bars (open, high, low, close) that make the patterns which do not happen among the made-up bars below.
KICK = [(100, 100, 80, 80), (110, 130, 110, 130)]
RARE = {
    "cdl_kicking": KICK,
    "cdl_kicking_by_length": KICK,
    "cdl_3_stars_in_south": [(130, 131, 60, 100), (120, 121, 80, 105), (95, 95, 90, 90)],
    "cdl_mat_hold": [
        (100, 130, 100, 130), (136, 137, 133, 134), (133, 134, 127, 128), (129, 130, 126, 127), (128, 150, 128, 150),
    ],
}  # fmt: skip
QUIET = [(100, 106, 94, 110 - 5), (105, 111, 95, 100)] * 8


def test_candles_equal_talib_where_they_happen() -> None:
    """On 60,000 made-up bars with few ticks, where nearly all is equal or near, so that rare patterns happen too."""
    random = np.random.default_rng(7)
    bars = 60_000
    parts = []
    for scale in (3, 8, 30):
        close = 1000 + np.cumsum(random.integers(-scale, scale + 1, bars))
        open_ = np.roll(close, 1) + random.integers(-scale, scale + 1, bars) // random.integers(1, 4, bars)
        open_[0] = close[0]
        top, bottom = np.maximum(open_, close), np.minimum(open_, close)
        spread = random.integers(0, scale + 1, (2, bars)) // random.integers(1, 6, (2, bars))
        parts.append({"open": open_, "high": top + spread[0], "low": bottom - spread[1], "close": close})
    known = {name: np.concatenate([part[name] for part in parts]).astype(float) for name in parts[0]}
    silent = set()
    for name, indicator in CANDLES.items():
        ours = indicator.batch(*(known[one] for one in indicator.inputs))
        (theirs,) = talib_cases.expected(indicator, known, indicator.defaults)
        first = indicator.lookback()
        assert np.array_equal(ours[first:], theirs[first:]), name
        if not ours[first:].any():
            silent.add(name)
    assert silent == set(RARE)


@pytest.mark.parametrize("name", RARE)
def test_rare_candles_equal_talib(name) -> None:
    bars = np.array([*QUIET, *RARE[name], *QUIET], float)
    known = dict(zip(("open", "high", "low", "close"), np.ascontiguousarray(bars.T), strict=True))
    ours = CANDLES[name].batch(*known.values())
    (theirs,) = talib_cases.expected(CANDLES[name], known, CANDLES[name].defaults)
    first = CANDLES[name].lookback()
    assert np.array_equal(ours[first:], theirs[first:])
    assert abs(ours[len(QUIET) + len(RARE[name]) - 1]) == 100


def test_the_seed_is_forgotten() -> None:
    """Begun with the first value or with a mean: far from the start it does not matter."""
    for name in ("ema", "dema", "tema", "zlema"):
        indicator = KNOWN[name]
        closes = columns(BARS)["close"]
        mean, first = (indicator.batch(closes, period=12, seed=seed) for seed in (0, 1))
        assert not np.array_equal(mean[40:60], first[40:60])
        np.testing.assert_allclose(mean[600:], first[600:], rtol=1e-9)


def test_an_average_that_begins_with_the_first_value() -> None:
    closes = columns()["close"][:50]
    found = KNOWN["ema"].batch(closes, period=5, seed=1)
    average = closes[0]
    for bar, close in enumerate(closes):
        average += (close - average) * 2.0 / 6.0
        if bar >= 4:
            assert found[bar] == pytest.approx(average, rel=1e-12)
