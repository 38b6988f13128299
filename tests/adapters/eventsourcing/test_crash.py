"""SIGKILL in the middle of inserts: after each reopening all that was acknowledged is there, once, and proven."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest

from adapters.eventsourcing import Factory
from journal import verify_journal
from tests.adapters.eventsourcing.inserting import UPSTREAM, state_of

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("KERNEL_KILLS", "16"))


def kill_one(folder: Path, fsync: str, delay_seconds: float) -> tuple[int, int]:
    """Let a child insert for so long after its first insert; what it had been told is stored."""
    command = [sys.executable, "-m", "tests.adapters.eventsourcing.inserting", str(folder), fsync]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    said = child.stdout.readline()
    time.sleep(delay_seconds)
    os.kill(child.pid, signal.SIGKILL)
    said += child.stdout.read()
    child.wait()
    child.stdout.close()
    # The last line may be cut; the ones before it were acknowledged.
    last, position = said[: said.rindex(b"\n")].splitlines()[-1].split()
    return int(last), int(position)


@pytest.mark.parametrize(("fsync", "kills"), [("always", KILLS), ("batch", KILLS // 2)])
def test_what_was_acknowledged_survives_sigkill(tmp_path: Path, fsync: str, kills: int) -> None:
    chance, folder, seen = random.Random(7), tmp_path / "journal", 0
    for _ in range(kills):
        acknowledged, position = kill_one(folder, fsync, chance.uniform(0.0, 0.05))
        # The reopening by the next child, or here, is the recovery.
        factory = Factory({"JOURNAL_PATH": str(folder), "JOURNAL_FSYNC": fsync})
        recorder = factory.process_recorder()
        stored = recorder.max_notification_id() or 0
        assert seen < acknowledged <= stored <= acknowledged + 3
        assert position <= (recorder.max_tracking_id(UPSTREAM) or 0) <= position + 1
        notifications = recorder.select_notifications(start=seen + 1, limit=stored)
        assert [found.id for found in notifications] == list(range(seen + 1, stored + 1))
        for found in notifications:
            assert found.originator_version == found.id
            assert found.state == state_of(found.id)
        versions = [event.originator_version for n in range(7) for event in recorder.select_events(UUID(int=n))]
        assert sorted(versions) == list(range(1, stored + 1))
        factory.close()
        report = verify_journal(folder)
        assert report.ok
        assert report.tail == "clean"
        assert report.events == stored
        seen = stored
