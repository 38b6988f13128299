"""Building one frame in one reused buffer.

Owns: the limits on what a caller may put into a frame, and the buffer. Must not know: files, numbering or
durability.
"""

from __future__ import annotations

from typing import Any

from journal.errors import InvalidFrame
from journal.layout import (
    ENCRYPTED,
    END_MARK_BYTES,
    FORMAT_VERSION,
    FRAME_HEADER_BYTES,
    FRAME_MAGIC,
    MAX_FRAME_BYTES,
    RECORD_BYTES,
    U64_MAX,
    count_zero_sectors,
    frame_bytes_for,
    pack_frame_header,
    seal_frame,
)


class FrameBuilder:
    """Call `load`, then `finish`; the frame that `finish` returns is valid until the next `load`."""

    __slots__ = ("_body_bytes", "_buffer", "_frame_bytes", "_genesis_id", "_record_count", "_view")

    def __init__(self, genesis_id: bytes) -> None:
        self._genesis_id = genesis_id
        self._buffer = bytearray(MAX_FRAME_BYTES + 1)
        self._view = memoryview(self._buffer)
        self._record_count = self._body_bytes = self._frame_bytes = 0

    def load(self, records: Any, bodies: Any) -> int:
        """Copy the payload in and return the frame's length in bytes; InvalidFrame if it cannot be one."""
        records, bodies = _as_bytes(records), _as_bytes(bodies)
        records_bytes, body_bytes = len(records), len(bodies)
        self._record_count, rest = divmod(records_bytes, RECORD_BYTES)
        frame_bytes = frame_bytes_for(records_bytes, body_bytes)
        if rest:
            raise InvalidFrame(f"records are {RECORD_BYTES} bytes each; got {records_bytes} bytes")
        if frame_bytes > MAX_FRAME_BYTES:
            raise InvalidFrame(f"the frame would be {frame_bytes} bytes long; the most is {MAX_FRAME_BYTES}")
        bodies_at = FRAME_HEADER_BYTES + records_bytes
        padding_at = bodies_at + body_bytes
        self._buffer[FRAME_HEADER_BYTES:bodies_at] = records
        self._buffer[bodies_at:padding_at] = bodies
        self._buffer[padding_at:frame_bytes] = bytes(frame_bytes - padding_at)
        self._body_bytes, self._frame_bytes = body_bytes, frame_bytes
        return frame_bytes

    # fmt: off
    def finish(self, file_offset: int, kind: int, flags: int, event_count: int, number: int,
               first_sequence: int, durable_upto: int, ts_ingest_ns: int, epoch: int,
               prev: bytes) -> tuple[memoryview, bytes]:
        """Write header and end mark; return the frame and its hash. `file_offset` is where it will stand."""
        zero_sectors = count_zero_sectors(self._buffer, file_offset, self._frame_bytes)
        pack_frame_header(self._buffer, (
            FRAME_MAGIC, FRAME_HEADER_BYTES, FORMAT_VERSION, kind, flags, self._record_count, zero_sectors,
            self._body_bytes, self._frame_bytes, event_count, number, first_sequence, durable_upto,
            ts_ingest_ns, epoch, self._genesis_id, prev))
        frame = self._view[:self._frame_bytes]
        end_mark, hashed = seal_frame(frame)
        frame[-END_MARK_BYTES:] = end_mark
        return frame, hashed
    # fmt: on


def check_fields(kind: int, flags: int, event_count: int, first_sequence: int, ts_ingest_ns: int) -> None:
    """InvalidFrame if a field does not fit its place in the header."""
    if event_count < 0 or first_sequence + event_count > U64_MAX:
        raise InvalidFrame(f"event_count {event_count} does not fit after sequence {first_sequence}")
    if not (0 <= kind <= 0xFFFF and 0 <= flags < ENCRYPTED):
        raise InvalidFrame(f"kind {kind} must be 16-bit and unsigned, flags {flags} 15-bit (the highest is taken)")
    if not -(1 << 63) <= ts_ingest_ns < 1 << 63:
        raise InvalidFrame(f"ts_ingest_ns {ts_ingest_ns} must be 64-bit and signed")


def _as_bytes(data: Any) -> memoryview | bytes:
    """Any contiguous buffer as a flat one of bytes; nothing is copied."""
    if type(data) is bytes:
        return data
    view = memoryview(data)
    if not view.c_contiguous:
        raise InvalidFrame("records and bodies must be contiguous buffers")
    # A cast cannot express an empty shape with several dimensions, and there is nothing to cast in it.
    return view.cast("B") if view.nbytes else b""
