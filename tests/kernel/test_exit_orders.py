"""Exits of positions in the state: what they see, what they order, and what stops them."""

import pytest

from kernel import lifecycle as life
from kernel.events import catalogue as c
from kernel.exits_nb import (
    DATA_CORRUPT,
    GREEKS,
    MAX_HOLD,
    PARTIAL_TARGET,
    PROTECTION_REJECTED,
    SIGNAL_DECAY,
    STOP_LOSS,
    TARGET,
    TIME_STOP,
    TRAILING_STOP,
    VOLATILITY,
)
from kernel.market import GREEK_LEVEL
from kernel.plans import FIXED_LOTS, PERCENT
from kernel.units import RATE_SCALE
from tests.kernel.signal_desk import HOUR_NS, SignalDesk, told


def exit_of(desk: SignalDesk) -> c.ExitTriggered | None:
    found = told(desk.exits(), c.ExitTriggered)
    return found[0] if found else None


def reason_of(desk: SignalDesk) -> int:
    found = exit_of(desk)
    return found.reason if found else 0


def long_desk(**plan: int) -> SignalDesk:
    """Ten lots at 100, and a bar since."""
    desk = SignalDesk()
    desk.protect(**plan)
    desk.hold(10)
    desk.bar(100)
    return desk


def test_without_a_plan_nothing_is_given_up() -> None:
    desk = SignalDesk()
    desk.hold(10)
    desk.bar(1)
    assert desk.state.head.exits_on == 0
    assert desk.exits() == []


def test_an_exit_is_recorded_and_ordered_reduce_only_with_its_causes() -> None:
    desk = long_desk(stop_rate=5 * PERCENT)
    assert desk.exits() == []
    cause = desk.bar(97, low=94)
    triggered, order, verdict = desk.exits(cause=cause)
    assert triggered.event == c.ExitTriggered(2, STOP_LOSS, 95, 94, 10, 0)
    assert (order.event.side, order.event.quantity_lots, order.event.order_type) == (life.SELL, 10, life.MARKET)
    assert (order.event.instructions, order.event.purpose) == (life.REDUCE_ONLY, life.EXIT_ORDER)
    assert (triggered.cause, order.cause, verdict.cause) == (cause, triggered.sequence, order.sequence)


def test_an_exit_does_not_repeat_while_its_order_works_and_does_when_it_was_refused() -> None:
    desk = long_desk(stop_rate=5 * PERCENT)
    desk.bar(90)
    assert reason_of(desk) == STOP_LOSS
    desk.bar(89)
    assert desk.exits() == []
    order_id = int(desk.state.orders[0].order_id)
    desk.apply(c.OrderRejected(order_id, 1), 0, 0)
    assert desk.exits() == [], "not at once"
    desk.now_ns += 10**9
    desk.bar(89)
    assert exit_of(desk).quantity_lots == 10
    desk.fill_all()
    assert desk.lots() == 0
    assert desk.exits() == []


def test_a_full_exit_cancels_what_rests_in_the_book_first() -> None:
    desk = long_desk(stop_rate=5 * PERCENT)
    desk.apply(c.OrderIntended(life.SELL, life.LIMIT, life.GTC, 10, 120, 0, 0), 0, 0)
    order_id = int(desk.state.head.next_sequence) - 1
    desk.apply(c.RiskChecked(order_id, 0, 0, 0), 0, 0)
    desk.bar(90)
    events = desk.exits()
    assert [type(stored.event).__name__ for stored in events] == [
        "ExitTriggered", "CancelRequested", "OrderIntended", "RiskChecked"]  # fmt: skip
    assert told(events, c.CancelRequested)[0].order_id == order_id


def test_after_a_full_exit_only_a_new_signal_opens_the_book_again() -> None:
    desk = SignalDesk()
    desk.protect(stop_rate=5 * PERCENT)
    desk.size(FIXED_LOTS, quantity_lots=10)
    desk.signal(1)
    desk.targets()
    desk.fill_all()
    desk.bar(94)
    assert reason_of(desk) == STOP_LOSS
    desk.fill_all()
    assert (desk.row().direction, desk.row().target_lots, desk.lots()) == (0, 0, 0)
    desk.bar(99)
    assert desk.targets() == []
    desk.signal(1)
    desk.targets()
    desk.fill_all()
    assert desk.lots() == 10


