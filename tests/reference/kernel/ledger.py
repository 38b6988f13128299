"""The ledger in the twin: accounts, balances, rates, books and round trips, with fractions and dictionaries.

Totals that the kernel keeps are sums here: what an account is worth is counted over its balances, what a balance holds
in positions over its books. Only the ledger accounts themselves are kept, so that the equation is checked.
"""

import copy
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from kernel.events import catalogue as c
from kernel.events.layout import Stored
from kernel.market import GREEK_LEVEL
from tests.reference.kernel.common import MONEY_BOUND, NO_PRICE, RefusedError, fitting, half_even, require

MAX_ACCOUNTS, MAX_BALANCES, MAX_CURRENCIES = 8, 32, 8
DEBITS = ("cash", "cost", "fees", "funding", "borrow")
CREDITS = ("deposits", "realised", "interest", "dividends", "conversion", "adjustment")
MARGINED, INVERSE = range(3, 7), range(5, 7)


@dataclass
class Trip:
    """A round trip under way, or the last one that ended."""

    ts_entry_ns: int = 0
    ts_exit_ns: int = 0
    side: int = 0
    quantity_lots: int = 0
    entry_minor: int = 0
    exit_minor: int = 0
    realised_minor: int = 0
    fees_minor: int = 0
    entry_sequence: int = 0
    fill_count: int = 0
    high_ticks: int = 0
    low_ticks: int = 0
    stop_ticks: int = 0
    income_minor: int = 0
    leg: int = 0
    purpose: int = 0


@dataclass
class Book:
    """What one strategy holds in one instrument (of a hedging account: long or short)."""

    account: int = 0
    currency: int = 0
    lots: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0
    income: int = 0
    trip: Trip = field(default_factory=Trip)
    kept_value: int | None = None  # between the price of a split and its lots


@dataclass
class Paper:
    """An instrument."""

    currency: int = 0
    numerator: int = 0
    denominator: int = 0
    volume_known: int = 0
    contract: int = 0
    expiry_ns: int = 0
    strike: int = 0
    right: int = 0
    session: list[int] = field(default_factory=lambda: [0, 0, 0, 0])  # phase, open, close, next open
    status: int = 0
    greek: int = 0
    halted: int = 0
    last: int = 0
    bid: int = 0
    ask: int = 0
    updated_ns: int = 0
    events: int = 0
    high: int = 0
    low: int = 0
    range_ns: int = 0
    source: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def margined(self) -> bool:
        return self.contract in MARGINED

    @property
    def inverse(self) -> bool:
        return self.contract in INVERSE

    def money(self, ticks: int, lots: int) -> int:
        """Signed money of lots at a price."""
        if not self.inverse:
            return fitting(half_even(Fraction(ticks * lots * self.numerator, self.denominator)))
        if lots == 0:
            return 0
        require(ticks > 0 and ticks * self.denominator < 4 * 10**18, "MONEY_OVERFLOW")
        return fitting(half_even(Fraction(-lots * self.numerator, ticks * self.denominator)))

    def value(self, book: Book) -> int:
        if book.kept_value is not None:
            return book.kept_value
        if self.inverse and self.last <= 0:
            return book.cost
        return self.money(self.last, book.lots) if book.lots else 0


@dataclass
class Account:
    currency: int = 0
    mode: int = 0
    hedging: int = 0
    shadow: int = 0


@dataclass
class Balance:
    """One currency of one account: its ledger accounts."""

    amounts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*DEBITS, *CREDITS), 0))

    def sum(self) -> int:
        return sum(self.amounts[name] for name in DEBITS) - sum(self.amounts[name] for name in CREDITS)


Place = tuple[int, int, int]  # strategy, instrument, leg: 1 for the (long) book, -1 for the short one


