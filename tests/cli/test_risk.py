"""kernel risk: what limits a run, in the order of the checks; a bad configuration with file and line."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kernel.cli import cli
from kernel.risk.numbers import CHECKS, MONITORS, ORDER_CHECKS, REQUEST_CHECKS
from kernel.risk.rules import RULES, TRAILING_STOP
from replay.limits_in_force import WITH
from tests.replay.runs import SPY

STRATEGY = '[[strategy]]\nuse = "ema_cross"\n'


@pytest.fixture
def call(tmp_path: Path) -> Any:
    def run(text: str, *options: str) -> Result:
        file = tmp_path / "run.toml"
        file.write_text(text)
        return CliRunner().invoke(cli, ["risk", str(file), *options])

    return run


def limits(result: Result) -> dict[str, dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {limit["check"]: limit for limit in found}


def test_the_checks_are_listed_in_their_order(call: Any) -> None:
    found = list(limits(call(STRATEGY, "--json")).values())
    assert [limit["number"] for limit in found] == [*ORDER_CHECKS, *REQUEST_CHECKS, *MONITORS]
    assert [limit["place"] for limit in found[: len(ORDER_CHECKS)]] == list(range(1, len(ORDER_CHECKS) + 1))
    assert all(limit["scope"] and limit["text"] for limit in found)


def test_each_limit_says_its_value_its_unit_and_where_it_was_said(call: Any) -> None:
    text = STRATEGY + '[risk]\ndefaults = "desk"\nsymbol_exposure = "2500.5"\npositions = 0\nbreaker_move_percent = 4\n'
    found = limits(call(text + "[limits]\nopen_orders = 7\n", "--json"))
    own = found["symbol_exposure"]
    assert (own["status"], own["value"], own["unit"]) == ("on", "2500.5", "money")
    assert own["said"].endswith("run.toml, line 5")
    assert (found["total_exposure"]["value"], found["total_exposure"]["said"]) == ("50000", "desk")
    assert found["positions"]["status"] == "off"
    assert found["halted"]["status"] == "always"
    assert found["breaker"]["besides"] == {"breaker_window": "5m", "breaker_cooldown": "15m"}
    assert (found["open_orders"]["value"], found["open_orders"]["setting"]) == ("7", "limits.open_orders")
    assert found["sector_share"]["status"] == "off", "no instrument is in a sector"
    assert found["daily_loss_kill"]["besides"] == {"kill_level": "2"}


def test_people_read_a_table(call: Any) -> None:
    done = call(f'data = ["{SPY}"]\n{STRATEGY}[risk]\nsymbol_exposure = 900\n[exits]\nstop = 0.05\n', "--on")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert any("symbol_exposure" in line and "900 USD" in line for line in lines)
    assert any("stop_loss" in line and "0.05" in line and "position of ema_cross" in line for line in lines)
    assert not any("sector_share" in line for line in lines), "--on leaves out what is off"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[risk]\nleverage = -2\n", 5, "risk.leverage is -2; it cannot be negative"),
        ("[risk]\ntotal_exposure = 100\nsymbol_exposure = 200\n", 6, "contradicts total_exposure = 100"),
        ('[risk.sectors]\nfunds = ["us/SPX"]\n', 5, "names 'us/SPX', which is not in the data; did you mean us/SPY?"),
        ("[risk]\nleverag = 2\n", 5, "did you mean risk.leverage?"),
    ],
)
def test_a_bad_configuration_is_refused_with_file_and_line(call: Any, text: str, line: int, message: str) -> None:
    done = call(f'data = ["{SPY}"]\n{STRATEGY}{text}')
    assert done.exit_code == 2
    assert f"run.toml, line {line}: " in done.output
    assert message in done.output


def test_a_file_that_is_not_there(call: Any) -> None:
    done = CliRunner().invoke(cli, ["risk", "nowhere.toml"])
    assert (done.exit_code, done.output.count("\n")) == (2, 1)


def test_every_setting_of_risk_is_shown_somewhere() -> None:
    shown = {check.rule for check in CHECKS.values()} | {rule for rules in WITH.values() for rule in rules}
    assert set(RULES) - {TRAILING_STOP} <= shown, "that is one of the exits"


def test_the_trailing_stop_of_risk_is_an_exit_of_every_strategy(call: Any) -> None:
    found = limits(call(STRATEGY + '[risk]\ndefaults = "desk"\n', "--json"))["trailing_stop"]
    assert (found["status"], found["value"], found["setting"]) == ("on", "0.05", "risk.trailing_stop_percent")
    assert found["said"] == "desk"
    nearer = limits(call(STRATEGY + '[risk]\ndefaults = "desk"\n[exits]\ntrail = 0.02\n', "--json"))["trailing_stop"]
    assert (nearer["value"], nearer["setting"]) == ("0.02", "")
