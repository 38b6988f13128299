"""The record of frames that were pruned: what the tree over all frames needs of those that are gone.

Owns: the file ``pruned`` (FORMAT.md has its layout). Must not know: why frames were pruned, or when they may be.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from journal.errors import JournalError
from journal.merkle import HASH_BYTES
from journal.storage import Storage

PRUNED_NAME = "pruned"
MAGIC = "journal-pruned@v1"


@dataclass(frozen=True, slots=True)
class Pruned:
    """Frames 1 to ``frames`` are gone. ``prev`` is the hash of the last of them, ``frontier`` the full subtrees."""

    genesis_id: bytes
    frames: int
    next_sequence: int
    prev: bytes
    frontier: tuple[bytes, ...]

    def pack(self) -> bytes:
        """The bytes of the file."""
        lines = [MAGIC, self.genesis_id.hex(), str(self.frames), str(self.next_sequence)]
        lines += [base64.b64encode(hashed).decode() for hashed in (self.prev, *self.frontier)]
        text = "".join(f"{line}\n" for line in lines)
        return text.encode() + hashlib.sha256(text.encode()).hexdigest().encode() + b"\n"


NOTHING = Pruned(b"", 0, 0, b"", ())


def unpack_pruned(data: bytes) -> Pruned | None:
    """The record of a file; None if it is damaged."""
    body, digest = data[:-65], data[-65:]
    if digest != hashlib.sha256(body).hexdigest().encode() + b"\n":
        return None
    lines = body.decode("ascii", "replace").split("\n")
    if len(lines) < 7 or lines[0] != MAGIC or not (lines[2].isdigit() and lines[3].isdigit()):
        return None
    try:
        genesis_id = bytes.fromhex(lines[1])
        prev, *frontier = (base64.b64decode(line, validate=True) for line in lines[4:-1])
    except ValueError:
        return None
    found = Pruned(genesis_id, int(lines[2]), int(lines[3]), prev, tuple(frontier))
    good = found.frames > 0 and len(frontier) == found.frames.bit_count() and len(genesis_id) == 16
    return found if good and all(len(one) == HASH_BYTES for one in (prev, *frontier)) else None


def read_pruned(storage: Storage) -> Pruned:
    """What was pruned of a journal; of no frames, if nothing was. Raises JournalError for a damaged record."""
    if PRUNED_NAME not in storage.list():
        return NOTHING
    found = unpack_pruned(bytes(storage.map(PRUNED_NAME).view))
    if found is None:
        raise JournalError(f"the record of pruned frames ({PRUNED_NAME}) is damaged; restore it from a backup")
    return found
