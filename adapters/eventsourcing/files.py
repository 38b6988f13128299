"""Reading single frames of a journal by their place, while its writer goes on.

Owns: the open segment files, and what a place is: the number of a segment in order of first use, and the byte in it.
Must not know: which frames there are. Each frame that is read proves itself by its end mark.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from eventsourcing.persistence import InternalError

from journal import Frame
from journal.layout import END_MARK_BYTES, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, seal_frame, unpack_frame_header

_OFFSET_BITS = 40
_FIRST_READ_BYTES = 4096
_MOST_OPEN = 64


class FrameFiles:
    """The segments of one journal, open for reading, at most 64 at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._handles: dict[int, int] = {}
        self._lock = Lock()

    def place(self, segment: str, offset: int) -> int:
        """The place of a frame as one number. Segments must be named in their order."""
        if not self._names or self._names[-1] != segment:
            self._names.append(segment)
        return (len(self._names) - 1) << _OFFSET_BITS | offset

    def frames_from(self, place: int) -> Iterator[Frame]:
        """The frame at a place, and those that follow it. InternalError if one is not what was written."""
        segment, offset = place >> _OFFSET_BITS, place & (1 << _OFFSET_BITS) - 1
        while True:
            head = self._read(segment, _FIRST_READ_BYTES, offset)
            if len(head) < FRAME_HEADER_BYTES and segment + 1 < len(self._names):
                segment, offset = segment + 1, SEGMENT_HEADER_BYTES
                continue
            frame = self._checked(head, segment, offset)
            yield frame
            offset += frame.frame_bytes

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            for handle in self._handles.values():
                os.close(handle)
            self._handles.clear()

    def _checked(self, head: bytes, segment: int, offset: int) -> Frame:
        header = unpack_frame_header(memoryview(head), 0)
        if header is not None:
            if header.frame_bytes > len(head):
                head = self._read(segment, header.frame_bytes, offset)
            view = memoryview(head)[: header.frame_bytes]
            if len(view) == header.frame_bytes and view[-END_MARK_BYTES:] == seal_frame(view)[0]:
                return Frame(header, view, self._names[segment], offset)
        raise InternalError(
            f"the frame at byte {offset} of {self._folder / self._names[segment]} is not what was written; "
            "run kernel verify, and restore the segment from a copy"
        )

    def _read(self, segment: int, length: int, offset: int) -> bytes:
        # Under the lock, so that nobody reads from a number that has been given to another file meanwhile.
        with self._lock:
            handle = self._handles.get(segment)
            if handle is None:
                if len(self._handles) >= _MOST_OPEN:
                    os.close(self._handles.pop(next(iter(self._handles))))
                handle = os.open(self._folder / self._names[segment], os.O_RDONLY | os.O_CLOEXEC)
                self._handles[segment] = handle
            return os.pread(handle, length, offset)
