"""kernel fork, and verify and replay of what it makes: output, exit codes, bad input."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kernel.cli import cli
from tests.replay.inspect.runs import FIRST_ORDER, change_a_price, copy_with_other_data, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("fork-cli") / "run", to="2016-12-01")


@pytest.fixture(scope="module")
def forked(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("forked") / "out"
    return out, call(
        "fork", run, "--at", 700, "--set", "ema_cross.fast=5", "--set", "limit.daily_loss=3%", "--out", out
    )


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_it_says_what_differs(forked: tuple[Path, Result], run: Path) -> None:
    out, done = forked
    assert done.exit_code == 0, done.output
    assert f"proven: all events up to it are those of {run}" in done.output
    assert "since the fork (USD)" in done.output
    assert "the first event that differs" in done.output
    assert f"check it with: kernel verify {out} --parent {run}" in done.output


def test_fork_and_parent_verify(forked: tuple[Path, Result], run: Path, tmp_path: Path) -> None:
    out, _ = forked
    for path in (run, out):
        assert call("verify", path, "--deep").exit_code == 0
    done = call("verify", out, "--parent", run, "--json")
    assert done.exit_code == 0
    found = json.loads(done.output)["fork"]
    assert found["ok"]
    assert found["forked_at"] >= 700
    other = make_run(tmp_path / "other", to="2016-12-01", cash=5)
    bad = call("verify", out, "--parent", other)
    assert bad.exit_code == 1
    assert "NOT a fork of that parent" in bad.output
    assert call("verify", run, "--parent", out).exit_code == 2


def test_a_fork_is_decided_again(forked: tuple[Path, Result]) -> None:
    done = call("replay", forked[0])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("identical:")
    assert json.loads(call("replay", forked[0], "--json").output)["identical"]


def test_the_commands_for_looking_work_on_a_fork(forked: tuple[Path, Result], run: Path) -> None:
    out, _ = forked
    assert "from event" in call("show", out, "--topic", "run.forked").output
    assert call("diff", run, out).exit_code == 1
    assert call("at", out, "end").exit_code == 0
    assert call("audit", "report", out, "--out", out.parent / "audit").exit_code == 0


def test_json_and_a_sequence_inside_a_transaction(run: Path, tmp_path: Path) -> None:
    done = call("fork", run, "--at", FIRST_ORDER, "--set", "fast=5", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(next(line for line in done.output.splitlines() if line.startswith("{")))
    assert found["forked_at"] > FIRST_ORDER
    assert f"event {FIRST_ORDER} lies inside a transaction" in done.output
    assert found["at_fork"]["fills"] <= found["fork_end"]["fills"]


def test_bad_input_is_one_line(forked: tuple[Path, Result], run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for arguments, message in (
        ((run, "--at", 700), "nothing is different"),
        ((run, "--at", "soon", "--set", "fast=5"), "is not a sequence"),
        ((run, "--at", 99_999_999, "--set", "fast=5"), "the journal has events 1 to"),
        ((run, "--at", 700, "--set", "fast"), "write it as KEY=VALUE"),
        ((run, "--at", 700, "--set", "fsat=5"), "has no parameter"),
        ((run, "--at", 700, "--set", "limit.symbol_exposure=-5"), "must be 0 or more"),
        ((run, "--at", 700, "--code", tmp_path / "none.py"), "no such strategy file"),
        ((forked[0], "--at", 700, "--set", "fast=5"), "is a fork itself"),
        ((tmp_path / "nowhere", "--at", 700, "--set", "fast=5"), "no such directory"),
    ):
        done = call("fork", *arguments, "--out", out)
        assert done.exit_code == 2, (arguments, done.output)
        assert message in done.output
        assert len(done.output.strip().splitlines()) == 1, done.output
        assert not out.exists()


def test_changed_market_data_is_told(run: Path, tmp_path: Path) -> None:
    copy, data = copy_with_other_data(run, tmp_path / "run")
    change_a_price(data)
    done = call("fork", copy, "--at", 700, "--set", "fast=5", "--out", tmp_path / "out")
    assert done.exit_code in (1, 2)
    assert "changed" in done.output
