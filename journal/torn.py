"""The judgement on a bad frame at the end of what is readable: an interrupted write, or damage?

Owns: the torn-tail rule (FORMAT.md states it in prose). Must not know: storage, or what becomes of the
verdict.

A bad frame is torn only if all of this holds; anything else is corruption, which nobody repairs silently:
  1. it lies in the last segment, and nothing non-zero lies beyond it;
  2. its end mark, or a whole sector of it, or the end of the file before it is complete, is missing;
  3. its number is above every frame that is known to be durable.
Where the head seal proves that nothing from the bad frame on was ever acknowledged, rule 1 relaxes: one
interrupted group commit may leave a gap before frames that did reach the disk, and all of them go together.
"""

from __future__ import annotations

from dataclasses import dataclass

from journal.errors import Problem
from journal.layout import (
    END_MARK_BYTES,
    FORMAT_VERSION,
    FRAME_HEADER_BYTES,
    FRAME_MAGIC,
    LONGEST_FRAME_BYTES,
    SECTOR_BYTES,
    SEGMENT_MAGIC,
    START_MARK,
    FrameHeader,
    count_zero_sectors,
    is_blank,
    unpack_frame_header,
)

REFUSED = "Nothing was changed. Restore this segment from a copy or a replica, then verify again."
RECOVER = "Recovery moves these bytes to discarded/ and resumes after the last whole frame."


@dataclass(slots=True)
class Expected:
    """What the next frame must carry, and what is known about durability so far."""

    genesis_id: bytes
    number: int
    first_sequence: int
    prev: bytes | None
    epoch: int
    durable_upto: int
    acknowledged: int
    unacknowledged_above_seal: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`torn` says whether recovery may move the bytes from the problem's offset on aside."""

    torn: bool
    problem: Problem


def judge(view: memoryview, segment: str, offset: int, expected: Expected, *, is_last_segment: bool) -> Verdict:
    """Decide what the bad frame at `offset` is. The header is read again: this path is cold."""
    header = unpack_frame_header(view, offset)
    missing = _missing_part(view, offset, header, expected)

    def verdict(kind: str, sentence: str, torn: bool = False) -> Verdict:
        advice = RECOVER if torn else REFUSED
        return Verdict(torn, Problem(kind, segment, offset, expected.number, sentence, advice))

    if missing is None:
        kind = "frame-damaged" if header is not None else "header-damaged"
        return verdict(kind, f"frame {expected.number} was written whole and its bytes have changed since")
    end = offset + (header.frame_bytes if header is not None else LONGEST_FRAME_BYTES)
    later_frame, later_durable = _frames_beyond(view, offset, expected)
    known = max(expected.acknowledged, expected.durable_upto, later_durable, header.durable_upto if header else 0)
    if expected.number <= known:
        return verdict(
            "acknowledged-damaged",
            f"frame {expected.number} lacks {missing}, yet frames up to {known} are known to be durable",
        )
    followed = later_frame or not is_blank(view[end:])
    if not is_last_segment or (followed and not expected.unacknowledged_above_seal):
        return verdict("damaged-before-tail", f"frame {expected.number} lacks {missing}, and written bytes follow it")
    if followed:
        return verdict(
            "torn-group",
            f"frame {expected.number} lacks {missing}; it and what follows it belong to one "
            "group that was never acknowledged",
            torn=True,
        )
    return verdict(
        "torn-frame", f"the write of frame {expected.number} did not complete: it lacks {missing}", torn=True
    )


def _missing_part(view: memoryview, offset: int, header: FrameHeader | None, expected: Expected) -> str | None:
    """Name the part that never reached the disk; None if all parts are there (so bytes must have changed)."""
    if is_blank(view[offset:]):
        return "everything" if len(view) - offset >= FRAME_HEADER_BYTES else "its header and all after it"
    if header is None:
        return _missing_header_part(view, offset, expected)
    end = offset + header.frame_bytes
    if end > len(view):
        return f"its last {end - len(view)} bytes"
    if is_blank(view[end - END_MARK_BYTES : end]):
        return "its end mark"
    if count_zero_sectors(view[offset:end], offset, header.frame_bytes) > header.zero_sectors:
        return "a whole sector"
    return None


def _missing_header_part(view: memoryview, offset: int, expected: Expected) -> str | None:
    """A header is torn if it is cut by the end of the file or one of its sectors is blank, and the rest is as
    due.
    """
    end = min(offset + FRAME_HEADER_BYTES, len(view))
    boundary = min(end, offset + -offset % SECTOR_BYTES or end)
    lacking = "the end of its header" if end < offset + FRAME_HEADER_BYTES else None
    for start, stop in ((offset, boundary), (boundary, end)):
        if start == stop:
            continue
        if is_blank(view[start:stop]):
            lacking = "a sector of its header"
        elif not _as_due(view, offset, start, stop, expected):
            return None
    return lacking


def _as_due(view: memoryview, offset: int, start: int, stop: int, expected: Expected) -> bool:
    """Do the fixed fields between `start` and `stop` hold what the next frame's header would hold there?"""
    due: list[tuple[int, bytes]] = [
        (0, FRAME_MAGIC),
        (4, FRAME_HEADER_BYTES.to_bytes(2, "little")),
        (6, FORMAT_VERSION.to_bytes(2, "little")),
        (32, expected.number.to_bytes(8, "little")),
        (40, expected.first_sequence.to_bytes(8, "little")),
        (72, expected.genesis_id),
        (124, START_MARK),
    ]
    if expected.prev is not None:
        due.append((88, expected.prev))
    for at, value in due:
        first, last = max(start, offset + at), min(stop, offset + at + len(value))
        if first < last and view[first:last] != value[first - offset - at : last - offset - at]:
            return False
    return True


def _frames_beyond(view: memoryview, offset: int, expected: Expected) -> tuple[bool, int]:
    """Is an intact header of a later frame of this journal found beyond, and what does the last one call
    durable?
    """
    found, durable, data = False, 0, bytes(view[offset:])
    at = data.find(FRAME_MAGIC, 1)
    while at >= 0:
        header = unpack_frame_header(view, offset + at) if at % 8 == 0 else None
        if header is not None and header.genesis_id == expected.genesis_id and header.number > expected.number:
            found, durable = True, max(durable, header.durable_upto)
        at = data.find(FRAME_MAGIC, at + 1)
    return found, durable


def judge_segment_header(
    view: memoryview, segment: str, due: bytes | None, expected: Expected, *, is_last_segment: bool
) -> Verdict:
    """Decide what a bad segment header is; `due` is what it must be (None for the first segment of a
    journal).
    """
    head = bytes(view[:SECTOR_BYTES])
    blank = not any(head)
    # Only the first segment's header is not known in advance, and before it nothing can have been
    # acknowledged.
    begun = len(head) < SECTOR_BYTES and head == (due or SEGMENT_MAGIC + head[len(SEGMENT_MAGIC) :])[: len(head)]
    followed = not is_blank(view[SECTOR_BYTES:])

    def verdict(kind: str, sentence: str, torn: bool = False) -> Verdict:
        return Verdict(torn, Problem(kind, segment, 0, expected.number, sentence, RECOVER if torn else REFUSED))

    if expected.number <= max(expected.acknowledged, expected.durable_upto):
        return verdict(
            "acknowledged-damaged",
            f"the segment's header is damaged, and frame {expected.number} in it is known to be durable",
        )
    if not (blank or begun) or followed or not is_last_segment:
        return verdict("segment-damaged", "the segment's header was written whole and has changed since")
    return verdict("torn-segment", "the creation of this segment did not complete; it holds no frame", torn=True)
