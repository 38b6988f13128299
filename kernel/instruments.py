"""What is traded: the facts about an instrument that give its integers their meaning.

Owns the description at the edge (decimals as text). Compiled code sees only the integers derived from it, in the
``instruments`` part of the state.
"""

from functools import cached_property

import msgspec

from kernel.units import notional_ratio, to_decimal

# Minor units of one currency unit, as a power of ten. Finer than cents on purpose: fees of a basis point on a small
# fill are then still exact, and 64 bits hold nine trillion of a unit.
CURRENCY_SCALES = {"BTC": 8, "ETH": 8}
DEFAULT_CURRENCY_SCALE = 6


def currency_scale(currency: str) -> int:
    """How many decimals the kernel keeps for ``currency``."""
    return CURRENCY_SCALES.get(currency, DEFAULT_CURRENCY_SCALE)


class Instrument(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One tradable thing at one venue.

    ``tick_size``, ``lot_size`` and ``multiplier`` are decimal text: price = ticks * tick_size, quantity = lots *
    lot_size, and money = price * quantity * multiplier in ``currency``.
    """

    venue: str
    symbol: str
    currency: str
    tick_size: str
    lot_size: str
    multiplier: str = "1"
    asset_class: str = "spot"

    @property
    def name(self) -> str:
        """``venue/symbol``: what the catalogue, the command line and the journal call it."""
        return f"{self.venue}/{self.symbol}"

    @cached_property
    def scale(self) -> int:
        """Decimals of the settlement currency."""
        return currency_scale(self.currency)

    @cached_property
    def notional_ratio(self) -> tuple[int, int]:
        """``(numerator, denominator)`` with minor units = ticks * lots * numerator / denominator."""
        return notional_ratio(self.tick_size, self.lot_size, self.multiplier, self.scale)

    @property
    def price_decimals(self) -> int:
        """How many decimals a price of this instrument needs."""
        exponent = to_decimal(self.tick_size).normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        return max(0, -exponent)
