"""Opening range breakout: out of the range of the first minutes, and home before the end."""

from kernel.events.layout import BAR_CLOSED, SESSION_CHANGED
from kernel.strategy.api_nb import close_ticks, high_ticks, low_ticks, position_lots
from kernel.strategy.context import SESSION
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS
BEGIN, END, HIGH, LOW, ENTERED, CALENDAR = 0, 1, 2, 3, 4, 5  # times in nanoseconds less the day's, see below
DAY = 6


@compiled(
    memory=7, warm_up=1, settle_days=1, on=("bar", "session"), minutes=30, hold_minutes=360, fraction=0.95, short=0
)
def opening_range_breakout(ctx, own, minutes, hold_minutes, fraction, short):
    """Long at the first close above the range of the session's first ``minutes``; once a session, out before its end.

    The range is of the bars that close within those minutes, at least of the first bar. Out at the bar after which at
    most one bar is left of the session, or of ``hold_minutes`` since its begin. With a calendar a session is the
    exchange's, and bars outside it are not looked at; without one it begins with the first bar that opens on a new UTC
    day. With short=1 a close below the range sells. Source: T. Crabel, Day Trading with Short Term Price Patterns and
    Opening Range Breakout (1990).
    """
    words = ctx.call.words
    if ctx.call.kind == SESSION:
        own[CALENDAR] = 1.0
        if words[SESSION_CHANGED.phase] == 1:
            day = words[SESSION_CHANGED.open_ns] // DAY_NS  # times count from its midnight: a float holds them exactly
            own[DAY], own[HIGH], own[LOW], own[ENTERED] = day, 0.0, 0.0, 0.0
            own[BEGIN] = words[SESSION_CHANGED.open_ns] - day * DAY_NS
            own[END] = words[SESSION_CHANGED.close_ns] - day * DAY_NS
        return
    opened = words[BAR_CLOSED.ts_open_ns]
    length = ctx.call.ts_ns - opened
    if own[CALENDAR] == 0.0 and opened // DAY_NS != own[DAY]:
        own[DAY], own[HIGH], own[LOW], own[ENTERED] = opened // DAY_NS, 0.0, 0.0, 0.0
        own[BEGIN], own[END] = opened % DAY_NS, 2 * DAY_NS
    since = opened - int(own[DAY]) * DAY_NS
    if own[DAY] == 0.0 or since < own[BEGIN] or since >= own[END]:
        return
    high, low, close = high_ticks(ctx), low_ticks(ctx), close_ticks(ctx)
    end = min(own[END], own[BEGIN] + hold_minutes * MINUTE_NS)
    is_late = since + 2 * length >= end
    if own[HIGH] == 0.0 or since + length <= own[BEGIN] + minutes * MINUTE_NS:
        own[LOW] = low if own[HIGH] == 0.0 else min(own[LOW], low)
        own[HIGH] = max(own[HIGH], high)
        if position_lots(ctx) != 0:  # left over from a session that ended early
            be(ctx, 0, fraction, short)
    elif is_late:
        be(ctx, 0, fraction, short)
    elif own[ENTERED] == 0.0 and (close > own[HIGH] or (close < own[LOW] and short == 1)):
        own[ENTERED] = 1.0
        be(ctx, 1 if close > own[HIGH] else -1, fraction, short)
