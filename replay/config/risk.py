"""``[risk]``: rules, sectors and correlations.

Owns the reading of each rule in its unit and the refusal of rules that contradict each other. The rules themselves are
declared in ``kernel/risk/rules.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kernel.instruments import Instrument
from kernel.naming import near_name
from kernel.risk import rules as r
from kernel.risk.modes import MODES
from kernel.risk.rules import RULES, Rule
from kernel.tables.risk import EXPOSURE_MAX, MAX_CORRELATIONS, MAX_SECTORS, MEMORY_ORDERS
from kernel.units import RATE_SCALE
from replay.config.amounts import Number, count, length_ns, money, rate
from replay.config.errors import SettingError

PROFILES = ("", "desk")
DEFAULT_SCALE = 6  # of money, where only the order of two limits matters
BY_NAME = {rule.name: number for number, rule in RULES.items()}


class CorrelationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How two instruments' returns go together, as measured elsewhere: from -1 to 1."""

    between: list[str]
    rate: Number


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is in ``[risk]`` beside the rules."""

    defaults: str = ""
    mode: str = "normal"
    sectors: dict[str, list[str]] = msgspec.field(default_factory=dict)
    correlations: list[CorrelationConfig] = msgspec.field(default_factory=list, name="correlation")


_RULE_FIELDS = [(rule.name, Number | bool | None, None) for rule in RULES.values()]
RiskConfig: Any = msgspec.defstruct(
    "RiskConfig", _RULE_FIELDS, bases=(_Settings,), module=__name__, frozen=True, kw_only=True
)
RiskConfig.__doc__ = """The table ``[risk]``: one field for each rule (None: not said), and ``_Settings``."""


def rule_values(risk: Any, scale: int = DEFAULT_SCALE) -> dict[int, int]:
    """The rules in force by number, as integers; money with ``scale`` decimals. Empty when none limits anything.

    The trailing stop is not among them: see ``trailing_stop_rate``.
    """
    found: dict[int, int] = {}
    for number, rule in RULES.items():
        said = getattr(risk, rule.name)
        if said is None:
            said = rule.desk if risk.defaults == "desk" else None
        if said is not None:
            found[number] = _integer(rule, said, scale)
    found.pop(r.TRAILING_STOP, None)
    if not any(value for number, value in found.items() if number not in (r.KILL_LEVEL, r.PASS_UNKNOWN)):
        return {}
    for number, rule in RULES.items():
        if number not in found and rule.always:
            found[number] = _integer(rule, rule.always, scale)
    return {number: value for number, value in sorted(found.items()) if value}


def trailing_stop_rate(risk: Any) -> int:
    """The trailing stop that every position has, as a rate; 0 without one. It is carried out by the exit plans."""
    said = _said(risk, r.TRAILING_STOP, risk.defaults == "desk")
    return _integer(RULES[r.TRAILING_STOP], said, DEFAULT_SCALE) if said is not None else 0


def _integer(rule: Rule, said: Any, scale: int) -> int:
    setting = f"risk.{rule.name}"
    if rule.unit == r.SWITCH:
        if said not in (0, 1):
            raise SettingError(setting, f"is {said}; it is true or false")
        return int(said)
    if isinstance(said, bool):
        raise SettingError(setting, f"is {said}; it is a number")
    if rule.unit == r.LENGTH:
        return length_ns(setting, str(said))
    if rule.unit == r.MONEY:
        amount = money(setting, said, scale)
        if amount >= EXPOSURE_MAX:
            raise SettingError(setting, f"is {said}; it must be below 2^51 minor units")
        return amount
    if rule.unit in (r.COUNT, r.LEVEL):
        if not isinstance(said, int):
            raise SettingError(setting, f"is {said!r}; it is a whole number")
        return count(setting, said)
    return rate(setting, said, {r.PERCENT: 100, r.BPS: 10_000, r.RATIO: 1}[rule.unit])


# (the smaller, the larger, whether they may be equal): the first cannot be above the second.
ORDERED = (
    (r.SYMBOL_EXPOSURE, r.TOTAL_EXPOSURE, True),
    (r.SYMBOL_EXPOSURE, r.SECTOR_EXPOSURE, True),
    (r.SYMBOL_EXPOSURE, r.STRATEGY_EXPOSURE, True),
    (r.SECTOR_EXPOSURE, r.TOTAL_EXPOSURE, True),
    (r.STRATEGY_EXPOSURE, r.TOTAL_EXPOSURE, True),
    (r.SYMBOL_POSITIONS, r.POSITIONS, True),
    (r.SYMBOL_SHARE, r.SECTOR_SHARE, True),
    (r.SYMBOL_SHARE, r.CORRELATED_SHARE, True),
    (r.SYMBOL_SHARE, r.LEVERAGE, True),
    (r.SECTOR_SHARE, r.LEVERAGE, True),
    (r.DAILY_LOSS, r.DAILY_LOSS_KILL, False),
    (r.RANGE_LOW, r.RANGE_HIGH, False),
    (r.WIDTH_LOW, r.WIDTH_HIGH, False),
)
# (a rule, what it needs)
NEEDS = (
    (r.BREAKER_MOVE, r.BREAKER_WINDOW),
    (r.BREAKER_MOVE, r.BREAKER_COOLDOWN),
    (r.CONSECUTIVE_LOSSES, r.LOSSES_COOLDOWN),
    (r.SLIPPAGE_MULTIPLE, r.SLIPPAGE_EXPECTED),
    (r.SLIPPAGE_MULTIPLE, r.SLIPPAGE_COOLDOWN),
)
WHOLE = (r.DAILY_LOSS, r.DAILY_LOSS_KILL, r.DRAWDOWN, r.EXPECTED_SHORTFALL)


def check_risk(risk: Any) -> None:
    """Raise SettingError for a rule that cannot be used or contradicts another."""
    for name, value, allowed in (("defaults", risk.defaults, PROFILES), ("mode", risk.mode, tuple(MODES.values()))):
        if value not in allowed:
            raise SettingError(f"risk.{name}", f"is {value!r}; it is one of {', '.join(filter(None, allowed))}")
    values = rule_values(risk)
    for smaller, larger, may_equal in ORDERED:
        low, high = values.get(smaller, 0), values.get(larger, 0)
        if low and high and (low > high or (low == high and not may_equal)):
            _contradict(risk, smaller, larger)
    for number, needed in NEEDS:
        if values.get(number) and not values.get(needed):
            raise SettingError(_setting(number), f"needs {RULES[needed].name}, which is 0", against=_setting(needed))
    if trailing_stop_rate(risk) >= RATE_SCALE:
        raise SettingError(_setting(r.TRAILING_STOP), f"is {_said(risk, r.TRAILING_STOP)}; it must be below 100")
    for number in WHOLE:
        if values.get(number, 0) >= RATE_SCALE:
            raise SettingError(_setting(number), f"is {_said(risk, number)}; it must be below 100")
    if not 1 <= values.get(r.KILL_LEVEL, 1) <= 3:
        raise SettingError("risk.kill_level", f"is {risk.kill_level}; it is 1, 2 or 3")
    if values.get(r.ORDERS_PER_MINUTE, 0) >= MEMORY_ORDERS:
        raise SettingError("risk.orders_per_minute", f"is {risk.orders_per_minute}; at most {MEMORY_ORDERS - 1}")
    _check_sectors(risk, values)
    _check_correlations(risk, values)


def _setting(number: int) -> str:
    return f"risk.{RULES[number].name}"


def _said(risk: Any, number: int, by_desk: bool = True) -> Any:
    said = getattr(risk, RULES[number].name)
    return RULES[number].desk if said is None and by_desk else said


def _contradict(risk: Any, smaller: int, larger: int) -> None:
    """Name the one of the two that the file says; the other may be the desk's."""
    low, high = RULES[smaller].name, RULES[larger].name
    if getattr(risk, low) is not None or getattr(risk, high) is None:
        text = f"is {_said(risk, smaller)}, which contradicts {high} = {_said(risk, larger)}: it must be less"
        raise SettingError(f"risk.{low}", text, against=f"risk.{high}" if getattr(risk, high) is not None else "")
    text = f"is {_said(risk, larger)}, which contradicts {low} = {_said(risk, smaller)} of the desk: it must be more"
    raise SettingError(f"risk.{high}", text)


