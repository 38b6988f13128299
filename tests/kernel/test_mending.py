"""A venue that does not know of groups: what fills against its group is said and traded back. What closes, follows."""

from typing import Any

import pytest

from kernel import lifecycle as life
from kernel.events import catalogue as c
from tests.kernel.order_desk import PRICE, Desk, bracket, group


def broken(desk: Desk) -> list[tuple[int, int, int, int]]:
    events = [stored.event for stored in desk.log if isinstance(stored.event, c.GroupBroken)]
    return [(event.order_id, event.group_id, event.excess_lots, event.unprotected_lots) for event in events]


def exits(desk: Desk) -> list[Any]:
    intents = [stored for stored in desk.log if isinstance(stored.event, c.OrderIntended)]
    return [stored for stored in intents if stored.event.purpose == life.EXIT_ORDER]


def test_both_orders_of_one_cancels_other_fill() -> None:
    desk = Desk(honours_links=False)
    first, second = desk.wish(*group(life.OCO, life.OCO, 10, 6))
    desk.fill(first, 4)
    desk.fill(second, 6)
    assert broken(desk) == [(second, first, 6, 0)]
    (order,) = exits(desk)
    event = order.event
    assert (event.side, event.quantity_lots, event.order_type, event.instructions) == (-1, 6, life.MARKET, 2)
    assert isinstance(next(one for one in desk.log if one.sequence == order.cause).event, c.GroupBroken)
    assert desk.status(first) == "partly filled", "the second one ends no other"
    desk.fill(order.sequence, 6)
    assert desk.position() == 4
    desk.fill(first, 6)
    assert (desk.position(), len(broken(desk))) == (10, 1)


def test_an_excess_is_never_traded_into_a_new_position() -> None:
    """Ten are held. Two sales of which one was to cancel the other both fill: the second one opens a short position."""
    desk = Desk(honours_links=False)
    desk.fill(*desk.wish({"side": 1, "order_type": life.MARKET, "quantity_lots": 10}), 10)
    sales = [{**one, "side": -1, "limit_ticks": 105} for one in group(life.OCO, life.OCO, 10, 10)]
    first, second = desk.wish(*sales)
    desk.fill(first, 10)
    desk.fill(second, 10)
    (order,) = exits(desk)
    assert (order.event.side, order.event.quantity_lots, desk.position()) == (1, 10, -10)
    desk.fill(order.sequence, 10)
    assert desk.position() == 0


def test_an_entry_that_fills_after_its_exits_are_done_is_closed() -> None:
    desk = Desk(honours_links=False)
    entry, target, stop = desk.wish(*bracket(10, limit=95))
    desk.fill(entry, 4)
    desk.fill(target, 4)
    assert desk.status(entry) == "cancel pending"
    desk.fill(entry, 6)
    assert broken(desk) == [(entry, entry, 6, 0)]
    (order,) = exits(desk)
    assert (order.event.side, order.event.quantity_lots) == (-1, 6)
    desk.fill(order.sequence, 6)
    assert desk.position() == 0
    assert desk.status(stop) in ("cancel pending", "gone")


def test_an_entry_that_fills_when_its_exits_were_cancelled_is_reported() -> None:
    desk = Desk(honours_links=True)
    entry, target, stop = desk.wish(*bracket(10, limit=95))
    for leg in (target, stop):
        desk.cancel(leg)
    desk.fill(entry, 10)
    assert broken(desk) == [(entry, entry, 0, 10)]
    assert exits(desk) == [], "whoever cancelled them wanted that"


def test_a_group_that_is_honoured_breaks_nothing() -> None:
    desk = Desk()
    entry, target, _stop = desk.wish(*bracket(10))
    desk.fill(entry, 5)
    desk.fill(entry, 5)
    desk.fill(target, 10)
    assert (broken(desk), desk.position()) == ([], 0)


@pytest.mark.parametrize("side", [1, -1])
def test_the_first_protective_stop_is_what_the_trade_risks(side: int) -> None:
    desk = Desk()
    entry, target, _stop = desk.wish(*bracket(10, side=side))
    assert int(desk.state.positions[0].trade_stop_ticks) == 0
    desk.fill(entry, 4)
    assert int(desk.state.positions[0].trade_stop_ticks) == PRICE - 10 * side
    desk.fill(entry, 6)
    desk.wish(
        {"side": -side, "order_type": life.STOP, "stop_ticks": PRICE - side, "quantity_lots": 1, "instructions": 2}
    )
    assert int(desk.state.positions[0].trade_stop_ticks) == PRICE - 10 * side, "the first one counts"
    desk.fill(target, 10)
    told = [stored.event for stored in desk.log if isinstance(stored.event, c.PositionChanged)]
    assert told[-1].stop_ticks == PRICE - 10 * side
    assert int(desk.state.positions[0].trade_stop_ticks) == 0


def test_a_target_is_no_stop() -> None:
    desk = Desk()
    desk.fill(*desk.wish({"side": 1, "order_type": life.MARKET, "quantity_lots": 5}), 5)
    touch = {"order_type": life.MARKET_IF_TOUCHED, "stop_ticks": PRICE + 5, "quantity_lots": 5, "instructions": 2}
    desk.wish({"side": -1, **touch})
    assert int(desk.state.positions[0].trade_stop_ticks) == 0


@pytest.mark.parametrize("honours_links", [True, False])
def test_an_order_that_closes_the_position_is_as_large_as_it(honours_links: bool) -> None:
    desk = Desk(honours_links)
    desk.fill(*desk.wish({"side": 1, "order_type": life.MARKET, "quantity_lots": 5}), 5)
    (stop,) = desk.wish({"order_type": life.STOP, "stop_ticks": PRICE - 9, "instructions": life.CLOSE_POSITION})
    (more,) = desk.wish({"side": 1, "order_type": life.LIMIT, "limit_ticks": 99, "quantity_lots": 7})
    for lots in (3, 4):
        desk.fill(more, lots)
        while desk.requests:
            desk.answer(0, False)
        assert desk.open_lots(stop) == desk.position()
    (less,) = desk.wish({"side": -1, "order_type": life.LIMIT, "limit_ticks": 101, "quantity_lots": 2})
    desk.fill(less, 2)
    while desk.requests:
        desk.answer(0, False)
    assert desk.open_lots(stop) == desk.position() == 10
    desk.fill(stop, 10)
    assert (desk.position(), desk.status(stop)) == (0, "gone")
