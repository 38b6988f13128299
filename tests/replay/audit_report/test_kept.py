"""Journals of which a part was pruned, and encrypted ones: reports, exports and forks of them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journal import JournalReader
from journal.checkpoint import Checkpoint
from journal.encryption import use_master_key
from journal.kept import add_cosignatures, keep_timestamp
from journal.note import COSIGNATURE, Note, SigningKey, cosign
from journal.rotation import rotate
from journal.tlog import journal_origin, make_checkpoint
from kernel.cli import cli
from replay.audit_report.exporting import MANIFEST
from replay.audit_report.facts import AuditReport
from replay.audit_report.report import write_report
from replay.history import History
from replay.rotations import record_rotation
from tests.journal.logs import KEY
from tests.replay.inspect.runs import make_run
from tests.replay.test_snapshots import _in_small_segments, _snapshot


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


def report(run: Path, out: Path) -> AuditReport:
    return write_report(run, out, [], lambda label: lambda done, total: None)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("pruned") / "run", to="2019-06-01")
    _in_small_segments(run / "journal")
    assert report(run, run.parent / "whole").chain.pruned_frames == 0
    _snapshot(run / "journal")
    make_checkpoint(run / "journal", KEY)
    assert call("prune", run, "--policy", "size=0", "--yes").exit_code == 0
    return run


def test_a_report_says_what_was_pruned(pruned: Path, tmp_path: Path) -> None:
    found = report(pruned, tmp_path / "out")
    history = History(pruned)
    assert found.chain.is_whole
    assert found.chain.pruned_frames == history.pruned.frames > 0
    assert found.chain.first_sequence == history.pruned.next_sequence
    assert f"{history.pruned.frames:,} frames" in found.not_checked[0]
    assert found.section("journal").rows[0].topic == "custody.pruned"
    assert found.what.disagreements == ()
    assert [one.name for one in found.what.strategies] == ["ema_cross"]
    assert found.chain.checkpoints[0].is_of_this_journal
    assert "Pruned" in (tmp_path / "out" / "report.html").read_text()
    assert call("audit", "export", pruned, "--out", tmp_path / "tables").exit_code == 0
    assert call("audit", "check", tmp_path / "tables", "--run", pruned).exit_code == 0


def test_what_was_made_of_a_run_before_it_was_pruned_is_not_called_wrong(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", to="2016-10-01")
    _in_small_segments(run / "journal")
    assert call("fork", run, "--at", 300, "--set", "fast=5", "--out", tmp_path / "fork").exit_code == 0
    assert call("audit", "export", run, "--out", tmp_path / "tables").exit_code == 0
    _snapshot(run / "journal")
    make_checkpoint(run / "journal", KEY)
    assert call("prune", run, "--policy", "size=0", "--yes").exit_code == 0
    held = call("verify", tmp_path / "fork", "--parent", run)
    assert (held.exit_code, "frames 1 to 1 were pruned" in held.output) == (2, True), held.output
    assert call("audit", "check", tmp_path / "tables", "--run", run).exit_code == 0
    manifest = tmp_path / "tables" / MANIFEST  # of an export when the journal had no frame yet
    manifest.write_bytes(manifest.read_bytes().replace(b'"frames": 2', b'"frames": 0'))
    checked = call("audit", "check", tmp_path / "tables", "--run", run)
    assert (checked.exit_code, "were pruned since" in checked.output) == (1, True), checked.output


def test_a_pruned_run_cannot_be_forked(pruned: Path, tmp_path: Path) -> None:
    done = call("fork", pruned, "--at", History(pruned).last_sequence - 5, "--set", "fast=5", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "were pruned, and a fork does all of it again" in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_an_encrypted_run_needs_its_key_and_its_fork_is_encrypted_too(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", to="2016-10-01")
    key, secret = tmp_path / "master", tmp_path / "secret"
    try:
        assert call("encrypt", "--make-key", key).exit_code == 0
        assert call("encrypt", run, "--out", secret, "--key-file", key).exit_code == 0
        use_master_key(None)
        refused = call("audit", "report", secret, "--out", tmp_path / "none")
        assert refused.exit_code == 1
        assert "give the master key with --key-file" in refused.output
        with_key = ("--key-file", key)
        assert call("audit", "report", secret, "--out", tmp_path / "out", *with_key).exit_code == 0
        made = call("fork", secret, "--at", 300, "--set", "fast=5", "--out", tmp_path / "fork", *with_key)
        assert made.exit_code == 0, made.output
        assert all(frame.is_encrypted for frame in JournalReader(tmp_path / "fork" / "journal"))
        assert not list((tmp_path / "fork").glob("*.parquet"))
        assert call("verify", tmp_path / "fork", "--parent", secret, *with_key).exit_code == 0
        assert call("replay", tmp_path / "fork", *with_key).exit_code == 0
    finally:
        use_master_key(None)


def test_signatures_follow_the_keys_through_their_rotations(tmp_path: Path) -> None:
    keys = [SigningKey(f"example.com/k{number}", bytes([number]) * 32) for number in range(3)]
    witness = SigningKey("witness.example/w", bytes([9]) * 32, COSIGNATURE)
    run = make_run(tmp_path / "run", to="2016-10-01")
    journal = run / "journal"
    make_checkpoint(journal, keys[0])
    record_rotation(journal, rotate(journal_origin(journal), keys[0], keys[1]), reason="yearly")
    note = make_checkpoint(journal, keys[1])
    add_cosignatures(journal, note, [cosign(Note.parse(note).text, witness, 1_700_000_000)])
    given = [keys[0].verifier, witness.verifier]
    found = write_report(run, tmp_path / "out", given, lambda label: lambda done, total: None)
    assert [one.signature for one in found.chain.checkpoints] == [
        "good: example.com/k0",
        "good: example.com/k1; cosigned by witness.example/w",
    ]
    assert found.chain.checkpoints[1].cosigned_by == ("witness.example/w",)
    assert not found.chain.checkpoints[1].has_timestamp
    assert found.section("journal").rows[0].topic == "custody.signing_key_rotated"
    keep_timestamp(journal, Checkpoint.of_note(note), b"a token")
    other = write_report(run, tmp_path / "other", [keys[2].verifier], lambda label: lambda done, total: None)
    assert all("no key that is given" in one.signature for one in other.chain.checkpoints)
    assert other.chain.checkpoints[1].has_timestamp
    assert any("--timestamp TOKEN --tsa-cert CERTIFICATE --key KEY.pub" in text for text in other.not_checked)
