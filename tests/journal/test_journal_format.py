"""FORMAT.md is checked: its worked example byte for byte, its tables against the code."""

import dataclasses
import re
import struct
from pathlib import Path

import pytest

import journal
from journal import JournalReader, JournalWriter, UnsupportedFormat, verify_journal
from journal.faulty import MemoryStorage
from journal.layout import count_zero_sectors, seal_frame, segment_name
from journal.merkle import leaf_hash

FORMAT = (Path(journal.__file__).parent / "FORMAT.md").read_text()
SEGMENT = segment_name(1)


def dumped_file(name):
    """The hex dump under this file's name, with the zeros that the text leaves out."""
    length, dump = re.search(rf"`{name}`, (\d+) bytes:\n\n```\n(.*?)```", FORMAT, re.DOTALL).groups()
    out = bytearray(int(length))
    for line in dump.splitlines():
        at, data = line.split(": ")
        out[int(at, 16) : int(at, 16) + 16] = bytes.fromhex(data)
    return bytes(out[: int(length)])


def stated(value):
    return re.search(rf"\| {value} \| `([0-9a-f]+)` \|", FORMAT).group(1)


def write_example():
    storage = MemoryStorage()
    with JournalWriter.create(
        storage,
        origin="example",
        genesis_id=bytes(range(16)),
        schema_digest=b"\x11" * 32,
        segment_bytes=65_536,
    ) as writer:
        genesis = writer.head
        writer.append(
            bytes(range(128)), b"hello", event_count=1, first_sequence=1, ts_ingest_ns=1_700_000_000 * 10**9,
            kind=7, flags=2,
        )  # fmt: skip
    return storage, genesis, writer


def test_the_worked_example_is_what_the_writer_writes():
    storage, genesis, writer = write_example()
    assert storage.files[SEGMENT] == dumped_file(SEGMENT)
    assert storage.files["head"] == dumped_file("head")
    assert genesis.hex() == stated("genesis value")
    assert writer.head.hex() == stated("frame hash")
    assert writer.root.hex() == stated("root")


def test_the_worked_example_reads_back_without_its_seal():
    (frame,) = JournalReader(MemoryStorage(files={SEGMENT: dumped_file(SEGMENT)}))
    assert (frame.number, frame.kind, frame.flags, frame.event_count, frame.epoch) == (1, 7, 2, 1, 1)
    assert (bytes(frame.records), bytes(frame.bodies)) == (bytes(range(128)), b"hello")
    assert frame.hash == leaf_hash(dumped_file(SEGMENT)[512:])


def test_the_end_mark_begins_the_hash_of_what_precedes_it():
    frame = dumped_file(SEGMENT)[512:]
    digest = leaf_hash(frame[:-8])
    assert frame[-8:] == bytes([digest[0] | 1]) + digest[1:8] == seal_frame(memoryview(frame))[0]


def test_every_finding_that_the_code_names_is_in_the_table():
    source = "".join(path.read_text() for path in Path(journal.__file__).parent.glob("*.py"))
    found = re.findall(r'(?:_corrupt|verdict)\(\s*"([a-z-]+)"', source)
    assert len(found) > 12
    for slug in found:
        assert f"`{slug}`" in FORMAT, slug


@pytest.mark.parametrize(("at", "crc_at", "start"), [(8, 504, 0), (512 + 6, 512 + 120, 512)])
def test_a_newer_version_is_named_and_refused(at, crc_at, start):
    from zlib import crc32

    data = bytearray(dumped_file(SEGMENT))
    data[at] = 2
    struct.pack_into("<I", data, crc_at, crc32(data[start:crc_at]))
    with pytest.raises(UnsupportedFormat, match="version 2") as refusal:
        verify_journal(MemoryStorage(files={SEGMENT: bytes(data)}))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("offset", [512, 520, 1000])
def test_zero_sectors_are_counted_by_place_in_the_file(offset):
    frame = bytearray(b"\x01" * 4096)
    assert count_zero_sectors(frame, offset, len(frame)) == 0
    frame[1000:3000] = bytes(2000)
    naive = sum(
        1
        for at in range(0, 16384, 512)
        if at >= offset and at + 512 <= offset + 4096 and not any(frame[at - offset : at + 512 - offset])
    )
    assert count_zero_sectors(frame, offset, len(frame)) == naive > 0


def test_problems_are_frozen():
    report = verify_journal(MemoryStorage(files={SEGMENT: dumped_file(SEGMENT)[:-1]}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.first_problem.kind = "other"
