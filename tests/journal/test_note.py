"""Notes and keys against what Go's own package made and published, and against every way to spoil them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as generators

from journal.checkpoint import Checkpoint, open_checkpoint
from journal.note import Note, NoteError, SigningKey, VerifierKey, sign_note

# The example of the documentation of golang.org/x/mod/sumdb/note, and a checkpoint and its key of the C2SP documents.
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    GO_TEXT + "\n\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()  # fmt: skip
KEY = SigningKey("example.com/desk", bytes(range(32)))
OTHER = SigningKey("example.com/other", bytes(range(1, 33)))
CHECKPOINT = Checkpoint("example.com/log/00", 7, bytes(range(32)))


def test_what_go_published_is_read_and_made_again() -> None:
    signer, verifier = SigningKey.parse(GO_SIGNER), VerifierKey.parse(GO_VERIFIER)
    assert signer.verifier == verifier
    assert (signer.text, verifier.text) == (GO_SIGNER, GO_VERIFIER)
    assert sign_note(GO_TEXT, signer) == GO_NOTE
    note = Note.parse(GO_NOTE)
    assert note.text == GO_TEXT
    assert note.check([verifier]) == [verifier]
    assert note.data == GO_NOTE


def test_a_key_never_shows_itself() -> None:
    assert repr(KEY) == "SigningKey('example.com/desk')"
    assert base64.b64encode(KEY.seed).decode()[:20] not in f"{KEY} {KEY!r}"
    with pytest.raises(NoteError) as error:
        SigningKey.parse(KEY.text[:-4] + "AAA=")
    assert KEY.text[40:60] not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no verifier key"),
        ("name+0011", "no verifier key"),
        ("name+00112233+AAAA", "no verifier key"),
        (KEY.verifier.text.replace("desk", "desc"), "damaged"),
        (KEY.verifier.text.replace("+A", "+B", 1), "damaged"),
        (KEY.verifier.text.replace("example", "exam ple"), "cannot name a key"),
        (KEY.verifier.text[:-1] + "!", "no verifier key"),
    ],
)
def test_a_key_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(NoteError, match=says):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_name_that_notes_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(NoteError, match="cannot name a key"):
        SigningKey(name, bytes(32))


def test_several_signatures_each_count_by_themselves() -> None:
    note = Note.parse(sign_note("text\n", KEY, OTHER))
    assert note.check([OTHER.verifier, KEY.verifier]) == [KEY.verifier, OTHER.verifier]
    assert note.check([OTHER.verifier]) == [OTHER.verifier]
    with pytest.raises(NoteError, match=r"signed by example\.com/desk, example\.com/other"):
        note.check([SigningKey("example.com/third", bytes(32)).verifier])
    spoiled = Note(note.text, (note.signatures[0], type(note.signatures[1])(OTHER.name, OTHER.verifier.id, bytes(64))))
    with pytest.raises(NoteError, match=r"example\.com/other is not good"):
        spoiled.check([KEY.verifier, OTHER.verifier])  # one good signature does not make up for a bad one
    assert spoiled.check([KEY.verifier]) == [KEY.verifier]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "text, an empty line and signature lines"),
        (b"text\n", "text, an empty line and signature lines"),
        (b"text\n\n", "signature line"),
        (GO_NOTE[:-1], "text, an empty line and signature lines"),
        (GO_NOTE.replace(b"If you", b"If\tyou"), "control characters"),
        (GO_NOTE.replace(b"If you", b"If \xffyou"), "UTF-8"),
        (GO_NOTE.replace("\u2014 ".encode(), b"- "), "signature line"),
        (GO_NOTE[:-2] + b"!\n", "signature line"),
        (GO_TEXT.encode() + b"\n" + GO_NOTE.rpartition(b"\n\n")[2] * 101, "at most 100 signatures"),
        (b"x" * 1_000_001, "at most 1,000,000 bytes"),
    ],
)
def test_what_is_no_note_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(NoteError, match=says):
        Note.parse(data)


@given(at=generators.integers(0, len(GO_NOTE) - 1), bit=generators.integers(0, 7))
def test_no_bit_of_a_note_can_change(at: int, bit: int) -> None:
    spoiled = bytearray(GO_NOTE)
    spoiled[at] ^= 1 << bit
    with pytest.raises(NoteError):
        Note.parse(bytes(spoiled)).check([VerifierKey.parse(GO_VERIFIER)])


def test_a_checkpoint_comes_back() -> None:
    note = CHECKPOINT.sign(KEY)
    opened = open_checkpoint(note, [KEY.verifier], CHECKPOINT.origin)
    assert (opened.checkpoint, opened.signers) == (CHECKPOINT, (KEY.verifier,))
    with pytest.raises(NoteError, match="another journal"):
        open_checkpoint(note, [KEY.verifier], "example.com/log/01")


@pytest.mark.parametrize(
    "text",
    ["origin\n", "origin\n7\n", "origin\n07\nAAAA\n", "origin\n7\nAAAA\n", "\n7\nAAAA\n", "origin\n-1\nAAAA\n",
     "o\n\u0667\nA\n", f"origin\n{'9' * 5000}\nAAAA\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match=r"checkpoint|text of a note"):
        Checkpoint.parse(text)


def test_extension_lines_are_allowed() -> None:
    assert Checkpoint.parse(CHECKPOINT.text + "more\n") == CHECKPOINT
