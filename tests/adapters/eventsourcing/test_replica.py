"""Replicas in the library's SQLite: killed at any point they go on, with nothing missing, doubled or ahead."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.persistence import IntegrityError, ProcessRecorder, ProgrammingError, StoredEvent, Tracking
from eventsourcing.sqlite import SQLiteFactory

from adapters.eventsourcing import Factory
from adapters.eventsourcing.replica import Follower, check_replica
from journal import JournalWriter, verify_journal

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("KERNEL_KILLS", "8"))


def event(version: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(UUID(int=5), version, "topic", state)


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[ProcessRecorder]:
    factory = SQLiteFactory({"SQLITE_DBNAME": str(tmp_path / "replica.db")})
    yield factory.process_recorder()
    factory.close()


def write(folder: Path, fsync: str = "always") -> Factory:
    """A journal with all there can be in one: snapshots, positions, an insert larger than a frame."""
    factory = Factory({"JOURNAL_PATH": str(folder), "JOURNAL_FSYNC": fsync})
    recorder = factory.process_recorder()
    recorder.insert_events([event(1), event(2)], tracking=Tracking("upstream", 1))
    factory.aggregate_recorder("snapshots").insert_events([event(2, b"snapshot")])
    recorder.insert_events([event(3, bytes(200_000)), event(4)])
    recorder.insert_tracking(Tracking("upstream", 2))
    recorder.insert_events([event(5)])
    return factory


def test_a_replica_holds_what_the_journal_holds(tmp_path: Path, replica: ProcessRecorder) -> None:
    source = write(tmp_path / "journal")
    follower = Follower(tmp_path / "journal", replica)
    assert [follower.step(), follower.step()] == [5, 0]
    recorder = source.process_recorder()
    recorder.insert_events([event(6, bytes(100_000))])
    assert Follower(tmp_path / "journal", replica).step() == 1
    assert replica.select_notifications(None, 10) == recorder.select_notifications(None, 10)
    source.close()
    checked, report = check_replica(tmp_path / "journal", replica), verify_journal(tmp_path / "journal")
    assert (checked.rows, checked.frames, checked.root) == (6, report.frames, report.root)


def test_what_is_not_acknowledged_is_not_copied(tmp_path: Path, replica: ProcessRecorder) -> None:
    source = write(tmp_path / "journal", "batch")
    assert Follower(tmp_path / "journal", replica).step() == 0
    source.close()
    assert Follower(tmp_path / "journal", replica).step() == 5


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "UPDATE stored_events SET state = X'00' WHERE rowid = 4",
            r"^row 4 of the replica is not what the journal holds$",
        ),
        (
            "DELETE FROM stored_events WHERE rowid = 2",
            r"^row 3 of the replica|^the replica has 5 rows, .* bears out 4$",
        ),
        (
            "INSERT INTO stored_events SELECT originator_id, 9, topic, state FROM stored_events WHERE rowid = 5",
            r"^the replica has 6 rows, and the journal bears out 5$",
        ),
    ],
)
def test_a_row_that_the_journal_does_not_bear_out_is_named(
    tmp_path: Path, replica: ProcessRecorder, change: str, line: str
) -> None:
    write(tmp_path / "journal").close()
    Follower(tmp_path / "journal", replica).step()
    with sqlite3.connect(tmp_path / "replica.db") as database:
        database.execute(change)
    database.close()
    with pytest.raises(IntegrityError, match=line):
        check_replica(tmp_path / "journal", replica)


def test_what_is_no_replica_of_this_journal_is_refused(tmp_path: Path, replica: ProcessRecorder) -> None:
    write(tmp_path / "one").close()
    write(tmp_path / "other").close()
    Follower(tmp_path / "one", replica).step()
    with pytest.raises(ProgrammingError, match=r"^the recorder holds 5 events and 0 of the journal at .*other"):
        Follower(tmp_path / "other", replica)
    JournalWriter.create(tmp_path / "run", origin="run", genesis_id=bytes(16), schema_digest=bytes(32)).close()
    with pytest.raises(ProgrammingError, match=r"^the journal at .*run does not hold stored events$"):
        Follower(tmp_path / "run", replica)


def child(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"tests.adapters.eventsourcing.{name}", *arguments]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert started.stdout is not None
    started.stdout.readline()
    return started


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    process.stdout.read()
    process.wait()
    process.stdout.close()


def sqlite_rows(path: Path) -> int:
    database = sqlite3.connect(path)
    try:
        return database.execute("SELECT count(*) FROM stored_events").fetchone()[0]
    finally:
        database.close()


def test_followers_and_writers_that_are_killed_leave_nothing_out(tmp_path: Path, replica: ProcessRecorder) -> None:
    chance, folder, seen = random.Random(3), tmp_path / "journal", 0
    for _ in range(KILLS // 4):
        writer = child("inserting", str(folder), "always")
        for _ in range(4):
            follower = child("following", str(folder), str(tmp_path / "replica.db"))
            time.sleep(chance.uniform(0.0, 0.1))
            kill(follower)
            held = replica.max_notification_id() or 0
            assert held >= seen
            assert sqlite_rows(tmp_path / "replica.db") == held
            seen = held
        kill(writer)
        # Whole after the kills, and not ahead of a journal that nobody has recovered yet.
        assert check_replica(folder, replica).rows == seen
    Factory({"JOURNAL_PATH": str(folder)}).close()
    Follower(folder, replica).step()
    checked, report = check_replica(folder, replica), verify_journal(folder)
    assert (checked.rows, checked.root, report.ok) == (report.events, report.root, True)
    assert checked.rows > seen > 0
