"""Queue positions against fractions, and what must hold for every model."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.records import new_record
from replay.queue_nb import (
    MAX_EXPONENT,
    MAX_LEVEL_LOTS,
    PARTS,
    POWER,
    QUEUE,
    QUEUE_MODELS,
    RISK_AVERSE,
    ahead_of_order_nb,
    join_queue_nb,
    queue_depth_nb,
    queue_trade_nb,
    reached_lots_nb,
)
from tests.reference.queue import NaiveQueue

BUY, SELL = 1, -1
MODELS = generators.sampled_from([("risk_averse", 1)]) | generators.tuples(
    generators.sampled_from(["power", "power_of_sum", "power_of_share"]), generators.integers(1, MAX_EXPONENT)
)


def joined(level_lots: int) -> Any:
    queue = new_record(QUEUE)
    join_queue_nb(queue, level_lots)
    return queue


def ahead(queue: Any) -> Fraction:
    return Fraction(int(queue.ahead_parts), PARTS)


# model, exponent, ahead after: 100 lots, 40 of them traded away ahead and seen, 60 joined behind, then 30 cancelled
@pytest.mark.parametrize(
    ("model", "exponent", "expected"),
    [
        ("risk_averse", 1, 60),
        ("power", 1, 60 - 30 * 60 / 120),
        ("power", 3, 60 - 30 / 2),
        ("power_of_sum", 2, 60 - 30 * 3 / 4),
        ("power_of_share", 2, 60 - 30 / 4),
    ],
)
def test_the_table_of_the_models(model: str, exponent: int, expected: float) -> None:
    queue = joined(100)
    code = QUEUE_MODELS[model]
    assert queue_trade_nb(queue, 40) == 0
    queue_depth_nb(queue, code, exponent, 60)
    queue_depth_nb(queue, code, exponent, 120)
    assert ahead(queue) == 60
    queue_depth_nb(queue, code, exponent, 90)
    assert ahead(queue) == Fraction(expected)


def test_a_decrease_that_trades_explain_is_not_counted_twice() -> None:
    queue = joined(100)
    queue_trade_nb(queue, 30)
    assert ahead_of_order_nb(queue) == 70
    queue_depth_nb(queue, POWER, 1, 70)
    assert ahead_of_order_nb(queue) == 70


def test_what_traded_is_not_behind_either() -> None:
    queue = joined(100)
    queue_depth_nb(queue, POWER, 1, 160)  # 60 joined behind
    queue_trade_nb(queue, 40)  # 60 ahead, 60 behind
    queue_depth_nb(queue, POWER, 1, 90)  # 30 more were cancelled: half of them ahead
    assert ahead(queue) == 45


def test_there_is_never_more_ahead_than_the_level_holds() -> None:
    queue = joined(100)
    queue_depth_nb(queue, RISK_AVERSE, 1, 25)
    assert ahead_of_order_nb(queue) == 25


def test_what_cannot_have_been_behind_was_ahead() -> None:
    queue = joined(100)
    queue_depth_nb(queue, POWER, 1, 110)  # 10 behind
    queue_depth_nb(queue, POWER, 3, 105)  # 5 gone, nearly all of them ahead
    assert 95 <= ahead(queue) < 96
    queue = joined(10)
    queue_depth_nb(queue, POWER, 3, 110)  # 100 behind
    queue_depth_nb(queue, POWER, 3, 9)  # 101 gone: more than was behind
    assert ahead(queue) == 9


def test_a_trade_reaches_the_order_with_what_the_queue_leaves() -> None:
    queue = joined(10)
    assert queue_trade_nb(queue, 4) == 0
    assert queue_trade_nb(queue, 9) == 3
    assert queue_trade_nb(queue, 9) == 9


@pytest.mark.parametrize(
    ("side", "at", "lots", "aggressor", "expected"),
    [
        (BUY, 99, 1, 0, 8),  # through the price: all
        (BUY, 99, 1, BUY, 8),
        (BUY, 101, 1, SELL, 0),
        (BUY, 100, 5, SELL, 0),
        (BUY, 100, 12, SELL, 2),
        (BUY, 100, 12, 0, 2),
        (BUY, 100, 50, SELL, 8),
        (BUY, 100, 50, BUY, 0),  # took from the sellers at that price
        (SELL, 101, 1, 0, 8),
        (SELL, 99, 1, BUY, 0),
        (SELL, 100, 12, BUY, 2),
        (SELL, 100, 12, SELL, 0),
    ],
)
def test_what_a_trade_fills(side: int, at: int, lots: int, aggressor: int, expected: int) -> None:
    queue = joined(10)
    assert reached_lots_nb(queue, side, 100, 8, at, lots, aggressor) == expected


sizes = generators.one_of(generators.integers(0, 30), generators.integers(-1, 2**12))
steps = generators.lists(
    generators.one_of(
        generators.tuples(generators.just("trade"), sizes), generators.tuples(generators.just("depth"), sizes)
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(MODELS, sizes, steps)
def test_agrees_with_the_fractions(model: tuple[str, int], level: int, steps: list[tuple[str, int]]) -> None:
    name, exponent = model
    queue, naive = joined(level), NaiveQueue(level, name, exponent)
    for what, lots in steps:
        if exponent > 2:
            lots //= 2**8  # powers of larger sizes are scaled down first; see below
        if what == "trade":
            assert queue_trade_nb(queue, lots) == naive.trade(lots)
        else:
            queue_depth_nb(queue, QUEUE_MODELS[name], exponent, lots)
            naive.depth(lots)
        assert ahead(queue) == naive.ahead
        assert ahead_of_order_nb(queue) == naive.ahead_lots()
        assert (queue.level_lots, queue.traded_lots) == (naive.level, naive.traded)


@settings(max_examples=300, deadline=None)
@given(MODELS, generators.integers(1, 2**52), generators.integers(0, 2**52), generators.integers(0, 2**52))
def test_huge_levels_keep_their_shares(model: tuple[str, int], level: int, more: int, left: int) -> None:
    """Powers that do not fit are scaled down: the share is then right to 2**-11 and better."""
    name, exponent = model
    queue, naive = joined(level), NaiveQueue(level, name, exponent)
    for lots in (level + more, left):
        queue_depth_nb(queue, QUEUE_MODELS[name], exponent, lots)
        naive.depth(lots)
    gone = max(min(level + more, MAX_LEVEL_LOTS) - left, 0)
    assert abs(ahead(queue) - naive.ahead) <= Fraction(gone, 2**11) + Fraction(1, PARTS)


@settings(max_examples=300, deadline=None)
@given(MODELS, sizes, steps)
def test_the_queue_ahead_never_grows_and_is_never_negative(
    model: tuple[str, int], level: int, steps: list[tuple[str, int]]
) -> None:
    name, exponent = model
    queue = joined(level)
    for what, lots in steps:
        before = int(queue.ahead_parts)
        if what == "trade":
            queue_trade_nb(queue, lots)
        else:
            queue_depth_nb(queue, QUEUE_MODELS[name], exponent, lots)
            assert queue.ahead_parts <= queue.level_lots * PARTS
        assert 0 <= queue.ahead_parts <= before


@settings(max_examples=100, deadline=None)
@given(MODELS, sizes, steps, generators.sampled_from([BUY, SELL]), generators.integers(1, 2**40))
def test_an_order_fills_fully_when_price_trades_through(
    model: tuple[str, int], level: int, steps: list[tuple[str, int]], side: int, remaining: int
) -> None:
    name, exponent = model
    queue = joined(level)
    for what, lots in steps:
        if what == "trade":
            reached_lots_nb(queue, side, 100, remaining, 100, lots, -side)
        else:
            queue_depth_nb(queue, QUEUE_MODELS[name], exponent, lots)
    assert reached_lots_nb(queue, side, 100, remaining, 100 - side, 1, 0) == remaining


@settings(max_examples=200, deadline=None)
@given(sizes, steps)
def test_no_model_is_more_cautious_than_the_risk_averse(level: int, steps: list[tuple[str, int]]) -> None:
    cautious, likely = joined(level), joined(level)
    for what, lots in steps:
        for queue, model in ((cautious, RISK_AVERSE), (likely, POWER)):
            if what == "trade":
                queue_trade_nb(queue, lots)
            else:
                queue_depth_nb(queue, model, 2, lots)
        assert likely.ahead_parts <= cautious.ahead_parts
