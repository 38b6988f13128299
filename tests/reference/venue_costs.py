"""Naive twins of the venue's small models: chance, latency, slippage and fees, in whole numbers of any size."""

from fractions import Fraction
from math import isqrt

RATE_SCALE = 100_000_000
MASK = 0xFFFFFFFF


def half_even(value: Fraction) -> int:
    return round(value)


def philox(key: tuple[int, int], counter: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Philox4x32-10 as the paper writes it."""
    for _ in range(10):
        left, right = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = (
            (right >> 32) ^ counter[1] ^ key[0],
            right & MASK,
            (left >> 32) ^ counter[3] ^ key[1],
            left & MASK,
        )
        key = (key[0] + 0x9E3779B9 & MASK, key[1] + 0xBB67AE85 & MASK)
    return counter


def chance(seed: int, purpose: int, number: int) -> int:
    return philox((seed & MASK, seed >> 32 & MASK), (number & MASK, number >> 32 & MASK, purpose, 0))[0]


def quantile_ns(values_ns: list[int], draw: int) -> int:
    """The value ``draw / 2^32`` of the way, by a fraction of 16 bits between two quantiles, rounded down."""
    way = draw * (len(values_ns) - 1)
    at, part = way >> 32, (way & MASK) >> 16
    after = values_ns[min(at + 1, len(values_ns) - 1)]
    return values_ns[at] + ((after - values_ns[at]) * part >> 16)


def slipped(
    side: int, price: int, lots: int, volume: int, fixed: int, spread: int, impact: int, share_impact: int
) -> int:
    rate = fixed + spread
    taken = min(lots, volume)
    if impact:
        whole = half_even(Fraction(taken * RATE_SCALE**2, volume)) if volume > 0 else RATE_SCALE**2
        rate += half_even(Fraction(impact * isqrt(whole), RATE_SCALE))
    if share_impact:
        share = half_even(Fraction(taken * RATE_SCALE, volume)) if volume > 0 else RATE_SCALE
        square = half_even(Fraction(share * share, RATE_SCALE))
        rate += half_even(Fraction(share_impact * square, RATE_SCALE))
    if rate == 0:
        return price
    slip = max(half_even(Fraction(price * rate, RATE_SCALE)), 1)
    return price + slip if side > 0 else max(price - slip, 1)


class Fees:
    """The fees of one order's fills after another, with tiers by volume."""

    def __init__(self, tiers: list[tuple[int, int]], unit: int, minimum: int, maximum: int, days: int | None) -> None:
        self.tiers, self.unit, self.minimum, self.maximum, self.days = tiers, unit, minimum, maximum, days
        self.volumes: list[tuple[int, int]] = []
        self.raw = self.charged = 0

    def volume(self, day: int) -> int:
        return sum(money for at, money in self.volumes if self.days is None or at > day - self.days)

    def fill(self, money: int, lots: int, day: int) -> int:
        # The tier is that which the volume had reached at the last fill: days are dropped when a fill is counted.
        counted = max((at for at, _ in self.volumes), default=day)
        rate = [rate for start, rate in self.tiers if start <= self.volume(counted)][-1]
        self.raw += half_even(Fraction(money * rate, RATE_SCALE)) + half_even(Fraction(lots * self.unit, RATE_SCALE))
        owed = max(self.raw, self.minimum) if self.minimum else self.raw
        owed = min(owed, self.maximum) if self.maximum else owed
        fee, self.charged = owed - self.charged, owed
        self.volumes.append((day, money))
        return fee
