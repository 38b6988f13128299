"""Backups of a folder with a journal: taken while a writer is at work, and added to later.

Owns: what is taken (frames that are durable by the head seal, and the files around them), and the order in which a
backup changes, so that a kill at any moment leaves the old one or the new one. Must not know: trading, or what the
files are for. Nothing of the writer is locked: frames are only ever added, so any number of the first is a journal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from journal.backup_files import drop_blobs, keep_files
from journal.files import TEMPORARY, alone, digest_of, make_private, sync_folder, write_file
from journal.frame import Frame
from journal.layout import SEGMENT_HEADER_BYTES, Identity
from journal.manifest import BackupError, Kept, Manifest
from journal.pruned import PRUNED_NAME, Pruned
from journal.scan import Scan
from journal.storage import LOCK_NAME, FileStorage

Progress = Callable[[int, int], None]
PROGRESS_BYTES = 32 << 20
JOURNAL_DIR = "journal"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds now, and what of it is new. ``left_out`` names secrets and what is no plain file."""

    frames: int
    next_sequence: int
    root: str
    new_frames: int
    new_bytes: int
    files: int
    left_out: tuple[str, ...]


@dataclass(slots=True)
class _Taken:
    """How far the source's journal is taken: the end of each segment, and what it comes to."""

    identity: Identity
    ends: dict[str, int]
    frames: int
    next_sequence: int
    head: bytes
    root: bytes
    pruned: Pruned


def place_of(folder: Path) -> tuple[str, Path]:
    """Where the journal lies in a folder: ``journal`` below it, or the folder itself. Raises BackupError."""
    place = JOURNAL_DIR if (folder / JOURNAL_DIR).is_dir() else ""
    journal = folder / place
    if not journal.is_dir() or not any(journal.glob("*.seg")):
        raise BackupError(f"{folder}: no journal there; name a run directory or the journal in it")
    return place, journal


def back_up(source: Path, target: Path, progress: Progress | None = None) -> BackupReport:
    """Take what is durable of the journal in ``source``, and the files around it, into ``target``.

    A target that holds an earlier backup gets what is new. Raises BackupError when the journal is not an extension of
    what is there (the text names the frame), CorruptJournal when either is damaged.
    """
    place, journal = place_of(source)
    if target.resolve().is_relative_to(source.resolve()) or source.resolve().is_relative_to(target.resolve()):
        raise BackupError(f"{target} lies within {source}, or around it; name another place")
    before = Manifest.read(target)
    if before is None and target.is_dir() and any(not _is_passing(path) for path in target.iterdir()):
        raise BackupError(f"{target} is not empty and is no backup; name another folder")
    make_private(target)
    with alone(target / LOCK_NAME, BackupError(f"{target}: another backup to there is under way")):
        if before is None:
            before = Manifest("", "", place, 0, 0, "", "")
            before.write(target)  # so that a later one knows the folder for ours
        elif before.place != place:
            raise BackupError(
                f"{target} is a backup of a {'run directory' if before.place else 'bare journal'}; name that"
            )
        make_private(target / place)
        _drop_unfinished(target, before)
        taken = _walk(journal, target / before.place, before, progress)
        old_bytes = sum(one.bytes for one in before.segments)
        segments = _copy_segments(journal, target, before, taken)
        files, left_out = keep_files(source, place, target, taken.frames, taken.next_sequence)
        manifest = Manifest(
            taken.identity.origin,
            taken.identity.genesis_id.hex(),
            before.place,
            taken.frames,
            taken.next_sequence,
            taken.head.hex(),
            taken.root.hex(),
            segments,
            files,
            left_out,
        )
        manifest.write(target)
        drop_blobs(target, manifest)
    new_bytes = sum(one.bytes for one in segments) - old_bytes
    return BackupReport(
        taken.frames,
        taken.next_sequence,
        manifest.root,
        taken.frames - before.frames,
        new_bytes,
        len(files),
        left_out,
    )


def _is_passing(path: Path) -> bool:
    return path.name == LOCK_NAME or path.name.endswith(TEMPORARY)


def _drop_unfinished(target: Path, before: Manifest) -> None:
    """Bring the segments back to what the manifest names: the rest was never part of a backup."""
    lengths = {one.path: one.bytes for one in before.segments}
    for path in sorted((target / before.place).glob("*.seg")):
        length = lengths.pop(path.relative_to(target).as_posix(), None)
        if length is None:
            path.unlink()
        elif path.stat().st_size > length:
            os.truncate(path, length)
        elif path.stat().st_size < length:
            raise BackupError(f"{path}: cut since it was backed up; make the backup anew in another folder")
    if lengths:
        raise BackupError(f"{target / next(iter(lengths))}: gone from the backup; make it anew in another folder")


