"""The Strat: bars by what they take out of the bar before, and their combinations."""

from kernel.jit import jit
from kernel.strategy.api_nb import high_ticks, low_ticks, position_lots
from kernel.strategy.declare import compiled
from kernel.strategy.sides_nb import be

INSIDE, UP, DOWN, OUTSIDE = 1, 2, -2, 3
TWO_ONE_TWO, THREE_ONE_TWO, TWO_TWO, ONE_TWO_TWO = 1, 2, 4, 8
HIGH, LOW, LAST, BEFORE, STOP = 0, 1, 2, 3, 4


@jit
def kind_of_bar(own, high, low):
    """1 inside the bar before, 2 (-2) beyond its high (low) alone, 3 beyond both; 0 for the first bar."""
    if own[HIGH] == 0.0:
        return 0
    if high > own[HIGH]:
        return OUTSIDE if low < own[LOW] else UP
    return DOWN if low < own[LOW] else INSIDE


@jit
def combination(before, last, now):
    """Which combination the three kinds of bar complete; 0 is none."""
    if (now != UP and now != DOWN) or before == 0:
        return 0
    if last == INSIDE:
        return TWO_ONE_TWO if before == UP or before == DOWN else THREE_ONE_TWO if before == OUTSIDE else 0
    if last == -now:
        return ONE_TWO_TWO if before == INSIDE else TWO_TWO
    return 0


@compiled(memory=5, warm_up=3, patterns=15, fraction=0.95, short=0)
def the_strat(ctx, own, patterns, fraction, short):
    """Go with a 2U (2D) that completes a combination; out when the low (high) of the bar before it is taken out.

    Bars are 1 (inside), 2U, 2D and 3 (outside). ``patterns`` adds up: 1 is 2-1-2, 2 is 3-1-2, 4 is a reversal 2-2, 8 is
    the reversal 1-2-2. Three bars with a kind are needed, so the first combination is on the fourth bar. An opposite
    combination turns the position over (without short=1: out). Source: R. Smith, The Strat.
    """
    high, low = high_ticks(ctx), low_ticks(ctx)
    now = kind_of_bar(own, high, low)
    found = combination(int(own[BEFORE]), int(own[LAST]), now)
    last_high, last_low = own[HIGH], own[LOW]
    own[BEFORE], own[LAST], own[HIGH], own[LOW] = own[LAST], now, high, low
    side = 0 if found & patterns == 0 else 1 if now == UP else -1
    held = position_lots(ctx)
    if side != 0 and side * held <= 0:
        own[STOP] = last_low if side > 0 else last_high
        be(ctx, side, fraction, short)
    elif (held > 0 and low < own[STOP]) or (held < 0 and high > own[STOP]):
        be(ctx, 0, fraction, short)