def _check_sectors(risk: Any, values: Mapping[int, int]) -> None:
    seen: dict[str, str] = {}
    if len(risk.sectors) >= MAX_SECTORS:
        raise SettingError("risk.sectors", f"has {len(risk.sectors)} sectors; at most {MAX_SECTORS - 1}")
    for sector, names in risk.sectors.items():
        for name in names:
            if name in seen:
                raise SettingError(f"risk.sectors.{sector}", f"has {name}, which is in {seen[name]} already")
            seen[name] = sector
    for number in (r.SECTOR_EXPOSURE, r.SECTOR_SHARE):
        if getattr(risk, RULES[number].name) and not risk.sectors:
            raise SettingError(_setting(number), "limits sectors, but there are none; list them in [risk.sectors]")


def _check_correlations(risk: Any, values: Mapping[int, int]) -> None:
    if len(risk.correlations) > MAX_CORRELATIONS:
        raise SettingError("risk.correlation", f"has {len(risk.correlations)} entries; at most {MAX_CORRELATIONS}")
    if values.get(r.CORRELATED_SHARE) and not risk.correlations:
        text = "limits correlated symbols, but no correlation is given; add [[risk.correlation]]"
        raise SettingError(_setting(r.CORRELATED_SHARE), text)
    pairs: set[frozenset[str]] = set()
    for at, entry in enumerate(risk.correlations):
        if len(set(entry.between)) != 2 or len(entry.between) != 2:
            raise SettingError(f"risk.correlation.{at}.between", "must name two different instruments")
        if abs(rate(f"risk.correlation.{at}.rate", entry.rate, signed=True)) > RATE_SCALE:
            raise SettingError(f"risk.correlation.{at}.rate", f"is {entry.rate}; a correlation is from -1 to 1")
        if frozenset(entry.between) in pairs:
            text = f"names {' and '.join(entry.between)} a second time"
            raise SettingError(f"risk.correlation.{at}.between", text)
        pairs.add(frozenset(entry.between))


