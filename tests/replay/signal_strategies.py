"""Strategies that say what they think and send no order themselves, compiled and in plain Python."""

from kernel.strategy.api_nb import close_ticks, signal_in
from kernel.strategy.declare import compiled
from kernel.strategy.python import Bar, Strategy


@compiled(memory=2, span=20, invert=0)
def breakout(ctx, own, span, invert):
    """Long (or short, with invert=1) after a rise of ``span`` bars' first price, the other way after a fall."""
    price = close_ticks(ctx)
    if own[1] % span == 0:
        if own[1] > 0:
            direction = 1 if price > own[0] else -1
            signal_in(
                ctx, ctx.call.instrument, -direction if invert == 1 else direction, 1.0, 0.5, 0, 0, 0, 0.02 * price
            )
        own[0] = price
    own[1] += 1


class Breakout(Strategy):
    """The same."""

    name = "breakout"
    span: int = 20
    invert: int = 0

    def on_start(self) -> None:
        self.first, self.count = 0, 0

    def on_bar(self, bar: Bar) -> None:
        if self.count % self.span == 0:
            if self.count > 0:
                direction = 1 if bar.close_ticks > self.first else -1
                self.signal(-direction if self.invert else direction, 1.0, 0.5, measure=0.02 * bar.close_ticks)
            self.first = bar.close_ticks
        self.count += 1


@compiled(memory=1)
def always_long(ctx, own):
    """Long from the first bar on, and never another word: what it holds is the weights' business."""
    if own[0] == 0:
        signal_in(ctx, ctx.call.instrument, 1, 1.0, 1.0, 0, 0, 0, 0.0)
    own[0] = 1
