"""The files around a journal that go with a backup: which of them, and how they are kept.

Owns: what is a secret and stays, what speaks of later frames and stays, and the folder of files by their hash: what an
older manifest names is never written over. Must not know: frames.
"""

from __future__ import annotations

import os
from pathlib import Path

from journal.checkpoint import Checkpoint
from journal.files import copy_into, digest_of, make_private, replacing, sync_folder
from journal.kept import CHECKPOINT_NAME, CHECKPOINTS_DIR, COSIGNED_NAME, TLOG_DIR
from journal.manifest import BLOBS, Kept, Manifest
from journal.seal import HEAD_NAME
from journal.snapshots import FOLDER as SNAPSHOTS
from journal.storage import LOCK_NAME

COSIGNED = f"{TLOG_DIR}/{COSIGNED_NAME}"
_SECRET_ENDINGS = (".key", ".pem", ".p12", ".env")
_SECRET_STARTS = (b"PRIVATE+KEY+", b"journal-master-key")
_PASSING = (".new", ".tmp", ".sock")


def keep_files(
    source: Path, place: str, target: Path, frames: int, next_sequence: int
) -> tuple[tuple[Kept, ...], tuple[str, ...]]:
    """Keep every file but the segments under its hash in ``target``, as far as it goes with so many frames.

    ``place`` is where the journal lies in ``source``. Returns what is kept, and what was left out.
    """
    blobs = target / BLOBS
    make_private(blobs)
    kept, left_out, notes = [], [], dict[int, Path]()
    prefix = f"{place}/" if place else ""
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        inner = name.removeprefix(prefix) if name.startswith(prefix) else None
        if name.endswith(_PASSING) or (inner is not None and not _belongs(inner, frames, next_sequence)):
            continue
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            left_out += [name] if path.is_symlink() or path.exists() else []
        elif path.is_file():
            found = _keep(path, name, blobs)
            if found is None:
                left_out += [name] if path.exists() else []
            elif inner != COSIGNED or _size_of(blobs / found.sha256) <= frames:
                kept.append(found)
        is_checkpoint = inner is not None and inner.startswith(f"{TLOG_DIR}/{CHECKPOINTS_DIR}/")
        if is_checkpoint and path.suffix == ".note" and path.stem.isdigit():
            notes[int(path.stem)] = path
    if notes:
        found = _keep(notes[max(notes)], f"{prefix}{TLOG_DIR}/{CHECKPOINT_NAME}", blobs)
        if found is not None:
            kept.append(found)
    sync_folder(blobs)
    return tuple(sorted(kept, key=lambda one: one.path)), tuple(left_out)


def _belongs(name: str, frames: int, next_sequence: int) -> bool:
    """Whether a file of the journal's folder goes with the frames that are taken, by its name there."""
    folder, _, file = name.rpartition("/")
    stem = file.partition(".")[0]
    if folder == "":
        return not file.endswith(".seg") and file not in (HEAD_NAME, LOCK_NAME)
    if folder == f"{TLOG_DIR}/{CHECKPOINTS_DIR}" and stem.isdigit():
        return int(stem) <= frames
    if folder == SNAPSHOTS and stem.isdigit():
        return int(stem) < next_sequence
    # The last checkpoint may be newer than the frames; the last of the notes that are taken takes its place.
    return name not in (f"{TLOG_DIR}/{CHECKPOINT_NAME}", f"{TLOG_DIR}/{LOCK_NAME}")


def _size_of(note: Path) -> int:
    return Checkpoint.of_note(note.read_bytes()).size


def _is_secret(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(64)
    return (
        path.name.endswith(_SECRET_ENDINGS)
        or start.startswith(_SECRET_STARTS)
        or (start.startswith(b"-----BEGIN ") and b"PRIVATE KEY" in start)
    )


def _keep(path: Path, name: str, blobs: Path) -> Kept | None:
    """The file under its hash; None when it is a secret, or gone, as a file of a running session may be."""
    try:
        if _is_secret(path):
            return None
        digest, length = digest_of(path), path.stat().st_size
        blob = blobs / digest
        if blob.is_file() and blob.stat().st_size == length:
            return Kept(name, length, digest)
        with replacing(blobs / "copy") as file:
            length, digest = copy_into(path, file)  # it may have changed in between
        os.replace(blobs / "copy", blobs / digest)
        return Kept(name, length, digest)
    except FileNotFoundError:
        return None


def drop_blobs(target: Path, manifest: Manifest) -> None:
    """What only an older manifest named: it is no longer needed."""
    wanted = {one.sha256 for one in manifest.files}
    for path in (target / BLOBS).iterdir():
        if path.name not in wanted:
            path.unlink()
