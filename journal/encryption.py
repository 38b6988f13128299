"""Frames that are encrypted where they are stored: who can read the folder without the master key learns no event.

Owns: the cipher of a frame, the file ``keys`` with the wrapped data keys, and the destroying of a key (FORMAT.md has
the layout, and why no nonce is ever used twice). Must not know: what a frame says, or where the master key is kept.
Verification needs none of this: hashes are over what is stored.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from journal.errors import InvalidFrame, JournalError
from journal.layout import RECORD_BYTES, Buffer
from journal.storage import Storage

if TYPE_CHECKING:  # imported only by whoever has keys: it takes longer than the rest of the journal together
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEYS_NAME = "keys"
MAGIC = "journal-keys@v1"
MASTER_MAGIC = "journal-master-key-v1"
KEY_BYTES, ID_BYTES, TAG_BYTES = 32, 8, 16
EXTRA_BYTES = TAG_BYTES + ID_BYTES
DESTROYED = "destroyed"
_ID_TAG = b"journal-data-key-v1\n"
_FRAME_TAG = b"journal-frame-v1\n"
_NONCE = struct.Struct("<4xQ")
_BOUND = struct.Struct("<16sQQQqHHHI")


class EncryptionError(JournalError):
    """A frame that cannot be read, or a key that is not the one. The text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key that wraps the data keys of any number of journals. It encrypts nothing else."""

    secret: bytes

    @classmethod
    def generate(cls) -> MasterKey:
        """A new one, by chance."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> MasterKey:
        """The key of its one line of text. Raises EncryptionError."""
        word, _, encoded = text.strip().partition(" ")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except ValueError:
            secret = b""
        if word != MASTER_MAGIC or len(secret) != KEY_BYTES:
            raise EncryptionError("this is no master key; make one with kernel encrypt --make-key FILE")
        return cls(secret)

    @property
    def text(self) -> str:
        return f"{MASTER_MAGIC} {base64.b64encode(self.secret).decode()}"

    def wrap(self, data_key: bytes) -> bytes:
        """RFC 3394."""
        from cryptography.hazmat.primitives.keywrap import aes_key_wrap

        return aes_key_wrap(self.secret, data_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """RFC 3394; nothing where another key wrapped it."""
        from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

        try:
            return aes_key_unwrap(self.secret, wrapped)
        except InvalidUnwrap:
            return b""

    def __repr__(self) -> str:
        return "MasterKey(...)"


_in_use: list[Callable[[], MasterKey]] = []


def use_master_key(key: MasterKey | Callable[[], MasterKey] | None) -> None:
    """With which key this process reads encrypted journals, and goes on writing them; or what gives it when needed."""
    _in_use.clear()
    if isinstance(key, MasterKey):
        _in_use.append(lambda: key)
    elif key is not None:
        _in_use.append(key)


def master_in_use() -> MasterKey | None:
    """The key of this process, or None."""
    return _in_use[0]() if _in_use else None


@dataclass(frozen=True, slots=True)
class DataKey:
    """One line of ``keys``: made for frames from ``first_frame`` on. ``wrapped`` is empty once it is destroyed."""

    id: bytes
    first_frame: int
    wrapped: bytes

    @property
    def is_destroyed(self) -> bool:
        return not self.wrapped


def key_id(genesis_id: bytes, data_key: bytes) -> bytes:
    """By what a frame names its key: it fits one key, and one journal."""
    return hashlib.sha256(_ID_TAG + genesis_id + data_key).digest()[:ID_BYTES]


# --- the file -------------------------------------------------------------------------------------------------------


def read_keys(storage: Storage) -> tuple[bytes, tuple[DataKey, ...]]:
    """Genesis id and data keys of a journal; ``(b"", ())`` if it is not encrypted. Raises EncryptionError."""
    if KEYS_NAME not in storage.list():
        return b"", ()
    lines = bytes(storage.map(KEYS_NAME).view).decode("ascii", "replace").split("\n")
    try:
        if lines[0] != MAGIC or lines[-1] != "":
            raise ValueError
        genesis_id = bytes.fromhex(lines[1])
        return genesis_id, tuple(_data_key(line) for line in lines[2:-1])
    except (ValueError, IndexError):
        raise EncryptionError(f"the file {KEYS_NAME} of the journal is damaged; restore it from a backup") from None


def _data_key(line: str) -> DataKey:
    name, first, wrapped = line.split(" ")
    secret = b"" if wrapped == DESTROYED else base64.b64decode(wrapped, validate=True)
    if len(name) != 2 * ID_BYTES or len(secret) not in (0, KEY_BYTES + 8):
        raise ValueError
    return DataKey(bytes.fromhex(name), int(first), secret)


def write_keys(storage: Storage, genesis_id: bytes, keys: tuple[DataKey, ...]) -> None:
    """Write the file whole or not at all, durably. The caller holds the journal's lock."""
    lines = [MAGIC, genesis_id.hex()]
    for key in keys:
        wrapped = base64.b64encode(key.wrapped).decode() or DESTROYED
        lines.append(f"{key.id.hex()} {key.first_frame} {wrapped}")
    temporary = f"{KEYS_NAME}.tmp"
    handle = storage.open(temporary, create=temporary not in storage.list())
    try:
        storage.truncate(handle, 0)
        storage.pwrite(handle, "".join(f"{line}\n" for line in lines).encode(), 0)
        storage.fdatasync(handle)
    finally:
        storage.close(handle)
    storage.rename(temporary, KEYS_NAME)
    storage.sync_folder()


def new_data_key(storage: Storage, genesis_id: bytes, first_frame: int, master: MasterKey) -> tuple[bytes, bytes]:
    """Make a data key, and keep it wrapped before anybody uses it; returns its id and itself."""
    _, keys = read_keys(storage)
    data_key = os.urandom(KEY_BYTES)
    made = DataKey(key_id(genesis_id, data_key), first_frame, master.wrap(data_key))
    write_keys(storage, genesis_id, (*keys, made))
    return made.id, data_key


def destroy_key(storage: Storage, wanted: bytes) -> None:
    """Forget a data key for good. Whoever calls has recorded it. Raises EncryptionError for one that is not there."""
    genesis_id, keys = read_keys(storage)
    if wanted not in [key.id for key in keys]:
        raise EncryptionError(f"no key {wanted.hex()} in this journal")
    kept = tuple(replace(key, wrapped=b"") if key.id == wanted else key for key in keys)
    write_keys(storage, genesis_id, kept)


# --- frames ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """What a frame's cipher is bound to: where it stands, and what its header says of it."""

    genesis_id: bytes
    number: int
    first_sequence: int
    event_count: int
    ts_ingest_ns: int
    kind: int
    flags: int
    record_count: int
    body_bytes: int

    def pack(self, name: bytes) -> bytes:
        fields = (self.genesis_id, self.number, self.first_sequence, self.event_count, self.ts_ingest_ns)
        return _FRAME_TAG + _BOUND.pack(*fields, self.kind, self.flags, self.record_count, self.body_bytes) + name


def _aes_gcm(data_key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(data_key)


class FrameCipher:
    """Encrypts the frames of one opening of a journal, under a key of its own."""

    def __init__(self, genesis_id: bytes, name: bytes, data_key: bytes) -> None:
        self.genesis_id, self.name = genesis_id, name
        self._cipher = _aes_gcm(data_key)

    def seal(
        self,
        records: Buffer,
        bodies: Buffer,
        *,
        number: int,
        first_sequence: int,
        event_count: int,
        ts_ingest_ns: int,
        kind: int,
        flags: int,
    ) -> tuple[memoryview, memoryview]:
        """Records and bodies as they are stored. ``flags`` has ENCRYPTED set."""
        plain_records, plain_bodies = bytes(records), bytes(bodies)
        count, rest = divmod(len(plain_records), RECORD_BYTES)
        if rest:
            raise InvalidFrame(f"records are {RECORD_BYTES} bytes each; got {len(plain_records)} bytes")
        body_bytes = len(plain_bodies) + EXTRA_BYTES
        bound = Bound(
            self.genesis_id, number, first_sequence, event_count, ts_ingest_ns, kind, flags, count, body_bytes
        )
        sealed = self._cipher.encrypt(_NONCE.pack(number), plain_records + plain_bodies, bound.pack(self.name))
        stored = memoryview(sealed + self.name)
        return stored[: len(plain_records)], stored[len(plain_records) :]


class Keyring:
    """Opens the frames of one journal. Keys are unwrapped when a frame first needs them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._wrapped: dict[bytes, DataKey] = {}
        self._ciphers: dict[bytes, AESGCM] = {}

    def open(self, stored: memoryview, bound: Bound) -> memoryview:
        """Records and bodies of a frame, in plain. Raises EncryptionError."""
        name = bytes(stored[-ID_BYTES:])
        cipher = self._ciphers.get(name)
        if cipher is None:
            cipher = self._ciphers[name] = _aes_gcm(self._data_key(name, bound))
        from cryptography.exceptions import InvalidTag

        try:
            return memoryview(cipher.decrypt(_NONCE.pack(bound.number), bytes(stored[:-ID_BYTES]), bound.pack(name)))
        except InvalidTag:
            raise EncryptionError(
                f"frame {bound.number} does not open with its key: it was changed, or stands where it was not written"
            ) from None

    def _data_key(self, name: bytes, bound: Bound) -> bytes:
        if name not in self._wrapped:
            self._wrapped = {key.id: key for key in read_keys(self._storage)[1]}
        key, master = self._wrapped.get(name), master_in_use()
        what = f"frame {bound.number} is encrypted with key {name.hex()}"
        if key is None:
            raise EncryptionError(f"{what}, which is not in the file {KEYS_NAME}; restore that file from a backup")
        if key.is_destroyed:
            raise EncryptionError(f"{what}, which was destroyed: what it holds can never be read again")
        if master is None:
            raise EncryptionError(f"{what}; give the master key with --key-file")
        data_key = master.unwrap(key.wrapped)
        if not data_key:
            raise EncryptionError(f"{what}, and the master key that was given is not the one that wraps it")
        if key_id(bound.genesis_id, data_key) != name:
            raise EncryptionError(f"{what}, and the key that is kept under that name is another one")
        return data_key


def cipher_for(storage: Storage, genesis_id: bytes, next_frame: int) -> FrameCipher | None:
    """The cipher of a writer that opens a journal: None if the journal is in plain. Raises EncryptionError."""
    if KEYS_NAME not in storage.list():
        return None
    master = master_in_use()
    if master is None:
        raise EncryptionError("the journal is encrypted: to write to it, give the master key with --key-file")
    _check_master(storage, genesis_id, master)
    return FrameCipher(genesis_id, *new_data_key(storage, genesis_id, next_frame, master))


def _check_master(storage: Storage, genesis_id: bytes, master: MasterKey) -> None:
    """A journal has one master key: with another one, nobody could read all of it."""
    for key in read_keys(storage)[1]:
        if not key.is_destroyed:
            if key_id(genesis_id, master.unwrap(key.wrapped)) != key.id:
                raise EncryptionError("the master key that was given is not the one that wraps this journal's keys")
            return
