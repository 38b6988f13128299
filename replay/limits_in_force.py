"""What limits a run, in the order in which the checks apply: for ``kernel risk``.

Owns the reading of a configuration back into words. It decides nothing: the checks are those of
``kernel/risk/numbers.py``, the settings those of ``kernel/risk/rules.py`` and of the exit plans.
"""

from collections.abc import Iterator

import msgspec

from kernel.exits_nb import REASONS, TIERS
from kernel.plans import HOUR_NS, MAX_RUNGS
from kernel.risk import numbers as n
from kernel.risk import rules as r
from kernel.risk.numbers import MONITORS, ORDER_CHECKS, REQUEST_CHECKS, Check
from kernel.risk.rules import RULES
from kernel.units import RATE_SCALE
from replay.config import RunConfig, resolve_plans
from replay.config.risk import trailing_stop_rate

ON, OFF, ALWAYS = "on", "off", "always"
ORDER, REQUEST, EVENT, EXIT = "order", "request", "event", "exit"
WORDS = {
    r.PERCENT: "{} %",
    r.BPS: "{} bps",
    r.RATIO: "{} x",
    r.LEVEL: "level {}",
}
_GATES = (
    n.VOLATILITY_INDEX, n.DAILY_VOLUME, n.SPREAD, n.SESSION_HOURS, n.RANGE_LOW, n.RANGE_HIGH, n.WIDTH_LOW, n.WIDTH_HIGH,
)  # fmt: skip
# What else bears on a check, beside the setting that is its limit.
WITH = {
    n.CONSECUTIVE_LOSSES: (r.LOSSES_COOLDOWN,),
    n.BREAKER: (r.BREAKER_WINDOW, r.BREAKER_COOLDOWN),
    n.SLIPPAGE: (r.SLIPPAGE_EXPECTED, r.SLIPPAGE_COOLDOWN),
    n.CORRELATED_SHARE: (r.CORRELATION_AT_LEAST,),
    n.DAILY_LOSS_KILL: (r.KILL_LEVEL,),
    n.DRIFT: (r.KILL_LEVEL,),
    **dict.fromkeys(_GATES, (r.PASS_UNKNOWN,)),
}
# Reason -> the fields of an exit plan that make it fire; what is not here fires without one.
EXIT_FIELDS = {
    "stop_loss": ("stop_rate",),
    "trailing_stop": ("trail_rate", "trail_ticks"),
    "time_stop": ("time_stop_ns", "time_stop_gain_rate"),
    "max_hold": ("max_hold_ns",),
    "target": ("target_rate",),
    "partial_target": (),
    "signal_decay": ("strength_floor_rate",),
    "volatility": ("volatility_multiple_rate",),
    "greeks": ("greek_limit_e8",),
}


class LimitInForce(msgspec.Struct, frozen=True, kw_only=True):
    """One check of a run. ``value`` is what the configuration says, in ``unit``; empty where there is no limit.

    ``when`` is ``order``, ``request`` (before there is an order), ``event`` (after each one) or ``exit``; ``place`` is
    that in the order of its kind. ``said`` is where the value comes from.
    """

    when: str
    place: int
    number: int
    check: str
    scope: str
    status: str
    value: str
    unit: str
    setting: str
    said: str
    besides: dict[str, str]
    passes: str
    text: str

    @property
    def limit(self) -> str:
        """The value with its unit and what else bears on it, for people."""
        if self.status != ON:
            return self.status
        more = "".join(f", {name} {value}" for name, value in self.besides.items())
        plain = "{}" if self.unit in r.UNITS else "{} " + self.unit  # else it is a currency
        return WORDS.get(self.unit, plain).format(self.value) + more


def limits_in_force(config: RunConfig, currency: str = "") -> Iterator[LimitInForce]:
    """Every check in its order, those that are off too, then the exits of each strategy."""
    for when, checks in ((ORDER, ORDER_CHECKS), (REQUEST, REQUEST_CHECKS), (EVENT, MONITORS)):
        for place, (number, check) in enumerate(checks.items(), 1):
            yield _of_check(config, when, place, number, check, currency)
    for number in range(len(config.strategies)):
        yield from _exits(config, number)


