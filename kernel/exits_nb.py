"""Exits: whether a position is to be given up now, how much of it, and why.

Owns the rules in their four tiers and the order among them, which is part of the contract: the first rule that fires
is the reason. It knows nothing of orders or the state: facts and a plan go in (``kernel.plans``), a verdict comes out.

A rule of protection looks at the worst price of the event, because the market was there; a rule of profit looks at
the last price, because only that can still be had. All levels are whole ticks. A distance is the rate of the entry
price rounded half to even, and at least one tick.
"""

from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit
from kernel.plans import MAX_RUNGS
from kernel.sizing_nb import share_minor_nb
from kernel.units import RATE_SCALE

HARD_FAIL, PROTECTION, PROFIT, DEGRADATION = range(1, 5)
TIERS = {HARD_FAIL: "hard_fail", PROTECTION: "protection", PROFIT: "profit", DEGRADATION: "degradation"}

STAY = 0
(
    DATA_CORRUPT,
    PROTECTION_REJECTED,
    STOP_LOSS,
    TRAILING_STOP,
    TIME_STOP,
    MAX_HOLD,
    TARGET,
    PARTIAL_TARGET,
    SIGNAL_DECAY,
    VOLATILITY,
    GREEKS,
) = range(1, 12)

# number -> (name, tier, what fires it, limit, value)
REASONS = {
    DATA_CORRUPT: ("data_corrupt", HARD_FAIL, "the data cannot be trusted", "0", "the last price"),
    PROTECTION_REJECTED: ("protection_rejected", HARD_FAIL, "the venue refused a protective order", "0", "1"),
    STOP_LOSS: ("stop_loss", PROTECTION, "the worst price reaches the stop", "stop in ticks", "worst price"),
    TRAILING_STOP: (
        "trailing_stop",
        PROTECTION,
        "the worst price reaches the trail behind the best one before this event, or the last price the trail behind "
        "the best one so far",
        "trail in ticks",
        "worst or last price",
    ),
    TIME_STOP: (
        "time_stop",
        PROTECTION,
        "`time_stop` has passed and the gain is less",
        "least gain price",
        "last price",
    ),
    MAX_HOLD: ("max_hold", PROTECTION, "the position is as old as it may become", "longest hold in ns", "age in ns"),
    TARGET: ("target", PROFIT, "the last price reaches the target", "target in ticks", "last price"),
    PARTIAL_TARGET: ("partial_target", PROFIT, "the last price reaches a rung", "rung in ticks", "last price"),
    SIGNAL_DECAY: ("signal_decay", DEGRADATION, "what is left of the signal is too weak", "floor", "strength left"),
    VOLATILITY: ("volatility", DEGRADATION, "volatility is too far above that at entry", "limit", "volatility"),
    GREEKS: ("greeks", DEGRADATION, "the position's measure of options is beyond the limit", "limit", "measure"),
}


@jit
def tier_nb(reason):
    """The tier of a reason: reasons are numbered in the order of their tiers."""
    if reason <= PROTECTION_REJECTED:
        return HARD_FAIL
    if reason <= MAX_HOLD:
        return PROTECTION
    return PROFIT if reason <= PARTIAL_TARGET else DEGRADATION


@jit
def level_ticks_nb(entry_ticks, side, rate):
    """The price that is ``rate`` of the entry price away from it, on the side of gain (``side``) or loss (-``side``).

    0 when it does not fit.
    """
    distance = scale_linked_nb(entry_ticks, rate, 1, RATE_SCALE)
    if distance == OVERFLOW:
        return 0
    return entry_ticks + side * max(distance, 1)


@jit
def best_ticks_nb(side, best_ticks, high_ticks, low_ticks):
    """The most favourable price after an event; ``best_ticks`` is that before it."""
    return max(best_ticks, high_ticks) if side > 0 else min(best_ticks, low_ticks)


@jit
def _reached_nb(side, price_ticks, level_ticks):
    """Whether a price is at or beyond a level in the direction of ``side``."""
    return level_ticks != 0 and side * (price_ticks - level_ticks) >= 0


@jit
def _trail_ticks_nb(plan, side, best_ticks):
    """Where the trailing stop stands behind a best price: the nearer of the two, if both are set."""
    distance = plan.trail_ticks
    if plan.trail_rate > 0:
        of_price = scale_linked_nb(best_ticks, plan.trail_rate, 1, RATE_SCALE)
        if of_price != OVERFLOW:
            of_price = max(of_price, 1)
            distance = of_price if distance == 0 else min(distance, of_price)
    return best_ticks - side * distance


@inlined
def _hard_fail_nb(facts):
    if facts.corrupt == 1 or facts.last_ticks <= 0 or facts.low_ticks <= 0 or facts.high_ticks < facts.low_ticks:
        return DATA_CORRUPT, 0, facts.last_ticks
    if facts.protection_rejected == 1:
        return PROTECTION_REJECTED, 0, 1
    return STAY, 0, 0


