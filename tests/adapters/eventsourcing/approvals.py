"""An example aggregate whose events are msgspec Structs: an approval is requested, granted, revoked.

Owns the example. Must not know: where its events are stored.
"""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID, uuid4

import msgspec
from eventsourcing.application import Application

from adapters.eventsourcing import stored_as


class ApprovalEvent(msgspec.Struct, frozen=True):
    """What the events share."""

    originator_id: UUID
    originator_version: int

    def mutate(self, approval: Approval | None) -> Approval | None:
        """The aggregate after this event."""
        if approval is None:
            approval = Approval(self.originator_id)
        assert self.originator_version == approval.version + 1
        approval.version = self.originator_version
        approval.take(self)
        return approval


def _with_currency(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "currency": "USD"}


@stored_as("approval.requested", version=2, upcasters={1: _with_currency})
class ApprovalRequested(ApprovalEvent, frozen=True):
    who: str
    limit_minor: int
    currency: str


@stored_as("approval.granted")
class ApprovalGranted(ApprovalEvent, frozen=True):
    by: str


@stored_as("approval.revoked")
class ApprovalRevoked(ApprovalEvent, frozen=True):
    by: str
    why: str


class Approval:
    """Whether somebody may go above a limit."""

    def __init__(self, id: UUID) -> None:
        self.id, self.version, self.standing, self.limit_minor, self.currency = id, 0, "none", 0, ""
        self._pending: list[ApprovalEvent] = []

    @classmethod
    def request(cls, who: str, limit_minor: int, currency: str = "USD") -> Self:
        """A new one, not granted yet."""
        approval = cls(uuid4())
        approval._happen(ApprovalRequested, who=who, limit_minor=limit_minor, currency=currency)
        return approval

    def grant(self, by: str) -> None:
        """From now on it holds."""
        self._happen(ApprovalGranted, by=by)

    def revoke(self, by: str, why: str) -> None:
        """It no longer holds."""
        self._happen(ApprovalRevoked, by=by, why=why)

    def take(self, event: ApprovalEvent) -> None:
        """What an event means."""
        match event:
            case ApprovalRequested(limit_minor=limit_minor, currency=currency):
                self.standing, self.limit_minor, self.currency = "requested", limit_minor, currency
            case ApprovalGranted():
                self.standing = "granted"
            case ApprovalRevoked():
                self.standing = "revoked"

    def collect_events(self) -> list[ApprovalEvent]:
        """The events that are not stored yet; the library asks when it saves."""
        pending, self._pending = self._pending, []
        return pending

    def _happen(self, cls: type[ApprovalEvent], **fields: Any) -> None:
        event = cls(originator_id=self.id, originator_version=self.version + 1, **fields)
        event.mutate(self)
        self._pending.append(event)


class Approvals(Application[UUID]):
    """All approvals."""
