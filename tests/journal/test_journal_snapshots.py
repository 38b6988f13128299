"""Snapshots: atomic, checked, and never fatal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal import JournalError, SnapshotStore
from journal.faulty import Crash, Faults, MemoryStorage

BOUND = b"\x07" * 32


def save(store, sequence, payload=b"payload"):
    return store.save(sequence, payload, frame_number=sequence * 2, root_or_head=BOUND, meta=b"meta")


def test_what_was_saved_comes_back(place, write):
    write(place)
    store = SnapshotStore(place)
    for sequence in (5, 30, 12):
        save(store, sequence, b"state %d" % sequence)
    latest = store.latest()
    assert (latest.sequence, latest.frame_number, latest.root_or_head) == (30, 60, BOUND)
    assert (latest.meta, latest.payload) == (b"meta", b"state 30")
    assert store.latest(at_most_sequence=29).sequence == 12
    assert store.latest(at_most_sequence=4) is None
    assert [(info.sequence, info.problem) for info in store.list()] == [(5, None), (12, None), (30, None)]


def test_saving_again_replaces():
    store = SnapshotStore(MemoryStorage())
    save(store, 5, b"a longer payload")
    save(store, 5, b"short")
    assert store.latest().payload == b"short"


@settings(max_examples=60, deadline=None)
@given(generators.data())
def test_a_damaged_snapshot_is_named_and_the_older_one_serves(data):
    storage = MemoryStorage()
    save(SnapshotStore(storage), 1)
    name = save(SnapshotStore(storage), 2)
    content = bytearray(storage.files[name])
    cut = data.draw(generators.booleans())
    at = data.draw(generators.integers(0, len(content) - 1))
    content = content[:at] if cut else content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    store = SnapshotStore(MemoryStorage(files=storage.files | {name: bytes(content)}))
    assert store.latest().sequence == 1
    assert [damaged.name for damaged in store.damaged] == [name]
    assert [info.problem is None for info in store.list()] == [True, False]


@pytest.mark.parametrize("mode", ["lost", "kept", "torn"])
def test_a_crash_while_saving_leaves_the_old_or_the_new(mode):
    for at in range(1, 20):
        storage = MemoryStorage()
        save(SnapshotStore(storage), 1)
        faulty = MemoryStorage(Faults(crash_at_operation=at), files=storage.files)
        try:
            save(SnapshotStore(faulty), 2)
            finished = True
        except Crash:
            finished = False
        store = SnapshotStore(faulty.after_power_cut(mode, at))
        latest = store.latest()
        assert latest is not None
        assert store.damaged == []
        assert latest.sequence == 2 or not finished
    assert finished


def test_the_bound_hash_must_be_one():
    with pytest.raises(JournalError, match="32 bytes"):
        SnapshotStore(MemoryStorage()).save(1, b"", frame_number=1, root_or_head=b"")
