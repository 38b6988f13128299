"""``kernel backup`` and ``kernel restore`` as a user gives them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kernel.cli import cli
from replay.execution import prepare
from replay.runner import run_backtest
from tests.replay.runs import config


def _kernel(*arguments: object) -> Any:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a finished run and a backup of it."""
    run_backtest(prepare(config(to="1998-10-01", journal="full")), tmp_path / "run")
    (tmp_path / "run" / "desk.key").write_text("secret")
    (tmp_path / "run" / "report.html").write_text("all")
    done = _kernel("backup", tmp_path / "run", tmp_path / "b")
    assert done.exit_code == 0, done.output
    assert "left out: desk.key" in done.output
    return tmp_path


def test_a_restored_run_comes_out_the_same(folder: Path) -> None:
    found = json.loads(_kernel("backup", folder / "run", folder / "b", "--json").stdout.splitlines()[-1])
    assert found["new_frames"] == 0
    done = _kernel("restore", folder / "b", folder / "again")
    assert f"root {found['root']}" in done.output
    shown = _kernel("replay", folder / "again")
    assert "identical" in shown.output
    assert _kernel("verify", folder / "b").exit_code == 0  # a backup is a journal


def test_a_run_that_was_cut_comes_out_the_same_as_far_as_it_goes(folder: Path) -> None:
    done = _kernel("restore", folder / "b", folder / "cut", "--upto", "1,000", "--json")
    found = json.loads(done.stdout)
    assert found["cut_after"] <= 1000
    assert found["left_out"] == ["equity.parquet", "report.html", "trades.parquet"]
    assert "interrupted there" in _kernel("replay", folder / "cut").output
    assert "note: cut after event" in _kernel("restore", folder / "b", folder / "cut2", "--upto", "1000").output
    assert _kernel("replay", "--resume", folder / "cut", "--no-report").exit_code == 0  # and it goes on
    assert "identical" in _kernel("replay", folder / "cut").output


def test_what_is_wrong_is_said_in_one_line(folder: Path) -> None:
    for arguments, code, says in (
        (("backup", folder / "nowhere", folder / "b"), 2, "does not exist"),
        (("backup", folder / "b" / "files", folder / "c"), 1, "no journal there"),
        (("restore", folder / "run", folder / "c"), 1, "no backup there"),
        (("restore", folder / "b", folder / "run"), 1, "nothing is overwritten"),
        (("restore", folder / "b", folder / "c", "--upto", "x"), 2, "is not a sequence"),
        (("restore", folder / "b", folder / "c", "--upto", "99999999"), 1, "its last one is"),
        (("restore", folder / "b", folder / "c", "--upto", "1"), 1, "its first frame ends with"),
    ):
        refused = _kernel(*arguments)
        assert refused.exit_code == code, (arguments, refused.output)
        assert says in refused.output
        assert not (folder / "c").exists()
