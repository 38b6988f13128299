"""``[exits]``: when positions are given up, for all strategies or (``[strategy.exits]``) for one."""

import msgspec

from kernel.plans import EXIT_DEFAULTS, MAX_RUNGS
from kernel.units import RATE_SCALE
from replay.config.amounts import Number, count, length_ns, rate
from replay.config.errors import SettingError

MOST_RATE = 1000 * RATE_SCALE
_SHARES = ("stop", "trail", "target", "time_stop_gain", "strength_floor", "volatility_multiple", "greek_limit")
_BELOW_ONE = ("stop", "trail", "strength_floor")


class ExitsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of an exit plan; 0 is off. Distances are shares of the entry price, times are such as ``24h``.

    ``rungs`` are pairs of a gain and the share of the position that it closes. An empty ``max_hold`` is 120 hours.
    """

    on: bool = False
    stop: Number = 0
    trail: Number = 0
    trail_ticks: int = 0
    time_stop: str = ""
    time_stop_gain: Number = 0
    max_hold: str = ""
    target: Number = 0
    rungs: list[tuple[Number, Number]] = msgspec.field(default_factory=list)
    strength_floor: Number = 0
    volatility_multiple: Number = 0
    greek_limit: Number = 0


def resolve_exits(exits: ExitsConfig, table: str) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """The exit plan's fields and its rungs, exact. Raises SettingError."""
    rates = {name: rate(f"{table}.{name}", getattr(exits, name)) for name in _SHARES}
    max_hold_ns = length_ns(f"{table}.max_hold", exits.max_hold) if exits.max_hold else EXIT_DEFAULTS["max_hold_ns"]
    plan = {
        "stop_rate": rates["stop"],
        "trail_rate": rates["trail"],
        "trail_ticks": count(f"{table}.trail_ticks", exits.trail_ticks),
        "time_stop_ns": length_ns(f"{table}.time_stop", exits.time_stop),
        "time_stop_gain_rate": rates["time_stop_gain"],
        "max_hold_ns": max_hold_ns,
        "target_rate": rates["target"],
        "strength_floor_rate": rates["strength_floor"],
        "volatility_multiple_rate": rates["volatility_multiple"],
        "greek_limit_e8": rates["greek_limit"],
    }
    rungs = [
        (rate(f"{table}.rungs.{at}", gain), rate(f"{table}.rungs.{at}", share))
        for at, (gain, share) in enumerate(exits.rungs)
    ]
    return plan, rungs


def check_exits(exits: ExitsConfig, table: str) -> None:
    """Raise SettingError for a rule that makes no sense or that another one keeps from ever firing."""
    plan, rungs = resolve_exits(exits, table)
    for name in _SHARES:
        value = getattr(exits, name)
        most = RATE_SCALE if name in _BELOW_ONE else MOST_RATE
        if rate(f"{table}.{name}", value) >= most:
            raise SettingError(f"{table}.{name}", f"is {value}; it is a share, below {most // RATE_SCALE}")
    if plan["time_stop_gain_rate"] and not plan["time_stop_ns"]:
        raise SettingError(f"{table}.time_stop_gain", "says what gain is wanted, but time_stop does not say when")
    if plan["max_hold_ns"] and plan["time_stop_ns"] >= plan["max_hold_ns"]:
        longest = exits.max_hold or "120h"
        raise SettingError(
            f"{table}.time_stop", f"is {exits.time_stop}, not before max_hold {longest}", against=f"{table}.max_hold"
        )
    _check_rungs(exits, table, plan["target_rate"], rungs)


def _check_rungs(exits: ExitsConfig, table: str, target_rate: int, rungs: list[tuple[int, int]]) -> None:
    if len(rungs) > MAX_RUNGS:
        raise SettingError(f"{table}.rungs", f"has {len(rungs)} rungs; at most {MAX_RUNGS}")
    before = 0
    for at, (gain, share) in enumerate(rungs):
        if gain <= before:
            raise SettingError(f"{table}.rungs.{at}", f"is at {exits.rungs[at][0]}, not above the rung before it")
        if not 0 < share <= RATE_SCALE:
            raise SettingError(f"{table}.rungs.{at}", f"closes {exits.rungs[at][1]}; a share above 0 and at most 1")
        if target_rate and gain >= target_rate:
            raise SettingError(
                f"{table}.rungs.{at}", f"is at {exits.rungs[at][0]}, where the target {exits.target} closes all",
                against=f"{table}.target",
            )  # fmt: skip
        before = gain
    if sum(share for _, share in rungs) > RATE_SCALE:
        raise SettingError(f"{table}.rungs", "close more than the whole position")
