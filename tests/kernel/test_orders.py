"""Orders of every type: their form, trailing stops, and what a strategy says to get one."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel import lifecycle as life
from kernel.strategy import api_nb as api
from kernel.strategy import orders_api_nb as orders_api
from kernel.strategy.context import CONTEXT, INTENT, MAX_INTENTS
from kernel.strategy.python import Strategy
from kernel.tables.orders import ORDER
from kernel.tables.table import MAX_LOTS
from kernel.terms import RULES
from kernel.terms_nb import is_valid_nb, trail_limit_nb, trail_stop_nb
from tests.reference.kernel.terms import is_valid, trail_limit, trail_stop

NOW_NS = 1000
PLAIN = {"side": 1, "quantity_lots": 10}
# The least that makes an order of each type.
LEAST: dict[int, dict[str, int]] = {
    life.MARKET: {},
    life.LIMIT: {"limit_ticks": 90},
    life.STOP: {"stop_ticks": 110},
    life.STOP_LIMIT: {"limit_ticks": 112, "stop_ticks": 110},
    life.MARKET_IF_TOUCHED: {"stop_ticks": 90},
    life.LIMIT_IF_TOUCHED: {"limit_ticks": 91, "stop_ticks": 90},
    life.TRAILING_STOP: {"trail_kind": life.TRAIL_TICKS, "trail_value": 5},
    life.TRAILING_STOP_LIMIT: {"trail_kind": life.TRAIL_BPS, "trail_value": 50, "limit_offset_ticks": 2},
}
PRICES = ("limit_ticks", "stop_ticks")


def order_of(**words: int) -> Any:
    order = np.zeros(1, ORDER)[0]
    for name, value in words.items():
        order[name] = value
    return order


def valid(**words: int) -> bool:
    """What the kernel says of an order; the twin says the same."""
    force = {"expire_ns": NOW_NS + 1} if words.get("time_in_force") == life.GTD else {}
    words = {"time_in_force": life.GTC, **force, **PLAIN, **words}
    order = order_of(**words)
    verdict = bool(is_valid_nb(order, order.quantity_lots, order.limit_ticks, order.stop_ticks, NOW_NS))
    assert verdict == is_valid(SimpleNamespace(**dict(zip(ORDER.names, order.tolist(), strict=True))), NOW_NS)
    return verdict


@pytest.mark.parametrize("force", life.TIME_IN_FORCE_NAMES, ids=life.TIME_IN_FORCE_NAMES.get)
@pytest.mark.parametrize("kind", life.ORDER_TYPE_NAMES, ids=life.ORDER_TYPE_NAMES.get)
def test_each_type_with_each_time_in_force_and_instruction(kind: int, force: int) -> None:
    rule = RULES[kind]
    words = {"order_type": kind, "time_in_force": force, **LEAST[kind]}
    allowed = force in rule.forces
    assert valid(**words) == allowed
    rests = force in (life.GTC, life.DAY, life.GTD)
    for bit in life.INSTRUCTION_NAMES:
        fits = bit in rule.instructions and (rests or bit != life.POST_ONLY)
        assert valid(**words, instructions=bit) == (allowed and fits)
    assert valid(**words, instructions=8) is False
    assert valid(**words, instructions=-1) is False
    shows = kind in (life.LIMIT, life.STOP_LIMIT, life.LIMIT_IF_TOUCHED, life.TRAILING_STOP_LIMIT)
    assert valid(**words, display_lots=10) == (allowed and shows and rests)
    assert valid(**words, display_lots=11) is False


@pytest.mark.parametrize("kind", life.ORDER_TYPE_NAMES, ids=life.ORDER_TYPE_NAMES.get)
def test_each_field_is_needed_or_refused(kind: int) -> None:
    words = {"order_type": kind, **LEAST[kind]}
    assert valid(**words)
    trails = kind in (life.TRAILING_STOP, life.TRAILING_STOP_LIMIT)
    for name in (*PRICES, "trail_value", "limit_offset_ticks"):
        optional = (trails and name == "stop_ticks") or (kind == life.TRAILING_STOP_LIMIT and "offset" in name)
        for value in (0, 3, -3):
            same = (value > 0) == (name in LEAST[kind])
            assert valid(**{**words, name: value}) == (value >= 0 and (same or optional)), (name, value)
    for trail in (0, 3):
        assert valid(**{**words, "trail_kind": trail}) == (not trails and trail == 0)


@pytest.mark.parametrize(
    "words",
    [
        {"side": 0}, {"side": 2}, {"quantity_lots": 0}, {"quantity_lots": -1}, {"quantity_lots": MAX_LOTS + 1},
        {"order_type": 0}, {"order_type": 9}, {"time_in_force": 0}, {"time_in_force": 8}, {"expire_ns": NOW_NS + 5},
        {"time_in_force": life.GTD, "expire_ns": NOW_NS}, {"time_in_force": life.GTD, "expire_ns": 0},
    ],
    ids=str,
)  # fmt: skip
def test_what_no_order_may_say(words: dict[str, int]) -> None:
    assert valid(**{"order_type": life.MARKET, **words}) is False


def test_a_trail_is_shorter_than_the_price() -> None:
    words = {"order_type": life.TRAILING_STOP, "trail_kind": life.TRAIL_BPS}
    assert valid(**words, trail_value=9_999)
    assert not valid(**words, trail_value=10_000)
    assert not valid(**{**words, "trail_kind": life.TRAIL_TICKS}, trail_value=1 << 60)


numbers = generators.integers(-2, 12)


@settings(max_examples=300, deadline=None)
@given(generators.dictionaries(generators.sampled_from(sorted(set(ORDER.names) - {"status"})), numbers, max_size=14))
def test_form_equals_the_naive_twin(words: dict[str, int]) -> None:
    valid(**words)


# --- trailing stops ----------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    generators.sampled_from((1, -1)),
    generators.sampled_from((life.TRAIL_TICKS, life.TRAIL_BPS)),
    generators.integers(1, 9_999),
    generators.lists(generators.one_of(generators.integers(1, 300), generators.integers(1, 2**61)), max_size=12),
)
def test_a_trailing_stop_only_moves_favourably(side: int, kind: int, value: int, prices: list[int]) -> None:
    stop = best = 0
    for price in prices:
        best = price if not best else max(best, price) if side < 0 else min(best, price)
        before, stop = stop, int(trail_stop_nb(side, kind, value, best, stop))
        assert stop == trail_stop(side, kind, value, best, before)
        assert not before or side * stop <= side * before
        assert not stop or (stop - best) * side >= 1
        limit = int(trail_limit_nb(side, stop, value)) if stop else 0
        assert limit == (trail_limit(side, stop, value) if stop else 0)


@pytest.mark.parametrize(
    ("side", "kind", "value", "best", "before", "stop"),
    [
        (-1, life.TRAIL_TICKS, 5, 100, 0, 95),
        (-1, life.TRAIL_TICKS, 5, 99, 95, 95),
        (-1, life.TRAIL_TICKS, 5, 104, 95, 99),
        (1, life.TRAIL_TICKS, 5, 100, 0, 105),
        (1, life.TRAIL_TICKS, 5, 97, 105, 102),
        (-1, life.TRAIL_BPS, 100, 1000, 0, 990),
        (-1, life.TRAIL_BPS, 1, 100, 0, 99),  # a hundredth of a tick is one tick
        (-1, life.TRAIL_TICKS, 100, 100, 0, 0),  # it would stand at zero
        (-1, life.TRAIL_TICKS, 5, 0, 80, 80),  # no price yet
    ],
)
def test_where_a_trailing_stop_stands(side: int, kind: int, value: int, best: int, before: int, stop: int) -> None:
    assert trail_stop_nb(side, kind, value, best, before) == stop == trail_stop(side, kind, value, best, before)


def test_the_limit_of_a_trailing_stop() -> None:
    assert trail_limit_nb(-1, 95, 2) == 93
    assert trail_limit_nb(1, 105, 2) == 107
    assert trail_limit_nb(-1, 3, 9) == 1


# --- what a strategy says ----------------------------------------------------------------------------------------


class Seat:
    """A compiled strategy's place and a Python one's, each with its own context."""

    def __init__(self) -> None:
        self.ctx = np.zeros(1, CONTEXT)[0]
        self.context = np.zeros(1, CONTEXT)[0]
        self.python = Strategy(self.context, 0, {})

    def both(self) -> list[dict[str, int]]:
        """The intents of both without their zeros; they are the same."""
        found = []
        for ctx in (self.ctx, self.context):
            rows = ctx.intents[: int(ctx.call.intent_count)]
            found.append([{name: int(row[name]) for name in INTENT.names if row[name]} for row in rows])
        assert found[0] == found[1]
        return found[0]


def wish(side: int, kind: int, lots: int, **words: int) -> dict[str, int]:
    return {"action": 1, "side": side, "order_type": kind, "time_in_force": life.GTC, "quantity_lots": lots, **words}


def test_terms_of_an_order() -> None:
    seat = Seat()
    api.submit(seat.ctx, 0, -1, life.LIMIT, life.GTD, 7, 120, 0, 3)
    row = seat.ctx.intents[0]  # compiled code gets the intent; Python looks it up
    row.instructions, row.display_lots, row.expire_ns = life.POST_ONLY, 2, 99
    terms = {"instructions": life.POST_ONLY, "display_lots": 2, "expire_ns": 99}
    seat.python.submit(-1, life.LIMIT, 7, limit_ticks=120, time_in_force=life.GTD, tag=3, **terms)
    assert seat.both() == [
        {**wish(-1, life.LIMIT, 7), "time_in_force": life.GTD, "limit_ticks": 120, "tag": 3, **terms}
    ]
    with pytest.raises(TypeError, match="'hidden' is no term of an order; there are display_lots"):
        seat.python.submit(1, life.MARKET, 1, hidden=1)


def test_closing_and_trailing() -> None:
    seat = Seat()
    orders_api.close_position(seat.ctx)
    orders_api.trailing_stop(seat.ctx, -1, 4, life.TRAIL_BPS, 50)
    seat.python.close_position()
    seat.python.trailing_stop(-1, 4, life.TRAIL_BPS, 50)
    assert seat.both() == [
        {"action": 1, "order_type": life.MARKET, "time_in_force": life.GTC, "instructions": life.CLOSE_POSITION},
        wish(-1, life.TRAILING_STOP, 4, instructions=life.REDUCE_ONLY, trail_kind=life.TRAIL_BPS, trail_value=50),
    ]


def test_a_bracket() -> None:
    seat = Seat()
    orders_api.bracket(seat.ctx, 0, 1, 4, 98, 110, 90)
    seat.python.bracket(1, 4, 110, 90, limit_ticks=98)
    exits = {"instructions": life.REDUCE_ONLY}
    assert seat.both() == [
        wish(1, life.LIMIT, 4, limit_ticks=98, group_role=life.ENTRY, group_size=3),
        wish(-1, life.LIMIT, 4, limit_ticks=110, group_role=life.TAKE_PROFIT, **exits),
        wish(-1, life.STOP, 4, stop_ticks=90, group_role=life.STOP_LOSS, **exits),
    ]


def test_a_bracket_that_trails() -> None:
    seat = Seat()
    orders_api.trailing_bracket(seat.ctx, 0, -1, 4, 0, 90, life.TRAIL_TICKS, 5)
    row: Any = seat.ctx.intents[2]
    assert (row.order_type, row.trail_kind, row.trail_value, row.stop_ticks) == (
        life.TRAILING_STOP, life.TRAIL_TICKS, 5, 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("begin", "roles"),
    [("oco", (life.OCO, life.OCO)), ("ouo", (life.OUO, life.OUO)), ("oto", (life.PARENT, life.CHILD))],
)
def test_groups_of_any_orders(begin: str, roles: tuple[int, int]) -> None:
    seat = Seat()
    getattr(orders_api, begin)(seat.ctx, 2)
    getattr(seat.python, begin)(2)
    for _ in range(2):
        api.buy(seat.ctx, 1)
        seat.python.buy(1)
    api.sell(seat.ctx, 2)
    seat.python.sell(2)
    first, second = roles
    assert seat.both() == [
        wish(1, life.MARKET, 1, group_role=first, group_size=2),
        wish(1, life.MARKET, 1, group_role=second),
        wish(-1, life.MARKET, 2),
    ]


def test_a_group_without_room_is_not_begun() -> None:
    seat = Seat()
    for _ in range(MAX_INTENTS - 2):
        api.buy(seat.ctx, 1)
    orders_api.bracket(seat.ctx, 0, 1, 4, 98, 110, 90)
    api.sell(seat.ctx, 2)
    rows = seat.ctx.intents[: int(seat.ctx.call.intent_count)]
    assert (len(rows), int(rows[-1].side), int(seat.ctx.call.intents_lost)) == (MAX_INTENTS - 1, -1, 3)
    assert not rows["group_role"].any()
