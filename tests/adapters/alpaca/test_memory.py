"""What is remembered of orders: which stands for an id, what is overtaken, and fills with two ids."""

import asyncio
import json

import pytest

from adapters.alpaca.memory import REMEMBERED, Bounded, OrderMemory
from adapters.alpaca.parse import parse_activities, parse_order, parse_update
from kernel.venue import VenueError
from tests.adapters.alpaca.test_parse import ORDER_SAID, UPDATE_SAID, documented, raw
from tests.adapters.alpaca.test_requests import recorded


def order(order_id, client_order_id, status):
    return parse_order(raw(ORDER_SAID | {"id": order_id, "client_order_id": client_order_id, "status": status}))


@pytest.mark.parametrize(
    ("pictures", "head"),
    [
        ([("a", "k", "new")], "a"),
        ([("a", "k", "new"), ("a", "k", "filled")], None),
        ([("a", "k", "new"), ("b", "k-R1", "pending_new")], "a"),
        ([("a", "k", "pending_replace"), ("b", "k-R1", "accepted")], "a"),
        ([("a", "k", "new"), ("b", "k-R1", "new")], "b"),
        ([("a", "k", "new"), ("b", "k-R1", "new"), ("a", "k", "new")], "b"),
        ([("a", "k", "replaced"), ("b", "k-R1", "partially_filled")], "b"),
        ([("a", "k", "new"), ("b", "k-R1", "rejected")], "a"),
        ([("a", "k", "new"), ("b", "k-R1", "new"), ("b", "k-R1", "canceled")], None),
        ([("b", "k-R2", "new"), ("a", "k-R1", "replaced")], "b"),
        ([("a", "other", "new")], None),
    ],
)
def test_which_order_stands_for_an_id(pictures, head):
    memory = OrderMemory()
    for picture in pictures:
        memory.note(order(*picture))
    found = memory.head("k")
    assert (found and found.id) == head
    memory.forget_head("k")
    assert memory.head("k") is None


def test_numbers_of_replacements_grow_over_what_was_seen():
    memory = OrderMemory()
    memory.note(order("c", "k-R4", "rejected"))
    first = order("a", "k", "new")
    assert [memory.next_replacement(first) for _ in range(2)] == [5, 6]


def test_an_open_picture_after_the_end_is_old():
    memory = OrderMemory()
    memory.note(order("a", "k", "canceled"))
    assert memory.is_old(order("a", "k", "new"))
    assert not memory.is_old(order("a", "k", "canceled"))
    assert not memory.is_old(order("b", "k-R1", "new"))


def test_memory_is_bounded():
    kept = Bounded()
    for number in range(REMEMBERED + 10):
        kept[number] = number
    assert (len(kept), min(kept)) == (REMEMBERED, 10)


ACTIVITY = documented("TradingActivities")


@pytest.mark.parametrize(
    ("execution_id", "filled", "client_order_id", "contradicts"),
    [
        ("2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e", "2.0", "k", False),
        ("another", "2", "k", True),
        ("another", "1", "k", False),  # another fill of the order
        ("another", "2", "k-R1", False),  # what a replacement carries on is counted otherwise
    ],
)
def test_one_fill_with_two_ids_is_noticed(execution_id, filled, client_order_id, contradicts):
    said = ORDER_SAID | {"id": ACTIVITY["order_id"], "filled_qty": filled, "client_order_id": client_order_id}
    update = parse_update(raw(UPDATE_SAID | {"execution_id": execution_id, "order": said}))
    (activity,) = parse_activities(json.dumps([ACTIVITY]).encode())
    memory = OrderMemory()
    memory.note_execution(update)
    assert memory.contradicts(activity, activity.id.partition("::")[2]) is contradicts


def test_fills_are_not_given_when_they_would_be_counted_twice():
    said = ORDER_SAID | {"id": ACTIVITY["order_id"], "filled_qty": "2", "client_order_id": "k"}
    update = parse_update(raw(UPDATE_SAID | {"execution_id": "another", "order": said}))
    answers = {("GET", "/v2/account/activities/FILL"): [ACTIVITY], ("GET", "/v2/orders"): [said]}

    async def run():
        async with recorded(answers) as (adapter, _):
            assert len(await adapter.fetch_fills(0)) == 1
            adapter._memory.note_execution(update)
            with pytest.raises(VenueError, match="counted twice") as error:
                await adapter.fetch_fills(0)
            assert error.value.is_fatal

    asyncio.run(run())
