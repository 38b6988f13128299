"""One open journal of stored events: inserts go to its writer, look-ups to the index and from there to the files.

Owns: the order of an insert (checked, written as `JOURNAL_FSYNC` says, entered in the index, told to listeners), and
the one store that all factories of a process share for a folder. Must not know: the library's kinds of recorder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event, Lock
from uuid import UUID

from eventsourcing.persistence import (
    InterfaceError,
    InternalError,
    Notification,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Tracking,
)

from adapters.eventsourcing import frames
from adapters.eventsourcing.errors import closed, in_terms_of_the_library
from adapters.eventsourcing.files import FrameFiles
from adapters.eventsourcing.frames import CONTINUED, EVENTS, MORE, ORIGIN, SCHEMA_DIGEST, STORED_EVENTS, Insert
from adapters.eventsourcing.index import Index, Stream
from journal import Frame, JournalReader, JournalWriter, TornTail, random_genesis_id, recover_journal
from journal.layout import frame_bytes_for
from journal.scan import Scan
from journal.storage import FileStorage


class JournalStore:
    """A journal that is open for writing by this process, with its index. Safe to use from several threads."""

    def __init__(self, folder: Path, fsync: str) -> None:
        self.folder, self.fsync = folder, fsync
        # Inserts wait for each other, and for the disk; who reads waits only for an insert to enter the index.
        self._inserting, self._looking = Lock(), Lock()
        self._index, self._files = Index(), FrameFiles(folder)
        self._listeners: frozenset[Event] = frozenset()
        self._process_id, self._closed, self._incomplete = os.getpid(), False, False
        with in_terms_of_the_library(folder):
            self._writer = _open_writer(folder, fsync)
            try:
                self._rebuild()
            except BaseException:
                self._files.close()
                self._writer.close()
                raise

    def insert(self, stream: str, stored_events: Sequence[StoredEvent], tracking: Tracking | None = None) -> list[int]:
        """Write all of it or nothing, and return the positions of the events in their stream, from 1.

        IntegrityError if an event or tracking position is there already. When this returns, the insert is as durable
        as the policy says; nobody sees it before.
        """
        insert = frames.as_insert(stream, stored_events, tracking)
        if not insert.events and insert.tracking is None:
            return []
        body = frames.encode(insert)
        with self._inserting:
            self._check_usable()
            self._index.check(insert)
            # Whatever ends this early (a failed disk, an interruption by hand): the journal may hold the insert, while
            # the index does not.
            self._incomplete = True
            with in_terms_of_the_library(self.folder):
                place = self._append(insert, body)
            with self._looking:
                first = len(self._index.stream(stream)) + 1
                self._index.add(insert, place)
            self._incomplete = False
        if insert.events and stream == EVENTS:
            for listener in self._listeners:
                listener.set()
        return list(range(first, first + len(insert.events)))

    def select_events(
        self, stream: str, originator_id: UUID | str, gt: int | None, lte: int | None, desc: bool, limit: int | None
    ) -> list[StoredEvent]:
        """The events of one originator in the order of their versions."""
        key = frames.key_of(originator_id)
        with self._looking:
            known = self._look(stream)
            rows = known.rows_of(key, gt, lte, desc=desc, limit=limit)
            places = [(known.places[row], known.within[row]) for row in rows]
        return [
            StoredEvent(frames.id_of(event.originator), event.version, event.topic, event.state)
            for event in self._events_at(places)
        ]

    def select_notifications(
        self, first: int, last: int | None, limit: int, topics: Sequence[str]
    ) -> list[Notification]:
        """Notifications `first` to `last` (None: the last there is), at most `limit`, of these topics if any."""
        with self._looking:
            known = self._look(EVENTS)
            rows = known.rows_between(first - 1, (len(known) if last is None else last) - 1, limit, topics)
            places = [(known.places[row], known.within[row]) for row in rows]
        return [
            Notification(frames.id_of(event.originator), event.version, event.topic, event.state, row + 1)
            for row, event in zip(rows, self._events_at(places), strict=True)
        ]

    def max_notification_id(self) -> int | None:
        """The last notification's id; None if there is none."""
        with self._looking:
            return len(self._look(EVENTS)) or None

    def max_tracking_id(self, application_name: str) -> int | None:
        """The last position recorded for an upstream application; None if there is none."""
        with self._looking:
            self._look(EVENTS)
            return self._index.max_tracking_id(application_name)

    def listen(self, event: Event) -> None:
        """Set `event` after each insert into the stream of notifications."""
        with self._looking:
            self._listeners |= {event}

    def unlisten(self, event: Event) -> None:
        """No longer set `event`."""
        with self._looking:
            self._listeners -= {event}

    def close(self) -> None:
        """Make everything durable, as far as the policy does, and release the journal for others."""
        with self._inserting, self._looking:
            if self._closed:
                return
            self._closed = True
            self._files.close()
            if self._process_id == os.getpid():
                with in_terms_of_the_library(self.folder):
                    self._writer.close()

    def _append(self, insert: Insert, body: bytes) -> int:
        place, writer = -1, self._writer
        counted = len(insert.events) if insert.stream == EVENTS else 0
        for piece, flags in frames.pieces(body):
            writer.append(
                b"",
                piece,
                event_count=0 if flags & MORE else counted,
                first_sequence=writer.next_sequence,
                ts_ingest_ns=time.time_ns(),
                kind=STORED_EVENTS,
                flags=flags,
            )
            segment, end = writer.position
            here = self._files.place(segment, end - frame_bytes_for(0, len(piece)))
            place = here if place < 0 else place
        return place

    def _rebuild(self) -> None:
        # The writer has just checked every hash of it.
        body, place = bytearray(), -1
        for frame in JournalReader(self.folder, check_hashes=False):
            here = self._files.place(frame.segment, frame.offset)
            if frame.kind != STORED_EVENTS:
                _pass_over(frame)
                continue
            if not frame.flags & CONTINUED:
                body.clear()
                place = here
            body += frame.bodies
            if not frame.flags & MORE:
                self._index.add(frames.decode(body), place)

    def _events_at(self, places: list[tuple[int, int]]) -> Iterator[frames.Event]:
        held, insert = -1, None
        for place, within in places:
            if insert is None or place != held:
                with in_terms_of_the_library(self.folder):
                    held, insert = place, self._read(place)
            yield insert.events[within]

    def _read(self, place: int) -> Insert:
        body = b""
        for frame in self._files.frames_from(place):
            body = bytes(frame.bodies) if not body else body + frame.bodies
            if not frame.flags & MORE:
                break
        return frames.decode(body)

    def _look(self, stream: str) -> Stream:
        if self._closed:
            raise closed()
        return self._index.stream(stream)

    def _check_usable(self) -> None:
        if self._closed:
            raise closed()
        if self._process_id != os.getpid():
            raise InterfaceError(
                f"the journal at {self.folder} was opened before this process was forked; construct the application "
                "after the fork, in one process"
            )
        if self._incomplete:
            raise OperationalError(
                f"an insert into the journal at {self.folder} did not complete; construct the application again, which "
                "tells what is stored"
            )


