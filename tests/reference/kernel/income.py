"""Money without fills in the twin: what each event posts, and what a market event leads to, in fractions."""

from dataclasses import dataclass, field
from fractions import Fraction

import msgspec

from kernel.events import catalogue as c
from kernel.events.layout import Stored
from tests.reference.kernel.common import fitting, half_even, require
from tests.reference.kernel.ledger import MAX_CURRENCIES, Book, Ledger, Paper, Place, Trip

RATE_SCALE = 10**8
RATE_BOUND = 2**40
DAY_NS = 86_400 * 10**9
NEVER_NS = 2**63 - 1
TIERS = 128


@dataclass
class Terms:
    """What positions in an instrument need and cost; tiers are (limit, initial, maintenance, deduction)."""

    initial: int = 0
    maintenance: int = 0
    borrow: int = 0
    liquidation_fee: int = 0
    tiers: list[tuple[int, int, int, int]] = field(default_factory=list)
    first_tier: int = 0
    expired: int = 0

    @property
    def any(self) -> bool:
        return bool(self.initial or self.maintenance or self.tiers)

    def margin(self, value: int) -> tuple[int, int]:
        """Initial and maintenance margin of a position worth this (not negative)."""
        if not self.any:
            return 0, 0
        initial, maintenance, deduction = self.initial, self.maintenance, 0
        for limit, *rates in self.tiers:
            initial, maintenance, deduction = rates
            if value <= limit:
                break
        needed = fitting(half_even(Fraction(value * maintenance, RATE_SCALE)))
        return fitting(half_even(Fraction(value * initial, RATE_SCALE))), max(needed - deduction, 0)


