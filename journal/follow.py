"""Checkpoints of a journal that is being written: what is new since the last one is added to its tiles, and signed.

Owns: going on from the last checkpoint, so that a session of a year is not read again each minute. Must not know: when
a checkpoint is due, or which frames are durable; whoever adds a frame says that it is.

It does not verify what was signed before: the last frame of it, which vouches for all before it, must be as it was.
``journal.tlog.make_checkpoint`` verifies everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from journal.checkpoint import Checkpoint
from journal.kept import TLOG_DIR, LogError, latest_checkpoint, log_lock, sign_and_keep
from journal.merkle import MerkleTree
from journal.note import SigningKey
from journal.proof import root_of
from journal.scan import Scan
from journal.segments import read_segment_header
from journal.storage import as_storage
from journal.tiles import TileError, TileNodes, TileWriter
from journal.tlog import differs, journal_origin, make_durable, rewritten


class Follower:
    """The tiles of a journal, and the tree over the ``size`` frames in them; for one thread at a time.

    Raises JournalError, also when the journal is not what was signed.
    """

    def __init__(self, journal: Path) -> None:
        self._journal, self._origin = journal, journal_origin(journal)
        self._folder = journal / TLOG_DIR
        last = latest_checkpoint(journal)
        self._before = Checkpoint.of_note(last) if last is not None else None
        self._tree, self._tiles = self._resume()

    @property
    def size(self) -> int:
        """How many frames were added."""
        return self._tree.size

    @property
    def checkpoint(self) -> Checkpoint:
        """Of the frames that were added."""
        return Checkpoint(self._origin, self._tree.size, self._tree.root)

    def _resume(self) -> tuple[MerkleTree, TileWriter]:
        """From the last checkpoint where its tiles are there, from the first frame where not."""
        before = self._before
        if before is not None and before.size:
            nodes = TileNodes(self._folder, before.size)
            try:
                if root_of(nodes, before.size) == before.root:
                    self._last_hash = nodes.node(0, before.size - 1)
                    return MerkleTree.of_nodes(nodes, before.size), TileWriter(self._folder, before.size)
            except TileError:
                pass  # tiles can always be made again
        self._last_hash = b""
        return MerkleTree(), TileWriter(self._folder)

    def catch_up(self, upto: int) -> Iterator[int]:
        """Add the frames on the disk up to frame ``upto``, and make them durable; yields the number of each."""
        scan, begun, reached = Scan(as_storage(self._journal)), self.size, 0
        if scan.pruned.frames > begun:
            raise LogError(f"{self._journal}: the tiles of its pruned frames are gone; restore tlog from a backup")
        make_durable(self._journal)
        for frame in scan.frames(self._first_sequence(scan)):
            if frame.number > upto:
                break
            if frame.number == begun and frame.hash != self._last_hash:
                raise LogError(rewritten(self._checked()))
            if frame.number > begun:
                self.add(frame.number, frame.hash)
            reached = frame.number
            yield reached
        if self._before is not None and reached < self._before.size:
            raise LogError(differs(self._before, reached))

    def _first_sequence(self, scan: Scan) -> int | None:
        """Where the segment begins that holds the last frame that was signed."""
        low, high = 0, len(scan.segments) - 1
        found = None
        while low <= high and self.size:
            middle = (low + high) // 2
            header = read_segment_header(scan.storage, scan.segments[middle])
            if header is not None and header.first_frame_number <= self.size:
                low, found = middle + 1, header.first_sequence
            else:
                high = middle - 1
        return found

    def _checked(self) -> Checkpoint:
        assert self._before is not None
        return self._before

    def add(self, number: int, frame_hash: bytes) -> None:
        """Add the next frame, which is on the disk."""
        assert number == self.size + 1
        self._tree.append(frame_hash)
        self._tiles.append(frame_hash, b"")
        before = self._before
        if before is not None and self.size == before.size and self._tree.root != before.root:
            raise LogError(rewritten(before))

    def sign(self, key: SigningKey) -> bytes:
        """Sign what was added and keep the note; returns it, or a later one that another process made meanwhile."""
        with log_lock(self._journal):
            last = latest_checkpoint(self._journal)
            made = self.checkpoint
            if last is not None:
                before = Checkpoint.of_note(last)
                if before.size > made.size:
                    return last
                if before.size == made.size and before != made:
                    raise LogError(rewritten(before))
            self._tiles.finish()
            return sign_and_keep(self._journal, made, key)
