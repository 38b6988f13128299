"""The library's recorders over a journal, and a subscription.

Owns: what each kind of recorder returns and takes. Must not know: frames, files, locks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    ListenNotifySubscription,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from adapters.eventsourcing.frames import EVENTS
from adapters.eventsourcing.store import JournalStore


class JournalRecorder:
    """What all recorders are made with: an open journal."""

    def __init__(self, store: JournalStore) -> None:
        self.store = store


class JournalAggregateRecorder(JournalRecorder, AggregateRecorder):
    """Stored events of one purpose, by originator and version."""

    def __init__(self, store: JournalStore, purpose: str = EVENTS) -> None:
        super().__init__(store)
        self.purpose = purpose

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Write the events as one frame; IntegrityError, and nothing is written, if one is there already."""
        self.store.insert(self.purpose, stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of an originator with versions above `gt` and up to `lte`."""
        return self.store.select_events(self.purpose, originator_id, gt, lte, desc, limit)


class JournalApplicationRecorder(JournalAggregateRecorder, ApplicationRecorder):
    """Stored events with notification ids, which are the sequences of the journal."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Write the events as one frame and return their notification ids."""
        return self.store.insert(self.purpose, stored_events)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Notifications from `start` to `stop`, at most `limit` of them."""
        first = 1 if start is None else start if inclusive_of_start else start + 1
        return self.store.select_notifications(first, stop, limit, topics)

    def max_notification_id(self) -> int | None:
        """The last notification's id; None if there is none."""
        return self.store.max_notification_id()

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Notifications after `gt`, and then each new one as soon as it is inserted by this process."""
        return JournalSubscription(self, gt=gt, topics=topics)


class JournalSubscription(ListenNotifySubscription[JournalApplicationRecorder]):
    """Waits for inserts of this process; nobody else can insert."""

    def __init__(self, recorder: JournalApplicationRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._recorder.store.listen(self._has_been_notified)

    def stop(self) -> None:
        """End the iteration."""
        super().stop()
        self._recorder.store.unlisten(self._has_been_notified)


class JournalTrackingRecorder(JournalRecorder, TrackingRecorder):
    """Positions in other applications' notifications; each is above the one before."""

    def insert_tracking(self, tracking: Tracking) -> None:
        """Write a position; IntegrityError if it is not above the last one."""
        self.store.insert(EVENTS, (), tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """The last position recorded for an application; None if there is none."""
        return self.store.max_tracking_id(application_name)


class JournalProcessRecorder(JournalApplicationRecorder, JournalTrackingRecorder, ProcessRecorder):
    """Stored events together with the position that led to them, in one frame."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Write the events and the `tracking` position, if one is given, as one frame."""
        return self.store.insert(self.purpose, stored_events, kwargs.get("tracking"))
