"""Files beside a journal: the old one or the new one, for their owner alone."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from journal.files import alone, replacing, write_file
from tests.crash_points import crash_points


def _all(folder: Path) -> dict[str, int]:
    """What lies below a folder, with its permissions."""
    return {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_and_the_folders_above_it_are_for_their_owner(tmp_path: Path, durable: bool) -> None:
    for data in (b"old", b"new"):
        write_file(tmp_path / "a/b/file", data, durable=durable)
        assert (tmp_path / "a/b/file").read_bytes() == data
    assert _all(tmp_path) == {"a": 0o700, "a/b": 0o700, "a/b/file": 0o600}


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    write_file(tmp_path / "file", b"old")

    def fail() -> None:
        with replacing(tmp_path / "file") as file:
            file.write(b"n")
            raise error

    with pytest.raises(error):
        fail()
    assert (tmp_path / "file").read_bytes() == b"old"
    assert list(_all(tmp_path)) == ["file"]


def test_killed_anywhere_the_old_one_or_the_new_one_is_there(tmp_path: Path) -> None:
    path, found = tmp_path / "a/file", set[bytes]()
    for _ in crash_points(lambda: write_file(path, b"new"), tmp_path):
        found.add(path.read_bytes() if path.exists() else b"")
        write_file(path, b"old")
        assert list(_all(tmp_path)) == ["a", "a/file"]
    assert path.read_bytes() == b"new"
    assert found == {b"", b"old"}


def test_a_lock_keeps_another_one_out_until_it_is_given_back(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with ThreadPoolExecutor(1) as pool, alone(lock, OSError("the first")):
        started = time.monotonic()
        with pytest.raises(KeyError, match="busy"), alone(lock, KeyError("busy"), 0.05):
            raise AssertionError("two have it")
        assert 0.05 <= time.monotonic() - started < 5
        waiting = pool.submit(_take, lock)
        time.sleep(0.05)
        assert not waiting.done()
    assert waiting.result()
    assert lock.stat().st_mode & 0o777 == 0o600


def _take(lock: Path) -> bool:
    with alone(lock, OSError("it was not given back"), 20):
        return True


def test_what_goes_wrong_under_a_lock_is_not_taken_for_the_lock(tmp_path: Path) -> None:
    for _ in range(2):  # and the lock is given back
        with pytest.raises(BlockingIOError, match="a full pipe"), alone(tmp_path / "lock", OSError("busy")):
            raise BlockingIOError("a full pipe")
