"""Naive exact twin of ``apply``: dictionaries, lists and unbounded integers, written from the event catalogue.

Nothing is kept that can be derived: pending lots are counted over the open orders, the account's totals are
sums over the books, the value of a book is its lots at the last price. Only cash is kept, so that the equation
between cash and the books is checked and not assumed. An event that does not fit raises ``RefusedError`` and
leaves the twin as it was.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from kernel.events import catalogue as c
from kernel.events.layout import Stored

MONEY_BOUND = 2**62
OPEN_ORDERS = 256
TIMERS = 32
MAX_INSTRUMENTS, MAX_STRATEGIES, MAX_BOOKS = 512, 8, 1024
LOTS_OF_AN_ORDER = 2**54
NEVER_NS = 2**63 - 1
NO_PRICE = -(2**62)

# status -> what happens -> status afterwards; a status that is a word of ENDED is the end of the order.
ENDED = ("filled", "cancelled", "expired", "rejected", "denied")
LIVE = ("intended", "submitted", "working", "partly filled", "cancel pending", "replace pending")
LIFE = {
    ("intended", "approve"): "submitted",
    ("intended", "deny"): "denied",
    ("submitted", "accept"): "working",
    ("submitted", "reject"): "rejected",
    ("submitted", "fill part"): "partly filled",
    ("submitted", "ask cancel"): "cancel pending",
    ("working", "fill part"): "partly filled",
    ("working", "ask cancel"): "cancel pending",
    ("working", "ask replace"): "replace pending",
    ("partly filled", "accept"): "partly filled",
    ("partly filled", "fill part"): "partly filled",
    ("partly filled", "ask cancel"): "cancel pending",
    ("partly filled", "ask replace"): "replace pending",
    ("cancel pending", "accept"): "cancel pending",
    ("cancel pending", "fill part"): "cancel pending",
    ("cancel pending", "reject"): "rejected",
    ("replace pending", "replace"): "working",
    ("replace pending", "fill part"): "replace pending",
    ("replace pending", "ask cancel"): "cancel pending",
}
for _status in LIVE[1:]:
    LIFE[_status, "fill rest"] = "filled"
    LIFE[_status, "cancel"] = "cancelled"
    LIFE[_status, "expire"] = "expired"


class RefusedError(Exception):
    """The event does not fit the state. The argument is the name of the status."""

    @property
    def status(self) -> str:
        return str(self.args[0])


def half_even(value: Fraction) -> int:
    """The nearest integer, a tie to the even one."""
    return round(value)


def exact(a: int, b: int, numerator: int, denominator: int) -> int:
    """``a * b * numerator / denominator`` rounded; refused when it reaches 2**62."""
    value = half_even(Fraction(a * b * numerator, denominator))
    if abs(value) >= MONEY_BOUND:
        raise RefusedError("MONEY_OVERFLOW")
    return value


def require(holds: bool, status: str) -> None:
    if not holds:
        raise RefusedError(status)


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


@dataclass
class Book:
    """What one strategy holds in one instrument."""

    lots: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0
    trip: Trip = field(default_factory=Trip)


@dataclass
class Order:
    order_id: int
    status: str
    strategy: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    quantity_lots: int
    filled_lots: int
    limit_ticks: int
    stop_ticks: int
    tag: int
    instructions: int
    purpose: int
    leg: int
    ts_intended_ns: int
    cause: int
    before_request: int = 0
    trail_kind: int = 0
    trail_value: int = 0
    limit_offset_ticks: int = 0
    display_lots: int = 0
    expire_ns: int = 0
    group_id: int = 0
    group_role: int = 0
    parent_id: int = 0

    @property
    def leaves(self) -> int:
        return self.quantity_lots - self.filled_lots


@dataclass
class Paper:
    """An instrument."""

    currency: int = 0
    numerator: int = 0
    denominator: int = 0
    volume_known: int = 0
    halted: int = 0
    last: int = 0
    bid: int = 0
    ask: int = 0
    updated_ns: int = 0
    events: int = 0


class Kernel:
    """The twin. ``apply`` takes a stored event, or raises RefusedError."""

    def __init__(self) -> None:
        self.next_sequence = 1
        self.now_ns = 0
        self.halted = 0
        self.fill_count = self.trade_count = 0
        self.digest_interval = self.next_digest = 0
        self.cash = self.deposited = self.currency = self.scale = 0
        self.limits = c.LimitsSet(0, 0, 0, 0, 0, 0, 0)
        self.papers: list[Paper] = []
        self.strategy_count = 0
        self.books: dict[tuple[int, int], Book] = {}
        self.closed = Trip()
        self.orders: list[Order] = []
        self.timers: list[dict[str, int] | None] = [None] * TIMERS

    # --- what follows from what is kept ---

    def value(self, strategy: int, instrument: int) -> int:
        paper = self.papers[instrument]
        lots = self.books[strategy, instrument].lots
        return half_even(Fraction(paper.last * lots * paper.numerator, paper.denominator)) if lots else 0

    def pending(self, strategy: int, instrument: int, side: int) -> int:
        return sum(
            order.leaves
            for order in self.orders
            if (order.strategy, order.instrument) == (strategy, instrument) and (order.side > 0) == (side > 0)
        )

    def next_timer_ns(self) -> int:
        return min((timer["due_ns"] for timer in self.timers if timer), default=NEVER_NS)

    # --- events ---

    def apply(self, stored: Stored) -> None:
        event = stored.event
        if isinstance(event, c.DataSegment):
            return
        require(stored.sequence == self.next_sequence, "BAD_SEQUENCE")
        handler: Any = getattr(self, "on_" + type(event).__name__, None)
        if handler is not None:
            handler(event, stored)
        self.next_sequence += 1
        self.now_ns = stored.ts_ingest_ns

    def on_RunOpened(self, event: c.RunOpened, stored: Stored) -> None:  # noqa: N802
        instruments, strategies = event.instrument_count, event.strategy_count
        require(1 <= instruments <= MAX_INSTRUMENTS and 1 <= strategies <= MAX_STRATEGIES, "BAD_INDEX")
        require(instruments * strategies <= MAX_BOOKS, "NO_CAPACITY")
        shape = len(self.papers), self.strategy_count
        require(not self.books or shape == (instruments, strategies), "MISMATCH")
        self.digest_interval = self.next_digest = event.digest_interval
        if not self.books:
            self.papers = [Paper() for _ in range(instruments)]
            self.strategy_count = strategies
            self.books = {(s, i): Book() for s in range(strategies) for i in range(instruments)}

    def on_CurrencyDefined(self, event: c.CurrencyDefined, stored: Stored) -> None:  # noqa: N802
        self.currency, self.scale = event.currency, event.scale

    def on_InstrumentDefined(self, event: c.InstrumentDefined, stored: Stored) -> None:  # noqa: N802
        paper = self.paper_of(stored)
        paper.currency, paper.volume_known = event.currency, event.volume_known
        paper.numerator, paper.denominator = event.numerator, event.denominator

    def on_LimitsSet(self, event: c.LimitsSet, stored: Stored) -> None:  # noqa: N802
        self.limits = event

    def on_CashDeposited(self, event: c.CashDeposited, stored: Stored) -> None:  # noqa: N802
        require(abs(event.amount_minor) < MONEY_BOUND, "MONEY_OVERFLOW")
        require(abs(self.cash + event.amount_minor) < MONEY_BOUND, "MONEY_OVERFLOW")
        self.cash += event.amount_minor
        self.deposited += event.amount_minor

    def on_TradingHalted(self, event: c.TradingHalted, stored: Stored) -> None:  # noqa: N802
        self.set_halted(stored, 1)

    def on_TradingResumed(self, event: c.TradingResumed, stored: Stored) -> None:  # noqa: N802
        self.set_halted(stored, 0)

    def set_halted(self, stored: Stored, halted: int) -> None:
        if stored.instrument < 0:
            self.halted = halted
        else:
            self.paper_of(stored).halted = halted

    def on_StateDigest(self, event: c.StateDigest, stored: Stored) -> None:  # noqa: N802
        if self.digest_interval > 0:
            whole = stored.sequence - stored.sequence % self.digest_interval
            self.next_digest = whole + self.digest_interval

    def paper_of(self, stored: Stored) -> Paper:
        require(0 <= stored.instrument < len(self.papers), "BAD_INDEX")
        return self.papers[stored.instrument]

    # --- market data ---

    def on_BarClosed(self, event: c.BarClosed, stored: Stored) -> None:  # noqa: N802
        self.price(stored, event.close_ticks)

    def on_TradeSeen(self, event: c.TradeSeen, stored: Stored) -> None:  # noqa: N802
        self.price(stored, event.price_ticks)

    def on_QuoteSeen(self, event: c.QuoteSeen, stored: Stored) -> None:  # noqa: N802
        bid, ask = event.bid_ticks, event.ask_ticks
        both = NO_PRICE not in (bid, ask)
        paper = self.paper_of(stored)
        require(all(abs(price) < MONEY_BOUND or price == NO_PRICE for price in (bid, ask)), "MONEY_OVERFLOW")
        self.price(stored, half_even(Fraction(bid + ask, 2)) if both else paper.last)
        paper.bid, paper.ask = (0 if price == NO_PRICE else price for price in (bid, ask))

    def on_DepthChanged(self, event: c.DepthChanged, stored: Stored) -> None:  # noqa: N802
        self.price(stored, self.paper_of(stored).last)

    def price(self, stored: Stored, last: int) -> None:
        paper = self.paper_of(stored)
        before, paper.last = paper.last, last
        if last != before:
            try:
                self.check_values(stored.instrument)
            except RefusedError:
                paper.last = before
                raise
        paper.updated_ns = stored.ts_ingest_ns
        paper.events += 1

    def check_values(self, instrument: int) -> None:
        values = {place: self.value(*place) for place in self.books}
        require(all(abs(value) < MONEY_BOUND for value in values.values()), "MONEY_OVERFLOW")
        require(sum(abs(value) for value in values.values()) < MONEY_BOUND, "MONEY_OVERFLOW")

    # --- orders ---

    def on_OrderIntended(self, event: c.OrderIntended, stored: Stored) -> None:  # noqa: N802
        require(len(self.orders) < OPEN_ORDERS, "NO_CAPACITY")
        self.paper_of(stored)
        require(0 <= stored.strategy < self.strategy_count, "BAD_INDEX")
        require(0 < event.quantity_lots <= LOTS_OF_AN_ORDER, "MISMATCH")
        self.orders.append(
            Order(
                order_id=stored.sequence,
                status="intended",
                strategy=stored.strategy,
                instrument=stored.instrument,
                side=event.side,
                order_type=event.order_type,
                time_in_force=event.time_in_force,
                quantity_lots=event.quantity_lots,
                filled_lots=0,
                limit_ticks=event.limit_ticks,
                stop_ticks=event.stop_ticks,
                tag=event.tag,
                instructions=event.instructions,
                purpose=event.purpose,
                leg=event.leg,
                ts_intended_ns=stored.ts_ingest_ns,
                cause=stored.cause,
            )
        )

    def order(self, order_id: int) -> Order:
        found = [order for order in self.orders if order.order_id == order_id]
        require(len(found) == 1, "UNKNOWN_ORDER")
        return found[0]

    def step(self, order: Order, happening: str) -> None:
        require((order.status, happening) in LIFE, "ILLEGAL_TRANSITION")
        order.status = LIFE[order.status, happening]
        if order.status in ENDED:
            self.orders.remove(order)

    def on_RiskChecked(self, event: c.RiskChecked, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "deny" if event.check else "approve")

    def on_OrderAccepted(self, event: c.OrderAccepted, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "accept")

    def on_OrderRejected(self, event: c.OrderRejected, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "reject")

    def on_OrderCanceled(self, event: c.OrderCanceled, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "cancel")

    def on_OrderExpired(self, event: c.OrderExpired, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "expire")

    def on_CancelRequested(self, event: c.CancelRequested, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "ask cancel")

    def on_ReplaceRequested(self, event: c.ReplaceRequested, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "ask replace")

    def on_OrderReplaced(self, event: c.OrderReplaced, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        require(order.filled_lots < event.quantity_lots <= LOTS_OF_AN_ORDER, "MISMATCH")
        self.step(order, "replace")
        order.quantity_lots = event.quantity_lots
        order.limit_ticks, order.stop_ticks = event.limit_ticks, event.stop_ticks

    def on_OrderFilled(self, event: c.OrderFilled, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        lots = event.quantity_lots
        require(0 < lots <= order.leaves, "MISMATCH")
        require(event.leaves_lots == order.leaves - lots and event.side == order.side, "MISMATCH")
        book_fill = self.fill(order, event, stored)
        happening = "fill part" if event.leaves_lots else "fill rest"
        require((order.status, happening) in LIFE, "ILLEGAL_TRANSITION")
        book_fill()
        order.filled_lots += lots
        self.fill_count += 1
        self.step(order, happening)

    # --- books ---

    def fill(self, order: Order, event: c.OrderFilled, stored: Stored) -> Any:
        """Check a fill; the function that comes back books it."""
        place = order.strategy, order.instrument
        paper, book = self.papers[order.instrument], self.books[place]
        ratio = paper.numerator, paper.denominator
        side, lots, fee = event.side, event.quantity_lots, event.fee_minor
        money = exact(event.price_ticks, lots, *ratio)
        require(abs(money) + abs(fee) < MONEY_BOUND, "MONEY_OVERFLOW")
        closing = min(lots, abs(book.lots)) if book.lots * side < 0 else 0
        money_closing = exact(event.price_ticks, closing, *ratio)
        cost_out = half_even(Fraction(book.cost * closing, abs(book.lots))) if closing else 0
        realised = -side * money_closing - cost_out if closing else 0
        cost = book.cost - cost_out + side * (money - money_closing)
        cash = self.cash - side * money - fee
        books = self.books.values()
        account_cost = sum(other.cost for other in books) - book.cost + cost
        account_realised = sum(other.realised for other in books) + realised
        account_fees = sum(other.fees for other in books) + fee
        of_account = cash, account_cost, account_realised, account_fees
        of_book = book.lots + side * lots, cost, book.realised + realised, book.fees + fee
        so_far = book.trip.entry_minor, book.trip.exit_minor
        for amount in (*of_account, *of_book, *so_far):
            require(abs(amount) < MONEY_BOUND, "MONEY_OVERFLOW")
        before = book.lots
        book.lots += side * lots
        try:
            self.check_values(order.instrument)
        finally:
            book.lots = before

        def commit() -> None:
            book.lots += side * lots
            book.cost, self.cash = cost, cash
            book.realised += realised
            book.fees += fee
            self.trips(book, event, stored, closing, money_closing, money, realised)

        return commit

    def trips(
        self, book: Book, event: c.OrderFilled, stored: Stored, closing: int, money_closing: int, money: int,
        realised: int,
    ) -> None:  # fmt: skip
        """The round trip that a fill closes, goes on with, or begins."""
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
                book.trip = trip = Trip()
        opening = event.quantity_lots - closing
        if opening:
            if trip.side == 0:
                trip.side = event.side
                trip.ts_entry_ns, trip.entry_sequence = stored.ts_event_ns, stored.sequence
            trip.quantity_lots += opening
            trip.entry_minor += money - money_closing
            trip.fees_minor += event.fee_minor - fee_closing
            trip.fill_count += 1

    def on_PositionChanged(self, event: c.PositionChanged, stored: Stored) -> None:  # noqa: N802
        self.paper_of(stored)
        require(0 <= stored.strategy < self.strategy_count, "BAD_INDEX")
        book = self.books[stored.strategy, stored.instrument]
        says = event.quantity_lots, event.cost_minor, event.realised_minor, event.fees_minor, event.cash_minor
        require(says == (book.lots, book.cost, book.realised, book.fees, self.cash), "MISMATCH")

    def on_TradeClosed(self, event: c.TradeClosed, stored: Stored) -> None:  # noqa: N802
        require(vars(self.closed) == {name: getattr(event, name) for name in vars(self.closed)}, "MISMATCH")
        self.trade_count += 1

    # --- timers ---

    def timer_place(self, stored: Stored, timer: int) -> int | None:
        key = {"strategy": stored.strategy, "instrument": stored.instrument, "timer": timer}
        for place, entry in enumerate(self.timers):
            if entry is not None and key.items() <= entry.items():
                return place
        return None

    def on_TimerSet(self, event: c.TimerSet, stored: Stored) -> None:  # noqa: N802
        place = self.timer_place(stored, event.timer)
        if place is None:
            require(None in self.timers, "NO_CAPACITY")
            place = self.timers.index(None)
        entry = {"strategy": stored.strategy, "instrument": stored.instrument, "timer": event.timer}
        entry |= {"due_ns": event.due_ns, "interval_ns": event.interval_ns}
        self.timers[place] = entry if event.due_ns > 0 else None

    def on_TimerFired(self, event: c.TimerFired, stored: Stored) -> None:  # noqa: N802
        place = self.timer_place(stored, event.timer)
        require(place is not None, "MISMATCH")
        assert place is not None
        entry = self.timers[place]
        assert entry is not None
        require(entry["due_ns"] == event.due_ns, "MISMATCH")
        if entry["interval_ns"] > 0:
            entry["due_ns"] += entry["interval_ns"]
        else:
            self.timers[place] = None
