"""Naive exact twin of ``apply``: dictionaries, lists and unbounded integers, written from the event catalogue.

Nothing is kept that can be derived: pending lots are counted over the open orders, the account's totals are
sums over the books, the value of a book is its lots at the last price. Only cash is kept, so that the equation
between cash and the books is checked and not assumed. An event that does not fit raises ``RefusedError`` and
leaves the twin as it was.
"""

from typing import Any

from kernel.events import catalogue as c
from kernel.events.layout import Stored
from tests.reference.kernel.common import RefusedError, require
from tests.reference.kernel.income import Income
from tests.reference.kernel.ledger import Book, Paper, Place, Trip
from tests.reference.kernel.live import Live
from tests.reference.kernel.orders import ENDED, LIVE, Order

__all__ = ["ENDED", "LIVE", "Book", "Kernel", "Order", "Paper", "RefusedError", "Trip"]

TIMERS = 32
MAX_INSTRUMENTS, MAX_STRATEGIES, MAX_BOOKS = 512, 32, 1024
NEVER_NS = 2**63 - 1


class Kernel(Income, Live):
    """The twin. ``apply`` takes a stored event, or raises RefusedError."""

    def __init__(self) -> None:
        super().__init__()
        self.next_sequence = 1
        self.halted = 0
        self.fill_count = self.trade_count = 0
        self.digest_interval = self.next_digest = 0
        self.limits = c.LimitsSet(0, 0, 0, 0, 0, 0, 0)
        Live.__init__(self)
        self.timers: list[dict[str, int] | None] = [None] * TIMERS

    # --- what follows from what is kept ---

    def pending(self, strategy: int, instrument: int, side: int, leg: int) -> int:
        return sum(
            order.leaves
            for order in self.orders
            if self.place(order) == (strategy, instrument, leg) and (order.side > 0) == (side > 0) and not order.reduces
        )

    def place(self, order: Order) -> Place:
        return order.strategy, order.instrument, -1 if order.leg < 0 else 1

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
            self.books = {(s, i, leg): Book() for s in range(strategies) for i in range(instruments) for leg in (1, -1)}

    def on_LimitsSet(self, event: c.LimitsSet, stored: Stored) -> None:  # noqa: N802
        self.limits = event

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

    # --- fills ---

    def on_OrderFilled(self, event: c.OrderFilled, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        lots = event.quantity_lots
        require(0 < lots <= order.leaves, "MISMATCH")
        require(event.leaves_lots == order.leaves - lots and event.side == order.side, "MISMATCH")
        happening = "fill part" if event.leaves_lots else "fill rest"
        possible = order.stage not in ("intended", "held")
        self.tentative(lambda: self.fill(self.place(order), event, stored, possible))
        self.closed.purpose = order.purpose
        order.filled_lots += lots
        self.fill_count += 1
        self.note_group_fill(order, lots)
        self.share_fill(order, lots)
        self.step(order, happening)

    def on_TradeClosed(self, event: c.TradeClosed, stored: Stored) -> None:  # noqa: N802
        require(all(getattr(self.closed, name) == getattr(event, name) for name in event.__struct_fields__), "MISMATCH")
        place = stored.strategy, stored.instrument, 1
        if place in self.books and self.accounts[self.books[place].account].shadow:
            self.shadow_trade_count += 1
        else:
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
