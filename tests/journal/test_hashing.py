"""Hashing ahead finds what a walk by itself finds, in good journals and in spoiled ones."""

import random
from pathlib import Path

import pytest

from journal import CorruptJournal, JournalWriter
from journal.faulty import MemoryStorage
from journal.hashing import HashAhead
from journal.scan import Scan
from journal.storage import FileStorage, Storage
from tests.journal.conftest import IDENTITY


def _walk(storage: Storage, ahead: HashAhead | None) -> tuple[object, ...]:
    scan, hashes, problem = Scan(storage, ahead=ahead), [], ""
    try:
        hashes.extend(frame.hash for frame in scan.frames())
    except CorruptJournal as error:
        problem = str(error)
    return hashes, problem, scan.end, scan.bytes_done


def _write(place: Path | MemoryStorage, seed: int) -> None:
    chance = random.Random(seed)
    with JournalWriter.create(place, **(IDENTITY | {"segment_bytes": 30_000})) as writer:
        for number in range(60):
            records = chance.randbytes(128 * chance.randint(0, 12))
            count = len(records) // 128
            writer.append(records, b"", event_count=count, first_sequence=writer.next_sequence, ts_ingest_ns=number)


@pytest.mark.parametrize("group_bytes", [1, 700, 5_000, 1_000_000])
def test_the_same_hashes(tmp_path: Path, group_bytes: int) -> None:
    _write(tmp_path / "j", 1)
    storage = FileStorage(tmp_path / "j")
    with HashAhead(2, group_bytes, 0) as ahead:
        assert _walk(storage, ahead) == _walk(storage, None)
        assert _walk(storage, ahead) == _walk(storage, None)  # it can be used again


@pytest.mark.parametrize("seed", range(60))
def test_the_same_findings_in_a_spoiled_journal(tmp_path: Path, seed: int) -> None:
    _write(tmp_path / "j", seed)
    chance = random.Random(seed)
    segment = chance.choice(sorted((tmp_path / "j").glob("*.seg")))
    data = bytearray(segment.read_bytes())
    if chance.random() < 0.3:
        del data[chance.randrange(512, len(data)) :]
    else:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    segment.write_bytes(data)
    storage = FileStorage(tmp_path / "j")
    with HashAhead(2, 3_000, 0) as ahead:
        assert _walk(storage, ahead) == _walk(storage, None)


def test_small_frames_are_left_to_the_walk(tmp_path: Path) -> None:
    _write(tmp_path / "j", 1)
    storage = FileStorage(tmp_path / "j")
    with HashAhead(2) as ahead:
        ahead.begin(storage.map("00000000000000000001.seg").view, 512)
        assert ahead.take(512) is None
        assert _walk(storage, ahead) == _walk(storage, None)


def test_only_a_large_journal_is_worth_threads() -> None:
    assert HashAhead.for_bytes(1_000_000) is None
