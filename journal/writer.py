"""The one writer of a journal.

Owns: numbering, hashing, fsync policy, rotation, the lock and the fencing epoch. Must not know: what the
records and bodies mean, the time, or chance: every byte is a pure function of the calls and their arguments.

Order of effects on each durable point: frame bytes, fdatasync of the segment, then the head seal. Nothing is
reported durable before. The first failed write or fsync poisons the writer for good: what the disk holds is
then unknown, and only reopening, which reads everything again, can tell.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType
from typing import Any, NoReturn, Self

from journal.errors import (
    InvalidFrame,
    JournalError,
    JournalFenced,
    JournalPoisoned,
    TornTail,
)
from journal.layout import (
    END_MARK_BYTES,
    FORMAT_VERSION,
    FRAME_HEADER_BYTES,
    FRAME_MAGIC,
    FRAME_OVERHEAD_BYTES,
    MAX_FRAME_BYTES,
    MAX_ORIGIN_BYTES,
    RECORD_BYTES,
    SEGMENT_HEADER_BYTES,
    U64_MAX,
    Identity,
    SegmentHeader,
    count_zero_sectors,
    frame_bytes_for,
    pack_frame_header,
    seal_frame,
    segment_name,
)
from journal.merkle import MerkleTree
from journal.scan import End, Scan
from journal.seal import POLICIES, SealWriter
from journal.storage import Storage, as_storage

DEFAULT_SEGMENT_BYTES = 64 << 20
# One group commit at most: what a crash under `batch` may cost, and what `open` writes again.
BATCH_SYNC_BYTES = 4 << 20
BATCH_SYNC_FRAMES = 4096
REWRITE_BYTES = 1 << 20


def random_genesis_id() -> bytes:
    """16 random bytes, for callers that want a fresh journal identity. The writer itself never uses chance."""
    return os.urandom(16)


class JournalWriter:
    """Appends frames. Make one with `create` or `open`; close it, or use it in a `with` block.

    fsync policies: `always` makes each frame durable before `append` returns; `batch` does so when 4 MiB or
    4,096 frames have gathered, on rotation, and on `sync` and `close`; `off` never (`durable_upto` then
    stands still).
    """

    def __init__(
        self,
        storage: Storage,
        identity: Identity,
        seal: SealWriter,
        end: End,
        tree: MerkleTree,
        *,
        fsync: str,
        batch_bytes: int,
        batch_frames: int,
    ) -> None:
        self._storage, self._identity, self._seal, self._tree = storage, identity, seal, tree
        self._fsync, self._batch_bytes, self._batch_frames = fsync, batch_bytes, batch_frames
        self._number, self._next_sequence, self._head = end.number, end.next_sequence, end.head
        self._epoch, self._durable_upto, self._offset = end.epoch, end.durable_upto, end.offset
        self._gathered_bytes = self._gathered_frames = 0
        self._handle: int | None = None
        self._failure: BaseException | None = None
        self._closed = False
        self._frame = bytearray(MAX_FRAME_BYTES + 1)
        self._view = memoryview(self._frame)

    @classmethod
    def create(
        cls,
        path_or_storage: str | os.PathLike[str] | Storage,
        *,
        origin: str,
        genesis_id: bytes,
        schema_digest: bytes,
        fsync: str = "batch",
        segment_bytes: int = DEFAULT_SEGMENT_BYTES,
        first_sequence: int = 1,
        batch_bytes: int = BATCH_SYNC_BYTES,
        batch_frames: int = BATCH_SYNC_FRAMES,
    ) -> Self:
        """Begin a new journal; JournalError if there is one already, JournalLocked if it is in use."""
        _check_identity(origin, genesis_id, schema_digest, fsync, segment_bytes)
        storage = as_storage(path_or_storage)
        identity = Identity(origin, bytes(genesis_id), bytes(schema_digest), segment_bytes)
        storage.make_folder("")
        storage.lock()
        try:
            if any(name.endswith(".seg") for name in storage.list()):
                raise JournalError(
                    "there is a journal here already; open it, or create one in another folder"
                )
            for folder in ("snapshots", "discarded"):
                storage.make_folder(folder)
            seal = SealWriter(storage, genesis_id=identity.genesis_id, epoch=1, policy=fsync, counter=0)
            end = End("", 0, 0, first_sequence, identity.genesis_prev(), 1, 0)
            writer = cls(
                storage,
                identity,
                seal,
                end,
                MerkleTree(),
                fsync=fsync,
                batch_bytes=batch_bytes,
                batch_frames=batch_frames,
            )
            seal.claim_epoch()
            seal.note(0, identity.genesis_prev(), first_sequence)
            if fsync != "off":
                seal.flush()
            writer._begin_segment()
        except OSError as error:
            storage.unlock()
            raise JournalPoisoned(
                _failure_message("the journal could not be created", error), error
            ) from error
        except BaseException:
            storage.unlock()
            raise
        return writer

    @classmethod
    def open(
        cls,
        path_or_storage: str | os.PathLike[str] | Storage,
        *,
        fsync: str = "batch",
        batch_bytes: int = BATCH_SYNC_BYTES,
        batch_frames: int = BATCH_SYNC_FRAMES,
    ) -> Self:
        """Resume a journal at a new epoch, after checking every byte of it.

        Raises TornTail (call `recover_journal` first), CorruptJournal, UnsupportedFormat, JournalLocked.
        """
        if fsync not in POLICIES:
            raise JournalError(f"fsync is one of {', '.join(POLICIES)}; not {fsync!r}")
        storage = as_storage(path_or_storage)
        storage.lock()
        try:
            scan, tree = Scan(storage), MerkleTree()
            for frame in scan.frames():
                tree.append(frame.hash)
            end, identity = scan.end, scan.identity
            assert end is not None
            if end.torn is not None:
                raise TornTail(end.torn)
            assert identity is not None
            return cls._resume(scan, end, identity, tree, fsync, batch_bytes, batch_frames)
        except OSError as error:
            storage.unlock()
            raise JournalPoisoned(
                _failure_message("the journal could not be opened", error), error
            ) from error
        except BaseException:
            storage.unlock()
            raise

    @classmethod
    def _resume(
        cls,
        scan: Scan,
        end: End,
        identity: Identity,
        tree: MerkleTree,
        fsync: str,
        batch_bytes: int,
        batch_frames: int,
    ) -> Self:
        storage, sealed = scan.storage, scan.seal
        epoch = max(end.epoch, scan.sealed_epoch) + 1
        counter = sealed.counter if sealed is not None else 0
        seal = SealWriter(storage, genesis_id=identity.genesis_id, epoch=epoch, policy=fsync, counter=counter)
        resumed = End(
            end.segment, end.offset, end.number, end.next_sequence, end.head, epoch, end.durable_upto
        )
        writer = cls(
            storage,
            identity,
            seal,
            resumed,
            tree,
            fsync=fsync,
            batch_bytes=batch_bytes,
            batch_frames=batch_frames,
        )
        writer._handle = storage.open(end.segment)
        seal.claim_epoch()
        if fsync != "off":
            make_durable(storage, scan.segments, end, sealed.frame_number if sealed is not None else 0)
            writer._durable_upto = end.number
            seal.note(end.number, end.head, end.next_sequence)
            seal.flush()
        return writer

    @property
    def root(self) -> bytes:
        """RFC 6962 root over all the frames so far."""
        return self._tree.root

    @property
    def head(self) -> bytes:
        """Hash of the last frame; the genesis value when there is none."""
        return self._head

    @property
    def frame_count(self) -> int:
        return self._number

    @property
    def next_sequence(self) -> int:
        """The `first_sequence` that the next frame must have."""
        return self._next_sequence

    @property
    def durable_upto(self) -> int:
        """The last frame that is known to be on the disk; 0 if none is."""
        return self._durable_upto

    @property
    def epoch(self) -> int:
        """This writer's fencing epoch; each opening raises it by one."""
        return self._epoch

    @property
    def genesis_id(self) -> bytes:
        return self._identity.genesis_id

    def append(
        self,
        records: Any,
        bodies: Any = b"",
        *,
        event_count: int,
        first_sequence: int,
        ts_ingest_ns: int,
        kind: int = 0,
        flags: int = 0,
    ) -> int:
        """Write one frame and return its number; under `always` it is durable then.

        `records` and `bodies` are any contiguous buffers of bytes. Raises InvalidFrame for arguments that the
        format forbids (nothing is written), JournalFenced if a newer writer took over, JournalPoisoned if the
        disk failed.
        """
        if self._failure is not None or self._closed:
            self._refuse()
        frame_bytes = self._assemble(records, bodies, event_count, first_sequence, ts_ingest_ns, kind, flags)
        frame = self._view[:frame_bytes]
        try:
            self._write(frame, frame_bytes)
        except OSError as error:
            self._poison("a frame could not be written", error)
        return self._number

    def sync(self) -> int:
        """Make every frame durable (under `off`: nothing) and return `durable_upto`."""
        if self._failure is not None or self._closed:
            self._refuse()
        if self._fsync != "off":
            try:
                self._sync()
            except OSError as error:
                self._poison("the journal could not be made durable", error)
        return self._durable_upto

    def close(self) -> None:
        """Sync and release the lock; it is released in any case, then a failure (old or new) is raised."""
        if self._closed:
            return
        try:
            self.sync()
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._failure is not None and error is not None:
            self._release()
        else:
            self.close()

    def _assemble(
        self,
        records: Any,
        bodies: Any,
        event_count: int,
        first_sequence: int,
        ts_ingest_ns: int,
        kind: int,
        flags: int,
    ) -> int:
        """Build the frame in the one buffer, up to its end mark, and return its length."""
        records_view, bodies_view = _as_bytes(records), _as_bytes(bodies)
        records_bytes, body_bytes = len(records_view), len(bodies_view)
        record_count, rest = divmod(records_bytes, RECORD_BYTES)
        frame_bytes = frame_bytes_for(records_bytes, body_bytes)
        if rest:
            raise InvalidFrame(f"records are {RECORD_BYTES} bytes each; got {records_bytes} bytes")
        if frame_bytes > MAX_FRAME_BYTES:
            raise InvalidFrame(
                f"the frame would be {frame_bytes} bytes long; at most {MAX_FRAME_BYTES} are allowed"
            )
        if first_sequence != self._next_sequence:
            raise InvalidFrame(
                f"the frame begins with sequence {first_sequence}; {self._next_sequence} is due"
            )
        if event_count < 0 or first_sequence + event_count > U64_MAX:
            raise InvalidFrame(f"event_count {event_count} does not fit")
        if not (0 <= kind <= 0xFFFF and 0 <= flags <= 0xFFFF and -(1 << 63) <= ts_ingest_ns < 1 << 63):
            raise InvalidFrame("kind and flags are 16-bit unsigned, ts_ingest_ns is 64-bit signed")
        buffer = self._frame
        bodies_at = FRAME_HEADER_BYTES + records_bytes
        padding_at = bodies_at + body_bytes
        buffer[FRAME_HEADER_BYTES:bodies_at] = records_view
        buffer[bodies_at:padding_at] = bodies_view
        buffer[padding_at:frame_bytes] = bytes(frame_bytes - padding_at)
        if self._offset + frame_bytes > self._identity.segment_bytes and self._offset > SEGMENT_HEADER_BYTES:
            self._rotate()
        # The count depends on where sectors begin, so it is taken after the frame's place is known.
        zero_sectors = count_zero_sectors(buffer, self._offset, frame_bytes)
        pack_frame_header(
            buffer,
            (
                FRAME_MAGIC,
                FRAME_HEADER_BYTES,
                FORMAT_VERSION,
                kind,
                flags,
                record_count,
                zero_sectors,
                body_bytes,
                frame_bytes,
                event_count,
                self._number + 1,
                first_sequence,
                self._durable_upto,
                ts_ingest_ns,
                self._epoch,
                self._identity.genesis_id,
                self._head,
            ),
        )
        self._next_due = first_sequence + event_count
        return frame_bytes

    def _write(self, frame: memoryview, frame_bytes: int) -> None:
        if not self._seal.is_current():
            self._fence()
        end_mark, hashed = seal_frame(frame)
        frame[-END_MARK_BYTES:] = end_mark
        assert self._handle is not None
        self._storage.pwrite(self._handle, frame, self._offset)
        self._offset += frame_bytes
        self._number += 1
        self._next_sequence = self._next_due
        self._head = hashed
        self._tree.append(hashed)
        if self._fsync == "off":
            return
        self._gathered_bytes += frame_bytes
        self._gathered_frames += 1
        if self._fsync == "always":
            self._sync_segment()
            self._seal.note(self._number, self._head, self._next_sequence)
            self._durable_upto = self._number
        elif self._gathered_bytes >= self._batch_bytes or self._gathered_frames >= self._batch_frames:
            self._sync()

    def _sync_segment(self) -> None:
        assert self._handle is not None
        self._storage.fdatasync(self._handle)
        self._gathered_bytes = self._gathered_frames = 0

    def _sync(self) -> None:
        if self._gathered_frames:
            self._sync_segment()
            self._seal.note(self._number, self._head, self._next_sequence)
        # Under `always` the last seal is written but perhaps not flushed; a sync is what makes it lasting.
        self._seal.flush()
        self._durable_upto = self._number

    def _rotate(self) -> None:
        try:
            if self._fsync != "off":
                self._sync()
            assert self._handle is not None
            self._storage.close(self._handle)
            self._handle = None
            self._begin_segment()
        except OSError as error:
            self._poison("the next segment could not be begun", error)

    def _begin_segment(self) -> None:
        header = SegmentHeader(self._identity, self._number + 1, self._next_sequence, self._head)
        self._handle = self._storage.open(segment_name(self._number + 1), create=True)
        self._storage.pwrite(self._handle, header.pack(), 0)
        self._offset = SEGMENT_HEADER_BYTES
        if self._fsync != "off":
            self._storage.fdatasync(self._handle)
            self._storage.sync_folder()

    def _fence(self) -> NoReturn:
        self._failure = JournalFenced(
            f"this writer has epoch {self._epoch}, and a newer writer has taken over"
        )
        raise self._failure

    def _poison(self, what: str, error: OSError) -> NoReturn:
        self._failure = error
        raise JournalPoisoned(_failure_message(what, error), error) from error

    def _refuse(self) -> NoReturn:
        if isinstance(self._failure, JournalFenced):
            raise JournalFenced(str(self._failure))
        if self._failure is not None:
            raise JournalPoisoned(
                f"this writer failed before ({self._failure}); reopen the journal", self._failure
            )
        raise JournalError("this writer is closed")

    def _release(self) -> None:
        self._closed = True
        if self._handle is not None:
            self._storage.close(self._handle)
            self._handle = None
        self._seal.close()
        self._storage.unlock()


