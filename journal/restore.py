"""Bringing a backup back: whole, or cut after an event; checked before it gets its name.

Owns: the order of it. All is put together in a folder beside, verified there, and only then renamed, so that a kill
leaves nothing that looks like a restored journal. Must not know: what the files are for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from journal.backup import Progress
from journal.checkpoint import Checkpoint
from journal.errors import JournalError
from journal.files import copy_into, make_private, put_together, replacing, write_file
from journal.kept import CHECKPOINT_NAME, CHECKPOINTS_DIR, COSIGNED_NAME, TIMESTAMP_SUFFIX, TLOG_DIR
from journal.manifest import BLOBS, BackupError, Kept, Manifest
from journal.scan import Scan
from journal.snapshots import FOLDER as SNAPSHOTS
from journal.storage import FileStorage
from journal.verify import VerifyReport, verify_journal

RESTORED = "restored.json"


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was brought back. ``cut_after`` is the last event of a journal that was cut, else None.

    ``checkpoints`` is how many signed checkpoints were found to agree, ``left_out`` what speaks of the whole only.
    """

    frames: int
    next_sequence: int
    root: str
    cut_after: int | None
    checkpoints: int
    left_out: tuple[str, ...]


def restore(
    backup: Path,
    target: Path,
    *,
    upto: int | None = None,
    of_the_whole: Collection[str] = (),
    progress: Progress | None = None,
) -> RestoreReport:
    """Bring a backup back into ``target``, which must not exist or be empty. Raises BackupError or CorruptJournal.

    With ``upto`` the journal ends with the last frame whose events are all at or before that sequence. Files named in
    ``of_the_whole`` are then left out: they tell of what came later.
    """
    manifest = Manifest.read(backup)
    if manifest is None:
        raise BackupError(f"{backup}: no backup there; name the folder that kernel backup wrote")
    if not manifest.segments:
        raise BackupError(f"{backup}: the backup was never finished; run kernel backup again")
    last = manifest.next_sequence - 1
    if upto is not None and upto > last:
        raise BackupError(f"event {upto:,} is not in the backup; its last one is {last:,}")
    try:
        with put_together(target) as staging:
            return _put_together(backup, staging, manifest, upto, of_the_whole, progress)
    except FileExistsError:
        raise BackupError(
            f"{target} is there already and is not empty; nothing is overwritten; name another place"
        ) from None


def _put_together(
    backup: Path,
    staging: Path,
    manifest: Manifest,
    upto: int | None,
    of_the_whole: Collection[str],
    progress: Progress | None,
) -> RestoreReport:
    """All of it in the folder beside, durable and checked."""
    journal = staging / manifest.place
    make_private(journal)
    for one in manifest.segments:
        _bring(backup / one.path, staging / one.path, one)
    for one in manifest.files:
        _bring(backup / BLOBS / one.sha256, staging / one.path, one)
    notes = _notes(journal)
    report = _verified(journal, manifest, set(notes), progress)
    frames, next_sequence, cut_after, left_out = report.frames, manifest.next_sequence, None, tuple[str, ...]()
    if upto is not None and upto < manifest.next_sequence - 1:
        frames, next_sequence = _cut(journal, upto)
        cut_after = next_sequence - 1
        left_out = _drop_later(staging, journal, frames, next_sequence, of_the_whole)
        report = verify_journal(journal)
        if not report.ok or report.frames != frames:
            raise BackupError(f"the cut journal does not verify: {report.first_problem}")
    mark_restored(staging, backup, frames, report.root.hex(), cut_after)
    good = sum(size <= frames for size in notes)
    return RestoreReport(frames, next_sequence, report.root.hex(), cut_after, good, left_out)


def _bring(source: Path, target: Path, one: Kept) -> None:
    """Copy the bytes that the manifest speaks of; they must have its hash."""
    make_private(target.parent)
    if not source.is_file() or source.stat().st_size < one.bytes:
        raise BackupError(f"{source}: gone or cut, so {one.path} cannot be restored; use another backup")
    with replacing(target) as file:
        _, digest = copy_into(source, file, one.bytes)
    if digest != one.sha256:
        raise BackupError(f"{source}: not what was backed up (SHA-256 differs), so {one.path} cannot be restored")


