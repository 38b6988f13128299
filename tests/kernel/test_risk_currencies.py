"""Limits over several currencies and accounts: all money in the currency of the first account, at recorded rates."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.decide_nb import decide_nb
from kernel.emit_nb import OUTPUT
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.ledger_nb import OK
from kernel.records import new_record
from kernel.risk import numbers as n
from kernel.risk.watch_nb import watch_nb
from kernel.state import new_state
from kernel.strategy.context import INTENT, SUBMIT
from kernel.units import RATE_SCALE
from tests.kernel.desk import BY_NAME, NO_LIMITS
from tests.reference.kernel.common import half_even

USD, EUR, JPY = range(3)
EUR_USD, JPY_USD, JPY_EUR = (EUR, USD, 11, 10), (JPY, USD, 1, 100), (JPY, EUR, 1, 110)
CASH = 1_000_000


class MoneyDesk:
    """Instruments in USD, EUR and JPY at 100; strategy 0 in a USD account (the first), strategy 1 in a EUR account."""

    def __init__(self, *stated: tuple[int, int, int, int], **rules: int) -> None:
        self.state, self.output = new_state(), new_record(OUTPUT)
        self.now_ns = 1
        self.apply(c.RunOpened(3, 2, 0, 0, 0))
        for currency in (USD, EUR, JPY):
            self.apply(c.CurrencyDefined(currency, 2))
        self.apply(c.AccountDefined(USD, 0, 0, 0))
        self.apply(c.AccountDefined(EUR, 0, 0, 0), account=1)
        for rate in stated:
            self.apply(c.RateStated(*rate))
        for instrument in range(3):
            self.apply(c.InstrumentDefined(instrument, 1, 1, 1), instrument)
        for instrument in range(3):
            self.apply(c.BookAssigned(1), instrument, 1)
        self.apply(NO_LIMITS)
        self.apply(c.CashDeposited(USD, CASH))
        self.apply(c.CashDeposited(EUR, CASH), account=1)
        for name, value in {"refuse_self_trade": 1, **rules}.items():
            self.apply(c.RiskRuleSet(BY_NAME[name], value))
        for instrument in range(3):
            self.bar(100, instrument)

    def apply(self, event: c.Event, instrument: int = -1, strategy: int = -1, account: int = 0) -> None:
        sequence = int(self.state.head.next_sequence)
        stored = Stored(sequence, self.now_ns, self.now_ns, 0, instrument, strategy, account, event)
        assert apply_nb(self.state, encode(stored)[0]) == OK, event

    def bar(self, ticks: int, instrument: int) -> None:
        self.apply(c.BarClosed(ticks, ticks, ticks, ticks, 1, 0), instrument)

    def submit(self, lots: int, instrument: int, strategy: int = 0, limit: int = 0) -> tuple[int, int, int]:
        since = int(self.output.count)
        intent = new_record(INTENT)
        intent.action, intent.side, intent.quantity_lots = SUBMIT, 1 if lots > 0 else -1, abs(lots)
        intent.order_type, intent.time_in_force = life.LIMIT if limit else life.MARKET, life.GTC
        intent.instrument, intent.limit_ticks = instrument, limit
        assert decide_nb(self.state, self.output, strategy, intent) == OK
        verdict: Any = decode(self.output.records[int(self.output.count) - 1]).event
        assert since < int(self.output.count)
        return verdict.check, verdict.limit, verdict.value

    def hold(self, lots: int, instrument: int, strategy: int = 0) -> None:
        side = 1 if lots > 0 else -1
        order_id = int(self.state.head.next_sequence)
        self.apply(c.OrderIntended(side, 1, 1, abs(lots), 0, 0, 0), instrument, strategy)
        self.apply(c.RiskChecked(order_id, 0, 0, 0), instrument, strategy)
        price = int(self.state.instruments[instrument].last_ticks)
        self.apply(c.OrderFilled(order_id, side, price, abs(lots), 0, 0, 1, 1), instrument, strategy)

    def watch(self) -> list[c.Event]:
        since = int(self.output.count)
        assert watch_nb(self.state, self.output, 0) == OK
        return [decode(record).event for record in self.output.records[since : self.output.count]]


def full(**rules: int) -> MoneyDesk:
    return MoneyDesk(EUR_USD, JPY_USD, JPY_EUR, **rules)


PERCENT = RATE_SCALE // 100
# name, rules, what is held (lots, instrument, strategy), the order, the verdict
ROWS: list[tuple[str, dict[str, int], list[tuple[int, int, int]], tuple[int, int, int], tuple[int, int, int]]] = [
    ("a symbol in euros", {"symbol_exposure": 1099}, [], (10, EUR, 0), (n.SYMBOL_EXPOSURE, 1099, 1100)),
    ("at its limit", {"symbol_exposure": 1100}, [], (10, EUR, 0), (0, 0, 0)),
    ("a symbol over two accounts", {"symbol_exposure": 1649}, [(5, EUR, 1)], (10, EUR, 0),
     (n.SYMBOL_EXPOSURE, 1649, 1650)),
    ("yen by way of euros", {"symbol_exposure": 109}, [], (110, JPY, 1), (n.SYMBOL_EXPOSURE, 109, 110)),
    ("a strategy over currencies", {"strategy_exposure": 3189}, [(10, USD, 0), (100, JPY, 0)], (19, EUR, 0),
     (n.STRATEGY_EXPOSURE, 3189, 3190)),
    ("an account in its own currency", {"total_exposure": 2199}, [(10, EUR, 1)], (10, EUR, 1),
     (n.TOTAL_EXPOSURE, 2199, 2200)),
    ("the other account does not count", {"total_exposure": 1000}, [(10, EUR, 1)], (10, USD, 0), (0, 0, 0)),
    ("a share of the equity of all accounts", {"symbol_share_percent": PERCENT}, [], (211, USD, 0),
     (n.SYMBOL_SHARE, PERCENT, 1_004_762)),
    ("at that share", {"symbol_share_percent": PERCENT}, [], (210, USD, 0), (0, 0, 0)),
    ("leverage is that of the account", {"leverage": RATE_SCALE}, [(9_000, EUR, 1)], (1_001, EUR, 1),
     (n.LEVERAGE, RATE_SCALE, 100_010_000)),
    ("leverage of the other", {"leverage": RATE_SCALE}, [(9_000, EUR, 1)], (1_001, USD, 0), (0, 0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rules", "held", "order", "verdict"), ROWS, ids=[row[0] for row in ROWS])
def test_limits_are_in_the_first_currency(
    name: str, rules: dict[str, int], held: Any, order: Any, verdict: tuple[int, int, int]
) -> None:
    desk = full(**rules)
    for position in held:
        desk.hold(*position)
    assert desk.submit(*order) == verdict


def test_the_plain_limits_too() -> None:
    desk = full()
    desk.apply(c.LimitsSet(0, 1099, 0, 0, 0, 0, 0))
    assert desk.submit(10, EUR) == (n.ORDER_NOTIONAL, 1099, 1100)
    assert desk.submit(9, EUR) == (0, 0, 0)
    desk.apply(c.LimitsSet(0, 0, 1099, 0, 0, 0, 0))
    assert desk.submit(10, EUR, 1) == (n.POSITION_NOTIONAL, 1099, 1100)
    assert desk.submit(10, USD, 1) == (0, 0, 0)


@pytest.mark.parametrize(
    ("stated", "order", "currency"),
    [
        ((), (1, EUR, 0), EUR),
        ((JPY_USD,), (1, EUR, 0), EUR),
        ((EUR_USD,), (1, JPY, 0), JPY),
        ((EUR_USD, JPY_USD), (1, JPY, 1), JPY),  # nothing leads from yen to the euros of the account
        ((JPY_EUR,), (1, JPY, 1), EUR),  # from yen to euros, but not on to the first account
    ],
)
def test_a_missing_rate_refuses_and_says_which(stated: Any, order: Any, currency: int) -> None:
    desk = MoneyDesk(*stated)
    assert desk.submit(*order) == (n.RATE_UNKNOWN, 0, currency)
    assert desk.submit(1, USD)[0] == 0, "what needs no rate goes on"
    full_desk = full()
    assert full_desk.submit(*order)[0] == 0


def test_what_reduces_needs_no_rate() -> None:
    desk = MoneyDesk(EUR_USD, JPY_EUR)
    desk.hold(5, EUR, 1)
    desk.state.rates[EUR * 8 + USD].denominator = 0
    assert desk.submit(1, EUR, 1) == (n.RATE_UNKNOWN, 0, EUR)
    assert desk.submit(-5, EUR, 1) == (0, 0, 0)


def exposed(desk: MoneyDesk) -> list[int]:
    state = desk.state
    symbols = [int(state.risk_symbols[at].exposure_minor) for at in range(3)]
    return [*symbols, *(int(state.risk_accounts[at].exposure_minor) for at in range(2))]


def test_a_new_rate_moves_what_is_held() -> None:
    desk = full()
    desk.hold(10, EUR, 0)
    desk.hold(20, EUR, 1)
    assert exposed(desk) == [0, 3300, 0, 1100, 2200]
    desk.apply(c.RateSet(EUR, USD, 12, 10), USD)
    assert exposed(desk) == [0, 3600, 0, 1200, 2400], "by market data"
    desk.apply(c.RateStated(EUR, USD, 2, 1))
    assert exposed(desk) == [0, 6000, 0, 2000, 4000], "by statement"
    desk.apply(c.RateSourceDefined(EUR, USD, 1, 100), USD)
    desk.bar(150, USD)
    assert exposed(desk) == [0, 4500, 0, 1500, 3000], "by the price of an instrument that states it"


def test_an_own_order_in_another_account_is_no_self_trade() -> None:
    desk = full(refuse_self_trade=1)
    desk.submit(-5, EUR, 1, limit=100)
    assert desk.submit(5, EUR, 0) == (0, 0, 0)
    other = MoneyDesk(EUR_USD, refuse_self_trade=1)
    other.submit(-5, EUR, 0, limit=100)
    assert other.submit(5, EUR, 0)[0] == n.SELF_TRADE


def test_drift_is_measured_in_one_currency() -> None:
    desk = full(drift_percent=5 * PERCENT, kill_level=2)
    desk.apply(c.VenuePositionReported(500), EUR, account=1)
    assert desk.watch() == [], "5 % of the euros of that account"
    desk.apply(c.VenuePositionReported(501), EUR, account=1)
    assert desk.watch() == [c.KillSwitchTripped(2, n.DRIFT, 5 * PERCENT, 5_010_000)]


def naive(desk: MoneyDesk, rates: dict[tuple[int, int], Fraction]) -> list[int]:
    """The totals from the books alone."""
    symbols, accounts = [0, 0, 0], [0, 0]
    for strategy in range(2):
        for instrument in range(3):
            book = desk.state.positions[strategy * 3 + instrument]
            held = int(book.quantity_lots)
            lots = max(abs(held + int(book.pending_buy_lots)), abs(held - int(book.pending_sell_lots)))
            money = lots * int(desk.state.instruments[instrument].last_ticks)
            base = (USD, EUR)[strategy]
            if instrument != USD:
                if instrument != base:
                    money = half_even(money * rates[instrument, base])
                if base != USD:
                    money = half_even(money * rates[base, USD])
            symbols[instrument] += money
            accounts[strategy] += money
    return [*symbols, *accounts]


STEPS = generators.lists(
    generators.tuples(
        generators.sampled_from(["order", "fill", "rate", "price"]),
        generators.integers(0, 2),
        generators.integers(0, 1),
        generators.integers(-50, 50).filter(bool),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_totals_are_those_of_the_books_after_any_history(steps: list[tuple[str, int, int, int]]) -> None:
    desk = full()
    rates = {(source, to): Fraction(above, below) for source, to, above, below in (EUR_USD, JPY_USD, JPY_EUR)}
    pairs = list(rates)
    for what, instrument, strategy, number in steps:
        if what == "order":
            desk.submit(number, instrument, strategy, limit=100)
        elif what == "fill":
            desk.hold(number, instrument, strategy)
        elif what == "price":
            desk.bar(100 + number, instrument)
        else:
            source, to = pairs[instrument]
            rates[source, to] = Fraction(100 + number, 77)
            desk.apply(c.RateSet(source, to, 100 + number, 77), instrument)
        assert exposed(desk) == naive(desk, rates)
