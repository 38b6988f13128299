"""From signals to targets to orders: what is sized how, in which order, and what is crossed."""

import pytest

from kernel import lifecycle as life
from kernel.events import catalogue as c
from kernel.plans import (
    ATR_RISK,
    CONFIDENCE_WEIGHT,
    EQUAL_WEIGHT,
    EQUITY_SHARE,
    FIXED_LOTS,
    METHODS,
    PERCENT,
    RECORDED_WEIGHT,
)
from kernel.portfolio_nb import MOST_RECORDS
from kernel.risk.numbers import STALE
from kernel.risk.rules import STALE_AFTER
from kernel.units import RATE_SCALE
from tests.kernel.signal_desk import EQUITY, SignalDesk, told


def orders_of(events: list[c.Event]) -> list[tuple[int, int, int]]:
    """``(strategy, instrument, signed lots)`` of the orders that were wanted."""
    return [
        (stored.strategy, stored.instrument, stored.event.side * stored.event.quantity_lots)
        for stored in events
        if isinstance(stored.event, c.OrderIntended)
    ]


def test_a_signal_becomes_a_target_and_an_order_each_with_its_cause() -> None:
    desk = SignalDesk()
    desk.size(FIXED_LOTS, quantity_lots=7)
    (signal,) = desk.signal(-1)
    target, order, verdict = desk.targets()
    assert signal.event == c.SignalEmitted(-1, RATE_SCALE, RATE_SCALE, 0, 0, 0, -1)
    assert target.event == c.PortfolioTarget(FIXED_LOTS, EQUITY, 100, -1, RATE_SCALE, 0, -7)
    assert (order.event.side, order.event.quantity_lots, order.event.order_type) == (life.SELL, 7, life.MARKET)
    assert (target.cause, order.cause, verdict.cause) == (signal.sequence, target.sequence, order.sequence)
    assert desk.state.head.targets_due == 0
    assert desk.targets() == []


def test_without_a_plan_a_signal_takes_95_percent_of_equity() -> None:
    desk = SignalDesk()
    desk.signal(1)
    assert told(desk.targets(), c.PortfolioTarget)[0].target_lots == 9_500


