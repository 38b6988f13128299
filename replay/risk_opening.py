"""The rules of risk as opening events, and in the resolved configuration.

Owns the turning of ``[risk]`` into events. Without the table there are none.
"""

from collections.abc import Sequence
from typing import Any

from kernel.events import catalogue as events
from kernel.events.body import encode_body
from kernel.events.catalogue import Event
from kernel.instruments import Instrument
from kernel.risk.modes import MODES
from kernel.risk.rules import RULES
from replay.config import RunConfig
from replay.config.risk import resolve_correlations, resolve_sectors, rule_values

MODE_NUMBERS = {name: number for number, name in MODES.items()}


def resolved_risk(config: RunConfig, instruments: Sequence[Instrument], scale: int) -> dict[str, Any]:
    """What of ``[risk]`` decides, as plain values; empty when nothing does."""
    risk = config.risk
    resolved = {
        "rules": {RULES[number].name: value for number, value in rule_values(risk, scale).items()},
        "mode": "" if risk.mode == MODES[0] else risk.mode,
        "sectors": {instruments[at].name: name for at, (_, name) in resolve_sectors(risk, instruments).items()},
        "correlations": [list(entry) for entry in resolve_correlations(risk, instruments)],
    }
    return {key: value for key, value in resolved.items() if value}


def risk_events(
    config: RunConfig, instruments: Sequence[Instrument], scale: int
) -> list[tuple[int, int, Event, bytes]]:
    """``(instrument, strategy, event, body)`` in order."""
    risk = config.risk
    out: list[tuple[int, int, Event, bytes]] = [
        (-1, -1, events.RiskRuleSet(number, value), b"") for number, value in rule_values(risk, scale).items()
    ]
    for instrument, (number, name) in resolve_sectors(risk, instruments).items():
        out.append((instrument, -1, events.SectorAssigned(number), encode_body(name)))
    for first, second, rate in resolve_correlations(risk, instruments):
        out.append((first, -1, events.CorrelationSet(second, rate), b""))
    if risk.mode != MODES[0]:
        out.append((-1, -1, events.TradingModeSet(MODE_NUMBERS[risk.mode]), encode_body("configuration")))
    return out
