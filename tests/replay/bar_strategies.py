"""A strategy on two series of bars, compiled and in plain Python: the day's direction decides, the short bars time."""

from kernel.strategy.api_nb import close_ticks, open_ticks, series, target
from kernel.strategy.declare import compiled
from kernel.strategy.python import Bar, Strategy

RULES = ("8h", "1d")


@compiled(memory=1, bars=RULES, lots=1000)
def two_series(ctx, own, lots):
    """Long while the day before rose and the last eight hours did."""
    rose = close_ticks(ctx) > open_ticks(ctx)
    if series(ctx) == 1:
        own[0] = 1.0 if rose else 0.0
    else:
        target(ctx, lots if rose and own[0] > 0.0 else 0)


class TwoSeries(Strategy):
    """The same."""

    name = "two_series"
    bars = RULES
    lots: int = 1000

    def on_start(self) -> None:
        self.day_rose = False

    def on_bar(self, bar: Bar) -> None:
        rose = bar.close_ticks > bar.open_ticks
        if bar.series == 1:
            self.day_rose = rose
        else:
            self.target_lots(self.lots if rose and self.day_rose else 0)


@compiled(memory=2, fast=5, bars=lambda fast, **_: (f"{fast * 4}h",))
def by_parameter(ctx, own, fast):
    """Its bars follow its parameter."""
    target(ctx, 1000 if close_ticks(ctx) > open_ticks(ctx) else 0)


@compiled(on=("bar", "trade"))
def of_trades(ctx, own):
    """Hears bars of a series and every trade."""
    if ctx.call.kind == 1:
        target(ctx, 1000 if close_ticks(ctx) > open_ticks(ctx) else 0)
