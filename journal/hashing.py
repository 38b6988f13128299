"""Hashing frames ahead of a walk, on several threads: SHA-256 is most of the work, and runs beside Python.

Owns: which frames are hashed before the walk reaches them. It only works out hashes; the walk checks everything, and
hashes for itself where nothing was hashed ahead.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from journal.layout import FORMAT_VERSION, seal_frame, unpack_frame_header

LEAST_FRAME_BYTES = 8192
GROUP_BYTES = 2 << 20  # of one task: enough that handing it over costs nothing
Seals = dict[int, tuple[bytes, bytes]]  # by the offset of a frame: its end mark and hash, as ``seal_frame`` has them


class HashAhead:
    """Hashes a few groups of frames ahead, on ``threads`` threads. Use it in a `with` block."""

    def __init__(
        self, threads: int, group_bytes: int = GROUP_BYTES, least_frame_bytes: int = LEAST_FRAME_BYTES
    ) -> None:
        self._group_bytes, self._least_frame_bytes = group_bytes, least_frame_bytes
        self._pool = ThreadPoolExecutor(threads, "journal-hash")
        self._most = threads + 1  # groups under way
        self._view = memoryview(b"")
        self._groups: deque[Future[Seals]] = deque()
        self._seals: Seals = {}
        self._next = 0

    @classmethod
    def for_bytes(cls, total: int) -> Self | None:
        """One for a journal of so many bytes, or None where it would not pay."""
        processors = len(os.sched_getaffinity(0))
        return cls(processors) if processors > 1 and total >= 8 * GROUP_BYTES else None

    def begin(self, view: memoryview, offset: int) -> None:
        """Begin with a segment, whose first frame is at ``offset``."""
        self.stop()
        self._view, self._next = view, offset
        first = self._frames()
        # Of small frames the most is Python's own work, which threads do not share.
        if not first or (self._next - offset) // len(first) < self._least_frame_bytes:
            self._view = memoryview(b"")
            return
        self._groups.append(self._pool.submit(_seal_all, first))
        self._fill()

    def take(self, offset: int) -> tuple[bytes, bytes] | None:
        """End mark and hash of the frame at ``offset``, if it was hashed ahead."""
        found = self._seals.pop(offset, None)
        while found is None and self._groups:
            self._seals = self._groups.popleft().result()
            self._fill()
            found = self._seals.pop(offset, None)
        return found

    def stop(self) -> None:
        """Let go of the segment."""
        for group in self._groups:
            group.cancel()
            if not group.cancelled():
                group.result()
        self._groups.clear()
        self._seals, self._view = {}, memoryview(b"")

    def _fill(self) -> None:
        while len(self._groups) < self._most:
            frames = self._frames()
            if not frames:
                return
            self._groups.append(self._pool.submit(_seal_all, frames))

    def _frames(self) -> list[tuple[int, memoryview]]:
        """The next frames of the segment, by their headers; none from the first that is not good."""
        found, begin = [], self._next
        while self._next - begin < self._group_bytes and self._next < len(self._view):
            header = unpack_frame_header(self._view, self._next)
            is_good = header is not None and header.version == FORMAT_VERSION
            if header is None or not is_good or self._next + header.frame_bytes > len(self._view):
                self._view = self._view[: self._next]
                break
            found.append((self._next, self._view[self._next : self._next + header.frame_bytes]))
            self._next += header.frame_bytes
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._pool.shutdown()


def _seal_all(frames: list[tuple[int, memoryview]]) -> Seals:
    return {offset: seal_frame(view) for offset, view in frames}
