"""Pruning: what a policy lets go, what forbids it, what stays provable; killed anywhere, and in random histories."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as generators
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import journal as package
from journal import JournalError, JournalReader, JournalWriter, recover_journal, verify_journal
from journal.backup import back_up
from journal.checkpoint import Checkpoint
from journal.kept import latest_checkpoint
from journal.merkle import EMPTY_ROOT
from journal.note import SigningKey
from journal.proof_file import check_event_proof, check_growth, prove_event, prove_growth
from journal.pruned import PRUNED_NAME, Pruned, unpack_pruned
from journal.restore import restore
from journal.retention import (
    Hold,
    Policy,
    RetentionError,
    carry_out,
    finish_pruning,
    plan_pruning,
    read_holds,
    write_holds,
)
from journal.tlog import export_log, make_checkpoint
from tests.crash_points import crash_points, killed_at
from tests.journal.logs import KEY, KEYS, append, finding, more

STANDALONE = Path(package.__file__).parent / "verify_standalone.py"
DAY_NS = 86_400_000_000_000
ALL = Policy.parse("size=0")


def naive_root(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, of leaf hashes."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + naive_root(hashes[:split]) + naive_root(hashes[split:])).digest()


def _write(place: Path, frames: int) -> Path:
    """A journal of segments of three frames."""
    options = {"origin": "tests", "genesis_id": bytes(range(16)), "schema_digest": b"\x22" * 32}
    with JournalWriter.create(place, **options, segment_bytes=1800) as writer:
        for number in range(1, frames + 1):
            append(writer, number, b"body")
    return place


def _prune(journal: Path, policy: Policy = ALL, now_ns: int = 0, snapshot_frames: int = 1 << 40) -> int:
    """Prune what may go; how many frames are gone then."""
    plan = plan_pruning(journal, policy, now_ns, snapshot_frames)
    if plan.last is not None:
        carry_out(journal, plan)
    return plan.last.frames if plan.last is not None else plan.already


def _standalone(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(STANDALONE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_stays_is_what_was_signed(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 40)
    first = make_checkpoint(journal, KEY)
    before, hashes = verify_journal(journal), [frame.hash for frame in JournalReader(journal)]
    proof = prove_event(journal, 3, first)
    assert _prune(journal) == 39
    report = verify_journal(journal, sizes={39, 40})
    assert (report.ok, report.frames, report.root, report.head) == (True, 40, before.root, before.head)
    assert (report.pruned, report.events) == (39, 2)
    assert report.roots == {39: naive_root(hashes[:39]), 40: before.root}
    assert finding(journal, first) == "same"
    more(journal, 30)
    assert finding(journal, first) == "longer"
    second = make_checkpoint(journal, KEY)
    growth = check_growth(prove_growth(journal, first, second), KEYS)
    assert (growth.old.size, growth.new.size) == (40, 70)
    assert check_event_proof(prove_event(journal, 80, second), KEYS).frame.number == 40
    assert check_event_proof(proof, KEYS).frame.number == 2  # a proof that was made before is good for ever
    with pytest.raises(JournalError, match="no event 78; it has 79 to 140"):
        prove_event(journal, 78, second)
    assert _prune(journal) == 69
    assert finding(journal, first) == "longer"  # all that was signed of it is gone, and the tiles still show it
    assert [frame.number for frame in JournalReader(journal).iter_from(139)] == [70]
    assert recover_journal(journal).root == verify_journal(journal).root


def test_the_auditors_verifier_knows_it(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 20)
    old = make_checkpoint(journal, KEY)
    more(journal, 10)
    note = make_checkpoint(journal, KEY)
    for name, data in (("old", old), ("note", note)):
        (tmp_path / name).write_bytes(data)
    _prune(journal)
    key = ("--key", KEY.verifier.text)
    done = _standalone("journal", journal, "--checkpoint", tmp_path / "note", *key)
    assert done.returncode == 0, done.stdout
    assert "after 27 frames that were pruned" in done.stdout
    assert f"root {verify_journal(journal).root.hex()}" in done.stdout
    done = _standalone("journal", journal, "--checkpoint", tmp_path / "old", *key)
    assert (done.returncode, "pruned: the first 20 frames are not here" in done.stdout) == (1, True)
    record = (journal / PRUNED_NAME).read_bytes()
    (journal / PRUNED_NAME).unlink()
    assert "a segment is missing or misnamed" in _standalone("journal", journal).stdout
    assert verify_journal(journal).first_problem.kind == "segment-missing"
    (journal / PRUNED_NAME).write_bytes(record[:-3])
    assert "the record of pruned frames is damaged" in _standalone("journal", journal).stdout
    with pytest.raises(JournalError, match=r"record of pruned frames \(pruned\) is damaged"):
        verify_journal(journal)
    found = unpack_pruned(record)
    forged = Pruned(found.genesis_id, found.frames, found.next_sequence, found.prev, (bytes(32), *found.frontier[1:]))
    (journal / PRUNED_NAME).write_bytes(forged.pack())  # whole by itself: the checkpoint catches it
    assert _standalone("journal", journal).returncode == 0
    assert "rewritten or forked" in _standalone("journal", journal, "--checkpoint", tmp_path / "note", *key).stdout
    assert finding(journal, note) == "rewritten"
    with pytest.raises(JournalError, match="history was rewritten"):
        make_checkpoint(journal, KEY)


@pytest.mark.parametrize("spoil", range(6))
def test_a_record_that_is_none_is_refused(spoil: int) -> None:
    good = Pruned(bytes(16), 3, 7, bytes(32), (bytes(32), bytes(32)))
    assert unpack_pruned(good.pack()) == good
    bad = [
        Pruned(bytes(15), 3, 7, bytes(32), good.frontier), Pruned(bytes(16), 0, 7, bytes(32), ()),
        Pruned(bytes(16), 3, 7, bytes(32), good.frontier[:1]), Pruned(bytes(16), 3, 7, bytes(31), good.frontier),
        Pruned(bytes(16), 3, 7, bytes(32), (bytes(32), bytes(33))), Pruned(bytes(16), 4, 7, bytes(32), good.frontier),
    ]  # fmt: skip
    assert unpack_pruned(bad[spoil].pack()) is None


def test_policies_and_what_forbids(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 12)  # frame n is of nanosecond n; segments end with frames 3, 6, 9 and 12
    now = 180 * DAY_NS

    def gone(policy: str, now_ns: int = now, snapshot: int = 99) -> tuple[int, str]:
        plan = plan_pruning(journal, Policy.parse(policy), now_ns, snapshot)
        return plan.last.frames if plan.last is not None else 0, plan.why

    assert gone("size=0") == (0, f"no checkpoint covers {1:020}.seg (up to frame 3); make one with kernel checkpoint")
    make_checkpoint(journal, KEY)
    more(journal, 6)
    assert gone("size=0")[0] == 12
    assert "no checkpoint covers" in gone("size=0")[1]
    for key, frames in ((KEY.verifier, 12), (SigningKey("other", bytes(32)).verifier, 0)):
        plan = plan_pruning(journal, ALL, now, 99, keys=[key])
        assert (plan.last.frames if plan.last is not None else 0) == frames
    make_checkpoint(journal, KEY)
    assert gone("size=0") == (15, "the last segment always stays")
    assert gone("size=0", snapshot=8) == (
        6,
        f"no snapshot covers {7:020}.seg (up to frame 9); make one with kernel snapshot",
    )
    assert gone("size=0", snapshot=0)[0] == 0
    assert gone("age=180d", now + 6)[0] == 6
    assert gone("age=180d", now + 5)[0] == 3
    assert "younger" in gone("age=180d", now + 5)[1]
    assert gone("age=1w,size=0", now)[0] == 15
    total = sum(path.stat().st_size for path in journal.glob("*.seg"))
    one = (journal / f"{1:020}.seg").stat().st_size
    assert gone(f"size={total - 1}")[0] == 3
    assert gone(f"size={total - one - 1}")[0] == 6
    assert gone(f"size={total}") == (0, "what is left is not larger than the policy says")
    write_holds(journal, [Hold("case-7", 5, 5)])
    assert gone("size=0") == (3, f"{4:020}.seg is under the hold case-7")
    write_holds(journal, [Hold("all", -(1 << 63), (1 << 63) - 1)])
    assert gone("size=0")[0] == 0
    write_holds(journal, [])
    assert read_holds(journal) == []
    (journal / "holds").write_text("case-7 nonsense\n")
    with pytest.raises(RetentionError, match="is no hold"):
        gone("size=0")
    (journal / "holds").unlink()
    shutil.rmtree(journal / "tlog" / "tile")
    assert gone("size=0") == (
        0,
        "the tiles under tlog do not have the root that was signed; kernel checkpoint makes them",
    )


@pytest.mark.parametrize(
    "text", ["", "age=", "age=5", "size=5XB", "age=1d,age=2d", "size=1GB;age=1d", "keep=1", "age=-1d"]
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(RetentionError, match="is no policy; write age=180d"):
        Policy.parse(text)


def test_what_is_not_whole_is_not_pruned(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 12)
    make_checkpoint(journal, KEY)
    segment = journal / f"{4:020}.seg"
    data = bytearray(segment.read_bytes())
    data[700] ^= 1
    segment.write_bytes(data)
    with pytest.raises(JournalError, match="frame-damaged"):
        _prune(journal)
    make_checkpoint(_write(tmp_path / "k", 12), KEY)
    with JournalWriter.open(tmp_path / "k"), pytest.raises(JournalError, match="one writer at a time"):
        _prune(tmp_path / "k")
    assert verify_journal(tmp_path / "k").pruned == 0
    torn = sorted((tmp_path / "k").glob("*.seg"))[-1]
    torn.write_bytes(torn.read_bytes()[:-1])
    (tmp_path / "k" / "head").unlink()
    with pytest.raises(JournalError, match="torn"):
        _prune(tmp_path / "k")
    other = _write(tmp_path / "other", 12)
    more(other, 1, b"otherwise")
    more(_write(tmp_path / "l", 12), 1)
    make_checkpoint(other, KEY)
    shutil.copytree(other / "tlog", tmp_path / "l/tlog")
    with pytest.raises(JournalError, match="signed over 13 other frames: history was rewritten"):
        _prune(tmp_path / "l")


def test_what_was_pruned_meanwhile_is_not_pruned_again(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 12)
    make_checkpoint(journal, KEY)
    plan = plan_pruning(journal, ALL, 0, 1 << 40)
    assert _prune(journal) == 9
    with pytest.raises(JournalError, match="pruned by somebody else meanwhile"):
        carry_out(journal, plan)


def test_without_tiles_a_pruned_journal_says_so(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 20)
    old = make_checkpoint(journal, KEY)
    more(journal, 2)
    note = make_checkpoint(journal, KEY)
    _prune(journal)
    shutil.rmtree(journal / "tlog" / "tile")
    with pytest.raises(JournalError, match=r"restore .* from a backup"):
        prove_event(journal, 43, note)
    with pytest.raises(JournalError, match=r"restore .* from a backup"):
        make_checkpoint(journal, KEY)
    with pytest.raises(JournalError, match=r"restore .* from a backup"):
        finding(journal, old)
    with pytest.raises(JournalError, match=r"restore .* from a backup"):
        export_log(journal, tmp_path / "log", note)
    assert verify_journal(journal).ok


def test_backups_of_a_pruned_journal(tmp_path: Path) -> None:
    journal = _write(tmp_path / "run" / "journal", 20)
    make_checkpoint(journal, KEY)
    back_up(tmp_path / "run", tmp_path / "whole")
    _prune(journal)
    back_up(tmp_path / "run", tmp_path / "fresh")
    more(journal, 7)
    for name in ("whole", "fresh"):
        assert back_up(tmp_path / "run", tmp_path / name).frames == 27
        assert verify_journal(tmp_path / name / "journal").root == verify_journal(journal).root
        restore(tmp_path / name, tmp_path / f"{name}-again")
        again = tmp_path / f"{name}-again" / "journal"
        assert verify_journal(again).root == verify_journal(journal).root
        more(again, 1)
    more(journal, 6)
    make_checkpoint(journal, KEY)
    assert _prune(journal) == 30
    with pytest.raises(JournalError, match="frames 28 to 30 were pruned before they were backed up"):
        back_up(tmp_path / "run", tmp_path / "whole")
    (again.parents[1] / "whole-again/journal" / PRUNED_NAME).unlink()  # a backup from before has all the segments
    assert verify_journal(tmp_path / "whole-again/journal").events == 56


def test_killed_anywhere_it_can_be_pruned_again(tmp_path: Path) -> None:
    base = _write(tmp_path / "base", 30)
    make_checkpoint(base, KEY)
    root = verify_journal(base).root
    shutil.copytree(base, tmp_path / "j")
    for _ in crash_points(lambda: _prune(tmp_path / "j"), tmp_path / "j"):
        report = verify_journal(tmp_path / "j")
        assert (report.ok, report.frames, report.root) == (True, 30, root)
        _prune(tmp_path / "j")
        finish_pruning(tmp_path / "j")
        report = verify_journal(tmp_path / "j")
        assert (report.frames, report.root, report.pruned) == (30, root, 27)
        assert len(list((tmp_path / "j").glob("*.seg"))) == 1
        shutil.rmtree(tmp_path / "j")
        shutil.copytree(base, tmp_path / "j")


class Retention(RuleBasedStateMachine):
    """Append, sign, keep a snapshot, prune, be killed: what a plain list of hashes says always holds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.journal = _write(self.folder / "j", 1)
        self.hashes = [frame.hash for frame in JournalReader(self.journal)]
        self.notes: list[bytes] = []
        self.snapshot = self.pruned = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def _note_frames(self) -> None:
        self.hashes += [frame.hash for frame in JournalReader(self.journal) if frame.number > len(self.hashes)]

    @rule(frames=generators.integers(1, 7))
    def append(self, frames: int) -> None:
        more(self.journal, frames)
        self._note_frames()

    @rule()
    def sign(self) -> None:
        self.notes.append(make_checkpoint(self.journal, KEY))
        assert Checkpoint.of_note(self.notes[-1]).root == naive_root(self.hashes)

    @rule()
    def take_snapshot(self) -> None:
        self.snapshot = len(self.hashes)

    def _most(self) -> int:
        sizes = [Checkpoint.of_note(note).size for note in self.notes]
        return min(self.snapshot, max(sizes, default=0))

    def _after_pruning(self) -> None:
        found = verify_journal(self.journal).pruned
        assert self.pruned <= found <= max(self._most(), self.pruned)
        self.pruned = found

    @rule()
    def prune(self) -> None:
        _prune(self.journal, snapshot_frames=self.snapshot)
        self._after_pruning()

    @rule(point=generators.integers(1, 8))
    def prune_and_be_killed(self, point: int) -> None:
        killed_at(point, lambda: _prune(self.journal, snapshot_frames=self.snapshot), self.journal)
        self._after_pruning()

    @precondition(lambda self: self.notes)
    @rule(data=generators.data())
    def prove(self, data: generators.DataObject) -> None:
        note = data.draw(generators.sampled_from(self.notes))
        size = Checkpoint.of_note(note).size
        assert finding(self.journal, note) == ("same" if size == len(self.hashes) else "longer")
        last = latest_checkpoint(self.journal)
        assert check_growth(prove_growth(self.journal, note, last), KEYS).old.size == size
        if size > self.pruned:
            number = data.draw(generators.integers(self.pruned + 1, size))
            proof = check_event_proof(prove_event(self.journal, 2 * number, note), KEYS)
            assert proof.frame.hash == self.hashes[number - 1]

    @invariant()
    def it_is_whole(self) -> None:
        report = verify_journal(self.journal)
        assert (report.ok, report.frames) == (True, len(self.hashes))
        assert report.root == naive_root(self.hashes) != EMPTY_ROOT
        assert [frame.hash for frame in JournalReader(self.journal)] == self.hashes[self.pruned :]


TestRetention = Retention.TestCase
TestRetention.settings = settings(
    max_examples=int(os.environ.get("KERNEL_HISTORIES", "25")),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
