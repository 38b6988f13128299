"""The page of the strategies and ``kernel strategies`` are what the modules say."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kernel.cli import cli
from kernel.strategy.declare import StrategyError
from strategies import BUILT_IN
from strategies.reference import built_in, facts, page
from tests.replay.runs import config

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str):
    return CliRunner().invoke(cli, ["strategies", *arguments])


def test_the_page_in_the_docs_is_up_to_date() -> None:
    written = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m strategies.reference > docs/strategies.md"
    assert run().output == written


def test_every_module_is_listed_and_says_all() -> None:
    modules = {path.stem for path in (ROOT / "strategies").glob("*.py")} - {"__init__", "reference"}
    assert modules == set(BUILT_IN)
    for name in BUILT_IN:
        told = facts(built_in(name))
        assert told["name"] == name
        assert told["title"]
        assert told["rule"]
        assert told["source"]


def test_one_entry_and_json() -> None:
    done = run("donchian_breakout")
    assert done.output.startswith(
        "## `donchian_breakout`\n\n**Donchian breakout: the turtles' first system.** Long when"
    )
    assert "`entry = 20`, `leave = 10`" in done.output
    assert "Warm-up: 20 bars; settles in 135 bars." in done.output
    told = [json.loads(line) for line in run("--json").output.splitlines()]
    assert [one["name"] for one in told] == list(BUILT_IN)
    (macd,) = (json.loads(line) for line in run("macd_cross", "--json").output.splitlines())
    assert macd["parameters"] == {"fast": 12, "slow": 26, "signal": 9, "fraction": 0.95, "short": 0}
    assert (macd["warm_up_bars"], macd["called_for"], macd["per"]) == (33, ["bar"], "instrument")


def test_an_unknown_name_is_one_line() -> None:
    done = run("macd")
    assert done.exit_code == 2
    assert "no strategy 'macd'" in done.output


def test_a_file_of_ones_own_and_one_in_plain_python() -> None:
    twin = str(Path(__file__).with_name("ema_cross_twin.py"))
    assert "is a strategy in plain Python" in run(twin).output
    assert run(str(ROOT / "strategies" / "supertrend.py")).output.startswith("## `supertrend`")


@pytest.mark.parametrize(
    ("strategy", "given", "warm_up"),
    [
        ("ema_cross", {"slow": 50}, 49),
        ("rsi_reversion", {"period": 2}, 2),
        ("donchian_breakout", {"entry": 55, "leave": 20}, 55),
        ("atr_channel", {"period": 10}, 20),
        ("ichimoku", {"shift": 10}, 61),
        ("pairs", {"period": 30, "spread_period": 20}, 48),
        ("ttm_squeeze", {"period": 10}, 19),
    ],
)
def test_the_warm_up_follows_the_parameters(strategy: str, given: dict[str, int], warm_up: int) -> None:
    source = built_in(strategy)
    assert source.warm_up_bars({**source.defaults, **given}) == warm_up


@pytest.mark.parametrize(
    ("strategy", "given"),
    [
        ("ema_cross", {"slow": 0}),
        ("donchian_breakout", {"leave": -1}),
        ("pairs", {"period": 1}),
        ("momentum_rotation", {"hold": 0}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(strategy: str, given: dict[str, int]) -> None:
    from replay.execution import prepare

    with pytest.raises(StrategyError, match=f"strategy {strategy}: .* is not from"):
        prepare(config(strategy=[{"use": strategy, "set": given}]))
