"""The checkpoints in a journal's folder ``tlog``: every note that was made, the last one, the last that was cosigned.

Owns: these files, adding signatures to them, and the lock under which they are made. Must not know: whether a
checkpoint is true of the journal; whoever signs has worked that out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from journal.checkpoint import Checkpoint, open_checkpoint
from journal.errors import JournalError
from journal.files import alone, sync_folder, write_file
from journal.note import Note, NoteError, Signature, SigningKey

TLOG_DIR = "tlog"
CHECKPOINT_NAME = "checkpoint"
COSIGNED_NAME = "cosigned"
CHECKPOINTS_DIR = "checkpoints"
TIMESTAMP_SUFFIX = ".tsr"
LOCK_NAME = "lock"
LOCK_WITHIN_S = 120.0


class LogError(JournalError):
    """A checkpoint or a proof that cannot be made. The text says why and what to do."""


def kept_checkpoints(journal: Path) -> list[bytes]:
    """The notes that were made of this journal, oldest first."""
    folder = journal / TLOG_DIR / CHECKPOINTS_DIR
    return [path.read_bytes() for path in sorted(folder.glob("*.note"))] if folder.is_dir() else []


def kept_sizes(journal: Path) -> set[int]:
    """How many frames the journal had when its checkpoints were made."""
    folder = journal / TLOG_DIR / CHECKPOINTS_DIR
    names = (path.stem for path in folder.glob("*.note")) if folder.is_dir() else ()
    return {int(name) for name in names if name.isdigit()}


def latest_checkpoint(journal: Path) -> bytes | None:
    """The note that was made last, or None."""
    path = journal / TLOG_DIR / CHECKPOINT_NAME
    return path.read_bytes() if path.is_file() else None


def sign_and_keep(journal: Path, made: Checkpoint, key: SigningKey) -> bytes:
    """Sign a checkpoint that follows from those before it, and keep the note; returns it. The caller has the lock.

    What was signed of the same size before, by this key or another one, stays on the note.
    """
    last = latest_checkpoint(journal)
    note = Note.parse(made.sign(key))
    if last is not None and Checkpoint.of_note(last) == made:
        if _is_by(last, key):
            return last
        before = Note.parse(last)
        note = Note(before.text, before.signatures + note.signatures)
    return _keep(journal, made, note)


def add_cosignatures(journal: Path, note: bytes, found: Sequence[Signature]) -> bytes:
    """Add what witnesses answered to a note that is kept here; returns the note with all of them.

    A later cosignature of a witness takes the place of its earlier one.
    """
    made = Checkpoint.of_note(note)
    with log_lock(journal):
        path = _place(journal, made)
        kept = Note.parse(path.read_bytes() if path.is_file() else note)
        renewed = {(one.name, one.id) for one in found}
        stay = tuple(one for one in kept.signatures if (one.name, one.id) not in renewed)
        return _keep(journal, made, Note(kept.text, stay + tuple(found)))


def keep_cosigned(journal: Path, note: bytes) -> None:
    """Keep a note as the last one that enough witnesses cosigned."""
    with log_lock(journal):
        before = cosigned_checkpoint(journal)
        if before is None or Checkpoint.of_note(before).size <= Checkpoint.of_note(note).size:
            write_file(journal / TLOG_DIR / COSIGNED_NAME, note)


def cosigned_checkpoint(journal: Path) -> bytes | None:
    """The last note that enough witnesses had cosigned, or None."""
    path = journal / TLOG_DIR / COSIGNED_NAME
    return path.read_bytes() if path.is_file() else None


def kept_timestamp(journal: Path, made: Checkpoint) -> bytes | None:
    """The RFC 3161 token that is kept beside a checkpoint, or None."""
    path = _place(journal, made).with_suffix(TIMESTAMP_SUFFIX)
    return path.read_bytes() if path.is_file() else None


def keep_timestamp(journal: Path, made: Checkpoint, token: bytes) -> None:
    """Keep a token beside the checkpoint that it is of."""
    write_file(_place(journal, made).with_suffix(TIMESTAMP_SUFFIX), token)


def _place(journal: Path, made: Checkpoint) -> Path:
    return journal / TLOG_DIR / CHECKPOINTS_DIR / f"{made.size:020}.note"


def _keep(journal: Path, made: Checkpoint, note: Note) -> bytes:
    write_file(_place(journal, made), note.data)
    last = latest_checkpoint(journal)
    if last is None or Checkpoint.of_note(last).size <= made.size:
        write_file(journal / TLOG_DIR / CHECKPOINT_NAME, note.data)
    return note.data


def log_lock(journal: Path) -> AbstractContextManager[None]:
    """One process at a time signs for a journal. Raises LogError when another one does not come to an end."""
    folder = journal / TLOG_DIR
    if not folder.is_dir():  # a journal that is not there must not come to be by this
        folder.mkdir(exist_ok=True, mode=0o700)
        sync_folder(journal)
    busy = LogError(f"{journal}: another process makes a checkpoint; try again")
    return alone(folder / LOCK_NAME, busy, LOCK_WITHIN_S)


def _is_by(note: bytes, key: SigningKey) -> bool:
    try:
        open_checkpoint(note, [key.verifier])
    except NoteError:
        return False
    return True
