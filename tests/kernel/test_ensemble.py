"""Ensembles: votes and verdicts row by row, and over random histories against the naive twin."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.decide_nb import decide_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored
from kernel.ledger_nb import OK
from kernel.pipeline.rules import AGREEMENTS
from kernel.strategy.context import COMBINE
from kernel.units import RATE_SCALE as ONE
from tests.kernel.signal_desk import SignalDesk, told
from tests.reference.pipeline import Member, Opinion, combine, vote

DESK = 4  # the strategy that combines; 0 to 3 are its members
RULES = {name: number for number, name in AGREEMENTS.items()}
WEIGHTS = (ONE // 2, ONE // 5, ONE // 5, ONE // 10)


class EnsembleDesk(SignalDesk):
    def __init__(
        self,
        rule: str = "score",
        at_least: int = 0,
        minimum: int = 65 * ONE // 100,
        quantile: int = ONE // 200,
        weights: tuple[int, ...] = WEIGHTS,
        vetoes: tuple[int, ...] = (),
    ) -> None:
        super().__init__(strategies=5)
        self.apply(c.EnsembleSet(RULES[rule], at_least, minimum, quantile), -1, DESK)
        for number, weight in enumerate(weights):
            self.apply(c.EnsembleMemberSet(number, weight, int(number in vetoes)), -1, DESK)

    def combine(self, instrument: int = 0) -> list[Stored]:
        first = int(self.output.count)
        intent = self.intent(action=COMBINE, instrument=instrument)
        self.stamp()
        assert decide_nb(self.state, self.output, DESK, intent) == OK
        return self.since(first)

    def verdict(self) -> Any:
        (found,) = told(self.combine(), c.SignalCombined)
        return found


LONG, SHORT, FLAT = (1, ONE), (-1, ONE), (0, 0)
# rule, at least, vetoes, votes of the members; direction, score in %, reason, vetoed by
VERDICTS: list[Any] = [
    ("score", 0, (), (LONG, LONG, FLAT, FLAT), (1, 70, 0, -1)),
    ("score", 0, (), (LONG, FLAT, FLAT, LONG), (1, 60, 4, -1)),
    ("score", 0, (), (SHORT, SHORT, FLAT, FLAT), (-1, -70, 0, -1)),
    ("score", 0, (), (LONG, LONG, LONG, SHORT), (1, 80, 0, -1)),
    ("score", 0, (), (LONG, SHORT, SHORT, SHORT), (0, 0, 1, -1)),
    (
        "score",
        0,
        (),
        ((1, 65 * ONE // 100), (1, 65 * ONE // 100), (1, 65 * ONE // 100), (1, 65 * ONE // 100)),
        (1, 65, 0, -1),
    ),
    ("score", 0, (3,), (LONG, LONG, LONG, FLAT), (1, 90, 2, 3)),
    ("score", 0, (3,), (LONG, LONG, LONG, SHORT), (1, 80, 2, 3)),
    ("score", 0, (2, 3), (LONG, LONG, LONG, LONG), (1, 100, 0, -1)),
    ("score", 0, (1, 2), (LONG, SHORT, SHORT, LONG), (1, 20, 2, 1)),
    ("all", 0, (), (LONG, LONG, LONG, LONG), (1, 100, 0, -1)),
    ("all", 0, (), (LONG, LONG, LONG, FLAT), (1, 90, 3, -1)),
    ("majority", 0, (), (LONG, LONG, FLAT, FLAT), (1, 70, 3, -1)),
    ("majority", 0, (), (LONG, LONG, FLAT, LONG), (1, 80, 0, -1)),
    ("at_least", 2, (), (LONG, LONG, FLAT, FLAT), (1, 70, 0, -1)),
    ("at_least", 3, (), (LONG, LONG, FLAT, FLAT), (1, 70, 3, -1)),
]


@pytest.mark.parametrize(("rule", "at_least", "vetoes", "votes", "wanted"), VERDICTS)
def test_the_table_of_verdicts(rule: str, at_least: int, vetoes: Any, votes: Any, wanted: Any) -> None:
    desk = EnsembleDesk(rule, at_least, vetoes=vetoes)
    for member, (direction, confidence) in enumerate(votes):
        if direction:
            desk.signal(direction, confidence, strategy=member)
    events = desk.combine()
    assert len(told(events, c.SignalVoted)) == sum(direction != 0 for direction, _ in votes)
    (found,) = told(events, c.SignalCombined)
    direction, percent, reason, vetoed_by = wanted
    assert (found.direction, found.score_rate, found.reason) == (direction, percent * ONE // 100, reason)
    assert (found.confidence_rate, found.vetoed_by) == (abs(found.score_rate), vetoed_by)
    assert found.agreeing + found.opposing + found.abstaining == 4 or direction == 0
    signals = told(events, c.SignalEmitted)
    assert [(one.direction, one.confidence_rate) for one in signals] == (
        [(direction, found.confidence_rate)] if reason == 0 else []
    )


def test_causes_lead_from_the_signal_to_the_votes() -> None:
    desk = EnsembleDesk()
    for member in range(4):
        desk.signal(1, strategy=member)
    *votes, combined, signal = desk.combine()
    assert [type(one.event) for one in votes] == [c.SignalVoted] * 4
    assert (combined.cause, signal.cause) == (votes[-1].sequence, combined.sequence)
    assert desk.combine() == [], "nothing is said while no vote changes"


def test_a_verdict_that_no_longer_holds_makes_the_ensemble_flat() -> None:
    desk = EnsembleDesk()
    for member in range(4):
        desk.signal(1, strategy=member)
    desk.combine()
    desk.signal(0, strategy=0)
    events = desk.combine()
    assert [one.direction for one in told(events, c.SignalEmitted)] == [0]
    desk.signal(-1, strategy=0)
    assert told(desk.combine(), c.SignalEmitted) == [], "it is flat already"


def test_a_member_that_trades_by_orders_votes_with_its_book() -> None:
    desk = EnsembleDesk(minimum=ONE // 10)
    desk.hold(5, strategy=3)
    assert (desk.verdict().score_rate, desk.row(strategy=DESK).direction) == (ONE // 10, 1)
    desk.hold(-10, strategy=3)
    assert (desk.verdict().score_rate, desk.row(strategy=DESK).direction) == (-ONE // 10, -1)


# direction, low and high quantile of the return in 1/10,000; the reason of the vote, with a threshold of 50
QUANTILES = [
    (1, 50, 90, 1), (1, 49, 90, 3), (1, -10, 90, 3), (-1, -90, -50, 1), (-1, -90, -49, 3), (-1, -90, 10, 3),
    (1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 90, 3),
]  # fmt: skip


@pytest.mark.parametrize(("direction", "low", "high", "reason"), QUANTILES)
def test_the_quantile_of_the_expected_return_must_clear_the_threshold(
    direction: int, low: int, high: int, reason: int
) -> None:
    desk = EnsembleDesk()
    desk.signal(direction, low_return_rate=low * 10**4, high_return_rate=high * 10**4)
    events = desk.combine()
    votes = told(events, c.SignalVoted)
    assert [(one.reason, one.direction) for one in votes] == [(reason, direction if reason == 1 else 0)]


def test_a_vote_ends_with_its_horizon() -> None:
    desk = EnsembleDesk(minimum=0)
    desk.signal(1, horizon_ns=100)
    desk.combine()
    desk.now_ns = 100
    desk.bar(100)
    assert desk.combine() == []
    desk.now_ns = 101
    desk.bar(100)
    voted, combined, signal = (one.event for one in desk.combine())
    assert (voted.reason, combined.reason, signal.direction) == (2, 1, 0)


def test_the_measure_is_that_of_the_first_member_that_agrees() -> None:
    desk = EnsembleDesk(minimum=0)
    desk.signal(-1, strategy=1, measure_e8=1)
    desk.signal(1, strategy=0, measure_e8=-1)
    desk.signal(1, strategy=2, measure_e8=7)
    (signal,) = told(desk.combine(), c.SignalEmitted)
    assert (signal.direction, signal.measure_e8) == (1, 7)


STEPS = generators.lists(
    generators.tuples(
        generators.integers(0, 4), generators.integers(-1, 1), generators.integers(0, ONE + 5),
        generators.sampled_from([0, 0, 3, 10]), generators.integers(-(10**6), 10**6), generators.integers(0, 2),
        generators.integers(0, 1),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    STEPS,
    generators.tuples(*[generators.integers(0, ONE)] * 4),
    generators.sampled_from(["score", "majority", "all", "at_least"]),
    generators.sampled_from([(), (0,), (1, 3)]),
    generators.integers(0, ONE),
    generators.sampled_from([0, ONE // 200]),
)
def test_random_histories_of_votes_equal_the_twin(
    steps: Any, weights: Any, rule: str, vetoes: Any, minimum: int, quantile: int
) -> None:
    desk = EnsembleDesk(rule, 2 if rule == "at_least" else 0, minimum, quantile, weights, vetoes)
    members = [Member(number, weight, number in vetoes) for number, weight in enumerate(weights)]
    minds = {(member, instrument): Opinion() for member in range(4) for instrument in range(2)}
    known = dict.fromkeys(minds, (0, 0, 0))
    said = [0, 0]
    for number, direction, confidence, horizon, expected, wait, instrument in steps:
        desk.now_ns += wait
        desk.bar(100, instrument=instrument)
        if number < 4:
            low, high = min(expected, expected // 2), max(expected, expected // 2)
            desk.signal(direction, confidence, strategy=number, instrument=instrument, horizon_ns=horizon,
                        low_return_rate=low, high_return_rate=high)  # fmt: skip
            minds[number, instrument] = Opinion(direction, confidence, desk.now_ns, horizon, low, high, True)
        events = desk.combine(instrument)
        votes = {n: vote(minds[n, instrument], desk.now_ns, quantile) for n in range(4)}
        changed = [n for n in range(4) if known[n, instrument] != votes[n]]
        voted = told(events, c.SignalVoted)
        assert [(one.member, one.direction, one.confidence_rate, one.reason) for one in voted] == [
            (n, *votes[n]) for n in changed
        ]
        known |= {(n, instrument): votes[n] for n in range(4)}
        combined = told(events, c.SignalCombined)
        assert len(combined) == bool(changed)
        if changed:
            wanted = combine(members, votes, rule, 2, minimum)
            (found,) = combined
            assert vars(wanted) == {
                "direction": found.direction, "score": found.score_rate, "confidence": found.confidence_rate,
                "agreeing": found.agreeing, "opposing": found.opposing, "abstaining": found.abstaining,
                "vetoed_by": found.vetoed_by, "reason": found.reason,
            }  # fmt: skip
            side = wanted.direction if wanted.reason == 0 else 0
            signals = [one.direction for one in told(events, c.SignalEmitted)]
            assert signals == ([side] if side or said[instrument] else [])
            said[instrument] = side
