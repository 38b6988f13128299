"""Momentum rotation: hold the instruments that rose most, out of all that are given."""

from kernel.jit import jit
from kernel.strategy.api_nb import close_ticks, instrument_of, lots_for_fraction, position_in, target_in
from kernel.strategy.declare import NEVER, compiled

MAX_ROTATED = 64
DAY_NS = 86_400_000_000_000


@jit
def change(own, instrument):
    """Return of an instrument since the last review; 0 while it is not known."""
    before = own[2 * instrument]
    return own[2 * instrument + 1] / before - 1.0 if before > 0.0 else 0.0


def memory_words(hold, **_):
    if hold < 1:
        raise ValueError(f"hold={hold} is not from 1 on")
    return 2 * MAX_ROTATED + 2


@compiled(per="portfolio", memory=memory_words, warm_up=1, settle=NEVER, lookback=30, hold=1, fraction=0.9)
def momentum_rotation(ctx, own, lookback, hold, fraction):
    """Each ``lookback`` days, hold the ``hold`` instruments that rose most since the last time, if they rose at all.

    The first review only notes the prices. Up to 64 instruments. Source: N. Jegadeesh, S. Titman, Returns to Buying
    Winners and Selling Losers (1993); G. Antonacci, Dual Momentum Investing (2014) for leaving what fell.
    """
    # Memory: for each instrument its price at the last review and its last price, then the day of the last review.
    count = min(ctx.state.head.instrument_count, MAX_ROTATED)
    instrument = instrument_of(ctx)
    if instrument >= count:
        return
    own[2 * instrument + 1] = close_ticks(ctx)
    today = ctx.call.ts_ns // DAY_NS
    if today - own[2 * MAX_ROTATED] < lookback:
        return
    first_review = own[2 * MAX_ROTATED] == 0
    own[2 * MAX_ROTATED] = today
    if not first_review:
        for candidate in range(count):
            momentum = change(own, candidate)
            better = 0
            for other in range(count):
                if change(own, other) > momentum or (change(own, other) == momentum and other < candidate):
                    better += 1
            if better < hold and momentum > 0.0:
                if position_in(ctx, candidate) == 0:
                    target_in(ctx, candidate, lots_for_fraction(ctx, candidate, fraction / hold))
            elif position_in(ctx, candidate) != 0:
                target_in(ctx, candidate, 0)
    for candidate in range(count):
        own[2 * candidate] = own[2 * candidate + 1]
