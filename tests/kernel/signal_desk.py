"""A state with instruments and strategies, moved by events, signals, targets and exits: what their tests share."""

from typing import Any

import numpy as np

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.decide_nb import decide_nb
from kernel.emit_nb import OUTPUT
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.exit_orders_nb import exits_nb
from kernel.ledger_nb import OK
from kernel.plans import EXIT_PLAN, exit_plan, sizing_plan
from kernel.portfolio_nb import portfolio_nb
from kernel.records import new_record
from kernel.state import new_state
from kernel.strategy.context import EMIT_SIGNAL, INTENT
from kernel.units import RATE_SCALE

EQUITY = 1_000_000
PRICE = 100
HOUR_NS = 3600 * 10**9


class SignalDesk:
    """Money and ticks are plain numbers: a lot at 100 costs 100, and equity is a million."""

    def __init__(self, instruments: int = 3, strategies: int = 2, price: int = PRICE, accounts: int = 1,
                 shadow: int = 0) -> None:  # fmt: skip
        self.state, self.output = new_state(), new_record(OUTPUT)
        self.now_ns = 0
        self.apply(c.RunOpened(instruments, strategies, 0, 0, 0))
        for account in range(1, accounts):
            self.apply(c.AccountDefined(0, 0, 0, 0, shadow), account=account)
        for instrument in range(instruments):
            self.apply(c.InstrumentDefined(0, 1, 1, 1), instrument)
        for strategy in range(strategies):
            self.apply(c.StrategyDefined(0), -1, strategy)
        self.apply(c.CashDeposited(0, EQUITY))
        for account in range(1, accounts):
            self.apply(c.CashDeposited(0, EQUITY), account=account)
        for instrument in range(instruments if price else 0):
            self.bar(price, instrument=instrument)

    # --- inputs ---

    def apply(self, event: c.Event, instrument: int = -1, strategy: int = -1, account: int = 0) -> None:
        sequence = int(self.state.head.next_sequence)
        stored = Stored(sequence, self.now_ns, self.now_ns, 0, instrument, strategy, account, event)
        assert apply_nb(self.state, encode(stored)[0]) == OK

    def bar(self, close: int, *, high: int = 0, low: int = 0, instrument: int = 0) -> int:
        """A bar; returns its sequence."""
        self.apply(c.BarClosed(close, high or close, low or close, close, 1, 0), instrument)
        return int(self.state.head.next_sequence) - 1

    def size(self, model: int, strategy: int = 0, **fields: int) -> None:
        self.apply(c.SizingPlanSet(*(int(value) for value in sizing_plan(model, **fields))), -1, strategy)

    def divide(self, method: int, share_rate: int = RATE_SCALE, *, net: int = 0, strategy: int = 0) -> None:
        self.apply(c.PortfolioPlanSet(method, share_rate, net), -1, strategy)

    def protect(self, strategy: int = 0, rungs: tuple[tuple[int, int], ...] = (), **fields: int) -> None:
        plan = exit_plan(**fields)
        names = [name for name in EXIT_PLAN.names or () if name != "active"]
        self.apply(c.ExitPlanSet(*(int(plan[name]) for name in names)), -1, strategy)
        for place, rung in enumerate(rungs):
            self.apply(c.ExitRungSet(place, *rung), -1, strategy)

    # --- what the kernel does ---

    def since(self, first: int) -> list[Stored]:
        return [decode(record) for record in self.output.records[first : self.output.count]]

    def signal(self, direction: int, confidence: int = RATE_SCALE, *, instrument: int = 0, strategy: int = 0,
               **fields: int) -> list[Stored]:  # fmt: skip
        first = int(self.output.count)
        wish = {"action": EMIT_SIGNAL, "instrument": instrument, "side": direction, "confidence_rate": confidence,
                "strength_rate": RATE_SCALE, "measure_e8": -1} | fields  # fmt: skip
        self.stamp()
        assert decide_nb(self.state, self.output, strategy, self.intent(**wish)) == OK
        return self.since(first)

    def intent(self, **wish: int) -> Any:
        intent = np.zeros(1, INTENT)[0]
        for name, value in wish.items():
            intent[name] = value
        return intent

    def targets(self) -> list[Stored]:
        """Set the targets that are due; what the kernel wrote."""
        first = int(self.output.count)
        self.stamp()
        assert portfolio_nb(self.state, self.output) == OK
        return self.since(first)

    def exits(self, instrument: int = 0, cause: int = 0) -> list[Stored]:
        first = int(self.output.count)
        self.stamp()
        assert exits_nb(self.state, self.output, instrument, cause) == OK
        return self.since(first)

    def stamp(self) -> None:
        self.output.ts_event_ns = self.output.ts_ingest_ns = self.now_ns
        self.output.cause = 0

    def fill_all(self, price: int = 0) -> None:
        """Fill every approved order whole, at its instrument's last price unless another is said."""
        while self.state.head.order_count:
            order = self.state.orders[0]
            at = price or int(self.state.instruments[order.instrument].last_ticks)
            lots = int(order.quantity_lots - order.filled_lots)
            filled = c.OrderFilled(int(order.order_id), int(order.side), at, lots, 0, 0, life.TAKER, 0)
            self.apply(filled, int(order.instrument), int(order.strategy))

    def hold(self, lots: int, *, price: int = PRICE, instrument: int = 0, strategy: int = 0) -> None:
        """Put a position into a book, bought at ``price``."""
        side = life.BUY if lots > 0 else life.SELL
        intended = c.OrderIntended(side, life.MARKET, life.GTC, abs(lots), 0, 0, 0)
        order_id = int(self.state.head.next_sequence)
        self.apply(intended, instrument, strategy)
        self.apply(c.RiskChecked(order_id, 0, 0, 0), instrument, strategy)
        self.fill_all(price)

    def lots(self, instrument: int = 0, strategy: int = 0) -> int:
        book = strategy * int(self.state.head.instrument_count) + instrument
        return int(self.state.positions[book].quantity_lots)

    def row(self, instrument: int = 0, strategy: int = 0) -> Any:
        return self.state.signals[strategy * int(self.state.head.instrument_count) + instrument]


def told(events: list[Stored], kind: type[c.Event]) -> list[Any]:
    """The events of one type."""
    return [stored.event for stored in events if isinstance(stored.event, kind)]