def _open_writer(folder: Path, fsync: str) -> JournalWriter:
    """The writer of a new journal, or of the one that is there, its torn tail moved aside."""
    storage = FileStorage(folder)
    for _ in range(2):
        if not any(name.endswith(".seg") for name in storage.list()):
            break
        identity = Scan(storage).identity
        if identity is not None and identity.schema_digest != SCHEMA_DIGEST:
            raise ProgrammingError(f"the journal at {folder} does not hold stored events; name another folder")
        try:
            return JournalWriter.open(folder, fsync=fsync)
        except TornTail:
            recover_journal(folder)
    return JournalWriter.create(
        folder, origin=ORIGIN, genesis_id=random_genesis_id(), schema_digest=SCHEMA_DIGEST, fsync=fsync
    )


def _pass_over(frame: Frame) -> None:
    if frame.event_count:
        raise InternalError(
            f"frame {frame.number} is of kind {frame.kind}, which this release does not know, and accounts for "
            "sequences; use a newer release"
        )


_shared: dict[tuple[int, str], tuple[JournalStore, int]] = {}
_sharing = Lock()


def share_store(folder: Path, fsync: str) -> JournalStore:
    """The store of a folder, opened if this process has not done so; each call needs one `release_store`."""
    key = (os.getpid(), os.path.realpath(folder))
    with _sharing:
        store, users = _shared.get(key, (None, 0))
        if store is None:
            store = JournalStore(folder, fsync)
        elif store.fsync != fsync:
            raise ProgrammingError(f"the journal at {folder} is open with JOURNAL_FSYNC={store.fsync}, not {fsync}")
        _shared[key] = store, users + 1
        return store


def release_store(store: JournalStore) -> None:
    """Close the store if nobody else in this process uses it."""
    with _sharing:
        for key, (other, users) in list(_shared.items()):
            if other is store:
                if users > 1:
                    _shared[key] = store, users - 1
                    return
                del _shared[key]
    store.close()
