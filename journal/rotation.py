"""How the key of a journal's checkpoints is replaced: a note that the old key and the new one have both signed.

Owns: the text of that note, and the chain of keys that follows from several. Must not know: where the notes are kept;
they are events of the journal, and whoever reads them says in which frame each lies.

The note is for one journal alone (its origin is in it). The old key says who comes after it; that the new one has
signed too shows that somebody holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from journal.checkpoint import SignedCheckpoint
from journal.note import ED25519, Note, NoteError, SigningKey, VerifierKey, sign_note

ROTATION_MAGIC = "journal-key-rotation@v1"


class Rotation(NamedTuple):
    """A note of a rotation, and the frame of the journal that holds it."""

    frame: int
    note: bytes


def rotate(origin: str, old: SigningKey, new: SigningKey) -> bytes:
    """The note with which ``new`` takes the place of ``old`` in the journal of an origin. Raises NoteError."""
    if old.kind != ED25519 or new.kind != ED25519:
        raise NoteError("a witness's key does not sign checkpoints; make one with kernel keygen, without --witness")
    if old.verifier.public == new.verifier.public:
        raise NoteError("the new key is the old one")
    return sign_note(f"{ROTATION_MAGIC}\n{origin}\n{old.verifier.text}\n{new.verifier.text}\n", old, new)


def open_rotation(note: bytes, origin: str) -> tuple[VerifierKey, VerifierKey]:
    """The old and the new key of such a note, which both have signed. Raises NoteError."""
    opened = Note.parse(note)
    lines = opened.text.split("\n")
    if len(lines) != 5 or lines[0] != ROTATION_MAGIC:
        raise NoteError("this is no rotation of a key")
    if lines[1] != origin:
        raise NoteError(f"the rotation is of {lines[1]}, and not of {origin}")
    old, new = VerifierKey.parse(lines[2]), VerifierKey.parse(lines[3])
    for key in (old, new):
        opened.check([key])
    if old.public == new.public:
        raise NoteError("the new key is the old one")
    return old, new


class KeyChain:
    """The keys that are given, and those that took their places in a journal, one after another.

    Rotations by keys that are not in the chain, or no longer, are passed over: they show nothing.
    """

    def __init__(self, origin: str, given: Sequence[VerifierKey], rotations: Iterable[Rotation]) -> None:
        self.keys = list(given)
        self._retired: dict[bytes, tuple[int, VerifierKey]] = {}
        self.links: list[str] = []  # each step of the chain in words
        for frame, note in rotations:
            try:
                old, new = open_rotation(note, origin)
            except NoteError:
                continue
            if old in self.keys and old.public not in self._retired and new.public not in self._retired:
                self._retired[old.public] = frame, new
                self.links.append(f"{_shown(new)} took the place of {_shown(old)} in frame {frame:,}")
                if new not in self.keys:
                    self.keys.append(new)

    def successor(self, key: VerifierKey) -> VerifierKey | None:
        """The key that took its place, or None when it is still in force."""
        found = self._retired.get(key.public)
        return found[1] if found is not None else None

    def check(self, signed: SignedCheckpoint) -> None:
        """Raise NoteError for a checkpoint of frames that hold the rotation, by the old key alone."""
        size = signed.checkpoint.size
        for key in signed.signers:
            retired = self._retired.get(key.public)
            if retired is None or retired[0] > size:
                return
        key = signed.signers[0]
        frame, new = self._retired[key.public]
        raise NoteError(
            f"{_shown(new)} took the place of {_shown(key)} in frame {frame:,}; the old key signs no checkpoint of "
            f"{size:,} frames"
        )


def _shown(key: VerifierKey) -> str:
    return f"{key.name} ({key.id.hex()})"
