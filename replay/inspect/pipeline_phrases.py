"""What the events of the signal pipeline say, for people."""

from collections.abc import Mapping
from typing import Any

from kernel.events import catalogue as events
from kernel.events.layout import Stored
from kernel.lifecycle import PURPOSE_NAMES, STRATEGY_ORDER
from kernel.pipeline.rules import AGREEMENTS, COUNTS, VERDICT_REASONS, VOTE_REASONS
from kernel.units import RATE_SCALE
from replay.inspect.names import Names

PHRASES: dict[type[events.Event], str] = {
    events.ShadowFilled: "on paper: {side} {quantity_lots} at {price_ticks}, fee {fee_minor}[ for {purpose}]",
    events.ModelSignalSeen: "model: {direction}, confidence {confidence_rate}[, for {horizon}][, returns {returns}]",
    events.SignalVoted: "{member} votes {direction}[, {vote_reason}], confidence {confidence_rate}, "
    "weight {weight_rate}",
    events.SignalCombined: "{direction}: {verdict}[ by {vetoed_by}], score {score_rate}, {agreeing} agree, "
    "{opposing} oppose, {abstaining} abstain",
    events.EnsembleSet: "{rule}[ {at_least}], confidence at least {minimum_confidence_rate}[, return {quantile_rate}]",
    events.EnsembleMemberSet: "{member}, weight {weight_rate}[, {veto}]",
    events.ShadowTermsSet: "fills on paper cost a fee of {fee_rate} and slippage of {slippage_rate}",
}


def _purpose(names: Names, stored: Stored) -> str:
    number = stored.event.purpose  # type: ignore[attr-defined]
    return "" if number == STRATEGY_ORDER else PURPOSE_NAMES.get(number, f"purpose {number}")


def _member(field: str) -> Any:
    def text(names: Names, stored: Stored) -> str:
        return names.strategy(getattr(stored.event, field))

    return text


def _named(field: str, meanings: Mapping[int, str], silent: tuple[int, ...] = ()) -> Any:
    def text(names: Names, stored: Stored) -> str:
        number = getattr(stored.event, field)
        return "" if number in silent else meanings.get(number, f"{field} {number}")

    return text


def _returns(names: Names, stored: Stored) -> str:
    low, high = stored.event.low_return_rate, stored.event.high_return_rate  # type: ignore[attr-defined]
    return f"{100 * low / RATE_SCALE:g} to {100 * high / RATE_SCALE:g} %" if low or high else ""


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (events.ShadowFilled, "purpose"): _purpose,
    (events.ModelSignalSeen, "returns"): _returns,
    (events.SignalVoted, "member"): _member("member"),
    (events.SignalVoted, "vote_reason"): _named("reason", VOTE_REASONS, (COUNTS,)),
    (events.SignalCombined, "verdict"): _named("reason", VERDICT_REASONS),
    (events.SignalCombined, "vetoed_by"): _member("vetoed_by"),
    (events.EnsembleSet, "rule"): _named("rule", AGREEMENTS),
    (events.EnsembleSet, "at_least"): _named("at_least", {}, (0,)),
    (events.EnsembleMemberSet, "member"): _member("member"),
    (events.EnsembleMemberSet, "veto"): _named("veto", {1: "veto"}, (0,)),
}
