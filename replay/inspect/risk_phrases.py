"""What the events of risk and the levels say, for people."""

from typing import Any

from kernel.events import catalogue as events
from kernel.events.layout import Stored
from kernel.market import DAILY_VOLUME_LEVEL, EARNINGS_LEVEL, LEVEL_NAMES, NEWS_LEVEL, OPEN_INTEREST_LEVEL
from kernel.risk import rules as r
from kernel.risk.modes import KILL_LEVELS, MODES, SOURCES
from kernel.risk.numbers import BREAKER, CONSECUTIVE_LOSSES, DAILY_LOSS, INVALID_TIMER, SLIPPAGE
from kernel.risk.rules import RULES
from kernel.units import RATE_SCALE
from replay.catalogue.intervals import format_span
from replay.inspect.names import Names

# An order is refused by these with the time until which entries are stopped.
STOPPING = (DAILY_LOSS, CONSECUTIVE_LOSSES, BREAKER, SLIPPAGE)
PHRASES: dict[type[events.Event], str] = {
    events.KillSwitchTripped: "level {kill} by {check} (limit {limit}, found {value})",
    events.KillSwitchRequested: "level {kill}, by {asked}[, {body}]",
    events.KillSwitchReset: "by {asked}[, {body}]",
    events.EntriesStopped: "until {until_ns} by {check} (limit {limit}, found {value})",
    events.RiskRuleSet: "{rule} {value}",
    events.SectorAssigned: "sector {body}",
    events.CorrelationSet: "{rate} with {other}",
    events.TradingModeSet: "{mode}[, {body}]",
    events.VenuePositionReported: "the venue says {quantity_lots}",
    events.LevelSet: "{level} {value}",
}


def is_time(event: events.Event) -> bool:
    """Whether limit and value of a verdict in nanoseconds are instants; else they are lengths."""
    return event.check == INVALID_TIMER or is_stopped(event)  # type: ignore[attr-defined]


def is_stopped(event: events.Event) -> bool:
    """Whether an order was refused because entries are stopped until a time."""
    return isinstance(event, events.RiskChecked | events.RequestRefused) and event.check in STOPPING


def _rule_value(names: Names, stored: Stored) -> str:
    number = stored.event.rule  # type: ignore[attr-defined]
    value = stored.event.value  # type: ignore[attr-defined]
    unit = RULES[number].unit if number in RULES else ""
    if value == 0:
        return "off"
    if unit == r.MONEY:
        return names.money(value)
    if unit == r.LENGTH:
        return format_span(value)
    scale = {r.PERCENT: (100, " %"), r.BPS: (10_000, " bps"), r.RATIO: (1, "")}.get(unit)
    return f"{value * scale[0] / RATE_SCALE:g}{scale[1]}" if scale else str(value)


def _level_value(names: Names, stored: Stored) -> str:
    from replay.inspect.phrases import time_text

    level, value = stored.event.level, stored.event.value  # type: ignore[attr-defined]
    if level in (EARNINGS_LEVEL, NEWS_LEVEL):
        return time_text(value)
    return f"{value:,}" if level in (DAILY_VOLUME_LEVEL, OPEN_INTEREST_LEVEL) else f"{value / RATE_SCALE:g}"


def _named(field: str, meanings: dict[int, str]) -> Any:
    return lambda names, stored: meanings.get(getattr(stored.event, field), str(getattr(stored.event, field)))


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (None, "kill"): _named("level", {number: f"{number}, {name}" for number, name in KILL_LEVELS.items()}),
    (None, "asked"): _named("source", SOURCES),
    (events.RiskRuleSet, "rule"): _named("rule", {number: rule.name for number, rule in RULES.items()}),
    (events.RiskRuleSet, "value"): _rule_value,
    (events.TradingModeSet, "mode"): _named("mode", MODES),
    (events.CorrelationSet, "other"): lambda names, stored: names.instrument(stored.event.other),
    (events.LevelSet, "level"): _named("level", LEVEL_NAMES),
    (events.LevelSet, "value"): _level_value,
}
