"""Targets that net and what they need: only what is left when opposite orders have traded takes buying power."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.events import catalogue as c
from kernel.ledger_nb import CASH
from kernel.plans import FIXED_LOTS
from kernel.portfolio_nb import MOST_DEFERRED_RECORDS
from kernel.risk import numbers as n
from kernel.risk.rules import ORDERS_PER_MINUTE, ORDERS_PER_SYMBOL_DAY
from kernel.units import RATE_SCALE
from tests.kernel.signal_desk import EQUITY, PRICE, SignalDesk, told
from tests.reference.netting import Desk

ALL_LOTS = EQUITY // PRICE  # what all equity carries


def want(desk: SignalDesk, strategy: int, lots: int, instrument: int = 0) -> None:
    """A signal that asks for so many lots, each time a new one."""
    desk.size(FIXED_LOTS, strategy, quantity_lots=abs(lots))
    confidence = int(desk.row(instrument, strategy).confidence_rate) % 7 + 1
    desk.signal((lots > 0) - (lots < 0), confidence, instrument=instrument, strategy=strategy)


def wanting(*lots: int, net: bool = True, rate: int = RATE_SCALE, **limits: int) -> SignalDesk:
    """A strategy for each number, which wants that many lots of instrument 0; margin is the whole price."""
    desk = SignalDesk(strategies=len(lots))
    for strategy, wanted in enumerate(lots):
        desk.divide(0, net=int(net), strategy=strategy)
        want(desk, strategy, wanted)
    none = dict.fromkeys(c.LimitsSet.__struct_fields__, 0)
    desk.apply(c.LimitsSet(**{**none, "margin_rate": rate, **limits}))
    return desk


def held(desk: SignalDesk) -> list[int]:
    return [desk.lots(strategy=strategy) for strategy in range(int(desk.state.head.strategy_count))]


def verdicts(desk: SignalDesk) -> dict[int, int]:
    """The check of each order that is decided now, by strategy."""
    found = [stored for stored in desk.targets() if isinstance(stored.event, c.RiskChecked)]
    return {stored.strategy: stored.event.check for stored in found}


# lots wanted, the strategies that are refused
ROWS: list[tuple[str, tuple[int, ...], set[int]]] = [
    ("what trades with each other needs nothing", (90_000, -90_000), set()),
    ("the rest takes all equity", (16_000, -6_000), set()),
    ("the rest is a lot too much; the other fits alone", (16_001, -6_000), {0}),
    ("the same the other way around", (-6_000, 16_001), {1}),
    ("a short rest", (6_000, -16_000), set()),
    ("a short rest too much", (6_000, -16_001), {1}),
    ("the last one that does not fit is refused", (5_000, 5_000, 5_000), {2}),
    ("and then one more", (9_000, 9_000, 9_000), {1, 2}),
    ("two carry the third", (12_000, 8_000, -10_000), set()),
    ("who relied on one that is refused is refused too", (30_000, -10_000, -9_999), {0, 2}),
    ("and the last one may be the one too much", (-20_001, 30_000, -20_001), {2}),
    ("one fits without it", (8_000, 5_000, -2_999), {1}),
]


@pytest.mark.parametrize(("name", "lots", "refused"), ROWS, ids=[row[0] for row in ROWS])
def test_only_the_rest_needs_power(name: str, lots: tuple[int, ...], refused: set[int]) -> None:
    desk = wanting(*lots)
    assert verdicts(desk) == {strategy: n.BUYING_POWER * (strategy in refused) for strategy in range(len(lots))}
    desk.fill_all()
    assert held(desk) == [0 if strategy in refused else wanted for strategy, wanted in enumerate(lots)]


def test_without_netting_each_needs_its_own() -> None:
    assert verdicts(wanting(9_000, -9_000, net=False)) == {0: 0, 1: n.BUYING_POWER}


def test_a_strategy_that_does_not_net_counts_by_itself() -> None:
    desk = wanting(9_000, -9_000, 1_001)
    desk.divide(0, net=0, strategy=2)
    assert verdicts(desk) == {0: 0, 1: 0, 2: 0}, "the others need nothing"
    desk = wanting(9_000, -9_000, 10_001)
    desk.divide(0, net=0, strategy=2)
    assert verdicts(desk) == {0: 0, 1: 0, 2: n.BUYING_POWER}


def test_the_verdict_says_what_was_needed() -> None:
    events = told(wanting(16_001, -6_000).targets(), c.RiskChecked)
    assert [(event.check, event.limit, event.value) for event in events] == [
        (n.BUYING_POWER, EQUITY, 10_001 * PRICE), (0, 0, 0)]  # fmt: skip


def test_costs_are_those_of_the_rest() -> None:
    """One percent on top: 9,900 lots and their costs fit, 9,901 and theirs do not."""
    one_percent = RATE_SCALE // 100
    assert set(verdicts(wanting(15_900, -6_000, cost_buffer_rate=one_percent)).values()) == {0}
    assert verdicts(wanting(15_901, -6_000, cost_buffer_rate=one_percent)) == {0: n.BUYING_POWER, 1: 0}
    assert set(verdicts(wanting(10_000, -10_000, cost_buffer_rate=one_percent)).values()) == {0}


def test_a_refusal_for_another_reason_takes_away_what_the_others_relied_on() -> None:
    desk = wanting(16_000, -6_000, order_lots=15_999)
    assert verdicts(desk) == {0: n.ORDER_QUANTITY, 1: 0}
    desk = wanting(12_000, -13_000, order_lots=12_500)
    assert verdicts(desk) == {0: n.BUYING_POWER, 1: n.ORDER_QUANTITY}, "nobody sells to it"
    assert held(desk) == [0, 0]


def test_positions_that_net_leave_power_for_more() -> None:
    for lots, check in ((19_000, 0), (19_001, n.BUYING_POWER)):
        desk = wanting(9_000, -9_000)
        desk.targets()
        want(desk, 0, lots)
        assert verdicts(desk) == {0: check}, "less the 9,000 that the other is short"


def test_an_order_of_a_strategy_itself_counts_the_position_too() -> None:
    desk = wanting(9_000, -9_000)
    desk.targets()
    desk.divide(0, net=0, strategy=1)
    want(desk, 0, 10_000)
    assert verdicts(desk) == {0: n.BUYING_POWER}, "two books of 9,000 that do not net any more"


def test_what_makes_its_book_smaller_passes_though_the_position_grows() -> None:
    desk = wanting(19_000, -9_000)
    desk.targets()
    desk.fill_all()
    want(desk, 1, 0)
    assert verdicts(desk) == {1: 0}
    desk.fill_all()
    assert held(desk) == [19_000, 0]
    want(desk, 0, 19_001)
    assert verdicts(desk) == {0: n.BUYING_POWER}
    want(desk, 0, 18_000)
    assert verdicts(desk) == {0: 0}


def cash_desk(first: int, second: int) -> SignalDesk:
    """A cash account whose first strategy holds all that its money bought, at one price."""
    desk = SignalDesk(strategies=2)
    desk.state.accounts[0].mode = CASH
    desk.hold(ALL_LOTS, strategy=0)
    for strategy, lots in enumerate((first, second)):
        desk.divide(0, net=1, strategy=strategy)
        want(desk, strategy, lots)
    return desk


def test_a_sale_pays_for_a_purchase_of_the_same_moment() -> None:
    desk = cash_desk(0, ALL_LOTS)
    assert verdicts(desk) == {0: 0, 1: 0}
    assert held(desk) == [0, ALL_LOTS]
    assert desk.state.accounts[0].cash_minor == 0
    desk = cash_desk(0, ALL_LOTS + 1)
    assert verdicts(desk) == {0: 0, 1: n.BUYING_POWER}
    desk = cash_desk(6_000, 4_001)
    assert verdicts(desk) == {0: 0, 1: n.BUYING_POWER}, "4,000 are sold"


def test_more_than_a_transaction_holds_goes_on_at_the_next_event() -> None:
    desk = SignalDesk(instruments=100, strategies=2)
    for strategy in range(2):
        desk.divide(0, net=1, strategy=strategy)
        desk.size(FIXED_LOTS, strategy, quantity_lots=1)
        for instrument in range(100):
            desk.signal(1, instrument=instrument, strategy=strategy)
    first = desk.targets()
    orders = len(told(first, c.OrderIntended))
    assert MOST_DEFERRED_RECORDS < 2 * orders <= MOST_DEFERRED_RECORDS + 2
    assert len(told(first, c.RiskChecked)) == orders
    desk.targets()
    assert desk.state.head.targets_due == 0
    assert desk.state.head.order_count == 200


def test_throttles_count_orders_that_wait_together() -> None:
    desk = wanting(5, -5, 5)
    desk.apply(c.RiskRuleSet(ORDERS_PER_MINUTE, 2))
    assert verdicts(desk) == {0: 0, 1: 0, 2: n.ORDER_RATE}
    desk = wanting(5, -5, 5)
    want(desk, 2, 5, instrument=1)
    desk.apply(c.RiskRuleSet(ORDERS_PER_SYMBOL_DAY, 2))
    events = [stored for stored in desk.targets() if isinstance(stored.event, c.RiskChecked)]
    assert {(stored.strategy, stored.instrument): stored.event.check for stored in events} == {
        (0, 0): 0, (1, 0): 0, (2, 0): n.SYMBOL_ORDERS, (2, 1): 0}  # fmt: skip


MOMENTS = generators.lists(
    generators.dictionaries(generators.integers(0, 3), generators.integers(-25_000, 25_000), min_size=1),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(MOMENTS, generators.sampled_from([RATE_SCALE, RATE_SCALE // 3]), generators.booleans())
def test_verdicts_and_books_are_those_of_the_naive_twin(moments: list[dict[int, int]], rate: int, fills: bool) -> None:
    desk = wanting(0, 0, 0, 0, rate=rate)
    desk.targets()
    twin = Desk(PRICE, EQUITY, Fraction(rate, RATE_SCALE), [0] * 4)
    for moment in moments:
        for strategy, lots in moment.items():
            want(desk, strategy, lots)
        missing = {strategy: twin.missing(strategy, lots) for strategy, lots in sorted(moment.items())}
        # Those that make their book smaller are intended first.
        grows = {s: twin.held[s] * lots >= 0 for s, lots in missing.items()}
        asked = {s: missing[s] for s in sorted(missing, key=lambda s: (grows[s], s)) if missing[s]}
        approved, before = twin.settle(asked), twin.needed({})
        found = verdicts(desk)
        assert found == {s: 0 if s in approved else n.BUYING_POWER for s in asked}
        twin.cross(approved)
        if fills:
            desk.fill_all()
            twin.fill()
        assert held(desk) == twin.held
        if all(grows[strategy] for strategy in approved):
            assert twin.needed({}) <= max(before, EQUITY), "no entry takes what is needed beyond what there is"
        assert desk.state.accounts[0].cash_minor + desk.state.accounts[0].value_minor == EQUITY
