"""How events about a journal as a thing that is kept are told."""

from collections.abc import Callable
from typing import Any

from kernel.events import catalogue as events
from kernel.events.body import decode_body
from kernel.events.layout import Stored

PHRASES: dict[type[events.Event], str] = {
    events.JournalRestored: "from {frames} frames, root {root}[, {body}]",
    events.SegmentsPruned: "frames 1 to {frames}, {pruned_bytes} bytes; event {first_kept} is the first that stays"
    "[, {body}]",
    events.DataKeyDestroyed: "key {key_id}, frames {first_frame} to {last_frame}[, {body}]",
    events.SigningKeyRotated: "{new_key_id} takes the place of {old_key_id}[, {rotation_reason}]",
}


def _root(names: Any, stored: Stored) -> str:
    words = [getattr(stored.event, f"root_{number}") for number in range(4)]
    return "".join(f"{word & (1 << 64) - 1:016x}" for word in words)


def _key(names: Any, stored: Stored) -> str:
    return f"{getattr(stored.event, 'key') & (1 << 64) - 1:016x}"  # noqa: B009


def _signing_key(name: str, field: str) -> Callable[[Any, Stored], str]:
    """A key by its name and id, as the body says; by its id where that says nothing."""

    def shown(names: Any, stored: Stored) -> str:
        owner = str(_said(stored, name)).partition("+")[0]
        return f"{owner} ({getattr(stored.event, field):08x})".strip()

    return shown


def _said(stored: Stored, name: str) -> Any:
    said = decode_body(stored.body)
    return said.get(name, "") if isinstance(said, dict) else ""


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (events.JournalRestored, "root"): _root,
    (events.DataKeyDestroyed, "key_id"): _key,
    (events.SigningKeyRotated, "old_key_id"): _signing_key("old", "old_key"),
    (events.SigningKeyRotated, "new_key_id"): _signing_key("new", "new_key"),
    (events.SigningKeyRotated, "rotation_reason"): lambda names, stored: _said(stored, "reason"),
}
