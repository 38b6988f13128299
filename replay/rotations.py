"""Rotations of the signing key, as a journal records them.

Owns: the event, and finding it in a journal. The note in it is the journal's own (``journal.rotation``).
"""

from pathlib import Path

import msgspec
import numpy as np

from journal import JournalReader
from journal.note import VerifierKey
from journal.rotation import KeyChain, Rotation
from journal.tlog import journal_origin
from kernel.events.body import decode_body, encode_body, unpack_bodies
from kernel.events.catalogue import SigningKeyRotated
from kernel.events.layout import KEY_ROTATED, RECORD
from replay.audit import records_of


def rotation_event(old: VerifierKey, new: VerifierKey, note: bytes, **facts: str) -> tuple[SigningKeyRotated, bytes]:
    """The event and its body."""
    body = {"old": old.text, "new": new.text, "note": note.decode(), **facts}
    return SigningKeyRotated(int.from_bytes(old.id), int.from_bytes(new.id)), encode_body(body)


def recorded_rotations(journal: Path) -> list[Rotation]:
    """All that the journal records, in their order. Raises JournalError; hashes are not checked here."""
    found = []
    for frame in JournalReader(journal, check_hashes=False):
        if len(frame.records) % RECORD.itemsize:
            continue  # it holds something else than events of the kernel
        records = records_of(frame)
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
