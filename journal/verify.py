"""Verification: every byte of a journal is read, hashed and held against every rule.

Owns: the report. Must not know: repair, or what the records mean.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from journal.errors import CorruptJournal, Problem
from journal.hashing import HashAhead
from journal.scan import Scan
from journal.storage import Storage, as_storage

PROGRESS_BYTES = 32 << 20
# The report has a field named `bytes`, which hides the type of that name after it.
Digest = bytes


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found. `frames` to `root` describe the frames before the first problem.

    `roots` has the root at each size that was asked for, as far as the journal reaches. `frames` counts those that
    were pruned too, and `pruned` says how many they are; of what they held nothing is counted.

    `ok` is False for any corruption. A torn tail alone leaves `ok` True: nothing that was acknowledged is
    missing; it is named in `first_problem`, and `tail` is "torn". `seconds` is wall time, for people only.
    """

    ok: bool
    frames: int
    events: int
    records: int
    bytes: int
    head: Digest
    root: Digest
    first_problem: Problem | None
    tail: str
    seconds: float
    roots: dict[int, Digest] = field(default_factory=dict)
    pruned: int = 0


def verify_journal(
    path_or_storage: str | os.PathLike[str] | Storage,
    progress: Callable[[int, int], None] | None = None,
    sizes: Collection[int] = (),
) -> VerifyReport:
    """Check a whole journal. `progress` gets (bytes checked, bytes in all) every 32 MiB and at the end.

    `sizes` are numbers of frames at which the root is to be told, as of checkpoints.

    Damage is reported, not raised; UnsupportedFormat and JournalError (no journal there) are raised.
    """
    storage = as_storage(path_or_storage)
    total_bytes = sum(len(storage.map(name).view) for name in Scan(storage).segments)
    ahead = HashAhead.for_bytes(total_bytes)
    if ahead is None:
        return _verify(Scan(storage), total_bytes, progress, sizes)
    with ahead:
        return _verify(Scan(storage, ahead=ahead), total_bytes, progress, sizes)


def _verify(
    scan: Scan,
    total_bytes: int,
    progress: Callable[[int, int], None] | None,
    sizes: Collection[int],
) -> VerifyReport:
    started, tree = time.perf_counter(), scan.tree()
    events = records = 0
    reported = 0
    head, pruned = scan.first_prev, tree.size
    problem: Problem | None = None
    roots = {tree.size: tree.root} if tree.size in sizes else {}
    try:
        for frame in scan.frames():
            tree.append(frame.hash)
            head = frame.hash
            events += frame.event_count
            records += frame.record_count
            if tree.size in sizes:
                roots[tree.size] = tree.root
            if progress is not None and scan.bytes_done - reported >= PROGRESS_BYTES:
                reported = scan.bytes_done
                progress(reported, total_bytes)
    except CorruptJournal as error:
        problem = error.problem
    ok = problem is None
    tail = "clean"
    if scan.end is not None and scan.end.torn is not None:
        problem, tail = scan.end.torn, "torn"
    if progress is not None:
        progress(scan.bytes_done, total_bytes)
    return VerifyReport(
        ok,
        tree.size,
        events,
        records,
        scan.bytes_done,
        head,
        tree.root,
        problem,
        tail,
        time.perf_counter() - started,
        roots,
        pruned,
    )
