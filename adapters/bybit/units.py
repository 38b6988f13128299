"""Decimal text of the venue to whole ticks and lots, exactly and fast, and back. Pure; no float anywhere."""

from decimal import ROUND_HALF_EVEN, Decimal
from math import lcm

from kernel.instruments import Instrument
from kernel.units import UnitError, from_units, to_decimal


class ParseError(ValueError):
    """Bytes of the venue that are not what its documentation says. The text is one line."""


class OffGridError(ParseError):
    """A number that lies between two ticks or lots of the instrument: the venue changed its rules."""


class Grid:
    """Multiples of one size, such as a tick. ``exact`` refuses what lies between, ``floor`` takes the one below."""

    __slots__ = ("_decimals", "_powers", "_unit", "size")

    def __init__(self, size: str) -> None:
        number = to_decimal(size)
        if number <= 0:
            raise UnitError(f"a step of {size} is not above 0")
        exponent = number.normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        self.size = number
        self._decimals = max(0, -exponent)
        self._unit = int(number.scaleb(self._decimals))
        self._powers = [10**power for power in range(self._decimals + 1)]

    def _split(self, text: str) -> tuple[int, int, bool]:
        """``(units, what is left over, whether digits beyond the grid's were cut)``."""
        whole, _, fraction = text.partition(".")
        more = len(fraction) - self._decimals
        try:
            if more <= 0:
                return *divmod(int(whole + fraction) * self._powers[-more], self._unit), False
            units, rest = divmod(int(whole + fraction[: self._decimals]), self._unit)
            return units, rest, int(fraction[self._decimals :]) != 0
        except ValueError:
            raise ParseError(f"{text!r} is not a decimal number") from None

    def exact(self, text: str) -> int:
        """How many there are in ``text``. Raises OffGridError when it lies between two."""
        units, rest, cut = self._split(text)
        if rest or cut:
            raise OffGridError(f"{text} is not a multiple of {self.size}")
        return units

    def floor(self, text: str) -> int:
        """How many whole ones there are in ``text`` that is not negative."""
        return self._split(text)[0]

    def nearest(self, text: str) -> int:
        """The number of the nearest one, half to even."""
        return int((to_decimal(text) / self.size).to_integral_value(ROUND_HALF_EVEN))

    def text(self, count: int) -> str:
        """So many of them as decimal text, without an exponent."""
        return plain(from_units(count, self.size))


def plain(number: Decimal) -> str:
    """A decimal as the shortest text without an exponent."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def steps_of(size: str, ours: str) -> int:
    """The least number of ``ours`` that is a multiple of ``size`` too: what an order must be a multiple of."""
    theirs, mine = to_decimal(size), to_decimal(ours)
    scale = 10 ** max(0, -min(_exponent(theirs), _exponent(mine)))
    return lcm(int(theirs * scale), int(mine * scale)) // int(mine * scale)


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


class Listed:
    """An instrument in the list of an adapter, with its grids. ``base`` is the coin that spot holdings are in."""

    __slots__ = ("base", "instrument", "lots", "number", "symbol", "ticks")

    def __init__(self, number: int, instrument: Instrument) -> None:
        self.number = number
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.ticks = Grid(instrument.tick_size)
        self.lots = Grid(instrument.lot_size)
        self.base = instrument.symbol.removesuffix(instrument.currency)
