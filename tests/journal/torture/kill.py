"""The real thing: a child process writes real files and is killed with SIGKILL at moments drawn from a seed.

Owns: the child, the pipe on which it reports what it was told is durable, and the check after each kill. The
same journal is killed, recovered and resumed again and again.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from journal import JournalReader, JournalWriter, recover_journal, verify_journal
from tests.journal.torture.workload import GENESIS_ID, SCHEMA_DIGEST, Tally

_REPORT = struct.Struct("<QQ32s")
_LIMIT_SECONDS = 20.0


def write_forever(directory: str, policy: str) -> None:
    """The child: open (or create) the journal and append until killed, reporting after each append."""
    if any(Path(directory).glob("*.seg")):
        recover_journal(directory)
        writer = JournalWriter.open(directory, fsync=policy, batch_frames=5)
    else:
        writer = JournalWriter.create(
            directory,
            origin="kill",
            genesis_id=GENESIS_ID,
            schema_digest=SCHEMA_DIGEST,
            fsync=policy,
            segment_bytes=1 << 18,
            batch_frames=5,
        )
    while True:
        number = writer.frame_count + 1
        size = number * 7919 % 60_000
        writer.append(
            b"",
            number.to_bytes(8, "little") * (size // 8),
            event_count=1,
            first_sequence=writer.next_sequence,
            ts_ingest_ns=number,
        )
        os.write(1, _REPORT.pack(number, writer.durable_upto, writer.head))


def kills(policy: str, rounds: int, seed: int) -> Tally:
    """Kill `rounds` children in a row over one journal, each after a delay drawn from `seed`."""
    tally = Tally(f"SIGKILL of a child on real files, {policy}")
    chance = random.Random(seed)
    directory = tempfile.mkdtemp(prefix="journal-kill-")
    hashes: dict[int, bytes] = {}
    try:
        for _ in range(rounds):
            acknowledged = _one_child(directory, policy, chance.uniform(0.0, 0.06), hashes)
            _check(tally, directory, acknowledged, hashes)
    finally:
        shutil.rmtree(directory)
    return tally


def _one_child(directory: str, policy: str, delay_seconds: float, hashes: dict[int, bytes]) -> int:
    """Start a child, kill it `delay_seconds` after its first report; return what it was told is durable."""
    command = [sys.executable, "-m", "tests.journal.torture.kill", directory, policy]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, cwd=_root())
    assert child.stdout is not None
    pipe, received, killed = child.stdout.fileno(), b"", False
    kill_at = time.monotonic() + _LIMIT_SECONDS
    while True:
        if not killed and time.monotonic() >= kill_at:
            os.kill(child.pid, signal.SIGKILL)
            killed = True
        ready, _, _ = select.select([pipe], [], [], 0.002)
        if not ready:
            continue
        part = os.read(pipe, 1 << 16)
        if not part:
            break
        if not received:
            kill_at = time.monotonic() + delay_seconds
        received += part
    child.wait()
    child.stdout.close()
    acknowledged = 0
    for at in range(0, len(received) - len(received) % _REPORT.size, _REPORT.size):
        number, durable_upto, head = _REPORT.unpack_from(received, at)
        hashes[number] = head
        acknowledged = max(acknowledged, durable_upto)
    return acknowledged


def _check(tally: Tally, directory: str, acknowledged: int, hashes: dict[int, bytes]) -> None:
    tally.cases += 1
    report = recover_journal(directory)
    tally.slugs[report.torn.kind if report.torn else "clean"] += 1
    found = {frame.number: frame.hash for frame in JournalReader(directory)}
    tally.lost += any(found.get(n) != hashes.get(n, found.get(n)) for n in range(1, acknowledged + 1))
    tally.lost += len(found) < acknowledged
    # A killed process loses nothing that it wrote: each reported frame is there, synced or not.
    tally.lost += any(found.get(n) != hashed for n, hashed in hashes.items())
    tally.unusable += not verify_journal(directory).ok
    hashes.clear()
    hashes.update(found)


def _root() -> Path:
    return Path(__file__).resolve().parents[3]


if __name__ == "__main__":
    write_forever(sys.argv[1], sys.argv[2])
