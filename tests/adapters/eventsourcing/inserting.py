"""A child process that inserts until it is killed, and says after each insert what it was told is stored.

    python -m tests.adapters.eventsourcing.inserting FOLDER FSYNC

Owns the child's side: every insert has one to three events, every tenth is larger than a frame, each comes with a
tracking position. A line of the output is the last notification id and the last tracking position.
"""

import os
import sys
from uuid import UUID

from eventsourcing.persistence import StoredEvent, Tracking

from adapters.eventsourcing import Factory

UPSTREAM = "upstream"


def state_of(notification_id: int) -> bytes:
    """What the event of that notification says; long for some."""
    text = b"%d " % notification_id
    return text * (12_000 if notification_id % 20 == 0 else 5)


def main() -> None:
    folder, fsync = sys.argv[1:]
    factory = Factory({"JOURNAL_PATH": folder, "JOURNAL_FSYNC": fsync})
    recorder = factory.process_recorder()
    last, position = recorder.max_notification_id() or 0, recorder.max_tracking_id(UPSTREAM) or 0
    while True:
        position += 1
        events = [
            StoredEvent(UUID(int=number % 7), number, f"topic{number % 3}", state_of(number))
            for number in range(last + 1, last + 2 + position % 3)
        ]
        recorder.insert_events(events, tracking=Tracking(UPSTREAM, position))
        last += len(events)
        os.write(1, b"%d %d\n" % (last, position))


if __name__ == "__main__":
    main()
