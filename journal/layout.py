"""The bytes of a segment header and of a frame: packing, unpacking, hashing.

Owns: every offset, magic number and limit of the format (FORMAT.md is its prose twin). Must not know: files,
policies, or what the records and bodies mean.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

from journal.errors import JournalError

FORMAT_VERSION = 1
HASH_SHA256_RFC6962 = 1
RECORD_BYTES = 128
SECTOR_BYTES = 512
MAX_FRAME_BYTES = 65_535
# Frames are a multiple of 8 long, so the longest one that exists is 65,528 bytes.
LONGEST_FRAME_BYTES = MAX_FRAME_BYTES & ~7

SEGMENT_MAGIC = b"JSEGMENT"
SEGMENT_MARK = b"\xa5SEG"
SEGMENT_HEADER_BYTES = 512
_SEGMENT = struct.Struct("<8sHHHHQQ16s32s32sQ")
_SEGMENT_CRC_AT = 504
MAX_ORIGIN_BYTES = _SEGMENT_CRC_AT - _SEGMENT.size

FRAME_MAGIC = b"JFRM"
START_MARK = b"\xa5GO\n"
FRAME_HEADER_BYTES = 128
_FRAME = struct.Struct("<4sHHHHHHIIQQQQqQ16s32s")
_FRAME_CRC_AT = 120
_FRAME_WHOLE = struct.Struct(_FRAME.format + "I4s")
_FRAME_LENGTH, _FRAME_LENGTH_AT = struct.Struct("<I"), 20
_TAIL = struct.Struct("<I4s")
END_MARK_BYTES = 8
ENCRYPTED = 0x8000  # flag of a frame: its records and bodies are encrypted
FRAME_OVERHEAD_BYTES = FRAME_HEADER_BYTES + END_MARK_BYTES
U64_MAX = (1 << 64) - 1

_GENESIS_TAG = b"journal-genesis-v1\n"
_ZERO_SECTOR = bytes(SECTOR_BYTES)
_LEAF_START = hashlib.sha256(b"\x00")
assert _SEGMENT.size == 120
assert _FRAME.size == _FRAME_CRC_AT
assert _FRAME_WHOLE.size == FRAME_HEADER_BYTES

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a journal this journal; the same in every segment."""

    origin: str
    genesis_id: bytes
    schema_digest: bytes
    segment_bytes: int

    def check(self) -> None:
        """JournalError unless every field fits its place in a segment header."""
        if not 0 < len(self.origin.encode()) <= MAX_ORIGIN_BYTES:
            raise JournalError(f"origin is 1 to {MAX_ORIGIN_BYTES} bytes of UTF-8")
        if len(self.genesis_id) != 16 or len(self.schema_digest) != 32:
            raise JournalError("genesis_id is 16 bytes and schema_digest is 32 bytes")
        if self.segment_bytes < SEGMENT_HEADER_BYTES + FRAME_OVERHEAD_BYTES:
            raise JournalError(f"segment_bytes {self.segment_bytes} is too small to hold a frame")

    def genesis_prev(self) -> bytes:
        """The `prev` of frame 1: SHA-256 over tag, format, origin, genesis id and schema digest."""
        origin = self.origin.encode()
        head = struct.pack("<HHH", FORMAT_VERSION, HASH_SHA256_RFC6962, len(origin))
        return hashlib.sha256(_GENESIS_TAG + head + origin + self.genesis_id + self.schema_digest).digest()


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """The fixed 512 bytes at the start of a segment."""

    identity: Identity
    first_frame_number: int
    first_sequence: int
    prev: bytes

    def pack(self) -> bytes:
        identity, out = self.identity, bytearray(SEGMENT_HEADER_BYTES)
        origin = identity.origin.encode()
        _SEGMENT.pack_into(
            out,
            0,
            SEGMENT_MAGIC,
            FORMAT_VERSION,
            SEGMENT_HEADER_BYTES,
            HASH_SHA256_RFC6962,
            len(origin),
            self.first_frame_number,
            self.first_sequence,
            identity.genesis_id,
            self.prev,
            identity.schema_digest,
            identity.segment_bytes,
        )
        out[_SEGMENT.size : _SEGMENT.size + len(origin)] = origin
        _TAIL.pack_into(out, _SEGMENT_CRC_AT, crc32(out[:_SEGMENT_CRC_AT]), SEGMENT_MARK)
        return bytes(out)


class UnknownVersion(NamedTuple):
    """An intact header of a format that this code does not know."""

    version: int
    hash_algorithm: int


def unpack_segment(data: Buffer) -> SegmentHeader | UnknownVersion | None:
    """Read a segment header; None if it is damaged or too short."""
    if len(data) < SEGMENT_HEADER_BYTES:
        return None
    (
        magic,
        version,
        header_bytes,
        algorithm,
        origin_bytes,
        number,
        sequence,
        genesis_id,
        prev,
        schema_digest,
        segment_bytes,
    ) = _SEGMENT.unpack_from(data)
    crc, mark = _TAIL.unpack_from(data, _SEGMENT_CRC_AT)
    if magic != SEGMENT_MAGIC or mark != SEGMENT_MARK or crc != crc32(data[:_SEGMENT_CRC_AT]):
        return None
    if version != FORMAT_VERSION or algorithm != HASH_SHA256_RFC6962:
        return UnknownVersion(version, algorithm)
    if header_bytes != SEGMENT_HEADER_BYTES or origin_bytes > MAX_ORIGIN_BYTES:
        return None
    origin = bytes(data[_SEGMENT.size : _SEGMENT.size + origin_bytes]).decode(errors="replace")
    return SegmentHeader(Identity(origin, genesis_id, schema_digest, segment_bytes), number, sequence, prev)


