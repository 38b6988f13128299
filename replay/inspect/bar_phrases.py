"""How the events of series of bars read."""

from typing import Any

from kernel.bars.rule import FROM_SERIES, SOURCE_NAMES
from kernel.events import catalogue as events
from kernel.events.layout import Stored
from kernel.tables.bars import CUT, GAPS, LATE, SHORT, STRADDLES
from replay.inspect.names import Names

PHRASES: dict[type[events.Event], str] = {
    events.SeriesDefined: "series {series}: {body}",
    events.SeriesSourceDefined: "{rule} is made of {made_of}",
    events.BarDue: "time has come[ for bars until {end_ns}]",
    events.SeriesBarClosed: "{rule}: open {open_ticks}  high {high_ticks}  low {low_ticks}  close {close_ticks}  "
    "volume {volume_lots}, from {ts_open_ns} to {end_ns}[, {flags}]",
    events.BarInputDropped: "{rule}: {why}, from {ts_open_ns} to {end_ns}",
}
FLAG_NAMES = {SHORT: "short", GAPS: "gaps", CUT: "cut by a split"}
REASON_NAMES = {LATE: "came after its bar had closed", STRADDLES: "reaches beyond the end of a bar"}


def _rule(names: Names, stored: Stored) -> str:
    return names.rule(stored.event.series)  # type: ignore[attr-defined]


def _made_of(names: Names, stored: Stored) -> str:
    event = stored.event
    assert isinstance(event, events.SeriesSourceDefined)
    if event.source == FROM_SERIES:
        return names.rule(event.parent)
    return SOURCE_NAMES.get(event.source, f"source {event.source}")


def _flags(names: Names, stored: Stored) -> str:
    flags = stored.event.bar_flags  # type: ignore[attr-defined]
    return ", ".join(name for bit, name in FLAG_NAMES.items() if flags & bit)


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (events.SeriesSourceDefined, "rule"): _rule,
    (events.SeriesSourceDefined, "made_of"): _made_of,
    (events.SeriesBarClosed, "rule"): _rule,
    (events.SeriesBarClosed, "flags"): _flags,
    (events.BarInputDropped, "rule"): _rule,
    (events.BarInputDropped, "why"): lambda names, stored: REASON_NAMES.get(
        stored.event.reason, f"reason {stored.event.reason}"
    ),
}
