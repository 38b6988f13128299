"""Volatility breakout: a move since the day's open as large as a share of yesterday's range."""

from kernel.events.layout import BAR_CLOSED
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks, open_ticks, position_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

DAY_NS = 86_400_000_000_000
DAY, OPEN, HIGH, LOW, RANGE, ENTERED = range(6)


@compiled(memory=6, warm_up=1, settle_days=5, share=0.6, fraction=0.95, short=0)
def volatility_breakout(ctx, own, share, fraction, short):
    """Long at a close above the day's open plus ``share`` of the range of the day before; out on the next day.

    Once a day; with short=1 the mirror image is traded too. A day is a UTC day, a bar belongs to that in which it
    opened; the first day has none before it and is only looked at. Source: L. Williams, Long-Term Secrets to
    Short-Term Trading (1999).
    """
    day = ctx.call.words[BAR_CLOSED.ts_open_ns] // DAY_NS
    high, low, close = high_ticks(ctx), low_ticks(ctx), close_ticks(ctx)
    if day != own[DAY]:
        own[RANGE] = own[HIGH] - own[LOW]  # of the day before; 0 on the first
        own[DAY], own[OPEN], own[HIGH], own[LOW], own[ENTERED] = day, open_ticks(ctx), high, low, 0.0
        if position_lots(ctx) != 0:
            be(ctx, 0, fraction, short)
            return
    own[HIGH], own[LOW] = max(own[HIGH], high), min(own[LOW], low)
    if own[RANGE] <= 0.0 or own[ENTERED] == 1.0:
        return
    move, needed = close - own[OPEN], share * own[RANGE]
    if move > needed or (move < -needed and short == 1):
        own[ENTERED] = 1.0
        be(ctx, 1 if move > 0.0 else -1, fraction, short)