def test_an_exit_ends_a_target_that_was_still_due() -> None:
    desk = long_desk(stop_rate=5 * PERCENT)
    desk.signal(1)
    desk.bar(90)
    assert reason_of(desk) == STOP_LOSS
    assert desk.state.head.targets_due == 0
    assert desk.targets() == []


def test_the_bar_of_the_entry_counts_by_its_close_alone() -> None:
    """Whether its low came before or after the fill is not known."""
    desk = SignalDesk()
    desk.protect(stop_rate=5 * PERCENT)
    desk.bar(99, low=90)
    desk.hold(10)
    assert desk.exits() == []
    desk = SignalDesk()
    desk.protect(stop_rate=5 * PERCENT)
    desk.bar(95)
    desk.hold(10)
    assert reason_of(desk) == STOP_LOSS


def test_the_trail_follows_from_the_close_of_the_entry_bar_on() -> None:
    desk = SignalDesk()
    desk.protect(trail_ticks=5)
    desk.bar(108, high=120)
    desk.hold(10)
    assert desk.exits() == []
    desk.bar(104, low=104)
    assert desk.exits() == []
    desk.bar(110, low=103)
    assert exit_of(desk) == c.ExitTriggered(2, TRAILING_STOP, 103, 103, 10, 0)


def test_short_positions_mirror() -> None:
    desk = SignalDesk()
    desk.protect(stop_rate=5 * PERCENT, trail_ticks=4)
    desk.hold(-10)
    desk.bar(95, low=95, high=99)
    assert desk.exits() == []
    desk.bar(99, high=99)
    events = desk.exits()
    assert events[0].event == c.ExitTriggered(2, TRAILING_STOP, 99, 99, 10, 0)
    assert events[1].event.side == life.BUY


def test_the_stop_and_the_target_of_the_signal_come_before_those_of_the_plan() -> None:
    desk = SignalDesk()
    desk.protect(stop_rate=5 * PERCENT, target_rate=5 * PERCENT)
    desk.signal(1, stop_ticks=80, limit_ticks=130)
    desk.hold(10)
    desk.bar(85)
    assert desk.exits() == []
    desk.bar(129)
    assert desk.exits() == []
    desk.bar(130)
    assert reason_of(desk) == TARGET


def test_the_ladder_sells_rung_by_rung_and_starts_anew_with_the_next_trip() -> None:
    desk = SignalDesk()
    half = RATE_SCALE // 2
    desk.protect(rungs=((10 * PERCENT, half), (20 * PERCENT, half)))
    desk.size(FIXED_LOTS, quantity_lots=10)
    desk.signal(1)
    desk.targets()
    desk.fill_all()
    desk.bar(110)
    assert exit_of(desk) == c.ExitTriggered(3, PARTIAL_TARGET, 110, 110, 5, 1)
    desk.fill_all()
    assert (desk.lots(), desk.row().target_lots, desk.row().direction) == (5, 5, 1)
    desk.bar(111)
    assert desk.exits() == []
    desk.bar(120)
    assert exit_of(desk) == c.ExitTriggered(3, PARTIAL_TARGET, 120, 120, 5, 2)
    desk.fill_all()
    desk.hold(10, price=120)
    desk.bar(125)
    assert desk.exits() == []
    desk.bar(132)
    assert exit_of(desk).rungs_taken == 1


