"""A child process that copies a journal into a recorder of the library until it is killed.

    python -m tests.adapters.eventsourcing.following FOLDER DATABASE
    python -m tests.adapters.eventsourcing.following FOLDER SOCKETS DATABASE

With a folder of sockets, the database is one of a Postgres server. Owns the child's side. It says a line once it has
begun.
"""

import os
import sys
from pathlib import Path
from threading import Event

from eventsourcing.sqlite import SQLiteFactory

from adapters.eventsourcing.replica import Follower


def main() -> None:
    folder, *sockets, database = sys.argv[1:]
    if sockets:
        from tests.adapters.eventsourcing.postgres_server import factory_for

        recorder = factory_for(sockets[0], database).process_recorder()
    else:
        recorder = SQLiteFactory({"SQLITE_DBNAME": database}).process_recorder()
    follower = Follower(Path(folder), recorder)
    os.write(1, b"follows\n")
    follower.run(Event(), poll_seconds=0.002)


if __name__ == "__main__":
    main()
