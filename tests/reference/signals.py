"""Naive twin of signals, targets and exits in the state, and of what the kernel decides about targets.

It is told every event after the kernel's own twin (``tests.reference.kernel.Kernel``), which knows orders and books.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import msgspec

from kernel.events import catalogue as c
from kernel.events.layout import Stored
from kernel.exits_nb import PARTIAL_TARGET
from kernel.lifecycle import REDUCE_ONLY
from kernel.plans import CONFIDENCE_WEIGHT, EQUAL_WEIGHT, EQUITY_SHARE, NO_METHOD, RECORDED_WEIGHT, sizing_plan
from tests.reference import sizing
from tests.reference.kernel import Kernel, RefusedError, require

ONE = 100_000_000
BOUND = 2**62
MINUTE = 60 * 10**9


@dataclass
class Row:
    """What is known of one book beside its position."""

    direction: int = 0
    strength_rate: int = 0
    confidence_rate: int = 0
    horizon_ns: int = 0
    stop_ticks: int = 0
    target_ticks: int = 0
    measure_e8: int = 0
    low_return_rate: int = 0
    high_return_rate: int = 0
    signal_ns: int = 0
    signal_sequence: int = 0
    due: int = 0
    due_cause: int = 0
    due_ns: int = 0
    retry_ns: int = 0
    target_lots: int = 0
    target_sequence: int = 0
    trip_sequence: int = 0
    peak_lots: int = 0
    best_before_ticks: int = 0
    best_ticks: int = 0
    rungs_taken: int = 0
    entry_measure_e8: int = 0
    rejected_trip: int = 0


@dataclass
class Signals:
    """The twin. ``apply`` wants the kernel's twin as it was before the event and as it is after it."""

    kernel: Kernel
    rows: dict[tuple[int, int], Row] = field(default_factory=dict)
    plans: dict[int, c.SizingPlanSet] = field(default_factory=dict)
    portfolios: dict[int, c.PortfolioPlanSet] = field(default_factory=dict)
    exits: dict[int, c.ExitPlanSet] = field(default_factory=dict)
    weights: dict[int, int] = field(default_factory=dict)
    now_ns: int = 0

    def row(self, strategy: int, instrument: int) -> Row:
        return self.rows.setdefault((strategy, instrument), Row())

    def method(self, strategy: int) -> int:
        plan = self.portfolios.get(strategy)
        return plan.method if plan else NO_METHOD

    def targets_due(self) -> int:
        return sum(row.due for row in self.rows.values())

    def apply(self, stored: Stored) -> None:
        """Take an event in. Raises RefusedError for one that does not fit, and is then as it was."""
        event = stored.event
        last_before = self.kernel.papers[stored.instrument].last if stored.instrument >= 0 else 0
        self.now_ns = stored.ts_ingest_ns
        if isinstance(event, c.OrderRejected):
            self.on_rejected(event)
        if isinstance(event, c.OrderRejected | c.RequestRefused) or (isinstance(event, c.RiskChecked) and event.check):
            self.on_refused(event, stored)
        if isinstance(event, c.SignalEmitted | c.PortfolioTarget | c.ExitTriggered | c.WeightSet) or (
            type(event).__name__.endswith("PlanSet")
        ):
            getattr(self, "on_" + type(event).__name__)(event, stored)
        if isinstance(event, c.OrderCrossed):
            filled = c.OrderFilled(*(getattr(event, name) for name in event.__struct_fields__))
            stored = msgspec.structs.replace(stored, event=filled)
        self.kernel.apply(stored)
        if isinstance(event, c.BarClosed):
            self.on_bar(event, stored, last_before)

    def on_SizingPlanSet(self, event: c.SizingPlanSet, stored: Stored) -> None:  # noqa: N802
        self.plans[stored.strategy] = event

    def on_PortfolioPlanSet(self, event: c.PortfolioPlanSet, stored: Stored) -> None:  # noqa: N802
        self.portfolios[stored.strategy] = event

    def on_ExitPlanSet(self, event: c.ExitPlanSet, stored: Stored) -> None:  # noqa: N802
        self.exits[stored.strategy] = event

    def mark(self, row: Row, cause: int) -> None:
        row.due, row.due_cause, row.due_ns, row.retry_ns = 1, cause, self.now_ns, 0

    def on_SignalEmitted(self, event: c.SignalEmitted, stored: Stored) -> None:  # noqa: N802
        require(event.direction in (-1, 0, 1), "MISMATCH")
        row = self.row(stored.strategy, stored.instrument)
        turned = event.direction != row.direction
        new = turned or event.confidence_rate != row.confidence_rate
        for name in (
            "direction",
            "strength_rate",
            "confidence_rate",
            "horizon_ns",
            "measure_e8",
            "low_return_rate",
            "high_return_rate",
        ):
            setattr(row, name, getattr(event, name))
        row.signal_ns, row.signal_sequence = stored.ts_ingest_ns, stored.sequence
        row.stop_ticks = event.stop_ticks or (0 if turned else row.stop_ticks)
        row.target_ticks = event.target_ticks or (0 if turned else row.target_ticks)
        if not new:
            return
        if self.method(stored.strategy) in (EQUAL_WEIGHT, CONFIDENCE_WEIGHT):
            for (strategy, _), other in self.rows.items():
                if strategy == stored.strategy and other.direction != 0:
                    self.mark(other, stored.sequence)
        self.mark(row, stored.sequence)

    def on_PortfolioTarget(self, event: c.PortfolioTarget, stored: Stored) -> None:  # noqa: N802
        row = self.row(stored.strategy, stored.instrument)
        require(row.due == 1, "MISMATCH")
        row.due, row.retry_ns, row.target_lots, row.target_sequence = 0, 0, event.target_lots, stored.sequence

    def on_WeightSet(self, event: c.WeightSet, stored: Stored) -> None:  # noqa: N802
        if self.weights.get(stored.instrument, 0) == event.weight_rate:
            return
        self.weights[stored.instrument] = event.weight_rate
        for strategy in range(self.kernel.strategy_count):
            row = self.row(strategy, stored.instrument)
            if self.method(strategy) == RECORDED_WEIGHT and row.direction != 0:
                self.mark(row, stored.sequence)

    def on_ExitTriggered(self, event: c.ExitTriggered, stored: Stored) -> None:  # noqa: N802
        book = self.kernel.books[stored.strategy, stored.instrument, 1]
        require(0 < event.quantity_lots <= abs(book.lots), "MISMATCH")
        row = self.row(stored.strategy, stored.instrument)
        self.meet_trip(row, stored.strategy, stored.instrument)
        row.rungs_taken = event.rungs_taken
        if event.reason == PARTIAL_TARGET:
            row.target_lots = book.lots - (event.quantity_lots if book.lots > 0 else -event.quantity_lots)
        else:
            row.target_lots = row.direction = row.due = 0

    def on_rejected(self, event: c.OrderRejected) -> None:
        for order in self.kernel.orders:
            if order.order_id == event.order_id and order.instructions & REDUCE_ONLY:
                book = self.kernel.books[order.strategy, order.instrument, 1]
                self.row(order.strategy, order.instrument).rejected_trip = book.trip.entry_sequence

    def on_refused(self, event: c.OrderRejected | c.RequestRefused | c.RiskChecked, stored: Stored) -> None:
        """The order of a target: it is tried again a minute later, if that is within five of when it became due."""
        place, cause = (stored.strategy, stored.instrument), stored.cause
        if not isinstance(event, c.RequestRefused):
            order = next((order for order in self.kernel.orders if order.order_id == event.order_id), None)
            if order is None:
                return
            place, cause = (order.strategy, order.instrument), order.cause
        row = self.rows.get(place)
        if row is None or not cause or cause != row.target_sequence or row.due:
            return
        if self.now_ns + MINUTE - row.due_ns <= 5 * MINUTE:
            row.due, row.retry_ns = 1, self.now_ns + MINUTE

    def entry_ticks(self, strategy: int, instrument: int) -> int:
        book, paper = self.kernel.books[strategy, instrument, 1], self.kernel.papers[instrument]
        ticks = round(Fraction(abs(book.cost) * paper.denominator, abs(book.lots) * paper.numerator))
        return ticks if ticks < BOUND else 0

    def meet_trip(self, row: Row, strategy: int, instrument: int) -> bool:
        """Begin to follow a trip that is new. Returns whether it was."""
        book = self.kernel.books[strategy, instrument, 1]
        if row.trip_sequence == book.trip.entry_sequence:
            return False
        row.trip_sequence = book.trip.entry_sequence
        row.peak_lots, row.rungs_taken, row.entry_measure_e8 = abs(book.lots), 0, row.measure_e8
        row.best_ticks = row.best_before_ticks = self.entry_ticks(strategy, instrument)
        return True

    def on_bar(self, event: c.BarClosed, stored: Stored, last_before: int) -> None:
        for strategy in self.exits:
            book = self.kernel.books[strategy, stored.instrument, 1]
            if book.lots == 0:
                continue
            better = max if book.lots > 0 else min
            row = self.row(strategy, stored.instrument)
            if self.meet_trip(row, strategy, stored.instrument):
                row.best_ticks = better(row.best_ticks, last_before)
            row.best_before_ticks = row.best_ticks
            row.best_ticks = better(row.best_ticks, event.high_ticks if book.lots > 0 else event.low_ticks)
            row.peak_lots = max(row.peak_lots, abs(book.lots))

    # --- what the kernel decides ---

    def equity(self) -> int:
        return self.kernel.balances[0, 0].amounts["cash"] + self.kernel.worth((0, 0))

    def weight(self, strategy: int, instrument: int) -> int:
        """The rate of an instrument in the strategy's portfolio."""
        method = self.method(strategy)
        if method in (NO_METHOD, RECORDED_WEIGHT):
            return self.weights.get(instrument, 0)
        count = len(self.kernel.papers)
        rows = [self.row(strategy, place) for place in range(count)]
        wanted = [(row.confidence_rate if method == CONFIDENCE_WEIGHT else 1) if row.direction else 0 for row in rows]
        return sizing.apportion(ONE, wanted)[instrument]

    def target(self, strategy: int, instrument: int) -> int:
        row, paper = self.row(strategy, instrument), self.kernel.papers[instrument]
        if row.direction == 0:
            return 0
        set_plan = self.plans.get(strategy)
        plan = sizing_plan(EQUITY_SHARE, share_rate=95 * ONE // 100)
        for name in c.SizingPlanSet.__struct_fields__ if set_plan is not None else ():
            setattr(plan, name, getattr(set_plan, name))
        facts = (self.equity(), paper.last, 0, paper.numerator, paper.denominator)
        if self.method(strategy) == NO_METHOD:
            return row.direction * sizing.size_lots(plan, *facts, row.measure_e8, row.confidence_rate)
        weight = self.weight(strategy, instrument)
        money = sizing.share(sizing.share(self.equity(), self.portfolios[strategy].share_rate), abs(weight))
        if plan.cap_rate > 0:
            money = min(money, sizing.share(self.equity(), int(plan.cap_rate)))
        lots = sizing.lots_worth(money, *facts[1:])
        if plan.by_confidence == 1 and row.confidence_rate < ONE:
            lots = sizing.share(lots, row.confidence_rate)
        return row.direction * (lots if weight > 0 else -lots)

    def decide(self) -> list[tuple[int, int, int, int]]:
        """``(strategy, instrument, target, lots to order)`` for every due book with a price, in the kernel's order.

        Nothing that is ordered here changes what another book's target is.
        """
        found = []
        for strategy in range(self.kernel.strategy_count):
            for instrument in range(len(self.kernel.papers)):
                row = self.row(strategy, instrument)
                if row.due and row.retry_ns <= self.now_ns and self.kernel.papers[instrument].last > 0:
                    target = self.target(strategy, instrument)
                    held = self.kernel.books[strategy, instrument, 1].lots
                    pending = sum(self.kernel.pending(strategy, instrument, side, 1) * side for side in (1, -1))
                    found.append((strategy, instrument, target, target - held - pending))
        grows = [self.kernel.books[(*decided[:2], 1)].lots * decided[3] >= 0 and decided[3] != 0 for decided in found]
        shrinking = [decided for decided, does in zip(found, grows, strict=True) if not does]
        return shrinking + [decided for decided, does in zip(found, grows, strict=True) if does]


def crosses(wants: list[int]) -> list[int]:
    """How many lots of each order trade with the other orders, by the rule of the largest remainders."""
    bought, sold = sum(max(want, 0) for want in wants), sum(max(-want, 0) for want in wants)
    lots = min(bought, sold)
    buys = sizing.apportion(lots, [max(want, 0) for want in wants])
    sells = sizing.apportion(lots, [max(-want, 0) for want in wants])
    return [buy - sell for buy, sell in zip(buys, sells, strict=True)]


__all__ = ["RefusedError", "Row", "Signals", "crosses"]
