"""The reader: streaming, look-up by sequence, what it does at a torn or damaged end, and beside a live
writer.
"""

import itertools
import os
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal import CorruptJournal, JournalError, JournalReader, JournalWriter, verify_journal
from journal.faulty import MemoryStorage
from tests.journal.conftest import IDENTITY


def test_identity_and_bounds(place, write):
    write(place, segment_bytes=1500)
    reader = JournalReader(place)
    assert (reader.origin, reader.genesis_id, reader.schema_digest) == tuple(IDENTITY.values())
    assert (reader.first_sequence, reader.last_sequence, reader.frame_count, reader.tail) == (
        1,
        20,
        10,
        "clean",
    )


def test_frames_chain_and_state_their_place(place, write):
    writer = write(place, segment_bytes=1500)
    frames = list(JournalReader(place))
    assert [frame.number for frame in frames] == list(range(1, 11))
    assert len({frame.segment for frame in frames}) > 2
    assert all(later.prev == earlier.hash for earlier, later in itertools.pairwise(frames))
    assert frames[-1].hash == writer.head


def test_a_frame_written_again_by_its_fields_is_the_same(tmp_path):
    with JournalWriter.create(tmp_path / "old", **IDENTITY) as writer:
        writer.append(bytes(128), b"b", event_count=3, first_sequence=1, ts_ingest_ns=-5, kind=0xFFFF, flags=0x7FFF)
        writer.append(bytes(256), event_count=0, first_sequence=4, ts_ingest_ns=1 << 62)
    with JournalWriter.create(tmp_path / "new", **IDENTITY) as writer:
        for frame in JournalReader(tmp_path / "old"):
            writer.append(frame.records, frame.bodies, **frame.fields)
    old, new = (JournalReader(tmp_path / name) for name in ("old", "new"))
    assert [bytes(frame.view) for frame in new] == [bytes(frame.view) for frame in old]


@settings(max_examples=40, deadline=None)
@given(generators.lists(generators.integers(0, 4), min_size=1, max_size=30), generators.data())
def test_iter_from_finds_the_frame_that_accounts_for_a_sequence(counts, data):
    storage = MemoryStorage()
    with JournalWriter.create(storage, **IDENTITY, segment_bytes=1024) as writer:
        for count in counts:
            writer.append(b"", bytes(90), event_count=count, first_sequence=writer.next_sequence, ts_ingest_ns=0)
    sequence = data.draw(generators.integers(1, sum(counts) + 2))
    for check_hashes in (True, False):
        reader = JournalReader(storage, check_hashes=check_hashes)
        found = [frame.number for frame in reader.iter_from(sequence)]
        assert found == [frame.number for frame in reader if frame.next_sequence > sequence]


def test_iter_from_checks_the_link_into_its_first_frame():
    storage = MemoryStorage()
    with JournalWriter.create(storage, **IDENTITY) as writer:
        for number in range(4):
            writer.append(b"", b"abc", event_count=1, first_sequence=number + 1, ts_ingest_ns=0)
    files = storage.files
    data = bytearray(files["00000000000000000001.seg"])
    second = next(frame for frame in JournalReader(storage) if frame.number == 2)
    data[second.offset + 128] ^= 1
    damaged = MemoryStorage(files=files | {"00000000000000000001.seg": bytes(data)})
    with pytest.raises(CorruptJournal, match="chain-broken"):
        list(JournalReader(damaged).iter_from(3))


def test_a_torn_tail_ends_quietly_and_is_named(tmp_path, write):
    write(tmp_path, fsync="off")
    (segment,) = tmp_path.glob("*.seg")
    os.truncate(segment, segment.stat().st_size - 1)
    reader = JournalReader(tmp_path)
    assert [frame.number for frame in reader] == list(range(1, 10))
    assert reader.tail == "torn"


def test_damage_is_raised_where_it_is_and_earlier_frames_are_served(tmp_path, write):
    write(tmp_path)
    (segment,) = tmp_path.glob("*.seg")
    frames = list(JournalReader(tmp_path))
    offset = frames[5].offset
    data = bytearray(segment.read_bytes())
    data[offset + 130] ^= 4
    segment.write_bytes(data)
    served = []
    with pytest.raises(CorruptJournal, match="frame-damaged") as damage:
        served.extend(frame.number for frame in JournalReader(tmp_path))
    problem = damage.value.problem
    assert (problem.segment, problem.offset, problem.frame_number) == (segment.name, offset, 6)
    assert "Restore" in problem.advice


def test_a_reader_follows_a_live_writer_without_its_lock(tmp_path):
    with JournalWriter.create(tmp_path, **IDENTITY, fsync="always", segment_bytes=1500) as writer:
        reader = JournalReader(tmp_path)
        for number in range(1, 20):
            writer.append(b"", bytes(100), event_count=1, first_sequence=number, ts_ingest_ns=0)
            assert sum(1 for _ in reader) == number
            assert verify_journal(tmp_path).tail == "clean"


def test_frames_outlive_the_iteration(tmp_path, write):
    write(tmp_path, segment_bytes=1500)
    frames = list(JournalReader(tmp_path))
    assert [bytes(frame.bodies) for frame in frames] == [b"body %d" % n for n in range(1, 11)]


def test_memory_stays_flat_while_streaming(tmp_path):
    with JournalWriter.create(tmp_path, **IDENTITY, segment_bytes=1 << 20, fsync="off") as writer:
        for number in range(1, 400):
            writer.append(b"", bytes(40_000), event_count=1, first_sequence=number, ts_ingest_ns=0)
    tracemalloc.start()
    assert sum(len(frame.bodies) for frame in JournalReader(tmp_path)) == 399 * 40_000
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 200_000


def test_no_journal_is_said_plainly(tmp_path):
    with pytest.raises(JournalError, match="no segment file"):
        JournalReader(tmp_path)
