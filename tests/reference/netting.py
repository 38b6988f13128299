"""Naive twin of the verdicts on targets that net: whole lots of one instrument, fractions, and no running totals.

Written from the words of ``docs/sizing.md``: the orders of one moment are checked together; the last one that does not
fit is refused, until the others do; what is left trades with each other in proportion, and only the rest leaves.
"""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class Desk:
    """Books of strategies that net in an instrument at one price, an account, and its equity; a margin of ``rate``."""

    price: int
    equity: int
    rate: Fraction
    held: list[int]
    open: list[tuple[int, int]] = field(default_factory=list)  # strategy and signed lots that have left, not filled

    def sides(self, waiting: dict[int, int]) -> tuple[int, int]:
        """The most and the least that the position may come to, when those that wait have traded with each other."""
        crossing = min(self.bought(waiting), self.sold(waiting))
        held = sum(self.held)
        most = held + self.bought(waiting) - crossing + sum(lots for _, lots in self.open if lots > 0)
        least = held - self.sold(waiting) + crossing + sum(lots for _, lots in self.open if lots < 0)
        return most, least

    def needed(self, waiting: dict[int, int]) -> int:
        return round(max(map(abs, self.sides(waiting))) * self.price * self.rate)

    @staticmethod
    def bought(orders: dict[int, int]) -> int:
        return sum(lots for lots in orders.values() if lots > 0)

    @staticmethod
    def sold(orders: dict[int, int]) -> int:
        return -sum(lots for lots in orders.values() if lots < 0)

    def refuses(self, strategy: int, waiting: dict[int, int]) -> bool:
        """Whether the account cannot carry it with all the others."""
        held, lots = self.held[strategy], waiting[strategy]
        same_side = sum(left for other, left in self.open if other == strategy and left * lots > 0)
        if abs(held + same_side + lots) <= abs(held):
            return False
        most, least = self.sides(waiting)
        ours = most >= -least if lots > 0 else -least >= most
        return ours and self.needed(waiting) > self.equity

    def settle(self, wants: dict[int, int]) -> dict[int, int]:
        """The orders that are approved, of those that are wanted at one moment, in the order of their intents."""
        waiting = dict(wants)
        while True:
            refused = [strategy for strategy in waiting if self.refuses(strategy, waiting)]
            if not refused:
                return waiting
            del waiting[refused[-1]]

    def cross(self, waiting: dict[int, int]) -> None:
        """Let them trade with each other; what is left has left."""
        crossing = min(self.bought(waiting), self.sold(waiting))
        for side in (1, -1):
            mine = {strategy: abs(lots) for strategy, lots in waiting.items() if lots * side > 0}
            for strategy, lots in shares(crossing, mine).items():
                self.held[strategy] += side * lots
                rest = mine[strategy] - lots
                if rest:
                    self.open.append((strategy, side * rest))

    def missing(self, strategy: int, target: int) -> int:
        """Lots to order, counting what is on its way."""
        return target - self.held[strategy] - sum(lots for other, lots in self.open if other == strategy)

    def fill(self) -> None:
        """All that has left is filled."""
        for strategy, lots in self.open:
            self.held[strategy] += lots
        self.open = []


def shares(lots: int, wants: dict[int, int]) -> dict[int, int]:
    """Lots in proportion to what each wants, rounded down; what is left goes to the largest remainders."""
    total = sum(wants.values())
    if not total:
        return {}
    exact = {name: Fraction(lots * wanted, total) for name, wanted in wants.items()}
    parts = {name: int(part) for name, part in exact.items()}
    order = sorted(wants, key=lambda name: (parts[name] - exact[name], name))
    for name in order[: lots - sum(parts.values())]:
        parts[name] += 1
    return parts
