"""The pre-trade checks: each is reachable, says its limit and what it saw, and comes in its place."""

from typing import Any

import numpy as np
import pytest

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.decide_nb import decide_nb
from kernel.emit_nb import OUTPUT
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.exact_nb import OVERFLOW
from kernel.ledger_nb import OK
from kernel.records import new_record
from kernel.risk import numbers as risk
from kernel.state import new_state
from kernel.strategy.context import CANCEL, INTENT, REPLACE, SET_TIMER, SUBMIT
from kernel.tables.table import MAX_LOTS, MAX_ORDERS, MAX_TIMERS
from kernel.units import RATE_SCALE

CASH = 1_000_000
PRICE = 100
NO_LIMITS = {
    "order_lots": 0,
    "order_notional_minor": 0,
    "position_notional_minor": 0,
    "price_band_rate": 0,
    "margin_rate": 0,
    "cost_buffer_rate": 0,
    "open_orders": 0,
}


class Desk:
    """A state with two instruments at 100 and two strategies, whose intents go through ``decide``."""

    def __init__(self, *, price: int = PRICE, ratio: tuple[int, int] = (1, 1), **limits: int) -> None:
        self.state = new_state()
        self.output = new_record(OUTPUT)
        self.apply(c.RunOpened(2, 2, 0, 0, 0))
        for instrument in range(2):
            self.apply(c.InstrumentDefined(0, *ratio, 1), instrument)
        self.apply(c.CashDeposited(0, CASH))
        self.limit(**limits)
        if price:
            for instrument in range(2):
                self.price(price, instrument)

    def apply(self, event: c.Event, instrument: int = -1, strategy: int = -1) -> None:
        sequence = int(self.state.head.next_sequence)
        record = encode(Stored(sequence, 1, 1, 0, instrument, strategy, 0, event))
        assert apply_nb(self.state, record[0]) == OK

    def price(self, ticks: int, instrument: int = 0) -> None:
        self.apply(c.BarClosed(ticks, ticks, ticks, ticks, 1, 0), instrument)

    def limit(self, **limits: int) -> None:
        self.apply(c.LimitsSet(**{**NO_LIMITS, **limits}))

    def events(self, since: int) -> list[Stored]:
        return [decode(record) for record in self.output.records[since : self.output.count]]

    def intent(self, **wish: int) -> Any:
        intent = np.zeros(1, INTENT)[0]
        for name, value in wish.items():
            intent[name] = value
        return intent

    def submit(
        self, side: int, lots: int, *, order_type: int = life.MARKET, limit: int = 0, stop: int = 0,
        time_in_force: int = life.GTC, strategy: int = 0, instrument: int = 0, **terms: int,
    ) -> tuple[int, int, int, int]:  # fmt: skip
        """``(check, limit, value, order id)`` of the verdict or refusal."""
        since = int(self.output.count)
        intent = self.intent(
            action=SUBMIT, side=side, quantity_lots=lots, order_type=order_type, limit_ticks=limit, stop_ticks=stop,
            time_in_force=time_in_force, instrument=instrument, **terms,
        )  # fmt: skip
        assert decide_nb(self.state, self.output, strategy, intent) == OK
        verdict = self.events(since)[-1].event
        assert isinstance(verdict, c.RiskChecked | c.RequestRefused)
        approved = verdict.check == risk.APPROVED
        return verdict.check, verdict.limit, verdict.value, verdict.order_id if approved else 0

    def ask(self, action: int, order_id: int, lots: int = 0, limit: int = 0, *, strategy: int = 0) -> c.Event:
        since = int(self.output.count)
        intent = self.intent(action=action, order_id=order_id, quantity_lots=lots, limit_ticks=limit)
        assert decide_nb(self.state, self.output, strategy, intent) == OK
        return self.events(since)[-1].event

    def take(self, order_id: int) -> None:
        self.apply(c.OrderAccepted(order_id))

    def fill(self, order_id: int, lots: int, *, price: int = PRICE, instrument: int = 0, strategy: int = 0) -> None:
        order = next(order for order in self.state.orders if order.order_id == order_id)
        leaves = int(order.quantity_lots - order.filled_lots) - lots
        event = c.OrderFilled(order_id, int(order.side), price, lots, leaves, 0, 1, 1)
        self.apply(event, instrument, strategy)

    def hold(self, lots: int, instrument: int = 0, strategy: int = 0) -> None:
        """Come to a position with no limit in the way."""
        limits = dict(zip(NO_LIMITS, self.state.limits.tolist(), strict=True))
        self.limit()
        side = 1 if lots > 0 else -1
        *_, order_id = self.submit(side, abs(lots), instrument=instrument, strategy=strategy)
        self.fill(order_id, abs(lots), instrument=instrument, strategy=strategy)
        self.limit(**limits)


