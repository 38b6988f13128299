"""The signal pipeline, the long way: fractions and lists, written from docs/signals.md."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from tests.reference.kernel.common import half_even

ONE = 10**8


@dataclass
class Opinion:
    """What a member said last; ``held`` is what its book holds, and ``said`` whether it ever signalled."""

    direction: int = 0
    confidence: int = 0
    said_ns: int = 0
    horizon_ns: int = 0
    low: int = 0
    high: int = 0
    said: bool = False
    held: int = 0


@dataclass
class Member:
    number: int
    weight: int
    veto: bool = False


def vote(opinion: Opinion, now_ns: int, threshold: int) -> tuple[int, int, int]:
    """Direction, confidence and reason."""
    if not opinion.said:
        side = (opinion.held > 0) - (opinion.held < 0)
        return (side, ONE, 1) if side else (0, 0, 0)
    if not opinion.direction:
        return 0, 0, 0
    if opinion.horizon_ns and now_ns > opinion.said_ns + opinion.horizon_ns:
        return 0, 0, 2
    if threshold and (opinion.low or opinion.high):
        clears = opinion.low >= threshold if opinion.direction > 0 else opinion.high <= -threshold
        if not clears:
            return 0, 0, 3
    return opinion.direction, min(opinion.confidence, ONE), 1


@dataclass
class Verdict:
    direction: int
    score: int
    confidence: int
    agreeing: int
    opposing: int
    abstaining: int
    vetoed_by: int
    reason: int


def combine(
    members: list[Member], votes: dict[int, tuple[int, int, int]], rule: str, at_least: int, minimum: int
) -> Verdict:
    """The verdict over the votes of all members."""
    weights = sum(member.weight for member in members)
    total = sum(member.weight * votes[member.number][0] * votes[member.number][1] for member in members)
    score = half_even(Fraction(total, weights)) if weights else 0
    side = (score > 0) - (score < 0)
    sides = [votes[member.number][0] for member in members]
    agreeing = sum(one == side for one in sides) if side else 0
    opposing = sum(one == -side for one in sides) if side else 0
    abstaining = sides.count(0)
    vetoes = [member.number for member in members if member.veto and votes[member.number][0] != side]
    needed = {"score": 0, "all": len(members), "majority": len(members) // 2 + 1, "at_least": at_least}[rule]
    reason, by = 0, -1
    if not side:
        reason = 1
    elif vetoes:
        reason, by = 2, vetoes[0]
    elif agreeing < needed:
        reason = 3
    elif abs(score) < minimum:
        reason = 4
    return Verdict(side, score, abs(score), agreeing, opposing, abstaining, by, reason)


def platt(slope: int, intercept: int, confidence: int) -> int:
    """In decimals of fifty digits."""
    from decimal import ROUND_HALF_EVEN, Decimal, localcontext

    with localcontext() as context:
        context.prec = 50
        power = Decimal(slope) / ONE * Decimal(confidence) / ONE + Decimal(intercept) / ONE
        return int((ONE / (1 + power.exp())).quantize(Decimal(1), ROUND_HALF_EVEN))


def isotonic(points: list[tuple[int, int]], confidence: int) -> int:
    """On a straight line between the points."""
    if not points:
        return confidence
    if confidence <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if confidence <= x1:
            return y0 + half_even(Fraction((y1 - y0) * (confidence - x0), x1 - x0))
    return points[-1][1]


def scaled(confidence: int, factors: list[int]) -> int:
    """One factor after the other, each rounded."""
    for factor in factors:
        confidence = half_even(Fraction(confidence * factor, ONE))
    return min(confidence, ONE)
