"""Snapshots of the state: equal to folding from the first event, found when they are not; and what they let go."""

import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from journal import JournalReader, JournalWriter, SnapshotStore, recover_journal, verify_journal
from journal.encryption import MasterKey
from journal.tlog import make_checkpoint
from kernel.cli import cli
from kernel.records import record_bytes
from replay.execution import prepare
from replay.history import History, HistoryError
from replay.live.files import JOURNAL_DIR
from replay.result import RunResult
from replay.runner import audit_journal, read_run, run_backtest
from replay.snapshot_check import check_snapshots
from replay.snapshots import Facts, SnapshotError, take_snapshot
from tests.crash_points import crash_points
from tests.journal.logs import KEY
from tests.replay.live.building import Written, configuration, instrument, market
from tests.replay.runs import config


def _in_small_segments(journal: Path) -> None:
    """The same journal with a frame in each segment."""
    old, new = JournalReader(journal), journal.with_name("new")
    options = {"origin": old.origin, "genesis_id": old.genesis_id, "schema_digest": old.schema_digest}
    with JournalWriter.create(new, **options, segment_bytes=1024) as writer:
        for frame in old:
            writer.append(frame.records, frame.bodies, **frame.fields)
    shutil.rmtree(journal)
    new.rename(journal)


@pytest.fixture(params=["reference", "full"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> RunResult:
    """A finished run in small segments."""
    settings = {"to": "1999-06-01", "journal": request.param, "digest_interval": 300}
    result = run_backtest(prepare(config(**settings)), tmp_path / "run")
    _in_small_segments(result.journal)
    return result


def _snapshot(journal: Path) -> Facts:
    history = History(journal.parent)
    return take_snapshot(journal, history.reader.genesis_id, history.fold(snapshots=False).state, history.definitions())


def _kernel(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


def test_a_snapshot_is_what_the_events_come_to(run: RunResult) -> None:
    history = History(run.run_dir)
    before = {sequence: record_bytes(history.state_at(sequence)).tobytes() for sequence in (1, 500, run.events)}
    facts = _snapshot(run.journal)
    assert facts.root == verify_journal(run.journal).root.hex()
    history = History(run.run_dir)
    assert {at: record_bytes(history.state_at(at)).tobytes() for at in before} == before
    assert [one.problem for one in check_snapshots(history)] == [""]
    done = _kernel("snapshot", run.run_dir, "--check")
    assert (done.exit_code, done.output) == (0, f"event {run.events:,}: as the events come to\n")


@pytest.mark.parametrize("spoil", ["state", "frame", "journal", "layout", "byte"])
def test_a_snapshot_that_is_wrong_is_found(run: RunResult, spoil: str) -> None:
    _snapshot(run.journal)
    store = SnapshotStore(run.journal)
    taken = store.latest()
    assert taken is not None
    facts, payload, head = msgspec.msgpack.decode(taken.meta, type=Facts), bytearray(taken.payload), taken.root_or_head
    if spoil == "state":  # with its own digest made right: only folding finds it
        import hashlib

        payload[-1] ^= 1
        facts = msgspec.structs.replace(facts, state_digest=hashlib.sha256(payload).hexdigest())
    head = bytes(32) if spoil == "frame" else head
    facts = msgspec.structs.replace(facts, genesis_id="00" * 16) if spoil == "journal" else facts
    facts = msgspec.structs.replace(facts, layout="00") if spoil == "layout" else facts
    store.save(
        taken.sequence, payload, frame_number=taken.frame_number, root_or_head=head, meta=msgspec.msgpack.encode(facts)
    )
    if spoil == "byte":
        path = run.journal / taken.name
        path.write_bytes(path.read_bytes()[:-40] + b"x" + path.read_bytes()[-39:])
    history = History(run.run_dir)
    (found,) = check_snapshots(history)
    says = {
        "state": "the events come to another state", "frame": "is not the one that it was taken after",
        "journal": "is of another journal", "layout": "another layout of the state", "byte": "checksum",
    }  # fmt: skip
    assert says[spoil] in found.problem
    assert _kernel("snapshot", run.run_dir, "--check").exit_code == 1
    if spoil != "state":  # and what is not right by itself is not used
        assert record_bytes(history.fold().state) == record_bytes(history.fold(snapshots=False).state)


def test_what_was_pruned_is_gone_and_the_rest_is_proven(run: RunResult) -> None:
    last = record_bytes(History(run.run_dir).fold().state).tobytes()
    refused = _kernel("prune", run.run_dir, "--policy", "size=0")
    assert "no checkpoint covers" in refused.output
    make_checkpoint(run.journal, KEY)
    assert "no snapshot covers" in _kernel("prune", run.run_dir, "--policy", "size=0").output
    _snapshot(run.journal)
    names = sorted(path.name for path in run.journal.glob("*.seg"))
    root = verify_journal(run.journal).root
    shown = _kernel("prune", run.run_dir, "--policy", "size=0")
    assert shown.exit_code == 0
    assert "would prune" in shown.output
    assert sorted(path.name for path in run.journal.glob("*.seg")) == names
    done = _kernel("prune", run.run_dir, "--policy", "size=0", "--yes")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in run.journal.glob("*.seg"))[:-1] == names[-1:]  # and the event's own
    report = verify_journal(run.journal, sizes={len(names)})
    assert report.ok
    assert report.roots.get(report.frames - 1, root) == root  # one frame more: the event
    history = History(run.run_dir)
    assert history.names.instruments  # from the snapshot
    assert record_bytes(history.fold(run.events).state).tobytes() == last
    with pytest.raises(HistoryError, match="event 1 was pruned"):
        history.state_at(1)
    with pytest.raises(HistoryError, match="no snapshot stands in for them"):
        history.state_at(history.pruned.next_sequence)
    audit = audit_journal(run.journal, read_run(run.run_dir))
    assert (audit.complete, audit.result_hash, audit.pruned_frames) == (True, run.result_hash, history.pruned.frames)
    shown = _kernel("show", run.run_dir, "--topic", "custody.pruned")
    assert "policy size=0" in shown.output
    assert _kernel("verify", run.run_dir, "--deep").exit_code == 0
    trips = _kernel("trades", run.run_dir)
    assert trips.exit_code == 0
    assert "were pruned: what is shown comes after them" in trips.output
    assert [one.problem for one in check_snapshots(history)] == [""]
    assert "pruned 1 segment," in _kernel("prune", run.run_dir, "--policy", "size=0", "--yes").output
    history = History(run.run_dir)  # the snapshot is of the last frame that went
    assert history.pruned.frames == len(names)
    assert history.fold().events == run.events + 2
    assert [one.problem for one in check_snapshots(history)] == [""]
    assert "no checkpoint covers" in _kernel("prune", run.run_dir, "--policy", "size=0", "--yes").output


@pytest.mark.parametrize("run", ["reference"], indirect=True)
def test_killed_anywhere_pruning_can_be_run_again(run: RunResult, tmp_path: Path) -> None:
    make_checkpoint(run.journal, KEY)
    _snapshot(run.journal)
    report = verify_journal(run.journal)
    shutil.copytree(run.run_dir, tmp_path / "base")

    def work() -> None:
        assert _kernel("prune", run.run_dir, "--policy", "size=0", "--yes").exit_code == 0

    for _ in crash_points(work, run.journal):
        found = verify_journal(run.journal, sizes={report.frames})
        assert found.ok
        if found.pruned:  # the event came first
            assert found.frames == report.frames + 1
        recover_journal(run.journal)
        work()
        assert verify_journal(run.journal).pruned > 0
        audit = audit_journal(run.journal, read_run(run.run_dir))
        assert (audit.complete, audit.result_hash) == (True, run.result_hash)
        shutil.rmtree(run.run_dir)
        shutil.copytree(tmp_path / "base", run.run_dir)


def test_holds_by_the_day(run: RunResult) -> None:
    make_checkpoint(run.journal, KEY)
    _snapshot(run.journal)
    held = _kernel("prune", run.run_dir, "--hold", "case-7", "--from", "1998-01-01", "--to", "1999-12-31")
    assert held.output == "hold case-7: 1998-01-01 to 1999-12-31\n"
    assert "is under the hold case-7" in _kernel("prune", run.run_dir, "--policy", "size=0").output
    assert _kernel("prune", run.run_dir, "--hold", "case-7").exit_code == 2
    for wrong, says in (
        (("--hold", "x", "--from", "1998"), "'1998' is no day"),
        (("--hold", "x", "--from", "1999-02-01", "--to", "1999-01-31"), "nothing would be held"),
        (("--release", "case-7", "--to", "1999-01-31"), "--from and --to go with --hold"),
        (("--release", "case-7", "--yes"), "--yes and --key go with --policy"),
        ((), "give --policy, as age=180d; or --hold, --release. In force: hold case-7: 1998-01-01 to 1999-12-31"),
    ):
        refused = _kernel("prune", run.run_dir, *wrong)
        assert (refused.exit_code, says in refused.output, refused.output.count("\n")) == (2, True, 1), refused.output
    assert _kernel("prune", run.run_dir, "--release", "case-8").exit_code == 2
    assert _kernel("prune", run.run_dir, "--hold", "all", "--release", "x").exit_code == 2
    assert _kernel("prune", run.run_dir, "--release", "case-7").output == "no holds\n"
    assert "would prune" in _kernel("prune", run.run_dir, "--policy", "size=0").output


def test_a_live_journal_that_was_pruned_is_not_decided_again(tmp_path: Path) -> None:
    written = Written(tmp_path / "run", configuration(), [instrument()], elsewhere=True)
    for now_ns, rows in market(20):
        written.core.take_rows(rows, now_ns)
    written.close()
    journal = written.run_dir / JOURNAL_DIR
    _in_small_segments(journal)
    make_checkpoint(journal, KEY)
    _snapshot(journal)
    before = record_bytes(History(journal).fold(snapshots=False).state)
    assert _kernel("prune", written.run_dir, "--policy", "age=1y", "--yes").exit_code == 0
    history = History(journal)
    assert history.pruned.frames > 0
    assert record_bytes(history.fold(history.last_sequence - 1).state) == before
    refused = _kernel("replay", written.run_dir)
    assert refused.exit_code == 2
    assert "were pruned, so what was decided cannot be decided again" in refused.output
    assert _kernel("live", "--resume", written.run_dir).exit_code == 2


def test_an_encrypted_journal_gets_no_snapshot(tmp_path: Path) -> None:
    with JournalWriter.create(
        tmp_path / "j", origin="x", genesis_id=bytes(16), schema_digest=bytes(32), master=MasterKey(bytes(32))
    ):
        pass
    from kernel.state import new_state

    with pytest.raises(SnapshotError, match="would hold its state in plain"):
        take_snapshot(tmp_path / "j", bytes(16), new_state(), [])