def test_only_a_signal_that_says_something_new_asks_for_a_target() -> None:
    desk = SignalDesk()
    desk.signal(1)
    desk.targets()
    desk.fill_all()
    desk.bar(110)
    desk.signal(1, stop_ticks=90, measure_e8=5)
    assert desk.state.head.targets_due == 0
    assert (desk.row().stop_ticks, desk.row().measure_e8) == (90, 5)
    desk.signal(1, limit_ticks=150)
    assert (desk.row().stop_ticks, desk.row().target_ticks) == (90, 150)  # a stop stays until another is named
    desk.signal(1, RATE_SCALE // 2)
    assert desk.state.head.targets_due == 1
    desk.signal(-1, RATE_SCALE // 2)
    assert (desk.row().stop_ticks, desk.row().target_ticks) == (0, 0)
    assert desk.state.head.targets_due == 1


def test_what_is_on_its_way_counts_as_there() -> None:
    desk = SignalDesk()
    desk.size(FIXED_LOTS, quantity_lots=7)
    desk.signal(1)
    desk.targets()
    desk.signal(0)
    assert orders_of(desk.targets()) == [(0, 0, -7)]
    desk.fill_all()
    assert desk.lots() == 0


def test_a_flat_signal_of_an_empty_book_is_a_target_without_an_order() -> None:
    desk = SignalDesk()
    desk.signal(1)
    desk.signal(0)
    (target,) = desk.targets()
    assert target.event.target_lots == 0


def test_a_turn_trades_both_ways_at_once() -> None:
    desk = SignalDesk()
    desk.size(FIXED_LOTS, quantity_lots=5)
    desk.hold(5)
    desk.signal(-1)
    assert orders_of(desk.targets()) == [(0, 0, -10)]


def test_atr_risk_with_its_defaults_is_capped_at_five_percent() -> None:
    desk = SignalDesk()
    desk.size(ATR_RISK)
    desk.signal(1, measure_e8=25 * RATE_SCALE)  # 10,000 over a stop of 50 is 200 lots
    assert told(desk.targets(), c.PortfolioTarget)[0].target_lots == 200
    desk.signal(-1, measure_e8=RATE_SCALE)  # 5,000 lots by risk, 500 by the cap
    assert told(desk.targets(), c.PortfolioTarget)[0].target_lots == -500


def test_a_book_without_a_price_waits_for_one() -> None:
    desk = SignalDesk(price=0)
    desk.signal(1)
    assert desk.targets() == []
    desk.bar(100)
    assert len(told(desk.targets(), c.PortfolioTarget)) == 1


def test_equal_weights_are_over_all_signals_of_the_strategy_and_sum_exactly() -> None:
    desk = SignalDesk()
    desk.divide(EQUAL_WEIGHT, 90 * PERCENT)
    desk.signal(1, instrument=0)
    targets = told(desk.targets(), c.PortfolioTarget)
    assert [(target.weight_rate, target.target_lots) for target in targets] == [(RATE_SCALE, 9_000)]
    desk.fill_all()
    desk.signal(1, instrument=1)
    desk.signal(-1, instrument=2)
    events = desk.targets()
    targets = told(events, c.PortfolioTarget)
    assert sorted(target.weight_rate for target in targets) == [33_333_333, 33_333_333, 33_333_334]
    # The book that shrinks comes first; then those that grow, by instrument.
    assert orders_of(events) == [(0, 0, -6_000), (0, 1, 2_999), (0, 2, -2_999)]
    assert {stored.strategy for stored in events} == {0}


def test_weights_by_confidence() -> None:
    desk = SignalDesk()
    desk.divide(CONFIDENCE_WEIGHT)
    desk.signal(1, 60 * PERCENT, instrument=0)
    desk.signal(1, 20 * PERCENT, instrument=1)
    assert [target.weight_rate for target in told(desk.targets(), c.PortfolioTarget)] == [75 * PERCENT, 25 * PERCENT]


def test_recorded_weights_move_the_books_that_have_a_signal() -> None:
    desk = SignalDesk()
    desk.divide(RECORDED_WEIGHT, 50 * PERCENT)
    desk.apply(c.WeightSet(40 * PERCENT), 0)
    assert desk.state.head.targets_due == 0
    desk.signal(1)
    assert told(desk.targets(), c.PortfolioTarget)[0].target_lots == 2_000
    desk.fill_all()
    desk.apply(c.WeightSet(10 * PERCENT), 0)
    weight_sequence = int(desk.state.head.next_sequence) - 1
    events = desk.targets()
    assert orders_of(events) == [(0, 0, -1_500)]
    assert events[0].cause == weight_sequence
    desk.apply(c.WeightSet(10 * PERCENT), 0)
    assert desk.state.head.targets_due == 0


def test_the_cap_and_the_confidence_of_the_sizing_plan_hold_for_weights_too() -> None:
    desk = SignalDesk()
    desk.divide(EQUAL_WEIGHT)
    desk.size(EQUITY_SHARE, cap_rate=20 * PERCENT, by_confidence=1)
    desk.signal(1, 50 * PERCENT)
    assert told(desk.targets(), c.PortfolioTarget)[0].target_lots == 1_000


def test_orders_that_shrink_a_book_come_before_those_that_grow_one() -> None:
    desk = SignalDesk()
    desk.size(FIXED_LOTS, quantity_lots=5)
    desk.signal(1, instrument=2)
    desk.targets()
    desk.fill_all()
    desk.signal(1, instrument=0)
    desk.signal(0, instrument=2)
    assert [(strategy, instrument) for strategy, instrument, _ in orders_of(desk.targets())] == [(0, 2), (0, 0)]


def test_more_than_a_transaction_holds_goes_on_at_the_next_event() -> None:
    desk = SignalDesk(instruments=150, strategies=1)
    desk.size(FIXED_LOTS, quantity_lots=1)
    for instrument in range(150):
        desk.signal(1, instrument=instrument)
    first = desk.targets()
    assert MOST_RECORDS < len(first) <= MOST_RECORDS + 3
    assert desk.state.head.targets_due == 150 - len(first) // 3
    desk.targets()
    assert desk.state.head.targets_due == 0
    assert desk.state.head.order_count == 150


# --- crossing ---


def crossing_desk(*wants: int) -> SignalDesk:
    """Strategies that net, each with a signal for so many lots of instrument 0."""
    desk = SignalDesk(strategies=len(wants))
    for strategy, lots in enumerate(wants):
        desk.divide(0, net=1, strategy=strategy)
        desk.size(FIXED_LOTS, strategy, quantity_lots=abs(lots))
        desk.signal(1 if lots > 0 else -1, strategy=strategy)
    return desk


@pytest.mark.parametrize(
    ("wants", "crossed"),
    [
        ((10, -10), (10, -10)),
        ((10, -4), (4, -4)),
        ((10, 5, -6), (4, 2, -6)),
        ((7, 7, 7, -10), (4, 3, 3, -10)),  # the lot that is left goes to the first
        ((-1, 9), (-1, 1)),
        ((10, 5), (0, 0)),
        ((5, -3, -3), (5, -3, -2)),
    ],
)
def test_opposite_orders_trade_with_each_other_first(wants: tuple[int, ...], crossed: tuple[int, ...]) -> None:
    desk = crossing_desk(*wants)
    events = desk.targets()
    assert tuple(desk.lots(strategy=strategy) for strategy in range(len(wants))) == crossed
    assert sum(crossed) == 0
    left = {int(order.strategy): int(order.side * (order.quantity_lots - order.filled_lots)) for order in
            desk.state.orders[: desk.state.head.order_count]}  # fmt: skip
    assert left == {place: want - done for place, (want, done) in enumerate(zip(wants, crossed, strict=True))
                    if want != done}  # fmt: skip
    assert len({sign > 0 for sign in left.values()}) <= 1, "what leaves is on one side"
    assert desk.state.accounts[0].cash_minor == EQUITY
    crosses = told(events, c.OrderCrossed)
    assert {cross.liquidity for cross in crosses} <= {life.INTERNAL}
    assert {cross.fee_minor for cross in crosses} <= {0}
    assert sum(cross.side * cross.quantity_lots for cross in crosses) == 0
    assert len({cross.trade_id for cross in crosses}) <= 1


def test_each_strategy_keeps_its_own_book_and_profit() -> None:
    desk = crossing_desk(10, -10)
    desk.targets()
    desk.bar(110)
    assert [int(desk.state.positions[book].value_minor - desk.state.positions[book].cost_minor) for book in (0, 3)] == [
        100, -100]  # fmt: skip
    desk.signal(0, strategy=0)
    desk.signal(0, strategy=1)
    events = desk.targets()
    assert [int(desk.state.positions[book].realised_minor) for book in (0, 3)] == [100, -100]
    assert [stored.strategy for stored in events if isinstance(stored.event, c.TradeClosed)] == [0, 1]
    assert desk.state.head.order_count == 0
    assert desk.state.accounts[0].cash_minor == EQUITY


def test_only_strategies_that_net_are_crossed() -> None:
    desk = crossing_desk(10, -10)
    desk.divide(0, net=0, strategy=1)
    assert told(desk.targets(), c.OrderCrossed) == []
    assert desk.state.head.order_count == 2


def test_strategies_of_different_accounts_do_not_trade_with_each_other() -> None:
    desk = SignalDesk(strategies=3, price=0, accounts=2)
    for strategy, wanted in enumerate((10, -10, -4)):
        desk.divide(0, net=1, strategy=strategy)
        desk.size(FIXED_LOTS, strategy, quantity_lots=abs(wanted))
    for instrument in range(3):
        desk.apply(c.BookAssigned(1), instrument, 1)
    desk.bar(100)
    for strategy, wanted in enumerate((10, -10, -4)):
        desk.signal(1 if wanted > 0 else -1, strategy=strategy)
    crosses = [(stored.strategy, stored.event.quantity_lots) for stored in desk.targets()
               if isinstance(stored.event, c.OrderCrossed)]  # fmt: skip
    assert crosses == [(2, 4), (0, 4)], "the first and the third, who share one"


def test_a_refused_order_is_not_crossed() -> None:
    desk = crossing_desk(10, -10)
    desk.apply(c.LimitsSet(9, 0, 0, 0, 0, 0, 0))
    assert told(desk.targets(), c.OrderCrossed) == []
    assert (desk.state.head.order_count, desk.lots(), desk.lots(strategy=1)) == (0, 0, 0)


def test_every_method_has_a_test() -> None:
    assert set(METHODS) == {0, EQUAL_WEIGHT, CONFIDENCE_WEIGHT, RECORDED_WEIGHT}


# --- a target that is refused ---------------------------------------------------------------------------------------

MINUTE = 60 * 10**9


def attempts(desk: SignalDesk, minutes: int) -> list[int]:
    """In which minutes an order for the target was asked for; a price comes each half minute."""
    found = []
    for half in range(2 * minutes + 1):
        desk.now_ns = half * MINUTE // 2
        desk.bar(100)
        if told(desk.targets(), c.PortfolioTarget):
            found.append(half / 2)
    return found


def refusing_desk() -> SignalDesk:
    desk = SignalDesk()
    desk.size(FIXED_LOTS, quantity_lots=10)
    desk.apply(c.LimitsSet(9, 0, 0, 0, 0, 0, 0))
    desk.signal(1)
    return desk


def test_a_refused_target_is_tried_again_each_minute_for_five() -> None:
    desk = refusing_desk()
    assert attempts(desk, 9) == [0, 1, 2, 3, 4, 5]
    assert desk.state.head.targets_due == 0, "then it waits for a signal that says something new"
    desk.signal(1)
    assert desk.targets() == []
    desk.signal(1, PERCENT)
    assert told(desk.targets(), c.PortfolioTarget)


def test_a_rule_says_when_it_is_too_old() -> None:
    desk = refusing_desk()
    desk.apply(c.RiskRuleSet(STALE_AFTER, 2 * MINUTE))
    assert attempts(desk, 9) == [0, 1, 2]


def test_it_is_ordered_once_nothing_refuses_it_any_more() -> None:
    desk = refusing_desk()
    attempts(desk, 1)
    desk.apply(c.LimitsSet(0, 0, 0, 0, 0, 0, 0))
    desk.now_ns = 2 * MINUTE
    desk.bar(100)
    (order,) = told(desk.targets(), c.OrderIntended)
    assert (order.side, order.quantity_lots) == (life.BUY, 10)
    desk.fill_all()
    assert attempts(desk, 9) == []
    assert desk.lots() == 10


def test_the_venue_may_refuse_it_too() -> None:
    desk = SignalDesk()
    desk.size(FIXED_LOTS, quantity_lots=10)
    desk.signal(1)
    desk.targets()
    desk.apply(c.OrderRejected(int(desk.state.orders[0].order_id), life.REJECT_BY_VENUE), 0, 0)
    assert desk.targets() == []
    desk.now_ns = MINUTE
    desk.bar(100)
    assert told(desk.targets(), c.OrderIntended)


def test_an_old_target_is_not_ordered() -> None:
    """A book that waited too long for a price: the target is set, and its order is stale."""
    desk = SignalDesk(price=0)
    desk.apply(c.RiskRuleSet(STALE_AFTER, 5 * MINUTE))
    desk.size(FIXED_LOTS, quantity_lots=10)
    desk.now_ns = 1
    desk.signal(1)
    assert desk.targets() == []
    desk.now_ns = 5 * MINUTE + 2
    desk.bar(100)
    found = desk.targets()
    assert told(found, c.RequestRefused) == [c.RequestRefused(0, STALE, 5 * MINUTE, 5 * MINUTE + 1)]
    assert desk.state.head.targets_due == 0


def test_a_strategys_own_order_that_is_refused_is_not_tried_again() -> None:
    desk = refusing_desk()
    desk.apply(c.LimitsSet(0, 0, 0, 0, 0, 0, 0))
    desk.targets()
    order_id = int(desk.state.head.next_sequence)
    desk.apply(c.OrderIntended(life.BUY, life.MARKET, life.GTC, 1, 0, 0, 0), 0, 0)
    desk.apply(c.RiskChecked(order_id, STALE, 0, 0), 0, 0)
    assert desk.state.head.targets_due == 0
