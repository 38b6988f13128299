"""Naive twin of the exits: fractions, one list of rules in order, no shared arithmetic."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

ONE = 100_000_000
BOUND = 2**62


def scaled(amount: int, rate: int, by: int = ONE) -> int | None:
    """An amount times a rate, rounded half to even; None when it reaches 2**62."""
    value = round(Fraction(amount * rate, by))
    return value if abs(value) < BOUND else None


def level(entry: int, sign: int, rate: int) -> int:
    distance = scaled(entry, rate)
    return 0 if distance is None else entry + sign * max(distance, 1)


def beyond(side: int, price: int, limit: int) -> bool:
    """At the limit or further on, in the direction of ``side``; a limit of 0 is none."""
    if limit == 0:
        return False
    return price >= limit if side > 0 else price <= limit


def trail(plan: Any, side: int, best: int) -> int:
    distances = [int(plan.trail_ticks)] if plan.trail_ticks else []
    if plan.trail_rate > 0:
        of_price = scaled(best, int(plan.trail_rate))
        distances += [] if of_price is None else [max(of_price, 1)]
    return best - side * min(distances, default=0)


def fired(plan: Any, rungs: Any, facts: Any, side: int) -> Iterator[tuple[str, int, int]]:
    """Every rule that fires, in order, as ``(name, limit, value)``; the ladder is left to the caller."""
    f = {name: int(facts[name]) for name in facts.dtype.names}
    last, high, low = f["last_ticks"], f["high_ticks"], f["low_ticks"]
    worst, peak = (low, high) if side > 0 else (high, low)
    age = f["now_ns"] - f["opened_ns"]
    if f["corrupt"] == 1 or last <= 0 or low <= 0 or high < low:
        yield "data_corrupt", 0, last
    if f["protection_rejected"] == 1:
        yield "protection_rejected", 0, 1
    entry = f["entry_ticks"]
    stop = f["stop_ticks"] or (level(entry, -side, int(plan.stop_rate)) if plan.stop_rate > 0 else 0)
    if beyond(-side, worst, stop):
        yield "stop_loss", stop, worst
    if plan.trail_rate > 0 or plan.trail_ticks > 0:
        before = trail(plan, side, f["best_ticks"])
        if beyond(-side, worst, before):
            yield "trailing_stop", before, worst
        after = trail(plan, side, side * max(side * f["best_ticks"], side * peak))
        if beyond(-side, last, after):
            yield "trailing_stop", after, last
    least = level(entry, side, int(plan.time_stop_gain_rate)) if plan.time_stop_gain_rate > 0 else entry
    if 0 < plan.time_stop_ns <= age and not beyond(side, last, least):
        yield "time_stop", least, last
    if 0 < plan.max_hold_ns <= age:
        yield "max_hold", int(plan.max_hold_ns), age
    target = f["target_ticks"] or (level(entry, side, int(plan.target_rate)) if plan.target_rate > 0 else 0)
    if beyond(side, last, target):
        yield "target", target, last
    reached = ladder(rungs, f, side)
    if reached:
        yield "partial_target", reached[-1][0], last
    if plan.strength_floor_rate > 0:
        horizon = f["horizon_ns"]
        gone = min(max(f["now_ns"] - f["signal_ns"], 0), horizon)
        left = round(Fraction(f["strength_rate"] * (horizon - gone), horizon)) if horizon > 0 else f["strength_rate"]
        if left < plan.strength_floor_rate:
            yield "signal_decay", int(plan.strength_floor_rate), left
    if plan.volatility_multiple_rate > 0 and f["entry_volatility_e8"] > 0:
        most = scaled(f["entry_volatility_e8"], int(plan.volatility_multiple_rate))
        if most is not None and f["volatility_e8"] > most:
            yield "volatility", most, f["volatility_e8"]
    if plan.greek_limit_e8 > 0 and abs(f["greek_e8"]) > plan.greek_limit_e8:
        yield "greeks", int(plan.greek_limit_e8), f["greek_e8"]


def ladder(rungs: Any, facts: dict[str, int], side: int) -> list[tuple[int, int]]:
    """``(level, lots)`` of each rung that is reached and not yet taken, from the lowest on without a gap."""
    reached = []
    for gain, part in rungs[facts["rungs_taken"] :].tolist():
        rung = level(facts["entry_ticks"], side, int(gain)) if gain > 0 else 0
        if not beyond(side, facts["last_ticks"], rung):
            break
        reached.append((rung, max(facts["peak_lots"] * int(part) // ONE, 1)))
    return reached


def check_exit(plan: Any, rungs: Any, facts: Any) -> tuple[str, int, int, int, int]:
    """``(name, lots, limit, value, rungs taken)`` of the first rule that fires; the name is "" when none does."""
    held, taken = abs(int(facts.quantity_lots)), int(facts.rungs_taken)
    side = 1 if facts.quantity_lots > 0 else -1
    for name, limit, value in fired(plan, rungs, facts, side) if held else ():
        if name != "partial_target":
            return name, held, limit, value, taken
        reached = ladder(rungs, {field: int(facts[field]) for field in facts.dtype.names}, side)
        return name, min(held, sum(lots for _, lots in reached)), limit, value, taken + len(reached)
    return "", 0, 0, 0, taken
