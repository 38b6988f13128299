"""What an auditor waits for: verification, a checkpoint, and proofs, on a journal of ten million events.

    python -m bench.proofs [--events 10000000]

The journal is written by the journal's own writer, with records that mean nothing, 510 in each frame; and a second one
with 50 in each, as a live session writes them. Verification is compared with plain SHA-256 of the same bytes by one
process, in turn.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.journals import hash_plainly
from journal import JournalWriter, verify_journal
from journal.note import SigningKey
from journal.proof_file import check_event_proof, prove_event
from journal.tlog import make_checkpoint

EVENTS_A_FRAME, EVENTS_A_SMALL_FRAME = 510, 50
REPEATS, PROOFS = 5, 50


def _write(journal: Path, events: int, events_a_frame: int) -> None:
    records = random.Random(1).randbytes(128 * events_a_frame)
    with JournalWriter.create(
        journal, origin="bench", genesis_id=bytes(16), schema_digest=bytes(32), fsync="off"
    ) as writer:
        while writer.next_sequence <= events:
            sequence = writer.next_sequence
            writer.append(records, event_count=events_a_frame, first_sequence=sequence, ts_ingest_ns=sequence)


def _timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _print_verification(journal: Path, events_a_frame: int) -> None:
    plain, verify = [], []
    for _ in range(REPEATS):
        plain.append(hash_plainly(journal))
        verify.append(_timed(lambda: verify_journal(journal)))
    size = sum(path.stat().st_size for path in journal.glob("*.seg"))
    print(f"{events_a_frame} records in a frame, {size:,} bytes")
    print(f"plain SHA-256      {min(plain):8.3f} s")
    print(f"verify             {min(verify):8.3f} s   {min(plain) / min(verify):.2f} of plain SHA-256")


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    events = parser.parse_args().events
    key, chance = SigningKey("bench", bytes(32)), random.Random(2)
    with tempfile.TemporaryDirectory(prefix="kernel-proofs-") as folder:
        small, journal = Path(folder) / "small", Path(folder) / "journal"
        print(f"{events:,} events")
        _write(small, events, EVENTS_A_SMALL_FRAME)
        _print_verification(small, EVENTS_A_SMALL_FRAME)
        shutil.rmtree(small)
        _write(journal, events, EVENTS_A_FRAME)
        _print_verification(journal, EVENTS_A_FRAME)
        print(f"first checkpoint   {_timed(lambda: make_checkpoint(journal, key)):8.3f} s")
        note, proofs, made, checked = make_checkpoint(journal, key), [], [], []
        for _ in range(PROOFS):
            sequence = chance.randint(1, events)
            made.append(_timed(lambda: proofs.append(prove_event(journal, sequence, note))))  # noqa: B023
            checked.append(_timed(lambda: check_event_proof(proofs[-1], [key.verifier])))
        for name, taken in (("prove one event", made), ("check the proof", checked)):
            print(f"{name:<18} {statistics.median(taken) * 1e3:8.3f} ms at the median, {max(taken) * 1e3:.3f} at most")
        print(f"size of a proof    {max(map(len, proofs)):,} bytes")


if __name__ == "__main__":
    main()
