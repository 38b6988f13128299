"""Naive twin of the order book: one dictionary a side, and every question answered by looking at all levels."""

NO_PRICE = -(2**62)
OVERFLOW = -(2**63)
MAX_LEVELS = 8192
COST_BOUND = 4 * 10**18


class NaiveBook:
    """The order book of one instrument; ``limit`` levels a side."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit or MAX_LEVELS
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.written: dict[tuple[int, int], int] = {}
        self.rows = self.dropped = self.uncrossed = 0

    def apply(self, side: int, price: int, lots: int, flags: int) -> int:
        if flags & 1:
            self.sides = {1: {}, -1: {}}
        self.rows += 1
        levels = self.sides[side]
        before = levels.get(price, 0)
        if lots <= 0:
            levels.pop(price, None)
        else:
            levels[price] = lots
            self.written[side, price] = self.rows
        if len(levels) > self.limit:
            del levels[min(levels) if side > 0 else max(levels)]
            self.dropped += 1
        while flags & 2 and self.sides[1] and self.sides[-1] and self.best(1) >= self.best(-1):
            older = min((1, -1), key=lambda side: self.written[side, self.best(side)])
            del self.sides[older][self.best(older)]
            self.uncrossed += 1
        return before

    def clear(self) -> None:
        self.sides = {1: {}, -1: {}}

    def outward(self, side: int) -> list[tuple[int, int]]:
        """The levels of a side from the touch outward."""
        return sorted(self.sides[side].items(), reverse=side > 0)

    def best(self, side: int) -> int:
        levels = self.sides[side]
        return (max(levels) if side > 0 else min(levels)) if levels else NO_PRICE

    def level_count(self, side: int) -> int:
        return len(self.sides[side])

    def lots_at(self, side: int, price: int) -> int:
        return self.sides[side].get(price, 0)

    def ahead(self, side: int, price: int) -> int:
        return sum(lots for at, lots in self.sides[side].items() if side * at > side * price)

    def walk(self, side: int, quantity: int, limit: int) -> tuple[int, int, int]:
        taken: list[tuple[int, int]] = []
        for price, lots in self.outward(-side):
            left = quantity - sum(lots for _, lots in taken)
            if left <= 0 or (limit != NO_PRICE and side * price > side * limit):
                break
            taken.append((price, min(lots, left)))
        cost = 0
        for price, lots in taken:
            if cost == OVERFLOW or abs(cost) + abs(price * lots) >= COST_BOUND:
                cost = OVERFLOW
            else:
                cost += price * lots
        return sum(lots for _, lots in taken), cost, taken[-1][0] if taken else NO_PRICE
