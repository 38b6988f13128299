"""Signed notes (C2SP signed-note): text with Ed25519 signatures, and the keys that make and check them.

Owns: the text forms of keys and notes, byte for byte as Go's ``golang.org/x/mod/sumdb/note`` has them. Must not know:
what a note says, where keys are kept, or chance: a seed is the caller's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from journal.errors import JournalError
from journal.merkle import HASH_BYTES

SEED_BYTES = 32
ED25519, COSIGNATURE = 1, 4  # types of signature
MAX_NOTE_BYTES = 1_000_000
MOST_SIGNATURES = 100
MOST_DIGITS = 19
_KEY_ID_BYTES = 4
_SECONDS_BYTES = 8
_PRIVATE = "PRIVATE+KEY+"
_DASH = "\u2014 "


class NoteError(JournalError):
    """A note or a key that is not one, or a signature that is not good. The text says which."""


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes by which a note names a key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:_KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under its name. ``kind`` is the type of signature that it checks."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.kind, self.public)

    @property
    def text(self) -> str:
        """``name+id+base64(type || public key)``."""
        return f"{self.name}+{self.id.hex()}+{_encode(bytes((self.kind,)) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key of such a text. Raises NoteError."""
        name, kind, public, claimed = _key_parts(text.strip(), "verifier key: name+id+base64")
        key = cls(name, public, kind)
        if kind not in (ED25519, COSIGNATURE) or key.id != claimed:
            raise NoteError(f"the key of {name!r} is damaged, or of a type that is not known here")
        return key

    def check(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is the key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key under its name. It is never shown."""

    name: str
    seed: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.seed) != SEED_BYTES:
            raise NoteError(f"the seed of a key has {SEED_BYTES} bytes")

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @property
    def verifier(self) -> VerifierKey:
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(self.name, public, self.kind)

    @property
    def text(self) -> str:
        """``PRIVATE+KEY+name+id+base64(type || seed)``."""
        return f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{_encode(bytes((self.kind,)) + self.seed)}"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """The key of such a text. Raises NoteError, which does not show it."""
        if not text.startswith(_PRIVATE):
            raise NoteError("this is no signing key; it begins with PRIVATE+KEY+")
        name, kind, seed, claimed = _key_parts(text.removeprefix(_PRIVATE).strip(), "signing key")
        if len(seed) != SEED_BYTES or kind not in (ED25519, COSIGNATURE):
            raise NoteError(f"the signing key {name!r} is damaged, or of a type that is not known here")
        key = cls(name, seed, kind)
        if key.verifier.id != claimed:
            raise NoteError(f"the signing key {name!r} is damaged: its id is another one")
        return key

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of a message: 64 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


def check_name(name: str) -> None:
    """Raise NoteError unless this can be the name of a key."""
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise NoteError(f"{name!r} cannot name a key: it has no spaces and no '+', as in example.com/desk")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, and the bytes."""

    name: str
    id: bytes
    data: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {_encode(self.id + self.data)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it came: ``text`` ends with a newline; nothing of it is checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """The parts of a note. Raises NoteError."""
        if len(data) > MAX_NOTE_BYTES:
            raise NoteError(f"a note has at most {MAX_NOTE_BYTES:,} bytes; this has {len(data):,}")
        try:
            whole = data.decode()
        except UnicodeDecodeError:
            raise NoteError("a note is UTF-8 text; this is not") from None
        if any(character < " " and character != "\n" for character in whole):
            raise NoteError("a note has no control characters but newlines")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not text or not lines.endswith("\n"):
            raise NoteError("a note is text, an empty line and signature lines; this is not")
        return cls(text + "\n", parse_signatures(lines))

    @property
    def data(self) -> bytes:
        """The note as bytes."""
        return (self.text + "\n" + "".join(one.line for one in self.signatures)).encode()

    def check(self, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
        """The keys that signed the text, in their order. Signatures of keys that are not given are ignored.

        Raises NoteError when a given key's signature is not good, or none of them signed.
        """
        known = {(key.name, key.id): key for key in keys if key.kind == ED25519}
        good = []
        for one in self.signatures:
            key = known.get((one.name, one.id))
            if key is None or key in good:
                continue
            if not key.check(self.text.encode(), one.data):
                raise NoteError(f"the signature of {one.name} is not good: the text was changed, or it was not signed")
            good.append(key)
        if not good:
            names = ", ".join(sorted({one.name for one in self.signatures})) or "nobody"
            raise NoteError(f"no key that is given has signed this note; it is signed by {names}")
        return good

    def cosigners(self, keys: Sequence[VerifierKey]) -> list[tuple[VerifierKey, int]]:
        """The witnesses that cosigned the text, each with when (seconds since 1970), in the order of the note.

        Signatures of keys that are not given are ignored. Raises NoteError when a given witness's is not good.
        """
        known = {(key.name, key.id): key for key in keys if key.kind == COSIGNATURE}
        found: dict[VerifierKey, int] = {}
        for one in self.signatures:
            key = known.get((one.name, one.id))
            if key is None or key in found:
                continue
            seconds = int.from_bytes(one.data[:_SECONDS_BYTES])
            if not key.check(_cosigned(self.text, seconds), one.data[_SECONDS_BYTES:]):
                raise NoteError(
                    f"the cosignature of {one.name} is not good: the text was changed, or it was not signed"
                )
            found[key] = seconds
        return list(found.items())


def cosign(text: str, key: SigningKey, seconds: int) -> Signature:
    """A witness's word that it saw a checkpoint (the text of its note), and when; C2SP tlog-cosignature v1."""
    assert key.kind == COSIGNATURE
    data = seconds.to_bytes(_SECONDS_BYTES) + key.sign(_cosigned(text, seconds))
    return Signature(key.name, key.verifier.id, data)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def sign_note(text: str, *keys: SigningKey) -> bytes:
    """The note of a text (which ends with a newline), signed by the keys in their order. Raises NoteError."""
    if not text.endswith("\n") or any(character < " " and character != "\n" for character in text):
        raise NoteError("the text of a note ends with a newline, and has no other control characters")
    signatures = [Signature(key.name, key.verifier.id, key.sign(text.encode())) for key in keys]
    return Note(text, tuple(signatures)).data


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """The signatures of lines that each end with a newline, as a note and a witness's answer have them.

    Raises NoteError.
    """
    found = lines.removesuffix("\n").split("\n")
    if len(found) > MOST_SIGNATURES:
        raise NoteError(f"a note has at most {MOST_SIGNATURES} signatures; this has {len(found)}")
    return tuple(_signature(line) for line in found)


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    data = decode_base64(encoded)
    if not line.startswith(_DASH) or not space or data is None or len(data) <= _KEY_ID_BYTES:
        raise NoteError(f"{line[:60]!r} is no signature line")
    check_name(name)
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def _key_parts(text: str, what: str) -> tuple[str, int, bytes, bytes]:
    """Name, type, key bytes, and the id that is claimed."""
    parts = text.split("+", 2)
    data = decode_base64(parts[2]) if len(parts) == 3 else None
    if data is None or len(data) != 1 + SEED_BYTES or len(parts[1]) != 2 * _KEY_ID_BYTES:
        raise NoteError(f"this is no {what}")
    check_name(parts[0])
    try:
        return parts[0], data[0], data[1:], bytes.fromhex(parts[1])
    except ValueError:
        raise NoteError(f"this is no {what}") from None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes | None:
    """Standard base64, in its one canonical form; None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _encode(data) == text else None


def decode_hash(text: str) -> bytes | None:
    """The hash that the text is the base64 of; None for anything else."""
    data = decode_base64(text)
    return data if data is not None and len(data) == HASH_BYTES else None


def decode_number(text: str) -> int | None:
    """A decimal number without leading zeros, of at most 19 digits; None for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    return int(text) if is_number and text == str(int(text)) else None
