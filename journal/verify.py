"""Verification: every byte of a journal is read, hashed and held against every rule.

Owns: the report. Must not know: repair, or what the records mean.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from journal.errors import CorruptJournal, Problem
from journal.order import WalkedPart
from journal.scan import Scan
from journal.storage import Storage, as_storage
from journal.workers import parts_of, processes_for, walk_apart

PROGRESS_BYTES = 32 << 20
GROUP_FRAMES = 256  # of which the tree takes in the hashes together
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
    processes: int | None = None,
) -> VerifyReport:
    """Check a whole journal. `progress` gets (bytes checked, bytes in all) every 32 MiB or so, and at the end.

    `sizes` are numbers of frames at which the root is to be told, as of checkpoints. A big journal of real files is
    walked in several `processes` (None: as many as pay); the report does not depend on how many.

    Damage is reported, not raised; UnsupportedFormat and JournalError (no journal there) are raised.
    """
    scan = Scan(as_storage(path_or_storage))
    total_bytes = sum(len(scan.storage.map(name).view) for name in scan.segments)
    parts = parts_of(scan.storage, scan.segments)
    if processes is None:
        processes = processes_for(scan.storage, len(parts), total_bytes)
    return verify_scan(scan, walk_apart(scan.storage, parts, processes), total_bytes, progress, sizes)


def verify_scan(
    scan: Scan,
    walked: Generator[WalkedPart, None, None],
    total_bytes: int,
    progress: Callable[[int, int], None] | None,
    sizes: Collection[int],
) -> VerifyReport:
    """Verify what ``scan`` is of. Parts that were ``walked`` apart join as far as each follows; it walks the rest.

    So the report is that of the one walk, whatever ``walked`` has: what does not join is walked again, when ``walked``
    is closed.
    """
    started, walk = time.perf_counter(), _Walk(scan, total_bytes, progress, sizes)
    problem: Problem | None = None
    try:
        with closing(walked):
            walk.join(walked)
        walk.finish()
    except CorruptJournal as error:
        problem = error.problem
    ok, tail = problem is None, "clean"
    if scan.end is not None and scan.end.torn is not None:
        problem, tail = scan.end.torn, "torn"
    if progress is not None:
        progress(scan.bytes_done, total_bytes)
    return VerifyReport(
        ok,
        walk.tree.size,
        walk.events,
        walk.records,
        scan.bytes_done,
        walk.head,
        walk.tree.root,
        problem,
        tail,
        time.perf_counter() - started,
        walk.roots,
        scan.pruned.frames,
    )


class _Walk:
    """What the frames so far come to."""

    def __init__(
        self, scan: Scan, total_bytes: int, progress: Callable[[int, int], None] | None, sizes: Collection[int]
    ) -> None:
        self.tree, self.head, self.events, self.records = scan.tree(), scan.first_prev, 0, 0
        self.roots = {self.tree.size: self.tree.root} if self.tree.size in sizes else {}
        self._scan, self._sizes, self._progress = scan, sorted(sizes), progress
        self._total_bytes, self._reported_bytes = total_bytes, 0

    def join(self, walked: Iterable[WalkedPart]) -> None:
        """Take in parts in their order, up to the first that does not follow on those before it."""
        for part in walked:
            if not self._scan.join(part):
                return
            self.events += part.events
            self.records += part.records
            self._add(part.frame_hashes())

    def finish(self) -> None:
        """Walk the frames that are left. Raises CorruptJournal at the first break."""
        hashes: list[bytes] = []
        events = records = 0
        try:
            for frame in self._scan.frames():
                hashes.append(frame.hash)
                events += frame.event_count
                records += frame.record_count
                if len(hashes) == GROUP_FRAMES:
                    self._add(hashes)
                    hashes.clear()
        finally:
            self._add(hashes)
            self.events += events
            self.records += records

    def _add(self, hashes: Sequence[bytes]) -> None:
        if not hashes:
            return
        before, done = self.tree.size, 0
        first, beyond = (bisect_right(self._sizes, size) for size in (before, before + len(hashes)))
        for size in self._sizes[first:beyond]:
            self.tree.extend(hashes[done : size - before])
            self.roots[size], done = self.tree.root, size - before
        self.tree.extend(hashes[done:])
        self.head = hashes[-1]
        if self._progress is not None and self._scan.bytes_done - self._reported_bytes >= PROGRESS_BYTES:
            self._reported_bytes = self._scan.bytes_done
            self._progress(self._reported_bytes, self._total_bytes)
