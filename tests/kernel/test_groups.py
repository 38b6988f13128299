"""Groups, case by case: brackets, one-cancels-other, one-updates-other, one-triggers-other; and reduce-only."""

from typing import Any

import pytest

from kernel import lifecycle as life
from kernel.events import catalogue as c
from kernel.risk import numbers as risk
from kernel.risk.rules import ORDERS_PER_MINUTE, ORDERS_PER_SYMBOL_DAY
from kernel.tables.table import MAX_LOTS, MAX_ORDERS
from tests.kernel.order_desk import Desk, bracket, group


def opened(lots: int = 10, **words: Any) -> tuple[Desk, int, int, int]:
    """A bracket whose entry the venue has accepted."""
    desk = Desk()
    entry, profit, loss = desk.wish(*bracket(lots, **words))
    desk.accept(entry)
    return desk, entry, profit, loss


# --- brackets ----------------------------------------------------------------------------------------------------


def test_the_exits_wait_for_the_entry() -> None:
    desk, entry, profit, loss = opened()
    assert [desk.status(order) for order in (entry, profit, loss)] == ["working", "held", "held"]
    assert set(desk.resting) == {entry}


def test_the_exits_are_as_large_as_what_the_entry_filled() -> None:
    desk, entry, profit, loss = opened()
    desk.fill(entry, 4)
    assert [desk.status(order) for order in (entry, profit, loss)] == ["partly filled", "submitted", "submitted"]
    assert desk.open_lots(profit) == desk.open_lots(loss) == 4
    desk.accept(profit)
    desk.accept(loss)
    desk.fill(entry, 6)
    assert desk.open_lots(profit) == desk.open_lots(loss) == 10


def test_an_exit_that_is_not_accepted_yet_grows_too() -> None:
    desk, entry, profit, _loss = opened()
    desk.fill(entry, 4)
    desk.fill(entry, 6)
    assert (desk.status(profit), desk.open_lots(profit)) == ("submitted", 10)
    desk.accept(profit)
    assert desk.status(profit) == "working"


def test_one_exit_takes_from_the_other_what_it_fills() -> None:
    desk, entry, profit, loss = opened()
    desk.fill(entry, 10)
    for order in (profit, loss):
        desk.accept(order)
    desk.fill(profit, 3)
    assert (desk.open_lots(profit), desk.open_lots(loss)) == (7, 7)
    desk.fill(loss, 2)
    assert (desk.open_lots(profit), desk.open_lots(loss)) == (5, 5)
    desk.fill(profit, 5)
    assert (desk.status(profit), desk.status(loss), desk.position()) == ("gone", "gone", 0)


@pytest.mark.parametrize("end", ["cancel", "reject", "expire", "ask"])
def test_an_entry_that_ends_without_a_fill_ends_its_exits(end: str) -> None:
    desk, entry, profit, loss = opened()
    if end == "reject":
        desk = Desk()
        entry, profit, loss = desk.wish(*bracket(10))
        desk.end(entry, c.OrderRejected(entry, 1))
    elif end == "ask":
        desk.cancel(entry)
        desk.answer(0, refuses=False)
    else:
        desk.end(entry, c.OrderCanceled(entry, 10, 1) if end == "cancel" else c.OrderExpired(entry, 10))
    assert [desk.status(order) for order in (entry, profit, loss)] == ["gone"] * 3
    assert not desk.resting


def test_an_entry_that_ends_partly_filled_leaves_its_exits() -> None:
    desk, entry, profit, loss = opened()
    desk.fill(entry, 4)
    desk.end(entry, c.OrderCanceled(entry, 6, 0))
    assert desk.open_lots(profit) == desk.open_lots(loss) == 4


def test_an_exit_that_is_done_ends_the_rest_of_the_entry() -> None:
    desk, entry, profit, loss = opened()
    desk.fill(entry, 4)
    desk.fill(loss, 4)
    assert [desk.status(order) for order in (entry, profit, loss)] == ["gone"] * 3
    assert desk.position() == 0


def test_a_rejected_stop_loss_leaves_the_other_exit() -> None:
    desk, entry, profit, loss = opened()
    desk.fill(entry, 10)
    desk.end(loss, c.OrderRejected(loss, 1))
    assert (desk.status(loss), desk.open_lots(profit)) == ("gone", 10)


def test_a_strategy_cannot_resize_an_exit_but_move_it() -> None:
    desk, entry, _profit, loss = opened()
    desk.fill(entry, 10)
    desk.accept(loss)
    desk.replace(loss, 3, stop_ticks=95)
    desk.answer(0, refuses=False)
    row = desk.row(loss)
    assert (int(row.quantity_lots), int(row.stop_ticks)) == (10, 95)


def test_an_exit_can_be_moved_while_it_waits() -> None:
    desk, entry, _profit, loss = opened()
    desk.replace(loss, 10, stop_ticks=95)
    assert desk.status(loss) == "held"
    assert not desk.requests, "the venue never had it"
    desk.fill(entry, 10)
    assert (int(desk.row(loss).stop_ticks), desk.open_lots(loss)) == (95, 10)


