"""Replicas in Postgres: the library's process recorder, with the journal's notification ids.

A sequence of Postgres goes on where it was when a transaction is undone, so a follower that was killed would leave a
hole in the ids, and rows after it would have other ids than in the journal. So the sequence is set before each insert,
under the lock on the replica's position that the insert holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import ProgrammingError, StoredEvent, Tracking
from eventsourcing.postgres import PostgresFactory, PostgresProcessRecorder
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier


class ReplicaRecorder(PostgresProcessRecorder):
    """Takes only inserts with the position of their last event, as a ``Follower`` makes them."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """See the library. Its functions in the database would leave the position out."""
        if self.datastore.enable_db_functions:
            raise ProgrammingError("a replica needs POSTGRES_ENABLE_DB_FUNCTIONS to be off")
        positions: Sequence[int] | None = super().insert_events(stored_events, **kwargs)
        return positions

    def _insert_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        tracking: Tracking | None = kwargs.get("tracking")
        if tracking is None:
            raise ProgrammingError("a replica takes events from its journal only")
        super()._insert_events(curs, stored_events, **kwargs)  # takes the lock on the position
        if stored_events:
            table = Identifier(self.datastore.schema, self.events_table_name).as_string(curs)
            first = tracking.notification_id - len(stored_events) + 1
            curs.execute(SQL("SELECT setval(pg_get_serial_sequence(%s, 'notification_id'), %s, false)"), (table, first))


class ReplicaFactory(PostgresFactory):
    """The library's factory, by its settings (``POSTGRES_DBNAME`` and so on), for a ``ReplicaRecorder``."""

    process_recorder_class = ReplicaRecorder