def resolve_sectors(risk: Any, instruments: Sequence[Instrument]) -> dict[int, tuple[int, str]]:
    """Instrument number to the number (from 1) and the name of its sector. Raises SettingError for unknown names."""
    found: dict[int, tuple[int, str]] = {}
    for number, (sector, names) in enumerate(sorted(risk.sectors.items()), 1):
        for name in names:
            found[_instrument(f"risk.sectors.{sector}", name, instruments)] = (number, sector)
    missing = [instrument.name for at, instrument in enumerate(instruments) if at not in found]
    if risk.sectors and missing:
        raise SettingError("risk.sectors", f"has no sector for {missing[0]}; put it into one")
    return found


def resolve_correlations(risk: Any, instruments: Sequence[Instrument]) -> list[tuple[int, int, int]]:
    """``(instrument, other instrument, rate)`` of each entry. Raises SettingError for unknown names."""
    found = []
    for at, entry in enumerate(risk.correlations):
        one, other = (_instrument(f"risk.correlation.{at}.between", name, instruments) for name in entry.between)
        found.append((one, other, rate(f"risk.correlation.{at}.rate", entry.rate, signed=True)))
    return found


def _instrument(setting: str, name: str, instruments: Sequence[Instrument]) -> int:
    names = [instrument.name for instrument in instruments]
    if name not in names:
        hint = near_name(name, names, f"the data has {', '.join(names)}")
        raise SettingError(setting, f"names {name!r}, which is not in the data; {hint}")
    return names.index(name)
