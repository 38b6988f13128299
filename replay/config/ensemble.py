"""``[strategy.ensemble]``: whose votes a strategy combines, and what they must come to."""

from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.pipeline.rules import AGREEMENTS, AT_LEAST
from replay.config.amounts import Number, count, rate
from replay.config.errors import SettingError
from replay.config.shadow import label

ENSEMBLE = "ensemble"
DEFAULT_WEIGHTS = {"model": "0.5", "rsi": "0.2", "ema": "0.2", "macd": "0.1"}
AGREEMENT_NUMBERS = {name: number for number, name in AGREEMENTS.items()}


class MemberConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A member by its name. The weight is from 0 to 1; not said: that of a default member of this name."""

    of: str
    weight: Number | None = None
    veto: bool = False


class EnsembleConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Without members those that are called model, rsi, ema and macd vote, with the weights 0.5, 0.2, 0.2, 0.1."""

    minimum_confidence: Number = "0.65"
    quantile_percent: Number = "0.5"
    agree: str = "score"
    at_least: int = 0
    members: list[MemberConfig] = msgspec.field(default_factory=list)


def check_ensembles(strategies: Sequence[Any]) -> None:
    """Raise SettingError for an ensemble that is none, or a member that cannot vote in it."""
    member_of: dict[int, str] = {}
    for at, entry in enumerate(strategies):
        table = f"strategy.{at}.ensemble"
        if entry.use != ENSEMBLE:
            if entry.ensemble != EnsembleConfig():
                raise SettingError(table, f'is for use = "{ENSEMBLE}"; {label(entry)} does not combine votes')
            continue
        for member in resolve_ensemble(strategies, at)["members"]:
            if member[0] in member_of:
                name = label(strategies[member[0]])
                raise SettingError(table, f"has {name}, which votes in {member_of[member[0]]} already")
            member_of[member[0]] = label(entry)


def ensemble_members(strategies: Sequence[Any]) -> frozenset[int]:
    """The numbers of the strategies that vote in an ensemble."""
    ensembles = [at for at, entry in enumerate(strategies) if entry.use == ENSEMBLE]
    return frozenset(member[0] for at in ensembles for member in resolve_ensemble(strategies, at)["members"])


def resolve_ensemble(strategies: Sequence[Any], at: int) -> dict[str, Any]:
    """The ensemble of strategy ``at``, exact: its rules, and each member's number, weight and veto."""
    config, table = strategies[at].ensemble, f"strategy.{at}.ensemble"
    if config.agree not in AGREEMENT_NUMBERS:
        raise SettingError(f"{table}.agree", f"is {config.agree!r}; it is one of {', '.join(AGREEMENT_NUMBERS)}")
    rule = AGREEMENT_NUMBERS[config.agree]
    members = [_member(strategies, at, number, member) for number, member in enumerate(_members(strategies, at))]
    if not members:
        known = ", ".join(DEFAULT_WEIGHTS)
        raise SettingError(f"{table}.members", f"is missing, and no strategy before it is called {known}")
    if len({member[0] for member in members}) < len(members):
        raise SettingError(f"{table}.members", "names a member twice")
    if not any(member[1] for member in members):
        raise SettingError(f"{table}.members", "have no weight at all")
    if (rule == AT_LEAST) != (config.at_least > 0) or config.at_least > len(members):
        raise SettingError(
            f"{table}.at_least", f'is {config.at_least}; with agree = "at_least" it is 1 to {len(members)}, else 0'
        )
    return {
        "rule": rule,
        "at_least": count(f"{table}.at_least", config.at_least),
        "minimum_confidence_rate": _share(f"{table}.minimum_confidence", config.minimum_confidence),
        "quantile_rate": _share(f"{table}.quantile_percent", config.quantile_percent, 100),
        "members": members,
    }


def _share(setting: str, value: Number, per: int = 1) -> int:
    found = rate(setting, value, per)
    if found > 10**8:
        raise SettingError(setting, f"is {value}; it is {per} at most")
    return found


def _members(strategies: Sequence[Any], at: int) -> list[MemberConfig]:
    given = strategies[at].ensemble.members
    names = [label(entry) for entry in strategies[:at]]
    return given or [MemberConfig(of=name) for name in DEFAULT_WEIGHTS if name in names]


def _member(strategies: Sequence[Any], at: int, number: int, member: MemberConfig) -> list[int]:
    table = f"strategy.{at}.ensemble.members.{number}"
    found = [place for place, entry in enumerate(strategies) if label(entry) == member.of and place != at]
    if not found:
        names = ", ".join(label(entry) for entry in strategies[:at]) or "none"
        raise SettingError(f"{table}.of", f"is {member.of!r}; the strategies before it are {names}")
    if len(found) > 1:
        raise SettingError(
            f"{table}.of", f"is {member.of!r}, which {len(found)} strategies are called; name them apart"
        )
    if found[0] > at:
        raise SettingError(f"{table}.of", f"is {member.of!r}, which comes later; members stand before their ensemble")
    unsaid = DEFAULT_WEIGHTS.get(member.of, "0" if member.veto else None)
    weight = unsaid if member.weight is None else member.weight
    if weight is None:
        raise SettingError(f"{table}.weight", f"is missing; only {', '.join(DEFAULT_WEIGHTS)} have one by default")
    return [found[0], _share(f"{table}.weight", weight), int(member.veto)]
