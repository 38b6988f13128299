"""The one writer of a journal.

Owns: numbering, the chain, the lock and the fencing epoch. Must not know: what the records and bodies mean,
the time, or chance: every byte is a pure function of the calls and their arguments.

The first failed write or fsync poisons the writer for good: what the disk holds is then unknown, and only
reopening, which reads everything again, can tell.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, NoReturn, Self

from journal.builder import FrameBuilder, check_fields
from journal.encryption import FrameCipher, MasterKey, cipher_for, new_data_key
from journal.errors import (
    InvalidFrame,
    JournalError,
    JournalFenced,
    JournalPoisoned,
    TornTail,
    failure_message,
)
from journal.layout import ENCRYPTED, Identity
from journal.merkle import MerkleTree
from journal.scan import Scan
from journal.seal import SealWriter, check_policy
from journal.sink import BATCH_SYNC_BYTES, BATCH_SYNC_FRAMES, Sink
from journal.storage import Storage, as_storage

DEFAULT_SEGMENT_BYTES = 64 << 20
GROUP_HASHES = 256  # of frames, which the tree takes in together: each by itself would cost every frame a little


def random_genesis_id() -> bytes:
    """16 random bytes, for callers that want a fresh identity. The writer itself never uses chance."""
    return os.urandom(16)


class JournalWriter:
    """Appends frames. Make one with `create` or `open`; close it, or use it in a `with` block.

    fsync policies: `always` makes each frame durable before `append` returns; `batch` does so when
    `batch_bytes` or `batch_frames` have gathered, on rotation, and on `sync` and `close`; `off` never
    (`durable_upto` stands still).
    """

    def __init__(
        self,
        storage: Storage,
        sink: Sink,
        genesis_id: bytes,
        epoch: int,
        next_sequence: int,
        head: bytes,
        tree: MerkleTree,
        cipher: FrameCipher | None = None,
    ) -> None:
        self._storage, self._sink, self._tree = storage, sink, tree
        self._new_hashes: list[bytes] = []  # of frames that are not in the tree yet
        self._builder, self._cipher = FrameBuilder(genesis_id), cipher
        self._genesis_id, self._epoch = genesis_id, epoch
        self._number, self._next_sequence, self._head = tree.size, next_sequence, head
        self._failure: BaseException | None = None
        self._closed = False

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
        master: MasterKey | None = None,
    ) -> Self:
        """Begin a new journal; JournalError if there is one already, JournalLocked if it is in use.

        With ``master`` its frames are encrypted, under data keys that this key wraps.
        """
        check_policy(fsync)
        storage = as_storage(path_or_storage)
        identity = Identity(origin, bytes(genesis_id), bytes(schema_digest), segment_bytes)
        identity.check()
        try:
            storage.make_folder("")
            storage.lock()
        except OSError as error:
            raise JournalPoisoned(failure_message("the journal could not be created", error), error) from error
        try:
            if any(name.endswith(".seg") for name in storage.list()):
                raise JournalError("there is a journal here already; open it, or create one in another folder")
            for folder in ("snapshots", "discarded"):
                storage.make_folder(folder)
            seal = SealWriter(storage, genesis_id=identity.genesis_id, epoch=1, policy=fsync, counter=0, fresh=True)
            sink = Sink(storage, identity, seal, fsync, batch_bytes, batch_frames)
            head, cipher = identity.genesis_prev(), None
            if master is not None:
                cipher = FrameCipher(identity.genesis_id, *new_data_key(storage, identity.genesis_id, 1, master))
            sink.start(first_sequence, head)
            return cls(storage, sink, identity.genesis_id, 1, first_sequence, head, MerkleTree(), cipher)
        except OSError as error:
            storage.unlock()
            raise JournalPoisoned(failure_message("the journal could not be created", error), error) from error
        except BaseException:
            storage.unlock()
            raise

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

        An encrypted one needs its master key in use. Raises TornTail (call `recover_journal` first), CorruptJournal,
        UnsupportedFormat, JournalLocked.
        """
        check_policy(fsync)
        storage = as_storage(path_or_storage)
        storage.lock()
        try:
            return cls._resume(storage, fsync, batch_bytes, batch_frames)
        except OSError as error:
            storage.unlock()
            raise JournalPoisoned(failure_message("the journal could not be opened", error), error) from error
        except BaseException:
            storage.unlock()
            raise

    @classmethod
    def _resume(cls, storage: Storage, fsync: str, batch_bytes: int, batch_frames: int) -> Self:
        scan = Scan(storage)
        tree = scan.tree()
        for frame in scan.frames():
            tree.append(frame.hash)
        end, identity, sealed = scan.end, scan.identity, scan.seal
        assert end is not None
        if end.torn is not None:
            raise TornTail(end.torn)
        assert identity is not None
        epoch = max(end.epoch, scan.sealed_epoch) + 1
        counter = sealed.counter if sealed is not None else 0
        seal = SealWriter(storage, genesis_id=identity.genesis_id, epoch=epoch, policy=fsync, counter=counter)
        sink = Sink(storage, identity, seal, fsync, batch_bytes, batch_frames)
        cipher = cipher_for(storage, identity.genesis_id, tree.size + 1)
        sink.resume(scan.segments, end, sealed.frame_number if sealed is not None else 0)
        return cls(storage, sink, identity.genesis_id, epoch, end.next_sequence, end.head, tree, cipher)

    @property
    def root(self) -> bytes:
        """RFC 6962 root over all the frames so far."""
        self._grow()
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
    def position(self) -> tuple[str, int]:
        """The segment that is written to, and the byte in it at which the last frame ends."""
        return self._sink.segment, self._sink.offset

    @property
    def durable_upto(self) -> int:
        """The last frame that is known to be on the disk; 0 if none is."""
        return self._sink.durable_upto

    @property
    def epoch(self) -> int:
        """This writer's fencing epoch; each opening raises it by one."""
        return self._epoch

    @property
    def genesis_id(self) -> bytes:
        return self._genesis_id

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

        `records` and `bodies` are any contiguous buffers. Raises InvalidFrame for arguments that the format
        forbids (nothing is written), JournalFenced if a newer writer took over, JournalPoisoned if the disk
        failed.
        """
        if self._failure is not None or self._closed:
            self._refuse()
        if first_sequence != self._next_sequence:
            raise InvalidFrame(f"the frame begins with sequence {first_sequence}; {self._next_sequence} is due")
        check_fields(kind, flags, event_count, first_sequence, ts_ingest_ns)
        sink, number, next_sequence = self._sink, self._number + 1, first_sequence + event_count
        if self._cipher is not None:
            flags |= ENCRYPTED
            records, bodies = self._cipher.seal(
                records,
                bodies,
                number=number,
                first_sequence=first_sequence,
                event_count=event_count,
                ts_ingest_ns=ts_ingest_ns,
                kind=kind,
                flags=flags,
            )
        frame_bytes = self._builder.load(records, bodies)
        try:
            if not sink.is_current():
                self._fence()
            if sink.is_full(frame_bytes):
                sink.rotate(self._number, first_sequence, self._head)
            frame, hashed = self._finish(kind, flags, event_count, number, first_sequence, ts_ingest_ns)
            sink.write(frame, number, next_sequence, hashed)
        except OSError as error:
            self._poison("a frame could not be written", error)
        self._number, self._next_sequence, self._head = number, next_sequence, hashed
        self._new_hashes.append(hashed)
        if len(self._new_hashes) == GROUP_HASHES:
            self._grow()
        return number

    def rehearse(self, records: Any, bodies: Any = b"") -> None:
        """Do what `append` does up to the writing, and forget it; nothing is written, and it fails as `append` would.

        For callers who append now and then and are in a hurry then: what a processor has not run for some
        milliseconds takes it several times as long. A writer that is closed, has failed or encrypts does nothing.
        """
        if self._failure is not None or self._closed or self._cipher is not None:
            return
        self._builder.load(records, bodies)
        try:
            if not self._sink.is_current():
                self._fence()
            self._finish(0, 0, 0, self._number, self._next_sequence, 0)
        except OSError as error:
            self._poison("the epoch could not be read", error)

    def _finish(
        self, kind: int, flags: int, event_count: int, number: int, first_sequence: int, ts_ingest_ns: int
    ) -> tuple[memoryview, bytes]:
        """The frame that was loaded, as it follows on the last, and its hash."""
        sink = self._sink
        return self._builder.finish(
            sink.offset,
            kind,
            flags,
            event_count,
            number,
            first_sequence,
            sink.durable_upto,
            ts_ingest_ns,
            self._epoch,
            self._head,
        )

    def _grow(self) -> None:
        """Bring the tree up to the last frame."""
        self._tree.extend(self._new_hashes)
        self._new_hashes.clear()

    def sync(self) -> int:
        """Make every frame durable (under `off`: nothing) and return `durable_upto`."""
        if self._failure is not None or self._closed:
            self._refuse()
        try:
            if not self._sink.is_current():
                self._fence()
            self._sink.sync(self._number, self._next_sequence, self._head)
        except OSError as error:
            self._poison("the journal could not be made durable", error)
        return self._sink.durable_upto

    def close(self) -> None:
        """Sync and release the lock; it is released in any case, then a failure (old or new) is raised."""
        if self._closed:
            return
        try:
            self.sync()
        finally:
            self._closed = True
            self._sink.close()
            self._storage.unlock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except JournalError:
            # The failure that is already on its way out is the first one, and says more.
            if error is None or self._failure is None:
                raise

    def _fence(self) -> NoReturn:
        self._failure = JournalFenced(f"this writer has epoch {self._epoch}, and a newer writer has taken over")
        raise self._failure

    def _poison(self, what: str, error: OSError) -> NoReturn:
        self._failure = error
        raise JournalPoisoned(failure_message(what, error), error) from error

    def _refuse(self) -> NoReturn:
        if isinstance(self._failure, JournalFenced):
            raise JournalFenced(str(self._failure))
        if self._failure is not None:
            message = f"this writer failed before ({self._failure}); reopen the journal"
            raise JournalPoisoned(message, self._failure)
        raise JournalError("this writer is closed")
