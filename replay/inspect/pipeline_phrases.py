"""What the events of the signal pipeline say, for people."""

from typing import Any

from kernel.events import catalogue as events
from kernel.events.layout import Stored
from kernel.lifecycle import PURPOSE_NAMES, STRATEGY_ORDER
from replay.inspect.names import Names

PHRASES: dict[type[events.Event], str] = {
    events.ShadowFilled: "on paper: {side} {quantity_lots} at {price_ticks}, fee {fee_minor}[ for {purpose}]",
    events.ShadowTermsSet: "fills on paper cost a fee of {fee_rate} and slippage of {slippage_rate}",
}


def _purpose(names: Names, stored: Stored) -> str:
    number = stored.event.purpose  # type: ignore[attr-defined]
    return "" if number == STRATEGY_ORDER else PURPOSE_NAMES.get(number, f"purpose {number}")


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (events.ShadowFilled, "purpose"): _purpose,
}
