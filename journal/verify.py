"""Verification: every byte of a journal is read, hashed and held against every rule.

Owns: the report. Must not know: repair, or what the records mean.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from journal.errors import CorruptJournal, Problem
from journal.merkle import MerkleTree
from journal.scan import Scan
from journal.storage import Storage, as_storage

PROGRESS_BYTES = 32 << 20
# The report has a field named `bytes`, which hides the type of that name after it.
Digest = bytes


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found. `frames` to `root` describe the frames before the first problem.

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


def verify_journal(
    path_or_storage: str | os.PathLike[str] | Storage, progress: Callable[[int, int], None] | None = None
) -> VerifyReport:
    """Check a whole journal. `progress` gets (bytes checked, bytes in all) every 32 MiB and at the end.

    Damage is reported, not raised; UnsupportedFormat and JournalError (no journal there) are raised.
    """
    started, storage = time.perf_counter(), as_storage(path_or_storage)
    scan, tree = Scan(storage), MerkleTree()
    total_bytes = sum(len(storage.map(name).view) for name in scan.segments)
    events = records = 0
    reported = 0
    head = scan.identity.genesis_prev() if scan.identity is not None else b""
    problem: Problem | None = None
    try:
        for frame in scan.frames():
            tree.append(frame.hash)
            head = frame.hash
            events += frame.event_count
            records += frame.record_count
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
    )
