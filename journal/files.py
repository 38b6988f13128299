"""Ordinary files beside a journal, written so that a kill at any moment leaves the old one or the new one, whole.

Owns: temporary names, permissions, the order of syncs, and locks that keep another process out. Must not know: what the
files hold.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".new"
UNFINISHED = ".unfinished"
CHUNK_BYTES = 1 << 20
LOCK_PAUSE_S = 0.02


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write, for its owner alone, which takes the place of ``path`` when the block ends; not when it raises.

    ``durable``: it and its name are then on the disk.
    """
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all, and the folders above it that are not there yet; see ``replacing``."""
    make_private(path.parent, durable=durable)
    with replacing(path, durable=durable) as file:
        file.write(data)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(folder: Path, *, durable: bool = True) -> None:
    """The folder and those above it that are new, for their owner only; ``durable``: their names are on the disk."""
    if not folder.is_dir():
        make_private(folder.parent, durable=durable)
        folder.mkdir(mode=0o700, exist_ok=True)
        if durable:
            sync_folder(folder.parent)


@contextmanager
def alone(path: Path, refusal: Exception, within_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of a file while the block runs; it goes with the process. The folder must be there.

    Raises ``refusal`` when another one still has it after so many seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = time.monotonic() + within_s
        while not _has_locked(descriptor):
            if time.monotonic() >= end:
                raise refusal
            time.sleep(LOCK_PAUSE_S)
        yield
    finally:
        os.close(descriptor)


def _has_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def put_together(target: Path) -> Iterator[Path]:
    """A folder beside ``target``, which gets its name when the block ends, durably; so a kill leaves nothing of it.

    What an interrupted attempt left is removed first. Raises FileExistsError where there is something already.
    """
    place = target.resolve()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise FileExistsError(target)
    make_private(place.parent)
    staging = place.with_name(f".{place.name}{UNFINISHED}")
    if staging.exists():
        shutil.rmtree(staging)
    make_private(staging)
    try:
        yield staging
    except Exception:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    for path, _, names in os.walk(staging):
        for name in names:
            descriptor = os.open(os.path.join(path, name), os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(path))
    os.rename(staging, place)
    sync_folder(place.parent)


def copy_into(source: Path, file: BinaryIO, length: int | None = None) -> tuple[int, str]:
    """Copy a file's first ``length`` bytes (None: all); returns how many and their SHA-256 in hexadecimal."""
    digest, count = hashlib.sha256(), 0
    with source.open("rb") as data:
        while chunk := data.read(CHUNK_BYTES if length is None else min(CHUNK_BYTES, length - count)):
            digest.update(chunk)
            file.write(chunk)
            count += len(chunk)
    return count, digest.hexdigest()


def digest_of(path: Path, length: int | None = None) -> str:
    """SHA-256 of a file's first ``length`` bytes (None: all), in hexadecimal."""
    digest, left = hashlib.sha256(), length
    with path.open("rb") as data:
        while chunk := data.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)):
            digest.update(chunk)
            left = None if left is None else left - len(chunk)
    return digest.hexdigest()
