"""Replicas in a real Postgres: the journal's ids, whatever is undone or killed; rows that are proven one by one."""

import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, ProgrammingError, Tracking

from adapters.eventsourcing import Factory
from adapters.eventsourcing.postgres import ReplicaFactory
from adapters.eventsourcing.replica import Follower, check_replica
from journal import verify_journal
from tests.adapters.eventsourcing.postgres_server import create_database, factory_for, programs, running
from tests.adapters.eventsourcing.test_replica import KILLS, child, event, kill, write

pytestmark = pytest.mark.skipif(
    programs() is None, reason="NOT CHECKED WITH POSTGRES: install postgresql (Debian), as .ci/run does"
)
NAMES = (f"replica{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    with running() as folder:
        yield folder


@pytest.fixture
def database(sockets: Path) -> str:
    name = next(NAMES)
    place = programs()
    assert place is not None
    create_database(place, sockets, name)
    return name


@pytest.fixture
def replica(sockets: Path, database: str) -> Iterator[ReplicaFactory]:
    with factory_for(str(sockets), database) as factory:
        yield factory


def test_a_replica_holds_what_the_journal_holds_under_its_ids(tmp_path: Path, replica: ReplicaFactory) -> None:
    source, recorder = write(tmp_path / "journal"), replica.process_recorder()
    assert [Follower(tmp_path / "journal", recorder).step() for _ in range(2)] == [5, 0]
    assert recorder.select_notifications(None, 10) == source.process_recorder().select_notifications(None, 10)
    source.close()
    checked, report = check_replica(tmp_path / "journal", recorder), verify_journal(tmp_path / "journal")
    assert (checked.rows, checked.frames, checked.root) == (5, report.frames, report.root)


def test_ids_stay_the_journals_when_an_insert_was_undone(tmp_path: Path, replica: ReplicaFactory) -> None:
    folder, recorder = tmp_path / "journal", replica.process_recorder()
    source = write(folder)
    follower = Follower(folder, recorder)
    follower.step()
    with pytest.raises(IntegrityError):  # uses up two ids of the sequence: the second event is there already
        recorder.insert_events([event(6), event(5)], tracking=Tracking(follower.name, 7))
    source.process_recorder().insert_events([event(6)])
    source.close()
    assert follower.step() == 1
    assert check_replica(folder, recorder).rows == 6


def test_what_another_follower_copied_meanwhile_is_not_copied_again(tmp_path: Path, replica: ReplicaFactory) -> None:
    folder, recorder = tmp_path / "journal", replica.process_recorder()
    source = write(folder)
    slow, quick = Follower(folder, recorder), Follower(folder, recorder)
    quick.step()
    assert slow.step() == 5
    assert check_replica(folder, recorder).rows == 5
    source.close()


def test_events_from_elsewhere_are_refused(tmp_path: Path, replica: ReplicaFactory) -> None:
    with pytest.raises(ProgrammingError, match="from its journal only"):
        replica.process_recorder().insert_events([event(1)])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (r"UPDATE stored_events SET state = '\x00' WHERE notification_id = 4", "^row 4 of the replica is not"),
        ("DELETE FROM stored_events WHERE notification_id = 2", "^row 3 of the replica|bears out 4$"),
    ],
)
def test_a_row_that_the_journal_does_not_bear_out_is_named(
    tmp_path: Path, sockets: Path, database: str, replica: ReplicaFactory, change: str, line: str
) -> None:
    write(tmp_path / "journal").close()
    recorder = replica.process_recorder()
    Follower(tmp_path / "journal", recorder).step()
    with psycopg.connect(host=str(sockets), dbname=database, user="postgres") as connection:
        connection.execute(change)
    with pytest.raises(IntegrityError, match=line):
        check_replica(tmp_path / "journal", recorder)


def test_followers_and_writers_that_are_killed_leave_nothing_out(
    tmp_path: Path, sockets: Path, database: str, replica: ReplicaFactory
) -> None:
    chance, folder, seen, recorder = random.Random(5), tmp_path / "journal", 0, replica.process_recorder()
    for _ in range(KILLS // 8):
        writer = child("inserting", str(folder), "always")
        for _ in range(4):
            follower = child("following", str(folder), str(sockets), database)
            time.sleep(chance.uniform(0.0, 0.15))
            kill(follower)
            held = recorder.max_notification_id() or 0
            assert held >= seen
            seen = held
        kill(writer)
    Factory({"JOURNAL_PATH": str(folder)}).close()
    Follower(folder, recorder).step()
    checked, report = check_replica(folder, recorder), verify_journal(folder)
    assert (checked.rows, checked.root, report.ok) == (report.events, report.root, True)
    assert checked.rows > seen > 0
