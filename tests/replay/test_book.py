"""One suite for both order books: every rule on each, then random depth through both with every answer compared.

``KERNEL_HISTORIES`` in the environment says how many random histories, as for ``tests/kernel/test_apply.py``.
"""

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as generators
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kernel.exact_nb import OVERFLOW
from kernel.market import MESSAGE_END, NO_PRICE, SNAPSHOT
from replay.book_nb import MAX_LEVELS
from tests.reference.book import NaiveBook
from tests.replay.books import FastBook

BID, ASK = 1, -1
BOOKS = pytest.mark.parametrize("make", [NaiveBook, FastBook])


def filled(make: Any, rows: list[tuple[int, int, int]], limit: int = 0) -> Any:
    """A book after ``(side, price, lots)`` rows that make one message."""
    book = make(limit)
    for index, row in enumerate(rows):
        book.apply(*row, MESSAGE_END if index == len(rows) - 1 else 0)
    return book


TWO_SIDED = [(BID, 99, 5), (BID, 98, 7), (BID, 95, 1), (ASK, 101, 4), (ASK, 102, 6), (ASK, 110, 2)]


@BOOKS
def test_an_empty_book_answers_everything(make: Any) -> None:
    book = make()
    for side in (BID, ASK):
        assert book.best(side) == NO_PRICE
        assert book.level_count(side) == book.lots_at(side, 100) == book.ahead(side, 100) == 0
        assert book.walk(side, 10, NO_PRICE) == (0, 0, NO_PRICE)
        assert book.outward(side) == []


@BOOKS
def test_levels_leave_from_the_touch_outward(make: Any) -> None:
    book = filled(make, TWO_SIDED)
    assert book.outward(BID) == [(99, 5), (98, 7), (95, 1)]
    assert book.outward(ASK) == [(101, 4), (102, 6), (110, 2)]
    assert (book.best(BID), book.best(ASK)) == (99, 101)


@BOOKS
def test_a_row_sets_changes_and_deletes_a_level_and_says_what_was_there(make: Any) -> None:
    book = filled(make, TWO_SIDED)
    assert book.apply(BID, 99, 8, 2) == 5
    assert book.apply(BID, 99, 0, 2) == 8
    assert book.apply(BID, 99, 0, 2) == 0
    assert book.best(BID) == 98
    assert book.apply(ASK, 101, -3, 2) == 4
    assert book.best(ASK) == 102


@BOOKS
def test_what_is_ahead_of_a_price_leaves_the_price_out(make: Any) -> None:
    book = filled(make, TWO_SIDED)
    assert [book.ahead(BID, price) for price in (100, 99, 98, 97, 1)] == [0, 0, 5, 12, 13]
    assert [book.ahead(ASK, price) for price in (100, 101, 102, 103, 999)] == [0, 0, 4, 10, 12]


@BOOKS
@pytest.mark.parametrize(
    ("side", "quantity", "limit", "expected"),
    [
        (BID, 3, NO_PRICE, (3, 303, 101)),
        (BID, 6, NO_PRICE, (6, 4 * 101 + 2 * 102, 102)),
        (BID, 6, 101, (4, 404, 101)),
        (BID, 6, 100, (0, 0, NO_PRICE)),
        (BID, 99, NO_PRICE, (12, 404 + 612 + 220, 110)),
        (ASK, 6, NO_PRICE, (6, 5 * 99 + 98, 98)),
        (ASK, 1 << 62, 98, (12, 5 * 99 + 7 * 98, 98)),
        (ASK, 0, NO_PRICE, (0, 0, NO_PRICE)),
    ],
)
def test_walks(make: Any, side: int, quantity: int, limit: int, expected: tuple[int, int, int]) -> None:
    assert filled(make, TWO_SIDED).walk(side, quantity, limit) == expected


@BOOKS
def test_a_cost_that_does_not_fit_says_so(make: Any) -> None:
    book = filled(make, [(ASK, 1 << 40, 1 << 22), (ASK, (1 << 40) + 1, 5)])
    assert book.walk(BID, 1 << 23, NO_PRICE) == ((1 << 22) + 5, OVERFLOW, (1 << 40) + 1)
    assert book.walk(BID, 1 << 20, NO_PRICE) == (1 << 20, 1 << 60, 1 << 40)


@BOOKS
def test_a_snapshot_clears_both_sides_first(make: Any) -> None:
    book = filled(make, TWO_SIDED)
    assert book.apply(BID, 99, 3, SNAPSHOT) == 0
    book.apply(ASK, 103, 1, MESSAGE_END)
    assert (book.outward(BID), book.outward(ASK)) == ([(99, 3)], [(103, 1)])
    book.apply(BID, 99, 0, SNAPSHOT | MESSAGE_END)
    assert book.level_count(BID) == book.level_count(ASK) == 0


