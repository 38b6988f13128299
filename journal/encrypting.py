"""Writing a journal anew with its frames encrypted, from one in plain or under other keys.

Owns: what stays the same (every event, sequence and time) and what does not (hashes, and with them the genesis id).
Must not know: what the frames say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from journal.encryption import MasterKey, use_master_key
from journal.errors import JournalError
from journal.frame import Frame
from journal.reader import JournalReader
from journal.scan import Scan
from journal.storage import FileStorage
from journal.verify import verify_journal
from journal.writer import JournalWriter

Progress = Callable[[int, int], None]
_TAG = b"journal-encrypted-v1\n"
_GROUP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Encrypted:
    """What was made of what: the other journal's genesis id and root, and the new ones."""

    frames: int
    source_genesis_id: str
    source_root: str
    genesis_id: str
    root: str


def encrypted_genesis_id(genesis_id: bytes, frames: int, root: bytes) -> bytes:
    """The genesis id of a journal that is the encrypted form of another."""
    return hashlib.sha256(_TAG + genesis_id + frames.to_bytes(8, "little") + root).digest()[:16]


def encrypt_journal(source: Path, target: Path, master: MasterKey, progress: Progress | None = None) -> Encrypted:
    """Verify a journal, write it anew below ``target``, and compare every frame. Raises JournalError.

    A source that is encrypted itself is opened with the master key in use, which ``master`` then replaces.
    """
    report = verify_journal(source)
    if not report.ok or report.tail != "clean":
        raise JournalError(f"{source}: not whole, so it is not encrypted: {report.first_problem}")
    if report.pruned:
        raise JournalError(
            f"{source}: its first {report.pruned:,} frames were pruned; only a whole journal is encrypted"
        )
    old = Scan(FileStorage(source)).identity
    assert old is not None  # it was verified
    genesis_id = encrypted_genesis_id(old.genesis_id, report.frames, report.root)
    digest = hashlib.sha256()
    with JournalWriter.create(
        target,
        origin=old.origin,
        genesis_id=genesis_id,
        schema_digest=old.schema_digest,
        segment_bytes=old.segment_bytes,
        first_sequence=JournalReader(source).first_sequence,
        batch_bytes=_GROUP_BYTES,
        master=master,
    ) as writer:
        for frame in JournalReader(source, check_hashes=False):
            digest.update(_told(frame))
            writer.append(frame.records, frame.bodies, **frame.fields)
            if progress is not None:
                progress(frame.number, report.frames)
    use_master_key(master)
    written = hashlib.sha256()
    for frame in JournalReader(target):
        written.update(_told(frame))
    if written.digest() != digest.digest():
        raise JournalError(f"{target}: what was written does not open as it was; is the disk failing?")
    return Encrypted(report.frames, old.genesis_id.hex(), report.root.hex(), genesis_id.hex(), writer.root.hex())


def _told(frame: Frame) -> bytes:
    """All that a frame says, in plain."""
    records, bodies = bytes(frame.records), bytes(frame.bodies)
    return repr((frame.number, frame.fields, len(records), len(bodies))).encode() + records + bodies
