"""Naive exact twin of sizing and apportioning: fractions, and one rounding where the text says so."""

from fractions import Fraction
from math import floor
from typing import Any

from kernel.plans import ATR_RISK, EQUITY_SHARE, FIXED_LOTS, FIXED_MONEY, KELLY, VOLATILITY_TARGET

ONE = 100_000_000
BOUND = 2**62


def fits(number: Fraction | int) -> int:
    """A number that is not negative, rounded down; 0 when it is negative or reaches 2**62."""
    whole = floor(number)
    return whole if 0 <= whole < BOUND else 0


def share(amount: int, rate: int) -> int:
    return fits(Fraction(amount * rate, ONE)) if amount > 0 and rate > 0 else 0


def lots_for_money(money: int, ticks: int, numerator: int, denominator: int) -> int:
    if money <= 0 or ticks <= 0 or float(ticks) * float(numerator) >= BOUND:
        return 0
    return fits(money / (Fraction(ticks * numerator, denominator)))


def stop_distance(atr_e8: int, multiple: int) -> int:
    if atr_e8 <= 0 or multiple <= 0:
        return 0
    exact = Fraction(atr_e8, ONE) * Fraction(multiple, ONE)
    return fits(exact) + (exact.denominator != 1) if floor(exact) < BOUND else 0


def volatility_rate(target: int, volatility: int) -> int:
    return fits(Fraction(target * ONE, volatility)) if target > 0 and volatility > 0 else 0


def kelly_rate(win: int, payoff: int, fraction: int) -> int:
    if not (0 < win <= ONE and payoff > 0):
        return 0
    p, b = Fraction(win, ONE), Fraction(payoff, ONE)
    return share(floor((p - (1 - p) / b) * ONE), fraction)


def lots_worth(money: int, price: int, inverse: int, numerator: int, denominator: int) -> int:
    """Lots of which each is worth price * numerator / denominator, or numerator / (denominator * price) if inverse."""
    if not inverse:
        return lots_for_money(money, price, numerator, denominator)
    if money <= 0 or price <= 0 or float(price) * float(denominator) >= BOUND or numerator >= BOUND:
        return 0
    return fits(money / Fraction(numerator, denominator * price))


def atr_risk(plan: Any, equity: int, price: int, inverse: int, numerator: int, denominator: int, atr_e8: int) -> int:
    budget, distance = share(equity, int(plan.share_rate)), stop_distance(atr_e8, int(plan.multiple_rate))
    if not inverse:
        return lots_for_money(budget, distance, numerator, denominator)
    if not 0 < distance < price:
        return 0
    # A lot loses n / d * (1 / (price - distance) - 1 / price): its worth times distance / (price - distance).
    return lots_worth(fits(Fraction(budget * (price - distance), distance)), price, 1, numerator, denominator)


def wanted(plan: Any, equity: int, price: int, inverse: int, numerator: int, denominator: int, measure: int) -> int:
    model = int(plan.model)
    if model == FIXED_LOTS:
        return max(int(plan.quantity_lots), 0)
    if model == ATR_RISK:
        return atr_risk(plan, equity, price, inverse, numerator, denominator, measure)
    money = {
        FIXED_MONEY: lambda: int(plan.money_minor),
        EQUITY_SHARE: lambda: share(equity, int(plan.share_rate)),
        VOLATILITY_TARGET: lambda: share(equity, volatility_rate(int(plan.share_rate), measure)),
        KELLY: lambda: share(equity, kelly_rate(int(plan.win_rate), int(plan.payoff_rate), int(plan.fraction_rate))),
    }
    return lots_worth(money.get(model, lambda: 0)(), price, inverse, numerator, denominator)


def size_lots(
    plan: Any, equity: int, price: int, inverse: int, numerator: int, denominator: int, measure: int, confidence: int
) -> int:
    if equity <= 0 or price <= 0:
        return 0
    lots = wanted(plan, equity, price, inverse, numerator, denominator, measure)
    if plan.cap_rate > 0:
        lots = min(lots, lots_worth(share(equity, int(plan.cap_rate)), price, inverse, numerator, denominator))
    if plan.by_confidence == 1 and confidence < ONE:
        lots = share(lots, confidence)
    return lots


def apportion(total: int, weights: list[int]) -> list[int]:
    """Hamilton's method with fractions: floors, then one each to the largest remainders, the first among equals."""
    if sum(weights) == 0:
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [floor(part) for part in exact]
    order = sorted(range(len(weights)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: total - sum(parts)]:
        parts[place] += 1
    return parts