class Income(Ledger):
    """The part of the twin for money that moves without a fill."""

    def __init__(self) -> None:
        super().__init__()
        self.terms: dict[int, Terms] = {}
        self.interest: dict[int, tuple[int, int]] = {}
        self.sweeps: dict[int, int] = {}
        self.next_accrual_ns, self.days_per_year, self.call_rate = NEVER_NS, 0, 0
        self.accrued_books: dict[Place, int] = {}
        self.accrued_balances: dict[tuple[int, int], int] = {}
        self.called: set[int] = set()
        self.liquidating: set[int] = set()
        self.tier_count = 0
        self.watched = False  # once margin matters, it is looked at for good

    def terms_of(self, instrument: int) -> Terms:
        return self.terms.setdefault(instrument, Terms())

    def next_expiry_ns(self) -> int:
        left = [n for n in range(len(self.papers)) if not self.terms_of(n).expired or self.held_lots(n)]
        return min((self.papers[n].expiry_ns for n in left if self.papers[n].expiry_ns), default=NEVER_NS)

    def margin_watched(self) -> int:
        return int(self.watched)

    def book_margin(self, place: Place) -> tuple[int, int]:
        book = self.books[place]
        return self.terms_of(place[1]).margin(abs(self.papers[place[1]].value(book))) if book.lots else (0, 0)

    def balance_margin(self, key: tuple[int, int]) -> tuple[int, int]:
        places = [place for place, book in self.books.items() if (book.account, book.currency) == key]
        margins = [self.book_margin(place) for place in places]
        return sum(margin[0] for margin in margins), sum(margin[1] for margin in margins)

    def base_margin(self, key: tuple[int, int]) -> tuple[int, int]:
        initial, maintenance = self.balance_margin(key)
        rate = self.rate(key)
        if rate is None:
            require(not initial and not maintenance, "MONEY_OVERFLOW")
            return 0, 0
        return fitting(half_even(initial * rate)), fitting(half_even(maintenance * rate))

    def account_margin(self, account: int) -> tuple[int, int]:
        margins = [self.base_margin(key) for key in self.balances if key[0] == account]
        return fitting(sum(margin[0] for margin in margins)), fitting(sum(margin[1] for margin in margins))

    def check_money(self) -> None:
        for key in self.balances:
            self.base_margin(key)
        super().check_money()
        for account in range(len(self.accounts)):
            self.account_margin(account)

    # --- settings ---

    def held_lots(self, instrument: int) -> bool:
        return any(book.lots for place, book in self.books.items() if place[1] == instrument)

    def on_AccountDefined(self, event: c.AccountDefined, stored: Stored) -> None:  # noqa: N802
        super().on_AccountDefined(event, stored)
        self.sweeps[stored.account] = event.sweep

    def on_InstrumentDefined(self, event: c.InstrumentDefined, stored: Stored) -> None:  # noqa: N802
        super().on_InstrumentDefined(event, stored)
        self.terms_of(stored.instrument).expired = 0

    def on_TermsSet(self, event: c.TermsSet, stored: Stored) -> None:  # noqa: N802
        self.paper_of(stored)
        require(all(0 <= rate < RATE_BOUND for rate in msgspec.structs.astuple(event)), "MISMATCH")
        require(not self.held_lots(stored.instrument), "MISMATCH")
        terms = self.terms_of(stored.instrument)
        terms.initial, terms.maintenance = event.initial_rate, event.maintenance_rate
        terms.borrow, terms.liquidation_fee = event.borrow_rate, event.liquidation_fee_rate
        self.watched = self.watched or event.maintenance_rate != 0

    def on_MarginTierSet(self, event: c.MarginTierSet, stored: Stored) -> None:  # noqa: N802
        self.paper_of(stored)
        require(self.tier_count < TIERS, "NO_CAPACITY")
        terms = self.terms_of(stored.instrument)
        follows = not terms.tiers or terms.first_tier + len(terms.tiers) == self.tier_count
        require(follows and not self.held_lots(stored.instrument), "MISMATCH")
        require(not terms.tiers or event.limit_minor > terms.tiers[-1][0], "MISMATCH")
        require(all(0 <= rate < RATE_BOUND for rate in (event.initial_rate, event.maintenance_rate)), "MISMATCH")
        require(0 <= event.deduction_minor < 2**62, "MISMATCH")
        if not terms.tiers:
            terms.first_tier = self.tier_count
        terms.tiers.append(msgspec.structs.astuple(event))
        self.tier_count += 1
        self.watched = True

    def on_InterestSet(self, event: c.InterestSet, stored: Stored) -> None:  # noqa: N802
        require(0 <= event.currency < MAX_CURRENCIES, "BAD_INDEX")
        require(abs(event.credit_rate) < RATE_BOUND and abs(event.debit_rate) < RATE_BOUND, "MISMATCH")
        self.interest[event.currency] = event.credit_rate, event.debit_rate

    def on_AccrualSet(self, event: c.AccrualSet, stored: Stored) -> None:  # noqa: N802
        require(event.first_ns > 0 and 0 < event.days_per_year <= 366, "MISMATCH")
        self.next_accrual_ns, self.days_per_year = event.first_ns, event.days_per_year

    def on_MarginRulesSet(self, event: c.MarginRulesSet, stored: Stored) -> None:  # noqa: N802
        require(0 <= event.call_rate < RATE_BOUND, "MISMATCH")
        self.call_rate = event.call_rate

    # --- postings ---

    def place_of(self, stored: Stored, leg: int) -> Place:
        require(0 <= stored.strategy < self.strategy_count, "BAD_INDEX")
        self.paper_of(stored)
        place = stored.strategy, stored.instrument, -1 if leg < 0 else 1
        require(abs(leg) == self.accounts[self.books[place].account].hedging, "MISMATCH")
        return place

    def pay(self, place: Place, amount: int, ledger_account: str, ledger_amount: int) -> None:
        """Cash of a book's balance changes by an amount; the other side of it is an account of the ledger."""
        fitting(amount)

        def change() -> None:
            book = self.books[place]
            amounts = self.balances[book.account, book.currency].amounts
            amounts["cash"] += amount
            amounts[ledger_account] += ledger_amount
            if ledger_account == "fees":
                book.fees = fitting(book.fees - amount)
            else:
                book.income = fitting(book.income + amount)
                book.trip.income_minor = fitting(book.trip.income_minor + amount)

        self.tentative(change)

    def on_FundingPaid(self, event: c.FundingPaid, stored: Stored) -> None:  # noqa: N802
        place = self.place_of(stored, event.leg)
        require(event.lots == self.books[place].lots, "MISMATCH")
        self.pay(place, -event.amount_minor, "funding", event.amount_minor)

    def on_DividendPaid(self, event: c.DividendPaid, stored: Stored) -> None:  # noqa: N802
        place = self.place_of(stored, event.leg)
        require(event.lots == self.books[place].lots, "MISMATCH")
        self.pay(place, event.amount_minor, "dividends", event.amount_minor)

    def on_BorrowPaid(self, event: c.BorrowPaid, stored: Stored) -> None:  # noqa: N802
        place = self.place_of(stored, event.leg)
        due = self.next_accrual_ns <= stored.ts_ingest_ns
        require(self.books[place].lots < 0 and event.days > 0 and due, "MISMATCH")
        self.pay(place, -event.amount_minor, "borrow", event.amount_minor)
        self.accrued_books[place] = self.last_due_ns(stored.ts_ingest_ns)

    def on_LiquidationFeePaid(self, event: c.LiquidationFeePaid, stored: Stored) -> None:  # noqa: N802
        self.pay(self.place_of(stored, self.closed.leg), -event.amount_minor, "fees", event.amount_minor)

    def last_due_ns(self, now_ns: int) -> int:
        return now_ns - (now_ns - self.next_accrual_ns) % DAY_NS

    def on_InterestPaid(self, event: c.InterestPaid, stored: Stored) -> None:  # noqa: N802
        key = self.key_of(stored, event.currency)
        fitting(event.amount_minor)
        cash = self.balances[key].amounts["cash"] if key in self.balances else 0
        require(cash == event.cash_minor and event.days > 0, "MISMATCH")
        require(self.next_accrual_ns <= stored.ts_ingest_ns, "MISMATCH")
        self.tentative(lambda: self.post(key, event.amount_minor, "interest"))
        self.accrued_balances[key] = self.last_due_ns(stored.ts_ingest_ns)

    def on_CashAdjusted(self, event: c.CashAdjusted, stored: Stored) -> None:  # noqa: N802
        key = self.key_of(stored, event.currency)
        fitting(event.amount_minor)
        self.tentative(lambda: self.post(key, event.amount_minor, "adjustment"))

    def key_of(self, stored: Stored, currency: int) -> tuple[int, int]:
        require(0 <= stored.account < len(self.accounts) and 0 <= currency < MAX_CURRENCIES, "BAD_INDEX")
        return stored.account, currency

    def post(self, key: tuple[int, int], amount: int, ledger_account: str) -> None:
        amounts = self.balance_of(*key).amounts
        amounts["cash"] += amount
        amounts[ledger_account] += amount

    def on_CurrencyConverted(self, event: c.CurrencyConverted, stored: Stored) -> None:  # noqa: N802
        source = self.key_of(stored, event.from_currency)
        target = self.key_of(stored, event.to_currency)
        require(source != target, "BAD_INDEX")
        require(0 < event.numerator < 2**62 and 0 < event.denominator < 2**62, "MISMATCH")
        exact = half_even(Fraction(event.from_minor * event.numerator, event.denominator))
        require(abs(event.from_minor) < 2**62 and abs(exact) < 2**62 and event.to_minor == exact, "MISMATCH")

        def change() -> None:
            self.post(source, -event.from_minor, "conversion")
            self.post(target, event.to_minor, "conversion")

        self.tentative(change)

    def on_SplitApplied(self, event: c.SplitApplied, stored: Stored) -> None:  # noqa: N802
        place = self.place_of(stored, event.leg)
        ratio_fits = 0 < event.numerator < RATE_BOUND and 0 < event.denominator < RATE_BOUND
        turns = event.lots_before * event.lots_after < 0
        require(ratio_fits and event.lots_before != 0 and not turns, "MISMATCH")
        ratio = Fraction(event.numerator, event.denominator)
        whole = fitting(half_even(event.lots_before * ratio))
        fitting(event.cash_minor)
        book, paper = self.books[place], self.papers[place[1]]
        require(event.lots_before == book.lots and abs(event.lots_after) <= abs(whole) + 1, "MISMATCH")
        cost_out = event.cash_minor - event.realised_minor
        require(abs(cost_out) <= abs(book.cost) and (event.lots_after != 0 or cost_out == book.cost), "MISMATCH")
        require(not paper.margined, "MISMATCH")
        self.tentative(lambda: self.split(place, event, stored, ratio, cost_out))

    def split(self, place: Place, event: c.SplitApplied, stored: Stored, ratio: Fraction, cost_out: int) -> None:
        book = self.books[place]
        amounts = self.balances[book.account, book.currency].amounts
        amounts["cash"] += event.cash_minor
        amounts["cost"] -= cost_out
        amounts["realised"] += event.realised_minor
        book.kept_value = None
        book.cost, book.lots = book.cost - cost_out, event.lots_after
        book.realised = fitting(book.realised + event.realised_minor)
        trip = book.trip
        trip.realised_minor += event.realised_minor
        trip.exit_minor += abs(event.cash_minor)
        trip.quantity_lots = fitting(half_even(trip.quantity_lots * ratio)) or 1
        for name in ("high_ticks", "low_ticks", "stop_ticks"):
            setattr(trip, name, fitting(half_even(getattr(trip, name) / ratio)))
        self.closed.leg = event.leg
        self.closed.quantity_lots = 0
        if event.lots_after == 0:
            self.end_trip(book, stored.ts_event_ns)

    def end_trip(self, book: Book, ts_ns: int) -> None:
        leg, purpose = self.closed.leg, self.closed.purpose
        self.closed, book.trip = book.trip, Trip()
        self.closed.ts_exit_ns, self.closed.leg, self.closed.purpose = ts_ns, leg, purpose

    def on_ContractSettled(self, event: c.ContractSettled, stored: Stored) -> None:  # noqa: N802
        place = self.place_of(stored, event.leg)
        lots = self.books[place].lots
        require(lots != 0 and event.lots == lots, "MISMATCH")
        fill = c.OrderFilled(0, -1 if lots > 0 else 1, event.price_ticks, abs(lots), 0, 0, 0, 0)

        def change() -> None:
            self.closed.purpose = 0
            self.fill(place, fill, stored, True)
            self.closed.purpose = 0

        self.tentative(change)

    def on_ContractExpired(self, event: c.ContractExpired, stored: Stored) -> None:  # noqa: N802
        paper, terms = self.paper_of(stored), self.terms_of(stored.instrument)
        require(paper.expiry_ns != 0 and not terms.expired and not self.held_lots(stored.instrument), "MISMATCH")
        terms.expired = paper.halted = 1

    def on_AccrualDone(self, event: c.AccrualDone, stored: Stored) -> None:  # noqa: N802
        require(event.next_ns > self.next_accrual_ns and self.next_accrual_ns != NEVER_NS, "MISMATCH")
        self.next_accrual_ns = event.next_ns

    def on_MarginCalled(self, event: c.MarginCalled, stored: Stored) -> None:  # noqa: N802
        self.called.add(self.key_of(stored, 0)[0])

    def on_MarginRestored(self, event: c.MarginRestored, stored: Stored) -> None:  # noqa: N802
        self.called.discard(self.key_of(stored, 0)[0])

    def on_LiquidationStarted(self, event: c.LiquidationStarted, stored: Stored) -> None:  # noqa: N802
        self.liquidating.add(self.key_of(stored, 0)[0])

    def on_LiquidationEnded(self, event: c.LiquidationEnded, stored: Stored) -> None:  # noqa: N802
        self.liquidating.discard(self.key_of(stored, 0)[0])

    # --- market events ---

    def price(self, stored: Stored, last: int, span: tuple[int, int, int] | None) -> None:
        paper = self.paper_of(stored)
        if self.is_over(stored, span):
            paper.updated_ns, paper.events = stored.ts_ingest_ns, paper.events + 1
            return
        super().price(stored, last, span)

    def is_over(self, stored: Stored, span: tuple[int, int, int] | None) -> bool:
        """Whether a price is of a time after the contract's expiry; a bar is of the time at which it began."""
        paper, now_ns = self.paper_of(stored), stored.ts_ingest_ns
        late = span[2] >= paper.expiry_ns if span else now_ns > paper.expiry_ns
        return bool(paper.expiry_ns) and (late or bool(self.terms_of(stored.instrument).expired))

    def on_QuoteSeen(self, event: c.QuoteSeen, stored: Stored) -> None:  # noqa: N802
        paper = self.paper_of(stored)
        if self.is_over(stored, None):
            paper.updated_ns, paper.events = stored.ts_ingest_ns, paper.events + 1
            return
        super().on_QuoteSeen(event, stored)

    def on_FundingDue(self, event: c.FundingDue, stored: Stored) -> None:  # noqa: N802
        paper = self.paper_of(stored)
        paper.updated_ns, paper.events = stored.ts_ingest_ns, paper.events + 1

    def on_CorporateAction(self, event: c.CorporateAction, stored: Stored) -> None:  # noqa: N802
        paper = self.paper_of(stored)
        if event.action == 2:
            ratio_fits = 0 < event.numerator < RATE_BOUND and 0 < event.denominator < RATE_BOUND
            require(ratio_fits and not paper.margined, "MISMATCH")
            ratio = Fraction(event.denominator, event.numerator)
            names = ("last", "bid", "ask", "high", "low")
            adjusted = {name: fitting(half_even(getattr(paper, name) * ratio)) for name in names}
            for place, book in self.books.items():
                if place[1] == stored.instrument and book.lots:
                    book.kept_value = paper.value(book)
            for name, value in adjusted.items():
                setattr(paper, name, value)
        paper.updated_ns, paper.events = stored.ts_ingest_ns, paper.events + 1