class Ledger:
    """The part of the twin that knows money. The other parts give it ``papers``, ``books`` and ``strategy_count``."""

    def __init__(self) -> None:
        self.shadow_terms = c.ShadowTermsSet(0, 0)
        self.shadow_fill_count = self.shadow_trade_count = 0
        self.scales: dict[int, int] = {}
        self.accounts = [Account()]
        self.balances: dict[tuple[int, int], Balance] = {(0, 0): Balance()}
        self.rates: dict[tuple[int, int], tuple[Fraction, tuple[int, int], int]] = {}
        self.papers: list[Paper] = []
        self.strategy_count = 0
        self.books: dict[Place, Book] = {}
        self.closed = Trip()
        self.now_ns = 0

    # --- what follows from what is kept ---

    def held(self, key: tuple[int, int]) -> list[tuple[Paper, Book]]:
        """The books behind a balance, with their instruments."""
        places = ((self.papers[place[1]], book) for place, book in self.books.items())
        return [(paper, book) for paper, book in places if (book.account, book.currency) == key]

    def worth(self, key: tuple[int, int]) -> int:
        """What the positions behind a balance add to equity."""
        return sum(paper.value(book) - (book.cost if paper.margined else 0) for paper, book in self.held(key))

    def gross(self, key: tuple[int, int]) -> int:
        return sum(abs(paper.value(book)) for paper, book in self.held(key))

    def rate(self, key: tuple[int, int]) -> Fraction | None:
        """From the currency of a balance to that of its account."""
        base = self.accounts[key[0]].currency
        if key[1] == base:
            return Fraction(1)
        known = self.rates.get((key[1], base))
        return known[0] if known else None

    def in_base(self, key: tuple[int, int]) -> tuple[int, int, int]:
        """Cash, worth and gross of a balance in the currency of its account."""
        amounts = self.balances[key].amounts["cash"], self.worth(key), self.gross(key)
        rate = self.rate(key)
        if rate is None:
            require(not any(amounts), "UNKNOWN_RATE")
            return 0, 0, 0
        cash, worth, gross = (fitting(half_even(amount * rate)) for amount in amounts)
        return cash, worth, gross

    def totals(self, account: int) -> tuple[int, int, int]:
        """Cash, worth and gross of an account in its currency."""
        parts = [self.in_base(key) for key in self.balances if key[0] == account]
        cash, worth, gross = (sum(part[at] for part in parts) for at in range(3))
        return cash, worth, gross

    def check_money(self) -> None:
        """Everything fits, is balanced, and can be told in the currency of its account."""
        for key, balance in self.balances.items():
            assert balance.sum() == 0, f"{key}: debits are not credits: {balance.amounts}"
            for amount in (*balance.amounts.values(), self.worth(key), self.gross(key)):
                fitting(amount)
        for account in range(len(self.accounts)):
            for total in self.totals(account):
                fitting(total)

    def tentative(self, change: Any) -> None:
        """Make a change to the money; leave everything as it was when the result is refused."""
        kept = ("balances", "books", "rates", "papers", "closed", "accounts", "scales")
        before = {name: copy.deepcopy(getattr(self, name)) for name in kept}
        try:
            change()
            self.check_money()
        except RefusedError:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def balance_of(self, account: int, currency: int) -> Balance:
        key = account, currency
        if key not in self.balances:
            require(len(self.balances) < MAX_BALANCES, "NO_CAPACITY")
            self.balances[key] = Balance()
        return self.balances[key]

    # --- definitions ---

    def on_CurrencyDefined(self, event: c.CurrencyDefined, stored: Stored) -> None:  # noqa: N802
        require(0 <= event.currency < MAX_CURRENCIES, "BAD_INDEX")
        self.scales[event.currency] = event.scale

    def on_AccountDefined(self, event: c.AccountDefined, stored: Stored) -> None:  # noqa: N802
        number = stored.account
        require(0 <= number <= len(self.accounts) and number < MAX_ACCOUNTS, "BAD_INDEX")
        require(0 <= event.currency < MAX_CURRENCIES, "BAD_INDEX")
        require(all(paper.denominator == 0 for paper in self.papers), "MISMATCH")
        require(event.shadow in (0, 1) and not (event.shadow and number == 0), "MISMATCH")
        account = Account(event.currency, event.mode, int(event.hedging != 0), event.shadow)
        if number == len(self.accounts):
            require(len(self.balances) < MAX_BALANCES, "NO_CAPACITY")
            self.accounts.append(account)
            self.balances[number, event.currency] = Balance()
            return
        old = number, self.accounts[number].currency
        require(self.balances[old].amounts["deposits"] == 0, "MISMATCH")
        self.accounts[number] = account
        for book in self.books.values():
            if (book.account, book.currency) == old:
                book.currency = event.currency
        self.balances = {(number, event.currency) if key == old else key: self.balances[key] for key in self.balances}

    def on_BookAssigned(self, event: c.BookAssigned, stored: Stored) -> None:  # noqa: N802
        self.paper_of(stored)
        require(0 <= stored.strategy < self.strategy_count, "BAD_INDEX")
        require(0 <= event.account < len(self.accounts), "BAD_INDEX")
        self.tentative(lambda: self.assign(stored.strategy, stored.instrument, event.account))

    def assign(self, strategy: int, instrument: int, account: int) -> None:
        currency = self.papers[instrument].currency
        self.balance_of(account, currency)
        for leg in (1, -1):
            book = self.books[strategy, instrument, leg]
            if (book.account, book.currency) != (account, currency):
                require(book.lots == book.realised == book.fees == 0, "MISMATCH")
                open_here = [(order.strategy, order.instrument) for order in self.orders]
                require((strategy, instrument) not in open_here, "MISMATCH")
            book.account, book.currency = account, currency

    def pending(self, strategy: int, instrument: int, side: int, leg: int) -> int:
        raise NotImplementedError

    def paper_of(self, stored: Stored) -> Paper:
        require(0 <= stored.instrument < len(self.papers), "BAD_INDEX")
        return self.papers[stored.instrument]

    def on_InstrumentDefined(self, event: c.InstrumentDefined, stored: Stored) -> None:  # noqa: N802
        self.paper_of(stored)
        require(0 <= event.currency < MAX_CURRENCIES, "BAD_INDEX")
        require(0 <= event.contract <= 7 and event.numerator > 0 and event.denominator > 0, "MISMATCH")
        require(all(not book.lots for place, book in self.books.items() if place[1] == stored.instrument), "MISMATCH")
        self.tentative(lambda: self.define_paper(event, stored))

    def define_paper(self, event: c.InstrumentDefined, stored: Stored) -> None:
        paper = self.paper_of(stored)
        paper.currency, paper.volume_known = event.currency, event.volume_known
        paper.numerator, paper.denominator, paper.contract = event.numerator, event.denominator, event.contract
        paper.expiry_ns, paper.strike, paper.right = event.expiry_ns, event.strike_ticks, event.option_right
        for strategy in range(self.strategy_count):
            self.assign(strategy, stored.instrument, self.books[strategy, stored.instrument, 1].account)

    def on_RateSourceDefined(self, event: c.RateSourceDefined, stored: Stored) -> None:  # noqa: N802
        paper = self.paper_of(stored)
        currencies = event.from_currency, event.to_currency
        require(all(0 <= currency < MAX_CURRENCIES for currency in currencies), "BAD_INDEX")
        require(event.numerator > 0 and event.denominator > 0, "MISMATCH")
        paper.source = (*currencies, event.numerator, event.denominator)

    # --- money from outside, and rates ---

    def on_CashDeposited(self, event: c.CashDeposited, stored: Stored) -> None:  # noqa: N802
        require(0 <= stored.account < len(self.accounts) and 0 <= event.currency < MAX_CURRENCIES, "BAD_INDEX")
        fitting(event.amount_minor)

        def book() -> None:
            amounts = self.balance_of(stored.account, event.currency).amounts
            amounts["cash"] += event.amount_minor
            amounts["deposits"] += event.amount_minor

        self.tentative(book)

    def on_RateSet(self, event: c.RateSet, stored: Stored) -> None:  # noqa: N802
        paper = self.paper_of(stored)
        pair = event.from_currency, event.to_currency
        self.tentative(lambda: self.set_rate(*pair, event.numerator, event.denominator, stored.ts_ingest_ns))
        paper = self.papers[stored.instrument]
        paper.updated_ns, paper.events = stored.ts_ingest_ns, paper.events + 1

    def on_RateStated(self, event: c.RateStated, stored: Stored) -> None:  # noqa: N802
        pair = event.from_currency, event.to_currency
        self.tentative(lambda: self.set_rate(*pair, event.numerator, event.denominator, stored.ts_ingest_ns))

    def set_rate(self, source: int, target: int, numerator: int, denominator: int, now_ns: int) -> None:
        pair = source, target
        require(all(0 <= currency < MAX_CURRENCIES for currency in pair) and source != target, "BAD_INDEX")
        require(0 < numerator < MONEY_BOUND and 0 < denominator < MONEY_BOUND, "MISMATCH")
        self.rates[pair] = Fraction(numerator, denominator), (numerator, denominator), now_ns
        self.rates[pair[::-1]] = Fraction(denominator, numerator), (denominator, numerator), now_ns

    # --- market data ---

    def on_BarClosed(self, event: c.BarClosed, stored: Stored) -> None:  # noqa: N802
        span = event.high_ticks, event.low_ticks, event.ts_open_ns
        self.tentative(lambda: self.price(stored, event.close_ticks, span))

    def on_TradeSeen(self, event: c.TradeSeen, stored: Stored) -> None:  # noqa: N802
        self.tentative(lambda: self.price(stored, event.price_ticks, None))

    def on_QuoteSeen(self, event: c.QuoteSeen, stored: Stored) -> None:  # noqa: N802
        bid, ask = event.bid_ticks, event.ask_ticks
        both = NO_PRICE not in (bid, ask)
        self.paper_of(stored)
        require(all(abs(price) < MONEY_BOUND or price == NO_PRICE for price in (bid, ask)), "MONEY_OVERFLOW")

        def change() -> None:
            paper = self.paper_of(stored)
            paper.bid, paper.ask = (0 if price == NO_PRICE else price for price in (bid, ask))
            last = half_even(Fraction(bid + ask, 2)) if both else paper.last
            self.price(stored, last, None)

        self.tentative(change)

    def on_SessionChanged(self, event: c.SessionChanged, stored: Stored) -> None:  # noqa: N802
        paper = self.fact(stored)
        if event.phase == 1:
            paper.session = [1, event.open_ns, event.close_ns, event.next_open_ns]
        elif event.open_ns == paper.session[1]:
            paper.session[0] = 0

    def on_StatusChanged(self, event: c.StatusChanged, stored: Stored) -> None:  # noqa: N802
        self.fact(stored).status = event.status

    def on_LevelSet(self, event: c.LevelSet, stored: Stored) -> None:  # noqa: N802
        paper = self.fact(stored)
        if event.level == GREEK_LEVEL:
            paper.greek = event.value

    def fact(self, stored: Stored) -> Paper:
        """The instrument of a market event that is no price."""
        paper = self.paper_of(stored)
        paper.updated_ns, paper.events = stored.ts_ingest_ns, paper.events + 1
        return paper

    def on_DepthChanged(self, event: c.DepthChanged, stored: Stored) -> None:  # noqa: N802
        """Nothing for the ledger: only the venue reads the order book."""
        self.fact(stored)

    def price(self, stored: Stored, last: int, span: tuple[int, int, int] | None) -> None:
        """A new last price; the range of the row before counts for the round trips that it is whole within."""
        paper = self.paper_of(stored)
        for (_, instrument, _), book in self.books.items():
            if instrument == stored.instrument and book.lots and book.trip.ts_entry_ns <= paper.range_ns:
                book.trip.high_ticks = max(book.trip.high_ticks, paper.high)
                book.trip.low_ticks = min(book.trip.low_ticks, paper.low)
        paper.last = last
        paper.high, paper.low, paper.range_ns = span or (last, last, stored.ts_ingest_ns if last else -1)
        paper.updated_ns = stored.ts_ingest_ns
        paper.events += 1
        source, target, numerator, denominator = paper.source
        if numerator and last > 0:
            fitting(last * numerator)
            self.check_money()
            self.set_rate(source, target, last * numerator, denominator, stored.ts_ingest_ns)

    # --- fills ---

    def fill(self, place: Place, event: c.OrderFilled, stored: Stored, possible: bool) -> None:
        """Book a fill (refused after the money was looked at when it is not ``possible``); a leg cannot turn."""
        paper, book = self.papers[place[1]], self.books[place]
        hedging = self.accounts[book.account].hedging
        side, lots, fee = event.side, event.quantity_lots, event.fee_minor
        require(not hedging or (book.lots + side * lots) * place[2] >= 0, "MISMATCH")
        closing = min(lots, abs(book.lots)) if book.lots * side < 0 else 0
        money, money_closing = paper.money(event.price_ticks, lots), paper.money(event.price_ticks, closing)
        fitting(abs(money) + abs(fee))
        cost_out = half_even(Fraction(book.cost * closing, abs(book.lots))) if closing else 0
        realised = -side * money_closing - cost_out if closing else 0
        held = book.lots != 0
        book.cost += side * (money - money_closing) - cost_out
        book.lots += side * lots
        book.realised += realised
        book.fees += fee
        amounts = self.balances[book.account, book.currency].amounts
        amounts["realised"] += realised
        amounts["fees"] += fee
        if paper.margined:
            amounts["cash"] += realised - fee
        else:
            amounts["cash"] -= side * money + fee
            amounts["cost"] += side * (money - money_closing) - cost_out
        for amount in (book.lots, book.cost, book.realised, book.fees, book.trip.entry_minor, book.trip.exit_minor):
            fitting(amount)
        if held:
            book.trip.high_ticks = max(book.trip.high_ticks, event.price_ticks)
            book.trip.low_ticks = min(book.trip.low_ticks, event.price_ticks)
        self.check_money()
        require(possible, "ILLEGAL_TRANSITION")
        self.closed.leg = place[2] if hedging else 0
        self.trips(book, event, stored, closing, money_closing, money, realised)

    def trips(
        self, book: Book, event: c.OrderFilled, stored: Stored, closing: int, money_closing: int, money: int,
        realised: int,
    ) -> None:  # fmt: skip
        """The round trip that a fill closes, goes on with, or begins."""
        leg, purpose = self.closed.leg, self.closed.purpose
        self.closed.quantity_lots = 0
        fee_closing = half_even(Fraction(event.fee_minor * closing, event.quantity_lots))
        trip = book.trip
        if closing:
            trip.exit_minor += money_closing
            trip.realised_minor += realised
            trip.fees_minor += fee_closing
            trip.fill_count += 1
            if book.lots * trip.side <= 0:
                trip.ts_exit_ns = stored.ts_event_ns
                self.closed = trip
                self.closed.leg, self.closed.purpose = leg, purpose
                book.trip = trip = Trip()
        opening = event.quantity_lots - closing
        if opening:
            if trip.side == 0:
                trip.side = event.side
                trip.ts_entry_ns, trip.entry_sequence = stored.ts_event_ns, stored.sequence
                trip.high_ticks = trip.low_ticks = event.price_ticks
            trip.quantity_lots += opening
            trip.entry_minor += money - money_closing
            trip.fees_minor += event.fee_minor - fee_closing
            trip.fill_count += 1

    def on_ShadowTermsSet(self, event: c.ShadowTermsSet, stored: Stored) -> None:  # noqa: N802
        require(0 <= event.fee_rate <= 10**8 and 0 <= event.slippage_rate <= 10**8, "MISMATCH")
        self.shadow_terms = event

    def on_ShadowFilled(self, event: c.ShadowFilled, stored: Stored) -> None:  # noqa: N802
        self.paper_of(stored)
        require(0 <= stored.strategy < self.strategy_count, "BAD_INDEX")
        place = stored.strategy, stored.instrument, -1 if event.leg < 0 else 1
        account = self.accounts[self.books[place].account]
        require(account.shadow == 1 and abs(event.leg) == account.hedging, "MISMATCH")
        require(event.order_id == stored.sequence and event.trade_id == self.shadow_fill_count + 1, "MISMATCH")
        require(event.side in (1, -1) and 0 < event.quantity_lots <= 2**54 and event.leaves_lots == 0, "MISMATCH")
        require(event.liquidity == 4 and 0 <= event.purpose <= 3, "MISMATCH")
        purpose, self.closed.purpose = self.closed.purpose, event.purpose
        try:
            self.tentative(lambda: self.fill(place, event, stored, True))
        except RefusedError:
            self.closed.purpose = purpose
            raise
        self.shadow_fill_count += 1

    def shadow_price(self, instrument: int, side: int) -> int:
        """The touch, else the last price, and slippage of at least a tick, never below one tick."""
        paper = self.papers[instrument]
        price = paper.last
        if paper.bid > 0 and paper.ask > 0:
            price = paper.ask if side > 0 else paper.bid
        slip = max(half_even(Fraction(abs(price) * self.shadow_terms.slippage_rate, 10**8)), 1)
        if not self.shadow_terms.slippage_rate:
            return price
        return price + slip if side > 0 else max(price - slip, 1)

    def on_PositionChanged(self, event: c.PositionChanged, stored: Stored) -> None:  # noqa: N802
        self.paper_of(stored)
        require(0 <= stored.strategy < self.strategy_count, "BAD_INDEX")
        book = self.books[stored.strategy, stored.instrument, -1 if self.closed.leg < 0 else 1]
        trip = self.closed if self.closed.quantity_lots else book.trip
        cash = self.balances[book.account, book.currency].amounts["cash"]
        says = tuple(getattr(event, name) for name in event.__struct_fields__[1:])
        knows = book.lots, book.cost, book.realised, book.fees, cash
        assert len(says) == 9
        require(says == (*knows, trip.high_ticks, trip.low_ticks, trip.stop_ticks, trip.income_minor), "MISMATCH")