def test_a_stop_takes_the_rest_while_a_rung_is_on_its_way() -> None:
    desk = SignalDesk()
    desk.protect(stop_rate=5 * PERCENT, rungs=((10 * PERCENT, RATE_SCALE // 2),))
    desk.hold(10)
    desk.bar(110)
    assert exit_of(desk).quantity_lots == 5
    desk.bar(90)
    assert exit_of(desk) == c.ExitTriggered(2, STOP_LOSS, 95, 90, 5, 1)
    desk.fill_all()
    assert desk.lots() == 0


def test_time() -> None:
    desk = long_desk(time_stop_ns=2 * HOUR_NS, time_stop_gain_rate=PERCENT)
    desk.now_ns = 2 * HOUR_NS
    desk.bar(101)
    assert desk.exits() == []
    desk.bar(100)
    assert reason_of(desk) == TIME_STOP
    desk = long_desk()
    desk.now_ns = 120 * HOUR_NS
    desk.bar(101)
    assert exit_of(desk) == c.ExitTriggered(2, MAX_HOLD, 120 * HOUR_NS, 120 * HOUR_NS, 10, 0)


def test_a_signal_decays_over_its_horizon_and_a_new_one_renews_it() -> None:
    desk = SignalDesk()
    desk.protect(strength_floor_rate=RATE_SCALE // 2)
    desk.signal(1, horizon_ns=4 * HOUR_NS)
    desk.hold(10)
    desk.now_ns = 2 * HOUR_NS
    desk.bar(100)
    assert desk.exits() == []
    desk.now_ns = 3 * HOUR_NS
    desk.bar(100)
    desk.signal(1, horizon_ns=4 * HOUR_NS)
    assert desk.exits() == []
    desk.now_ns = 6 * HOUR_NS
    desk.bar(100)
    assert exit_of(desk) == c.ExitTriggered(4, SIGNAL_DECAY, RATE_SCALE // 2, RATE_SCALE // 4, 10, 0)


def test_volatility_is_against_that_of_the_signal_at_the_entry() -> None:
    desk = SignalDesk()
    desk.protect(volatility_multiple_rate=2 * RATE_SCALE)
    desk.signal(1, measure_e8=100)
    desk.hold(10)
    desk.bar(100)
    desk.signal(1, measure_e8=200)
    assert desk.exits() == []
    desk.signal(1, measure_e8=201)
    assert exit_of(desk) == c.ExitTriggered(4, VOLATILITY, 200, 201, 10, 0)


def test_a_refused_protective_order_gives_the_position_up() -> None:
    desk = long_desk()
    desk.apply(c.OrderIntended(life.SELL, life.STOP, life.GTC, 10, 0, 90, 0, life.REDUCE_ONLY), 0, 0)
    order_id = int(desk.state.head.next_sequence) - 1
    desk.apply(c.RiskChecked(order_id, 0, 0, 0), 0, 0)
    desk.apply(c.OrderRejected(order_id, 1), 0, 0)
    desk.bar(100)
    assert exit_of(desk) == c.ExitTriggered(1, PROTECTION_REJECTED, 0, 1, 10, 0)
    desk.fill_all()
    desk.hold(10)
    desk.bar(100)
    assert desk.exits() == [], "the next trip begins without it"


def test_a_price_that_cannot_be_gives_the_position_up() -> None:
    desk = long_desk()
    desk.bar(100, high=99, low=100)
    assert reason_of(desk) == DATA_CORRUPT


@pytest.mark.parametrize("halted", [-1, 0])
def test_exits_work_while_entries_are_stopped(halted: int) -> None:
    """The event is recorded; whether a halt lets the order pass is the risk checks' own row."""
    desk = long_desk(stop_rate=5 * PERCENT)
    desk.apply(c.TradingHalted(1), halted)
    desk.bar(90)
    assert reason_of(desk) == STOP_LOSS


@pytest.mark.parametrize(
    ("held", "greek_e8", "fires"),
    [
        (10, 50_000_000, False),  # a delta of 0.5 over ten lots is at the limit
        (10, 50_000_001, True),
        (-10, 50_000_001, True),
        (10, -50_000_001, True),
        (10, 2**62, True),  # it does not fit: it is too large
        (10, 0, False),
    ],
)
def test_greeks_are_recorded_measures_over_the_position(held: int, greek_e8: int, fires: bool) -> None:
    desk = SignalDesk()
    desk.protect(greek_limit_e8=5 * RATE_SCALE)
    desk.hold(held)
    desk.bar(100)
    assert reason_of(desk) == 0, "without a measure it never fires"
    desk.apply(c.LevelSet(GREEK_LEVEL, 9 * RATE_SCALE), 1)
    desk.apply(c.LevelSet(1, 90 * RATE_SCALE), 0)
    desk.bar(100)
    assert reason_of(desk) == 0, "neither another instrument nor another level is a measure of this one"
    desk.apply(c.LevelSet(GREEK_LEVEL, greek_e8), 0)
    desk.bar(100)
    found = exit_of(desk)
    assert (found is not None) == fires
    if found is not None:
        value = held * greek_e8 if abs(held * greek_e8) < 2**62 else 2**62
        assert (found.tier, found.reason, found.limit, found.value) == (4, GREEKS, 5 * RATE_SCALE, value)
        assert found.quantity_lots == abs(held)
