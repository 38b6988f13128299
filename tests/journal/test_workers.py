"""Segments walked in real processes: the same report, nothing left behind, and one process where others fail."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from journal import verify_journal
from journal.encryption import MasterKey
from journal.faulty import MemoryStorage
from journal.order import WalkedPart
from journal.retention import Policy, carry_out, plan_pruning
from journal.scan import Scan
from journal.storage import FileStorage
from journal.tlog import make_checkpoint
from journal.verify import verify_scan
from journal.workers import LEAST_BYTES, MOST_PROCESSES, PART_BYTES, parts_of, processes_for, walk_apart
from journal.writer import JournalWriter
from tests.journal.apart import apart, untimed
from tests.journal.conftest import IDENTITY
from tests.journal.logs import KEY, append

SEGMENT_BYTES = 3000


def _write(place: Path, frames: int, master: MasterKey | None = None) -> Path:
    """A journal with five frames in each segment."""
    with JournalWriter.create(place, **IDENTITY, segment_bytes=SEGMENT_BYTES, master=master) as writer:
        for number in range(frames):
            append(writer, number, b"body")
    return place


def _processes() -> Iterator[tuple[int, str, int, int]]:
    """The id, the state, the parent and the group of each process."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = status.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it has ended
        yield int(status.parent.name), state, int(parent), int(group)


def _children() -> set[int]:
    """The processes that this one has started and not waited for."""
    return {process for process, _, parent, _ in _processes() if parent == os.getpid()}


def _running(group: int) -> set[int]:
    return {process for process, state, _, other in _processes() if other == group and state != "Z"}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("written") / "journal", 100)


def test_the_processes_say_what_a_walk_of_each_segment_says(journal: Path) -> None:
    storage, before = FileStorage(journal), _children()
    for part_bytes in (1000, PART_BYTES):
        parts = parts_of(storage, Scan(storage).segments, part_bytes)
        with closing(walk_apart(storage, parts, 3)) as walked:
            assert list(walked) == list(apart(storage, part_bytes))
    assert _children() == before


def test_the_report_does_not_depend_on_the_processes(journal: Path) -> None:
    for processes in (1, 2, 5):
        told: list[tuple[int, int]] = []
        report = verify_journal(journal, lambda done, total: told.append((done, total)), {7, 50, 100}, processes)  # noqa: B023
        assert untimed(report) == untimed(verify_journal(journal, sizes={7, 50, 100}))
        assert told[-1] == (report.bytes, report.bytes)


def test_a_spoiled_segment_is_reported_as_by_one_process(journal: Path, tmp_path: Path) -> None:
    shutil.copytree(journal, tmp_path / "j")
    names = sorted(path.name for path in (tmp_path / "j").glob("*.seg"))
    for name, kind in ((names[-1], "torn-frame"), (names[6], "frame-damaged")):
        data = bytearray((tmp_path / "j" / name).read_bytes())
        (tmp_path / "j" / "head").unlink(missing_ok=True)
        data[-8:] = bytes(8) if kind == "torn-frame" else b"\x01" * 8
        (tmp_path / "j" / name).write_bytes(data)
        report = verify_journal(tmp_path / "j", processes=2)
        assert report.first_problem is not None
        assert report.first_problem.kind == kind
        assert untimed(report) == untimed(verify_journal(tmp_path / "j", processes=1))


def test_pruned_and_encrypted_journals(tmp_path: Path) -> None:
    place = _write(tmp_path / "j", 60, MasterKey(bytes(32)))
    make_checkpoint(place, KEY)
    before = verify_journal(place, processes=2)
    plan = plan_pruning(place, Policy.parse("size=9000"), 0, 1 << 40)
    carry_out(place, plan)
    report = verify_journal(place, sizes={55}, processes=2)
    assert 0 < report.pruned < 55
    assert (report.root, report.head) == (before.root, before.head)
    assert untimed(report) == untimed(verify_journal(place, sizes={55}, processes=1))


