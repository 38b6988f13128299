"""Naive twin of the queue models: fractions, and the formulas as hftbacktest states them (back over back and front)."""

from fractions import Fraction
from math import ceil, floor

PARTS = 1024
MAX_LEVEL_LOTS = 2**50


def behind_share(model: str, exponent: int, front: Fraction, back: Fraction) -> Fraction:
    """The share of a cancelled quantity that was behind the order."""
    if model == "risk_averse" or front + back == 0:
        return Fraction(1)
    if model == "power":
        return back**exponent / (back**exponent + front**exponent)
    if model == "power_of_sum":
        return back**exponent / (back + front) ** exponent
    return 1 - (front / (front + back)) ** exponent


def rounded(lots: Fraction) -> Fraction:
    """To parts of a lot, a tie to the even one."""
    return Fraction(round(lots * PARTS), PARTS)


def clipped(lots: int) -> int:
    return min(max(lots, 0), MAX_LEVEL_LOTS)


class NaiveQueue:
    def __init__(self, level_lots: int, model: str = "risk_averse", exponent: int = 1) -> None:
        self.model, self.exponent = model, exponent
        self.level = clipped(level_lots)
        self.ahead = Fraction(self.level)
        self.traded = 0

    def ahead_lots(self) -> int:
        return ceil(self.ahead)

    def trade(self, lots: int) -> int:
        """The whole lots that reach the order."""
        lots = clipped(lots)
        self.traded = min(self.traded + lots, MAX_LEVEL_LOTS)
        reached = max(Fraction(0), lots - self.ahead)
        self.ahead = max(Fraction(0), self.ahead - lots)
        return floor(reached)

    def depth(self, level_lots: int) -> None:
        level_lots = clipped(level_lots)
        gone = self.level - level_lots - self.traded
        front, back = self.ahead, max(self.level - self.traded - self.ahead, Fraction(0))
        self.level, self.traded = level_lots, 0
        if gone > 0 and self.model != "risk_averse":
            behind = behind_share(self.model, self.exponent, front, back) * gone
            front -= max(rounded(gone - behind), gone - back)  # behind there was no more than ``back``
        self.ahead = max(Fraction(0), min(front, Fraction(level_lots)))

    def reached(self, side: int, price: int, remaining: int, at: int, lots: int, aggressor: int) -> int:
        if side * at < side * price:
            self.ahead = Fraction(0)
            return remaining
        if at != price or aggressor == side:
            return 0
        return min(remaining, self.trade(lots))