@BOOKS
def test_clearing_keeps_the_counters(make: Any) -> None:
    book = filled(make, TWO_SIDED)
    book.clear()
    assert (book.level_count(BID), book.level_count(ASK), book.rows) == (0, 0, len(TWO_SIDED))
    assert filled(make, TWO_SIDED).best(BID) == 99


@BOOKS
def test_the_older_of_two_crossed_levels_is_removed_when_the_message_ends(make: Any) -> None:
    book = filled(make, TWO_SIDED)
    book.apply(BID, 101, 9, 0)
    assert (book.best(BID), book.best(ASK)) == (101, 101)
    book.apply(ASK, 102, 6, MESSAGE_END)
    assert (book.best(BID), book.best(ASK), book.uncrossed) == (101, 102, 1)
    book.apply(ASK, 98, 1, MESSAGE_END)
    assert (book.outward(BID), book.best(ASK), book.uncrossed) == ([(95, 1)], 98, 4)


@BOOKS
def test_a_level_deleted_later_in_the_message_was_never_crossed(make: Any) -> None:
    book = filled(make, TWO_SIDED)
    book.apply(BID, 101, 9, 0)
    book.apply(ASK, 101, 0, MESSAGE_END)
    assert (book.best(BID), book.best(ASK), book.uncrossed) == (101, 102, 0)


@BOOKS
def test_a_full_side_drops_the_level_farthest_from_the_touch(make: Any) -> None:
    book = filled(make, TWO_SIDED, limit=3)
    book.apply(BID, 97, 2, MESSAGE_END)
    assert (book.outward(BID), book.dropped) == ([(99, 5), (98, 7), (97, 2)], 1)
    book.apply(BID, 90, 2, MESSAGE_END)  # farthest itself
    assert (book.outward(BID), book.dropped) == ([(99, 5), (98, 7), (97, 2)], 2)
    book.apply(ASK, 100, 2, MESSAGE_END)
    assert (book.outward(ASK), book.dropped) == ([(100, 2), (101, 4), (102, 6)], 3)
    book.apply(ASK, 100, 7, MESSAGE_END)  # a change needs no room
    assert (book.outward(ASK), book.dropped) == ([(100, 7), (101, 4), (102, 6)], 3)


@BOOKS
def test_room_for_as_many_levels_as_stated(make: Any) -> None:
    book = make()
    for price in range(1, MAX_LEVELS + 3):
        book.apply(BID, price, price, 0)
    assert (book.level_count(BID), book.dropped, book.outward(BID)[-1]) == (MAX_LEVELS, 2, (3, 3))


prices = generators.one_of(generators.integers(90, 110), generators.integers(-(2**40), 2**40))
lots = generators.one_of(generators.just(0), generators.integers(1, 9), generators.integers(-1, 2**40))
sides = generators.sampled_from([BID, ASK])
limits = generators.one_of(generators.just(NO_PRICE), prices)


class BothBooks(RuleBasedStateMachine):
    """Random depth into both books; every answer must be the same after every row."""

    @initialize(limit=generators.sampled_from([0, 1, 2, 5, 20]))
    def begin(self, limit: int) -> None:
        self.naive, self.fast = NaiveBook(limit), FastBook(limit)

    @rule(side=sides, price=prices, lots=lots, flags=generators.sampled_from([0, 0, 2, 2, 2, 1, 3]))
    def row(self, side: int, price: int, lots: int, flags: int) -> None:
        assert self.fast.apply(side, price, lots, flags) == self.naive.apply(side, price, lots, flags)

    @rule(around=generators.integers(50, 150), seed=generators.integers(0, 2**32))
    def burst(self, around: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        for price in random.integers(around - 20, around + 20, 40).tolist():
            side = BID if price < around else ASK
            lots = int(random.integers(0, 3))
            assert self.fast.apply(side, price, lots, 0) == self.naive.apply(side, price, lots, 0)

    @rule()
    def clear(self) -> None:
        self.fast.clear()
        self.naive.clear()

    @rule(side=sides, price=prices)
    def ask_a_price(self, side: int, price: int) -> None:
        assert self.fast.lots_at(side, price) == self.naive.lots_at(side, price)
        assert self.fast.ahead(side, price) == self.naive.ahead(side, price)

    @rule(side=sides, quantity=generators.integers(0, 2**50), limit=limits)
    def walk(self, side: int, quantity: int, limit: int) -> None:
        assert self.fast.walk(side, quantity, limit) == self.naive.walk(side, quantity, limit)

    @invariant()
    def same(self) -> None:
        for side in (BID, ASK):
            assert self.fast.outward(side) == self.naive.outward(side)
            assert self.fast.best(side) == self.naive.best(side)
            assert self.fast.level_count(side) == self.naive.level_count(side)
        for counter in ("rows", "dropped", "uncrossed"):
            assert getattr(self.fast, counter) == getattr(self.naive, counter)


BothBooks.TestCase.settings = settings(
    max_examples=int(os.environ.get("KERNEL_HISTORIES", "60")), stateful_step_count=40, deadline=None
)
TestBothBooks = BothBooks.TestCase
