"""The head seal: a small file in which the writer notes what it has acknowledged, and the fencing epoch.

Owns: the `head` file. Segments are complete without it; an auditor never needs it. It protects the last
frames, which no later frame vouches for yet: without it, a cut at a frame boundary or a lost sector in the
last acknowledged frame looks like a write that never completed. Must not know: how frames are laid out.

Three 512-byte sectors: the epoch, then two slots that are written in turn, so one interrupted write leaves
the other.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import crc32

from journal.errors import JournalError
from journal.storage import Storage

HEAD_NAME = "head"
SECTOR_BYTES = 512
HEAD_BYTES = 3 * SECTOR_BYTES
_EPOCH = struct.Struct("<8sQI")
_EPOCH_MAGIC = b"JEPOCH\x01\n"
_SLOT = struct.Struct("<8sHHIQQQQ16s32s")
_SLOT_MAGIC = b"JHEAD\x01\n\x00"
_CRC = struct.Struct("<I")
EPOCH_VALUE_AT = 8
POLICIES = ("off", "batch", "always")


@dataclass(frozen=True, slots=True)
class Seal:
    """What the writer had acknowledged as durable when it last said so.

    `intact` is False when a slot is damaged (so `frame_number` may be too low, never too high).
    """

    frame_number: int
    frame_hash: bytes
    genesis_id: bytes
    next_sequence: int
    epoch: int
    policy: str
    counter: int
    intact: bool = True

    @property
    def states_all_acknowledged(self) -> bool:
        """True if every acknowledged frame is surely covered, so that anything above it never was.

        Under `batch` the seal is made durable before each acknowledgement. Under `always` it may lag behind
        by the frames since the last sync, and under `off` nothing is ever acknowledged or ordered.
        """
        return self.intact and self.policy == "batch"


def pack_slot(seal: Seal) -> bytes:
    """The 100 bytes of one slot."""
    body = _SLOT.pack(
        _SLOT_MAGIC,
        POLICIES.index(seal.policy),
        0,
        0,
        seal.counter,
        seal.frame_number,
        seal.next_sequence,
        seal.epoch,
        seal.genesis_id,
        seal.frame_hash,
    )
    return body + _CRC.pack(crc32(body))


def _unpack_slot(sector: bytes) -> Seal | None:
    if len(sector) < _SLOT.size + _CRC.size or crc32(sector[: _SLOT.size]) != _CRC.unpack_from(sector, _SLOT.size)[0]:
        return None
    magic, policy, _, _, counter, number, sequence, epoch, genesis_id, hashed = _SLOT.unpack_from(sector)
    if magic != _SLOT_MAGIC or policy >= len(POLICIES):
        return None
    return Seal(number, hashed, genesis_id, sequence, epoch, POLICIES[policy], counter)


def read_seal(storage: Storage) -> tuple[Seal | None, int]:
    """The newest intact slot (or None), and the highest epoch that the file knows (or 0)."""
    if HEAD_NAME not in storage.list():
        return None, 0
    handle = storage.open(HEAD_NAME)
    try:
        data = storage.read(handle, HEAD_BYTES, 0)
    finally:
        storage.close(handle)
    sectors = [data[at : at + SECTOR_BYTES] for at in (SECTOR_BYTES, 2 * SECTOR_BYTES)]
    slots = [_unpack_slot(sector) for sector in sectors]
    damaged = any(slot is None and any(sector) for slot, sector in zip(slots, sectors, strict=True))
    known = [slot for slot in slots if slot is not None]
    epoch = max([_read_epoch(data)] + [slot.epoch for slot in known])
    if not known:
        return None, epoch
    newest = max(known, key=lambda slot: slot.counter)
    if damaged:
        newest = Seal(
            newest.frame_number,
            newest.frame_hash,
            newest.genesis_id,
            newest.next_sequence,
            newest.epoch,
            newest.policy,
            newest.counter,
            intact=False,
        )
    return newest, epoch


def _read_epoch(data: bytes) -> int:
    if len(data) < _EPOCH.size:
        return 0
    magic, epoch, crc = _EPOCH.unpack_from(data)
    intact = magic == _EPOCH_MAGIC and crc == crc32(data[: _EPOCH.size - 4])
    return int(epoch) if intact else 0


def check_policy(policy: str) -> None:
    """JournalError unless this is an fsync policy."""
    if policy not in POLICIES:
        raise JournalError(f"fsync is one of {', '.join(POLICIES)}; not {policy!r}")


class SealWriter:
    """Writes the head file for one writer. Every failure is an OSError for the writer to be poisoned with."""

    def __init__(
        self,
        storage: Storage,
        *,
        genesis_id: bytes,
        epoch: int,
        policy: str,
        counter: int,
        fresh: bool = False,
    ) -> None:
        self._storage = storage
        self._genesis_id, self._epoch, self._policy, self._counter = genesis_id, epoch, policy, counter
        self._unflushed = True
        exists = HEAD_NAME in storage.list()
        self._handle = storage.open(HEAD_NAME, create=not exists)
        if fresh or storage.size(self._handle) < HEAD_BYTES:
            # Full length from the start, so that a later seal never needs space that a full disk lacks; and
            # nothing of another journal's seal, should one be left in the folder.
            storage.pwrite(self._handle, bytes(HEAD_BYTES), 0)

    def claim_epoch(self) -> None:
        """Note this writer's epoch; the caller makes it durable with `flush`."""
        self._unflushed = True
        body = _EPOCH.pack(_EPOCH_MAGIC, self._epoch, 0)[:-4]
        self._storage.pwrite(self._handle, body + _CRC.pack(crc32(body)), 0)

    def is_current(self) -> bool:
        """False once another writer has claimed a higher epoch."""
        stored = self._storage.read(self._handle, 8, EPOCH_VALUE_AT)
        return int.from_bytes(stored, "little") <= self._epoch

    def note(self, frame_number: int, frame_hash: bytes, next_sequence: int) -> None:
        """Write the next slot; durable only after `flush`."""
        self._counter += 1
        self._unflushed = True
        seal = Seal(
            frame_number,
            frame_hash,
            self._genesis_id,
            next_sequence,
            self._epoch,
            self._policy,
            self._counter,
        )
        self._storage.pwrite(self._handle, pack_slot(seal), SECTOR_BYTES * (1 + self._counter % 2))

    def flush(self) -> None:
        """Make what was written durable; nothing to do if it is already."""
        if self._unflushed:
            self._storage.fdatasync(self._handle)
            self._unflushed = False

    def close(self) -> None:
        self._storage.close(self._handle)
