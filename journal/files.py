"""Ordinary files beside a journal, written so that a kill at any moment leaves the old one or the new one, whole.

Owns: temporary names, permissions and the order of syncs. Must not know: what the files hold.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".new"
UNFINISHED = ".unfinished"
CHUNK_BYTES = 1 << 20


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of ``path`` when the block ends, durably; not when it raises."""
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Write a small file, whole and durably."""
    with replacing(path) as file:
        file.write(data)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(folder: Path) -> None:
    """The folder, for its owner only; its name is durable when it is new."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700)
        sync_folder(folder.parent)


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
