"""ATR channel breakout: far above a long average, until the price is back at it."""

from math import isnan

from kernel.indicators import fading, lookback, words
from kernel.indicators.steps import atr_nb, sma_nb
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks, position_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

AVERAGE = 3  # behind the words of the range


@compiled(
    memory=lambda period, **_: AVERAGE + words("sma", period=period),
    warm_up=lambda period, atr_period, **_: max(lookback("sma", period=period), lookback("atr", period=atr_period)),
    settle=lambda atr_period, **_: fading(1.0 / atr_period),
    period=350, atr_period=20, up=7.0, down=3.0, fraction=0.95, short=0,
)  # fmt: skip
def atr_channel(ctx, own, period, atr_period, up, down, fraction, short):
    """Long after a close above the average plus ``up`` average true ranges; out at a close on the average's other side.

    Short, with short=1, after a close below the average less ``down`` ranges. Source: C. Faith, Way of the Turtle
    (2007), ATR Channel Breakout: 350 bars, 7 above and 3 below.
    """
    close = close_ticks(ctx)
    width = atr_nb(own, 0, high_ticks(ctx), low_ticks(ctx), close, atr_period)
    average = sma_nb(own, AVERAGE, close, period)
    if isnan(width) or isnan(average):
        return
    held = position_lots(ctx)
    if (held > 0 and close < average) or (held < 0 and close > average):
        be(ctx, 0, fraction, short)
    elif held == 0 and close > average + up * width:
        be(ctx, 1, fraction, short)
    elif held == 0 and close < average - down * width:
        be(ctx, -1, fraction, short)
