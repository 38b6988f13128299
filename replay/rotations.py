"""Rotations of the signing key, as a journal records them.

Owns: the event, recording it where no session runs, and finding it in a journal. The note in it is the journal's own
(``journal.rotation``).
"""

from pathlib import Path

import msgspec
import numpy as np

from journal import JournalReader
from journal.encryption import EncryptionError
from journal.note import NoteError, VerifierKey
from journal.rotation import KeyChain, Rotation, open_rotation
from journal.tlog import journal_origin
from kernel.events.body import decode_body, unpack_bodies
from kernel.events.catalogue import SigningKeyRotated
from kernel.events.layout import KEY_ROTATED
from replay.audit import records_of
from replay.custody import record_custody


def rotation_event(
    old: VerifierKey, new: VerifierKey, note: bytes, **facts: str
) -> tuple[SigningKeyRotated, dict[str, str]]:
    """The event, and what its body says."""
    body = {"old": old.text, "new": new.text, "note": note.decode(), **facts}
    return SigningKeyRotated(int.from_bytes(old.id), int.from_bytes(new.id)), body


def record_rotation(journal: Path, note: bytes, **facts: str) -> int:
    """Record a rotation in a journal that no session has open; returns its sequence.

    Raises JournalLocked while one has, NoteError for a note that is none or contradicts what is recorded.
    """
    old, new = open_rotation(note, journal_origin(journal))
    if any(key_chain(journal, [key]).successor(key) is not None for key in (old, new)):
        raise NoteError("a key that was replaced before neither names another one nor comes back")
    event, body = rotation_event(old, new, note, **facts)
    return record_custody(journal, event, body)


def recorded_rotations(journal: Path) -> list[Rotation]:
    """All that the journal records, in their order. Raises JournalError; hashes are not checked here."""
    found = []
    for frame in JournalReader(journal, check_hashes=False):
        try:
            records = records_of(frame)
        except (EncryptionError, ValueError):
            continue  # without its key, or something else than events of the kernel: it shows nothing
        places = np.flatnonzero(records["kind"] == KEY_ROTATED.kind)
        if not len(places):
            continue
        bodies = list(unpack_bodies(records, frame.bodies))
        notes = (_note(bodies[int(at)]) for at in places)
        found += [Rotation(frame.number, note) for note in notes if note is not None]
    return found


def _note(body: bytes) -> bytes | None:
    """The note in a body; None for one that is none, as where a record of another catalogue has the same number."""
    try:
        said = decode_body(body)
    except msgspec.MsgspecError:
        return None
    note = said.get("note") if isinstance(said, dict) else None
    return note.encode() if isinstance(note, str) else None


def key_chain(journal: Path, given: list[VerifierKey]) -> KeyChain:
    """The keys that are given, and those that took their places in the journal."""
    return KeyChain(journal_origin(journal), given, recorded_rotations(journal))
