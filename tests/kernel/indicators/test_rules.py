"""What holds for every indicator: step is batch, no look-ahead, snapshots, missing values, flat bars, memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kernel.indicators import IndicatorError, indicator_named, indicators, steps
from tests.kernel.indicators.data import BARS, as_tuple, columns, inputs, is_sound, with_holes

ROOT = Path(__file__).resolve().parents[3]
KNOWN = indicators()
EVERY = pytest.mark.parametrize("indicator", KNOWN.values(), ids=KNOWN)
# Defined to be missing at times, by their description.
SOMETIMES_MISSING = {"div", "session_position", "vwap_anchored"}


def batch(indicator, series, **options):
    """All outputs, as columns."""
    return np.column_stack(as_tuple(indicator.batch(*series, **options)))


def same(left, right) -> bool:
    """Equal bit for bit."""
    return np.array_equal(left, right, equal_nan=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory):
    """What all steps give in plain Python."""
    file = tmp_path_factory.mktemp("plain") / "steps.npz"
    command = [sys.executable, "-m", "tests.kernel.indicators.plain", str(file)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=True)
    with np.load(file) as kept:
        return dict(kept)


@EVERY
def test_step_is_batch_bit_for_bit(indicator, plain) -> None:
    """The steps in plain Python and the compiled batch: the same outputs and memory, missing values and all."""
    memory = np.zeros(indicator.words())
    found = batch(indicator, with_holes(inputs(indicator)), memory=memory)
    assert same(found, plain[f"{indicator.name}/outputs"])
    assert same(memory, plain[f"{indicator.name}/memory"])


STEPPED = ["ema", "rsi", "sma", "macd", "bbands", "stoch", "adx", "sar", "calendar", "ht_phasor", "cdl_morning_star"]


@pytest.mark.parametrize("name", list(KNOWN) if os.environ.get("KERNEL_HISTORIES") else STEPPED)
def test_the_compiled_step_is_batch_bit_for_bit(name) -> None:
    """With KERNEL_HISTORIES set, for every indicator; each is a second of compiling."""
    indicator = indicator_named(name)
    series = with_holes(inputs(indicator))
    memory = np.zeros(indicator.words() + 1)
    values = tuple(indicator.defaults.values())
    rows = [indicator.step(memory, 1, *bar, *values) for bar in zip(*series, strict=True)]
    assert same(np.array(rows, float).reshape(BARS, -1), batch(indicator, series))


@EVERY
def test_a_prefix_gives_the_same_prefix(indicator) -> None:
    """No look-ahead: what is not known yet changes nothing."""
    series = inputs(indicator)
    whole = batch(indicator, series)
    for bars in (0, 1, indicator.lookback() + 1, 333):
        assert same(batch(indicator, [one[:bars] for one in series]), whole[:bars])


@EVERY
def test_a_snapshot_goes_on_as_if_nothing_had_been(indicator) -> None:
    series = inputs(indicator)
    whole = batch(indicator, series)
    for cut in (1, indicator.lookback(), 251):
        memory = np.zeros(indicator.words())
        first = batch(indicator, [one[:cut] for one in series], memory=memory)
        second = batch(indicator, [one[cut:] for one in series], memory=memory.copy())
        assert same(np.concatenate([first, second]), whole)


@EVERY
def test_a_missing_bar_did_not_happen(indicator) -> None:
    """NaN for that bar, and otherwise as if the series had not had it."""
    series = with_holes(inputs(indicator))
    sound = is_sound(series)
    assert 0 < sound.sum() < BARS or indicator.inputs == ("timestamp",)
    found = batch(indicator, series)
    assert np.isnan(found[~sound]).all()
    assert same(found[sound], batch(indicator, [one[sound] for one in series]))


@EVERY
def test_outputs_are_defined_from_the_lookback_on(indicator) -> None:
    found = batch(indicator, inputs(indicator))
    first = indicator.lookback()
    assert np.isnan(found[:first]).all()
    if indicator.name not in SOMETIMES_MISSING:
        assert np.isfinite(found[first:]).all()


@EVERY
def test_flat_bars_poison_nothing(indicator) -> None:
    """Bars without range, change or volume, and nothing but zeros, for longer than any window."""
    still = {name: one.copy() for name, one in columns().items()}
    for name in ("open", "high", "low", "close", "value", "other", "bid", "ask"):
        still[name][120:350] = still["close"][120]
    for name in still:
        if name not in ("timestamp", "period"):
            still[name][200:300] = 0.0
    for name in ("volume", "bid_size", "ask_size"):
        still[name][120:350] = 0.0
    found = batch(indicator, [still[name] for name in indicator.inputs])
    if indicator.name not in SOMETIMES_MISSING:
        assert np.isfinite(found[indicator.lookback() :]).all()
    assert np.isfinite(found[-1]).all() or indicator.name in SOMETIMES_MISSING


@EVERY
def test_the_declaration_is_whole(indicator) -> None:
    assert indicator.description.endswith(".")
    assert indicator.source
    assert indicator.lookback() >= 0
    lowest = {one.name: one.lowest for one in indicator.parameters}
    assert indicator.words(**lowest) >= 1 + len(indicator.state)
    for one in indicator.parameters:
        assert one.lowest <= one.default <= one.highest


def test_there_are_more_than_two_hundred() -> None:
    assert len(KNOWN) > 200
    assert sum(one.family == "candles" for one in KNOWN.values()) == 61


def test_bad_requests_say_what_is_wrong() -> None:
    ema = indicator_named("ema")
    closes = columns()["close"]
    with pytest.raises(IndicatorError, match="no indicator 'emma'; did you mean ema"):
        indicator_named("emma")
    with pytest.raises(IndicatorError, match="ema has no parameter 'length'; it has period, seed"):
        ema.batch(closes, length=3)
    with pytest.raises(IndicatorError, match="ema: period=0 is not from 1 to 100000"):
        ema.batch(closes, period=0)
    with pytest.raises(IndicatorError, match=r"ema: period=2\.5 is not an integer"):
        ema.words(period=2.5)
    with pytest.raises(IndicatorError, match="bop takes open, high, low, close; 1 series given"):
        indicator_named("bop").batch(closes)
    with pytest.raises(IndicatorError, match="add: the series differ in length"):
        indicator_named("add").batch(closes, closes[1:])
    with pytest.raises(AttributeError, match="no indicator 'emma'"):
        getattr(steps, "emma" + "_nb")


def test_importing_compiles_nothing_and_is_light() -> None:
    program = (
        "import sys; from kernel.indicators import indicators; indicators()\n"
        "print(sorted({'numba', 'pandas', 'talib', 'replay'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
