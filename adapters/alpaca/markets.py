"""Instruments by what Alpaca calls them, and the exact way between its numbers and ticks and lots.

Owns the grids. Knows no message.

Quantities must lie on the lot grid and what we send on the tick grid: anything else is refused. Prices that Alpaca
shows are rounded half to even to the nearest tick: the tape has prints between two ticks (a midpoint), and Alpaca may
fill there.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact
from typing import Any

from kernel.instruments import Instrument
from kernel.units import INT64_MAX, UnitError, checked_int64, to_decimal

_CONTEXT = Context(prec=60)
_EXACT = Context(prec=60, traps=[Inexact])
_ONE = Decimal(1)
REMEMBERED = 10_000


def exact(number: float | int | str | Decimal) -> Decimal:
    """The decimal that a number stands for: of a float, its shortest text that reads back the same."""
    return to_decimal(repr(number) if isinstance(number, float) else number)


class Grid:
    """Whole numbers of a step."""

    __slots__ = ("_found", "_step", "step")

    def __init__(self, step: str) -> None:
        self.step = to_decimal(step)
        if self.step <= 0:
            raise UnitError(f"a step of {step} is not above zero")
        self._step = self.step.normalize()
        self._found: dict[Any, int] = {}  # what the tape said before: its prices and sizes come again and again

    def count(self, number: float | int | str | Decimal) -> int:
        """How many steps; UnitError when it is not a whole number of them."""
        value = exact(number)
        steps = _CONTEXT.divide(value, self._step)
        whole = steps.to_integral_value()
        if whole != steps:
            raise UnitError(f"{value} is not a multiple of {self.step}")
        return checked_int64(int(whole), f"{value} in units of {self.step}")

    def nearest(self, number: float | int | str | Decimal) -> int:
        """How many steps, rounded half to even."""
        steps = self._rounded(number)
        if abs(steps) > INT64_MAX:
            raise UnitError(f"{number} in units of {self.step} does not fit 64 bits")
        return steps

    def clipped(self, number: float | int | str | Decimal) -> int:
        """How many steps, rounded half to even, and no more than 64 bits hold."""
        return min(self._rounded(number), INT64_MAX)

    def _rounded(self, number: float | int | str | Decimal) -> int:
        is_of_tape = isinstance(number, (float, int))
        if is_of_tape:
            found = self._found.get(number)
            if found is not None:
                return found
        steps = int(_CONTEXT.divide(exact(number), self._step).to_integral_value(ROUND_HALF_EVEN))
        if is_of_tape:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[number] = steps
        return steps

    def text(self, count: int) -> str:
        """The decimal text of so many steps, without an exponent or zeros at its end."""
        value = _EXACT.multiply(Decimal(count), self._step)
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


class Market:
    """One instrument: its place, its name at Alpaca, its grids."""

    __slots__ = ("first_trade_ns", "instrument", "last_trade_ns", "lots", "place", "seen_trades", "symbol", "ticks")

    def __init__(self, place: int, instrument: Instrument) -> None:
        self.place = place
        self.instrument = instrument
        self.symbol = wire_symbol(instrument)
        self.ticks = Grid(instrument.tick_size)
        self.lots = Grid(instrument.lot_size)
        self.seen_trades: dict[tuple[Any, ...], None] = {}
        self.first_trade_ns = self.last_trade_ns = 0


class Markets:
    """The instruments of an adapter, by place and by every name that Alpaca has for them."""

    def __init__(self, instruments: Sequence[Instrument] = ()) -> None:
        self.all = [Market(place, instrument) for place, instrument in enumerate(instruments)]
        self.by_symbol: dict[str, Market] = {}
        for market in self.all:
            # Positions and old records write a pair without its slash.
            for name in {market.symbol, market.symbol.replace("/", "")}:
                self.by_symbol[name] = market

    def get(self, symbol: str) -> Market | None:
        """The market of a symbol, None for one that is not traded here."""
        return self.by_symbol.get(symbol)


def wire_symbol(instrument: Instrument) -> str:
    """What Alpaca calls it: a pair is BASE/QUOTE there, and BASEQUOTE here (a slash divides venue and symbol)."""
    if instrument.contract != "spot" or "/" in instrument.symbol:
        return instrument.symbol
    base = instrument.symbol.removesuffix(instrument.currency)
    return f"{base}/{instrument.currency}"


def is_whole(number: Decimal) -> bool:
    """Whether a quantity is a whole number of shares."""
    return number % _ONE == 0
