"""Strategies that ask for what a desk does not allow."""

from kernel.strategy.python import Bar, Strategy


class Eager(Strategy):
    """Goes in whenever it holds nothing, in so many orders, from a bar on; with ``out`` it leaves at the next bar."""

    name = "eager"
    fraction: float = 0.02
    orders: int = 1
    out: int = 1
    first: int = 0

    def on_start(self) -> None:
        self.bars = 0

    def on_bar(self, bar: Bar) -> None:
        self.bars += 1
        if self.bars <= self.first:
            return
        if self.position_lots == 0:
            for _ in range(self.orders):
                self.buy(max(int(self.lots_for_fraction(bar.instrument, self.fraction) / self.orders), 1))
        elif self.out:
            self.close_position()
