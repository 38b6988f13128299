"""Checkpoints that are killed at each of their file operations: what is left is good, and the next one goes on."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from journal import verify_journal
from journal.checkpoint import Checkpoint, open_checkpoint
from journal.follow import Follower
from journal.kept import (
    add_cosignatures,
    cosigned_checkpoint,
    keep_cosigned,
    kept_checkpoints,
    latest_checkpoint,
    log_lock,
)
from journal.merkle import MerkleTree, leaf_hash
from journal.note import COSIGNATURE, Note, SigningKey, cosign
from journal.proof import LeafNodes, prove_consistency
from journal.proof_file import check_event_proof, prove_event
from journal.tlog import make_checkpoint
from journal.witness import Request, Witness
from tests.crash_points import crash_points
from tests.journal.logs import KEY, KEYS, more, write

WITNESS = SigningKey("witness.example/w", bytes([7]) * 32, COSIGNATURE)
SECONDS = 1_700_000_000


def _follow(journal: Path) -> bytes:
    follower = Follower(journal)
    for _ in follower.catch_up(260):
        pass
    return follower.sign(KEY)


def _good(journal: Path) -> None:
    """Every note that is there is true of the journal, and the last one is one of them or none is there."""
    notes = kept_checkpoints(journal)
    made = [open_checkpoint(note, KEYS).checkpoint for note in notes]
    report = verify_journal(journal, sizes={one.size for one in made})
    assert [one.root for one in made] == [report.roots[one.size] for one in made]
    assert latest_checkpoint(journal) in notes


@pytest.mark.parametrize("make", [lambda journal: make_checkpoint(journal, KEY), _follow])
def test_killed_anywhere_the_next_checkpoint_goes_on(tmp_path: Path, make: Callable[[Path], bytes]) -> None:
    base, journal = write(tmp_path / "base", 250), tmp_path / "j"
    make_checkpoint(base, KEY)
    more(base, 10)  # a tile becomes full
    shutil.copytree(base, journal)
    points = 0
    for _ in crash_points(lambda: make(journal), journal):
        points += 1
        _good(journal)
        note = make(journal)
        assert Checkpoint.of_note(note).size == 260
        _good(journal)
        for sequence in (511, 520):
            assert check_event_proof(prove_event(journal, sequence, note), KEYS).sequence == sequence
        shutil.rmtree(journal)
        shutil.copytree(base, journal)
    assert points > 10


def test_killed_anywhere_no_signature_is_lost(tmp_path: Path) -> None:
    base, journal = write(tmp_path / "base", 10), tmp_path / "j"
    note = make_checkpoint(base, KEY)
    text = Note.parse(note).text
    before = add_cosignatures(base, note, [cosign(text, WITNESS, SECONDS)])
    keep_cosigned(base, before)
    other = SigningKey("witness.example/other", bytes([8]) * 32, COSIGNATURE)
    shutil.copytree(base, journal)

    def work() -> None:
        keep_cosigned(journal, add_cosignatures(journal, note, [cosign(text, other, SECONDS)]))

    known = [*KEYS, WITNESS.verifier, other.verifier]
    points = 0
    for _ in crash_points(work, journal):
        points += 1
        for found in (latest_checkpoint(journal), cosigned_checkpoint(journal), *kept_checkpoints(journal)):
            assert open_checkpoint(found or b"", known).witnesses in (1, 2)
        work()
        for found in (latest_checkpoint(journal), cosigned_checkpoint(journal), *kept_checkpoints(journal)):
            assert open_checkpoint(found or b"", known).witnesses == 2
        shutil.rmtree(journal)
        shutil.copytree(base, journal)
    assert points > 5


def test_killed_anywhere_a_witness_knows_what_it_cosigned(tmp_path: Path) -> None:
    origin, hashes = "example.com/log", [leaf_hash(bytes([number])) for number in range(20)]
    fork = [*hashes[:5], *(leaf_hash(bytes([number, 1])) for number in range(15))]
    answered = tmp_path / "answered"

    def ask(old: int, new: int, leaves: list[bytes]) -> int:
        note = Note.parse(Checkpoint(origin, new, MerkleTree(leaves[:new]).root).sign(KEY))
        body = Request(old, prove_consistency(LeafNodes(leaves), old, new), note).encode()
        return Witness(tmp_path / "state", WITNESS, {origin: KEYS}).add_checkpoint(body, SECONDS).status

    def work() -> None:
        if ask(0, 7, hashes) == 200:
            answered.write_bytes(b"")

    for _ in crash_points(work, tmp_path):
        known = Witness(tmp_path / "state", WITNESS, {origin: KEYS}).latest(origin).size
        assert known in (0, 7)
        assert known == 7 or not answered.exists()
        if known:  # then the other history is refused, whether the answer was heard or not
            assert (ask(7, 9, fork), ask(7, 9, hashes)) == (422, 200)
        shutil.rmtree(tmp_path / "state", ignore_errors=True)
        answered.unlink(missing_ok=True)
    assert answered.exists()


def test_two_that_sign_at_once_wait_for_each_other(tmp_path: Path) -> None:
    journal = write(tmp_path / "j", 10)
    with ThreadPoolExecutor(1) as pool:
        with log_lock(journal):
            waiting = pool.submit(make_checkpoint, journal, KEY)
            time.sleep(0.2)
            assert latest_checkpoint(journal) is None
        assert latest_checkpoint(journal) in (None, waiting.result())
    assert latest_checkpoint(journal) == waiting.result()


def test_two_keys_sign_the_same_frames(tmp_path: Path) -> None:
    journal, other = write(tmp_path / "j", 10), SigningKey("example.com/other", bytes([5]) * 32)
    first = make_checkpoint(journal, KEY)
    both = make_checkpoint(journal, other)
    assert [one.name for one in Note.parse(both).signatures] == [KEY.name, other.name]
    assert both.startswith(first)
    assert make_checkpoint(journal, KEY) == make_checkpoint(journal, other) == both
    assert kept_checkpoints(journal) == [both]