# --- the journal ----------------------------------------------------------------------------------------------------


def _walk(journal: Path, copied: Path, before: Manifest, progress: Progress | None) -> _Taken:
    """Check the journal up to what is durable, and that it begins with what was backed up before."""
    scan = Scan(FileStorage(journal))
    seal, identity = scan.seal, scan.identity
    if identity is None:
        raise BackupError(f"{journal}: the first segment's header is damaged; see kernel verify")
    if before.frames and before.genesis_id != identity.genesis_id.hex():
        raise BackupError(f"the backup is of journal {before.genesis_id}, not of {identity.genesis_id.hex()}")
    # Without a seal that promises anything (policy off, or a journal that was copied) all whole frames are taken.
    most = seal.frame_number if seal is not None and seal.policy != "off" else None
    tree, total, told = scan.tree(), sum(len(scan.storage.map(name).view) for name in scan.segments), 0
    if 0 < before.frames < tree.size:
        raise BackupError(
            f"frames {before.frames + 1:,} to {tree.size:,} were pruned before they were backed up; begin another "
            "backup in another folder, and keep this one"
        )
    taken = _Taken(identity, {}, tree.size, scan.first_sequence, scan.first_prev, tree.root, scan.pruned)
    old = _backed_up(copied, before, tree.size)
    for frame in scan.frames() if most != 0 else ():
        if most is not None and frame.number > most:
            break
        _compare(frame, next(old, None))
        tree.append(frame.hash)
        taken.ends[frame.segment] = frame.offset + frame.frame_bytes
        taken.next_sequence, taken.head = frame.next_sequence, frame.hash
        if progress is not None and scan.bytes_done - told >= PROGRESS_BYTES:
            told = scan.bytes_done
            progress(told, total)
    if (left := next(old, None)) is not None:
        raise BackupError(
            f"the journal ends with frame {tree.size:,}, and the backup holds frame {left.number:,}: its tail was cut, "
            "or this is an older copy; nothing was changed"
        )
    taken.frames, taken.root = tree.size, tree.root
    if not taken.ends:
        taken.ends[scan.segments[0]] = SEGMENT_HEADER_BYTES
    if progress is not None:
        progress(total, total)
    return taken


def _backed_up(copied: Path, before: Manifest, pruned: int) -> Iterator[Frame]:
    """The frames that an earlier backup holds, from the first that the source still has."""
    if before.frames:
        yield from (frame for frame in Scan(FileStorage(copied)).frames() if frame.number > pruned)


def _compare(frame: Frame, old: Frame | None) -> None:
    if old is not None and (old.number, old.hash) != (frame.number, frame.hash):
        number = max(old.number, frame.number)
        raise BackupError(
            f"frame {number:,} of the journal is not the one that was backed up: the journal is not an extension of "
            "the backup; keep both and find out which one was changed. Nothing was changed"
        )


def _copy_segments(journal: Path, target: Path, before: Manifest, taken: _Taken) -> tuple[Kept, ...]:
    """Add what is new to the segments, durably; the manifest is still the old one."""
    kept = {one.path: one for one in before.segments}
    prefix = f"{before.place}/" if before.place else ""
    for name, end in taken.ends.items():
        path, had = prefix + name, kept.get(prefix + name)
        start = had.bytes if had is not None else 0
        if end > start:
            _copy_range(journal / name, target / path, start, end)
            kept[path] = Kept(path, end, digest_of(target / path, end))
    if taken.pruned.frames:  # also with the files, as it is now: this one is so that the folder is a journal
        write_file(target / before.place / PRUNED_NAME, taken.pruned.pack())
    sync_folder(target / before.place)
    return tuple(kept[path] for path in sorted(kept))


def _copy_range(source: Path, target: Path, start: int, end: int) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with source.open("rb") as data, os.fdopen(descriptor, "wb") as file:
        data.seek(start)
        file.seek(start)
        left = end - start
        while left:
            chunk = data.read(min(left, 1 << 20))
            if not chunk:
                raise BackupError(f"{source}: shorter than a moment ago; is something else writing there?")
            file.write(chunk)
            left -= len(chunk)
        file.flush()
        os.fsync(file.fileno())
