"""Experiments: how inputs are routed, against the naive twin, and that arm B does nothing with the others."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.decide_nb import decide_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.ledger_nb import MISMATCH, OK
from kernel.pipeline.route_nb import route_draw_nb
from kernel.pipeline.rules import ARM, ARM_A, ARM_B, BY_SESSION
from kernel.risk.numbers import NOT_ROUTED
from kernel.strategy.context import SUBMIT
from kernel.units import RATE_SCALE as ONE
from replay.config.experiment import route_key
from tests.kernel.signal_desk import HOUR_NS, SignalDesk, told
from tests.reference.venue_costs import philox

A, B = 0, 1
DAY_NS = 24 * HOUR_NS
LOW = 2**32 - 1


def naive_arm(seed: int, key: int, unit: int, share: int) -> tuple[int, int]:
    """The arm and the draw."""
    draw = philox((seed & LOW, seed >> 32), (unit & LOW, unit >> 32 & LOW, key, 101))[0]
    return (ARM_B if draw * ONE < share * 2**32 else ARM_A), draw


class ExperimentDesk(SignalDesk):
    def __init__(self, share: int = ONE // 2, seed: int = 7, unit: int = 0) -> None:
        super().__init__(accounts=2, shadow=1)
        for instrument in range(3):
            self.apply(c.BookAssigned(1), instrument, B)
            self.apply(c.RouteKeySet(route_key(f"us/{instrument}")), instrument)
        self.apply(c.ExperimentSet(share, seed, unit))
        self.apply(c.ArmSet(ARM_A), -1, A)
        self.apply(c.ArmSet(ARM_B), -1, B)

    def order(self, side: int, lots: int, strategy: int = B, instrument: int = 0) -> list[Any]:
        first = int(self.output.count)
        intent = self.intent(action=SUBMIT, instrument=instrument, side=side, order_type=life.MARKET,
                             time_in_force=life.GTC, quantity_lots=lots)  # fmt: skip
        self.stamp()
        assert decide_nb(self.state, self.output, strategy, intent) == OK
        return [stored.event for stored in self.since(first)]

    def on(self, day: int) -> None:
        self.now_ns = day * DAY_NS + 5
        for instrument in range(3):
            self.bar(100, instrument=instrument)


@settings(max_examples=80, deadline=None)
@given(
    generators.integers(0, 2**63 - 1), generators.integers(0, ONE), generators.integers(0, 40_000),
    generators.integers(0, 2),
)  # fmt: skip
def test_routing_is_philox_of_seed_name_and_day(seed: int, share: int, day: int, instrument: int) -> None:
    desk = ExperimentDesk(share, seed)
    desk.on(day)
    (routed,) = told(desk.signal(0, strategy=A, instrument=instrument), c.InputRouted)
    assert (routed.arm, routed.draw) == naive_arm(seed, route_key(f"us/{instrument}"), day, share)
    assert routed.unit == day
    assert told(desk.signal(0, strategy=B, instrument=instrument), c.InputRouted) == [], "once a day"


def test_a_share_of_days_is_routed_and_days_do_not_hang_together() -> None:
    key = route_key("us/SPY")
    draws = np.array([int(route_draw_nb(3, key, day)) for day in range(20_000)]) / 2**32
    assert abs(np.mean(draws < 0.2) - 0.2) < 0.01
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.03
    other = np.array([int(route_draw_nb(3, route_key("us/QQQ"), day)) for day in range(20_000)]) / 2**32
    assert abs(np.corrcoef(draws, other)[0, 1]) < 0.03


def days(arm: int) -> int:
    """A day on which instrument 0 goes to an arm."""
    return next(day for day in range(1, 99) if naive_arm(7, route_key("us/0"), day, ONE // 2)[0] == arm)


def test_arm_b_enters_only_what_is_routed_to_it_and_leaves_at_any_time() -> None:
    desk = ExperimentDesk()
    desk.on(days(ARM_A))
    routed, refused = desk.order(1, 10)
    assert (routed.arm, refused.check) == (ARM_A, NOT_ROUTED)
    assert [type(one) for one in desk.order(1, 10, strategy=A)] == [c.OrderIntended, c.RiskChecked], "A goes on"
    desk.on(next(day for day in range(int(desk.now_ns // DAY_NS), 999)
                 if naive_arm(7, route_key("us/0"), day, ONE // 2)[0] == ARM_B))  # fmt: skip
    assert told_kinds(desk.order(1, 10)) == [c.InputRouted, c.ShadowFilled, c.PositionChanged]
    desk.on(next(day for day in range(int(desk.now_ns // DAY_NS), 999)
                 if naive_arm(7, route_key("us/0"), day, ONE // 2)[0] == ARM_A))  # fmt: skip
    assert desk.order(1, 1)[-1].check == NOT_ROUTED
    assert told_kinds(desk.order(-1, 4)) == [c.ShadowFilled, c.PositionChanged]
    turned = desk.order(-1, 60)
    assert (turned[0].quantity_lots, desk.lots(strategy=B)) == (6, 0), "it leaves, and does not turn"


def told_kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def test_signals_of_arm_b_are_dropped_elsewhere() -> None:
    desk = ExperimentDesk()
    desk.on(days(ARM_A))
    _, dropped = (stored.event for stored in desk.signal(1, strategy=B))
    assert dropped == c.SignalDropped(1, ONE, ARM, ARM_B, ARM_A)
    assert told(desk.signal(0, strategy=B), c.SignalEmitted)
    assert told(desk.signal(1, strategy=A), c.SignalEmitted)
    desk.on(days(ARM_B))
    assert told(desk.signal(1, strategy=B), c.SignalEmitted)


@pytest.mark.parametrize(("share", "arm"), [(0, ARM_A), (ONE, ARM_B)])
def test_nothing_and_everything(share: int, arm: int) -> None:
    desk = ExperimentDesk(share)
    for day in range(1, 40):
        desk.on(day)
        (routed,) = told(desk.signal(0, strategy=A), c.InputRouted)
        assert routed.arm == arm


def test_a_session_is_a_unit_too() -> None:
    desk = ExperimentDesk(unit=BY_SESSION)
    desk.on(3)
    assert told(desk.signal(0, strategy=A), c.InputRouted)[0].unit == 3, "no session is known yet"
    opened = 3 * DAY_NS + 1
    desk.apply(c.SessionChanged(1, opened, opened + HOUR_NS, opened + DAY_NS), 0)
    assert told(desk.signal(0, strategy=A), c.InputRouted)[0].unit == opened


def test_the_second_arm_cannot_lie_in_a_real_account() -> None:
    desk = ExperimentDesk()
    record = encode(Stored(int(desk.state.head.next_sequence), 0, 0, 0, -1, A, 0, c.ArmSet(ARM_B)))
    assert apply_nb(desk.state.copy(), record[0]) == MISMATCH
