"""A warm-up that is declared too short is caught; those of the built-in strategies hold."""

from pathlib import Path

import pytest

from kernel.indicators import fading
from kernel.strategy.declare import NEVER
from replay.check.preparing import prepare_check
from replay.check.warmup import WarmupReport, check_warmup
from strategies import BUILT_IN, OF_OTHERS
from tests.replay.check import cheats
from tests.replay.runs import SPY, config
from tests.strategies.decisions import data_of


def check(use: str, data: list[str] | None = None, to: str = "2009-06-01", starts: int = 6) -> WarmupReport:
    span = {"from": "2007-06-01", "to": to}
    prepared, _ = prepare_check(config(data=data or [SPY], **span), use, {})
    return check_warmup(prepared, starts=starts)


@pytest.mark.parametrize("text", [cheats.HEAD + cheats.WINDOW, cheats.COMPILED_WINDOW])
def test_a_warm_up_that_is_too_short_is_caught(tmp_path: Path, text: str) -> None:
    """It needs 39 bars before the first at which its window is full."""
    reports = []
    for warm_up in (39, 20):
        file = tmp_path / f"window{warm_up}.py"
        file.write_text(text.format(warm_up=warm_up), encoding="utf-8")
        reports.append(check(str(file)))
    right, wrong = reports
    assert right.is_good
    assert all(start.wishes > 10 for start in right.starts)
    assert not wrong.is_good
    assert 20 < wrong.needed <= 39
    assert wrong.needed == max(start.agrees_after for start in wrong.starts)


ALONE = [*(name for name in BUILT_IN if name not in ("market_maker", *OF_OTHERS)), "regime"]


@pytest.mark.parametrize("name", ALONE)
def test_the_declared_bars_of_a_built_in_strategy_hold(name: str) -> None:
    report = check(name, data_of(name), "2008-06-01", 4)
    assert report.is_good, report
    asks = any(start.wishes for start in report.starts)
    assert asks or name in ("do_nothing", "buy_and_hold")


def test_features_begin_late_too() -> None:
    """Those of the late ones are of fewer bars, and come near with time; the warm-up follows from their look-back."""
    file = Path(__file__).parents[1] / "feature_strategies.py"
    reports = [check(f"{file}:{name}") for name in ("cross", "Cross")]
    assert [report.warm_up for report in reports] == [25, 25]
    compiled, plain = reports
    assert compiled.starts == plain.starts
    assert 25 < compiled.needed < 150
    for start in compiled.starts:
        assert 0 < start.feature_difference < 0.01
        assert start.feature.startswith("ema(period=")
    screens = check("triple_screen")
    assert screens.is_good
    assert {start.feature for start in screens.starts} <= {"macd.histogram@1d", "rsi(period=5)@1h"}
    assert any(start.feature_difference > 1e-4 for start in screens.starts)


def test_what_depends_on_its_start_says_so() -> None:
    report = check("grid")
    assert report.settle == NEVER
    assert report.needed > 50


def test_an_average_fades() -> None:
    for weight in (2 / 27, 1 / 14, 0.5):
        bars = fading(weight)
        assert (1 - weight) ** bars <= 0.001 < (1 - weight) ** (bars - 1)
    assert fading(1.0) == 1
