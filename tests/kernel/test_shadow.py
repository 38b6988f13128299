"""Shadow accounts: prices, costs and refusals row by row, and over random histories that they never have an order."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.decide_nb import decide_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.ledger_nb import MISMATCH, OK, total_nb
from kernel.plans import FIXED_LOTS
from kernel.risk import numbers as n
from kernel.risk.rules import CONSECUTIVE_LOSSES, KILL_LEVEL, SYMBOL_EXPOSURE
from kernel.risk.watch_nb import watch_nb
from kernel.strategy.context import INTENT, SUBMIT
from kernel.units import RATE_SCALE
from tests.kernel.signal_desk import EQUITY, PRICE, SignalDesk, told
from tests.reference.kernel.common import half_even

REAL, PAPER = 0, 1
FEE, SLIPPAGE = RATE_SCALE // 1000, RATE_SCALE // 50


def shadow_desk(fee: int = 0, slippage: int = 0, **options: Any) -> SignalDesk:
    """Strategy 0 trades for real, strategy 1 on paper, each with a million."""
    desk = SignalDesk(accounts=2, shadow=1, **options)
    for instrument in range(3):
        desk.apply(c.BookAssigned(1), instrument, PAPER)
    desk.apply(c.ShadowTermsSet(fee, slippage))
    return desk


def ask(desk: SignalDesk, strategy: int = PAPER, **wish: int) -> list[Any]:
    intent = np.zeros(1, INTENT)[0]
    plain = {"action": SUBMIT, "side": 1, "order_type": life.MARKET, "time_in_force": life.GTC, "quantity_lots": 5}
    for name, value in (plain | wish).items():
        intent[name] = value
    first = int(desk.output.count)
    desk.stamp()
    assert decide_nb(desk.state, desk.output, strategy, intent) == OK
    return [stored.event for stored in desk.since(first)]


# bid, ask, last; side; slippage in ticks of the price 100; the price
PRICES = [
    ("the last price", None, 1, 0, 100),
    ("the last price", None, -1, 0, 100),
    ("the offer", (98, 104), 1, 0, 104),
    ("the bid", (98, 104), -1, 0, 98),
    ("slippage is against it", None, 1, SLIPPAGE, 102),
    ("slippage is against it", None, -1, SLIPPAGE, 98),
    ("on top of the touch", (100, 150), 1, SLIPPAGE, 153),
    ("at least a tick", None, 1, 1, 101),
    ("half to even", (25, 75), -1, SLIPPAGE, 24),
]


@pytest.mark.parametrize(("name", "quote", "side", "slippage", "price"), PRICES)
def test_the_price_of_a_fill_on_paper(name: str, quote: Any, side: int, slippage: int, price: int) -> None:
    desk = shadow_desk(FEE, slippage)
    if quote:
        desk.apply(c.QuoteSeen(quote[0], 1, quote[1], 1), 0)
    fill, position = ask(desk, side=side, quantity_lots=1000)
    fee = half_even(Fraction(1000 * price * FEE, RATE_SCALE))
    assert (fill.price_ticks, fill.fee_minor, fill.quantity_lots, fill.liquidity) == (price, fee, 1000, life.SHADOW)
    assert (position.quantity_lots, position.fees_minor) == (side * 1000, fee)
    assert (desk.lots(strategy=PAPER), int(desk.state.head.order_count)) == (side * 1000, 0)


REFUSED = [
    ("a limit", {"order_type": life.LIMIT, "limit_ticks": 90}, n.SHADOW_ORDER),
    ("a stop", {"order_type": life.STOP, "stop_ticks": 120}, n.SHADOW_ORDER),
    ("a group", {"group_role": life.OCO, "group_size": 2}, n.SHADOW_ORDER),
    ("nothing", {"quantity_lots": 0}, n.INVALID_ORDER),
    ("no side", {"side": 0}, n.INVALID_ORDER),
    ("a leg", {"leg": 1}, n.INVALID_ORDER),
    ("nothing to reduce", {"instructions": life.REDUCE_ONLY}, n.REDUCE_ONLY),
    ("more than it can pay", {"quantity_lots": EQUITY // PRICE + 1}, n.BUYING_POWER),
    ("an instrument without a price", {"instrument": 2}, n.NO_MARKET),
]


@pytest.mark.parametrize(("name", "wish", "check"), REFUSED)
def test_what_a_shadow_account_does_not_trade(name: str, wish: dict[str, int], check: int) -> None:
    desk = shadow_desk(price=0)
    desk.apply(c.LimitsSet(0, 0, 0, 0, RATE_SCALE, 0, 0))
    desk.bar(PRICE)
    (refusal, *_) = ask(desk, **wish)
    assert isinstance(refusal, c.RequestRefused)
    assert refusal.check == check
    assert ask(desk, quantity_lots=EQUITY // PRICE)[0].quantity_lots == EQUITY // PRICE, "all that it can pay"


def test_a_market_that_is_halted_trades_nothing() -> None:
    desk = shadow_desk()
    desk.apply(c.StatusChanged(1), 0)
    assert ask(desk)[0].check == n.HALTED
    desk.apply(c.StatusChanged(3), 0)
    assert isinstance(ask(desk)[0], c.ShadowFilled), "an auction takes orders"


def test_reduce_only_is_cut_and_close_position_takes_all() -> None:
    desk = shadow_desk()
    ask(desk, quantity_lots=7)
    assert ask(desk, side=-1, quantity_lots=9, instructions=life.REDUCE_ONLY)[0].quantity_lots == 7
    ask(desk, side=-1, quantity_lots=3)
    closed = ask(desk, side=0, quantity_lots=0, instructions=life.CLOSE_POSITION)
    assert (closed[0].side, closed[0].quantity_lots) == (1, 3)
    assert [type(event) for event in closed] == [c.ShadowFilled, c.PositionChanged, c.TradeClosed]


def test_signals_targets_and_exits_trade_on_paper_with_their_cause() -> None:
    desk = shadow_desk()
    desk.size(FIXED_LOTS, PAPER, quantity_lots=4)
    desk.protect(PAPER, stop_rate=RATE_SCALE // 10)
    (signal,) = desk.signal(1, strategy=PAPER)
    target, fill, _ = desk.targets()
    assert (target.cause, fill.cause) == (signal.sequence, target.sequence)
    assert isinstance(fill.event, c.ShadowFilled)
    sequence = desk.bar(80)
    exit_, left, _, trip = desk.exits(cause=sequence)
    assert (exit_.cause, left.cause, trip.cause) == (sequence, exit_.sequence, left.sequence)
    assert (left.event.purpose, trip.event.realised_minor) == (life.EXIT_ORDER, -80)
    assert desk.lots(strategy=PAPER) == 0


def test_a_refused_target_is_due_again() -> None:
    desk = shadow_desk()
    desk.apply(c.StatusChanged(1), 0)
    desk.size(FIXED_LOTS, PAPER, quantity_lots=4)
    desk.signal(1, strategy=PAPER)
    assert [type(one.event) for one in desk.targets()] == [c.PortfolioTarget, c.RequestRefused]
    assert desk.row(strategy=PAPER).due == 1
    desk.now_ns += 60 * 10**9
    desk.apply(c.StatusChanged(0), 0)
    assert told(desk.targets(), c.ShadowFilled)


def test_no_order_for_a_shadow_book_is_ever_booked() -> None:
    desk = shadow_desk()
    event = c.OrderIntended(1, life.MARKET, life.GTC, 5, 0, 0, 0)
    record = encode(Stored(int(desk.state.head.next_sequence), 0, 0, 0, 0, PAPER, 1, event))
    assert apply_nb(desk.state.copy(), record[0]) == MISMATCH
    paper = c.ShadowFilled(int(desk.state.head.next_sequence), 1, 100, 5, 0, 0, life.SHADOW, 1, 0, 0)
    record = encode(Stored(paper.order_id, 0, 0, 0, 0, REAL, 0, paper))
    assert apply_nb(desk.state.copy(), record[0]) == MISMATCH, "nor a fill on paper in a real one"


def test_shadow_accounts_stay_out_of_risk_and_totals() -> None:
    desk = shadow_desk()
    for rule, value in ((SYMBOL_EXPOSURE, 50 * PRICE), (CONSECUTIVE_LOSSES, 1), (KILL_LEVEL, 3)):
        desk.apply(c.RiskRuleSet(rule, value))
    ask(desk, quantity_lots=1000)
    assert isinstance(ask(desk, REAL, quantity_lots=50)[1], c.RiskChecked), "the paper does not count in the exposure"
    assert int(desk.state.risk_symbols[0].exposure_minor) == 50 * PRICE
    desk.fill_all()
    desk.bar(60)
    assert total_nb(desk.state)[0] == EQUITY - 50 * 40
    assert int(desk.state.accounts[1].cash_minor + desk.state.accounts[1].value_minor) == EQUITY - 1000 * 40
    ask(desk, side=-1, quantity_lots=1000)
    assert (int(desk.state.risk.loss_streak), int(desk.state.head.trade_count)) == (0, 0)
    assert int(desk.state.head.shadow_trade_count) == 1
    ask(desk, quantity_lots=10)
    desk.apply(c.KillSwitchRequested(3, 1))
    first = int(desk.output.count)
    assert watch_nb(desk.state, desk.output, 0) == OK
    flattened = [stored for stored in desk.since(first) if isinstance(stored.event, c.OrderIntended)]
    assert [stored.strategy for stored in flattened] == [REAL]
    assert isinstance(ask(desk, quantity_lots=1)[0], c.ShadowFilled), "the switch stops real entries alone"


STEPS = generators.lists(
    generators.tuples(
        generators.sampled_from(["bar", "quote", "order", "signal", "exits", "status", "kill"]),
        generators.integers(0, 2),
        generators.integers(-1, 1),
        generators.integers(1, 200),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_shadow_book_never_has_an_order_and_its_money_adds_up(steps: list[tuple[str, int, int, int]]) -> None:
    desk = shadow_desk(FEE, SLIPPAGE)
    desk.protect(PAPER, stop_rate=RATE_SCALE // 20, trail_rate=RATE_SCALE // 20)
    cash, held = EQUITY, [0, 0, 0]
    for action, instrument, side, number in steps:
        first = int(desk.output.count)
        desk.now_ns += 10**9
        if action == "bar":
            desk.bar(50 + number, instrument=instrument)
        elif action == "quote":
            desk.apply(c.QuoteSeen(50 + number, 1, 51 + 2 * number, 1), instrument)
        elif action == "order":
            ask(desk, instrument=instrument, side=side, quantity_lots=number, order_type=1 + number % 3 // 2)
        elif action == "signal":
            desk.signal(side, RATE_SCALE, instrument=instrument, strategy=PAPER)
            desk.targets()
        elif action == "exits":
            desk.exits(instrument)
        elif action == "status":
            desk.apply(c.StatusChanged(number % 4), instrument)
        else:
            desk.apply(c.KillSwitchRequested(1 + number % 3, 1))
            desk.stamp()
            assert watch_nb(desk.state, desk.output, instrument) == OK
        for stored in desk.since(first):
            assert not (stored.type.topic.startswith("execution.") and not isinstance(stored.event, c.RequestRefused))
            if isinstance(stored.event, c.ShadowFilled):
                fill = stored.event
                cash -= fill.side * fill.quantity_lots * fill.price_ticks + fill.fee_minor
                held[stored.instrument] += fill.side * fill.quantity_lots
        assert int(desk.state.head.order_count) == 0
        assert int(desk.state.accounts[1].cash_minor) == cash
        assert [desk.lots(instrument, PAPER) for instrument in range(3)] == held
        assert total_nb(desk.state)[0] == EQUITY
