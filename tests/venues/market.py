"""A seeded random walk per symbol: trades, quotes, a small book and one-minute bars. Knows no orders and no clock.

Every method that moves the market is given the time. The walk of a symbol depends on the seed and the number of its
steps alone.
"""

from collections import deque
from decimal import Decimal
from random import Random

from tests.venues.shapes import BUY, MINUTE_NS, SELL, Bar, Quote, Symbol, Tick

HISTORY_MINUTES = 1500
HISTORY_TRADES = 1000
BOOK_LEVELS = 50


class Walk:
    """The market of one symbol."""

    def __init__(self, symbol: Symbol, seed: int, now_ns: int) -> None:
        self.symbol = symbol
        self.random = Random(f"{seed}/{symbol.name}")
        self.price = symbol.price
        self.number = 0
        self.bars: deque[Bar] = deque(maxlen=HISTORY_MINUTES)
        self.ticks: deque[Tick] = deque(maxlen=HISTORY_TRADES)
        self.spread_ticks = 1
        minute = now_ns // MINUTE_NS * MINUTE_NS
        for back in range(HISTORY_MINUTES - 1, 0, -1):
            self._history_bar(minute - back * MINUTE_NS)
        self.forming = Bar(symbol.name, minute, *(self.price,) * 4, Decimal(0))

    def _history_bar(self, open_ns: int) -> None:
        path = [self.price]
        for _ in range(4):
            path.append(self._stepped(path[-1]))
        self.price = path[-1]
        volume = self._quantity() * 10
        self.bars.append(Bar(self.symbol.name, open_ns, path[0], max(path), min(path), path[-1], volume))

    def _stepped(self, price: Decimal) -> Decimal:
        moved = price + self.random.randint(-3, 3) * self.symbol.tick
        floor = self.symbol.price / 2 // self.symbol.tick * self.symbol.tick
        return max(moved, floor)

    def _quantity(self) -> Decimal:
        return self.symbol.step * self.random.randint(1, 1000)

    def step(self, now_ns: int) -> tuple[Tick, list[Bar]]:
        """One public trade at a new price, and the bars that closed before it."""
        return self.trade_at(self._stepped(self.price), now_ns)

    def trade_at(self, price: Decimal, now_ns: int) -> tuple[Tick, list[Bar]]:
        """One public trade at this price."""
        closed = self.roll(now_ns)
        side = BUY if price >= self.price else SELL
        self.price = price
        self.number += 1
        quantity = self._quantity()
        old = self.forming
        self.forming = Bar(
            old.symbol,
            old.open_ns,
            old.open if old.volume else price,
            max(old.high, price) if old.volume else price,
            min(old.low, price) if old.volume else price,
            price,
            old.volume + quantity,
        )
        self.ticks.append(Tick(self.symbol.name, self.number, side, price, quantity, now_ns))
        return self.ticks[-1], closed

    def roll(self, now_ns: int) -> list[Bar]:
        """Close every bar whose minute is over; minutes without a trade are flat bars."""
        closed = []
        while now_ns >= self.forming.open_ns + MINUTE_NS:
            closed.append(self.close_bar())
        return closed

    def close_bar(self) -> Bar:
        """Close the minute that is forming, now, whatever the clock says."""
        bar = self.forming
        self.bars.append(bar)
        self.forming = Bar(self.symbol.name, bar.open_ns + MINUTE_NS, *(self.price,) * 4, Decimal(0))
        return bar

    @property
    def bid(self) -> Decimal:
        """The best bid: a spread below the last price at most."""
        return self.price - self.symbol.tick * self.spread_ticks

    @property
    def ask(self) -> Decimal:
        """The best ask."""
        return self.price + self.symbol.tick * self.spread_ticks

    def quote(self, now_ns: int) -> Quote:
        """Both best sides; sizes are a function of the price, so that the same quote is shown alike everywhere."""
        return Quote(self.symbol.name, self.bid, self.size_at(self.bid), self.ask, self.size_at(self.ask), now_ns)

    def size_at(self, price: Decimal) -> Decimal:
        """The size of a level of the public book."""
        return self.symbol.step * (int(price / self.symbol.tick) * 7919 % 997 + 1)

    def book(self, levels: int = BOOK_LEVELS) -> tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]:
        """Bids and asks as price to size, best first."""
        tick = self.symbol.tick
        bids = [self.bid - tick * level for level in range(levels)]
        asks = [self.ask + tick * level for level in range(levels)]
        return {price: self.size_at(price) for price in bids if price > 0}, {
            price: self.size_at(price) for price in asks
        }
