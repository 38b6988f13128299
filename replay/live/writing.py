"""The journal behind a live session: frames in, and word when they are durable.

Owns a thread that appends what has gathered and syncs it in one go (group commit), so that the kernel goes on while the
disk works. Requests to the venue wait for its word. When the disk fails, nothing is ever durable again: the session
hears of it and ends.
"""

import queue
import threading
from collections.abc import Callable

import numpy as np

from journal import JournalWriter
from replay.pipeline import FrameCut

MOST_FRAMES = 4096  # on their way to the disk; beyond it the kernel waits


class JournalThread:
    """``on_durable`` gets the last sequence on the disk, ``on_failure`` what went wrong; both in this thread."""

    def __init__(
        self,
        writer: JournalWriter,
        on_durable: Callable[[int], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self.writer = writer
        self._on_durable, self._on_failure = on_durable, on_failure
        self._frames: queue.Queue[tuple[np.ndarray, bytes, FrameCut] | None] = queue.Queue(MOST_FRAMES)
        self._failed = False
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def put(self, records: np.ndarray, bodies: bytes, cut: FrameCut) -> None:
        """Hand over a frame; waits while too many are on their way."""
        self._frames.put((records, bodies, cut))

    @property
    def waiting(self) -> int:
        """Frames on their way to the disk."""
        return self._frames.qsize()

    def close(self) -> None:
        """Write what is left, seal the journal and let go of it. Raises what the disk says."""
        self._frames.put(None)
        self._thread.join()
        self.writer.close()

    def _work(self) -> None:
        ends = False
        while not ends:
            batch = [self._frames.get()]
            while batch[-1] is not None and not self._frames.empty():
                batch.append(self._frames.get())
            ends = batch[-1] is None
            frames = [one for one in batch if one is not None]
            if frames and not self._failed:
                self._write(frames)

    def _write(self, frames: list[tuple[np.ndarray, bytes, FrameCut]]) -> None:
        try:
            for records, bodies, cut in frames:
                self.writer.append(
                    records.view(np.uint8),
                    bodies,
                    event_count=cut.event_count,
                    first_sequence=cut.first_sequence,
                    ts_ingest_ns=cut.ts_ingest_ns,
                )
            self.writer.sync()
        except Exception as error:  # told once; after it frames are only drained, so that nobody waits for ever
            self._failed = True
            self._on_failure(error)
            return
        last = frames[-1][2]
        self._on_durable(last.first_sequence + last.event_count - 1)
