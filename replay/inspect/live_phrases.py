"""What the events of a live session say, for people."""

from typing import Any

from kernel.events import catalogue as events
from kernel.events.body import shown_body
from kernel.events.layout import Stored
from replay.inspect.names import Names

MODES = {0: "paper", 1: "a venue's play money", 2: "real money"}
STREAMS = {0: "answers", 1: "market", 2: "private"}
STATUSES = {0: "down", 1: "up", 2: "has a gap"}
SUBJECTS = {1: "an order", 2: "a fill", 3: "a position", 4: "a balance"}
REPAIRS = {
    0: "nothing",
    1: "adopting it",
    2: "importing it",
    3: "cancelling it",
    4: "ending it",
    5: "adjusting",
    6: "a halt",
}
REQUESTS = {0: "the order", 1: "its cancel", 2: "its replace"}
PHRASES: dict[type[events.Event], str] = {
    events.LiveSessionOpened: "{live_mode}[, {body}]",
    events.LiveSessionClosed: "{still_open} orders open; {market_rows} market rows heard, {conflated_rows} replaced by "
    "newer ones, {dropped_rows} dropped[, {body}]",
    events.ConnectionChanged: "{stream_name} stream {stream_status}[, {body}]",
    events.DegradedSet: "{entries}",
    events.ClockMeasured: "{offset_ms} ms off, asked in {round_trip_ms} ms",
    events.DifferenceFound: "{subject_name}: ours {ours}, theirs {theirs}; repaired by {repair_name}[, {body}]",
    events.Reconciled: "{orders} orders, {fills} fills, {positions} positions, {balances} balances; {differences} "
    "differences",
    events.OrderInDoubt: "order {order_id}: {request_name}[, {body}]",
    events.CommandGiven: "{command}",
    events.CancelAsked: "{cancel_of}",
    events.FlattenRequested: "everything there, by {asked}[, {body}]",
}  # fmt: skip


def _named(field: str, meanings: dict[int, str]) -> Any:
    return lambda names, stored: meanings.get(getattr(stored.event, field), str(getattr(stored.event, field)))


def _milliseconds(field: str) -> Any:
    return lambda names, stored: f"{getattr(stored.event, field) / 1e6:,.3f}"


def _command(names: Names, stored: Stored) -> str:
    """The command with its arguments, and who gave it."""
    body = shown_body(stored.body)
    if not isinstance(body, dict):
        return f"by user id {stored.event.user_id}"  # type: ignore[attr-defined]
    given = body.get("arguments")
    said = (
        "".join(f" {key}={value}" for key, value in given.items() if value not in ("", None))
        if isinstance(given, dict)
        else ""
    )
    return f"{body.get('command', '?')}{said}, by {body.get('user', '?')} (user id {stored.event.user_id})"  # type: ignore[attr-defined]


def _entries(names: Names, stored: Stored) -> str:
    """Whether entries are stopped, and the reasons in words."""
    if not stored.event.reasons:  # type: ignore[attr-defined]
        return "entries may go on"
    said = shown_body(stored.body)
    return f"entries are stopped: {said}" if said else "entries are stopped"


def _cancel_of(names: Names, stored: Stored) -> str:
    order_id: int = stored.event.order_id  # type: ignore[attr-defined]
    return f"order {order_id}" if order_id else "all orders"


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (events.LiveSessionOpened, "live_mode"): _named("mode", MODES),
    (events.ConnectionChanged, "stream_name"): _named("stream", STREAMS),
    (events.ConnectionChanged, "stream_status"): _named("status", STATUSES),
    (events.DegradedSet, "entries"): _entries,
    (events.LiveSessionClosed, "still_open"): lambda names, stored: str(stored.event.open_orders),
    (events.ClockMeasured, "offset_ms"): _milliseconds("offset_ns"),
    (events.ClockMeasured, "round_trip_ms"): _milliseconds("round_trip_ns"),
    (events.DifferenceFound, "subject_name"): _named("subject", SUBJECTS),
    (events.DifferenceFound, "repair_name"): _named("repair", REPAIRS),
    (events.OrderInDoubt, "request_name"): _named("request", REQUESTS),
    (events.CommandGiven, "command"): _command,
    (events.CancelAsked, "cancel_of"): _cancel_of,
}