def _verified(journal: Path, manifest: Manifest, sizes: set[int], progress: Progress | None) -> VerifyReport:
    """The whole journal, against the manifest and the checkpoints that were signed of it."""
    report = verify_journal(journal, progress, sizes)
    if not report.ok or report.tail != "clean":
        raise BackupError(f"the backup does not verify: {report.first_problem}")
    if (report.frames, report.root.hex()) != (manifest.frames, manifest.root):
        raise BackupError(
            f"the backup has {report.frames:,} frames and root {report.root.hex()[:16]}..., its manifest says "
            f"{manifest.frames:,} and {manifest.root[:16]}...: one of the two was changed"
        )
    for size, path in _notes(journal).items():
        root = report.roots.get(size)
        if root is not None and Checkpoint.of_note(path.read_bytes()).root != root:
            raise BackupError(
                f"{path.name}: this checkpoint was signed over {size:,} other frames: history was rewritten"
            )
    return report


def _notes(journal: Path) -> dict[int, Path]:
    """The signed checkpoints that came with it, by their size."""
    folder = journal / TLOG_DIR / CHECKPOINTS_DIR
    return {int(path.stem): path for path in sorted(folder.glob("*.note")) if path.stem.isdigit()}


def _cut(journal: Path, upto: int) -> tuple[int, int]:
    """Cut the journal after the last frame that ends at or before an event; returns its frames and next sequence."""
    end: tuple[str, int, int, int] | None = None
    first = 0
    for frame in Scan(FileStorage(journal), check_hashes=False).frames():
        first = first or frame.next_sequence - 1
        if frame.next_sequence - 1 > upto:
            break
        end = frame.segment, frame.offset + frame.frame_bytes, frame.number, frame.next_sequence
    if end is None:
        raise BackupError(f"the journal cannot end with event {upto:,}: its first frame ends with event {first:,}")
    for path in sorted(journal.glob("*.seg")):
        if path.name > end[0]:
            path.unlink()
    os.truncate(journal / end[0], end[1])
    return end[2], end[3]


def _drop_later(
    staging: Path, journal: Path, frames: int, next_sequence: int, of_the_whole: Collection[str]
) -> tuple[str, ...]:
    """What speaks of frames that were cut: checkpoints and snapshots, and the files that are named."""
    notes = _notes(journal)
    for size, path in notes.items():
        if size > frames:
            path.unlink()
            path.with_suffix(TIMESTAMP_SUFFIX).unlink(missing_ok=True)
    kept = [size for size in notes if size <= frames]
    last = journal / TLOG_DIR / CHECKPOINT_NAME
    if kept:
        write_file(last, notes[max(kept)].read_bytes())
    else:
        last.unlink(missing_ok=True)
    cosigned = journal / TLOG_DIR / COSIGNED_NAME
    if cosigned.is_file() and Checkpoint.of_note(cosigned.read_bytes()).size > frames:
        cosigned.unlink()
    for path in (journal / SNAPSHOTS).glob("*.snap"):
        if path.stem.isdigit() and int(path.stem) >= next_sequence:
            path.unlink()
    gone = tuple(sorted(name for name in of_the_whole if (staging / PurePosixPath(name)).is_file()))
    for name in gone:
        (staging / name).unlink()
    return gone


def mark_restored(folder: Path, source: Path, frames: int, root: str, cut_after: int | None = None) -> None:
    """Note that a folder is a copy: whoever goes on from it must know that the original does not."""
    facts = {"backup": str(source.resolve()), "frames": frames, "root": root, "cut_after": cut_after}
    write_file(folder / RESTORED, json.dumps(facts, indent=1).encode() + b"\n")


def restored_from(folder: Path) -> dict[str, Any] | None:
    """What ``restored.json`` says of a folder: that it was brought back, and nobody has gone on from it yet."""
    path = folder / RESTORED
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise JournalError(f"{path}: damaged: {error}") from None
    return dict(found) if isinstance(found, dict) else {}
