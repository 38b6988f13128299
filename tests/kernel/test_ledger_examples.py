"""The ledger against figures that others published, and against the invariants after every event.

Sources: Bybit help centre, "P&L calculations (Inverse Contracts)", "Funding Fee Calculation" and "Maintenance Margin
(Inverse Contract)"; funding rates as published by Bybit for 13 December 2022; Apple's 7-for-1 split of 9 June 2014.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from kernel.apply_nb import apply_nb
from kernel.consequences_nb import consequences_nb, has_consequences_nb
from kernel.emit_nb import OUTPUT
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.instruments import EQUITY, FUTURE, INVERSE_PERPETUAL, PERPETUAL, SPOT
from kernel.ledger_check_nb import SOUND, ledger_problem_nb
from kernel.ledger_nb import OK, equity_nb
from kernel.market import ROW, ROW_WORDS
from kernel.records import new_record
from kernel.state import new_state

DAY_NS = 86_400 * 10**9
COIN = 10**8


class Desk:
    """One strategy, usually one instrument; the ledger is checked after every event."""

    status = OK  # what consequences are to return

    def __init__(
        self, contract: int, numerator: int, denominator: int, deposit: int, *, instruments: int = 1, **more: int
    ) -> None:
        self.state, self.output, self.now_ns = new_state(), new_record(OUTPUT), 0
        self.feed(c.RunOpened(instruments, 1, 0, 0, 0))
        for instrument in range(instruments):
            self.feed(c.InstrumentDefined(0, numerator, denominator, 1, contract, **more), instrument)
        self.feed(c.CashDeposited(0, deposit))

    @property
    def balance(self) -> Any:
        return self.state.balances[0]

    @property
    def position(self) -> Any:
        return self.state.positions[0]

    @property
    def equity(self) -> int:
        return int(equity_nb(self.state.accounts[0]))

    def feed(self, event: c.Event, instrument: int = -1, strategy: int = -1) -> int:
        self.now_ns += 1
        sequence = int(self.state.head.next_sequence)
        record = encode(Stored(sequence, self.now_ns, self.now_ns, 0, instrument, strategy, 0, event))[0]
        status = int(apply_nb(self.state, record))
        assert status == OK
        assert ledger_problem_nb(self.state) == SOUND
        return sequence

    def trade(self, side: int, lots: int, price: int, fee: int = 0, instrument: int = 0) -> None:
        order = self.feed(c.OrderIntended(side, 1, 1, lots, 0, 0, 0), instrument, 0)
        self.feed(c.RiskChecked(order, 0, 0, 0), instrument, 0)
        self.feed(c.OrderFilled(order, side, price, lots, 0, fee, 1, 1), instrument, 0)

    def fill_last(self, price: int) -> None:
        """The open order that came last is filled."""
        row = self.state.orders[int(self.state.head.order_count) - 1]
        order, side, lots, instrument = (int(row[n]) for n in ("order_id", "side", "quantity_lots", "instrument"))
        self.feed(c.OrderFilled(order, side, price, lots, 0, 0, 1, 1), instrument, 0)

    def market(self, event: c.Event, wait_ns: int = 0, instrument: int = 0) -> list[c.Event]:
        """A market event; what it led to."""
        self.now_ns += wait_ns
        sequence = self.feed(event, instrument)
        kind, row = encode(Stored(1, 0, 0, 0, 0, 0, 0, event))[0], np.zeros(1, ROW)[0]
        row["instrument"] = instrument
        row["words"][:] = kind["words"][:ROW_WORDS]
        output = self.output
        output.count, output.cause, output.ts_event_ns, output.ts_ingest_ns = 0, sequence, self.now_ns, self.now_ns
        if has_consequences_nb(self.state.head, int(kind["kind"])):
            assert consequences_nb(self.state, output, row, int(kind["kind"])) == self.status
        assert ledger_problem_nb(self.state) == SOUND
        return [decode(output.records[at]).event for at in range(int(output.count))]

    def price(self, ticks: int, instrument: int = 0) -> list[c.Event]:
        return self.market(c.TradeSeen(ticks, 1, 0), 0, instrument)


# 10,000 contracts of one dollar bought at 8,000 and sold at 12,500: 1.25 - 0.8 = 0.45 BTC.
# 1,000 at 5,000 with the last price at 5,500: 0.01818181... BTC, not realised.
@pytest.mark.parametrize(
    ("lots", "entry", "last", "profit"),
    [
        (10_000, 8_000, 12_500, Fraction(45, 100)),
        (1_000, 5_000, 5_500, Fraction(1_000) / 5_000 - Fraction(1_000) / 5_500),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_profit_of_an_inverse_perpetual(side: int, lots: int, entry: int, last: int, profit: Fraction) -> None:
    desk = Desk(INVERSE_PERPETUAL, COIN, 1, 5 * COIN)
    desk.trade(side, lots, entry)
    assert desk.balance.cash_minor == 5 * COIN, "nothing is paid for a contract"
    desk.price(last)
    expected = side * profit * COIN
    assert abs(desk.equity - 5 * COIN - expected) <= 1
    desk.trade(-side, lots, last)
    assert abs(desk.balance.realised_minor - expected) <= 1
    assert desk.balance.cash_minor == desk.equity == 5 * COIN + desk.balance.realised_minor


def test_average_entry_of_an_inverse_perpetual() -> None:
    """1,000 at 5,000 and 2,000 at 6,000: 3,000 / 0.53333334 BTC = 5,625."""
    desk = Desk(INVERSE_PERPETUAL, COIN, 1, COIN)
    desk.trade(1, 1_000, 5_000)
    desk.trade(1, 2_000, 6_000)
    assert desk.position.cost_minor == -53_333_333
    assert round(Fraction(3_000 * COIN, -int(desk.position.cost_minor))) == 5_625


def test_tiers_of_maintenance_margin() -> None:
    """10,000 contracts at 400 are 25 coins: 10 * 1% + 10 * 2% + 5 * 3% = 0.45, which is 25 * 3% - 0.3."""
    desk = Desk(INVERSE_PERPETUAL, COIN, 1, 10 * COIN)
    deductions = (0, 10, 30, 60, 100)
    for tier, deduction in enumerate(deductions, 1):
        desk.feed(c.MarginTierSet(tier * 10 * COIN, 10**7, tier * 10**6, deduction * COIN // 100), 0)
    desk.trade(1, 10_000, 400)
    desk.price(400)
    assert desk.state.accounts[0].maintenance_minor == 45 * COIN // 100
    assert desk.state.accounts[0].initial_minor == 250 * COIN // 100  # leverage 10


# Bybit BTCUSDT on 13 December 2022: three rates of that day, at a mark of 17,000 for 2 BTC.
@pytest.mark.parametrize("rate", ["-0.0002016", "-0.00022398", "-0.00038555", "0.0001"])
@pytest.mark.parametrize("side", [1, -1])
def test_funding_is_value_times_rate(rate: str, side: int) -> None:
    desk = Desk(PERPETUAL, 1_000, 1, 10**12)  # ticks of 1, lots of 0.001, six decimals
    desk.trade(side, 2_000, 17_000)
    scaled = int(Fraction(rate) * 10**8)
    (paid,) = desk.market(c.FundingDue(scaled, 17_000, DAY_NS // 3))
    assert isinstance(paid, c.FundingPaid)
    assert paid.value_minor == side * 34_000 * 10**6
    assert paid.amount_minor == side * Fraction(rate) * 34_000 * 10**6
    assert desk.balance.cash_minor == 10**12 - paid.amount_minor
    assert desk.position.income_minor == -paid.amount_minor


def test_a_real_split_and_a_real_dividend() -> None:
    """Apple, raw prices: 3.29 a share on 8 May 2014, 7 for 1 on 9 June at 645.57; a short position pays."""
    desk = Desk(EQUITY, 10_000, 1, 10**11)  # ticks of a cent, lots of one share
    desk.trade(1, 100, 59_233)
    desk.price(59_233)
    (dividend,) = desk.market(c.CorporateAction(1, 3_290_000, 1))
    assert dividend == c.DividendPaid(0, 100, 3_290_000, 1, 329_000_000)
    desk.price(64_557)
    before = desk.equity
    split = desk.market(c.CorporateAction(2, 7, 1))[0]
    assert split == c.SplitApplied(0, 100, 700, 7, 1, 0, 0)
    assert desk.position.cost_minor == 100 * 59_233 * 10_000, "the cost stays"
    assert abs(desk.equity - before) <= 700 * 10_000, "the price is adjusted, to a tick a share"
    assert desk.state.instruments[0].last_ticks == 9_222
    assert desk.balance.dividends_minor == desk.position.income_minor == 329_000_000


def test_what_is_left_of_a_lot_is_paid_out() -> None:
    desk = Desk(EQUITY, 1, 1, 10_000)
    desk.trade(-1, 7, 100)
    desk.price(100)
    split = desk.market(c.CorporateAction(2, 1, 2))[0]
    assert split == c.SplitApplied(0, -7, -3, 1, 2, -100, 0)
    assert (desk.position.cost_minor, desk.position.quantity_lots) == (-600, -3)
    assert desk.equity == 10_000
    events = desk.market(c.CorporateAction(2, 1, 10))
    assert [type(event).__name__ for event in events] == ["SplitApplied", "PositionChanged", "TradeClosed"]
    assert desk.position.quantity_lots == desk.position.cost_minor == desk.balance.cost_minor == 0


def test_a_future_is_settled_at_its_last_price() -> None:
    desk = Desk(FUTURE, 1, 1, 10_000, expiry_ns=DAY_NS)
    desk.trade(-1, 10, 100)
    desk.feed(c.OrderIntended(1, 2, 1, 5, 90, 0, 0), 0, 0)
    desk.price(80)
    events = desk.market(c.TradeSeen(500, 1, 0), 2 * DAY_NS)
    assert desk.state.instruments[0].expired == 1
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["ContractSettled", "PositionChanged", "TradeClosed", "ContractExpired"]
    assert events[0] == c.ContractSettled(0, -10, 80), "a price after the expiry is none of it"
    assert desk.balance.realised_minor == 200


def test_borrow_and_interest_over_a_weekend() -> None:
    """Three instants of accrual: three days each, by exact day count."""
    desk = Desk(SPOT, 1, 1, 10**9)
    desk.feed(c.TermsSet(0, 0, 5 * 10**6, 0), 0)
    desk.feed(c.InterestSet(0, 2 * 10**6, 0))
    desk.feed(c.AccrualSet(DAY_NS, 365))
    desk.trade(-1, 1_000, 1_000)
    desk.price(1_000)
    events = desk.market(c.TradeSeen(1_000, 1, 0), 3 * DAY_NS)
    borrow, interest, done = events
    assert borrow == c.BorrowPaid(0, 10**6, 5 * 10**6, 3, round(Fraction(10**6 * 5 * 3, 100 * 365)))
    cash = 10**9 + 10**6 - borrow.amount_minor
    assert interest == c.InterestPaid(0, cash, 2 * 10**6, 3, round(Fraction(cash * 2 * 3, 100 * 365)))
    assert done == c.AccrualDone(4 * DAY_NS, 3)
    assert desk.price(1_000) == []


def test_the_largest_loss_goes_first() -> None:
    """Equity 100 - 60 = 40 under a maintenance margin of 47: a call, then the liquidation of the position."""
    desk = Desk(PERPETUAL, 1, 1, 100)
    desk.feed(c.TermsSet(2 * 10**7, 5 * 10**6, 0, 10**6), 0)
    desk.feed(c.MarginRulesSet(125 * 10**6))
    desk.trade(1, 10, 100)
    assert desk.price(100) == []
    events = desk.price(94)
    assert [type(event).__name__ for event in events] == [
        "MarginCalled", "LiquidationStarted", "OrderIntended", "RiskChecked",
    ]  # fmt: skip
    assert events[0] == c.MarginCalled(40, 47)
    assert events[2] == c.OrderIntended(-1, 1, 1, 10, 0, 0, 0, 2, 2, 0)
    assert desk.price(93) == [], "it is being closed"
