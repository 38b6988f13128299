"""The writer: numbering, limits, policies, the lock, fencing, poisoning, determinism."""

import os
import stat
import subprocess
import sys
from itertools import zip_longest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal import (
    MAX_FRAME_BYTES,
    InvalidFrame,
    JournalError,
    JournalFenced,
    JournalLocked,
    JournalPoisoned,
    JournalReader,
    JournalWriter,
    TornTail,
    verify_journal,
)
from journal.faulty import Faults, MemoryStorage
from tests.journal.conftest import IDENTITY


def append(writer, **changes):
    fields = {"event_count": 1, "first_sequence": writer.next_sequence, "ts_ingest_ns": 0}
    return writer.append(b"", b"x", **(fields | changes))


def test_numbers_and_sequences_go_on_after_reopening(place, write):
    first = write(place)
    assert (first.frame_count, first.next_sequence, first.epoch, first.durable_upto) == (10, 21, 1, 10)
    with JournalWriter.open(place) as second:
        assert (second.frame_count, second.next_sequence, second.epoch, second.durable_upto) == (
            10,
            21,
            2,
            10,
        )
        assert (second.root, second.head) == (first.root, first.head)
        assert append(second) == 11
    assert verify_journal(place).root == second.root


def test_each_opening_raises_the_epoch_even_without_a_frame(place, write):
    write(place)
    for epoch in (2, 3, 4):
        with JournalWriter.open(place) as writer:
            assert writer.epoch == epoch


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_sequence": 2}, "1 is due"),
        ({"event_count": -1}, "event_count"),
        ({"event_count": 1 << 64}, "event_count"),
        ({"kind": 1 << 16}, "16-bit"),
        ({"flags": -1}, "16-bit"),
        ({"ts_ingest_ns": 1 << 63}, "signed"),
    ],
)
def test_a_forbidden_frame_is_refused_and_the_writer_stays_usable(changes, words):
    with JournalWriter.create(MemoryStorage(), **IDENTITY) as writer:
        with pytest.raises(InvalidFrame, match=words):
            append(writer, **changes)
        assert append(writer) == 1


def test_the_largest_frame_fits_and_one_byte_more_does_not(place):
    room = (MAX_FRAME_BYTES & ~7) - 136
    fields = {"event_count": 1, "ts_ingest_ns": 0}
    with JournalWriter.create(place, **IDENTITY) as writer:
        writer.append(b"", bytes(room), first_sequence=1, **fields)
        with pytest.raises(InvalidFrame, match="the most is 65535"):
            writer.append(b"", bytes(room + 1), first_sequence=2, **fields)
        with pytest.raises(InvalidFrame, match="128 bytes each"):
            writer.append(bytes(127), first_sequence=2, **fields)
    (frame,) = JournalReader(place)
    assert bytes(frame.bodies) == bytes(room)


def test_any_contiguous_buffer_is_taken_and_nothing_else():
    records = np.arange(64, dtype=np.int64).reshape(4, 16)
    with JournalWriter.create(MemoryStorage(), **IDENTITY) as writer:
        heads = set()
        for form in (records, records.tobytes(), memoryview(records), bytearray(records.tobytes())):
            with JournalWriter.create(MemoryStorage(), **IDENTITY) as other:
                other.append(form, np.zeros(0, np.uint8), event_count=4, first_sequence=1, ts_ingest_ns=0)
                heads.add(other.head)
        assert len(heads) == 1
        with pytest.raises(InvalidFrame, match="contiguous"):
            writer.append(records[:, ::2], event_count=4, first_sequence=1, ts_ingest_ns=0)


@pytest.mark.parametrize(
    ("policy", "expected"), [("always", [1, 2, 3, 4, 5]), ("batch", [0, 0, 3, 3, 3]), ("off", [0] * 5)]
)
def test_durable_upto_advances_where_the_policy_says(policy, expected):
    writer = JournalWriter.create(MemoryStorage(), **IDENTITY, fsync=policy, batch_frames=3)
    seen = []
    for _ in range(5):
        append(writer)
        seen.append(writer.durable_upto)
    assert seen == expected
    assert writer.sync() == (0 if policy == "off" else 5)


operations = generators.lists(
    generators.one_of(
        generators.just("sync"),
        generators.just("reopen"),
        generators.tuples(generators.integers(0, 4), generators.binary(max_size=700), generators.integers(0, 9)),
    ),
    max_size=25,
)


def perform(steps, policy, place, rehearsed=()):
    options = {"fsync": policy, "batch_frames": 3, "batch_bytes": 2000}
    writer = JournalWriter.create(place, **IDENTITY, segment_bytes=2048, **options)
    for step, count in zip_longest(steps, rehearsed[: len(steps)], fillvalue=0):
        if count:
            writer.rehearse(bytes(range(128)) * (count - 1))
        if step == "sync":
            writer.sync()
        elif step == "reopen":
            writer.close()
            writer = JournalWriter.open(place, **options)
        else:
            records, body, events = step
            writer.append(
                bytes(128 * records),
                body,
                event_count=events,
                first_sequence=writer.next_sequence,
                ts_ingest_ns=-5,
            )
    writer.close()
    return writer


@settings(max_examples=60, deadline=None)
@given(operations, generators.sampled_from(["always", "batch", "off"]))
def test_bytes_are_a_function_of_the_calls_and_read_back_as_given(steps, policy):
    one, two = MemoryStorage(), MemoryStorage()
    writer = perform(steps, policy, one)
    perform(steps, policy, two)
    assert one.files == two.files
    frames = list(JournalReader(one))
    given_frames = [step for step in steps if isinstance(step, tuple)]
    assert [(f.record_count, bytes(f.bodies), f.event_count) for f in frames] == given_frames
    report = verify_journal(one)
    assert (report.ok, report.tail, report.root, report.head) == (True, "clean", writer.root, writer.head)
    assert report.events == sum(events for _, _, events in given_frames) == writer.next_sequence - 1


