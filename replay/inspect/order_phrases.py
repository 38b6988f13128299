"""The phrases of an order's events: what people read of its terms, its group and the reasons that end it."""

from collections.abc import Callable, Mapping
from typing import Any

from kernel.events import catalogue as events
from kernel.events.layout import Stored
from kernel.lifecycle import (
    CANCEL_REASONS,
    INSTRUCTION_NAMES,
    PURPOSE_NAMES,
    REJECT_REASONS,
    REQUEST_NAMES,
    ROLE_NAMES,
    STRATEGY_ORDER,
    TRAIL_TICKS,
)
from replay.inspect.names import Names

# [..] is left out when a field in it is empty.
ORDER_PHRASES: dict[type[events.Event], str] = {
    events.OrderIntended: "{side} {quantity_lots} {order_type} {time_in_force}[ at {limit_ticks}]"
    "[ stop {stop_ticks}][, {instructions}][ for {purpose}][ tag {tag}]",
    events.OrderTerms: "order {order_id}[: trails by {trail}][, limit {limit_offset_ticks} off]"
    "[, shows {display_lots}][, until {expire_ns}][, {group_role} of group {group_id}][, waits for {parent_id}]",
    events.OrderReleased: "order {order_id}: {quantity_lots}",
    events.RequestRejected: "order {order_id}: {request} refused, {reason}",
    events.GroupBroken: "order {order_id}: against group {group_id}[, {excess_lots} too many]"
    "[, {unprotected_lots} without an exit]",
    events.RiskChecked: "order {order_id}: {check}[ (limit {limit}, found {value})]",
    events.OrderAccepted: "order {order_id}",
    events.OrderRejected: "order {order_id}: {reason}",
    events.OrderFilled: "order {order_id}: {side} {quantity_lots} at {price_ticks}, fee {fee_minor}"
    "[, {liquidity}][, {leaves_lots} open]",
    events.OrderCanceled: "order {order_id}: {leaves_lots} not filled, {reason}",
    events.OrderExpired: "order {order_id}: {leaves_lots} not filled",
    events.CancelRequested: "order {order_id}[, {linked}]",
    events.ReplaceRequested: "order {order_id}: {quantity_lots}[ at {limit_ticks}][ stop {stop_ticks}][, {linked}]",
    events.OrderReplaced: "order {order_id}: {quantity_lots}[ at {limit_ticks}][ stop {stop_ticks}]",
    events.RequestRefused: "[order {order_id}: ]{check}[ (limit {limit}, found {value})]",
}


def _named(field: str, meanings: Mapping[int, str], silent: tuple[int, ...] = ()) -> Callable[[Names, Stored], str]:
    """The meaning of a number; nothing for the silent ones."""

    def text(names: Names, stored: Stored) -> str:
        number = getattr(stored.event, field)
        return "" if number in silent else meanings.get(number, f"{field} {number}")

    return text


def _instructions(names: Names, stored: Stored) -> str:
    bits: int = stored.event.instructions  # type: ignore[attr-defined]
    return ", ".join(name for bit, name in INSTRUCTION_NAMES.items() if bits & bit)


def _trail(names: Names, stored: Stored) -> str:
    kind, value = stored.event.trail_kind, stored.event.trail_value  # type: ignore[attr-defined]
    if not value:
        return ""
    return names.price(value, stored.instrument) if kind == TRAIL_TICKS else f"{value} bps"


_REASONS: dict[type[events.Event], Any] = {events.OrderCanceled: CANCEL_REASONS, events.OrderRejected: REJECT_REASONS}
ORDER_SPECIALS: dict[tuple[type[events.Event] | None, str], Any] = {
    **{(kind, "reason"): _named("reason", reasons) for kind, reasons in _REASONS.items()},
    (events.RequestRejected, "reason"): _named("reason", REJECT_REASONS),
    (events.RequestRejected, "request"): _named("request", REQUEST_NAMES),
    (events.OrderIntended, "instructions"): _instructions,
    (events.OrderIntended, "purpose"): _named("purpose", PURPOSE_NAMES, (STRATEGY_ORDER,)),
    (events.OrderTerms, "trail"): _trail,
    (events.OrderTerms, "group_role"): _named("group_role", ROLE_NAMES, (0,)),
    (events.CancelRequested, "linked"): _named("linked", {1: "by its group or its exchange"}, (0,)),
    (events.ReplaceRequested, "linked"): _named("linked", {1: "by its group"}, (0,)),
}