@inlined
def _protection_nb(plan, facts, side, worst_ticks):
    last = facts.last_ticks
    stop = facts.stop_ticks
    if stop == 0 and plan.stop_rate > 0:
        stop = level_ticks_nb(facts.entry_ticks, -side, plan.stop_rate)
    if _reached_nb(-side, worst_ticks, stop):
        return STOP_LOSS, stop, worst_ticks
    if plan.trail_rate > 0 or plan.trail_ticks > 0:
        trail = _trail_ticks_nb(plan, side, facts.best_ticks)
        if _reached_nb(-side, worst_ticks, trail):
            return TRAILING_STOP, trail, worst_ticks
        best = best_ticks_nb(side, facts.best_ticks, facts.high_ticks, facts.low_ticks)
        trail = _trail_ticks_nb(plan, side, best)
        if _reached_nb(-side, last, trail):
            return TRAILING_STOP, trail, last
    age = facts.now_ns - facts.opened_ns
    if plan.time_stop_ns > 0 and age >= plan.time_stop_ns:
        least = facts.entry_ticks
        if plan.time_stop_gain_rate > 0:
            least = level_ticks_nb(facts.entry_ticks, side, plan.time_stop_gain_rate)
        if not _reached_nb(side, last, least):
            return TIME_STOP, least, last
    if plan.max_hold_ns > 0 and age >= plan.max_hold_ns:
        return MAX_HOLD, plan.max_hold_ns, age
    return STAY, 0, 0


@inlined
def _degradation_nb(plan, facts):
    if plan.strength_floor_rate > 0:
        left = facts.strength_rate
        if facts.horizon_ns > 0:
            age = min(max(facts.now_ns - facts.signal_ns, 0), facts.horizon_ns)
            left = scale_linked_nb(left, facts.horizon_ns - age, 1, facts.horizon_ns)
        if left < plan.strength_floor_rate:
            return SIGNAL_DECAY, plan.strength_floor_rate, left
    if plan.volatility_multiple_rate > 0 and facts.entry_volatility_e8 > 0:
        limit = scale_linked_nb(facts.entry_volatility_e8, plan.volatility_multiple_rate, 1, RATE_SCALE)
        if limit != OVERFLOW and facts.volatility_e8 > limit:
            return VOLATILITY, limit, facts.volatility_e8
    if plan.greek_limit_e8 > 0 and abs(facts.greek_e8) > plan.greek_limit_e8:
        return GREEKS, plan.greek_limit_e8, facts.greek_e8
    return STAY, 0, 0


@inlined
def _ladder_nb(rungs, first_rung, facts, side, held_lots):
    """The rungs from the first that is not taken that the last price has reached: lots, limit, how many are taken then.

    Each rung closes its share of the largest size, rounded towards zero but at least one lot.
    """
    lots, limit, taken = 0, 0, facts.rungs_taken
    for rung in range(MAX_RUNGS):
        entry = rungs[first_rung + rung]
        if rung < facts.rungs_taken or rung != taken or entry.gain_rate <= 0:
            continue
        level = level_ticks_nb(facts.entry_ticks, side, entry.gain_rate)
        if not _reached_nb(side, facts.last_ticks, level):
            continue
        lots = min(lots + max(share_minor_nb(facts.peak_lots, entry.share_rate), 1), held_lots)
        limit, taken = level, rung + 1
    return lots, limit, taken


@jit
def check_exit_nb(plan, rungs, first_rung, facts):
    """The verdict on a position: ``(reason, lots to close, limit, value, rungs taken)``; reason STAY (0) keeps it.

    The ladder is ``rungs[first_rung : first_rung + MAX_RUNGS]``.
    Tiers apply in the order hard fail, protection, profit, degradation, and rules in the order of ``REASONS``.
    """
    held = abs(facts.quantity_lots)
    before = facts.rungs_taken
    if held == 0:
        return STAY, 0, 0, 0, before
    side = 1 if facts.quantity_lots > 0 else -1
    reason, limit, value = _hard_fail_nb(facts)
    if reason == STAY:
        reason, limit, value = _protection_nb(plan, facts, side, facts.low_ticks if side > 0 else facts.high_ticks)
    if reason != STAY:
        return reason, held, limit, value, before
    target = facts.target_ticks
    if target == 0 and plan.target_rate > 0:
        target = level_ticks_nb(facts.entry_ticks, side, plan.target_rate)
    if _reached_nb(side, facts.last_ticks, target):
        return TARGET, held, target, facts.last_ticks, before
    lots, limit, taken = _ladder_nb(rungs, first_rung, facts, side, held)
    if lots > 0:
        return PARTIAL_TARGET, lots, limit, facts.last_ticks, taken
    reason, limit, value = _degradation_nb(plan, facts)
    return reason, held if reason != STAY else 0, limit, value, before
