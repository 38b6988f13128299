"""Proving one row of a replica against a checkpoint, with neither the journal nor the rest of the replica at hand.

Owns: the proof of a row, which is MessagePack: `["eventsourcing-row-proof@v1", [[tlog-proof, frame], ...]]`, with the
frames of the insert that the row came in. Must not know: where rows come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from eventsourcing.persistence import IntegrityError, Notification

from adapters.eventsourcing import frames
from adapters.eventsourcing.errors import in_terms_of_the_library
from adapters.eventsourcing.frames import CONTINUED, EVENTS, MORE, STORED_EVENTS
from journal import Frame, JournalReader
from journal.checkpoint import SignedCheckpoint
from journal.kept import LogError
from journal.note import NoteError, VerifierKey
from journal.proof_file import ProofError, check_frame, prove_frame

MAGIC = "eventsourcing-row-proof@v1"


class _RowProof(msgspec.Struct, array_like=True):
    magic: str
    frames: list[tuple[bytes, bytes]]


_DECODER = msgspec.msgpack.Decoder(_RowProof)


def prove_row(folder: Path, notification_id: int, note: bytes) -> bytes:
    """The proof of the row with this notification id, under a signed checkpoint of the journal at ``folder``.

    IntegrityError if the journal has no such row, or had it only after the checkpoint.
    """
    with in_terms_of_the_library(folder):
        found = _frames_of(folder, notification_id)
        if not found:
            raise IntegrityError(f"the journal at {folder} has no event {notification_id}")
        try:
            proven = [(prove_frame(folder, frame, note), bytes(frame.view)) for frame in found]
        except LogError as error:
            raise IntegrityError(f"event {notification_id} cannot be proven: {error}") from None
    return msgspec.msgpack.encode(_RowProof(MAGIC, proven))


def check_row(proof: bytes, row: Notification, keys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """The checkpoint under which a row of a replica is proven. IntegrityError says why it is not."""
    try:
        given = _DECODER.decode(proof)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("this is no proof of a row") from None
    if given.magic != MAGIC or not given.frames:
        raise IntegrityError("this is no proof of a row")
    try:
        checked = [check_frame(part, data, keys) for part, data in given.frames]
    except (ProofError, NoteError) as error:
        raise IntegrityError(f"the proof does not hold: {error}") from None
    if len({signed.checkpoint for _, signed in checked}) > 1:
        raise IntegrityError("the proof is under several checkpoints")
    _compare(_insert([frame for frame, _ in checked]), checked[-1][0].first_sequence, row)
    return checked[-1][1]


def _frames_of(folder: Path, notification_id: int) -> list[Frame]:
    """The frames of the insert that a notification came in; none if there is none."""
    reader = JournalReader(folder)
    last = next(reader.iter_from(notification_id), None)
    if last is None or not last.first_sequence <= notification_id < last.next_sequence:
        return []
    if not last.flags & CONTINUED:
        return [last]
    found: list[Frame] = []
    before = last.first_sequence - 1  # the pieces lie between the frame that holds it and the last one
    for frame in reader.iter_from(before) if before else iter(reader):
        if frame.kind == STORED_EVENTS:
            found = [*found, frame] if frame.flags & CONTINUED else [frame]
        if frame.number == last.number:
            return found
    return []


def _insert(proven: Sequence[Frame]) -> frames.Insert:
    """The insert whose frames these are: all of it, in order and without a gap."""
    for at, frame in enumerate(proven):
        is_next = frame.number == proven[0].number + at
        is_piece = bool(frame.flags & CONTINUED) == (at > 0) and bool(frame.flags & MORE) == (at + 1 < len(proven))
        if frame.kind != STORED_EVENTS or not is_next or not is_piece:
            raise IntegrityError("the frames of the proof are not those of one insert")
    try:
        return frames.decode(b"".join(frame.bodies for frame in proven))
    except msgspec.MsgspecError:
        raise IntegrityError("the frames of the proof hold no insert") from None


def _compare(insert: frames.Insert, first: int, row: Notification) -> None:
    place = row.id - first
    if insert.stream != EVENTS or not 0 <= place < len(insert.events):
        raise IntegrityError(f"the proof is of other events than {row.id}")
    event = insert.events[place]
    theirs = (frames.key_of(row.originator_id), row.originator_version, row.topic, bytes(row.state))
    if theirs != (event.originator, event.version, event.topic, event.state):
        raise IntegrityError(f"row {row.id} is not what the journal holds")
