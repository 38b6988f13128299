"""Orders that the kernel wants (exits, liquidations, flattening): no strategy, exit or target takes them over."""

from typing import Any

import pytest

from kernel import lifecycle as life
from kernel.decide_nb import decide_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored
from kernel.exits_nb import STOP_LOSS
from kernel.ledger_nb import OK
from kernel.plans import FIXED_LOTS, PERCENT
from kernel.records import new_record
from kernel.risk import numbers as n
from kernel.risk.watch_nb import watch_nb
from kernel.strategy.context import CANCEL, INTENT, REPLACE
from tests.kernel.signal_desk import SignalDesk, told

PURPOSES = [life.EXIT_ORDER, life.LIQUIDATION_ORDER, life.FLATTEN_ORDER]


def with_order(purpose: int, lots: int = 10) -> tuple[SignalDesk, int]:
    """Ten lots, and an order at work that gives up some of them."""
    desk = SignalDesk()
    desk.hold(10)
    order_id = int(desk.state.head.next_sequence)
    wanted = c.OrderIntended(life.SELL, life.MARKET, life.GTC, lots, 0, 0, 0, life.REDUCE_ONLY, purpose)
    desk.apply(wanted, 0, 0)
    desk.apply(c.RiskChecked(order_id, 0, 0, 0), 0, 0)
    desk.apply(c.OrderAccepted(order_id), 0, 0)
    return desk, order_id


def ask(desk: SignalDesk, action: int, order_id: int, strategy: int = 0) -> Stored:
    intent: Any = new_record(INTENT)
    intent.action, intent.order_id, intent.quantity_lots = action, order_id, 5
    first = int(desk.output.count)
    desk.stamp()
    assert decide_nb(desk.state, desk.output, strategy, intent) == OK
    return desk.since(first)[-1]


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("action", [CANCEL, REPLACE])
def test_a_strategy_cannot_cancel_or_replace_one(purpose: int, action: int) -> None:
    desk, order_id = with_order(purpose)
    before = desk.state.orders.copy()
    assert ask(desk, action, order_id).event == c.RequestRefused(order_id, n.KERNEL_ORDER, 0, purpose)
    assert (desk.state.orders == before).all(), "it works on as it was"
    assert ask(desk, action, order_id, strategy=1).event == c.RequestRefused(order_id, n.NOT_OPEN, 0, 0)


def test_its_own_order_it_can() -> None:
    desk, order_id = with_order(life.STRATEGY_ORDER)
    assert ask(desk, CANCEL, order_id).event == c.CancelRequested(order_id)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_an_exit_asks_only_for_what_no_order_of_the_kernel_gives_up(purpose: int) -> None:
    desk, order_id = with_order(purpose, lots=7)
    desk.protect(stop_rate=5 * PERCENT)
    desk.bar(90)
    found = desk.exits()
    (fired,) = told(found, c.ExitTriggered)
    assert (fired.reason, fired.quantity_lots) == (STOP_LOSS, 3)
    assert told(found, c.CancelRequested) == [], "and cancels none of them"
    assert int(desk.state.orders[0].order_id) == order_id
    whole, _ = with_order(purpose)
    whole.protect(stop_rate=5 * PERCENT)
    whole.bar(90)
    assert whole.exits() == []


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_target_counts_what_is_on_its_way_out(purpose: int) -> None:
    desk, _ = with_order(purpose, lots=7)
    desk.size(FIXED_LOTS, quantity_lots=4)
    desk.signal(1)
    (order,) = told(desk.targets(), c.OrderIntended)
    assert (order.side, order.quantity_lots) == (life.BUY, 1)


def test_two_orders_for_the_same_lots_take_them_out_once() -> None:
    desk, _ = with_order(life.EXIT_ORDER)
    order_id = int(desk.state.head.next_sequence)
    flatten = c.OrderIntended(life.SELL, life.MARKET, life.GTC, 10, 0, 0, 0, life.REDUCE_ONLY, life.FLATTEN_ORDER)
    desk.apply(flatten, 0, 0)
    desk.apply(c.RiskChecked(order_id, 0, 0, 0), 0, 0)
    desk.size(FIXED_LOTS, quantity_lots=4)
    desk.signal(1)
    (order,) = told(desk.targets(), c.OrderIntended)
    assert (order.side, order.quantity_lots) == (life.BUY, 4)


@pytest.mark.parametrize(
    ("level", "purpose", "cancelled"),
    [
        (2, 0, True),
        (2, 1, False),
        (2, 2, False),
        (2, 3, False),
        (3, 0, True),
        (3, 1, True),
        (3, 2, False),
        (3, 3, False),
    ],
)
def test_cancelling_all_spares_what_ends_positions(level: int, purpose: int, cancelled: bool) -> None:
    """At level 2 exits go on: they would be asked for again at the next price. At level 3 flattening replaces them."""
    desk, order_id = with_order(purpose)
    desk.apply(c.KillSwitchRequested(level, 1))
    first = int(desk.output.count)
    desk.stamp()
    assert watch_nb(desk.state, desk.output, 0) == OK
    found = told(desk.since(first), c.CancelRequested)
    assert found == ([c.CancelRequested(order_id)] if cancelled else [])
