"""Rotations of the signing key: the note, what it must not be, and the chain of keys that follows."""

import pytest

from journal.checkpoint import Checkpoint, open_checkpoint
from journal.merkle import EMPTY_ROOT
from journal.note import COSIGNATURE, NoteError, SigningKey, sign_note
from journal.rotation import KeyChain, Rotation, open_rotation, rotate

ORIGIN = "tests/00"
KEYS = [SigningKey(f"example.com/k{number}", bytes([number]) * 32) for number in range(5)]
VERIFIERS = [key.verifier for key in KEYS]


def _signed(size: int, *keys: SigningKey, known: KeyChain) -> None:
    """What the chain says of a checkpoint of so many frames by these keys."""
    note = sign_note(Checkpoint(ORIGIN, size, EMPTY_ROOT).text, *keys)
    known.check(open_checkpoint(note, known.keys))


def test_both_keys_sign_it() -> None:
    note = rotate(ORIGIN, KEYS[0], KEYS[1])
    assert open_rotation(note, ORIGIN) == (VERIFIERS[0], VERIFIERS[1])
    text = note.decode().partition("\n\n")[0] + "\n"
    for lacking in (sign_note(text, KEYS[0]), sign_note(text, KEYS[1])):
        with pytest.raises(NoteError, match="no key that is given"):
            open_rotation(lacking, ORIGIN)
    for at in range(len(note)):
        spoiled = bytearray(note)
        spoiled[at] ^= 1
        with pytest.raises(NoteError):
            open_rotation(bytes(spoiled), ORIGIN)


@pytest.mark.parametrize(
    ("note", "says"),
    [
        (rotate("tests/01", KEYS[0], KEYS[1]), "is of tests/01"),
        (sign_note("something else\n", KEYS[0]), "no rotation"),
        (sign_note(f"journal-key-rotation@v1\n{ORIGIN}\nx\ny\n", KEYS[0]), "no verifier key"),
        (b"", "a note is"),
        (
            sign_note(f"journal-key-rotation@v1\n{ORIGIN}\n{VERIFIERS[0].text}\n{VERIFIERS[0].text}\n", KEYS[0]),
            "is the old one",
        ),
    ],
)
def test_what_is_no_rotation(note: bytes, says: str) -> None:
    with pytest.raises(NoteError, match=says):
        open_rotation(note, ORIGIN)


def test_a_key_of_a_witness_cannot_take_the_place() -> None:
    witness = SigningKey("witness.example/w", bytes(32), COSIGNATURE)
    with pytest.raises(NoteError, match="without --witness"):
        rotate(ORIGIN, KEYS[0], witness)
    with pytest.raises(NoteError, match="the old one"):
        rotate(ORIGIN, KEYS[0], SigningKey("example.com/another", KEYS[0].seed))


def test_who_knows_the_first_key_follows_to_the_last() -> None:
    rotations = [Rotation(10, rotate(ORIGIN, KEYS[0], KEYS[1])), Rotation(20, rotate(ORIGIN, KEYS[1], KEYS[2]))]
    chain = KeyChain(ORIGIN, VERIFIERS[:1], rotations)
    assert chain.keys == VERIFIERS[:3]
    assert [chain.successor(key) for key in VERIFIERS[:3]] == [VERIFIERS[1], VERIFIERS[2], None]
    assert len(chain.links) == 2
    for size, keys in ((9, KEYS[:1]), (10, KEYS[1:2]), (19, KEYS[1:2]), (20, KEYS[2:3]), (99, [KEYS[0], KEYS[2]])):
        _signed(size, *keys, known=chain)
    for size, keys in ((10, KEYS[:1]), (99, KEYS[:1]), (20, KEYS[:2])):
        with pytest.raises(NoteError, match="took the place"):
            _signed(size, *keys, known=chain)
    # Who begins in the middle knows what came after, and nothing of what was before.
    assert KeyChain(ORIGIN, VERIFIERS[1:2], rotations).keys == VERIFIERS[1:3]


def test_what_shows_nothing_is_passed_over() -> None:
    rotations = [
        Rotation(5, rotate(ORIGIN, KEYS[3], KEYS[4])),  # by somebody unknown
        Rotation(6, rotate("tests/01", KEYS[0], KEYS[3])),  # for another journal
        Rotation(7, b"damaged"),
        Rotation(10, rotate(ORIGIN, KEYS[0], KEYS[1])),
        Rotation(11, rotate(ORIGIN, KEYS[0], KEYS[3])),  # by a key that is no longer in force
        Rotation(12, rotate(ORIGIN, KEYS[1], KEYS[0])),  # back to one that was replaced
    ]
    assert KeyChain(ORIGIN, VERIFIERS[:1], rotations).keys == VERIFIERS[:2]