def test_an_exit_can_be_cancelled_while_it_waits() -> None:
    desk, entry, profit, loss = opened()
    desk.cancel(profit)
    assert desk.status(profit) == "gone"
    desk.fill(entry, 10)
    assert desk.open_lots(loss) == 10


def test_an_exit_fills_while_its_replace_is_on_the_way() -> None:
    """The other one shrinks at once, although a replace of it has not arrived; when it arrives it is put right."""
    desk, entry, profit, loss = opened()
    desk.fill(entry, 10)
    for order in (profit, loss):
        desk.accept(order)
    desk.replace(profit, 10, limit_ticks=120)
    assert desk.status(profit) == "replace pending"
    desk.fill(loss, 4)
    assert desk.resting[profit]["lots"] == 6
    desk.answer(0, refuses=False)
    assert (desk.resting[profit]["lots"], int(desk.row(profit).limit_ticks), desk.status(profit)) == (6, 120, "working")


def test_an_exit_fills_while_a_cancel_of_the_other_is_on_the_way() -> None:
    desk, entry, profit, loss = opened()
    desk.fill(entry, 10)
    for order in (profit, loss):
        desk.accept(order)
    desk.cancel(profit)
    assert desk.status(profit) == "cancel pending"
    desk.fill(loss, 4)
    assert desk.status(profit) == "gone", "it was to end anyway: at once, before it fills too much"
    desk.answer(0, refuses=False)
    assert desk.open_lots(loss) == 6


def test_a_refused_request_is_asked_again_after_the_next_fill() -> None:
    desk = Desk(honours_links=False)
    entry, profit, loss = desk.wish(*bracket(10))
    desk.accept(entry)
    desk.fill(entry, 10)
    for order in (profit, loss):
        desk.accept(order)
    desk.fill(profit, 3)
    desk.answer(0, refuses=True)
    assert (desk.status(loss), desk.requests) == ("working", [])
    desk.fill(profit, 2)
    assert [event.quantity_lots for _, event in desk.requests] == [5]  # type: ignore[attr-defined]


# --- the other groups --------------------------------------------------------------------------------------------


def test_the_first_fill_of_one_cancels_the_others() -> None:
    desk = Desk()
    first, second, third = desk.wish(*group(life.OCO, life.OCO, 10, 10, 5))
    for order in (first, second, third):
        desk.accept(order)
    desk.fill(second, 1)
    assert [desk.status(order) for order in (first, second, third)] == ["gone", "partly filled", "gone"]


def test_an_order_is_cancelled_before_it_left() -> None:
    """The venue fills the first as it arrives, when the second is approved and not sent."""
    desk = Desk()
    first, second = desk.wish(*group(life.OCO, life.OCO, 10, 10))
    desk.fill(first, 10)
    assert desk.status(second) == "gone"


def test_each_fill_of_one_takes_from_the_others() -> None:
    desk = Desk()
    first, second = desk.wish(*group(life.OUO, life.OUO, 10, 8))
    for order in (first, second):
        desk.accept(order)
    desk.fill(first, 3)
    assert (desk.open_lots(first), desk.open_lots(second)) == (7, 5)
    desk.fill(second, 5)
    assert (desk.open_lots(first), desk.status(second)) == (2, "gone")


def test_children_leave_when_their_parent_has_filled() -> None:
    desk = Desk()
    parent, one, two = desk.wish(*group(life.PARENT, life.CHILD, 10, 4, 7))
    desk.accept(parent)
    desk.fill(parent, 9)
    assert [desk.status(order) for order in (one, two)] == ["held", "held"]
    desk.fill(parent, 1)
    assert [desk.status(order) for order in (one, two)] == ["submitted", "submitted"]
    assert (desk.open_lots(one), desk.open_lots(two)) == (4, 7)


def test_children_of_a_parent_that_ends_early_get_their_share() -> None:
    desk = Desk()
    parent, one, two = desk.wish(*group(life.PARENT, life.CHILD, 10, 4, 1))
    desk.fill(parent, 6)
    desk.end(parent, c.OrderCanceled(parent, 4, 0))
    assert (desk.open_lots(one), desk.status(two)) == (2, "gone"), "4 * 6 / 10 and 1 * 6 / 10, rounded down"


# --- all or nothing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(3))
def test_a_group_is_refused_as_a_whole(place: int) -> None:
    desk = Desk()
    intents = bracket(10)
    intents[place]["limit_ticks"] = -1
    orders = desk.wish(*intents)
    assert desk.verdicts(orders) == [
        risk.INVALID_ORDER if order == orders[place] else risk.GROUP_REFUSED for order in orders
    ]
    assert not desk.resting
    assert desk.state.head.order_count == desk.state.head.group_order_count == 0