@settings(max_examples=60, deadline=None)
@given(operations, generators.lists(generators.integers(0, 3), min_size=25, max_size=25))
def test_a_rehearsal_changes_nothing(steps, rehearsed):
    one, two = MemoryStorage(), MemoryStorage()
    perform(steps, "batch", one)
    perform(steps, "batch", two, rehearsed)
    assert one.files == two.files


def test_a_rehearsal_of_a_writer_that_cannot_write_is_nothing(tmp_path, write):
    write(tmp_path / "j")
    failing = JournalWriter.create(MemoryStorage(Faults(fail_write=6)), **IDENTITY)
    append(failing)
    with pytest.raises(JournalPoisoned):
        append(failing)
    closed = JournalWriter.open(tmp_path / "j")
    closed.close()
    for writer in (failing, closed):
        writer.rehearse(bytes(128))
    assert verify_journal(tmp_path / "j").ok


def test_files_and_memory_hold_the_same_bytes(tmp_path):
    steps = [(2, b"a" * 600, 1), "sync", (0, b"", 0), (4, b"c" * 699, 3), "reopen", (1, b"d", 1)]
    storage = MemoryStorage()
    perform(steps, "batch", storage)
    perform(steps, "batch", tmp_path / "j")
    on_disk = {p.name: p.read_bytes() for p in (tmp_path / "j").iterdir() if p.is_file() and p.name != "lock"}
    assert on_disk == storage.files


def test_files_are_private(tmp_path, write):
    write(tmp_path / "j")
    for path in (tmp_path / "j").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_second_writer_is_refused_by_the_pid_of_the_first(tmp_path, write):
    write(tmp_path / "j")
    with JournalWriter.open(tmp_path / "j"):
        program = f"from journal import JournalWriter; JournalWriter.open({str(tmp_path / 'j')!r})"
        child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert f"JournalLocked: the journal at {tmp_path / 'j'} is held by the writer with pid {os.getpid()}" in (
            child.stderr
        )
        with pytest.raises(JournalLocked):
            JournalWriter.open(tmp_path / "j")
    JournalWriter.open(tmp_path / "j").close()


def test_a_superseded_writer_refuses_to_append(tmp_path, write):
    write(tmp_path / "j")
    stale = JournalWriter.open(tmp_path / "j")
    os.rename(tmp_path / "j" / "lock", tmp_path / "j" / "lost")
    with JournalWriter.open(tmp_path / "j") as fresh:
        append(fresh)
        with pytest.raises(JournalFenced, match="newer writer"):
            stale.rehearse(bytes(128))
        for _ in range(2):
            with pytest.raises(JournalFenced, match="newer writer"):
                append(stale)
        with pytest.raises(JournalFenced):
            stale.sync()
    assert verify_journal(tmp_path / "j").frames == 11


def test_the_first_failure_poisons_for_good():
    storage = MemoryStorage(Faults(fail_write=6))
    writer = JournalWriter.create(storage, **IDENTITY)
    append(writer)
    with pytest.raises(JournalPoisoned, match="could not be written") as first:
        append(writer)
    for call in (lambda: append(writer), writer.sync, writer.close):
        with pytest.raises(JournalPoisoned, match="reopen") as later:
            call()
        assert later.value.cause is first.value.cause
    assert writer.durable_upto == 0
    assert JournalWriter.open(storage.after_kill()).frame_count == 1


def test_a_full_disk_says_so():
    writer = JournalWriter.create(MemoryStorage(Faults(space_bytes=2300)), **IDENTITY)
    with pytest.raises(JournalPoisoned, match="the disk is full"):
        any(append(writer) > 9 for _ in range(9))


def test_creating_twice_or_opening_nothing_is_refused(place, tmp_path, write):
    write(place)
    with pytest.raises(JournalError, match="already"):
        JournalWriter.create(place, **IDENTITY)
    with pytest.raises(JournalError, match="no journal"):
        JournalWriter.open(tmp_path / "nowhere")
    with pytest.raises(JournalError, match="fsync is one of"):
        JournalWriter.open(place, fsync="sometimes")


def test_opening_a_torn_journal_asks_for_recovery(tmp_path, write):
    write(tmp_path / "j", fsync="off")
    (segment,) = (tmp_path / "j").glob("*.seg")
    os.truncate(segment, segment.stat().st_size - 1)
    with pytest.raises(TornTail, match="torn-frame") as torn:
        JournalWriter.open(tmp_path / "j")
    assert torn.value.problem.frame_number == 10


def test_a_seal_left_behind_by_another_journal_does_not_matter(tmp_path, write):
    write(tmp_path, fsync="always", frames=30)
    for segment in tmp_path.glob("*.seg"):
        segment.unlink()
    write(tmp_path, genesis_id=b"\x09" * 16, frames=2)
    assert verify_journal(tmp_path).frames == 2
    with JournalWriter.open(tmp_path) as writer:
        assert writer.epoch == 2


def test_a_second_sync_with_nothing_new_costs_no_fsync():
    storage = MemoryStorage()
    with JournalWriter.create(storage, **IDENTITY, fsync="always") as writer:
        append(writer)
        writer.sync()
        before = storage.fsyncs
        assert writer.sync() == 1
        assert storage.fsyncs == before
