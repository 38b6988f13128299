"""A child process that copies a journal into the library's SQLite until it is killed.

    python -m tests.adapters.eventsourcing.following FOLDER DATABASE

Owns the child's side. It says a line once it has begun.
"""

import os
import sys
from pathlib import Path
from threading import Event

from eventsourcing.sqlite import SQLiteFactory

from adapters.eventsourcing.replica import Follower


def main() -> None:
    folder, database = sys.argv[1:]
    follower = Follower(Path(folder), SQLiteFactory({"SQLITE_DBNAME": database}).process_recorder())
    os.write(1, b"follows\n")
    follower.run(Event(), poll_seconds=0.002)


if __name__ == "__main__":
    main()
