"""Triple screen: the trend of longer bars, and entries against a short swing of shorter ones."""

from math import isnan

from kernel.strategy.api_nb import feature, position_lots, series
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

LONGER = 1  # of the two series that it hears
TIDE, LAST, SEEN = 0, 1, 2


@compiled(
    memory=3,
    bars=lambda entry_minutes, trend_minutes, **_: (f"{entry_minutes}m", f"{trend_minutes}m"),
    features=lambda entry_minutes, trend_minutes, fast, slow, signal, period, **_: (
        f"rsi({period})@{entry_minutes}m", f"macd({fast}, {slow}, {signal}).histogram@{trend_minutes}m"
    ),
    entry_minutes=60, trend_minutes=1440, fast=12, slow=26, signal=9, period=5, low=30.0, high=70.0,
    fraction=0.95, short=0,
)  # fmt: skip
def triple_screen(
    ctx, own, entry_minutes, trend_minutes, fast, slow, signal, period, low, high, fraction, short
):  # fmt: skip
    """Long when the tide rises and the relative strength of the shorter bars falls below ``low``.

    The tide is the slope of the MACD histogram from one longer bar to the next, of ``trend_minutes``; the shorter bars
    are of ``entry_minutes``. They are made of what the data has, such as 5 and 60 minutes of one-minute bars. Out when
    the strength rises above ``high`` or the tide turns. With short=1 the mirror image is traded too. Source: A. Elder,
    Trading for a Living (1993), the first two of its three screens.
    """
    if series(ctx) == LONGER:
        now, last = feature(ctx, 1), own[LAST]
        if isnan(now):
            return
        own[LAST] = now
        own[SEEN] += 1.0
        if own[SEEN] > 1.0 and now != last:
            own[TIDE] = 1.0 if now > last else -1.0
        return
    wave, tide, held = feature(ctx, 0), own[TIDE], position_lots(ctx)
    if tide == 0.0 or isnan(wave):
        return
    if held == 0:
        if tide > 0.0 and wave < low:
            be(ctx, 1, fraction, short)
        elif tide < 0.0 and wave > high:
            be(ctx, -1, fraction, short)
    elif (held > 0 and (tide < 0.0 or wave > high)) or (held < 0 and (tide > 0.0 or wave < low)):
        be(ctx, 0, fraction, short)