@pytest.mark.parametrize(
    ("change", "approved"),
    [
        ((0, {"quantity_lots": 0}), 0), ((1, {"quantity_lots": MAX_LOTS + 1}), 0), ((1, {"instrument": 5}), 0),
        ((1, {"group_role": life.OCO}), 0), ((0, {"group_role": life.CHILD}), 0), ((0, {"group_size": 1}), 0),
        ((0, {"group_size": 4}), 0), ((2, {"group_role": 0}), 0), ((0, {"group_size": 2}), 2),
    ],
    ids=str,
)  # fmt: skip
def test_a_group_that_is_put_together_wrongly(change: tuple[int, dict[str, int]], approved: int) -> None:
    desk = Desk()
    intents = bracket(10)
    intents[change[0]].update(change[1])
    orders = desk.wish(*intents)
    given = {s.event.order_id: s.event.check for s in desk.log if isinstance(s.event, c.RiskChecked)}
    kept = [order for order in orders if given.get(order) == 0 and order in {o for g in desk.roles.values() for o in g}]
    assert len(kept) == approved
    assert desk.state.head.group_order_count == approved
    assert not [order for order in orders if order not in given], "no order is left without a verdict"


def test_a_group_needs_room_for_all_of_it() -> None:
    desk = Desk()
    one = {"side": 1, "order_type": life.LIMIT, "limit_ticks": 90, "quantity_lots": 1}
    for _ in range(MAX_ORDERS - 2):
        desk.wish(one)
    assert desk.wish(*bracket(1)) == []
    assert int(desk.state.head.order_count) == MAX_ORDERS - 2
    assert isinstance(desk.log[-1].event, c.RequestRefused)


# --- reduce-only -------------------------------------------------------------------------------------------------


def held(lots: int) -> Desk:
    desk = Desk()
    (order,) = desk.wish({"side": 1 if lots > 0 else -1, "order_type": life.MARKET, "quantity_lots": abs(lots)})
    desk.fill(order, abs(lots))
    return desk


def test_a_reduce_only_order_is_cut_to_the_position() -> None:
    desk = held(6)
    order = {"side": -1, "order_type": life.MARKET, "quantity_lots": 10, "instructions": life.REDUCE_ONLY}
    (order_id,) = desk.wish(order)
    assert desk.open_lots(order_id) == 6
    assert desk.state.positions[0].pending_sell_lots == 0, "it cannot make the book larger"
    assert desk.wish({**order, "side": 1}) != []
    assert desk.log[-1].event.check == risk.REDUCE_ONLY  # type: ignore[attr-defined]


@pytest.mark.parametrize("lots", [6, -6])
def test_closing_takes_side_and_size_from_the_position(lots: int) -> None:
    desk = held(lots)
    (order,) = desk.wish({"order_type": life.MARKET, "instructions": life.CLOSE_POSITION})
    assert desk.open_lots(order) == 6
    assert desk.fill(order, 10) == 6
    assert desk.position() == 0


def test_what_has_nothing_left_to_reduce_is_cancelled() -> None:
    desk = held(6)
    stop = {"side": -1, "order_type": life.STOP, "stop_ticks": 90, "quantity_lots": 6}
    (order,) = desk.wish({**stop, "instructions": life.REDUCE_ONLY})
    (plain,) = desk.wish(stop)
    desk.accept(order)
    (close,) = desk.wish({"order_type": life.MARKET, "instructions": life.CLOSE_POSITION})
    desk.fill(close, 6)
    assert (desk.status(order), desk.status(plain)) == ("gone", "submitted")


def test_the_replace_of_a_reduce_only_order_is_cut_too() -> None:
    desk = held(6)
    (order,) = desk.wish(
        {"side": -1, "order_type": life.LIMIT, "limit_ticks": 110, "quantity_lots": 4, "instructions": life.REDUCE_ONLY}
    )
    desk.accept(order)
    desk.fill(order, 1)
    desk.replace(order, 50)
    desk.answer(0, refuses=False)
    assert desk.open_lots(order) == 5


@pytest.mark.parametrize(
    ("rule", "check"), [(ORDERS_PER_MINUTE, risk.ORDER_RATE), (ORDERS_PER_SYMBOL_DAY, risk.SYMBOL_ORDERS)]
)
@pytest.mark.parametrize(("name", "entries"), [("one cancels other", 3), ("one triggers other", 3), ("bracket", 1)])
def test_the_entries_of_a_group_count_each_other_in_the_throttles(
    rule: int, check: int, name: str, entries: int
) -> None:
    """Its exits are no entries. At the limit all are approved; with one less the last entry is refused, so all are."""
    intents = {
        "one cancels other": group(life.OCO, life.OCO, 10, 10, 5),
        "one triggers other": group(life.PARENT, life.CHILD, 10, 4, 7),
        "bracket": bracket(10),
    }[name]
    for before in range(2):
        desk = Desk()
        desk.say(c.RiskRuleSet(rule, entries))
        for _ in range(before):
            desk.wish({"side": 1, "order_type": life.LIMIT, "limit_ticks": 95, "quantity_lots": 1})
        members = desk.wish(*intents)
        told = [stored.event for stored in desk.log if isinstance(stored.event, c.RiskChecked)]
        verdicts = [(one.check, one.limit, one.value) for one in told if one.order_id in members]
        if before == 0:
            assert verdicts == [(0, 0, 0)] * 3
        else:
            refused = [(risk.GROUP_REFUSED, 0, 0)] * 3
            refused[entries - 1] = check, entries, entries + 1
            assert verdicts == refused
