"""kernel audit report, export and check: output, exit codes, bad input, and the commands that the report names."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kernel.cli import cli
from kernel.events import catalogue as events
from replay.audit_report.coverage import requirements
from tests.replay.audit_report.histories import Told
from tests.replay.inspect.runs import flip_byte, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("audit-cli") / "run", to="2016-12-01")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_report_says_where_it_is_and_what_it_found(run: Path, tmp_path: Path) -> None:
    done = call("audit", "report", run / "journal", "--out", tmp_path / "out", "--orders", 2)
    assert done.exit_code == 0, done.output
    assert "the journal is whole" in done.output
    assert re.search(r"requirements: \d+ met, ", done.output)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "orders.parquet", "report.html", "report.json", "report.schema.json",
    }  # fmt: skip
    assert len(json.loads((tmp_path / "out" / "report.json").read_text())["orders"]["shown"]) == 2
    again = call("audit", "report", run, "--out", tmp_path / "out")
    assert again.exit_code == 2
    assert "is not empty; name another --out" in again.output


def test_report_of_a_broken_journal_ends_with_1(run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    flip_byte(tmp_path / "run" / "journal")
    done = call("audit", "report", tmp_path / "run", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 1
    assert json.loads(done.output.splitlines()[0])["ok"] is False


def test_export_and_check(run: Path, tmp_path: Path) -> None:
    done = call("audit", "export", run, "--out", tmp_path / "out", "--format", "csv", "--json")
    assert done.exit_code == 0, done.output
    root = json.loads(done.output)["root"]
    assert root in call("verify", run).output
    assert call("audit", "check", tmp_path / "out", "--run", run).exit_code == 0
    (tmp_path / "out" / "orders.csv").write_text("changed\n")
    bad = call("audit", "check", tmp_path / "out")
    assert bad.exit_code == 1
    assert "is not what was exported" in bad.output
    assert call("audit", "export", tmp_path / "nothing", "--out", tmp_path / "other").exit_code == 2
    assert call("audit", "export", run, "--out", tmp_path / "out").exit_code == 2


def test_the_commands_of_the_table_of_regulation_run(run: Path, tmp_path: Path) -> None:
    """Those that read a run, on a run; that others exist is checked by their names."""
    told = 0
    for one in {one.check for one in requirements() if one.check.startswith("kernel ")}:
        words = shlex.split(one.replace("{run}", str(run)).replace("DIR", str(tmp_path / str(told))))
        told += 1
        if words[1] in ("status", "replay") or "COPY" in words or "--against" in words:
            assert call(words[1], "--help").exit_code == 0
            continue
        done = call(*words[1:])
        assert done.exit_code == 0, (one, done.output)
    assert told > 15


@pytest.mark.parametrize("kind", [900, 65_535])
def test_events_of_a_later_release_are_told_of_and_break_nothing(tmp_path: Path, kind: int) -> None:
    told = Told(tmp_path / "run")
    command = told.tell(events.CommandGiven(501), instrument=-1, strategy=-1, body={"command": "x", "arguments": {}})
    told.tell(events.OrderIntended(1, 2, 1, 5, 90, 0, 0), cause=command, kind=kind)
    told.tell(events.OrderIntended(1, 2, 1, 5, 90, 0, 0))
    run = told.done()
    assert call("audit", "report", run, "--out", tmp_path / "out").exit_code == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["topics"][f"kind {kind}"] == report["orders"]["count"] == 1
    assert sum("1 event of kinds that this release does not know" in text for text in report["not_checked"]) == 1
    done = call("audit", "export", run, "--out", tmp_path / "tables")
    assert (done.exit_code, "left out: 1 event of kinds" in done.output) == (0, True), done.output
    assert json.loads((tmp_path / "tables" / "manifest.json").read_text())["unknown_events"] == 1
    shown = call("show", run)
    assert shown.exit_code == 1
    assert shown.output.splitlines()[-1].endswith(
        f"is of kind {kind}, which this release does not know; use the one that wrote it"
    )
    assert call("sql", run, "select topic, kind from events where topic is null").output.count(str(kind)) == 1
