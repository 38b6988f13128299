"""Where bytes are kept: the few operations that a journal needs, and the real files behind them.

Owns: paths, file descriptors, memory maps, the writer lock, permissions (files 0600, folders 0700). Must not
know: segments, frames, or which operation means what. The fault-injecting twin is `journal/faulty.py`.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from journal.errors import JournalError, JournalLocked

Buffer = bytes | bytearray | memoryview
LOCK_NAME = "lock"


class Mapped(Protocol):
    """A read-only view of one file as it was when mapped."""

    @property
    def view(self) -> memoryview: ...

    def release_before(self, offset: int) -> None:
        """Let go of the memory that holds bytes below `offset`; they stay readable."""


class Storage(Protocol):
    """One folder of files. Names are relative, with `/` between folder and file. Failures are OSError."""

    def list(self, folder: str = "") -> list[str]:
        """Names of the files directly in `folder`, sorted; empty if there is no such folder."""

    def open(self, name: str, *, create: bool = False) -> int:
        """A handle for reading and writing; with `create` the file must not exist yet."""

    def close(self, handle: int) -> None: ...

    def pwrite(self, handle: int, data: Buffer, offset: int) -> None:
        """Write all of `data`, or raise."""

    def read(self, handle: int, length: int, offset: int) -> bytes: ...

    def size(self, handle: int) -> int: ...

    def truncate(self, handle: int, length: int) -> None: ...

    def fdatasync(self, handle: int) -> None: ...

    def map(self, name: str) -> Mapped: ...

    def rename(self, old: str, new: str) -> None: ...

    def make_folder(self, folder: str) -> None:
        """Create `folder` ("" is the journal's own) unless it exists."""

    def sync_folder(self, folder: str = "") -> None:
        """Make the names in `folder` durable."""

    def lock(self) -> None:
        """Become the only writer, or raise JournalLocked naming the process that is."""

    def unlock(self) -> None: ...


class _MappedFile:
    """A memory map that gives its pages back behind the reader, so memory stays flat."""

    def __init__(self, descriptor: int, length: int) -> None:
        # mmap refuses empty files; an empty segment is a legal (torn) state that the scanner must see.
        self._map = mmap.mmap(descriptor, length, prot=mmap.PROT_READ) if length else None
        if self._map is not None:
            self._map.madvise(mmap.MADV_SEQUENTIAL)
        self._released = 0

    @property
    def view(self) -> memoryview:
        return memoryview(self._map) if self._map is not None else memoryview(b"")

    def release_before(self, offset: int) -> None:
        end = offset & ~(mmap.PAGESIZE - 1)
        if self._map is not None and end > self._released:
            self._map.madvise(mmap.MADV_DONTNEED, self._released, end - self._released)
            self._released = end


class FileStorage:
    """Real files below one directory."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self._lock_descriptor: int | None = None

    def list(self, folder: str = "") -> list[str]:
        prefix = f"{folder}/" if folder else ""
        with suppress(FileNotFoundError), os.scandir(self.directory / folder) as entries:
            return sorted(prefix + entry.name for entry in entries if entry.is_file())
        return []

    def open(self, name: str, *, create: bool = False) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if create else 0)
        return os.open(self.directory / name, flags, 0o600)

    def close(self, handle: int) -> None:
        os.close(handle)

    def pwrite(self, handle: int, data: Buffer, offset: int) -> None:
        written = os.pwrite(handle, data, offset)
        if written == len(data):
            return
        rest = memoryview(data)
        while written < len(data):
            step = os.pwrite(handle, rest[written:], offset + written)
            if step == 0:
                raise OSError(errno.EIO, "the file accepts no more bytes")
            written += step

    def read(self, handle: int, length: int, offset: int) -> bytes:
        return os.pread(handle, length, offset)

    def size(self, handle: int) -> int:
        return os.fstat(handle).st_size

    def truncate(self, handle: int, length: int) -> None:
        os.ftruncate(handle, length)

    def fdatasync(self, handle: int) -> None:
        os.fdatasync(handle)

    def map(self, name: str) -> Mapped:
        descriptor = os.open(self.directory / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _MappedFile(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        os.rename(self.directory / old, self.directory / new)

    def make_folder(self, folder: str) -> None:
        path = self.directory / folder
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=not folder, exist_ok=True)
            # The name of the new folder must last, too.
            self._sync_path(path.parent)

    def sync_folder(self, folder: str = "") -> None:
        self._sync_path(self.directory / folder)

    def _sync_path(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lock(self) -> None:
        if self._lock_descriptor is not None:
            raise JournalLocked(_held_by(str(os.getpid()), self.directory))
        try:
            descriptor = os.open(self.directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise JournalError(f"there is no journal at {self.directory}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise JournalLocked(_held_by(holder, self.directory)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock_descriptor = descriptor

    def unlock(self) -> None:
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None


def _held_by(pid: str, directory: Path) -> str:
    return f"the journal at {directory} is held by the writer with pid {pid}; there is one writer at a time"


def as_storage(path_or_storage: str | os.PathLike[str] | Storage) -> Storage:
    """A path becomes a FileStorage; a storage is itself."""
    if isinstance(path_or_storage, (str, os.PathLike)):
        return FileStorage(path_or_storage)
    return path_or_storage
