"""TTM squeeze: enter when a quiet market wakes up, in the direction of its momentum."""

from math import isnan

from kernel.indicators import lookback, words
from kernel.indicators.steps import ttm_squeeze_nb
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks, position_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

BEFORE, MOMENTUM, WEAKER, PICTURE = 0, 1, 2, 3


@compiled(
    memory=lambda period, deviations, multiple, **_: PICTURE + words(
        "ttm_squeeze", period=period, deviations=deviations, multiple=multiple
    ),
    warm_up=lambda period, **_: lookback("ttm_squeeze", period=period) + 1,
    period=20, deviations=2.0, multiple=1.5, weaker_bars=2, fraction=0.95, short=0,
)  # fmt: skip
def ttm_squeeze(ctx, own, period, deviations, multiple, weaker_bars, fraction, short):
    """After a squeeze go with the momentum; out after ``weaker_bars`` bars of weaker momentum in a row.

    It enters at the first bar after the squeeze, which is on while the Bollinger bands are inside the Keltner
    channel. Out too when momentum changes its sign. Source: J. Carter, Mastering the Trade (2005).
    """
    squeeze, momentum = ttm_squeeze_nb(
        own, PICTURE, high_ticks(ctx), low_ticks(ctx), close_ticks(ctx), period, deviations, multiple
    )  # fmt: skip
    if isnan(squeeze):
        return
    was_on, last = own[BEFORE], own[MOMENTUM]  # 0 before the first squeeze
    own[BEFORE], own[MOMENTUM] = squeeze, momentum
    own[WEAKER] = own[WEAKER] + 1.0 if abs(momentum) < abs(last) else 0.0
    held = position_lots(ctx)
    if held != 0:
        if own[WEAKER] >= weaker_bars or (momentum > 0.0) != (held > 0):
            be(ctx, 0, fraction, short)
    elif was_on == 1.0 and squeeze == 0.0 and momentum != 0.0:
        be(ctx, 1 if momentum > 0.0 else -1, fraction, short)
