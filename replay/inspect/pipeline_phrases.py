"""What the events of the signal pipeline say, for people."""

from collections.abc import Mapping
from typing import Any

from kernel.events import catalogue as events
from kernel.events.layout import Stored
from kernel.lifecycle import PURPOSE_NAMES, STRATEGY_ORDER
from kernel.pipeline.rules import (
    AGREEMENTS,
    ARM,
    ARM_A,
    ARM_B,
    ARMS,
    CHARACTER,
    COUNTS,
    DIMENSIONS,
    FILTERS,
    LIQUIDITY,
    METHODS,
    MINIMUM,
    REGIMES,
    SPREAD,
    TREND,
    UNITS,
    VERDICT_REASONS,
    VOLATILITY,
    VOTE_REASONS,
)
from kernel.units import RATE_SCALE
from replay.catalogue.intervals import format_span
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
    events.RegimeChanged: "{trend}, volatility {volatility} (rank {rank_e8}), {character} (ADX {adx_e8}, choppiness "
    "{choppiness_e8})",
    events.RegimeScaleSet: "{dimension} {regime}: long {long_rate}, short {short_rate}",
    events.CalibrationSet: "{method}[, slope {slope_e8}, intercept {intercept_e8}]",
    events.CalibrationPointSet: "{confidence_rate} becomes {calibrated_rate}",
    events.SignalFiltersSet: "[confidence at least {minimum_confidence_rate}][, until {close_before_ns} before the "
    "close][, volume at least {daily_volume}][, spread at most {spread_rate}][, {earnings_ns} around earnings]"
    "[, {news_ns} around news][, {pass_unknown}]",
    events.SignalDropped: "{direction}, confidence {confidence_rate}: {filter} (limit {limit}, found {value})",
    events.ExperimentSet: "{share_rate} to arm B, seed {seed}, by {unit}",
    events.ArmSet: "arm {arm}",
    events.InputRouted: "{arm}, for unit {unit} (draw {draw})",
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


def _e8(field: str) -> Any:
    def text(names: Names, stored: Stored) -> str:
        return f"{getattr(stored.event, field) / RATE_SCALE:g}"

    return text


def _regime(names: Names, stored: Stored) -> str:
    event: Any = stored.event
    return REGIMES.get(event.dimension, {}).get(event.regime, f"class {event.regime}")


def _span(field: str) -> Any:
    def text(names: Names, stored: Stored) -> str:
        length_ns = getattr(stored.event, field)
        return format_span(length_ns) if length_ns else ""

    return text


def _seen(field: str) -> Any:
    """A limit or value of a filter in its unit."""

    def text(names: Names, stored: Stored) -> str:
        number, which = getattr(stored.event, field), stored.event.filter  # type: ignore[attr-defined]
        if number < 0:
            return "nothing"
        if which in (MINIMUM, SPREAD):
            return f"{100 * number / RATE_SCALE:g} %"
        return str(number) if which in (LIQUIDITY, ARM) else format_span(number)

    return text


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (events.ShadowFilled, "purpose"): _purpose,
    (events.ModelSignalSeen, "returns"): _returns,
    (events.RegimeChanged, "trend"): _named("trend", REGIMES[TREND]),
    (events.RegimeChanged, "volatility"): _named("volatility", REGIMES[VOLATILITY]),
    (events.RegimeChanged, "character"): _named("character", REGIMES[CHARACTER]),
    **{(events.RegimeChanged, name): _e8(name) for name in ("adx_e8", "choppiness_e8", "rank_e8")},
    (events.RegimeScaleSet, "dimension"): _named("dimension", DIMENSIONS),
    (events.RegimeScaleSet, "regime"): _regime,
    (events.CalibrationSet, "method"): _named("method", METHODS),
    **{(events.CalibrationSet, name): _e8(name) for name in ("slope_e8", "intercept_e8")},
    (events.SignalFiltersSet, "spread_rate"): lambda names, stored: (
        f"{100 * stored.event.spread_rate / RATE_SCALE:g} %" if stored.event.spread_rate else ""
    ),
    (events.SignalFiltersSet, "minimum_confidence_rate"): lambda names, stored: (
        f"{100 * stored.event.minimum_confidence_rate / RATE_SCALE:g} %" if stored.event.minimum_confidence_rate else ""
    ),
    **{(events.SignalFiltersSet, name): _span(name) for name in ("close_before_ns", "earnings_ns", "news_ns")},
    (events.SignalFiltersSet, "pass_unknown"): _named("pass_unknown", {1: "the unknown passes"}, (0,)),
    (events.SignalFiltersSet, "daily_volume"): _named("daily_volume", {}, (0,)),
    (events.ExperimentSet, "unit"): _named("unit", UNITS),
    (events.ArmSet, "arm"): _named("arm", ARMS),
    (events.InputRouted, "arm"): _named("arm", {ARM_A: "to A alone", ARM_B: "to B too"}),
    (events.SignalDropped, "filter"): _named("filter", FILTERS),
    (events.SignalDropped, "limit"): _seen("limit"),
    (events.SignalDropped, "value"): _seen("value"),
    (events.SignalVoted, "member"): _member("member"),
    (events.SignalVoted, "vote_reason"): _named("reason", VOTE_REASONS, (COUNTS,)),
    (events.SignalCombined, "verdict"): _named("reason", VERDICT_REASONS),
    (events.SignalCombined, "vetoed_by"): _member("vetoed_by"),
    (events.EnsembleSet, "rule"): _named("rule", AGREEMENTS),
    (events.EnsembleSet, "at_least"): _named("at_least", {}, (0,)),
    (events.EnsembleMemberSet, "member"): _member("member"),
    (events.EnsembleMemberSet, "veto"): _named("veto", {1: "veto"}, (0,)),
}
