"""Reading a journal: streaming, memory-mapped, without a lock.

Owns: iteration and look-up by sequence. Must not know: repair; a reader never writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from journal.errors import CorruptJournal, Problem
from journal.frame import Frame
from journal.layout import Identity
from journal.scan import Scan
from journal.segments import End
from journal.storage import Storage, as_storage
from journal.torn import REFUSED


class JournalReader:
    """The frames of a journal as they are on the disk when iteration begins.

    Each iteration walks anew, and checks all that it passes (CRCs, numbers, end marks, the hash chain; with
    `check_hashes=False` only headers and numbers). It raises CorruptJournal at the first break. A torn tail
    ends it quietly, and `tail` then says "torn"; that is also what a reader sees of a frame that a writer is
    writing.
    """

    def __init__(self, path_or_storage: str | os.PathLike[str] | Storage, *, check_hashes: bool = True) -> None:
        self._storage = as_storage(path_or_storage)
        self._check_hashes = check_hashes
        identity = self._scan().identity
        if identity is None:
            raise CorruptJournal(
                Problem(
                    "segment-damaged",
                    self._scan().segments[0],
                    0,
                    1,
                    "the first segment's header is damaged or its creation was interrupted",
                    REFUSED,
                )
            )
        self._identity: Identity = identity
        self._end: End | None = None

    def _scan(self) -> Scan:
        return Scan(self._storage, check_hashes=self._check_hashes)

    def __iter__(self) -> Iterator[Frame]:
        return self._walk(self._scan(), None)

    def iter_from(self, sequence: int) -> Iterator[Frame]:
        """Frames from the one that accounts for `sequence` on; the search reads one segment's headers."""
        return self._walk(self._scan(), sequence)

    def _walk(self, scan: Scan, sequence: int | None) -> Iterator[Frame]:
        yield from scan.frames(sequence)
        self._end = scan.end

    def _reach_end(self) -> End:
        if self._end is None:
            for _ in self._walk(Scan(self._storage, check_hashes=False), (1 << 64) - 1):
                pass
        assert self._end is not None
        return self._end

    @property
    def origin(self) -> str:
        return self._identity.origin

    @property
    def genesis_id(self) -> bytes:
        return self._identity.genesis_id

    @property
    def schema_digest(self) -> bytes:
        return self._identity.schema_digest

    @property
    def pruned_frames(self) -> int:
        """How many frames were pruned from the beginning."""
        return self._scan().pruned.frames

    @property
    def first_sequence(self) -> int:
        """The sequence with which the first frame begins."""
        return self._scan().first_sequence

    @property
    def last_sequence(self) -> int:
        """The last sequence accounted for, as of the last completed iteration; `first_sequence - 1` if none
        is.
        """
        return self._reach_end().next_sequence - 1

    @property
    def frame_count(self) -> int:
        """The number of the last whole frame, as of the last completed iteration."""
        return self._reach_end().number

    @property
    def tail(self) -> str:
        """ "clean" or "torn", as of the last completed iteration."""
        return "clean" if self._reach_end().torn is None else "torn"
