"""Recorders over a journal: frames, what is rejected, inserts larger than a frame, the library's SQLite as the twin."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import msgspec
import pytest
from eventsourcing.persistence import DataError, IntegrityError, InternalError, ProcessRecorder, StoredEvent, Tracking
from eventsourcing.sqlite import SQLiteFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.eventsourcing import Factory, JournalProcessRecorder
from adapters.eventsourcing.frames import CONTINUED, MORE, ORIGIN, SCHEMA_DIGEST, STORED_EVENTS
from journal import JournalReader, JournalWriter, verify_journal

ID = UUID(int=5)


def event(version: int, *, state: bytes = b"{}", originator: UUID | str = ID, topic: str = "topic") -> StoredEvent:
    return StoredEvent(originator, version, topic, state)


@contextmanager
def opened(folder: Path, fsync: str = "always") -> Iterator[JournalProcessRecorder]:
    factory = Factory({"JOURNAL_PATH": str(folder), "JOURNAL_FSYNC": fsync})
    try:
        yield factory.process_recorder()
    finally:
        factory.close()


def frames_of(folder: Path) -> list[tuple[int, int, int, int]]:
    return [(f.kind, f.flags, f.event_count, f.record_count) for f in JournalReader(folder)]


def test_one_call_is_one_frame_and_sequences_are_notification_ids(tmp_path: Path) -> None:
    with opened(tmp_path) as recorder:
        snapshots = Factory({"JOURNAL_PATH": str(tmp_path)}).aggregate_recorder("snapshots")
        assert recorder.insert_events([event(1), event(2)]) == [1, 2]
        assert snapshots.insert_events([event(2)]) is None
        recorder.insert_tracking(Tracking("upstream", 4))
        assert recorder.insert_events([event(3)], tracking=Tracking("upstream", 5)) == [3]
        assert recorder.insert_events([]) == []
        assert [f.first_sequence for f in JournalReader(tmp_path)] == [1, 3, 3, 3]
        assert frames_of(tmp_path) == [(STORED_EVENTS, 0, count, 0) for count in (2, 0, 0, 1)]


def test_the_bytes_are_what_the_format_says(tmp_path: Path) -> None:
    with opened(tmp_path) as recorder:
        recorder.insert_events([event(1), event(2, originator="añ")], tracking=Tracking("upstream", 4))
        recorder.insert_tracking(Tracking("upstream", 5))
    assert [msgspec.msgpack.decode(frame.bodies) for frame in JournalReader(tmp_path)] == [
        ["events", [[b"u" + ID.bytes, 1, "topic", b"{}"], [b"t" + "añ".encode(), 2, "topic", b"{}"]], ["upstream", 4]],
        ["events", [], ["upstream", 5]],
    ]
    assert JournalReader(tmp_path).schema_digest == hashlib.sha256(b"eventsourcing stored events, version 1\n").digest()


@pytest.mark.parametrize(
    ("events", "position", "line"),
    [
        ([event(2), event(1)], 9, f"^version 1 of {ID} is recorded already$"),
        ([event(2), event(2)], 9, f"^version 2 of {ID} is recorded already$"),
        ([event(2)], 3, "^position 3 of 'upstream' is not above 3, which is recorded already$"),
        ([], 2, "^position 2 of 'upstream' is not above 3, which is recorded already$"),
    ],
)
def test_what_is_rejected_writes_nothing(tmp_path: Path, events: list[StoredEvent], position: int, line: str) -> None:
    with opened(tmp_path) as recorder:
        recorder.insert_events([event(1)], tracking=Tracking("upstream", 3))
        before = [path.read_bytes() for path in sorted(tmp_path.glob("*.seg"))]
        with pytest.raises(IntegrityError, match=line):
            recorder.insert_events(events, tracking=Tracking("upstream", position))
        assert [path.read_bytes() for path in sorted(tmp_path.glob("*.seg"))] == before
        assert recorder.max_notification_id() == 1
        assert recorder.max_tracking_id("upstream") == 3
        assert recorder.insert_events([event(2)], tracking=Tracking("upstream", 4)) == [2]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (event(1 << 63), r"^an originator version is a 64-bit integer, not 9223372036854775808$"),
        (event("1"), r"^an originator version is a 64-bit integer, not '1'$"),  # type: ignore[arg-type]
        (event(1, originator=7), r"^an originator id that is no UUID is text, not int$"),  # type: ignore[arg-type]
        (event(1, topic=["a"]), r"^a topic is text, not list$"),  # type: ignore[arg-type]
        (event(1, topic="\ud800"), r"^a topic has no UTF-8: surrogates not allowed$"),
        (event(1, state=5), r"^a state is bytes, not int$"),  # type: ignore[arg-type]
        (Tracking("upstream", None), r"^a tracking position is a 64-bit integer, not None$"),  # type: ignore[arg-type]
        (Tracking(None, 1), r"^an application's name is text, not NoneType$"),  # type: ignore[arg-type]
    ],
)
def test_what_the_journal_cannot_hold_is_refused(tmp_path: Path, wrong: StoredEvent | Tracking, line: str) -> None:
    with opened(tmp_path) as recorder:
        tracked = isinstance(wrong, Tracking)
        events, tracking = ([], wrong) if tracked else ([event(0), wrong], None)
        with pytest.raises(DataError, match=line):
            recorder.insert_events(events, tracking=tracking)
        assert frames_of(tmp_path) == []


def test_what_is_nearly_an_integer_or_text_comes_back(tmp_path: Path) -> None:
    class Topic(str):
        pass

    with opened(tmp_path) as recorder:
        recorder.insert_events([event(True, topic=Topic("a"), state=bytearray(b"b"))])  # type: ignore[arg-type]
    with opened(tmp_path) as recorder:
        assert recorder.select_events(ID) == [event(1, topic="a", state=b"b")]


def test_an_insert_larger_than_a_frame_is_cut_and_comes_back_whole(tmp_path: Path) -> None:
    large = [event(1), event(2, state=bytes(range(256)) * 800, originator="text"), event(3)]
    with opened(tmp_path) as recorder:
        assert recorder.insert_events([event(0)]) == [1]
        assert recorder.insert_events(large, tracking=Tracking("upstream", 1)) == [2, 3, 4]
        assert recorder.insert_events([event(4)]) == [5]
        assert recorder.select_events("text") == large[1:2]
    with opened(tmp_path) as recorder:
        assert recorder.select_events("text") == large[1:2]
        assert [found.id for found in recorder.select_notifications(None, 10)] == [1, 2, 3, 4, 5]
        assert recorder.max_tracking_id("upstream") == 1
    flags = [(frame.flags, frame.event_count) for frame in JournalReader(tmp_path)]
    assert flags == [(0, 1), (MORE, 0), (MORE | CONTINUED, 0), (MORE | CONTINUED, 0), (CONTINUED, 3), (0, 1)]


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_an_insert_that_was_given_up_never_counts(tmp_path: Path, kept: int) -> None:
    with opened(tmp_path, "off") as recorder:
        recorder.insert_events([event(1)])
        recorder.insert_events([event(2, state=bytes(200_000))], tracking=Tracking("upstream", 1))
    segment = next(tmp_path.glob("*.seg"))
    ends = [frame.offset + frame.frame_bytes for frame in JournalReader(tmp_path)]
    with segment.open("r+b") as file:
        file.truncate(ends[kept])
    for again in (False, True):
        with opened(tmp_path) as recorder:
            assert recorder.max_tracking_id("upstream") == (2 if again else None)
            assert recorder.select_events(ID) == ([event(1), event(2)] if again else [event(1)])
            if not again:
                assert recorder.insert_events([event(2)], tracking=Tracking("upstream", 2)) == [2]
    assert verify_journal(tmp_path).events == 2


def test_many_segments(tmp_path: Path) -> None:
    JournalWriter.create(
        tmp_path, origin=ORIGIN, genesis_id=bytes(16), schema_digest=SCHEMA_DIGEST, segment_bytes=4096
    ).close()
    with opened(tmp_path, "off") as recorder:
        for version in range(500):
            recorder.insert_events([event(version, state=b"%d" % version * 100, topic=f"topic{version % 3}")])
        recorder.insert_events([event(1, originator="large", state=bytes(150_000))])
        in_order = recorder.select_notifications(None, 1000)
        backwards = recorder.select_events(ID, desc=True)
    assert len(list(tmp_path.glob("*.seg"))) > 64
    with opened(tmp_path, "off") as recorder:
        assert recorder.select_notifications(None, 1000) == in_order
        assert [found.id for found in in_order] == list(range(1, 502))
        assert recorder.select_events(ID, desc=True) == backwards
        assert [found.originator_version for found in backwards] == list(range(499, -1, -1))
        assert recorder.select_events("large")[0].state == bytes(150_000)


def test_frames_of_other_kinds_are_passed_over_unless_they_account_for_events(tmp_path: Path) -> None:
    with opened(tmp_path) as recorder:
        recorder.insert_events([event(1)])
    for counted in (0, 1):
        with JournalWriter.open(tmp_path) as writer:
            writer.append(b"", b"?", event_count=counted, first_sequence=2, ts_ingest_ns=0, kind=9)
        if not counted:
            with opened(tmp_path) as recorder:
                assert recorder.max_notification_id() == 1
    with (
        pytest.raises(InternalError, match=r"frame 3 is of kind 9, which this release does not know"),
        opened(tmp_path),
    ):
        pass


IDS = st.sampled_from([UUID(int=1), UUID(int=2), UUID(int=3)])
EVENTS = st.builds(StoredEvent, IDS, st.integers(-2, 6), st.sampled_from(["a", "b"]), st.binary(max_size=6))
POSITIONS = st.none() | st.builds(Tracking, st.sampled_from(["x", "y"]), st.integers(1, 8))
BOUNDS = st.none() | st.integers(0, 12)


@settings(max_examples=60, deadline=None)
@given(
    inserts=st.lists(st.tuples(st.lists(EVENTS, max_size=3), POSITIONS), max_size=12),
    reopened_after=st.integers(0, 12),
    looks=st.lists(st.tuples(IDS, BOUNDS, BOUNDS, st.booleans(), st.none() | st.integers(1, 3)), max_size=4),
    logs=st.lists(
        st.tuples(BOUNDS, st.integers(1, 5), BOUNDS, st.sampled_from([(), ("a",), ("a", "b")]), st.booleans()),
        max_size=4,
    ),
)
def test_it_answers_as_the_sqlite_recorder_does(inserts, reopened_after, looks, logs) -> None:
    with TemporaryDirectory() as folder:
        sqlite = SQLiteFactory({"SQLITE_DBNAME": ":memory:"})
        twin = sqlite.process_recorder()
        for part in (inserts[:reopened_after], inserts[reopened_after:]):
            with opened(Path(folder), "off") as recorder:
                for events, tracking in part:
                    assert outcome(recorder, events, tracking) == outcome(twin, events, tracking)
        with opened(Path(folder), "off") as recorder:
            assert recorder.max_notification_id() == twin.max_notification_id()
            for name in ("x", "y"):
                assert recorder.max_tracking_id(name) == twin.max_tracking_id(name)
            for originator, gt, lte, desc, limit in looks:
                how = {"gt": gt, "lte": lte, "desc": desc, "limit": limit}
                assert recorder.select_events(originator, **how) == twin.select_events(originator, **how)
            for start, limit, stop, topics, inclusive in logs:
                asked = (start, limit, stop, topics)
                assert recorder.select_notifications(*asked, inclusive_of_start=inclusive) == (
                    twin.select_notifications(*asked, inclusive_of_start=inclusive)
                )
        sqlite.close()


def outcome(recorder: ProcessRecorder, events: list[StoredEvent], tracking: Tracking | None) -> str:
    try:
        recorder.insert_events(events, tracking=tracking)
    except IntegrityError:
        return "rejected"
    return "recorded"


def test_ids_of_both_types_are_apart(tmp_path: Path) -> None:
    originator = uuid4()
    with opened(tmp_path) as recorder:
        recorder.insert_events([event(1, originator=originator), event(1, originator=str(originator))])
        assert recorder.select_events(originator)[0].originator_id == originator
        assert recorder.select_events(str(originator))[0].originator_id == str(originator)