def _of_check(config: RunConfig, when: str, place: int, number: int, check: Check, currency: str) -> LimitInForce:
    setting, value, said, unit = "", "", "", ""
    if check.rule:
        rule = RULES[check.rule]
        setting, unit = f"risk.{rule.name}", rule.unit
        value, said = _rule(config, check.rule)
    elif check.limit:
        setting, unit = f"limits.{check.limit}", _limit_unit(check.limit)
        value = str(getattr(config.limits, check.limit))
        said = _place(config, setting) or "default"
    status = ALWAYS if not setting else ON if _is_on(value) else OFF
    if status == ON and number in (n.SECTOR_EXPOSURE, n.SECTOR_SHARE) and not config.risk.sectors:
        status = OFF  # an instrument without a sector is in none
    if status == ON and unit == r.MONEY and currency:
        unit = currency
    besides = {RULES[other].name: _rule(config, other)[0] for other in WITH.get(number, ())} if status == ON else {}
    return LimitInForce(
        when=when, place=place, number=number, check=check.name, scope=check.scope, status=status,
        value=value if status != ALWAYS else "", unit=unit, setting=setting, said=said if status != ALWAYS else "",
        besides={name: value for name, value in besides.items() if _is_on(value)}, passes=check.passes,
        text=check.text,
    )  # fmt: skip


def _rule(config: RunConfig, number: int) -> tuple[str, str]:
    """The value of a setting of ``[risk]`` as it was written, and where."""
    rule = RULES[number]
    own = getattr(config.risk, rule.name)
    if own is not None:
        return str(int(own) if isinstance(own, bool) else own), _place(config, f"risk.{rule.name}") or "configuration"
    if config.risk.defaults == "desk" and rule.desk is not None:
        return str(rule.desk), "desk"
    return str(rule.always), "default"


def _limit_unit(name: str) -> str:
    if name.endswith("_bps"):
        return r.BPS
    return r.MONEY if name.endswith("_notional") else r.RATIO if name == "margin" else r.COUNT


def _place(config: RunConfig, setting: str) -> str:
    """Where the file says this very setting; empty when it does not."""
    return config.places.where(setting) if setting in config.places.lines else ""


def _is_on(value: str) -> bool:
    digits = value.strip("0.")
    return bool(digits) and digits[0].isdigit()


def _exits(config: RunConfig, number: int) -> Iterator[LimitInForce]:
    plans = resolve_plans(config, number, 6)
    if "exits" not in plans:
        return
    plan, rungs = plans["exits"], plans["rungs"]
    for reason, (name, tier, text, _, _) in REASONS.items():
        values = [_plan_value(field, plan[field]) for field in EXIT_FIELDS.get(name, ()) if plan[field]]
        values += [
            f"{_number(gain)}: {_number(share)}" for gain, share in rungs[:MAX_RUNGS] if name == "partial_target"
        ]
        has_limit = name in EXIT_FIELDS
        of_risk = name == "trailing_stop" and plan["trail_rate"] == trailing_stop_rate(config.risk) != 0
        yield LimitInForce(
            when=EXIT, place=reason, number=reason, check=name, scope=f"position of {config.strategies[number].use}",
            status=(ON if values else OFF) if has_limit else ALWAYS, value=", ".join(values), unit="",
            setting="risk.trailing_stop_percent" if of_risk else "",
            said=_rule(config, r.TRAILING_STOP)[1] if of_risk else "", besides={}, passes="",
            text=f"{TIERS[tier]}: {text}",
        )  # fmt: skip


def _plan_value(field: str, value: int) -> str:
    if field.endswith("_ns"):
        return f"{value / HOUR_NS:g}h"
    return f"{value} ticks" if field.endswith("_ticks") else _number(value)


def _number(value: int) -> str:
    return f"{value / RATE_SCALE:g}"
