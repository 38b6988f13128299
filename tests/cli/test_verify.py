"""kernel verify and kernel recover: what they say of whole, torn, damaged and displaced journals."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kernel.cli import cli
from tests.replay.inspect.runs import change_a_price, copy_with_other_data, flip_byte, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("verify") / "run")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def torn_copy(run: Path, to: Path) -> Path:
    """A copy with the first half of a frame at its end, as a crash leaves it."""
    from journal import JournalReader, JournalWriter

    shutil.copytree(run, to)
    journal = to / "journal"
    segment = next(iter(journal.glob("*.seg")))
    whole = segment.stat().st_size
    last = JournalReader(journal).last_sequence
    head = {name: (journal / name).read_bytes() for name in ("head",)}
    with JournalWriter.open(journal, fsync="off") as writer:
        records = bytes(128)
        writer.append(records, b"", event_count=1, first_sequence=last + 1, ts_ingest_ns=1)
    raw = segment.read_bytes()
    segment.write_bytes(raw[: whole + 150])
    for name, content in head.items():
        (journal / name).write_bytes(content)
    return to


def test_a_whole_journal(run: Path) -> None:
    result = call("verify", run)
    assert result.exit_code == 0
    assert result.output.startswith("whole: ")
    assert "tail    clean" in result.output
    assert call("verify", run / "journal").output.splitlines()[1] == result.output.splitlines()[1]


def test_deep_checks_the_data_and_every_digest(run: Path) -> None:
    result = call("verify", run, "--deep", "--json")
    assert result.exit_code == 0
    report = json.loads(result.output)
    assert report["ok"]
    assert report["problem"] is None
    deep = report["deep"]
    assert deep["events"] == report["events"]
    assert deep["digests"] == report["events"] // 1000 + 1
    assert deep["segments"] == report["frames"] - 1
    assert deep["problem"] is None
    assert "as recorded: " in call("verify", run, "--deep").output


def test_changed_data_is_only_seen_by_the_deep_check(run: Path, tmp_path: Path) -> None:
    changed, data = copy_with_other_data(run, tmp_path / "changed")
    change_a_price(data)
    assert call("verify", changed).exit_code == 0
    result = call("verify", changed, "--deep")
    assert result.exit_code == 1
    assert "NOT as recorded: the market data has changed: rows 0 to" in result.output


def test_missing_data_is_not_called_a_break(run: Path, tmp_path: Path) -> None:
    moved, data = copy_with_other_data(run, tmp_path / "moved")
    elsewhere = tmp_path / "elsewhere.parquet"
    data.rename(elsewhere)
    result = call("verify", moved, "--deep")
    assert result.exit_code == 1
    assert "NOT CHECKED further than event 7: market data is not at" in result.output
    assert call("verify", moved, "--data", elsewhere).exit_code == 0


def test_damage_is_located(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "bad")
    flip_byte(tmp_path / "bad" / "journal")
    result = call("verify", tmp_path / "bad")
    assert result.exit_code == 1
    assert result.output.startswith("BROKEN; the ")
    assert "frame-damaged" in result.output
    assert "00000000000000000001.seg at byte " in result.output
    report = json.loads(call("verify", tmp_path / "bad", "--json").output)
    assert not report["ok"]
    assert report["problem"]["kind"] == "frame-damaged"
    assert call("recover", tmp_path / "bad").exit_code == 1


def test_a_torn_tail_is_told_and_recovered(run: Path, tmp_path: Path) -> None:
    torn = torn_copy(run, tmp_path / "torn")
    result = call("verify", torn)
    assert result.exit_code == 1
    assert f"set it aside with: kernel recover {torn}" in result.output
    recovered = call("recover", torn, "--json")
    assert recovered.exit_code == 0
    report = json.loads(recovered.output)
    assert report["torn"]["bytes"] == 150
    assert Path(report["torn"]["kept_at"]).stat().st_size == 150
    assert report["state"]["sequence"] == report["events"]
    assert call("verify", torn).exit_code == 0


def test_recover_prints_the_state_and_appends_nothing(run: Path) -> None:
    before = {path: path.read_bytes() for path in (run / "journal").glob("*.seg")}
    result = call("recover", run)
    assert result.exit_code == 0
    assert result.output.startswith("whole: nothing was torn, nothing was changed")
    for text in ("account  USD", "equity", "coinbase/BTC-USD", "state digest  "):
        assert text in result.output
    assert before == {path: path.read_bytes() for path in (run / "journal").glob("*.seg")}


def test_recover_without_the_data_still_says_what_the_chain_is(run: Path, tmp_path: Path) -> None:
    moved, data = copy_with_other_data(run, tmp_path / "moved")
    data.unlink()
    result = call("recover", moved)
    assert result.exit_code == 0
    assert "root" in result.stdout
    assert "the state is not shown: market data is not at" in result.stderr
    assert "pass --data PATH" in result.stderr


@pytest.mark.parametrize("command", ["verify", "recover"])
def test_no_journal_there(command: str, tmp_path: Path) -> None:
    for place, text in ((tmp_path / "no", "no such directory"), (tmp_path, "no journal there")):
        result = call(command, place)
        assert result.exit_code == 2
        assert text in result.stderr