def test_one_process_goes_on_where_another_dies(journal: Path) -> None:
    scan, before, joined = Scan(FileStorage(journal)), _children(), 0

    def until_they_die() -> Generator[WalkedPart, None, None]:
        nonlocal joined
        with closing(walk_apart(scan.storage, parts_of(scan.storage, scan.segments), 2)) as walked:
            for segment in walked:
                joined += 1
                yield segment
                for process in _children() - before:
                    os.kill(process, signal.SIGKILL)

    report = verify_scan(scan, until_they_die(), 0, None, ())
    assert untimed(report) == untimed(verify_journal(journal, processes=1))
    assert 0 < joined < len(scan.segments)
    assert _children() == before


def test_a_process_that_cannot_begin_is_done_without(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for interpreter in ("/nowhere/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", interpreter)
        assert untimed(verify_journal(journal, processes=2)) == untimed(verify_journal(journal, processes=1))


def test_a_name_that_no_segment_has_is_left_to_the_one_walk(journal: Path, tmp_path: Path) -> None:
    for name in ("00000000000000000007\n.seg", "zzz.seg", "٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٩.seg", "00000000000000000006.seg.seg"):
        place = tmp_path / name
        shutil.copytree(journal, place)
        (place / name).write_bytes(b"?")
        report = verify_journal(place, processes=2)
        assert untimed(report) == untimed(verify_journal(place, processes=1))
        assert not report.ok


SCRIPT = """
import signal, sys, time
from contextlib import closing
from journal import verify_journal
from journal.storage import FileStorage
from journal.scan import Scan
from journal.workers import parts_of, walk_apart

signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts it may have Ctrl-C ignored
print("script", flush=True)
storage = FileStorage(sys.argv[1])
if len(sys.argv) > 2:
    with closing(walk_apart(storage, parts_of(storage, Scan(storage).segments), 2)) as walked:
        next(walked)
        print("begun", flush=True)
        time.sleep(60)
print(verify_journal(storage, processes=2).frames)
"""


def _run(journal: Path, tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), str(journal), *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True)


def test_a_script_is_not_run_again_by_the_processes(journal: Path, tmp_path: Path) -> None:
    with _run(journal, tmp_path) as script:
        assert script.communicate(timeout=60) == ("script\n100\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopping_leaves_no_process_and_one_traceback_at_most(journal: Path, tmp_path: Path, number: int) -> None:
    with _run(journal, tmp_path, "wait") as script:
        assert script.stdout is not None
        assert [script.stdout.readline() for _ in range(2)] == ["script\n", "begun\n"]
        # As a terminal does it for Ctrl-C; SIGKILL strikes the script alone, and its processes hear no more of it.
        (os.killpg if number == signal.SIGINT else os.kill)(script.pid, number)
        # The pipes end when the last of the group that holds them has ended.
        _, errors = script.communicate(timeout=60)
    assert errors.count("Traceback") == (number == signal.SIGINT)
    for _ in range(600):
        if not _running(script.pid):
            return
        time.sleep(0.05)
    pytest.fail("a process is still there")


def test_only_a_big_journal_of_real_files_is_worth_processes(tmp_path: Path) -> None:
    files, most = FileStorage(tmp_path), min(len(os.sched_getaffinity(0)), MOST_PROCESSES)
    assert processes_for(files, 100, LEAST_BYTES) == most
    assert processes_for(files, 2, LEAST_BYTES) == min(most, 2)
    assert processes_for(files, 1, LEAST_BYTES) == 1
    assert processes_for(files, 100, LEAST_BYTES - 1) == 1
    assert processes_for(MemoryStorage(), 100, LEAST_BYTES) == 1
    memory = MemoryStorage()
    JournalWriter.create(memory, **IDENTITY).close()
    assert verify_journal(memory, processes=2).ok