def make_durable(storage: Storage, segments: list[str], end: End, acknowledged: int) -> None:
    """Make all that a walk has read durable, before anybody calls it so.

    What was never acknowledged is written again, not only synced: after a failed fsync the kernel may show
    bytes that it will never write, and a second fsync would report success for them.
    """
    for name in segments:
        handle = storage.open(name)
        try:
            # An empty segment has no acknowledged frame that would vouch for its header.
            vouched = acknowledged >= max(end.number, int(name.removesuffix(".seg")))
            if name == end.segment and not vouched:
                for at in range(0, end.offset, REWRITE_BYTES):
                    chunk = storage.read(handle, min(REWRITE_BYTES, end.offset - at), at)
                    storage.pwrite(handle, chunk, at)
            if name == end.segment or end.durable_upto < acknowledged or end.durable_upto == 0:
                storage.fdatasync(handle)
        finally:
            storage.close(handle)
    storage.sync_folder()


def _as_bytes(data: Any) -> memoryview | bytes:
    if type(data) is bytes:
        return data
    view = memoryview(data)
    if view.format == "B" and view.ndim == 1 and view.contiguous:
        return view
    return view.cast("B")


def _check_identity(
    origin: str, genesis_id: bytes, schema_digest: bytes, fsync: str, segment_bytes: int
) -> None:
    if not origin or len(origin.encode()) > MAX_ORIGIN_BYTES:
        raise JournalError(f"origin is 1 to {MAX_ORIGIN_BYTES} bytes of UTF-8")
    if len(genesis_id) != 16 or len(schema_digest) != 32:
        raise JournalError("genesis_id is 16 bytes and schema_digest is 32 bytes")
    if fsync not in POLICIES:
        raise JournalError(f"fsync is one of {', '.join(POLICIES)}; not {fsync!r}")
    if segment_bytes < SEGMENT_HEADER_BYTES + FRAME_OVERHEAD_BYTES:
        raise JournalError(f"segment_bytes {segment_bytes} is too small to hold a frame")


def _failure_message(what: str, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{what}: the disk is full. Free space and reopen; what was acknowledged is safe"
    return f"{what}: {error.strerror or error}"
