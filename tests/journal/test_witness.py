"""A witness against the table of tlog-witness: what each request gets, and that it never cosigns two histories."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal import verify_standalone
from journal.checkpoint import Checkpoint
from journal.merkle import EMPTY_ROOT, MerkleTree, leaf_hash
from journal.note import COSIGNATURE, Note, NoteError, Signature, SigningKey
from journal.proof import LeafNodes, prove_consistency
from journal.witness import EVIDENCE_DIR, MOST_EVIDENCE, SIZE, Request, Witness, WitnessError

ORIGIN = f"example.com/log/{bytes(16).hex()}"
LOG, OTHER = SigningKey("example.com/desk", bytes(32)), SigningKey("example.com/desk", bytes(range(32)))
KEY = SigningKey("witness.example/w1", bytes(range(1, 33)), COSIGNATURE)
SECONDS = 1_700_000_000
HASHES = [leaf_hash(bytes([number])) for number in range(20)]
FORK = [*HASHES[:5], *(leaf_hash(bytes([number, 1])) for number in range(15))]


def _note(size: int, key: SigningKey = LOG, origin: str = ORIGIN, hashes: list[bytes] | None = None) -> Note:
    root = MerkleTree((hashes or HASHES)[:size]).root
    return Note.parse(Checkpoint(origin, size, root).sign(key))


def _body(old: int, new: int, note: Note | None = None, hashes: list[bytes] | None = None) -> bytes:
    path = prove_consistency(LeafNodes(hashes or HASHES), old, new) if old <= new else []
    return Request(old, path, note or _note(new, hashes=hashes)).encode()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """One that has cosigned 7 leaves."""
    made = Witness(tmp_path / "state", KEY, {ORIGIN: [LOG.verifier]})
    assert made.latest(ORIGIN) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert made.add_checkpoint(_body(0, 7), SECONDS).status == 200
    return made


def test_a_cosignature_is_good_for_everybody(witness: Witness, tmp_path: Path) -> None:
    answer = witness.add_checkpoint(_body(7, 12), SECONDS)
    assert answer.status == 200
    whole = _note(12).data + answer.body
    assert Note.parse(whole).cosigners([KEY.verifier]) == [(KEY.verifier, SECONDS)]
    assert Note.parse(whole).check([LOG.verifier]) == [LOG.verifier]
    (tmp_path / "whole.note").write_bytes(whole)
    command = [sys.executable, "-I", verify_standalone.__file__, "checkpoint", str(tmp_path / "whole.note")]
    keys = ["--key", LOG.verifier.text, "--key", KEY.verifier.text]
    done = subprocess.run([*command, *keys], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"cosigned by 'witness.example/w1' at {SECONDS} s" in done.stdout


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "old SIZE"),
        (b"old 07\n\n", 400, "old SIZE"),
        (_body(7, 9).replace(b"old 7\n", b"old 7\nAAAA\n"), 400, "the base64 of a hash"),
        (b"old 7\n" + b"A" * 43 + b"=\n" + _body(7, 9)[6:], 422, "does not show"),
        (b"old 7\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + _note(9).data, 400, "at most 63 lines"),
        (b"old 7\n\nnot a note\n", 400, "signature lines"),
        (_body(9, 7), 400, "above the checkpoint"),
        (_body(7, 9, _note(9, origin="example.com/unknown")), 404, "not known"),
        (_body(7, 9, _note(9, OTHER)), 403, "no key that is given"),
        (_body(7, 9, Note(_note(9).text, (Signature(LOG.name, LOG.verifier.id, bytes(64)),))), 403, "not good"),
        (_body(0, 9), 409, "7"),
        (_body(3, 9), 409, "7"),
        (_body(7, 7, hashes=FORK), 409, "forked"),
        (_body(7, 9, hashes=FORK), 422, "does not show"),
        (Request(7, [], _note(9)).encode(), 422, "does not show"),
    ],
)
def test_what_a_request_gets(witness: Witness, body: bytes, status: int, says: str) -> None:
    answer = witness.add_checkpoint(body, SECONDS)
    assert answer.status == status
    assert says in answer.body.decode()
    if status == 409 and says == "7":
        assert (answer.body, answer.content_type) == (b"7\n", SIZE)
    assert witness.latest(ORIGIN).size == 7  # nothing of it was taken


def test_what_contradicts_is_kept(witness: Witness, tmp_path: Path) -> None:
    folder = tmp_path / "state" / EVIDENCE_DIR
    for _ in range(2):
        for body in (_body(3, 9), _body(7, 9, _note(9, OTHER)), _body(7, 7, hashes=FORK), _body(7, 9, hashes=FORK)):
            witness.add_checkpoint(body, SECONDS)
    kept = [Note.parse(path.read_bytes()) for path in folder.iterdir()]
    assert sorted(kept, key=lambda note: note.text) == [_note(7, hashes=FORK), _note(9, hashes=FORK)]
    for number in range(MOST_EVIDENCE):
        (folder / str(number)).touch()
    assert witness.add_checkpoint(_body(7, 10, hashes=FORK), SECONDS).status == 422
    assert len(list(folder.iterdir())) == MOST_EVIDENCE + 2


def test_the_same_checkpoint_is_cosigned_again(witness: Witness) -> None:
    assert witness.add_checkpoint(_body(7, 7), SECONDS + 5).status == 200


def test_it_remembers_across_processes(witness: Witness, tmp_path: Path) -> None:
    again = Witness(tmp_path / "state", KEY, {ORIGIN: [LOG.verifier]})
    assert again.latest(ORIGIN).size == 7
    assert again.add_checkpoint(_body(7, 8, hashes=FORK), SECONDS).status == 422


@settings(deadline=None, max_examples=60)
@given(steps=generators.lists(generators.tuples(generators.booleans(), generators.integers(0, 20)), max_size=12))
def test_it_never_cosigns_two_histories(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, int]]
) -> None:
    made = Witness(tmp_path_factory.mktemp("state"), KEY, {ORIGIN: [LOG.verifier]})
    cosigned: list[tuple[int, bytes]] = []
    for forked, size in steps:
        hashes, last = FORK if forked else HASHES, made.latest(ORIGIN).size
        if made.add_checkpoint(_body(last, size, hashes=hashes), SECONDS).status == 200:
            cosigned.append((size, MerkleTree(hashes[:size]).root))
    assert cosigned == sorted(cosigned, key=lambda one: one[0])
    for history in (HASHES, FORK):
        if cosigned and MerkleTree(history[: cosigned[-1][0]]).root == cosigned[-1][1]:
            assert all(MerkleTree(history[:size]).root == root for size, root in cosigned)


def test_a_key_for_notes_is_no_key_of_a_witness(tmp_path: Path) -> None:
    with pytest.raises(WitnessError, match="needs one that cosigns"):
        Witness(tmp_path, LOG, {})


def test_a_cosignature_that_was_changed_is_refused(witness: Witness) -> None:
    line = witness.add_checkpoint(_body(7, 12), SECONDS).body
    note = Note.parse(_note(12).data + line)
    one = note.signatures[1]
    for at in (0, 7, 8, 71):
        data = bytearray(one.data)
        data[at] ^= 1
        spoiled = Note(note.text, (note.signatures[0], Signature(one.name, one.id, bytes(data))))
        with pytest.raises(NoteError, match="cosignature of"):
            spoiled.cosigners([KEY.verifier])
        assert spoiled.cosigners([]) == []
