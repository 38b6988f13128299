"""A recorder of the library (its SQLite, say) that follows a journal, in another process if need be.

Owns: the order of what is copied, and where a replica stands. Must not know: how the recorder stores. The events of
an insert go into the replica with the position of the last one, in one transaction of its own: so a follower that is
killed at any point goes on with nothing missing and nothing doubled. Only what the journal's writer has acknowledged
as durable is copied, so a replica is never ahead of a journal that lost its tail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from eventsourcing.persistence import IntegrityError, ProcessRecorder, ProgrammingError, StoredEvent, Tracking

from adapters.eventsourcing import frames
from adapters.eventsourcing.errors import in_terms_of_the_library
from adapters.eventsourcing.frames import CONTINUED, EVENTS, MORE, SCHEMA_DIGEST, STORED_EVENTS
from journal import Frame, JournalReader
from journal.merkle import MerkleTree
from journal.seal import read_seal
from journal.storage import FileStorage

_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class CheckedReplica:
    """What a replica was compared with: `root` is the journal's over `frames` frames, to hold against a checkpoint."""

    rows: int
    frames: int
    root: bytes


class Follower:
    """Copies a journal's notifications into a process recorder, which must be empty or a replica of this journal."""

    def __init__(self, folder: Path, recorder: ProcessRecorder) -> None:
        """ProgrammingError if the recorder holds anything else, or the journal no stored events."""
        self.folder, self.recorder = folder, recorder
        with in_terms_of_the_library(folder):
            reader = JournalReader(folder)
        if reader.schema_digest != SCHEMA_DIGEST:
            raise ProgrammingError(f"the journal at {folder} does not hold stored events")
        self.name = f"journal {reader.genesis_id.hex()}"
        held, self.position = self._stands()
        if held != self.position:
            raise ProgrammingError(
                f"the recorder holds {held} events and {self.position} of the journal at {folder}: it is no replica of "
                "it; begin with an empty one"
            )

    def _stands(self) -> tuple[int, int]:
        """The last event that the recorder holds, and its position in the journal, of one moment.

        A database server may still complete what a follower had begun that was killed.
        """
        position = -1
        while True:
            before, held = position, self.recorder.max_notification_id() or 0
            position = self.recorder.max_tracking_id(self.name) or 0
            if position == before:
                return held, position

    def step(self) -> int:
        """Copy what the journal has acknowledged since; return how many events that was."""
        before = self.position
        with in_terms_of_the_library(self.folder):
            for first, events in _events_from(self.folder, self.position):
                self._copy(first, events)
        return self.position - before

    def _copy(self, first: int, events: list[StoredEvent]) -> None:
        last = first + len(events) - 1
        try:
            ids = self.recorder.insert_events(events, tracking=Tracking(self.name, last))
        except IntegrityError:
            held, position = self._stands()
            if not held == position >= last:  # else another follower has copied it
                raise
        else:
            if ids is None or list(ids) != list(range(first, last + 1)):
                raise IntegrityError(f"the replica gave notification {first} of the journal other ids: {ids}")
        self.position = last

    def run(self, stop: Event, poll_seconds: float = 0.1) -> None:
        """Copy until `stop` is set, looking again after each pause."""
        while not stop.is_set():
            if not self.step():
                stop.wait(poll_seconds)


def check_replica(folder: Path, recorder: ProcessRecorder) -> CheckedReplica:
    """Compare each row of a replica with the journal, whose chain is checked on the way.

    IntegrityError names the first row that the journal does not bear out. The replica may be behind, never ahead.
    """
    rows, held, tree = 0, recorder.max_notification_id() or 0, MerkleTree()
    with in_terms_of_the_library(folder):
        for first, events in _inserts(_counted(JournalReader(folder), tree)):
            for at in range(0, len(events), _ROWS_AT_ONCE):
                part = events[at : at + _ROWS_AT_ONCE]
                found = recorder.select_notifications(first + at, len(part), first + at + len(part) - 1)
                for offset, row in enumerate(found):
                    if row.id != first + at + offset or _plain(row) != part[offset]:
                        raise IntegrityError(f"row {row.id} of the replica is not what the journal holds")
                rows += len(found)
    if rows != held:
        raise IntegrityError(f"the replica has {held} rows, and the journal bears out {rows}")
    return CheckedReplica(rows, tree.size, tree.root)


def _plain(row: StoredEvent) -> StoredEvent:
    return StoredEvent(row.originator_id, row.originator_version, row.topic, row.state)


def _events_from(folder: Path, position: int) -> Iterator[tuple[int, list[StoredEvent]]]:
    """The acknowledged inserts after a notification."""
    # The seal is read first: what is behind it may be written while we walk.
    seal, _ = read_seal(FileStorage(folder))
    acknowledged = seal.frame_number if seal is not None else 0
    # From the frame that holds the last one: the pieces of a large insert stand between it and the next that counts.
    for first, events in _inserts(_upto(JournalReader(folder).iter_from(position), acknowledged)):
        if first > position:
            yield first, events


def _upto(walked: Iterator[Frame], number: int) -> Iterator[Frame]:
    for frame in walked:
        if frame.number > number:
            return
        yield frame


def _counted(walked: JournalReader, tree: MerkleTree) -> Iterator[Frame]:
    for frame in walked:
        tree.append(frame.hash)
        yield frame


def _inserts(walked: Iterator[Frame]) -> Iterator[tuple[int, list[StoredEvent]]]:
    """The inserts into the stream of notifications, each with its first notification id."""
    body, begun = bytearray(), False
    for frame in walked:
        if frame.kind != STORED_EVENTS:
            continue
        if not frame.flags & CONTINUED:
            body.clear()
            begun = True
        if not begun:
            continue  # a walk that began in the middle of an insert
        body += frame.bodies
        if frame.flags & MORE:
            continue
        insert = frames.decode(body)
        if insert.stream == EVENTS and insert.events:
            yield (
                frame.first_sequence,
                [StoredEvent(frames.id_of(e.originator), e.version, e.topic, e.state) for e in insert.events],
            )
