"""What is traded: the facts about an instrument that give its integers their meaning.

Owns the description at the edge (decimals as text). Compiled code sees only the integers derived from it, in the
``instruments`` part of the state.
"""

from functools import cached_property

import msgspec

from kernel.units import inverse_ratio, notional_ratio, to_decimal

# What a contract is. Spot, equities, fx and options are fully paid; from FIRST_MARGINED on cash moves by profit alone;
# from FIRST_INVERSE on the contract is worth quantity / price, and settles in the base coin.
SPOT, EQUITY, FX, PERPETUAL, FUTURE, INVERSE_PERPETUAL, INVERSE_FUTURE, OPTION = range(8)
CONTRACT_NAMES = {
    SPOT: "spot",
    EQUITY: "equity",
    FX: "fx",
    PERPETUAL: "perpetual",
    FUTURE: "future",
    INVERSE_PERPETUAL: "inverse-perpetual",
    INVERSE_FUTURE: "inverse-future",
    OPTION: "option",
}
FIRST_MARGINED, FIRST_INVERSE = PERPETUAL, INVERSE_PERPETUAL
OPTION_RIGHTS = {"call": 1, "put": -1, "": 0}

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
    lot_size, and money = price * quantity * multiplier in ``currency``. ``contract`` is a name of CONTRACT_NAMES;
    futures and options have an ``expiry`` (ISO 8601), options a ``strike`` and a ``right`` (call or put).
    ``calendar`` names the exchange's sessions (``XNYS``); without one the instrument trades around the clock.
    """

    venue: str
    symbol: str
    currency: str
    tick_size: str
    lot_size: str
    multiplier: str = "1"
    asset_class: str = "spot"
    contract: str = "spot"
    expiry: str = ""
    strike: str = ""
    right: str = ""
    calendar: str = ""

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
        """``(numerator, denominator)`` with minor units = ticks * lots * numerator / denominator.

        Of an inverse contract: minor units = lots * numerator / (ticks * denominator).
        """
        if self.is_inverse:
            return inverse_ratio(self.tick_size, self.lot_size, self.multiplier, self.scale)
        return notional_ratio(self.tick_size, self.lot_size, self.multiplier, self.scale)

    @property
    def is_inverse(self) -> bool:
        """Whether money is quantity * multiplier / price, in the base coin."""
        return self.contract in ("inverse-perpetual", "inverse-future")

    @property
    def price_decimals(self) -> int:
        """How many decimals a price of this instrument needs."""
        exponent = to_decimal(self.tick_size).normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        return max(0, -exponent)
