"""What was walked apart joins the one walk exactly where it would have found it good."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

import journal.scan
from journal import JournalWriter, VerifyReport, verify_journal
from journal.faulty import MemoryStorage
from journal.scan import Scan
from journal.workers import parts_of
from tests.journal.apart import Fields, Files, apart, both, forged, parts_joined
from tests.journal.conftest import IDENTITY
from tests.journal.torture.damage import closed_journal, segments_of
from tests.journal.torture.workload import ONE_SEGMENT, SMALL_SEGMENTS

PART_BYTES = 2700  # by far more than the longest frame, so that a frame begins in each part


def _written(counts: list[int], segment_bytes: int, sessions: int) -> Files:
    """A journal with frames of so many records, written by so many writers, each with an epoch of its own."""
    storage = MemoryStorage()
    JournalWriter.create(storage, **(IDENTITY | {"segment_bytes": segment_bytes})).close()
    for session in range(sessions):
        with JournalWriter.open(storage) as writer:
            for number, count in enumerate(counts[session::sessions]):
                records, body = bytes([number % 251]) * 128 * count, b"x" * (number % 40)
                begin = writer.next_sequence
                writer.append(records, body, event_count=count + 1, first_sequence=begin, ts_ingest_ns=number)
    return storage.files


@settings(max_examples=100, deadline=None)
@given(
    generators.lists(generators.integers(0, 12), max_size=60),
    generators.integers(700, 16_000),
    generators.integers(1, 4),
    generators.sets(generators.integers(0, 70), max_size=6),
)
def test_joined_parts_make_the_report_of_the_one_walk(counts, segment_bytes, sessions, sizes):
    files = _written(counts, segment_bytes, sessions)
    one, joined = both(files, sizes, PART_BYTES)
    assert one == joined
    assert isinstance(one, VerifyReport)
    assert (one.ok, one.frames) == (True, len(counts))
    storage = MemoryStorage(files=files)
    parts = parts_of(storage, Scan(storage).segments, PART_BYTES)
    # A segment without a frame, which only the last one can be, is left to the one walk.
    assert parts_joined(files, PART_BYTES) >= len(parts) - 1


@settings(max_examples=300, deadline=None)
@given(generators.data(), generators.booleans())
def test_damage_is_found_as_by_the_one_walk(data, sealed):
    segment_bytes = data.draw(generators.sampled_from([SMALL_SEGMENTS, ONE_SEGMENT]))
    files, _ = closed_journal("batch", segment_bytes, sealed=sealed)
    names = segments_of(files)
    for _ in range(data.draw(generators.integers(1, 2))):
        name = data.draw(generators.sampled_from(names))
        content = bytearray(files.get(name, b""))
        start, stop = sorted(data.draw(generators.tuples(*[generators.integers(0, len(content))] * 2)))
        kind = data.draw(generators.sampled_from(["cut", "zero", "flip", "other", "gone", "doubled"]))
        if kind == "gone":
            files.pop(name, None)
            continue
        if kind == "other":
            content[:] = files.get(data.draw(generators.sampled_from(names)), b"")
        elif kind == "doubled":
            content[stop:stop] = content[start:stop]
        elif kind == "flip" and content:
            content[start % len(content)] ^= 1 << stop % 8
        else:
            content[start:stop] = b"" if kind == "cut" else bytes(stop - start)
        files[name] = bytes(content)
    one, joined = both(files, part_bytes=data.draw(generators.sampled_from([300, PART_BYTES, 1 << 20])))
    assert one == joined


# --- journals in which every part is good by itself -----------------------------------------------------------------


def _epoch(fields: Fields, place: int) -> None:
    if "epoch" in fields:
        fields["epoch"] = 3 if place >= 0 else 7


def _durable(fields: Fields, place: int) -> None:
    if "durable_upto" in fields:
        fields["durable_upto"] = 0 if place >= 0 else fields["number"] - 1


def _sequence(fields: Fields, place: int) -> None:
    fields["first_sequence"] += 10 * (place >= 0)


def _number(fields: Fields, place: int) -> None:
    for name in {"number", "first_frame_number"} & fields.keys():
        fields[name] += place >= 0


def _past(fields: Fields, place: int) -> None:
    if place == 0:
        fields["prev"] = b"\x07" * 32


# What is done to the frames from the joint on (0), and as what the one walk finds it: between segments, inside of one.
JOINTS: list[tuple[str, Callable[[Fields, int], None], str, str]] = [
    ("the epoch goes back", _epoch, "epoch-order", "epoch-order"),
    ("what is durable goes back", _durable, "durable-order", "durable-order"),
    ("sequences are left out", _sequence, "segment-foreign", "sequence-gap"),
    ("a number is left out", _number, "segment-missing", "frame-out-of-order"),
    ("spliced onto another past", _past, "segment-foreign", "chain-broken"),
]
# How long segments are, and before which frame a part begins in the middle of the journal.
SEGMENTS, ONE = (3000, 4), (1 << 20, 6)


def _good(segment_bytes: int = 3000) -> Files:
    files = _written([5] * 12, segment_bytes, 1)
    return {name: files[name] for name in segments_of(files)}


def _bad_joints(segment_bytes: int, joint: int) -> list[Files]:
    good = _good(segment_bytes)
    return [forged(good, lambda fields, number: change(fields, number - joint)) for _, change, _, _ in JOINTS]  # noqa: B023


@pytest.mark.parametrize(("segment_bytes", "parts"), [(3000, 4), (1 << 20, 3)])
def test_a_forgery_that_changes_nothing_is_the_journal_itself(segment_bytes, parts):
    good = _good(segment_bytes)
    assert good == forged(good, lambda fields, number: None)
    assert parts_joined(good, PART_BYTES) == parts


@pytest.mark.parametrize("at", range(len(JOINTS)), ids=[row[0] for row in JOINTS])
@pytest.mark.parametrize(("segment_bytes", "joint"), [SEGMENTS, ONE], ids=["segments", "one segment"])
def test_a_bad_joint_is_found_as_by_the_one_walk(at, segment_bytes, joint):
    files = _bad_joints(segment_bytes, joint)[at]
    one, joined = both(files, part_bytes=PART_BYTES)
    assert isinstance(one, VerifyReport)
    assert one.first_problem is not None
    assert (one.first_problem.kind, one.frames) == (JOINTS[at][2 if joint == SEGMENTS[1] else 3], joint - 1)
    assert one == joined
    storage = MemoryStorage(files=files)
    parts = parts_of(storage, Scan(storage).segments, PART_BYTES)
    assert len(list(apart(storage, PART_BYTES))) == len(parts)  # by itself, each is good


def test_a_missing_segment_is_found_as_by_the_one_walk():
    files = _good()
    del files[segments_of(files)[1]]
    one, joined = both(files)
    assert one == joined
    assert isinstance(one, VerifyReport)
    assert one.first_problem is not None
    assert (one.first_problem.kind, one.frames) == ("segment-missing", 3)


@pytest.mark.parametrize("place", [SEGMENTS, ONE], ids=["segments", "one segment"])
def test_joining_without_looking_at_the_joint_is_noticed(place):
    with mock.patch.object(journal.scan, "follows", return_value=True):
        found = [both(files, part_bytes=PART_BYTES) for files in _bad_joints(*place)]
    assert [one == joined for one, joined in found] == [False] * len(JOINTS)


def test_a_seal_that_only_the_one_walk_saw_is_held_against_the_segment():
    files = _written([5] * 12, 3000, 1)
    other = forged(files, lambda fields, _: fields.update({"ts_ingest_ns": 5} if "epoch" in fields else {}))
    for head, joins in ((files["head"], 3), (b"", 4)):
        scan = Scan(MemoryStorage(files=other | {"head": head}))
        walked = list(apart(MemoryStorage(files=other)))
        assert [scan.join(segment) for segment in walked] == [True] * joins + [False] * (4 - joins)
    problem = verify_journal(MemoryStorage(files=other | {"head": files["head"]})).first_problem
    assert problem is not None
    assert problem.kind == "acknowledged-differs"


def test_the_seal_of_another_journal_lets_nothing_join():
    stranger = MemoryStorage()
    with JournalWriter.create(stranger, **(IDENTITY | {"genesis_id": bytes(16)})) as writer:
        writer.append(bytes(128), b"", event_count=1, first_sequence=1, ts_ingest_ns=1)
    files = _good() | {"head": stranger.files["head"]}
    assert parts_joined(files) == 0
    one, joined = both(files)
    assert one == joined


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("segment", "00000000000000000002.seg"), ("header", bytes(512)), ("begin", 513), ("genesis_id", bytes(16)),
        ("number", 5), ("first_sequence", 1), ("prev", bytes(32)), ("first_epoch", 0), ("first_durable_upto", -1),
    ],
)  # fmt: skip
def test_each_thing_at_the_joint_is_looked_at(field: str, value: Any) -> None:
    storage = MemoryStorage(files=_good())
    scan, walked = Scan(storage), list(apart(storage))
    assert scan.join(walked[0])
    assert not scan.join(walked[1]._replace(**{field: value}))
    assert scan.join(walked[1])
    assert not scan.join(walked[1])


def test_a_segment_of_the_usual_size_is_two_parts():
    for filled, parts in ((1000, 1), (4000, 1), (4050, 2), (5300, 2), (5900, 2), (6750, 3)):
        storage = MemoryStorage(files={"00000000000000000001.seg": bytes(512 + filled)})
        made = parts_of(storage, ["00000000000000000001.seg"], 2700)
        assert len(made) == parts
        assert [made[0][1], *(until for _, _, until in made)] == [*(least for _, least, _ in made), (1 << 64) - 1]
