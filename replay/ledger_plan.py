"""The ledger of a run: which currencies, accounts, rates and terms its instruments and strategies need.

Owns the resolution of ``[[account]]``, ``[rates]``, ``[margin]`` and ``[financing]`` against the data, into the events
that open the history. Without any of them a run has one account in the currency of its instruments.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import msgspec

from kernel.events import catalogue as events
from kernel.events.body import encode_body
from kernel.events.catalogue import Event
from kernel.instruments import CONTRACT_NAMES, FIRST_MARGINED, OPTION, OPTION_RIGHTS, Instrument, currency_scale
from kernel.tables.table import MAX_ACCOUNTS, MAX_CURRENCIES
from kernel.units import checked_int64, to_decimal, to_units
from replay.config import RunConfig, SettingError, instant_ns, money, rate
from replay.config.experiment import on_paper
from replay.config.ledger import AccountConfig, RateConfig, initial_rate
from replay.config.risk import trailing_stop_rate
from replay.config.shadow import with_shadows

DAY_NS = 86_400_000_000_000
CONTRACTS = {name: number for number, name in CONTRACT_NAMES.items()}
# What opens a history, as the opening writes it: instrument, strategy, event, body, account.
Opening = tuple[int, int, Event, bytes, int]


class LedgerPlan(msgspec.Struct, frozen=True):
    """Currencies and accounts by number, and for each strategy the account of each instrument."""

    currencies: tuple[str, ...]
    accounts: tuple[AccountConfig, ...]
    books: tuple[tuple[int, ...], ...]
    deposits: tuple[tuple[int, int, int], ...]  # account, currency, minor units

    @property
    def is_said(self) -> bool:
        """Whether the accounts are more than the one that every run has."""
        return len(self.accounts) > 1 or bool(self.accounts[0].name)

    @property
    def scale(self) -> int:
        """Decimals of the currency of the first account."""
        return currency_scale(self.currencies[0])


def plan_ledger(config: RunConfig, instruments: tuple[Instrument, ...]) -> LedgerPlan:
    """Resolve the accounts. Raises SettingError."""
    settled = sorted({instrument.currency for instrument in instruments})
    accounts = tuple(config.accounts)
    if not accounts:
        if len(settled) > 1:
            raise SettingError(
                "account",
                f"is needed: the instruments settle in {' and '.join(settled)}; say its currency and the rates",
            )
        accounts = (AccountConfig(name="", currency=settled[0]),)
    accounts, wanted = with_shadows(accounts, on_paper(config.experiment, config.strategies))
    if len(accounts) > MAX_ACCOUNTS:
        raise SettingError("account", f"would be {len(accounts)} with those in shadow; the kernel holds {MAX_ACCOUNTS}")
    deposits = [list(_cash(config, at, account).items()) for at, account in enumerate(accounts)]
    named = [account.currency for account in accounts] + [currency for cash in deposits for currency, _ in cash]
    currencies = tuple(dict.fromkeys([*named, *settled]))
    if len(currencies) > MAX_CURRENCIES:
        raise SettingError("account", f"has to do with {len(currencies)} currencies; the kernel holds {MAX_CURRENCIES}")
    books = tuple(
        tuple(_account_of(config, accounts, instrument, name, number) for instrument in instruments)
        for number, name in enumerate(wanted)
    )
    plan = LedgerPlan(
        currencies,
        accounts,
        books,
        tuple(
            (at, currencies.index(currency), amount) for at, cash in enumerate(deposits) for currency, amount in cash
        ),
    )
    _check_known_rates(config, plan, instruments)
    _check_names(config, instruments, currencies)
    return plan


def _cash(config: RunConfig, at: int, account: AccountConfig) -> dict[str, int]:
    """What an account begins with, in minor units by currency."""
    if account.cash is None:
        return {account.currency: money("cash", config.cash, currency_scale(account.currency))}
    if not isinstance(account.cash, dict):
        return {account.currency: money(f"account.{at}.cash", account.cash, currency_scale(account.currency))}
    amounts = {name: money(f"account.{at}.cash", each, currency_scale(name)) for name, each in account.cash.items()}
    return amounts or {account.currency: 0}


def _account_of(
    config: RunConfig, accounts: tuple[AccountConfig, ...], instrument: Instrument, wanted: str, strategy: int
) -> int:
    """The account through which a strategy trades an instrument: the one it names, else that of the venue."""
    if wanted:
        for number, account in enumerate(accounts):
            if account.name == wanted:
                if account.venue not in ("", instrument.venue):
                    raise SettingError(
                        f"strategy.{strategy}.account",
                        f"is {wanted}, of {account.venue}; {instrument.name} is not there",
                    )
                return number
        raise SettingError(f"strategy.{strategy}.account", f"is {wanted!r}; there is no such account")
    for venue in (instrument.venue, ""):
        found = [number for number, account in enumerate(accounts) if account.venue == venue and not account.shadow]
        if len(found) > 1:
            names = " and ".join(accounts[number].name for number in found)
            raise SettingError(f"account.{found[1]}.venue", f"leaves open which of {names} trades {instrument.name}")
        if found:
            return found[0]
    raise SettingError("account", f"is missing for {instrument.venue}, where {instrument.name} is traded")


def _check_known_rates(config: RunConfig, plan: LedgerPlan, instruments: tuple[Instrument, ...]) -> None:
    """Every currency that an account holds needs a rate to its own, and every account one to the first."""
    held = {(account, plan.currencies[currency]) for account, currency, _ in plan.deposits}
    held |= {(account, instruments[at].currency) for book in plan.books for at, account in enumerate(book)}
    pairs = {(currency, plan.accounts[account].currency, account) for account, currency in held}
    pairs |= {(account.currency, plan.currencies[0], number) for number, account in enumerate(plan.accounts)}
    for source, target, account in sorted(pairs):
        known = {f"{source}/{target}", f"{target}/{source}"} & set(config.rates)
        if source != target and not known:
            name = plan.accounts[account].name
            raise SettingError(
                "rates", f"must say {source}/{target}: account {name} holds {source}, and counts in {target}"
            )


def _check_names(config: RunConfig, instruments: tuple[Instrument, ...], currencies: tuple[str, ...]) -> None:
    """Refuse what names an instrument or a currency that is not in the run."""
    names = [instrument.name for instrument in instruments]
    for place, keys in (
        ("margin.instruments", config.margin.instruments),
        ("financing.borrow_rates", config.financing.borrow_rates),
    ):
        for key in keys:
            if key not in names:
                raise SettingError(f"{place}.{key}", f"is no instrument of the data, which has {', '.join(names)}")
    for place in ("interest", "debt_interest"):
        for currency in getattr(config.financing, place):
            if currency not in currencies:
                raise SettingError(f"financing.{place}.{currency}", f"is not held; there is {', '.join(currencies)}")
    for pair, stated in config.rates.items():
        for currency in pair.split("/"):
            if currency not in currencies:
                raise SettingError(
                    f"rates.{pair}", f"names {currency}, which is not held; there is {', '.join(currencies)}"
                )
        if isinstance(stated, RateConfig):
            if stated.instrument not in names:
                raise SettingError(f"rates.{pair}.instrument", f"is {stated.instrument!r}, not in the data")
            settles = instruments[names.index(stated.instrument)].currency
            if settles != pair.split("/")[1]:
                raise SettingError(f"rates.{pair}.instrument", f"is quoted in {settles}, not in {pair.split('/')[1]}")


def check_one_book(config: RunConfig, plan: LedgerPlan, number: int, instruments: tuple[int, ...]) -> None:
    """Refuse signals and exits for a strategy whose account keeps a long and a short book: they know one.

    Raises SettingError.
    """
    both = [at for at in instruments if plan.accounts[plan.books[number][at]].books == "hedging"]
    if not both:
        return
    at = plan.books[number][both[0]]
    text = f"follows one book, but account {plan.accounts[at].name} keeps a long and a short one"
    against = f"account.{at}.books"
    for name in ("sizing", "portfolio", "exits"):
        for setting, holder in ((f"strategy.{number}.{name}", config.strategies[number]), (name, config)):
            given = getattr(holder, name)
            if given != type(given)():
                raise SettingError(setting, f"{text}; leave it out, or let the account net", against=against)
    if trailing_stop_rate(config.risk):
        said = config.risk.trailing_stop_percent is not None
        setting = "risk.trailing_stop_percent" if said else "risk.defaults"
        raise SettingError(
            setting, f"sets a trailing stop, which {text}; set trailing_stop_percent = 0", against=against
        )


# --- events -------------------------------------------------------------------------------------------------------


def money_events(plan: LedgerPlan, config: RunConfig) -> Iterator[Opening]:
    """Currencies, accounts and stated rates: before the instruments."""
    for number, currency in enumerate(plan.currencies):
        yield -1, -1, events.CurrencyDefined(number, currency_scale(currency)), encode_body(currency), 0
    for number, account in enumerate(plan.accounts if plan.is_said else ()):
        modes = int(account.mode == "cash"), int(account.books == "hedging"), int(account.sweep), int(account.shadow)
        defined = events.AccountDefined(plan.currencies.index(account.currency), *modes)
        yield -1, -1, defined, encode_body({"name": account.name, "venue": account.venue}), number
    for pair, stated in config.rates.items():
        source, target = (plan.currencies.index(name) for name in pair.split("/"))
        ratio = _minor_rate(pair, stated.rate if isinstance(stated, RateConfig) else stated, "1")
        yield -1, -1, events.RateStated(source, target, ratio.numerator, ratio.denominator), b"", 0


def _minor_rate(pair: str, value: Any, unit: str) -> Fraction:
    """A rate between currencies as one between their minor units."""
    source, target = pair.split("/")
    ratio = Fraction(to_decimal(str(value))) * Fraction(to_decimal(unit))
    ratio *= Fraction(10) ** (currency_scale(target) - currency_scale(source))
    checked_int64(ratio.numerator, f"the rate {pair}")
    checked_int64(ratio.denominator, f"the rate {pair}")
    return ratio


def instrument_event(plan: LedgerPlan, instrument: Instrument, volume_known: bool) -> Event:
    """The definition of an instrument."""
    return events.InstrumentDefined(
        plan.currencies.index(instrument.currency),
        *instrument.notional_ratio,
        int(volume_known),
        CONTRACTS[instrument.contract],
        instant_ns("expiry", instrument.expiry) or 0,
        to_units(instrument.strike, instrument.tick_size) if instrument.strike else 0,
        OPTION_RIGHTS[instrument.right],
    )


def terms_events(
    plan: LedgerPlan, config: RunConfig, instruments: tuple[Instrument, ...], ts_ns: int
) -> Iterator[Opening]:
    """Sources of rates, accounts of books, margin and financing: after the instruments."""
    names = [instrument.name for instrument in instruments]
    for pair, stated in config.rates.items():
        if isinstance(stated, RateConfig):
            number = names.index(stated.instrument)
            ratio = _minor_rate(pair, "1", instruments[number].tick_size)
            source, target = (plan.currencies.index(name) for name in pair.split("/"))
            yield number, -1, events.RateSourceDefined(source, target, ratio.numerator, ratio.denominator), b"", 0
    for strategy, book in enumerate(plan.books):
        for number, account in enumerate(book):
            if account:
                yield number, strategy, events.BookAssigned(account), b"", account
    for number, instrument in enumerate(instruments):
        yield from _terms(config, number, instrument)
    yield from _financing(plan, config, ts_ns)
    if config.margin.leverage or config.margin.maintenance or config.margin.instruments:
        yield -1, -1, events.MarginRulesSet(rate("margin.call", config.margin.call)), b"", 0


def _terms(config: RunConfig, number: int, instrument: Instrument) -> Iterator[Opening]:
    margin, financing, where = config.margin, config.financing, f"margin.instruments.{instrument.name}"
    own = margin.instruments.get(instrument.name)
    margined = FIRST_MARGINED <= CONTRACTS[instrument.contract] < OPTION
    leverage = margin.leverage if own is None or own.leverage is None else own.leverage
    maintenance = margin.maintenance if own is None or own.maintenance is None else own.maintenance
    if not margined and own is None:
        leverage = maintenance = 0
    borrow = financing.borrow_rates.get(instrument.name, financing.borrow)
    terms = events.TermsSet(
        initial_rate(f"{where}.leverage", leverage),
        rate(f"{where}.maintenance", maintenance),
        0 if margined else rate("financing.borrow", borrow),
        rate("margin.liquidation_fee_bps", margin.liquidation_fee_bps, 10_000),
    )
    if any(msgspec.structs.astuple(terms)):
        yield number, -1, terms, b"", 0
    for at, tier in enumerate(own.tiers if own is not None else ()):
        place = f"{where}.tiers.{at}"
        yield (
            number,
            -1,
            events.MarginTierSet(
                money(f"{place}.up_to", tier.up_to, instrument.scale),
                initial_rate(f"{place}.leverage", tier.leverage),
                rate(f"{place}.maintenance", tier.maintenance),
                money(f"{place}.deduction", tier.deduction, instrument.scale),
            ),
            b"",
            0,
        )


def _financing(plan: LedgerPlan, config: RunConfig, ts_ns: int) -> Iterator[Opening]:
    financing = config.financing
    for number, currency in enumerate(plan.currencies):
        credit, debit = financing.interest.get(currency, 0), financing.debt_interest.get(currency, 0)
        rates = rate("financing.interest", credit, signed=True), rate("financing.debt_interest", debit)
        if any(rates):
            yield -1, -1, events.InterestSet(number, *rates), b"", 0
    if financing.is_set or any(account.sweep for account in plan.accounts):
        first_ns = ts_ns // DAY_NS * DAY_NS + financing.at_ns
        first_ns += DAY_NS if first_ns <= ts_ns else 0
        yield -1, -1, events.AccrualSet(first_ns, financing.days_per_year), b"", 0


def deposit_events(plan: LedgerPlan) -> Iterator[Opening]:
    """What the accounts begin with: the last of the opening."""
    for account, currency, amount in plan.deposits:
        yield -1, -1, events.CashDeposited(currency, amount), b"", account


def resolved_ledger(plan: LedgerPlan, config: RunConfig) -> dict[str, Any]:
    """What the configuration says of the ledger, as plain values; empty where it says nothing."""
    found: dict[str, Any] = {}
    if plan.is_said:
        found["accounts"] = [
            {
                **{name: value for name, value in msgspec.to_builtins(account).items() if name != "shadow" or value},
                "cash": {plan.currencies[c]: m for a, c, m in plan.deposits if a == number},
            }
            for number, account in enumerate(plan.accounts)
        ]
        found["books"] = [list(book) for book in plan.books]
    for name in ("rates", "margin", "financing"):
        value = msgspec.to_builtins(getattr(config, name))
        if value != msgspec.to_builtins(getattr(RunConfig(), name)):
            found[name] = _texts(value)
    return found


def _texts(value: Any) -> Any:
    """Numbers as text, so that no float is in a journal."""
    if isinstance(value, dict):
        return {key: _texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_texts(each) for each in value]
    return value if isinstance(value, bool) else str(value)
