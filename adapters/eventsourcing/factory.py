"""The infrastructure factory: reads the settings and makes the recorders.

Owns: the names of the settings. Must not know: how a journal is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment, EnvType, resolve_topic

from adapters.eventsourcing.recorders import (
    JournalAggregateRecorder,
    JournalApplicationRecorder,
    JournalProcessRecorder,
    JournalRecorder,
    JournalTrackingRecorder,
)
from adapters.eventsourcing.store import release_store, share_store
from journal.seal import POLICIES

Recorder = TypeVar("Recorder", bound=JournalRecorder)


class Factory(InfrastructureFactory[JournalTrackingRecorder]):
    """Makes recorders over the journal in the folder JOURNAL_PATH, which is created if there is none.

    JOURNAL_FSYNC is `always` (the default: an insert is on the disk when it returns), `batch` or `off`. Like all
    settings of the library, both may be preceded by the application's name: ORDERS_JOURNAL_PATH.
    """

    JOURNAL_PATH = "JOURNAL_PATH"
    JOURNAL_FSYNC = "JOURNAL_FSYNC"

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Open the journal. OSError for a wrong setting; OperationalError if the journal is in use."""
        super().__init__(env)
        folder = self.env.get(self.JOURNAL_PATH)
        if not folder:
            names = ", ".join(self.env.create_keys(self.JOURNAL_PATH))
            raise OSError(f"the folder of the journal is not set; name it in the environment as one of: {names}")
        fsync = (self.env.get(self.JOURNAL_FSYNC) or "always").strip().lower()
        if fsync not in POLICIES:
            raise OSError(f"{self.JOURNAL_FSYNC} is one of {', '.join(POLICIES)}; not {fsync!r}")
        self.store = share_store(Path(folder), fsync)
        self._closed = False

    def aggregate_recorder(self, purpose: str = "events") -> JournalAggregateRecorder:
        """A recorder of the stream of that purpose, `snapshots` for one."""
        return JournalAggregateRecorder(self.store, purpose)

    def application_recorder(self) -> JournalApplicationRecorder:
        """A recorder of events with notifications; APPLICATION_RECORDER_TOPIC may name a subclass."""
        return self._named(self.APPLICATION_RECORDER_TOPIC, JournalApplicationRecorder)(self.store)

    def tracking_recorder(
        self, tracking_recorder_class: type[JournalTrackingRecorder] | None = None
    ) -> JournalTrackingRecorder:
        """A recorder of positions; the argument or TRACKING_RECORDER_TOPIC may name a subclass."""
        if tracking_recorder_class is None:
            tracking_recorder_class = self._named(self.TRACKING_RECORDER_TOPIC, JournalTrackingRecorder)
        assert issubclass(tracking_recorder_class, JournalTrackingRecorder)
        return tracking_recorder_class(self.store)

    def process_recorder(self) -> JournalProcessRecorder:
        """A recorder of events with positions; PROCESS_RECORDER_TOPIC may name a subclass."""
        return self._named(self.PROCESS_RECORDER_TOPIC, JournalProcessRecorder)(self.store)

    def close(self) -> None:
        """Release the journal; the last factory of the process that does so closes it."""
        if not self._closed:
            self._closed = True
            release_store(self.store)

    def _named(self, setting: str, default: type[Recorder]) -> type[Recorder]:
        topic = self.env.get(setting)
        named = resolve_topic(topic) if topic else default
        assert issubclass(named, default), f"{setting} names {named}, which is no {default.__name__}"
        return named
