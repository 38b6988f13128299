"""``kernel check``: its tables, its JSON and its exit codes."""

import json
from pathlib import Path

from click.testing import CliRunner

from kernel.cli import cli
from tests.replay.check import cheats
from tests.replay.runs import SPY

SPAN = ("--from", "1998-01-02", "--to", "1998-06-01", "--data", SPY)


def run(*arguments: str):
    return CliRunner().invoke(cli, ["check", *arguments])


def test_lookahead_finds_nothing_in_an_honest_strategy() -> None:
    done = run("lookahead", "ema_cross", *SPAN, "--cuts", "2", "--set", "slow=30")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].split() == ["run", "until", "rows", "decisions", "before", "the", "cut"]
    assert lines[-1].startswith("5 of 5 runs the same; ")


def test_lookahead_names_time_and_field(tmp_path: Path) -> None:
    file = tmp_path / "peeks.py"
    file.write_text(cheats.PEEKS, encoding="utf-8")
    done = run("lookahead", str(file), *SPAN, "--cuts", "2")
    assert done.exit_code == 1
    assert "first difference at event" in done.output
    assert "peeks.py looks ahead" in done.output
    told = json.loads(run("lookahead", str(file), *SPAN, "--cuts", "2", "--json").output.splitlines()[0])
    assert told["good"] is False
    assert told["cuts"][1]["difference"]["event"] == "OrderIntended"


def test_lookahead_says_when_nothing_was_asked_for() -> None:
    done = run("lookahead", "do_nothing", *SPAN, "--cuts", "2")
    assert done.exit_code == 0
    assert "so little was checked" in done.output


def test_warmup(tmp_path: Path) -> None:
    done = run("warmup", "ema_cross", *SPAN, "--starts", "3")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].startswith("declared: 25 bars and 90 to settle; all agree after ")
    file = tmp_path / "window.py"
    file.write_text(cheats.HEAD + cheats.WINDOW.format(warm_up=4), encoding="utf-8")
    bad = run("warmup", str(file), *SPAN)
    assert bad.exit_code == 1
    assert "declares 4 bars, and one still decided otherwise at bar" in bad.output
    told = json.loads(run("warmup", str(file), *SPAN, "--json").output.splitlines()[0])
    assert told["good"] is False
    assert told["needed"] > 4


def test_wrong_usage_is_one_line() -> None:
    for arguments in (("lookahead", "ema_crss"), ("warmup", "ema_cross", "--set", "slow"), ("lookahead", "none.py")):
        done = run(*arguments, *SPAN)
        assert done.exit_code == 2
        assert len(done.output.splitlines()) == 1
