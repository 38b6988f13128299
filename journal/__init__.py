"""A tamper-evident, append-only journal of frames in a folder of segment files.

Owns: bytes, hashes, durability. Must not know: trading, or what a record means. FORMAT.md in this folder is
the byte-exact description.
"""

from journal.errors import (
    CorruptJournal,
    InvalidFrame,
    JournalError,
    JournalFenced,
    JournalLocked,
    JournalPoisoned,
    Problem,
    TornTail,
    UnsupportedFormat,
)
from journal.frame import Frame
from journal.layout import MAX_FRAME_BYTES, RECORD_BYTES
from journal.reader import JournalReader
from journal.recover import RecoverReport, TornInfo, recover_journal
from journal.snapshots import DamagedSnapshot, Snapshot, SnapshotInfo, SnapshotStore
from journal.verify import VerifyReport, verify_journal
from journal.writer import JournalWriter, random_genesis_id

__all__ = [
    "MAX_FRAME_BYTES",
    "RECORD_BYTES",
    "CorruptJournal",
    "DamagedSnapshot",
    "Frame",
    "InvalidFrame",
    "JournalError",
    "JournalFenced",
    "JournalLocked",
    "JournalPoisoned",
    "JournalReader",
    "JournalWriter",
    "Problem",
    "RecoverReport",
    "Snapshot",
    "SnapshotInfo",
    "SnapshotStore",
    "TornInfo",
    "TornTail",
    "UnsupportedFormat",
    "VerifyReport",
    "random_genesis_id",
    "recover_journal",
    "verify_journal",
]
