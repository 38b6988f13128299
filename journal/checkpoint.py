"""Checkpoints (C2SP tlog-checkpoint): how many frames a journal has and their root, in a signed note.

Owns: the three lines and their rules. Must not know: where checkpoints are kept, or who asks for them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from journal.layout import Identity
from journal.merkle import HASH_BYTES
from journal.note import Note, NoteError, SigningKey, VerifierKey, decode_hash, decode_number, sign_note


def checkpoint_origin(origin: str, genesis_id: bytes) -> str:
    """What the checkpoints of a journal call it: no other journal has that name."""
    return f"{origin}/{genesis_id.hex()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A journal's size in frames and the RFC 6962 root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def of(cls, identity: Identity, size: int, root: bytes) -> Checkpoint:
        """The checkpoint of a journal."""
        return cls(checkpoint_origin(identity.origin, identity.genesis_id), size, root)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint of a note's text; extension lines are allowed and not looked at. Raises NoteError."""
        lines = text.split("\n")
        if len(lines) < 4 or "" in lines[:-1]:
            raise NoteError("a checkpoint is an origin, a size and a root, a line each; this is not")
        size, root = decode_number(lines[1]), decode_hash(lines[2])
        if size is None:
            raise NoteError(f"the size of a checkpoint is a number of frames; not {lines[1][:30]!r}")
        if root is None:
            raise NoteError(f"the root of a checkpoint is the base64 of {HASH_BYTES} bytes; not {lines[2][:60]!r}")
        return cls(lines[0], size, root)

    @classmethod
    def of_note(cls, data: bytes) -> Checkpoint:
        """What a note says, whoever signed it. Raises NoteError."""
        return cls.parse(Note.parse(data).text)

    def sign(self, key: SigningKey) -> bytes:
        """The checkpoint as a note signed by the key."""
        return sign_note(self.text, key)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose signatures were checked: its note, the keys that signed it, and the witnesses that cosigned.

    Of witnesses, each with when it did (seconds since 1970).
    """

    checkpoint: Checkpoint
    note: Note
    signers: tuple[VerifierKey, ...]
    cosigners: tuple[tuple[VerifierKey, int], ...] = ()

    @property
    def witnesses(self) -> int:
        """How many cosigned: one key under two names is one witness, and whoever signed the log is none."""
        signed = {key.public for key in self.signers}
        return len({key.public for key, _ in self.cosigners} - signed)

    def require(self, quorum: int) -> None:
        """Raise NoteError unless so many witnesses cosigned."""
        if self.witnesses < quorum:
            names = ", ".join(key.name for key, _ in self.cosigners) or "none"
            raise NoteError(
                f"{self.witnesses} of the witnesses that are given cosigned this checkpoint ({names}); {quorum} must"
            )


def open_checkpoint(data: bytes, keys: Sequence[VerifierKey], origin: str | None = None) -> SignedCheckpoint:
    """The checkpoint of a note that one of the keys signed, and which witnesses cosigned it. Raises NoteError.

    With ``origin``, one of another journal is refused.
    """
    note = Note.parse(data)
    signers = note.check(keys)
    checkpoint = Checkpoint.parse(note.text)
    if origin is not None and checkpoint.origin != origin:
        raise NoteError(f"the checkpoint is of {checkpoint.origin}, another journal than {origin}")
    return SignedCheckpoint(checkpoint, note, tuple(signers), tuple(note.cosigners(keys)))
