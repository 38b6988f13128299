"""Recovery and the torn-tail rule, case by case; the torture command holds the enumerations."""

import os

import pytest

from journal import (
    CorruptJournal,
    JournalError,
    JournalReader,
    JournalWriter,
    recover_journal,
    verify_journal,
)
from journal.faulty import Faults, MemoryStorage
from tests.journal.conftest import IDENTITY
from tests.journal.torture.damage import closed_journal, frame_ends
from tests.journal.torture.workload import ONE_SEGMENT

SEGMENT = "00000000000000000001.seg"


def bare(policy="always"):
    return closed_journal(policy, ONE_SEGMENT, sealed=False)[0][SEGMENT]


def sealed_at(policy, acknowledged):
    """An interrupted journal: all 12 frames are written, the seal covers the first `acknowledged`."""
    storage = MemoryStorage()
    writer = JournalWriter.create(storage, **IDENTITY, fsync=policy)
    for number in range(1, 13):
        writer.append(b"", bytes([number]) * 600, event_count=1, first_sequence=number, ts_ingest_ns=0)
        if number == acknowledged:
            writer.sync()
    return storage.files


def zero(files, start, stop, name=SEGMENT):
    data = bytearray(files[name])
    data[start:stop] = bytes(stop - start)
    return MemoryStorage(files=files | {name: bytes(data)})


def test_a_clean_journal_is_left_alone(place, write):
    writer = write(place)
    report = recover_journal(place)
    assert (report.frames, report.events, report.next_sequence, report.torn) == (10, 20, 21, None)
    assert (report.head, report.root) == (writer.head, writer.root)


def test_a_torn_tail_is_kept_aside_to_the_byte(tmp_path, write):
    write(tmp_path, fsync="off")
    segment = tmp_path / SEGMENT
    last = list(JournalReader(tmp_path))[-1].offset
    whole = segment.read_bytes()
    os.truncate(segment, len(whole) - 5)
    report = recover_journal(tmp_path)
    assert (report.frames, report.torn.bytes, report.torn.frame_number) == (9, len(whole) - 5 - last, 10)
    assert report.torn.kind == "torn-frame"
    assert (tmp_path / report.torn.kept_at).read_bytes() == whole[last:-5]
    assert segment.read_bytes() == whole[:last]
    assert recover_journal(tmp_path).torn is None
    with JournalWriter.open(tmp_path) as writer:
        assert writer.next_sequence == 19


def test_two_tails_torn_at_one_place_are_both_kept(tmp_path, write):
    write(tmp_path, fsync="off")
    for _ in range(2):
        segment = tmp_path / SEGMENT
        os.truncate(segment, segment.stat().st_size - 1)
        recover_journal(tmp_path)
        with JournalWriter.open(tmp_path, fsync="off") as writer:
            writer.append(b"", b"again", event_count=1, first_sequence=19, ts_ingest_ns=0)
    assert len(list((tmp_path / "discarded").iterdir())) == 2


def test_corruption_is_refused_and_nothing_is_changed():
    data = bytearray(bare())
    data[-1] ^= 1
    storage = MemoryStorage(files={SEGMENT: bytes(data)})
    with pytest.raises(CorruptJournal, match="frame-damaged"):
        recover_journal(storage)
    assert storage.files == {SEGMENT: bytes(data)}


def test_recovery_waits_for_no_writer(tmp_path):
    with JournalWriter.create(tmp_path, **IDENTITY), pytest.raises(JournalError, match="held by the writer"):
        recover_journal(tmp_path)


def test_a_gap_in_an_interrupted_group_is_torn_if_the_seal_proves_it():
    files = sealed_at("batch", 7)
    spans = frame_ends(files)
    start = spans[8][1] + -spans[8][1] % 512
    report = recover_journal(storage := zero(files, start, start + 512))
    assert (report.frames, report.torn.kind) == (8, "torn-group")
    assert verify_journal(storage).tail == "clean"


@pytest.mark.parametrize(
    ("policy", "acknowledged", "keep_seal", "slug"),
    [
        ("batch", 7, False, "damaged-before-tail"),
        ("batch", 9, True, "acknowledged-damaged"),
        ("always", 7, True, "acknowledged-damaged"),
        ("off", 7, True, "damaged-before-tail"),
    ],
)
def test_without_that_proof_the_same_gap_is_corruption(policy, acknowledged, keep_seal, slug):
    files = sealed_at(policy, acknowledged)
    if not keep_seal:
        del files["head"]
    spans = frame_ends(files)
    start = spans[8][1] + -spans[8][1] % 512
    with pytest.raises(CorruptJournal, match=slug):
        recover_journal(zero(files, start, start + 512))


def test_a_damaged_seal_proves_nothing():
    files = sealed_at("batch", 7)
    head = bytearray(files["head"])
    head[1024 + 30] ^= 1
    spans = frame_ends(files)
    start = spans[8][1] + -spans[8][1] % 512
    with pytest.raises(CorruptJournal, match="damaged-before-tail"):
        recover_journal(zero(files | {"head": bytes(head)}, start, start + 512))


def test_a_flip_is_not_excused_by_sectors_that_were_written_as_zeros():
    storage = MemoryStorage()
    with JournalWriter.create(storage, **IDENTITY) as writer:
        writer.append(b"", bytes(3000) + b"end", event_count=1, first_sequence=1, ts_ingest_ns=0)
    data = bytearray(storage.files[SEGMENT])
    data[-12] ^= 1
    with pytest.raises(CorruptJournal, match="frame-damaged"):
        recover_journal(MemoryStorage(files={SEGMENT: bytes(data)}))


def test_a_journal_whose_creation_was_interrupted_can_be_created_again():
    storage = MemoryStorage(files={SEGMENT: bare()[:100]})
    report = recover_journal(storage)
    assert (report.frames, report.torn.kind) == (0, "torn-segment")
    with pytest.raises(JournalError, match="no journal here"):
        JournalWriter.open(storage)
    JournalWriter.create(storage, **IDENTITY).close()
    assert verify_journal(storage).ok


def test_a_torn_tail_of_zeros_only_is_moved_aside():
    data = bare()
    report = recover_journal(MemoryStorage(files={SEGMENT: data + bytes(4096)}))
    assert (report.frames, report.torn.bytes) == (12, 4096)


def test_a_full_disk_stops_the_recovery_and_loses_nothing():
    data = bare()[:-1]
    storage = MemoryStorage(Faults(space_bytes=100), files={SEGMENT: data})
    with pytest.raises(JournalError, match="the recovery could not finish: the disk is full"):
        recover_journal(storage)
    assert storage.files[SEGMENT] == data
    report = recover_journal(again := MemoryStorage(files=storage.files))
    # The interrupted copy stays beside the whole one; nobody deletes evidence.
    assert len([name for name in again.files if name.startswith("discarded/")]) == 2
    assert data == again.files[SEGMENT] + again.files[report.torn.kept_at]
