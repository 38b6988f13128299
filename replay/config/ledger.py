"""``[[account]]``, ``[rates]``, ``[margin]`` and ``[financing]``: where money lies, and what it and positions cost.

Owns the settings by themselves; what they mean for instruments and strategies is in ``replay.ledger_plan``.
"""

import re

import msgspec

from kernel.tables.table import MAX_ACCOUNTS
from kernel.units import RATE_SCALE, UnitError, to_decimal
from replay.config.amounts import Number, money, rate
from replay.config.errors import SettingError

MODES = ("margin", "cash")
BOOKS = ("netting", "hedging")
MOST_LEVERAGE = 1000
_PAIR = re.compile(r"[A-Z0-9]+/[A-Z0-9]+")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One account. ``cash`` is an amount in its currency, or amounts by currency; ``venue`` empty: of every venue.

    With ``shadow`` its strategies trade on paper, and never send an order.
    """

    name: str
    currency: str
    venue: str = ""
    mode: str = "margin"
    books: str = "netting"
    sweep: bool = False
    shadow: bool = False
    cash: Number | dict[str, Number] | None = None


class RateConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stated rate, and the instrument whose last price states it from then on."""

    rate: Number
    instrument: str


class TierConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Margin of positions worth up to an amount: leverage, maintenance rate and deduction."""

    up_to: Number
    leverage: Number
    maintenance: Number
    deduction: Number = 0


class InstrumentMarginConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Margin of one instrument; what is not said is as in ``[margin]``."""

    leverage: Number | None = None
    maintenance: Number | None = None
    tiers: list[TierConfig] = msgspec.field(default_factory=list)


class MarginConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Margin of margined instruments (perpetuals, futures). A leverage of 0 leaves them to ``limits.margin``."""

    leverage: Number = 0
    maintenance: Number = 0
    call: Number = "1.25"
    liquidation_fee_bps: Number = 0
    instruments: dict[str, InstrumentMarginConfig] = msgspec.field(default_factory=dict)


class FinancingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Rates a year: on short positions, on cash and on debt by currency; they accrue daily ``at`` a time, UTC."""

    at: str = "00:00"
    days_per_year: int = 365
    borrow: Number = 0
    borrow_rates: dict[str, Number] = msgspec.field(default_factory=dict)
    interest: dict[str, Number] = msgspec.field(default_factory=dict)
    debt_interest: dict[str, Number] = msgspec.field(default_factory=dict)

    @property
    def is_set(self) -> bool:
        """Whether anything accrues at all."""
        return bool(to_decimal(str(self.borrow)) or self.borrow_rates or self.interest or self.debt_interest)

    @property
    def at_ns(self) -> int:
        """The time of day in nanoseconds."""
        hours, minutes = self.at.split(":")
        return (int(hours) * 60 + int(minutes)) * 60_000_000_000


def check_accounts(accounts: list[AccountConfig]) -> None:
    """Raise SettingError for an account that makes no sense, or two that exclude each other."""
    if len(accounts) > MAX_ACCOUNTS:
        raise SettingError(f"account.{MAX_ACCOUNTS}", f"is one more than the kernel holds ({MAX_ACCOUNTS} accounts)")
    for at, account in enumerate(accounts):
        for name, value, allowed in (("mode", account.mode, MODES), ("books", account.books, BOOKS)):
            if value not in allowed:
                raise SettingError(f"account.{at}.{name}", f"is {value!r}; it is one of {', '.join(allowed)}")
        if not account.name or not account.currency:
            raise SettingError(f"account.{at}", "needs a name and a currency")
        for before, other in enumerate(accounts[:at]):
            if other.name == account.name:
                raise SettingError(f"account.{at}.name", f"is {account.name!r} twice", against=f"account.{before}.name")
        if account.cash is None and len(accounts) > 1:
            raise SettingError(f"account.{at}.cash", f"of {account.name} must be said when there are several accounts")


def check_rates(rates: dict[str, Number | RateConfig]) -> None:
    """Raise SettingError for a pair that is none, or a rate that is not above 0."""
    for pair, stated in rates.items():
        if not _PAIR.fullmatch(pair) or len(set(pair.split("/"))) == 1:
            raise SettingError(f"rates.{pair}", "is no pair of currencies; write one such as EUR/USD")
        value = stated.rate if isinstance(stated, RateConfig) else stated
        try:
            good = to_decimal(str(value)) > 0
        except UnitError as error:
            raise SettingError(f"rates.{pair}", f"cannot be used: {error}") from None
        if not good:
            raise SettingError(f"rates.{pair}", f"is {value}; a rate is above 0")


def initial_rate(setting: str, leverage: Number) -> int:
    """The initial margin rate of a leverage: 1 / leverage, rounded up; 0 for a leverage of 0 (not said)."""
    scaled = rate(setting, leverage)
    if scaled and not RATE_SCALE // 100 <= scaled <= MOST_LEVERAGE * RATE_SCALE:
        raise SettingError(setting, f"is {leverage}; it must lie between 0.01 and {MOST_LEVERAGE}")
    return -(-RATE_SCALE * RATE_SCALE // scaled) if scaled else 0


def check_margin(margin: MarginConfig) -> None:
    """Raise SettingError for a leverage or a rate that cannot be, or that contradicts another."""
    _check_pair("margin", margin.leverage, margin.maintenance)
    if rate("margin.call", margin.call) < RATE_SCALE:
        raise SettingError("margin.call", f"is {margin.call}; a call comes before the liquidation, at 1 or more")
    rate("margin.liquidation_fee_bps", margin.liquidation_fee_bps, 10_000)
    for name, own in margin.instruments.items():
        where = f"margin.instruments.{name}"
        leverage = margin.leverage if own.leverage is None else own.leverage
        _check_pair(where, leverage, margin.maintenance if own.maintenance is None else own.maintenance)
        last = -1
        for at, tier in enumerate(own.tiers):
            place = f"{where}.tiers.{at}"
            _check_pair(place, tier.leverage, tier.maintenance)
            money(f"{place}.deduction", tier.deduction, 8)
            limit = money(f"{place}.up_to", tier.up_to, 8)
            if limit <= last:
                raise SettingError(f"{place}.up_to", f"is {tier.up_to}; tiers rise, each above the one before")
            last = limit


def _check_pair(place: str, leverage: Number, maintenance: Number) -> None:
    initial, kept = initial_rate(f"{place}.leverage", leverage), rate(f"{place}.maintenance", maintenance)
    if initial and kept > initial:
        raise SettingError(
            f"{place}.maintenance",
            f"is {maintenance}, more than the initial margin at a leverage of {leverage}",
            against=f"{place}.leverage",
        )


def check_financing(financing: FinancingConfig) -> None:
    """Raise SettingError for a time, a year or a rate that cannot be."""
    if not _TIME.fullmatch(financing.at):
        raise SettingError("financing.at", f"is {financing.at!r}; write a time of day such as 22:00 (UTC)")
    if financing.days_per_year not in (360, 365, 366):
        raise SettingError("financing.days_per_year", f"is {financing.days_per_year}; it is one of 360, 365, 366")
    rate("financing.borrow", financing.borrow)
    for name in ("borrow_rates", "interest", "debt_interest"):
        for key, value in getattr(financing, name).items():
            rate(f"financing.{name}.{key}", value, signed=name == "interest")
