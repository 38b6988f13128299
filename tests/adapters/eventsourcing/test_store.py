"""Opening, sharing and failing: each is one line in the library's own terms; and an application, proven."""

import os
import random
import resource
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.persistence import (
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    StoredEvent,
)

from adapters.eventsourcing import Factory
from journal import JournalWriter, UnsupportedFormat, verify_journal
from tests.adapters.eventsourcing.approvals import Approval, Approvals

ROOT = Path(__file__).parents[3]
ENV = {"PERSISTENCE_MODULE": "adapters.eventsourcing", "MAPPER_TOPIC": "adapters.eventsourcing:MsgspecMapper"}


def opened(folder: Path, fsync: str = "always") -> Factory:
    return Factory({"JOURNAL_PATH": str(folder), "JOURNAL_FSYNC": fsync})


def event(version: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(UUID(int=5), version, "topic", state)


def approve(folder: Path, count: int) -> list[Approval]:
    """Run the example application on a journal and close it."""
    with Approvals({**ENV, "JOURNAL_PATH": str(folder)}) as approvals:
        made = [Approval.request(f"trader {number}", 1000 * number) for number in range(count)]
        approvals.save(*made)
        for approval in made[1:]:
            approval.grant("ann")
            approvals.save(approval)
        made[-1].revoke("bob", "left the desk")
        approvals.save(made[-1])
        return made


def test_an_application_goes_on_where_it_was(tmp_path: Path) -> None:
    made = approve(tmp_path, 4)
    report = verify_journal(tmp_path)
    assert (report.ok, report.frames, report.events) == (True, 5, 8)
    with Approvals({**ENV, "JOURNAL_PATH": str(tmp_path)}) as approvals:
        found = [approvals.repository.get(approval.id) for approval in made]
        assert [approval.standing for approval in found] == ["requested", "granted", "granted", "revoked"]
        assert [(a.version, a.limit_minor, a.currency) for a in found] == [
            (a.version, a.limit_minor, a.currency) for a in made
        ]
        assert [item.id for item in approvals.notification_log.select(1, 10)] == list(range(1, 9))


def test_one_bit_changed_anywhere_is_refused(tmp_path: Path) -> None:
    approve(tmp_path / "journal", 3)
    segment = next((tmp_path / "journal").glob("*.seg"))
    chance, length = random.Random(11), segment.stat().st_size
    for bit in sorted(chance.sample(range(length * 8), 60)):
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "journal", copy)
        data = bytearray(segment.read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        (copy / segment.name).write_bytes(data)
        try:
            refused = not verify_journal(copy).ok
        except UnsupportedFormat:
            refused = True
        assert refused, f"bit {bit}"
        with pytest.raises((InternalError, NotSupportedError, ProgrammingError)):
            opened(copy)
        shutil.rmtree(copy)


def test_a_frame_that_changes_under_an_open_journal_is_refused_when_it_is_read(tmp_path: Path) -> None:
    factory = opened(tmp_path)
    recorder = factory.application_recorder()
    recorder.insert_events([event(1, b"granted")])
    segment = next(tmp_path.glob("*.seg"))
    segment.write_bytes(segment.read_bytes().replace(b"granted", b"revoked"))
    with pytest.raises(
        InternalError, match=r"^the frame at byte 512 of .*seg is not what was written; run kernel verify"
    ):
        recorder.select_events(UUID(int=5))
    factory.close()


@contextmanager
def held_by_another_process(folder: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.adapters.eventsourcing.inserting", str(folder), "always"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield child.pid
        finally:
            child.kill()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with held_by_another_process(tmp_path) as pid:
        line = f"^the journal at {tmp_path} is held by the writer with pid {pid}; there is one writer at a time$"
        with pytest.raises(OperationalError, match=line):
            opened(tmp_path)


def test_a_newer_writer_ends_this_one(tmp_path: Path) -> None:
    factory = opened(tmp_path)
    recorder = factory.application_recorder()
    (tmp_path / "lock").unlink()  # as when a folder is copied back and forth, or a network disk forgets locks
    JournalWriter.open(tmp_path).close()
    with pytest.raises(OperationalError, match=r"this writer has epoch 1, and a newer writer has taken over$"):
        recorder.insert_events([event(1)])
    with pytest.raises(OperationalError):
        factory.close()


def test_a_disk_that_takes_no_more_is_told_and_what_was_stored_is_there(tmp_path: Path) -> None:
    factory = opened(tmp_path)
    recorder = factory.application_recorder()
    recorder.insert_events([event(1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OperationalError, match=r"^the journal at .*: a frame could not be written: File too large"):
            recorder.insert_events([event(2, bytes(30_000))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(
        OperationalError, match=r"did not complete; construct the application again, which tells what is stored$"
    ):
        recorder.insert_events([event(2)])
    assert recorder.select_events(UUID(int=5)) == [event(1)]
    with pytest.raises(OperationalError):
        factory.close()
    factory = opened(tmp_path)
    assert factory.application_recorder().select_events(UUID(int=5)) == [event(1)]
    factory.close()


def test_a_torn_tail_is_moved_aside(tmp_path: Path) -> None:
    factory = opened(tmp_path, "off")
    recorder = factory.application_recorder()
    recorder.insert_events([event(1)])
    recorder.insert_events([event(2)])
    factory.close()
    segment = next(tmp_path.glob("*.seg"))
    os.truncate(segment, segment.stat().st_size - 20)
    factory = opened(tmp_path)
    assert factory.application_recorder().max_notification_id() == 1
    assert len(list((tmp_path / "discarded").iterdir())) == 1
    factory.close()


def test_a_creation_that_was_interrupted_is_done_again(tmp_path: Path) -> None:
    opened(tmp_path).close()
    segment = next(tmp_path.glob("*.seg"))
    os.truncate(segment, 100)
    factory = opened(tmp_path)
    assert factory.application_recorder().insert_events([event(1)]) == [1]
    factory.close()


def test_a_journal_of_something_else_is_left_alone(tmp_path: Path) -> None:
    JournalWriter.create(tmp_path, origin="run", genesis_id=bytes(16), schema_digest=bytes(32)).close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(ProgrammingError, match=r"does not hold stored events; name another folder$"):
        opened(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, r"^the folder of the journal is not set; .* APPROVALS_JOURNAL_PATH, JOURNAL_PATH$"),
        ({"JOURNAL_PATH": "x", "JOURNAL_FSYNC": "maybe"}, r"^JOURNAL_FSYNC is one of off, batch, always; not 'maybe'$"),
    ],
)
def test_a_setting_that_is_wrong_is_named(settings: dict[str, str], line: str) -> None:
    with pytest.raises(OSError, match=line):
        Approvals({**ENV, **settings})


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperationalError, match=f"^the journal at {tmp_path}/file: Not a directory$"):
        opened(tmp_path / "file")


def test_factories_of_a_process_share_a_journal(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path / ".." / tmp_path.name)
    with pytest.raises(ProgrammingError, match=r"is open with JOURNAL_FSYNC=always, not off$"):
        opened(tmp_path, "off")
    recorder = one.application_recorder()
    one.close()
    one.close()
    recorder.insert_events([event(1)])
    assert other.process_recorder().max_notification_id() == 1
    other.close()
    for use in (recorder.max_notification_id, lambda: recorder.insert_events([event(2)])):
        with pytest.raises(InterfaceError, match=r"^this journal was closed; construct the application again$"):
            use()


def test_a_forked_process_may_not_insert(tmp_path: Path) -> None:
    factory = opened(tmp_path)
    recorder = factory.application_recorder()
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking a process that has threads
        child = os.fork()
    if child == 0:
        said = "inserted"
        try:
            recorder.insert_events([event(1)])
        except PersistenceError as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    said = os.read(read, 1000).decode()
    os.close(read)
    assert said.startswith(f"InterfaceError: the journal at {tmp_path} was opened before this process was forked")
    assert recorder.insert_events([event(1)]) == [1]
    factory.close()
