"""Snapshots: a payload per sequence, each with its own checksum, beside the journal.

Owns: the `snapshots/` folder. Must not know: what a payload is. A snapshot is never authoritative: the
journal is. So a damaged one is named and skipped, and the next older one, or the journal's beginning, serves
instead.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass

from journal.errors import JournalError
from journal.storage import Storage, as_storage

FOLDER = "snapshots"
_MAGIC = b"JSNAPSH\x01"
_HEADER = struct.Struct("<8sQQQQ32s")
_DIGEST_BYTES = 32
_SUFFIX, _TEMPORARY = ".snap", ".tmp"
# The store has a method named `list`, which hides the type of that name in later annotations.
Names = list[str]
Infos = list["SnapshotInfo"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot: the payload after `sequence`, taken when `frame_number` was the last frame.

    `root_or_head` is the 32-byte journal root or frame hash that the caller bound it to.
    """

    sequence: int
    frame_number: int
    root_or_head: bytes
    meta: bytes
    payload: bytes
    name: str


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A listed snapshot; `problem` is None if its checksum holds."""

    sequence: int
    name: str
    bytes: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class DamagedSnapshot:
    """A snapshot file that was skipped, and why."""

    name: str
    why: str


class SnapshotStore:
    """The snapshots of the journal in this folder. `damaged` names the files that the last call skipped."""

    def __init__(self, path_or_storage: str | os.PathLike[str] | Storage) -> None:
        self._storage = as_storage(path_or_storage)
        self.damaged: list[DamagedSnapshot] = []

    def save(
        self,
        sequence: int,
        payload: bytes | bytearray | memoryview,
        *,
        frame_number: int,
        root_or_head: bytes,
        meta: bytes = b"",
    ) -> str:
        """Write a snapshot whole or not at all, durably; return its name. Saving a sequence again replaces
        it.

        Raises OSError if the disk refuses; the journal is not touched by that.
        """
        if len(root_or_head) != 32:
            raise JournalError("root_or_head is 32 bytes")
        content = memoryview(payload).cast("B")
        header = _HEADER.pack(_MAGIC, sequence, frame_number, len(meta), len(content), root_or_head)
        digest = hashlib.sha256(header)
        digest.update(meta)
        digest.update(content)
        name = f"{FOLDER}/{sequence:020d}{_SUFFIX}"
        self._storage.make_folder(FOLDER)
        self._write(name, (header, meta, content, digest.digest()))
        return name

    def latest(self, at_most_sequence: int | None = None) -> Snapshot | None:
        """The newest intact snapshot, of `at_most_sequence` at most; None if there is none."""
        self.damaged = []
        for name in reversed(self._names()):
            if at_most_sequence is not None and _sequence_of(name) > at_most_sequence:
                continue
            found = self._read(name)
            if isinstance(found, Snapshot):
                return found
            self.damaged.append(found)
        return None

    def list(self) -> Infos:
        """All snapshots, oldest first, the damaged ones with their problem. Reads every file."""
        self.damaged = []
        listed: Infos = []
        for name in self._names():
            found, length = self._read(name), len(self._storage.map(name).view)
            problem = found.why if isinstance(found, DamagedSnapshot) else None
            if isinstance(found, DamagedSnapshot):
                self.damaged.append(found)
            listed.append(SnapshotInfo(_sequence_of(name), name, length, problem))
        return listed

    def _names(self) -> Names:
        names = self._storage.list(FOLDER)
        return [name for name in names if name.endswith(_SUFFIX) and _stem(name).isdecimal()]

    def _write(self, name: str, parts: tuple[bytes | memoryview, ...]) -> None:
        storage, temporary = self._storage, name + _TEMPORARY
        handle = storage.open(temporary, create=temporary not in storage.list(FOLDER))
        try:
            storage.truncate(handle, 0)
            offset = 0
            for part in parts:
                storage.pwrite(handle, part, offset)
                offset += len(part)
            storage.fdatasync(handle)
        finally:
            storage.close(handle)
        storage.rename(temporary, name)
        storage.sync_folder(FOLDER)

    def _read(self, name: str) -> Snapshot | DamagedSnapshot:
        data = self._storage.map(name).view
        if len(data) < _HEADER.size + _DIGEST_BYTES:
            return DamagedSnapshot(name, "the file is too short")
        magic, sequence, frame_number, meta_bytes, payload_bytes, bound = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            return DamagedSnapshot(name, "it is not a snapshot of this format")
        if len(data) != _HEADER.size + meta_bytes + payload_bytes + _DIGEST_BYTES:
            return DamagedSnapshot(name, "its length is not what its header states")
        if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
            return DamagedSnapshot(name, "its checksum does not match")
        if sequence != _sequence_of(name):
            return DamagedSnapshot(name, f"it is of sequence {sequence}, which its name denies")
        meta = bytes(data[_HEADER.size : _HEADER.size + meta_bytes])
        payload = bytes(data[_HEADER.size + meta_bytes : -_DIGEST_BYTES])
        return Snapshot(sequence, frame_number, bound, meta, payload, name)


def _stem(name: str) -> str:
    return name.removeprefix(FOLDER + "/").removesuffix(_SUFFIX)


def _sequence_of(name: str) -> int:
    return int(_stem(name))
