"""What a compiled strategy calls: what it sees, and the intents that its wishes become."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.ledger_nb import OK
from kernel.state import initialise_state
from kernel.strategy import api_nb as api
from kernel.strategy.context import BAR, CANCEL, CONTEXT, MAX_INTENTS, QUOTE, REPLACE, SET_TIMER, SUBMIT, TRADE


class Seat:
    """A context with two instruments and two strategies, and the seat of the second strategy in it."""

    def __init__(self, cash: int = 10**6, price: int = 100, ratio: tuple[int, int] = (1, 1)) -> None:
        self.block = np.zeros(1, CONTEXT).view(np.recarray)
        self.ctx = self.block[0]
        self.state = self.ctx.state
        initialise_state(self.state)
        self.apply(c.RunOpened(2, 2, 0, 0, 0))
        for instrument in range(2):
            self.apply(c.InstrumentDefined(0, *ratio, 1), instrument)
        self.apply(c.CashDeposited(0, cash))
        if price:
            self.apply(c.BarClosed(price, price, price, price, 1, 0), 0)
        self.ctx.call.strategy, self.ctx.call.instrument = 1, 0

    def apply(self, event: c.Event, instrument: int = -1, strategy: int = -1) -> int:
        sequence = int(self.state.head.next_sequence)
        assert apply_nb(self.state, encode(Stored(sequence, 1, 1, 0, instrument, strategy, 0, event))[0]) == OK
        return sequence

    def order(self, side: int, lots: int, instrument: int = 0, strategy: int = 1) -> int:
        return self.apply(c.OrderIntended(side, 1, 1, lots, 0, 0, 0), instrument, strategy)

    def fill(self, order_id: int, side: int, lots: int, instrument: int = 0, strategy: int = 1) -> None:
        self.apply(c.RiskChecked(order_id, 0, 0, 0), instrument, strategy)
        self.apply(c.OrderFilled(order_id, side, 100, lots, 0, 0, 1, 1), instrument, strategy)

    def intents(self) -> list[dict[str, int]]:
        """The intents so far, without their zeros."""
        rows = self.ctx.intents[: int(self.ctx.call.intent_count)]
        return [{n: int(row[n]) for n in row.dtype.names if row[n] and n != "instrument"} for row in rows]


def market(side: int, lots: int) -> dict[str, int]:
    return {"action": SUBMIT, "side": side, "order_type": life.MARKET, "time_in_force": life.GTC, "quantity_lots": lots}


def test_what_the_event_says() -> None:
    seat = Seat()
    seat.ctx.call.words[:6] = [11, 14, 10, 12, 77, 5]
    seat.ctx.call.kind = BAR
    seen = [f(seat.ctx) for f in (api.open_ticks, api.high_ticks, api.low_ticks, api.close_ticks, api.volume_lots)]
    assert seen == [11, 14, 10, 12, 77]
    seat.ctx.call.kind = TRADE
    assert api.close_ticks(seat.ctx) == 11, "the price of a trade"
    seat.ctx.call.kind = QUOTE
    assert api.close_ticks(seat.ctx) == 100, "the last price for any other event"
    assert api.instrument_of(seat.ctx) == 0


def test_a_strategy_sees_its_own_book() -> None:
    seat = Seat()
    seat.fill(seat.order(1, 7), 1, 7)
    seat.fill(seat.order(-1, 3, strategy=0), -1, 3, strategy=0)
    seat.order(1, 5)
    seat.order(-1, 2)
    seat.order(1, 50, instrument=1)
    assert api.position_lots(seat.ctx) == api.position_in(seat.ctx, 0) == 7
    assert api.pending_in(seat.ctx, 0) == 3
    assert (api.position_in(seat.ctx, 1), api.pending_in(seat.ctx, 1)) == (0, 50)
    assert api.equity_minor(seat.ctx) == 10**6


@settings(max_examples=150, deadline=None)
@given(
    generators.integers(1, 10**13),
    generators.integers(1, 10**7),
    generators.sampled_from([(1, 1), (10_000, 1), (1, 10_000), (3, 7), (1, 10**10)]),
    generators.floats(0.0001, 2.0),
)
def test_lots_for_a_fraction(cash: int, price: int, ratio: tuple[int, int], fraction: float) -> None:
    seat = Seat(cash, price, ratio)
    lots = api.lots_for_fraction(seat.ctx, 0, fraction)
    money = round(Fraction(cash * round(fraction * 10**8), 10**8))
    each = Fraction(price * ratio[0], ratio[1])
    if money / each >= 2**62 - 1:
        assert lots == 0, "it does not fit"
        return
    assert lots == money // each, "rounded towards zero, exactly"
    assert api.lots_for_fraction(seat.ctx, 0, -fraction) == -lots


def test_no_lots_without_price_or_money() -> None:
    assert api.lots_for_fraction(Seat(price=0).ctx, 0, 0.5) == 0
    assert api.lots_for_fraction(Seat(cash=0).ctx, 0, 0.5) == 0
    assert api.lots_for_fraction(Seat().ctx, 0, 0.0) == 0
    assert api.lots_for_fraction(Seat(cash=99).ctx, 0, 1.0) == 0


def test_orders() -> None:
    seat = Seat()
    api.buy(seat.ctx, 3)
    api.sell(seat.ctx, 4)
    api.limit_order(seat.ctx, -1, 5, 120)
    api.stop_order(seat.ctx, 1, 6, 130)
    api.submit(seat.ctx, 0, 1, life.STOP_LIMIT, life.IOC, 7, 140, 135, 9)
    assert seat.intents() == [
        market(1, 3),
        market(-1, 4),
        {**market(-1, 5), "order_type": life.LIMIT, "limit_ticks": 120},
        {**market(1, 6), "order_type": life.STOP, "stop_ticks": 130},
        {**market(1, 7), "order_type": life.STOP_LIMIT, "time_in_force": life.IOC, "limit_ticks": 140,
         "stop_ticks": 135, "tag": 9},
    ]  # fmt: skip


def test_requests_and_timers() -> None:
    seat = Seat()
    api.cancel(seat.ctx, 44)
    api.replace(seat.ctx, 45, 8, 90, 80)
    api.set_timer(seat.ctx, 2, 500, 60)
    assert seat.intents() == [
        {"action": CANCEL, "order_id": 44},
        {"action": REPLACE, "order_id": 45, "quantity_lots": 8, "limit_ticks": 90, "stop_ticks": 80},
        {"action": SET_TIMER, "tag": 2, "due_ns": 500, "interval_ns": 60},
    ]


@pytest.mark.parametrize(
    ("target", "wish"), [(10, []), (12, [market(1, 2)]), (0, [market(-1, 10)]), (-5, [market(-1, 15)])]
)
def test_targets_count_what_is_held_and_on_its_way(target: int, wish: list[dict[str, int]]) -> None:
    seat = Seat()
    seat.fill(seat.order(1, 7), 1, 7)
    seat.order(1, 3)
    api.target(seat.ctx, target)
    assert seat.intents() == wish


def test_target_fraction_trades_the_difference() -> None:
    seat = Seat()
    seat.fill(seat.order(1, 1000), 1, 1000)
    api.target_fraction(seat.ctx, 0.5)
    api.target_fraction(seat.ctx, -0.25)
    api.target_fraction(seat.ctx, 0.0)
    assert seat.intents() == [market(1, 4000), market(-1, 3500), market(-1, 1000)]


def test_cancel_all_takes_only_its_own_orders_there() -> None:
    seat = Seat()
    mine = [seat.order(1, 1), seat.order(-1, 2)]
    seat.order(1, 1, instrument=1)
    seat.order(1, 1, strategy=0)
    api.cancel_all(seat.ctx, 0)
    assert seat.intents() == [{"action": CANCEL, "order_id": order_id} for order_id in mine]


def test_wishes_beyond_the_limit_are_counted() -> None:
    seat = Seat()
    for lots in range(1, MAX_INTENTS + 4):
        api.buy(seat.ctx, lots)
    assert seat.intents() == [market(1, lots) for lots in range(1, MAX_INTENTS + 1)]
    assert int(seat.ctx.call.intents_lost) == 3


def test_a_used_intent_is_cleared_before_it_is_used_again() -> None:
    seat = Seat()
    api.submit(seat.ctx, 1, 1, life.STOP_LIMIT, life.IOC, 7, 140, 135, 9)
    seat.ctx.call.intent_count = 0
    api.cancel(seat.ctx, 3)
    row: Any = seat.ctx.intents[0]
    assert {n: int(row[n]) for n in row.dtype.names if row[n]} == {"action": CANCEL, "order_id": 3}
