"""A storage in memory that fails on command, the same way each time: for tests, and for trying out a
recovery.

Owns: a model of what a disk does to a writer. After a power cut each 512-byte sector holds some version
between the last successful sync and the last write, chosen by a seed; file lengths and unsynced names
likewise. Must not know: frames.
"""

from __future__ import annotations

import copy
import errno
import random
from dataclasses import dataclass, field
from typing import Literal

from journal.errors import JournalLocked
from journal.storage import Buffer

SECTOR_BYTES = 512
Survival = Literal["lost", "kept", "torn"]
Names = list[str]


class Crash(BaseException):
    """The machine (or the process) stopped here. Not an Exception: nothing may handle it."""


@dataclass(slots=True)
class Faults:
    """What goes wrong, and when; operations, writes and fsyncs are counted from 1.

    `fsync_failure` says what a failed fsync leaves behind: "drop" forgets the unsynced bytes at once, "clean"
    shows them until a crash but never writes them. `space_bytes` bounds the growth of all files together.
    """

    crash_at_operation: int | None = None
    fail_write: int | None = None
    fail_fsync: int | None = None
    fsync_failure: Literal["drop", "clean"] = "clean"
    space_bytes: int | None = None


@dataclass(slots=True)
class _File:
    content: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def apply(self, offset: int, data: bytes | None) -> None:
        _apply(self.content, offset, data)
        self.pending.append((offset, data))

    def make_durable(self) -> None:
        """What a sync does: the pending writes reach the disk (bytes that a failed sync forgot do not)."""
        disk = bytearray(self.durable)
        for offset, data in self.pending:
            _apply(disk, offset, data)
        self.durable = bytes(disk)
        self.pending.clear()

    def survivor(self, mode: Survival, chance: random.Random) -> bytes:
        if mode == "lost":
            return self.durable
        versions = [bytearray(self.durable)]
        for offset, data in self.pending:
            versions.append(bytearray(versions[-1]))
            _apply(versions[-1], offset, data)
        if mode == "kept":
            return bytes(versions[-1])
        longest = max(len(version) for version in versions)
        out = bytearray()
        for start in range(0, longest, SECTOR_BYTES):
            # A sector on the disk is the page cache at some moment, so it holds a prefix of the writes to it.
            sector = chance.choice(versions)[start : start + SECTOR_BYTES]
            out += sector + bytes(SECTOR_BYTES - len(sector))
        return bytes(out[: len(chance.choice(versions))])


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    """Write `data` at `offset`; None truncates to `offset`."""
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


@dataclass(slots=True)
class _MappedBytes:
    view: memoryview

    def release_before(self, offset: int) -> None:
        """Nothing to do: these bytes are a copy."""


