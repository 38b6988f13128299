"""``[shadow]``: what a fill on paper costs; and the shadow accounts of the strategies that ask for one.

A strategy with ``shadow = true`` gets an account of its own, like the first one but in shadow, unless it names one.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from replay.config.amounts import Number, rate
from replay.config.errors import SettingError
from replay.config.ledger import AccountConfig

MAIN = "main"
_NAME = re.compile(r"[A-Za-z0-9_-]+")


class ShadowConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of fills in shadow accounts; what is not said is as at the simulated venue (taker fee, fixed slippage)."""

    fee_bps: Number | None = None
    slippage_bps: Number | None = None


def check_shadow(shadow: ShadowConfig, accounts: Sequence[AccountConfig], strategies: Sequence[Any]) -> None:
    """Raise SettingError for a cost that cannot be, or a shadow account where a real one is needed."""
    for name in ("fee_bps", "slippage_bps"):
        given = getattr(shadow, name)
        if given is not None:
            rate(f"shadow.{name}", given, 10_000)
    if accounts and accounts[0].shadow:
        raise SettingError("account.0.shadow", "is true; the first account is a real one: a run counts in its currency")
    by_name = {account.name: account for account in accounts}
    for at, entry in enumerate(strategies):
        if entry.name and not _NAME.fullmatch(entry.name):
            raise SettingError(f"strategy.{at}.name", f"is {entry.name!r}; letters, digits, '_' and '-' make a name")
        named = by_name.get(entry.account)
        if entry.shadow and named is not None and not named.shadow:
            raise SettingError(
                f"strategy.{at}.shadow", f"is true, but account {named.name} is a real one; leave one of them out"
            )


def label(entry: Any) -> str:
    """What an entry of ``[[strategy]]`` is called in the file: its name, else the last part of ``use``."""
    path, python, name = str(entry.use).partition(".py")
    return entry.name or name.removeprefix(":") or (Path(path).name if python else path)


def with_shadows(
    accounts: tuple[AccountConfig, ...], strategies: Sequence[Any]
) -> tuple[tuple[AccountConfig, ...], tuple[str, ...]]:
    """The accounts with those that strategies in shadow get, and the account that each strategy asks for."""
    found, wanted = list(accounts), []
    for at, entry in enumerate(strategies):
        name = entry.account
        if entry.shadow and not name:
            name = f"shadow {label(entry)}"
            if any(account.name == name for account in found):
                name = f"{name} {at}"
            found.append(msgspec.structs.replace(found[0], name=name, venue="", books="netting", shadow=True))
        wanted.append(name)
    if len(found) > 1 and not found[0].name:
        found[0] = msgspec.structs.replace(found[0], name=MAIN)
    return tuple(found), tuple(wanted)


def shadow_rates(shadow: ShadowConfig, taker_rate: int, slippage_rate: int) -> tuple[int, int]:
    """The fee and the slippage of a fill on paper, in 1/100,000,000; those of the venue where nothing is said."""
    fee, slippage = shadow.fee_bps, shadow.slippage_bps
    return (
        taker_rate if fee is None else rate("shadow.fee_bps", fee, 10_000),
        slippage_rate if slippage is None else rate("shadow.slippage_bps", slippage, 10_000),
    )
