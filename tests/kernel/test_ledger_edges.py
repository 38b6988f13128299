"""The ledger at its edges, each worked out by hand: tiers, liquidation, expiry, accrual, conversion, splits."""

from pathlib import Path

import pytest

from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.instruments import EQUITY, FUTURE, INVERSE_PERPETUAL, PERPETUAL, SPOT
from kernel.ledger_nb import MISMATCH, MONEY_OVERFLOW, OK, UNKNOWN_RATE
from kernel.lifecycle import REDUCE_ONLY
from kernel.state import new_state
from kernel.tables.ledger import DEBIT, LEDGER_ACCOUNTS
from kernel.tables.risk import WINDOW_BARS
from tests.kernel.test_ledger_examples import COIN, DAY_NS, Desk

PERCENT = 10**6


@pytest.mark.parametrize(("side", "paid"), [(1, 20_000), (-1, -20_000)])
def test_funding_of_an_inverse_perpetual_is_paid_in_coins(side: int, paid: int) -> None:
    """10,000 contracts at a mark of 5,000 are 2 BTC; 0.01 % of them are 0.0002 BTC, which the long pays."""
    desk = Desk(INVERSE_PERPETUAL, COIN, 1, 5 * COIN)
    desk.trade(side, 10_000, 4_000)
    (event,) = desk.market(c.FundingDue(10_000, 5_000, DAY_NS // 3))
    assert event == c.FundingPaid(0, side * 10_000, side * 2 * COIN, 10_000, 5_000, paid)
    assert desk.balance.cash_minor == 5 * COIN - paid


def test_funding_without_a_mark_goes_by_the_last_price() -> None:
    desk = Desk(PERPETUAL, 1, 1, 10**6)
    desk.trade(1, 10, 1_000)
    desk.price(1_100)
    (event,) = desk.market(c.FundingDue(PERCENT, 0, DAY_NS // 3))
    assert event == c.FundingPaid(0, 10, 11_000, PERCENT, 1_100, 110)


def test_a_short_position_pays_the_dividend() -> None:
    desk = Desk(EQUITY, 1, 1, 10_000)
    desk.trade(-1, 7, 100)
    desk.price(100)
    (event,) = desk.market(c.CorporateAction(1, 5, 2))
    assert event == c.DividendPaid(0, -7, 5, 2, -18), "17.5, half to even"
    assert desk.balance.dividends_minor == -18
    assert desk.balance.cash_minor == 10_000 + 700 - 18


@pytest.mark.parametrize(
    ("price", "initial", "maintenance"),
    [(100, 100, 10), (101, 202, 10), (200, 400, 30), (201, 1_005, 30), (999, 4_995, 270)],
)
def test_a_position_on_the_limit_of_a_tier_is_in_it(price: int, initial: int, maintenance: int) -> None:
    """10 lots. Up to 1,000: 10 % and 1 %; up to 2,000: 20 % and 2 % less 10; above: 50 % and 3 % less 30, for ever.

    1,010 * 2 % is 20.2, rounded to 20, less 10; 9,990 * 3 % is 299.7, rounded to 300, less 30.
    """
    desk = Desk(PERPETUAL, 1, 1, 10**6)
    desk.feed(c.MarginTierSet(1_000, 10 * PERCENT, PERCENT, 0), 0)
    desk.feed(c.MarginTierSet(2_000, 20 * PERCENT, 2 * PERCENT, 10), 0)
    desk.feed(c.MarginTierSet(3_000, 50 * PERCENT, 3 * PERCENT, 30), 0)
    desk.trade(1, 10, 100)
    desk.price(price)
    assert (int(desk.position.initial_minor), int(desk.position.maintenance_minor)) == (initial, maintenance)
    account = desk.state.accounts[0]
    assert (int(account.initial_minor), int(account.maintenance_minor)) == (initial, maintenance)


def two_perpetuals(deposit: int) -> Desk:
    """Two perpetuals with a maintenance margin of 5 %: 10 and 20 lots at 100, hence 150."""
    desk = Desk(PERPETUAL, 1, 1, deposit, instruments=2)
    for instrument, lots in ((0, 10), (1, 20)):
        desk.feed(c.TermsSet(10 * PERCENT, 5 * PERCENT, 0, 0), instrument)
        desk.trade(1, lots, 100, instrument=instrument)
        desk.price(100, instrument)
    return desk


def test_a_liquidation_closes_no_more_than_it_must() -> None:
    """Equity 200 - 10 * 6 = 140 under 10 * 94 * 5 % + 100 = 147: without the first, 100 is enough."""
    desk = two_perpetuals(200)
    events = desk.price(94, 0)
    orders = [event for event in events if isinstance(event, c.OrderIntended)]
    assert [(event.side, event.quantity_lots) for event in orders] == [(-1, 10)], "the one with the loss, not the other"
    assert c.MarginCalled(140, 147) in events
    assert c.LiquidationStarted(140, 147) in events
    desk.fill_last(94)
    assert desk.price(100, 1) == [c.LiquidationEnded(140, 100)]
    assert desk.price(100, 1) == [c.MarginRestored(140, 100)]
    assert desk.state.positions[1].quantity_lots == 20


def test_equity_on_the_maintenance_margin_is_enough() -> None:
    """10 lots at 100 and a loss of 53: equity equals the margin of 47 at 94; one less is a liquidation."""
    for deposit, kinds in ((107, ["MarginCalled"]), (106, ["MarginCalled", "LiquidationStarted"])):
        desk = Desk(PERPETUAL, 1, 1, deposit)
        desk.feed(c.TermsSet(10 * PERCENT, 5 * PERCENT, 0, 0), 0)
        desk.feed(c.MarginRulesSet(125 * PERCENT))
        desk.trade(1, 10, 100)
        assert [type(event).__name__ for event in desk.price(94)][:2] == kinds


@pytest.mark.parametrize(
    ("event", "settled"),
    [
        (c.TradeSeen(500, 1, 0), 80),
        (c.QuoteSeen(500, 1, 502, 1), 80),
        (c.BarClosed(500, 500, 500, 500, 1, DAY_NS), 80),  # it began at the expiry
        (c.BarClosed(90, 90, 90, 90, 1, DAY_NS - 1), 90),  # it began before
    ],
)
def test_what_comes_after_the_expiry_is_no_price_of_the_contract(event: c.Event, settled: int) -> None:
    desk = Desk(FUTURE, 1, 1, 10_000, expiry_ns=DAY_NS)
    desk.trade(1, 10, 100)
    desk.price(80)
    events = desk.market(event, 2 * DAY_NS)
    assert events[0] == c.ContractSettled(0, 10, settled)
    assert desk.balance.cash_minor == 10_000 + 10 * (settled - 100)


def test_an_expiry_ends_orders_at_once_and_settles_a_fill_that_is_heard_of_later() -> None:
    desk = Desk(FUTURE, 1, 1, 10_000, expiry_ns=DAY_NS)
    desk.price(80)
    order = desk.feed(c.OrderIntended(1, 2, 1, 5, 90, 0, 0), 0, 0)
    desk.feed(c.RiskChecked(order, 0, 0, 0), 0, 0)
    assert desk.market(c.TradeSeen(81, 1, 0), DAY_NS) == [c.CancelRequested(order, 1), c.ContractExpired(80)]
    desk.feed(c.OrderFilled(order, 1, 79, 5, 0, 0, 1, 1), 0, 0)
    events = desk.market(c.TradeSeen(99, 1, 0))
    assert [type(event).__name__ for event in events] == ["ContractSettled", "PositionChanged", "TradeClosed"]
    assert events[0] == c.ContractSettled(0, 5, 80)
    assert desk.price(99) == []


def test_who_sells_short_between_two_accruals_pays_from_the_next_one_on() -> None:
    desk = Desk(SPOT, 1, 1, 10**9)
    desk.feed(c.TermsSet(0, 0, 365 * PERCENT, 0), 0)  # 1 % a day
    desk.feed(c.AccrualSet(DAY_NS, 365))
    desk.price(1_000)
    desk.now_ns = 2 * DAY_NS + DAY_NS // 2
    desk.trade(-1, 100, 1_000)
    borrow, done = desk.market(c.TradeSeen(1_000, 1, 0), 2 * DAY_NS)  # day 4 and a half: days 3 and 4
    assert borrow == c.BorrowPaid(0, 10**5, 365 * PERCENT, 2, 2_000)
    assert done == c.AccrualDone(5 * DAY_NS, 4)


def test_debt_pays_interest() -> None:
    desk = Desk(SPOT, 1, 1, 1_000)
    desk.feed(c.InterestSet(0, 0, 36 * PERCENT))
    desk.feed(c.AccrualSet(DAY_NS, 360))
    desk.trade(1, 11, 1_000)
    interest, _ = desk.market(c.TradeSeen(1_000, 1, 0), DAY_NS)
    assert interest == c.InterestPaid(0, -10_000, 36 * PERCENT, 1, -10)


def test_money_without_a_rate_is_refused_and_a_rate_holds_until_the_next() -> None:
    desk = Desk(SPOT, 1, 1, 100)
    record = encode(Stored(int(desk.state.head.next_sequence), 9, 9, 0, -1, -1, 0, c.CashDeposited(1, 50)))[0]
    assert apply_nb(desk.state.copy(), record) == UNKNOWN_RATE
    desk.feed(c.RateStated(1, 0, 3, 2))
    desk.feed(c.CashDeposited(1, 50))
    assert desk.equity == 175
    desk.market(c.TradeSeen(1_000, 1, 0), 400 * DAY_NS)
    assert desk.equity == 175, "however old the rate is"
    desk.feed(c.RateStated(0, 1, 1, 2))
    assert desk.equity == 200


def test_a_split_that_does_not_fit_is_refused() -> None:
    desk = Desk(EQUITY, 1, 10**10, 10**9)
    desk.trade(1, 7, 100)
    desk.status = MONEY_OVERFLOW
    assert desk.market(c.CorporateAction(2, 1, 2**30)) == []


def test_everything_that_remembers_prices_follows_a_split() -> None:
    """Two for one: what was a price is half, what was a number of lots is twice."""
    desk = Desk(EQUITY, 1, 1, 10**6)
    desk.feed(c.QuoteSeen(999, 1, 1_001, 1), 0)
    desk.trade(1, 10, 1_000)
    row, symbol, past = desk.state.signals[0], desk.state.risk_symbols[0], desk.state.past_bars[WINDOW_BARS - 1]
    for name in ("stop_ticks", "target_ticks", "best_before_ticks", "best_ticks"):
        row[name] = 900
    row.target_lots, row.peak_lots, past.close_ticks, past.volume_lots = -8, 9, 1_000, 70
    symbol.reference_ticks, symbol.close_ticks, symbol.range_e8, symbol.order_lots = 1_000, 1, 10**9, 6
    symbol.daily_volume = 501
    desk.market(c.CorporateAction(2, 2, 1))
    assert [int(row[n]) for n in ("stop_ticks", "target_ticks", "best_before_ticks", "best_ticks")] == [450] * 4
    assert (int(row.target_lots), int(row.peak_lots)) == (-16, 18)
    assert (int(past.close_ticks), int(past.volume_lots)) == (500, 140)
    kept = symbol.reference_ticks, symbol.close_ticks, symbol.range_e8, symbol.order_lots, symbol.daily_volume
    assert tuple(map(int, kept)) == (500, 1, 5 * 10**8, 12, 1_001), "and a price does not become none"
    assert int(desk.state.instruments[0].bid_ticks) == 500, "half to even"


def test_the_page_lists_the_ledger_accounts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    for name, (side, _) in LEDGER_ACCOUNTS.items():
        assert f"| {name} | {'debit' if side == DEBIT else 'credit'} |" in page


@pytest.mark.parametrize("instructions", [0, REDUCE_ONLY])
def test_a_book_with_an_open_order_stays_with_its_account(instructions: int) -> None:
    """Its leg is a matter of the account; a reduce-only order is not among the pending lots and was not seen once."""
    state, statuses = new_state(), []

    def feed(event: c.Event, account: int = 0, instrument: int = -1, strategy: int = -1) -> None:
        sequence = int(state.head.next_sequence)
        record = encode(Stored(sequence, sequence, sequence, 0, instrument, strategy, account, event))[0]
        statuses.append(int(apply_nb(state, record)))

    feed(c.RunOpened(1, 1, 0, 0, 0))
    for account in (0, 1):
        feed(c.AccountDefined(0, 1, account, 0), account)  # the second one hedges
    feed(c.InstrumentDefined(0, 1, 1, 1, SPOT), instrument=0)
    feed(c.BookAssigned(1), 0, 0, 0)
    feed(c.BookAssigned(0), 0, 0, 0)
    feed(c.OrderIntended(-1, 1, 1, 5, 0, 0, 0, instructions), 0, 0, 0)
    assert statuses == [OK] * len(statuses)
    feed(c.BookAssigned(0), 0, 0, 0)
    feed(c.BookAssigned(1), 0, 0, 0)
    assert statuses[-2:] == [OK, MISMATCH]