class MemoryStorage:
    """`Storage` in memory, with faults. `operations`, `writes` and `fsyncs` count what was asked."""

    def __init__(self, faults: Faults | None = None, files: dict[str, bytes] | None = None) -> None:
        self.faults = faults or Faults()
        self.operations = self.writes = self.fsyncs = 0
        self._crashed = self._locked = False
        self._used_bytes = 0
        self._live = {name: _File(bytearray(data), data) for name, data in (files or {}).items()}
        self._durable_names = dict(self._live)
        # Names that no folder sync has made durable yet: (new name, file, old name or None), in order.
        self._pending_names: list[tuple[str, _File, str | None]] = []
        self._handles: dict[int, _File] = {}

    @property
    def files(self) -> dict[str, bytes]:
        """A copy of all files as a process sees them now."""
        return {name: bytes(file.content) for name, file in self._live.items()}

    def after_kill(self, faults: Faults | None = None) -> MemoryStorage:
        """What the next process finds after this one ended: all that was written, synced or not."""
        survivor = MemoryStorage(faults)
        state = copy.deepcopy((self._live, self._durable_names, self._pending_names))
        survivor._live, survivor._durable_names, survivor._pending_names = state
        return survivor

    def after_power_cut(self, mode: Survival, seed: int) -> MemoryStorage:
        """What the next boot finds: of what was not synced nothing, all, or a part chosen by `seed`."""
        chance = random.Random(seed)
        count = {"lost": 0, "kept": len(self._pending_names)}.get(mode)
        kept = chance.randint(0, len(self._pending_names)) if count is None else count
        names = dict(self._durable_names)
        for name, file, old in self._pending_names[:kept]:
            _apply_name(names, name, file, old)
        return MemoryStorage(files={name: file.survivor(mode, chance) for name, file in sorted(names.items())})

    def list(self, folder: str = "") -> Names:
        return sorted(name for name in self._live if name.rpartition("/")[0] == folder)

    def open(self, name: str, *, create: bool = False) -> int:
        if create:
            self._operation()
            if name in self._live:
                raise FileExistsError(errno.EEXIST, "the file exists", name)
            self._live[name] = _File()
            self._pending_names.append((name, self._live[name], None))
        if name not in self._live:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        handle = 3 + len(self._handles)
        self._handles[handle] = self._live[name]
        return handle

    def close(self, handle: int) -> None:
        """Handles are never reused, so that a use after closing would be found by reading this file."""

    def pwrite(self, handle: int, data: Buffer, offset: int) -> None:
        file, data = self._handles[handle], bytes(data)
        self.writes += 1
        if self.writes == self.faults.fail_write:
            raise OSError(errno.EIO, "input/output error")
        if self._next_is_crash():
            # A killed process may have written any part of its last write.
            file.apply(offset, data[: random.Random(self.operations).randint(0, len(data))])
        self._operation()
        growth = max(0, offset + len(data) - len(file.content))
        space = self.faults.space_bytes
        if space is not None and self._used_bytes + growth > space:
            fits = len(data) - (self._used_bytes + growth - space)
            file.apply(offset, data[:fits])
            self._used_bytes = space
            raise OSError(errno.ENOSPC, "no space left on device")
        self._used_bytes += growth
        file.apply(offset, data)

    def read(self, handle: int, length: int, offset: int) -> bytes:
        return bytes(self._handles[handle].content[offset : offset + length])

    def size(self, handle: int) -> int:
        return len(self._handles[handle].content)

    def truncate(self, handle: int, length: int) -> None:
        self._operation()
        self._handles[handle].apply(length, None)

    def fdatasync(self, handle: int) -> None:
        self._sync(self._handles[handle])

    def map(self, name: str) -> _MappedBytes:
        return _MappedBytes(memoryview(bytes(self._live[name].content)))

    def rename(self, old: str, new: str) -> None:
        self._operation()
        file = self._live[old]
        _apply_name(self._live, new, file, old)
        self._pending_names.append((new, file, old))

    def make_folder(self, folder: str) -> None:
        """Folders exist by themselves here."""

    def sync_folder(self, folder: str = "") -> None:
        self._sync(None)
        waiting = []
        for name, file, old in self._pending_names:
            if folder in (name.rpartition("/")[0], (old or name).rpartition("/")[0]):
                _apply_name(self._durable_names, name, file, old)
            else:
                waiting.append((name, file, old))
        self._pending_names = waiting

    def lock(self) -> None:
        if self._locked:
            raise JournalLocked("the journal in memory is held by the writer of this process")
        self._locked = True

    def unlock(self) -> None:
        self._locked = False

    def _sync(self, file: _File | None) -> None:
        self.fsyncs += 1
        if self.fsyncs == self.faults.fail_fsync:
            if file is not None:
                file.pending.clear()
                if self.faults.fsync_failure == "drop":
                    kept = file.durable[: len(file.content)]
                    file.content[:] = kept + bytes(len(file.content) - len(kept))
            raise OSError(errno.EIO, "input/output error")
        self._operation()
        if file is not None:
            file.make_durable()

    def _next_is_crash(self) -> bool:
        return self.operations + 1 == self.faults.crash_at_operation

    def _operation(self) -> None:
        """Count one operation that changes something; the one at which to crash does not complete."""
        if self._crashed:
            raise Crash
        self.operations += 1
        if self.operations == self.faults.crash_at_operation:
            self._crashed = True
            raise Crash


def _apply_name(names: dict[str, _File], name: str, file: _File, old: str | None) -> None:
    if old is not None:
        names.pop(old, None)
    names[name] = file