class FrameHeader(NamedTuple):
    """The fields of a frame header in their order on the disk."""

    magic: bytes
    header_bytes: int
    version: int
    kind: int
    flags: int
    record_count: int
    zero_sectors: int
    body_bytes: int
    frame_bytes: int
    event_count: int
    number: int
    first_sequence: int
    durable_upto: int
    ts_ingest_ns: int
    epoch: int
    genesis_id: bytes
    prev: bytes
    crc: int
    mark: bytes


def frame_bytes_for(records_bytes: int, body_bytes: int) -> int:
    """The length of a frame, padding included."""
    return FRAME_OVERHEAD_BYTES + records_bytes + (body_bytes + 7 & ~7)


def pack_frame_header(out: bytearray, header: tuple[bytes | int, ...]) -> None:
    """Write the 128 header bytes at the start of `out`; `header` has the fields of `FrameHeader` before its CRC."""
    _FRAME.pack_into(out, 0, *header)
    _TAIL.pack_into(out, _FRAME_CRC_AT, crc32(memoryview(out)[:_FRAME_CRC_AT]), START_MARK)


def unpack_frame_header(view: memoryview, offset: int) -> FrameHeader | None:
    """Read the header at `offset`; None if it is cut, damaged or states an impossible length."""
    fields = unpack_frame_fields(view, offset)
    return FrameHeader._make(fields) if fields is not None else None


def unpack_frame_fields(view: memoryview, offset: int) -> tuple[Any, ...] | None:
    """The fields of `unpack_frame_header` as a plain tuple: walks of small frames are made of this."""
    if len(view) - offset < FRAME_HEADER_BYTES:
        return None
    fields = _FRAME_WHOLE.unpack_from(view, offset)
    magic, header_bytes, version, _, _, records, _, body_bytes, frame_bytes, _, _, _, _, _, _, _, _, crc, mark = fields
    if magic != FRAME_MAGIC or mark != START_MARK or crc != crc32(view[offset : offset + _FRAME_CRC_AT]):
        return None
    if version != FORMAT_VERSION:
        return fields
    expected_bytes = frame_bytes_for(records * RECORD_BYTES, body_bytes)
    if header_bytes != FRAME_HEADER_BYTES or frame_bytes != expected_bytes:
        return None
    return fields if expected_bytes <= MAX_FRAME_BYTES else None


def first_frame_from(view: memoryview, least: int) -> int | None:
    """Where the first frame at byte `least` of a segment or later begins, by the stated lengths; None if none does."""
    offset = SEGMENT_HEADER_BYTES
    while offset + FRAME_HEADER_BYTES <= len(view):
        if offset >= least:
            return offset
        (frame_bytes,) = _FRAME_LENGTH.unpack_from(view, offset + _FRAME_LENGTH_AT)
        if frame_bytes < FRAME_OVERHEAD_BYTES:
            return None
        offset += frame_bytes
    return None


def seal_frame(frame: memoryview) -> tuple[bytes, bytes]:
    """One hash pass over a whole frame: (the end mark that it must have, its hash if it has that mark).

    The end mark is the start of the digest of everything before it, with the lowest bit set so that it is
    never zero. So the last frame, whose hash no later frame carries yet, still proves itself, at no second
    pass.
    """
    digest = _LEAF_START.copy()
    digest.update(frame[:-END_MARK_BYTES])
    partial = digest.digest()
    end_mark = (partial[0] | 1).to_bytes(1, "little") + partial[1:END_MARK_BYTES]
    digest.update(end_mark)
    return end_mark, digest.digest()


def count_zero_sectors(frame: Buffer, file_offset: int, frame_bytes: int) -> int:
    """How many whole, file-aligned 512-byte sectors between a frame's header and end mark are all zero.

    The header states this count, so a sector that the disk lost is told apart from one that was written as
    zeros.
    """
    first = -file_offset % SECTOR_BYTES
    # A sector that overlaps the header holds its magic or its start mark, so it cannot be zero.
    while first < FRAME_HEADER_BYTES:
        first += SECTOR_BYTES
    beyond = frame_bytes - END_MARK_BYTES - SECTOR_BYTES + 1
    if first >= beyond:
        return 0
    # One strided look at the first byte of each sector rules out nearly all of them.
    if 0 not in bytes(frame[first:beyond:SECTOR_BYTES]):
        return 0
    starts = range(first, beyond, SECTOR_BYTES)
    return sum(1 for at in starts if frame[at] == 0 and frame[at : at + SECTOR_BYTES] == _ZERO_SECTOR)


def is_blank(data: memoryview) -> bool:
    """True if there is no non-zero byte (also for no bytes); fast on megabytes."""
    step = 1 << 20
    return all(bytes(data[at : at + step]).count(0) == len(data[at : at + step]) for at in range(0, len(data), step))


def segment_name(first_frame_number: int) -> str:
    """File name of the segment that starts at this frame."""
    return f"{first_frame_number:020d}.seg"
