"""``[sizing]`` and ``[portfolio]``: how large positions are, for all strategies or (``[strategy.sizing]``) for one."""

from typing import Any

import msgspec

from kernel.plans import METHODS, MODELS, PERCENT, SIZING_DEFAULTS
from kernel.units import RATE_SCALE
from replay.config.amounts import Number, count, money, rate
from replay.config.errors import SettingError

MODEL_NUMBERS = {name: number for number, (name, _) in MODELS.items()}
METHOD_NUMBERS = {name: number for number, (name, _) in METHODS.items()}
DEFAULT_SHARE_RATE = 95 * PERCENT
MOST_RATE = 1000 * RATE_SCALE
# What each model needs, and what it can be told besides.
_NEEDS = {"fixed_lots": ("lots",), "fixed_money": ("money",), "kelly": ("win", "payoff")}
_MAY = {
    "equity_share": ("share",),
    "volatility_target": ("share",),
    "atr_risk": ("share", "multiple"),
    "kelly": ("fraction",),
}
_FIELDS = {
    "lots": "quantity_lots",
    "money": "money_minor",
    "share": "share_rate",
    "multiple": "multiple_rate",
    "win": "win_rate",
    "payoff": "payoff_rate",
    "fraction": "fraction_rate",
    "cap": "cap_rate",
}


class SizingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A sizing model with its numbers: ``share``, ``win``, ``fraction`` and ``cap`` of 1, ``money`` in currency.

    ``share`` is of equity: what is held, what is risked, or the volatility that is wanted. ``cap`` is the most that a
    position may be worth, as a share of equity; 0 is none.
    """

    model: str = ""
    lots: int | None = None
    money: Number | None = None
    share: Number | None = None
    multiple: Number | None = None
    win: Number | None = None
    payoff: Number | None = None
    fraction: Number | None = None
    cap: Number | None = None
    by_confidence: bool = False


class PortfolioConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a strategy divides its ``share`` of equity over its signals, and whether its orders are netted."""

    method: str = "none"
    share: Number = "0.95"
    net: bool = False


def check_sizing(sizing: SizingConfig, table: str) -> None:
    """Raise SettingError for a model that is unknown, lacks something, or is told what it has no use for."""
    given = [name for name in _FIELDS if getattr(sizing, name) is not None]
    if not sizing.model:
        if given or sizing.by_confidence:
            raise SettingError(f"{table}.model", f"is missing; it is one of {', '.join(MODEL_NUMBERS)}")
        return
    if sizing.model not in MODEL_NUMBERS:
        raise SettingError(f"{table}.model", f"is {sizing.model!r}; it is one of {', '.join(MODEL_NUMBERS)}")
    needs, may = _NEEDS.get(sizing.model, ()), (*_MAY.get(sizing.model, ()), "cap")
    for name in given:
        if name not in (*needs, *may):
            known = ", ".join((*needs, *may))
            raise SettingError(f"{table}.{name}", f"has no meaning for {sizing.model}, which has {known}")
    for name in needs:
        if name not in given:
            raise SettingError(f"{table}.model", f"is {sizing.model}, which needs {name}")
    resolve_sizing(sizing, table, 6)


def resolve_sizing(sizing: SizingConfig, table: str, scale: int) -> dict[str, int]:
    """The sizing plan's fields, exact; ``scale`` is the decimals of the account's currency. Raises SettingError."""
    model = MODEL_NUMBERS[sizing.model]
    plan = {"model": model, **SIZING_DEFAULTS[model], "by_confidence": int(sizing.by_confidence)}
    for name, field in _FIELDS.items():
        value: Any = getattr(sizing, name)
        if value is None:
            continue
        setting = f"{table}.{name}"
        if name == "lots":
            plan[field] = count(setting, value)
        elif name == "money":
            plan[field] = money(setting, value, scale)
        else:
            plan[field] = rate(setting, value)
            most = RATE_SCALE if name in ("win", "fraction") else MOST_RATE
            if plan[field] > most:
                raise SettingError(setting, f"is {value}; it is a share, at most {most // RATE_SCALE}")
        if plan[field] == 0 and name != "cap":
            raise SettingError(setting, f"is {value}; it must be above 0")
    return plan


def check_portfolio(portfolio: PortfolioConfig, table: str) -> None:
    """Raise SettingError for an unknown method or a share that makes no sense."""
    if portfolio.method not in METHOD_NUMBERS:
        raise SettingError(f"{table}.method", f"is {portfolio.method!r}; it is one of {', '.join(METHOD_NUMBERS)}")
    share = rate(f"{table}.share", portfolio.share)
    if not 0 < share <= MOST_RATE:
        raise SettingError(f"{table}.share", f"is {portfolio.share}; it is a share of equity, above 0")


def resolve_portfolio(portfolio: PortfolioConfig, table: str) -> dict[str, int]:
    """The portfolio plan's fields, exact."""
    return {
        "method": METHOD_NUMBERS[portfolio.method],
        "share_rate": rate(f"{table}.share", portfolio.share),
        "net": int(portfolio.net),
    }
