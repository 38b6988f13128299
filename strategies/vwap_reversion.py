"""VWAP reversion: buy far below the session's average price, sell at it."""

from kernel.events.layout import BAR_CLOSED
from kernel.indicators import words
from kernel.indicators.steps import vwap_session_nb
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks, position_lots, volume_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

MINUTE_NS = 60_000_000_000
DAY, AVERAGE = 0, 1


@compiled(
    memory=lambda deviations, shift_minutes, **_: AVERAGE + words(
        "vwap_session", deviations=deviations, shift_minutes=shift_minutes
    ),
    warm_up=1, settle_days=1, deviations=2.0, shift_minutes=0, fraction=0.95, short=0,
)  # fmt: skip
def vwap_reversion(ctx, own, deviations, shift_minutes, fraction, short):
    """Long after a close ``deviations`` below the session's average price by volume, flat at it or on the next day.

    With short=1 the mirror image is traded too. The session is a day that begins ``shift_minutes`` after midnight
    UTC; a bar belongs to the day in which it opened. Bars of unknown volume count nothing, so without volumes it
    never trades. Source: the average is of S. Berkowitz, D. Logue, E. Noser, The Total Cost of Transactions on the
    NYSE (1988); to trade against its bands is common practice.
    """
    opened = ctx.call.words[BAR_CLOSED.ts_open_ns]
    close = close_ticks(ctx)
    volume = max(volume_lots(ctx), 0)
    average, upper, lower = vwap_session_nb(
        own, AVERAGE, opened, high_ticks(ctx), low_ticks(ctx), close, volume, shift_minutes, deviations
    )  # fmt: skip
    day = (opened - shift_minutes * MINUTE_NS) // (1440 * MINUTE_NS)
    is_new = day != own[DAY]
    own[DAY] = day
    held = position_lots(ctx)
    if held != 0 and (is_new or (close >= average if held > 0 else close <= average)):
        be(ctx, 0, fraction, short)
    elif held == 0 and lower < average:
        if close < lower:
            be(ctx, 1, fraction, short)
        elif close > upper:
            be(ctx, -1, fraction, short)
