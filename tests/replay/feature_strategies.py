"""The EMA cross twice, compiled and in plain Python, over features; and one that reads another instrument's."""

from math import isnan
from typing import Any, ClassVar

from kernel.strategy.api_nb import feature, feature_in, position_lots, target, target_fraction
from kernel.strategy.declare import compiled
from kernel.strategy.python import Bar, Strategy


@compiled(features=lambda fast, slow: (f"ema({fast}, 1)", f"ema({slow}, 1)"), fast=12, slow=26)
def cross(ctx, own, fast, slow):
    """As the built-in EMA cross."""
    quick, steady = feature(ctx, 0), feature(ctx, 1)
    if isnan(quick) or isnan(steady):
        return
    held = position_lots(ctx)
    if quick > steady and held <= 0:
        target_fraction(ctx, 0.95)
    elif quick < steady and held > 0:
        target_fraction(ctx, 0.0)


class Cross(Strategy):
    """The same."""

    name = "cross"
    fast: int = 12
    slow: int = 26

    @staticmethod
    def features(fast: int, slow: int) -> tuple[str, ...]:  # type: ignore[override]
        return f"ema({fast}, seed=1)", f"ema({slow}, seed=1)"

    def on_bar(self, bar: Bar) -> None:
        quick, steady = self.feature(0), self.feature(1)
        if isnan(quick) or isnan(steady):
            return
        if quick > steady and self.position_lots <= 0:
            self.target_fraction(0.95)
        elif quick < steady and self.position_lots > 0:
            self.target_fraction(0.0)


@compiled(per="portfolio", features=("rsi(5)", "rsi(5)@1d"))
def stronger(ctx, own):
    """Hold what is stronger than the other instrument, by days."""
    mine, other = feature_in(ctx, ctx.call.instrument, 1), feature_in(ctx, 1 - ctx.call.instrument, 1)
    if not isnan(mine) and not isnan(other) and not isnan(feature(ctx, 0)):
        target(ctx, 1 if mine > other else 0)


class Asks(Strategy):
    """Notes every value that it reads."""

    features: ClassVar[Any] = ("ema(12)", "macd", "atr(5)@4h", "sma(3)@1d")
    seen: ClassVar[list[list[float]]] = []

    def on_bar(self, bar: Bar) -> None:
        self.seen.append([bar.ts_ns, *(self.feature(index) for index in range(6))])