FULL = RATE_SCALE
# name, limits, what is there already, the order, (check, limit, value)
ROWS: list[tuple[str, dict[str, int], Any, dict[str, int], tuple[int, int, int]]] = [
    ("all halted", {}, lambda d: d.apply(c.TradingHalted(1)), {"lots": 1}, (risk.HALTED, 0, 1)),
    ("one halted", {}, lambda d: d.apply(c.TradingHalted(1), 0), {"lots": 1}, (risk.HALTED, 0, 1)),
    ("liquidated", {}, lambda d: d.apply(c.LiquidationStarted(1, 2)), {"lots": 1}, (risk.HALTED, 0, 1)),
    ("side", {}, None, {"side": 2, "lots": 3}, (risk.INVALID_ORDER, 0, 3)),
    ("no side", {}, None, {"side": 0, "lots": 3}, (risk.INVALID_ORDER, 0, 3)),
    ("type 0", {}, None, {"lots": 3, "order_type": 0}, (risk.INVALID_ORDER, 0, 3)),
    ("type 9", {}, None, {"lots": 3, "order_type": 9}, (risk.INVALID_ORDER, 0, 3)),
    ("time in force 0", {}, None, {"lots": 3, "time_in_force": 0}, (risk.INVALID_ORDER, 0, 3)),
    ("time in force 8", {}, None, {"lots": 3, "time_in_force": 8}, (risk.INVALID_ORDER, 0, 3)),
    ("an unknown instruction", {}, None, {"lots": 3, "instructions": 8}, (risk.INVALID_ORDER, 0, 3)),
    ("nothing to reduce", {}, None, {"lots": 3, "instructions": life.REDUCE_ONLY}, (risk.REDUCE_ONLY, 0, 3)),
    (
        "it would not reduce", {}, lambda d: d.hold(6), {"lots": 3, "instructions": life.REDUCE_ONLY},
        (risk.REDUCE_ONLY, 0, 3),
    ),
    ("it reduces", {}, lambda d: d.hold(-6), {"lots": 3, "instructions": life.REDUCE_ONLY}, (0, 0, 0)),
    ("nothing to close", {}, None, {"lots": 0, "instructions": life.CLOSE_POSITION}, (risk.REDUCE_ONLY, 0, 0)),
    ("no lots", {}, None, {"lots": 0}, (risk.INVALID_ORDER, 0, 0)),
    ("minus lots", {}, None, {"lots": -4}, (risk.INVALID_ORDER, 0, -4)),
    ("too many lots", {}, None, {"lots": MAX_LOTS + 1}, (risk.INVALID_ORDER, 0, MAX_LOTS + 1)),
    ("no such instrument", {}, None, {"lots": 3, "instrument": 2}, (risk.INVALID_ORDER, 0, 3)),
    ("limit below zero", {}, None, {"lots": 3, "limit": -5}, (risk.INVALID_ORDER, 0, 3)),
    ("stop below zero", {}, None, {"lots": 3, "stop": -5}, (risk.INVALID_ORDER, 0, 3)),
    ("market with limit", {}, None, {"lots": 3, "limit": 90}, (risk.INVALID_ORDER, 0, 3)),
    ("market with stop", {}, None, {"lots": 3, "stop": 90}, (risk.INVALID_ORDER, 0, 3)),
    ("limit without", {}, None, {"lots": 3, "order_type": life.LIMIT}, (risk.INVALID_ORDER, 0, 3)),
    ("stop without", {}, None, {"lots": 3, "order_type": life.STOP}, (risk.INVALID_ORDER, 0, 3)),
    (
        "stop-limit without stop", {}, None, {"lots": 3, "order_type": life.STOP_LIMIT, "limit": 9},
        (risk.INVALID_ORDER, 0, 3),
    ),
    ("zero price", {}, lambda d: d.price(0), {"lots": 1}, (risk.NO_MARKET, 0, 0)),
    ("price below zero", {}, lambda d: d.price(-7), {"lots": 1}, (risk.NO_MARKET, 0, -7)),
    ("one open already", {"open_orders": 1}, lambda d: d.submit(1, 1), {"lots": 1}, (risk.OPEN_ORDERS, 1, 2)),
    ("at the open limit", {"open_orders": 2}, lambda d: d.submit(1, 1), {"lots": 1}, (0, 0, 0)),
    ("lots", {"order_lots": 9}, None, {"lots": 10}, (risk.ORDER_QUANTITY, 9, 10)),
    ("at the lots limit", {"order_lots": 10}, None, {"lots": 10}, (0, 0, 0)),
    ("money", {"order_notional_minor": 999}, None, {"lots": 10}, (risk.ORDER_NOTIONAL, 999, 1000)),
    ("at the money limit", {"order_notional_minor": 1000}, None, {"lots": 10}, (0, 0, 0)),
    (
        "money at the limit price", {"order_notional_minor": 1000}, None,
        {"lots": 10, "order_type": life.LIMIT, "limit": 120}, (risk.ORDER_NOTIONAL, 1000, 1200),
    ),
    (
        "money of a lower limit", {"order_notional_minor": 999}, None,
        {"lots": 10, "order_type": life.LIMIT, "limit": 50}, (risk.ORDER_NOTIONAL, 999, 1000),
    ),
    ("money overflows", {}, None, {"lots": 2**54, "order_type": life.LIMIT, "limit": 999},
     (risk.ORDER_NOTIONAL, 0, OVERFLOW)),
    (
        "limit far away", {"price_band_rate": FULL // 10}, None,
        {"lots": 1, "order_type": life.LIMIT, "limit": 111}, (risk.PRICE_BAND, FULL // 10, 11 * FULL // 100),
    ),
    (
        "limit far below", {"price_band_rate": FULL // 10}, None,
        {"lots": 1, "order_type": life.LIMIT, "limit": 89}, (risk.PRICE_BAND, FULL // 10, 11 * FULL // 100),
    ),
    (
        "at the band", {"price_band_rate": FULL // 10}, None,
        {"lots": 1, "order_type": life.LIMIT, "limit": 110}, (0, 0, 0),
    ),
    (
        "the farther of limit and stop", {"price_band_rate": FULL // 10}, None,
        {"lots": 1, "order_type": life.STOP_LIMIT, "limit": 101, "stop": 80},
        (risk.PRICE_BAND, FULL // 10, FULL // 5),
    ),
    ("position", {"position_notional_minor": 999}, None, {"lots": 10}, (risk.POSITION_NOTIONAL, 999, 1000)),
    ("at the position limit", {"position_notional_minor": 1000}, None, {"lots": 10}, (0, 0, 0)),
    (
        "position with what is pending", {"position_notional_minor": 1000}, lambda d: d.submit(1, 6),
        {"lots": 5}, (risk.POSITION_NOTIONAL, 1000, 1100),
    ),
    (
        "position with what is held", {"position_notional_minor": 1000}, lambda d: d.hold(6),
        {"lots": 5}, (risk.POSITION_NOTIONAL, 1000, 1100),
    ),
    (
        "short position", {"position_notional_minor": 1000}, lambda d: d.hold(-6),
        {"side": -1, "lots": 5}, (risk.POSITION_NOTIONAL, 1000, 1100),
    ),
    ("margin", {"margin_rate": FULL}, None, {"lots": 10_001}, (risk.BUYING_POWER, CASH, 1_000_100)),
    ("all the margin", {"margin_rate": FULL}, None, {"lots": 10_000}, (0, 0, 0)),
    ("half margin", {"margin_rate": FULL // 2}, None, {"lots": 20_000}, (0, 0, 0)),
    ("half margin over", {"margin_rate": FULL // 2}, None, {"lots": 20_001}, (risk.BUYING_POWER, CASH, 1_000_050)),
    (
        "margin and costs", {"margin_rate": FULL, "cost_buffer_rate": FULL // 100}, None,
        {"lots": 10_000}, (risk.BUYING_POWER, CASH, 1_010_000),
    ),
    (
        "margin for what is pending", {"margin_rate": FULL}, lambda d: d.submit(1, 6_000),
        {"lots": 4_001}, (risk.BUYING_POWER, CASH, 1_000_100),
    ),
    (
        "margin for another book", {"margin_rate": FULL}, lambda d: d.submit(1, 6_000, instrument=1, strategy=1),
        {"lots": 4_001}, (risk.BUYING_POWER, CASH, 1_000_100),
    ),
    (
        "margin for a short", {"margin_rate": FULL}, lambda d: d.hold(-6_000),
        {"side": -1, "lots": 4_001}, (risk.BUYING_POWER, CASH, 1_000_100),
    ),
    (
        "the worse side counts", {"margin_rate": FULL}, lambda d: d.submit(-1, 6_000),
        {"side": 1, "lots": 10_000}, (0, 0, 0),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "limits", "before", "order", "verdict"), ROWS, ids=[row[0] for row in ROWS])
def test_check(name: str, limits: dict[str, int], before: Any, order: dict[str, int], verdict: tuple[int, ...]) -> None:
    desk = Desk(**limits)
    if before is not None:
        before(desk)
    assert desk.submit(**{"side": 1, **order})[:3] == verdict


def test_no_market_before_the_first_price() -> None:
    assert Desk(price=0).submit(1, 1)[:3] == (risk.NO_MARKET, 0, 0)


def test_limits_of_zero_are_off() -> None:
    assert Desk().submit(1, 10**12)[0] == risk.APPROVED


def test_precedence() -> None:
    """An order that breaks every rule is refused by the first; as each is mended, by the next."""
    band, rate = FULL // 100, FULL
    desk = Desk(
        order_lots=5, order_notional_minor=500, position_notional_minor=400, price_band_rate=band,
        margin_rate=rate, open_orders=1,
    )  # fmt: skip
    desk.hold(-1)
    desk.limit()
    desk.submit(-1, 1, order_type=life.LIMIT, limit=100)
    desk.apply(c.TradingHalted(1))
    desk.limit(
        order_lots=5, order_notional_minor=500, position_notional_minor=400, price_band_rate=band,
        margin_rate=rate, open_orders=1,
    )  # fmt: skip
    desk.price(0)
    broken = {"side": 7, "lots": 60, "order_type": life.LIMIT, "limit": 200}
    seen = [desk.submit(**broken)[0]]
    broken["side"] = 1
    seen.append(desk.submit(**broken)[0])
    desk.apply(c.TradingResumed(1))
    seen.append(desk.submit(**broken)[0])
    desk.price(PRICE)
    seen.append(desk.submit(**broken)[0])
    limits = {
        "order_lots": 5, "order_notional_minor": 500, "price_band_rate": band, "position_notional_minor": 400,
        "margin_rate": 100_000 * rate,
    }  # fmt: skip
    for mended in ("", "order_lots", "order_notional_minor", "price_band_rate", "position_notional_minor"):
        limits.pop(mended, None)
        desk.limit(**limits)
        seen.append(desk.submit(**broken)[0])
    desk.limit()
    seen.append(desk.submit(**broken)[0])
    assert seen == [
        risk.INVALID_ORDER, risk.HALTED, risk.NO_MARKET, risk.OPEN_ORDERS, risk.ORDER_QUANTITY,
        risk.ORDER_NOTIONAL, risk.PRICE_BAND, risk.POSITION_NOTIONAL, risk.BUYING_POWER, risk.APPROVED,
    ]  # fmt: skip


@pytest.mark.parametrize("held", [10, -10])
@pytest.mark.parametrize("lots", [1, 10, 20])
def test_reducing_orders_always_pass_margin_and_position(held: int, lots: int) -> None:
    """Up to the same size on the other side, a position does not become larger."""
    desk = Desk(margin_rate=FULL)
    desk.hold(held)
    desk.limit(margin_rate=10**6 * FULL, position_notional_minor=1)
    side = -1 if held > 0 else 1
    assert desk.submit(side, lots)[0] == risk.APPROVED


def test_beyond_the_other_side_margin_counts_again() -> None:
    desk = Desk(margin_rate=FULL)
    desk.hold(10)
    desk.limit(margin_rate=10**6 * FULL)
    assert desk.submit(-1, 21)[0] == risk.BUYING_POWER


def test_a_denied_order_leaves_nothing_pending() -> None:
    desk = Desk(order_lots=1)
    assert desk.submit(1, 5)[0] == risk.ORDER_QUANTITY
    assert desk.state.head.order_count == 0
    assert desk.state.positions[0].pending_buy_lots == 0


def test_the_table_of_orders_is_bounded() -> None:
    desk = Desk()
    for _ in range(MAX_ORDERS):
        assert desk.submit(1, 1)[0] == risk.APPROVED
    assert desk.submit(1, 1)[:3] == (risk.CAPACITY, MAX_ORDERS, MAX_ORDERS)


def test_the_table_of_timers_is_bounded() -> None:
    desk = Desk()
    for number in range(MAX_TIMERS + 1):
        since = int(desk.output.count)
        intent = desk.intent(action=SET_TIMER, tag=number, due_ns=100, interval_ns=0)
        assert decide_nb(desk.state, desk.output, 0, intent) == OK
    refused = desk.events(since)[-1].event
    assert refused == c.RequestRefused(0, risk.CAPACITY, MAX_TIMERS, MAX_TIMERS)
    intent = desk.intent(action=SET_TIMER, tag=3, due_ns=500, interval_ns=0)
    assert decide_nb(desk.state, desk.output, 0, intent) == OK
    assert isinstance(desk.events(since)[-1].event, c.TimerSet), "a timer that is set already can be moved"


@pytest.mark.parametrize(
    ("due_ns", "interval_ns", "allowed"),
    [(2, 0, True), (1, 0, False), (-3, 0, False), (2, 10**6, True), (2, 999_999, False), (2, -1, False), (0, 0, True)],
)
def test_a_timer_is_due_later_and_not_too_often(due_ns: int, interval_ns: int, allowed: bool) -> None:
    desk = Desk()  # where it is now 1
    since = int(desk.output.count)
    intent = desk.intent(action=SET_TIMER, tag=7, due_ns=due_ns, interval_ns=interval_ns)
    assert decide_nb(desk.state, desk.output, 0, intent) == OK
    refused = c.RequestRefused(0, risk.INVALID_TIMER, 1, due_ns)
    assert desk.events(since)[-1].event == (c.TimerSet(7, due_ns, interval_ns) if allowed else refused)


# --- cancel and replace ---------------------------------------------------------------------------------------------


def test_cancel_and_replace_need_an_open_order_of_the_strategy() -> None:
    desk = Desk()
    refused = c.RequestRefused(77, risk.NOT_OPEN, 0, 0)
    assert desk.ask(CANCEL, 77) == refused
    assert desk.ask(REPLACE, 77, 5, 90) == refused
    *_, order_id = desk.submit(1, 10, order_type=life.LIMIT, limit=90)
    assert desk.ask(CANCEL, order_id, strategy=1) == c.RequestRefused(order_id, risk.NOT_OPEN, 0, 0)
    assert desk.ask(REPLACE, order_id, 5, 90) == c.RequestRefused(order_id, risk.NOT_OPEN, 0, 0), "not accepted yet"
    desk.take(order_id)
    assert desk.ask(REPLACE, order_id, 5, 91) == c.ReplaceRequested(order_id, 5, 91, 0)
    assert desk.ask(REPLACE, order_id, 6, 91) == c.RequestRefused(order_id, risk.NOT_OPEN, 0, 0), "one at a time"
    assert desk.ask(CANCEL, order_id) == c.CancelRequested(order_id)
    assert desk.ask(CANCEL, order_id) == c.RequestRefused(order_id, risk.NOT_OPEN, 0, 0)


def test_cancel_passes_while_halted() -> None:
    desk = Desk()
    *_, order_id = desk.submit(1, 10, order_type=life.LIMIT, limit=90)
    desk.take(order_id)
    desk.apply(c.TradingHalted(1))
    assert desk.ask(REPLACE, order_id, 5, 91) == c.RequestRefused(order_id, risk.HALTED, 0, 1)
    assert desk.ask(CANCEL, order_id) == c.CancelRequested(order_id)


def test_replace_is_checked_as_the_order_that_it_makes() -> None:
    desk = Desk()
    *_, order_id = desk.submit(1, 10, order_type=life.LIMIT, limit=90)
    desk.take(order_id)
    desk.fill(order_id, 4, price=90)
    assert desk.ask(REPLACE, order_id, 4, 90) == c.RequestRefused(order_id, risk.INVALID_ORDER, 4, 4), "all filled"
    assert desk.ask(REPLACE, order_id, 9, 0) == c.RequestRefused(order_id, risk.INVALID_ORDER, 0, 5), "no limit"
    desk.limit(order_lots=5)
    assert desk.ask(REPLACE, order_id, 10, 90) == c.RequestRefused(order_id, risk.ORDER_QUANTITY, 5, 6)
    assert desk.ask(REPLACE, order_id, 9, 90) == c.ReplaceRequested(order_id, 9, 90, 0)


def test_replace_pays_margin_only_for_what_it_adds() -> None:
    desk = Desk(margin_rate=FULL)
    *_, order_id = desk.submit(1, 9_000, order_type=life.LIMIT, limit=100)
    desk.take(order_id)
    assert desk.ask(REPLACE, order_id, 10_001, 100) == c.RequestRefused(order_id, risk.BUYING_POWER, CASH, 1_000_100)
    assert desk.ask(REPLACE, order_id, 10_000, 100) == c.ReplaceRequested(order_id, 10_000, 100, 0)


def test_replace_does_not_count_as_one_more_open_order() -> None:
    desk = Desk(open_orders=1)
    *_, order_id = desk.submit(1, 10, order_type=life.LIMIT, limit=90)
    desk.take(order_id)
    assert desk.ask(REPLACE, order_id, 11, 90) == c.ReplaceRequested(order_id, 11, 90, 0)
