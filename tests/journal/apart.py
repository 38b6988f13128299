"""Journals walked part by part and joined, beside the one walk; journals forged so that only a joint is bad."""

import dataclasses
from collections.abc import Callable, Collection, Generator
from typing import Any

from journal import JournalError, JournalReader, verify_journal
from journal.faulty import MemoryStorage
from journal.layout import FrameHeader, SegmentHeader, pack_frame_header, seal_frame, segment_name, unpack_frame_header
from journal.order import WalkedPart
from journal.scan import Scan
from journal.segments import read_segment_header
from journal.storage import Storage
from journal.verify import VerifyReport, verify_scan
from journal.workers import PART_BYTES, parts_of, walk_part

Files = dict[str, bytes]
Fields = dict[str, Any]


def apart(storage: Storage, part_bytes: int = PART_BYTES) -> Generator[WalkedPart, None, None]:
    """What the processes say of a journal, without the processes."""
    scan = Scan(storage)
    for part in parts_of(storage, scan.segments, part_bytes):
        walked = walk_part(scan, part)
        if walked is None:
            return
        yield walked


def untimed(report: VerifyReport) -> VerifyReport:
    return dataclasses.replace(report, seconds=0.0)


def both(
    files: Files, sizes: Collection[int] = (), part_bytes: int = PART_BYTES
) -> tuple[VerifyReport | str, VerifyReport | str]:
    """The report of the one walk, and that of parts walked apart and joined; or why there is none."""
    storage = MemoryStorage(files=files)
    return _found(lambda: verify_journal(storage, sizes=sizes)), _found(
        lambda: joined_report(storage, sizes, part_bytes)
    )


def joined_report(storage: Storage, sizes: Collection[int] = (), part_bytes: int = PART_BYTES) -> VerifyReport:
    """The report of parts that were walked apart and joined."""
    return verify_scan(Scan(storage), apart(storage, part_bytes), 0, None, sizes)


def _found(call: Callable[[], VerifyReport]) -> VerifyReport | str:
    try:
        return untimed(call())
    except JournalError as error:
        return f"{type(error).__name__}: {error}"


def parts_joined(files: Files, part_bytes: int = PART_BYTES) -> int:
    """How many parts of a journal join, each after those before it."""
    storage = MemoryStorage(files=files)
    scan, joined = Scan(storage), 0
    for walked in apart(storage, part_bytes):
        if not scan.join(walked):
            break
        joined += 1
    return joined


def forged(files: Files, change: Callable[[Fields, int], None]) -> Files:
    """The segments written again with other fields, and every CRC, end mark and hash made to fit.

    The change is given the fields of each header, of a segment or of a frame, and the number that the frame had.
    """
    storage = MemoryStorage(files=files)
    made: dict[str, bytearray] = {}
    name, segment, prev = "", "", b""
    for frame in JournalReader(storage):
        if frame.segment != segment:
            header, segment = read_segment_header(storage, frame.segment), frame.segment
            assert header is not None
            fields = {field.name: getattr(header, field.name) for field in dataclasses.fields(header)}
            fields["prev"] = prev or header.prev
            change(fields, frame.number)
            prev, name = fields["prev"], segment_name(fields["first_frame_number"])
            made[name] = bytearray(SegmentHeader(**fields).pack())
        written = _forge(bytearray(frame.view), prev, change)
        prev = seal_frame(memoryview(written))[1]
        made[name] += written
    return {name: bytes(data) for name, data in made.items()}


def _forge(frame: bytearray, prev: bytes, change: Callable[[Fields, int], None]) -> bytearray:
    header = unpack_frame_header(memoryview(frame), 0)
    assert header is not None
    fields = header._asdict() | {"prev": prev}
    change(fields, header.number)
    pack_frame_header(frame, tuple(FrameHeader(**fields))[:-2])
    frame[-8:] = seal_frame(memoryview(frame))[0]
    return frame
