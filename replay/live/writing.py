"""The journal behind a live session: frames in, and word when they are durable.

Owns the group commit. Frames are appended at once, by whoever decides; only the sync runs in a thread, and while it
does, new frames wait, so the writer is used by one at a time. Requests to the venue wait for the word that they are
durable. When the disk fails, nothing is ever durable again: the session hears of it and ends.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from journal import JournalWriter
from replay.pipeline import FrameCut

MOST_WAITING = 4096  # frames that wait while the disk syncs; beyond it the kernel waits
NO_COMMIT_BYTES = 1 << 40  # the writer itself syncs only when a segment is full
Frame = tuple[bytes, bytes, FrameCut]
Back = Callable[..., Any]  # calls a function in the thread that decides, soon


class GroupCommit:
    """``on_durable`` gets the last sequence on the disk, ``on_failure`` what went wrong; both where frames are put.

    ``back`` brings the thread's word there; with the policy ``off`` or ``always`` there is no thread.
    """

    def __init__(
        self,
        writer: JournalWriter,
        fsync: str,
        on_durable: Callable[[int], None],
        on_failure: Callable[[BaseException], None],
        back: Back | None = None,
    ) -> None:
        self.writer = writer
        self._at_once = fsync != "batch" or back is None
        self._on_durable, self._on_failure, self._back = on_durable, on_failure, back
        self._waiting: deque[Frame] = deque()
        self._appended = self._durable = writer.next_sequence - 1
        self._syncing = self._failed = self._ends = False
        self.on_frame: Callable[[int, bytes, int], None] | None = None  # number, hash and last sequence of each
        self._asked, self._idle = threading.Event(), threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None
        if not self._at_once:
            self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
            self._thread.start()

    def put(self, records: bytes, bodies: bytes, cut: FrameCut) -> None:
        """Append a frame, or let it wait for the sync that runs."""
        if self._syncing:
            self._waiting.append((records, bodies, cut))
            if len(self._waiting) > MOST_WAITING:
                self._idle.wait()  # its word comes later; the frames stay in order
            return
        self._append(records, bodies, cut)

    def rehearse(self, records: bytes) -> None:
        """See ``JournalWriter.rehearse``."""
        if self._syncing or self._failed:
            return
        try:
            self.writer.rehearse(records)
        except Exception as error:  # told once, as of a frame
            self._fail(error)

    def commit(self) -> None:
        """Make durable what was put; ``on_durable`` is called when it is."""
        if self._failed or self._syncing or self._appended == self._durable:
            return
        if self._at_once:
            self._durable = self._appended
            self._on_durable(self._durable)
            return
        self._syncing = True
        self._idle.clear()
        self._asked.set()

    @property
    def durable(self) -> int:
        """The last event that is known to be on the disk; any thread may ask."""
        return self._durable

    def close(self) -> None:
        """Write what is left, seal the journal and let go of it. Raises what the disk says."""
        self._idle.wait()
        self._syncing = False
        self._drain()
        if self._thread is not None:
            self._ends = True
            self._asked.set()
            self._thread.join()
        self.writer.close()
        self._durable = self._appended

    def _append(self, records: bytes, bodies: bytes, cut: FrameCut) -> None:
        if self._failed:
            return
        try:
            self.writer.append(
                records,
                bodies,
                event_count=cut.event_count,
                first_sequence=cut.first_sequence,
                ts_ingest_ns=cut.ts_ingest_ns,
            )
        except Exception as error:  # told once; the session ends of it
            self._fail(error)
            return
        self._appended = cut.first_sequence + cut.event_count - 1
        if self.on_frame is not None:
            self.on_frame(self.writer.frame_count, self.writer.head, self._appended)

    def _drain(self) -> None:
        while self._waiting:
            self._append(*self._waiting.popleft())

    def _fail(self, error: BaseException) -> None:
        if not self._failed:
            self._failed = True
            self._on_failure(error)

    def _synced(self, upto: int, error: BaseException | None) -> None:
        """The thread's word."""
        if not self._syncing:
            return  # the end of the session was faster
        self._syncing = False
        if error is not None:
            self._fail(error)
            return
        self._drain()
        self._durable = upto
        self._on_durable(upto)

    def _work(self) -> None:
        assert self._back is not None
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._ends:
                return
            upto, error = self._appended, None
            try:
                self.writer.sync()
            except Exception as problem:
                error = problem
            self._idle.set()
            self._back(self._synced, upto, error)
