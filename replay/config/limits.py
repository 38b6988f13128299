"""``[limits]``: the pre-trade limits that every run has."""

import msgspec

from kernel.units import RATE_SCALE
from replay.config.amounts import Number, count, rate
from replay.config.errors import SettingError

MOST_MARGIN = 100 * RATE_SCALE


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Pre-trade limits; 0 is off. Money in currency, ``price_band_bps`` from the last price."""

    order_lots: int = 0
    order_notional: Number = 0
    position_notional: Number = 0
    price_band_bps: Number = 0
    open_orders: int = 0
    margin: Number = 1


def check_limits(limits: LimitsConfig) -> None:
    """Raise SettingError for a limit that makes no sense."""
    count("limits.order_lots", limits.order_lots)
    count("limits.open_orders", limits.open_orders)
    rate("limits.price_band_bps", limits.price_band_bps, 10_000)
    if rate("limits.margin", limits.margin) > MOST_MARGIN:
        raise SettingError("limits.margin", f"is {limits.margin}; it is a share of the position's value, such as 0.5")
