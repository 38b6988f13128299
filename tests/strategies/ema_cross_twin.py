"""The EMA cross of ``strategies/ema_cross.py``, written again in plain Python."""

from kernel.strategy.python import Bar, Strategy


class EmaCross(Strategy):
    """Long while the fast exponential average is above the slow one; flat (or short, with short=1) below."""

    name = "ema_cross"
    fast: int = 12
    slow: int = 26
    fraction: float = 0.95
    short: int = 0

    def on_start(self) -> None:
        self.count = 0
        self.quick = self.steady = 0.0

    def on_bar(self, bar: Bar) -> None:
        price = float(bar.close_ticks)
        if self.count == 0:
            self.quick = self.steady = price
        else:
            self.quick += (price - self.quick) * (2.0 / (self.fast + 1.0))
            self.steady += (price - self.steady) * (2.0 / (self.slow + 1.0))
        self.count += 1
        if self.count < self.slow:
            return
        if self.quick > self.steady and self.position_lots <= 0:
            self.target_fraction(self.fraction)
        elif self.quick < self.steady and self.position_lots > 0:
            self.target_fraction(-self.fraction * self.short)
