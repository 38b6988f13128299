"""What a fill costs beyond its price: slippage and fees, as small models that add up.

Owns the arithmetic; ``fills_nb`` applies it. All rates are in units of 1/100,000,000, all steps are exact integers
rounded half to even (a root is rounded down).
"""

import numpy as np

from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit, unit
from kernel.lifecycle import MAKER
from kernel.units import RATE_SCALE
from replay.venue.memory import FEE_DAYS, VENUE_HEAD

DAY_NS = 86_400_000_000_000
_ROOT_SCALE = RATE_SCALE * RATE_SCALE


@jit
def root_nb(number):
    """The integer square root of a number from 0 to 2^62, rounded down."""
    root = np.int64(np.sqrt(np.float64(number)))
    while root * root > number:
        root -= 1
    while (root + 1) * (root + 1) <= number:
        root += 1
    return root


@inlined
def slippage_rate_nb(head, quantity_lots, volume_lots):
    """How far an order of this size moves the price, as a rate of it.

    Four models add up: a fixed rate; half the spread; an impact that grows with the square root of the order's share
    of the volume (the square-root law; Almgren, Thum, Hauptmann and Li, "Direct estimation of equity market impact",
    2005, measure an exponent of 3/5); one that grows with the square of that share (the volume share model of Zipline).
    """
    rate = head.slippage_rate + head.spread_rate
    if head.impact_rate == 0 and head.share_impact_rate == 0:
        return rate
    lots = min(quantity_lots, volume_lots)
    volume = max(volume_lots, 1)
    if head.impact_rate != 0:
        root = root_nb(scale_linked_nb(lots, _ROOT_SCALE, 1, volume)) if volume_lots > 0 else RATE_SCALE
        rate += scale_linked_nb(head.impact_rate, root, 1, RATE_SCALE)
    if head.share_impact_rate != 0:
        share = scale_linked_nb(lots, RATE_SCALE, 1, volume) if volume_lots > 0 else RATE_SCALE
        rate += scale_linked_nb(head.share_impact_rate, scale_linked_nb(share, share, 1, RATE_SCALE), 1, RATE_SCALE)
    return rate


@unit(VENUE_HEAD, np.int64, np.int64, np.int64, np.int64)
def slipped_nb(head, side, price_ticks, quantity_lots, volume_lots):
    """The price after slippage: at least one tick worse when there is any. A sale never goes below one tick."""
    rate = slippage_rate_nb(head, quantity_lots, volume_lots)
    if rate == 0:
        return price_ticks
    slip = max(scale_linked_nb(abs(price_ticks), rate, 1, RATE_SCALE), 1)
    return price_ticks + slip if side > 0 else max(price_ticks - slip, 1)


@inlined
def _rate_nb(fees, liquidity):
    """The rate of the tier that the volume so far has reached."""
    tier = fees.tier_count - 1
    while tier > 0 and fees.volume_minor < fees.tiers[tier].from_minor:
        tier -= 1
    return fees.tiers[tier].maker_rate if liquidity == MAKER else fees.tiers[tier].taker_rate


@inlined
def fee_nb(fees, market, money_minor, quantity_lots, liquidity):
    """The fee of one fill before minimum and maximum, or OVERFLOW: a rate of its money and an amount for each lot."""
    fee = scale_linked_nb(money_minor, _rate_nb(fees, liquidity), 1, RATE_SCALE)
    if market.fee_unit == 0 or fee == OVERFLOW:
        return fee
    by_lot = scale_linked_nb(quantity_lots, market.fee_unit, 1, RATE_SCALE)
    return OVERFLOW if by_lot == OVERFLOW else fee + by_lot


@inlined
def charge_nb(fees, order, fee_minor):
    """What of a fee is charged now: all fills of an order together cost at least the minimum, at most the maximum."""
    owed = order.fee_minor + fee_minor
    if fees.minimum_minor > 0:
        owed = max(owed, fees.minimum_minor)
    if fees.maximum_minor > 0:
        owed = min(owed, fees.maximum_minor)
    return owed - order.charged_minor


@inlined
def count_volume_nb(fees, money_minor, ts_ns):
    """Add a fill to the volume that decides the tier: that of the run, or of the last 30 UTC days with this one."""
    if fees.tier_count < 2:
        return
    day = ts_ns // DAY_NS
    gone = min(day - fees.day, FEE_DAYS) if fees.whole_run == 0 else 0
    for number in range(gone):
        at = (fees.day + 1 + number) % FEE_DAYS
        fees.volume_minor -= fees.days_minor[at]
        fees.days_minor[at] = 0
    fees.day = max(day, fees.day)
    fees.days_minor[day % FEE_DAYS] += abs(money_minor)
    fees.volume_minor += abs(money_minor)
