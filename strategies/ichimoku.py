"""Ichimoku: with the price on one side of the cloud and the quick line on the same side of the slow one."""

from math import isnan

from kernel.indicators import lookback, words
from kernel.indicators.steps import ichimoku_nb
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks, position_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be


@compiled(
    memory=lambda conversion, base, span, shift, **_: words(
        "ichimoku", conversion=conversion, base=base, span=span, shift=shift
    ),
    warm_up=lambda conversion, base, span, shift, **_: lookback(
        "ichimoku", conversion=conversion, base=base, span=span, shift=shift
    ),
    conversion=9, base=26, span=52, shift=26, fraction=0.95, short=0,
)  # fmt: skip
def ichimoku(ctx, own, conversion, base, span, shift, fraction, short):
    """Long when the close is above the cloud and conversion above base line; out at a close below the base line.

    With short=1 the mirror image is traded too. The cloud is the one drawn ``shift`` bars ago, so nothing looks
    ahead. Source: G. Hosoda, Ichimoku Kinko Hyo (1969); N. Elliott, Ichimoku Charts (2007).
    """
    close = close_ticks(ctx)
    quick, steady, first, second = ichimoku_nb(
        own, 0, high_ticks(ctx), low_ticks(ctx), conversion, base, span, shift
    )  # fmt: skip
    if isnan(quick):
        return
    held = position_lots(ctx)
    if (held > 0 and close < steady) or (held < 0 and close > steady):
        be(ctx, 0, fraction, short)
    elif held == 0 and close > max(first, second) and quick > steady:
        be(ctx, 1, fraction, short)
    elif held == 0 and close < min(first, second) and quick < steady:
        be(ctx, -1, fraction, short)
