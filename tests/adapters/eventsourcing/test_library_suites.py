"""The library's own published test suites, inherited: here is only said how our recorders are made.

Owns nothing of what is tested. Must not know: how a journal is written. The suites for DCB (another interface than
recorders) are not among them.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar
from unittest import TestCase, mock

import pytest
from eventsourcing.persistence import InfrastructureFactory, StoredEvent, Tracking
from eventsourcing.tests import application, persistence, projection
from eventsourcing.utils import Environment, get_topic

from adapters.eventsourcing import (
    Factory,
    JournalAggregateRecorder,
    JournalApplicationRecorder,
    JournalProcessRecorder,
    JournalTrackingRecorder,
)

MODULE = "adapters.eventsourcing"


class OnAJournal(TestCase):
    """A new journal for each test, with the default policy: durable before a call returns."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="journal-suite-"))
        self.addCleanup(shutil.rmtree, self.folder)
        super().setUp()

    def factory_of_recorders(self) -> Factory:
        factory = Factory.construct({"PERSISTENCE_MODULE": MODULE, "JOURNAL_PATH": str(self.folder)})
        self.addCleanup(factory.close)
        assert isinstance(factory, Factory)
        return factory


class TestAggregateRecorder(OnAJournal, persistence.AggregateRecorderTestCase):
    def create_recorder(self) -> JournalAggregateRecorder:
        return self.factory_of_recorders().aggregate_recorder()


class TestSnapshotRecorder(OnAJournal, persistence.AggregateRecorderTestCase):
    def create_recorder(self) -> JournalAggregateRecorder:
        return self.factory_of_recorders().aggregate_recorder(purpose="snapshots")


class TestApplicationRecorder(OnAJournal, persistence.ApplicationRecorderTestCase):
    def create_recorder(self) -> JournalApplicationRecorder:
        return self.factory_of_recorders().application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestProcessRecorderAsApplicationRecorder(OnAJournal, persistence.ApplicationRecorderTestCase):
    def create_recorder(self) -> JournalProcessRecorder:
        return self.factory_of_recorders().process_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(OnAJournal, persistence.TrackingRecorderTestCase):
    def create_recorder(self) -> JournalTrackingRecorder:
        return self.factory_of_recorders().tracking_recorder()


class TestProcessRecorder(OnAJournal, persistence.ProcessRecorderTestCase):
    def create_recorder(self) -> JournalProcessRecorder:
        return self.factory_of_recorders().process_recorder()


class TestNonInterleaving(OnAJournal, persistence.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> JournalApplicationRecorder:
        return self.factory_of_recorders().application_recorder()


class CountingView(JournalTrackingRecorder):
    """A subclass for the suites that want one."""


class TestInfrastructureFactory(persistence.InfrastructureFactoryTestCase[Factory]):
    def setUp(self) -> None:
        folder = tempfile.mkdtemp(prefix="journal-suite-")
        self.addCleanup(shutil.rmtree, folder)
        self.env = Environment(env={InfrastructureFactory.PERSISTENCE_MODULE: MODULE, Factory.JOURNAL_PATH: folder})
        super().setUp()

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[JournalAggregateRecorder]:
        return JournalAggregateRecorder

    def expected_application_recorder_class(self) -> type[JournalApplicationRecorder]:
        return JournalApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[JournalTrackingRecorder]:
        return JournalTrackingRecorder

    def tracking_recorder_subclass(self) -> type[JournalTrackingRecorder]:
        return CountingView

    def expected_process_recorder_class(self) -> type[JournalProcessRecorder]:
        return JournalProcessRecorder


class InTheEnvironment(OnAJournal):
    """For the suites that read the settings from the process's environment."""

    def setUp(self) -> None:
        super().setUp()
        settings = {"PERSISTENCE_MODULE": MODULE, "JOURNAL_PATH": str(self.folder)}
        patched = mock.patch.dict(os.environ, settings)
        patched.start()
        self.addCleanup(patched.stop)


class TestExampleApplication(InTheEnvironment, application.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(Factory)


@pytest.mark.filterwarnings("always::DeprecationWarning")  # the suite asks for one, and looks whether it came
class TestApplication(InTheEnvironment, application.ApplicationTestCase):
    pass


class CountersView(JournalTrackingRecorder, projection.EventCountersView):
    """A view whose counts are stored events of a stream of their own, each in one frame with its position."""

    CREATED, SUBSEQUENT = "created", "subsequent"

    def get_created_event_counter(self) -> int:
        return self._count(self.CREATED)

    def get_subsequent_event_counter(self) -> int:
        return self._count(self.SUBSEQUENT)

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment(self.CREATED, tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment(self.SUBSEQUENT, tracking)

    def _count(self, name: str) -> int:
        return len(self.store.select_events("counters", name, None, None, False, None))

    def _increment(self, name: str, tracking: Tracking) -> None:
        self.store.insert("counters", [StoredEvent(name, self._count(name) + 1, name, b"")], tracking)


class TestEventCountersView(OnAJournal, projection.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> CountersView:
        view = self.factory_of_recorders().tracking_recorder(CountersView)
        assert isinstance(view, CountersView)
        return view


class TestProjection(InTheEnvironment, projection.AggregateEventCountersProjectionTestCase):
    view_class = CountersView
    env: ClassVar[dict[str, str]] = {}


class TestEventSourcedProjection(OnAJournal, projection.EventSourcedProjectionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.env = {  # type: ignore[misc]
            "PERSISTENCE_MODULE": MODULE,
            "APPLICATION_JOURNAL_PATH": str(self.folder / "application"),
            "COUNTERS_JOURNAL_PATH": str(self.folder / "counters"),
        }
