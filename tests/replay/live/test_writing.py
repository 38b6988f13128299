"""Nothing is called durable before it is; frames keep their order while the disk syncs; a failed disk is told once."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from journal import JournalFenced, JournalReader, JournalWriter
from journal.faulty import Faults, MemoryStorage
from kernel.events.layout import RECORD, schema_digest
from replay.live.writing import NO_COMMIT_BYTES, GroupCommit
from replay.pipeline import FrameCut

GENESIS = bytes(range(16))


async def until(done: Callable[[], bool]) -> None:
    """Wait for it, not for ever."""
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.001)


class Disk:
    """A journal on a disk that loses what was not synced, behind a group commit."""

    def __init__(self, faults: Faults | None = None, fsync: str = "batch") -> None:
        self.storage = MemoryStorage(faults)
        self.writer = JournalWriter.create(
            self.storage, origin="test", genesis_id=GENESIS, schema_digest=schema_digest(), fsync=fsync,
            batch_bytes=NO_COMMIT_BYTES, batch_frames=NO_COMMIT_BYTES,
        )  # fmt: skip
        self.durable: list[int] = []
        self.failures: list[BaseException] = []
        self.sequence = 1

    def commit_group(self, fsync: str = "batch") -> GroupCommit:
        back = asyncio.get_running_loop().call_soon_threadsafe if fsync == "batch" else None
        return GroupCommit(self.writer, fsync, self.durable.append, self.failures.append, back)

    def frame(self, count: int) -> tuple[bytes, bytes, FrameCut]:
        records = np.zeros(count, RECORD)
        records["sequence"] = np.arange(self.sequence, self.sequence + count)
        cut = FrameCut(count, 0, 0, self.sequence, count, self.sequence)
        self.sequence += count
        return records.tobytes(), b"", cut

    def events_after_power_cut(self, seed: int) -> int:
        left = self.storage.after_power_cut("lost", seed)
        return JournalReader(left).last_sequence


@pytest.mark.parametrize("seed", range(5))
def test_what_is_called_durable_survives_a_power_cut(seed: int) -> None:
    async def work() -> None:
        chance, disk = random.Random(seed), Disk()
        group = disk.commit_group()
        for _ in range(60):
            for _ in range(chance.randint(0, 5)):
                group.put(*disk.frame(chance.randint(1, 9)))
            group.commit()
            if chance.random() < 0.6:
                await asyncio.sleep(0.001)
            if disk.durable:
                assert disk.events_after_power_cut(seed) >= disk.durable[-1]
        group.close()
        assert disk.durable == sorted(disk.durable)
        assert not disk.failures
        reader = JournalReader(disk.storage)
        assert [int(np.frombuffer(f.records, RECORD)["sequence"][0]) for f in reader] == sorted(
            {frame.first_sequence for frame in reader}
        )
        assert reader.last_sequence == disk.sequence - 1

    asyncio.run(work())


def test_a_disk_that_fails_is_told_once_and_nothing_is_durable_after() -> None:
    async def work() -> None:
        disk = Disk()
        group = disk.commit_group()
        group.put(*disk.frame(2))
        group.commit()
        await until(lambda: bool(disk.durable))
        disk.storage.faults = Faults(fail_fsync=disk.storage.fsyncs + 1)
        group.put(*disk.frame(2))
        group.commit()
        await until(lambda: bool(disk.failures))
        group.put(*disk.frame(2))
        group.commit()
        await asyncio.sleep(0.02)
        assert disk.durable == [2]
        assert len(disk.failures) == 1

    asyncio.run(work())


@pytest.mark.parametrize("fsync", ["off", "always"])
def test_without_a_group_each_commit_answers_at_once(fsync: str) -> None:
    async def work() -> None:
        disk = Disk(fsync=fsync)
        group = disk.commit_group(fsync)
        group.commit()
        assert disk.durable == []
        group.put(*disk.frame(3))
        assert group.durable == 0
        group.commit()
        assert (disk.durable, group.durable) == ([3], 3)
        group.close()

    asyncio.run(work())


def test_what_a_rehearsal_meets_is_told_once(tmp_path: Path) -> None:
    options: dict[str, Any] = {"origin": "test", "genesis_id": GENESIS, "schema_digest": schema_digest()}
    stale = JournalWriter.create(tmp_path / "j", fsync="off", **options)
    failures: list[BaseException] = []
    group = GroupCommit(stale, "off", lambda _: None, failures.append)
    group.rehearse(bytes(RECORD.itemsize))
    assert not failures
    (tmp_path / "j" / "lock").rename(tmp_path / "j" / "lost")
    with JournalWriter.open(tmp_path / "j"):
        for _ in range(2):
            group.rehearse(bytes(RECORD.itemsize))
        group.put(bytes(RECORD.itemsize), b"", FrameCut(1, 0, 0, 1, 1, 1))
        assert [str(one) for one in failures] == ["this writer has epoch 1, and a newer writer has taken over"]
    with pytest.raises(JournalFenced):
        stale.close()
