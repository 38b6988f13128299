"""What a market event leads to, in the twin: a generator of events, each applied by the caller before the next one.

Written from the rules in ``docs/ledger.md``, in fractions and lists.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from kernel.events import catalogue as c
from tests.reference.kernel.common import fitting, half_even, require
from tests.reference.kernel.income import DAY_NS, RATE_SCALE, funding_of, paid, split_of
from tests.reference.kernel.ledger import Place

LIQUIDATION = 2
CANCELLABLE = ("held", "submitted", "working", "partly filled", "replace pending")
Derived = tuple[c.Event, int, int, int]  # event, instrument, strategy, account


def consequences(twin: Any, event: c.Event, instrument: int, now_ns: int) -> Iterator[Derived]:
    """In order: funding or corporate action, expiries, the accrual, margin."""
    if isinstance(event, c.FundingDue):
        for place, leg in holders(twin, instrument):
            yield derived(twin, funding_of(twin.papers[instrument], twin.books[place], event, leg), place)
    if isinstance(event, c.CorporateAction):
        yield from corporate_action(twin, event, instrument)
    for number, paper in enumerate(twin.papers):
        left = not twin.terms_of(number).expired or twin.held_lots(number)
        if paper.expiry_ns and paper.expiry_ns <= now_ns and left:
            yield from expiry(twin, number)
    if twin.next_accrual_ns <= now_ns:
        yield from accrual(twin, now_ns)
    if twin.margin_watched():
        for account in range(len(twin.accounts)):
            if twin.account_margin(account)[1] or account in twin.called or account in twin.liquidating:
                yield from margin(twin, account)


def holders(twin: Any, instrument: int) -> list[tuple[Place, int]]:
    """The books that hold an instrument, long ones first, each with its leg."""
    found = []
    for side in (1, -1):
        for strategy in range(twin.strategy_count):
            book = twin.books[strategy, instrument, side]
            if book.lots:
                found.append(((strategy, instrument, side), side * twin.accounts[book.account].hedging))
    return found


def derived(twin: Any, event: c.Event, place: Place) -> Derived:
    return event, place[1], place[0], twin.books[place[0], place[1], 1].account


def cancels(twin: Any, orders: list[Any]) -> Iterator[Derived]:
    for order in orders:
        if order.status in CANCELLABLE:
            account = twin.books[order.strategy, order.instrument, 1].account
            yield c.CancelRequested(order.order_id), order.instrument, order.strategy, account


def ends(twin: Any, instrument: int) -> Iterator[Derived]:
    """The exchange ends what is open; who asked before asks again, so that it is at once."""
    for order in [order for order in twin.orders if order.instrument == instrument]:
        if order.status in (*CANCELLABLE, "cancel pending") and not order.cancel_linked:
            account = twin.books[order.strategy, order.instrument, 1].account
            yield c.CancelRequested(order.order_id, 1), order.instrument, order.strategy, account


def on_paper(twin: Any, place: Place, side: int, lots: int, leg: int) -> Iterator[Derived]:
    """A position of a shadow account is closed at once, and costs the fee of a liquidation too."""
    price, order_id = twin.shadow_price(place[1], side), twin.next_sequence
    money = abs(twin.papers[place[1]].money(price, lots))
    fee = fitting(half_even(Fraction(money * twin.shadow_terms.fee_rate, RATE_SCALE)))
    number = twin.shadow_fill_count + 1
    yield derived(twin, c.ShadowFilled(order_id, side, price, lots, 0, fee, 4, number, LIQUIDATION, leg), place)
    yield from book_after(twin, place, order_id)
    rate = twin.terms_of(place[1]).liquidation_fee
    amount = half_even(Fraction(money * rate, RATE_SCALE))
    if amount:
        yield derived(twin, c.LiquidationFeePaid(order_id, money, rate, amount), place)


def book_after(twin: Any, place: Place, order_id: int = 0) -> Iterator[Derived]:
    """The book, and the round trip when one ended."""
    book = twin.books[place]
    ended = twin.closed.quantity_lots != 0
    trip = twin.closed if ended else book.trip
    cash = twin.balances[book.account, book.currency].amounts["cash"]
    told = trip.high_ticks, trip.low_ticks, trip.stop_ticks, trip.income_minor
    yield derived(twin, c.PositionChanged(order_id, book.lots, book.cost, book.realised, book.fees, cash, *told), place)
    if ended:
        words = (getattr(twin.closed, name) for name in c.TradeClosed.__struct_fields__)
        yield derived(twin, c.TradeClosed(*words), place)


def corporate_action(twin: Any, event: c.CorporateAction, instrument: int) -> Iterator[Derived]:
    if event.action == 2:
        yield from ends(twin, instrument)
    for place, leg in holders(twin, instrument):
        book = twin.books[place]
        if event.action == 1:
            require(event.numerator >= 0 and event.denominator > 0, "MISMATCH")
            amount = paid(Fraction(book.lots * event.numerator, event.denominator))
            ratio = event.numerator, event.denominator
            yield derived(twin, c.DividendPaid(leg, book.lots, *ratio, amount), place)
        elif event.action == 2:
            fitting(abs(book.lots) * event.numerator)
            require(event.denominator * twin.papers[instrument].denominator < 4 * 10**18, "MONEY_OVERFLOW")
            yield derived(twin, split_of(twin.papers[instrument], book, event, leg), place)
            yield from book_after(twin, place)


def expiry(twin: Any, instrument: int) -> Iterator[Derived]:
    paper = twin.papers[instrument]
    yield from ends(twin, instrument)
    for place, leg in holders(twin, instrument):
        yield derived(twin, c.ContractSettled(leg, twin.books[place].lots, paper.last), place)
        yield from book_after(twin, place)
    if not twin.terms_of(instrument).expired:
        yield c.ContractExpired(paper.last), instrument, -1, 0


def days_due(twin: Any, now_ns: int, accrued_ns: int, entry_ns: int) -> int:
    """Instants of accrual that are not booked, not before the entry, and not after now."""
    first = twin.next_accrual_ns
    instants = range(first, now_ns + 1, DAY_NS)
    return sum(1 for instant in instants if instant > accrued_ns and instant >= entry_ns)


def accrual(twin: Any, now_ns: int) -> Iterator[Derived]:
    year = twin.days_per_year * RATE_SCALE
    for number, paper in enumerate(twin.papers):
        rate = twin.terms_of(number).borrow
        for strategy in range(twin.strategy_count):
            for side in (1, -1):
                place = strategy, number, side
                book = twin.books[place]
                days = days_due(twin, now_ns, twin.accrued_books.get(place, 0), book.trip.ts_entry_ns)
                if rate and not paper.margined and book.lots < 0 and days:
                    leg, value = side * twin.accounts[book.account].hedging, abs(paper.value(book))
                    amount = paid(Fraction(value * rate * days, year))
                    yield derived(twin, c.BorrowPaid(leg, value, rate, days, amount), place)
    for key in list(twin.balances):
        account, currency = key
        cash = twin.balances[key].amounts["cash"]
        credit, debit = twin.interest.get(currency, (0, 0))
        rate = credit if cash > 0 else debit
        days = days_due(twin, now_ns, twin.accrued_balances.get(key, 0), 0)
        if rate and cash and days:
            amount = paid(Fraction(cash * rate * days, year))
            yield c.InterestPaid(currency, cash, rate, days, amount), -1, -1, account
        cash = twin.balances[key].amounts["cash"]
        base = twin.accounts[account].currency
        if twin.sweeps.get(account) and currency != base and (currency, base) in twin.rates and cash:
            exact, ratio, _ = twin.rates[currency, base]
            converted = fitting(half_even(cash * exact))
            yield c.CurrencyConverted(currency, cash, base, converted, *ratio), -1, -1, account
    days = len(range(twin.next_accrual_ns, now_ns + 1, DAY_NS))
    yield c.AccrualDone(twin.next_accrual_ns + days * DAY_NS, days), -1, -1, 0


def margin(twin: Any, account: int) -> Iterator[Derived]:
    cash, worth, _ = twin.totals(account)
    equity, maintenance = cash + worth, twin.account_margin(account)[1]
    level = fitting(half_even(Fraction(maintenance * max(twin.call_rate, RATE_SCALE), RATE_SCALE)))
    fitting(equity)
    facts = equity, maintenance
    if equity < level and account not in twin.called:
        yield c.MarginCalled(*facts), -1, -1, account
    elif equity >= level and account in twin.called and account not in twin.liquidating:
        yield c.MarginRestored(*facts), -1, -1, account
    if equity < maintenance and maintenance and account not in twin.liquidating:
        yield c.LiquidationStarted(*facts), -1, -1, account
        ours = [order for order in twin.orders if twin.books[twin.place(order)].account == account]
        yield from cancels(twin, [order for order in ours if order.purpose != LIQUIDATION])
    if account in twin.liquidating:
        yield from liquidation(twin, account, equity, maintenance)


def liquidation(twin: Any, account: int, equity: int, maintenance: int) -> Iterator[Derived]:
    while True:
        closing = [twin.place(order) for order in twin.orders if order.purpose == LIQUIDATION]
        remaining = maintenance
        losses = []
        places = sorted(twin.books, key=lambda place: (-place[2], place[0], place[1]))
        for place in places:
            book = twin.books[place]
            if not book.lots or book.account != account:
                continue
            rate = twin.rate((account, book.currency))
            need = half_even(twin.book_margin(place)[1] * rate)
            if place in closing:
                remaining -= need
            elif twin.book_margin(place)[1]:
                profit = half_even((twin.papers[place[1]].value(book) - book.cost) * rate)
                losses.append((profit, places.index(place), place))
        if equity >= remaining or not losses:
            break
        place = min(losses)[2]
        book = twin.books[place]
        side, leg = (-1 if book.lots > 0 else 1), place[2] * twin.accounts[account].hedging
        lots = min(abs(book.lots), 2**54)
        if twin.accounts[account].shadow:
            yield from on_paper(twin, place, side, lots, leg)
            equity, maintenance = sum(twin.totals(account)[:2]), twin.account_margin(account)[1]
            continue
        yield derived(twin, c.OrderIntended(side, 1, 1, lots, 0, 0, 0, 2, LIQUIDATION, leg), place)
        yield derived(twin, c.RiskChecked(twin.orders[-1].order_id, 0, 0, 0), place)
    if remaining == maintenance:
        yield c.LiquidationEnded(equity, maintenance), -1, -1, account
