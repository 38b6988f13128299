"""SuperTrend: on the side of a stop that follows the price."""

from math import isnan

from kernel.indicators import fading, lookback, words
from kernel.indicators.steps import supertrend_nb
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be


@compiled(
    memory=lambda period, multiple, **_: words("supertrend", period=period, multiple=multiple),
    warm_up=lambda period, **_: lookback("supertrend", period=period),
    # The bands only tighten until the trend turns, so what they remember goes with the next turn.
    settle=lambda period, **_: fading(1.0 / period) + 10 * period,
    period=10, multiple=3.0, fraction=0.95, short=0,
)  # fmt: skip
def supertrend(ctx, own, period, multiple, fraction, short):
    """Long while the SuperTrend line is below the price, flat (short, with short=1) while it is above.

    Source: O. Seban.
    """
    _, side = supertrend_nb(own, 0, high_ticks(ctx), low_ticks(ctx), close_ticks(ctx), period, multiple)
    if isnan(side):
        return
    be(ctx, 1 if side > 0.0 else -1, fraction, short)
