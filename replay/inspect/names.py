"""What the integers of a journal mean: its instruments, strategies and currency, from its own defining events.

Owns the reading of those definitions, and exact decimal text for ticks, lots and minor units. Needs no market data and
no configuration file: a journal explains itself.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from kernel.events.body import decode_body
from kernel.events.catalogue import (
    AccountDefined,
    CurrencyDefined,
    FeaturesDefined,
    InstrumentDefined,
    RunOpened,
    SeriesDefined,
    StrategyDefined,
)
from kernel.events.layout import Stored
from kernel.instruments import Instrument
from kernel.units import to_decimal

MONEY_DECIMALS = 2  # money is shown with at least these


class Scale(msgspec.Struct, frozen=True):
    """A decimal unit: a count of it is ``count * mantissa`` with ``decimals`` digits behind the point."""

    mantissa: int
    decimals: int

    def text(self, count: int, *, least: int | None = None, group: bool = False) -> str:
        """The exact decimal of ``count`` units; with ``least``, idle zeros beyond that many decimals are left out."""
        value = count * self.mantissa
        sign, value = ("-", -value) if value < 0 else ("", value)
        whole, rest = divmod(value, 10**self.decimals)
        digits = f"{rest:0{self.decimals}d}" if self.decimals else ""
        if least is not None:
            digits = digits[:least] + digits[least:].rstrip("0")
        shown = f"{whole:,}" if group else str(whole)
        return f"{sign}{shown}.{digits}" if digits else f"{sign}{shown}"


def scale_of(unit: str) -> Scale:
    """The scale of a tick or lot size written as decimal text."""
    number = to_decimal(unit).normalize()
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    decimals = max(0, -exponent)
    return Scale(int(number.scaleb(decimals)), decimals)


class Names(msgspec.Struct, frozen=True):
    """The definitions of a journal. ``opened`` is None for a journal without any event."""

    opened: RunOpened | None = None
    configuration: Any = None
    currencies: tuple[str, ...] = ("",)
    scales: tuple[int, ...] = (0,)
    accounts: tuple[str, ...] = ("",)
    instrument_currencies: tuple[int, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    ratios: tuple[tuple[int, int], ...] = ()
    strategies: tuple[str, ...] = ()
    strategy_facts: tuple[dict[str, Any], ...] = ()
    price_scales: tuple[Scale, ...] = ()
    lot_scales: tuple[Scale, ...] = ()
    rules: tuple[str, ...] = ()
    features: dict[tuple[int, int], tuple[str, ...]] = msgspec.field(default_factory=dict)  # by instrument and series

    @property
    def instrument_ids(self) -> dict[str, int]:
        """Instrument name to number."""
        return {instrument.name: number for number, instrument in enumerate(self.instruments)}

    def instrument(self, number: int) -> str:
        """The name of an instrument; empty for -1."""
        if 0 <= number < len(self.instruments):
            return self.instruments[number].name
        return "" if number < 0 else f"instrument {number}"

    def strategy(self, number: int) -> str:
        """The name of a strategy; empty for -1."""
        if 0 <= number < len(self.strategies):
            return self.strategies[number]
        return "" if number < 0 else f"strategy {number}"

    def rule(self, series: int) -> str:
        """The rule of a series of bars."""
        return self.rules[series] if 0 <= series < len(self.rules) else f"series {series}"

    def price(self, ticks: int, instrument: int) -> str:
        """A price as decimal text; ticks as they are where the instrument is not known."""
        if 0 <= instrument < len(self.price_scales):
            return self.price_scales[instrument].text(ticks)
        return f"{ticks} ticks"

    def quantity(self, lots: int, instrument: int) -> str:
        """A quantity as decimal text; lots as they are where the instrument is not known."""
        if 0 <= instrument < len(self.lot_scales):
            return self.lot_scales[instrument].text(lots, least=0)
        return f"{lots} lots"

    @property
    def currency(self) -> str:
        """The name of the first currency."""
        return self.currencies[0]

    @property
    def scale(self) -> int:
        """The most decimals that a currency has."""
        return max(self.scales)

    def currency_of(self, instrument: int) -> int:
        """The number of the currency in which an instrument settles; 0 for -1."""
        return self.instrument_currencies[instrument] if 0 <= instrument < len(self.instrument_currencies) else 0

    def currency_name(self, number: int) -> str:
        """The name of a currency."""
        return self.currencies[number] if 0 <= number < len(self.currencies) else f"currency {number}"

    def account(self, number: int) -> str:
        """The name of an account; empty for an only one without a name."""
        return self.accounts[number] if 0 <= number < len(self.accounts) else f"account {number}"

    def money(self, minor: int, currency: int = 0) -> str:
        """Money to the last minor unit that is not an idle zero, with separators."""
        scale = self.scales[currency] if 0 <= currency < len(self.scales) else 0
        return Scale(1, scale).text(minor, least=min(MONEY_DECIMALS, scale), group=True)


def read_names(definitions: Iterable[Stored]) -> Names:
    """The names that the defining events give; other events are passed over."""
    opened, configuration = None, None
    currencies: dict[int, tuple[str, int]] = {0: ("", 0)}
    accounts: dict[int, str] = {0: ""}
    instruments: dict[int, tuple[Instrument, InstrumentDefined]] = {}
    strategies: dict[int, dict[str, Any]] = {}
    rules: dict[int, str] = {}
    features: dict[tuple[int, int], tuple[str, ...]] = {}
    for stored in definitions:
        event = stored.event
        if isinstance(event, RunOpened):
            opened, configuration = event, decode_body(stored.body)
        elif isinstance(event, CurrencyDefined):
            currencies[event.currency] = str(decode_body(stored.body)), event.scale
        elif isinstance(event, AccountDefined):
            accounts[stored.account] = str(decode_body(stored.body)["name"])
        elif isinstance(event, InstrumentDefined):
            described = msgspec.convert(decode_body(stored.body), Instrument)
            instruments[stored.instrument] = described, event
        elif isinstance(event, StrategyDefined):
            strategies[stored.strategy] = decode_body(stored.body)
        elif isinstance(event, SeriesDefined):
            rules[event.series] = str(decode_body(stored.body))
        elif isinstance(event, FeaturesDefined):
            features[stored.instrument, event.series] = tuple(decode_body(stored.body))
    found = [instruments[number] for number in sorted(instruments)]
    facts = [strategies[number] for number in sorted(strategies)]
    return Names(
        opened=opened,
        configuration=configuration,
        currencies=tuple(currencies[number][0] for number in sorted(currencies)),
        scales=tuple(currencies[number][1] for number in sorted(currencies)),
        accounts=tuple(accounts[number] for number in sorted(accounts)),
        instrument_currencies=tuple(event.currency for _, event in found),
        instruments=tuple(instrument for instrument, _ in found),
        ratios=tuple((event.numerator, event.denominator) for _, event in found),
        strategies=tuple(str(fact["name"]) for fact in facts),
        strategy_facts=tuple(facts),
        price_scales=tuple(scale_of(instrument.tick_size) for instrument, _ in found),
        lot_scales=tuple(scale_of(instrument.lot_size) for instrument, _ in found),
        rules=tuple(rules[number] for number in sorted(rules)),
        features=features,
    )
