"""Putting finished frames on the disk: segments, rotation, fsync policy, and the order of it all.

Owns: the open segment and `durable_upto`. Must not know: what a frame holds, or who numbered it. Failures are
OSError; the writer turns them into a poisoned state.

Order on each durable point: frame bytes, fdatasync of the segment, then the head seal. So the seal never
claims what the disk does not hold, and what is reported durable is so by then.
"""

from __future__ import annotations

from journal.layout import SEGMENT_HEADER_BYTES, Identity, SegmentHeader, segment_name
from journal.seal import SealWriter
from journal.segments import End
from journal.storage import Storage

# One group commit at most: what a crash under `batch` may cost, and what `open` writes again.
BATCH_SYNC_BYTES = 4 << 20
BATCH_SYNC_FRAMES = 4096
REWRITE_BYTES = 1 << 20


class Sink:
    """Writes frames to the current segment. `always` syncs each, `batch` syncs groups, `off` never syncs."""

    def __init__(
        self,
        storage: Storage,
        identity: Identity,
        seal: SealWriter,
        policy: str,
        group_bytes: int,
        group_frames: int,
    ) -> None:
        self._storage, self._identity, self._seal, self._policy = storage, identity, seal, policy
        self._group_bytes, self._group_frames = group_bytes, group_frames
        self._gathered_bytes = self._gathered_frames = 0
        self._handle: int | None = None
        self.segment = ""
        self.offset = 0
        self.durable_upto = 0

    def start(self, next_sequence: int, head: bytes) -> None:
        """Begin a new journal's first segment."""
        self._seal.claim_epoch()
        self._seal.note(0, head, next_sequence)
        if self._policy != "off":
            self._seal.flush()
        self._begin_segment(1, next_sequence, head)

    def resume(self, segments: list[str], end: End, acknowledged: int) -> None:
        """Go on where a checked journal ends; everything in it is durable after this, unless the policy is
        `off`.
        """
        self._handle, self.segment = self._storage.open(end.segment), end.segment
        self.offset, self.durable_upto = end.offset, end.durable_upto
        self._seal.claim_epoch()
        if self._policy != "off":
            make_durable(self._storage, segments, end, acknowledged)
            self._seal.note(end.number, end.head, end.next_sequence)
            self._seal.flush()
            self.durable_upto = end.number

    def is_current(self) -> bool:
        """False once another writer has claimed a higher epoch."""
        return self._seal.is_current()

    def is_full(self, frame_bytes: int) -> bool:
        """Must a frame of this length begin a new segment? (An empty segment takes any frame.)"""
        return self.offset + frame_bytes > self._identity.segment_bytes and self.offset > SEGMENT_HEADER_BYTES

    def write(self, frame: memoryview, number: int, next_sequence: int, head: bytes) -> None:
        """Write frame `number`, whose hash is `head`, and sync if the policy says so."""
        assert self._handle is not None
        self._storage.pwrite(self._handle, frame, self.offset)
        self.offset += len(frame)
        if self._policy == "off":
            return
        self._gathered_bytes += len(frame)
        self._gathered_frames += 1
        if self._policy == "always":
            self._sync_segment(number, next_sequence, head)
            # The seal lasts once `sync` or `close` flushes it; a second fsync per frame would halve the pace.
            self.durable_upto = number
        elif self._gathered_bytes >= self._group_bytes or self._gathered_frames >= self._group_frames:
            self.sync(number, next_sequence, head)

    def sync(self, number: int, next_sequence: int, head: bytes) -> None:
        """Make everything up to frame `number` durable; nothing under `off`."""
        if self._policy == "off":
            return
        if self._gathered_frames:
            self._sync_segment(number, next_sequence, head)
        self._seal.flush()
        self.durable_upto = number

    def rotate(self, number: int, next_sequence: int, head: bytes) -> None:
        """Finish the segment, which ends with frame `number`, and begin the next."""
        self.sync(number, next_sequence, head)
        assert self._handle is not None
        handle, self._handle = self._handle, None
        self._storage.close(handle)
        self._begin_segment(number + 1, next_sequence, head)

    def close(self) -> None:
        """Let go of the files; nothing is synced."""
        if self._handle is not None:
            self._storage.close(self._handle)
            self._handle = None
        self._seal.close()

    def _sync_segment(self, number: int, next_sequence: int, head: bytes) -> None:
        assert self._handle is not None
        self._storage.fdatasync(self._handle)
        self._gathered_bytes = self._gathered_frames = 0
        self._seal.note(number, head, next_sequence)

    def _begin_segment(self, number: int, first_sequence: int, prev: bytes) -> None:
        header = SegmentHeader(self._identity, number, first_sequence, prev)
        self.segment = segment_name(number)
        self._handle = self._storage.open(self.segment, create=True)
        self._storage.pwrite(self._handle, header.pack(), 0)
        self.offset = SEGMENT_HEADER_BYTES
        if self._policy != "off":
            self._storage.fdatasync(self._handle)
            self._storage.sync_folder()


def make_durable(storage: Storage, segments: list[str], end: End, acknowledged: int) -> None:
    """Make all that a walk has read durable, before anybody calls it so.

    What was never acknowledged is written again, not only synced: after a failed fsync the kernel may show
    bytes that it will never write, and a second fsync would report success for them.
    """
    known = max(acknowledged, end.durable_upto)
    for index, name in enumerate(segments):
        if index + 1 < len(segments) and _first_frame(segments[index + 1]) - 1 <= known:
            continue
        handle = storage.open(name)
        try:
            # An empty segment has no acknowledged frame that would vouch for its header.
            vouched = acknowledged >= max(end.number, _first_frame(name))
            if name == end.segment and not vouched:
                for at in range(0, end.offset, REWRITE_BYTES):
                    chunk = storage.read(handle, min(REWRITE_BYTES, end.offset - at), at)
                    storage.pwrite(handle, chunk, at)
            storage.fdatasync(handle)
        finally:
            storage.close(handle)
    storage.sync_folder()


def _first_frame(segment: str) -> int:
    return int(segment.removesuffix(".seg"))