def paid(value: Fraction | int) -> int:
    """An amount of money, rounded and fitting."""
    return fitting(half_even(Fraction(value)))


def funding_of(paper: Paper, book: Book, event: c.FundingDue, leg: int) -> c.Event:
    """Longs pay the rate on the value at the mark; shorts receive it."""
    mark = event.mark_ticks if event.mark_ticks > 0 else paper.last
    value = abs(paper.money(mark, abs(book.lots))) * (1 if book.lots > 0 else -1)
    return c.FundingPaid(leg, book.lots, value, event.rate, mark, paid(Fraction(value * event.rate, RATE_SCALE)))


def split_of(paper: Paper, book: Book, event: c.CorporateAction, leg: int) -> c.Event:
    """Whole lots stay; the rest of a lot is paid out at the (adjusted) last price, with its share of the cost."""
    side = 1 if book.lots > 0 else -1
    exact = Fraction(abs(book.lots) * event.numerator, event.denominator)
    after = exact.numerator // exact.denominator
    rest = exact - after
    cash = side * paid(paper.last * rest * Fraction(paper.numerator, paper.denominator))
    cost_out = paid(book.cost * rest / exact)
    return c.SplitApplied(leg, book.lots, side * after, event.numerator, event.denominator, cash, cash - cost_out)
