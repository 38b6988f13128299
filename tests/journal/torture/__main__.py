"""`python -m tests.journal.torture`: run every case and print the table; exit 1 if anything was lost or
accepted.

`--quick` thins the long enumerations out, `--canary` plants bugs and exits 1 if one goes unnoticed,
`--verify-speed` compares verification with plain SHA-256 over the same bytes in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from journal import JournalWriter, verify_journal
from tests.journal.torture import canary, damage, failures, kill
from tests.journal.torture.workload import (
    GENESIS_ID,
    ONE_SEGMENT,
    SCHEMA_DIGEST,
    SMALL_SEGMENTS,
    Tally,
    total,
)

SPEED_FRAMES = 1500
SPEED_ROUNDS = 5


def rows(*, quick: bool, seed: int) -> Iterator[Tally]:
    """Every row of the table, as it is ready."""
    stride = 97 if quick else 1
    for sealed in (True, False):
        for segment_bytes in (ONE_SEGMENT, SMALL_SEGMENTS):
            yield damage.cuts("always", segment_bytes, sealed=sealed, stride=stride)
            yield damage.flips("always", segment_bytes, sealed=sealed, stride=stride)
            for policy in ("always", "batch"):
                yield damage.zeroed(policy, segment_bytes, sealed=sealed, stride=7 if quick else 1)
                yield damage.rearranged(policy, segment_bytes, sealed=sealed)
                yield damage.forged(policy, segment_bytes, sealed=sealed)
    yield damage.seal_flips(stride)
    for policy in failures.POLICIES:
        yield failures.full_disk(policy, stride)
        yield failures.failing_io(policy, "write", 1)
        if policy != "off":
            yield failures.failing_io(policy, "fsync", 1)
        yield failures.crashes(policy, 1, kill=True)
        yield failures.crashes(policy, 4 if quick else 24, kill=False)
        yield failures.crashes(policy, 4 if quick else 24, kill=False, one_group=True)
        if policy != "off" and not quick:
            yield failures.crashes_in_recovery(policy)
    for policy in ("always", "batch", "off"):
        yield kill.kills(policy, 2 if quick else 12, seed)


def print_table(tallies: Iterator[Tally]) -> int:
    """Print rows as they come; return the number of violations."""
    print(
        f"{'case':<58} {'cases':>7} {'lost':>5} {'accepted':>9} {'unlike':>7} {'unusable':>9} {'refused':>8}  findings"
    )
    done: list[Tally] = []
    for tally in tallies:
        done.append(tally)
        slugs = ", ".join(f"{slug} {count}" for slug, count in tally.slugs.most_common())
        print(
            f"{tally.name:<58} {tally.cases:>7} {tally.lost:>5} {tally.accepted:>9} {tally.unlike:>7} "
            f"{tally.unusable:>9} {tally.refused:>8}  {slugs}",
            flush=True,
        )
    cases, lost, accepted = (
        sum(t.cases for t in done),
        sum(t.lost for t in done),
        sum(t.accepted for t in done),
    )
    unlike, unusable, refused = (sum(getattr(t, name) for t in done) for name in ("unlike", "unusable", "refused"))
    print(f"{'total':<58} {cases:>7} {lost:>5} {accepted:>9} {unlike:>7} {unusable:>9} {refused:>8}")
    return total(done)


def print_canaries() -> int:
    """Return the number of planted bugs that no row noticed."""
    unnoticed = 0
    for planted, tally in canary.canaries():
        unnoticed += not tally.violations
        verdict = "caught" if tally.violations else "NOT CAUGHT"
        counted = f"{tally.violations:>6} violations in {tally.cases:>6} cases of: {tally.name}"
        print(f"{planted:<36} {verdict:<11} {counted}")
    return unnoticed


def print_verify_speed() -> int:
    """Verify and hash plainly in turn over one journal of 64 KB frames; print medians and their ratio."""
    directory = tempfile.mkdtemp(prefix="journal-speed-")
    try:
        _write_big_frames(directory)
        hashing, verifying = [], []
        bytes_read = 0
        for _ in range(SPEED_ROUNDS):
            hashing.append(_seconds(lambda: _hash_plainly(directory)))
            verifying.append(_seconds(lambda: verify_journal(directory)))
            bytes_read = verify_journal(directory).bytes
    finally:
        shutil.rmtree(directory)
    plain, verified = (bytes_read / statistics.median(each) / 1e6 for each in (hashing, verifying))
    ratio = verified / plain
    print(f"plain SHA-256 {plain:.0f} MB/s, verify {verified:.0f} MB/s, ratio {ratio:.2f} (floor 0.80)")
    print(f"{bytes_read / 1e6:.0f} MB in 64 KB frames, median of {SPEED_ROUNDS} rounds")
    return ratio < 0.8


def _write_big_frames(directory: str) -> None:
    body, records = bytes(range(1, 252)) * 130, bytes(range(1, 129)) * 250
    with JournalWriter.create(directory, origin="speed", genesis_id=GENESIS_ID, schema_digest=SCHEMA_DIGEST) as writer:
        started = time.perf_counter()
        for index in range(SPEED_FRAMES):
            writer.append(records, body, event_count=250, first_sequence=writer.next_sequence, ts_ingest_ns=index)
        print(f"append: {(time.perf_counter() - started) / SPEED_FRAMES * 1e6:.0f} microseconds per 64 KB frame")


def _hash_plainly(directory: str) -> None:
    for segment in sorted(Path(directory).glob("*.seg")):
        digest = hashlib.sha256()
        with segment.open("rb") as file:
            while chunk := file.read(1 << 16):
                digest.update(chunk)
        digest.digest()


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.journal.torture", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--canary", action="store_true")
    parser.add_argument("--verify-speed", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.canary:
        return 1 if print_canaries() else 0
    if options.verify_speed:
        return print_verify_speed()
    return 1 if print_table(rows(quick=options.quick, seed=options.seed)) else 0


if __name__ == "__main__":
    sys.exit(main())
