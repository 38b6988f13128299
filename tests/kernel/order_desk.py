"""A desk for tests of orders: the kernel, its twin, and a venue that answers as it is told, in any order.

Whatever the kernel or the venue writes is applied to both kernel and twin, and settled as the drivers do.
"""

from typing import Any

import numpy as np

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.decide_nb import decide_nb
from kernel.emit_nb import OUTPUT
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.ledger_nb import OK, STATUS_TEXT
from kernel.placing_nb import abandon_group_nb
from kernel.react_nb import react_nb
from kernel.records import new_record
from kernel.state import new_state
from kernel.strategy.context import CANCEL, INTENT, REPLACE, SUBMIT
from tests.reference.kernel import Kernel

PRICE = 100


class Desk:
    """One instrument at 100, two strategies. ``honours_links``: the venue does at once what a group asks for."""

    def __init__(self, honours_links: bool = True, **limits: int) -> None:
        self.state, self.output, self.twin = new_state(), new_record(OUTPUT), Kernel()
        self.honours_links = honours_links
        self.resting: dict[int, dict[str, int]] = {}
        self.requests: list[tuple[int, c.Event]] = []
        self.now_ns = 0
        self.roles: dict[int, dict[int, int]] = {}
        self.lots: dict[int, int] = {}  # as intended
        self.fills: dict[int, int] = {}
        self.instructions: dict[int, int] = {}
        self.log: list[Stored] = []
        for event in (c.RunOpened(1, 2, 0, 0, 0), c.CurrencyDefined(0, 2), c.InstrumentDefined(0, 1, 1, 1)):
            self.say(event, 0)
        self.say(c.CashDeposited(0, 10**9))
        self.say(c.LimitsSet(**{**dict.fromkeys(c.LimitsSet.__struct_fields__, 0), **limits}))
        self.price(PRICE)

    # --- events ---

    def stamp(self) -> None:
        self.now_ns += 1
        self.output.count = 0
        self.output.ts_event_ns = self.output.ts_ingest_ns = self.now_ns
        self.output.cause = 0

    def say(self, event: c.Event, instrument: int = 0, strategy: int = -1) -> None:
        """An event from outside, and all that follows."""
        self.stamp()
        self.write(event, instrument, strategy)
        self.settle()

    def write(self, event: c.Event, instrument: int = 0, strategy: int = -1) -> None:
        sequence = int(self.state.head.next_sequence)
        record = encode(Stored(sequence, self.now_ns, self.now_ns, 0, instrument, strategy, 0, event))[0]
        self.output.records[self.output.count] = record
        self.output.count += 1
        status = int(apply_nb(self.state, record))
        assert status == OK, f"{event}: {STATUS_TEXT[status]}"

    def settle(self) -> None:
        """Walk the new records: the twin applies each, the kernel reacts, the venue receives."""
        at = 0
        while at < self.output.count:
            self.note(decode(self.output.records[at]))
            status = int(react_nb(self.state, self.output, at))
            assert status == OK, STATUS_TEXT[status]
            self.receive(decode(self.output.records[at]))
            at += 1

    def note(self, stored: Stored) -> None:
        """The twin's view lags behind the kernel's: it has every event in its turn."""
        self.twin.apply(stored)
        self.log.append(stored)
        event = stored.event
        if isinstance(event, c.OrderIntended):
            self.lots[stored.sequence], self.fills[stored.sequence] = event.quantity_lots, 0
            self.instructions[stored.sequence] = event.instructions
        elif isinstance(event, c.OrderTerms) and event.group_id:
            self.roles.setdefault(event.group_id, {})[event.order_id] = event.group_role
        elif isinstance(event, c.OrderFilled):
            self.fills[event.order_id] += event.quantity_lots

    # --- the venue ---

    def receive(self, stored: Stored) -> None:
        event = stored.event
        released = isinstance(event, c.OrderReleased)
        if released or (isinstance(event, c.RiskChecked) and event.check == 0):
            row = self.row(event.order_id)  # type: ignore[attr-defined]
            if row is not None and row.status == life.SUBMITTED:
                self.resting[int(row.order_id)] = {"accepted": 0, "filled": 0, "lots": int(row.quantity_lots)}
        elif isinstance(event, c.CancelRequested | c.ReplaceRequested):
            if event.linked and self.honours_links:
                self.obey(stored.strategy, event)
            elif self.row(event.order_id) is not None and self.row(event.order_id).status != life.HELD:
                self.requests.append((stored.strategy, event))

    def obey(self, strategy: int, event: Any) -> None:
        """Do what was asked, if the order is still there."""
        row, at = self.row(event.order_id), self.resting.get(event.order_id)
        if row is None or row.status == life.HELD:
            return
        if isinstance(event, c.CancelRequested):
            self.resting.pop(event.order_id, None)
            self.write(c.OrderCanceled(event.order_id, int(row.quantity_lots - row.filled_lots), 0), 0, strategy)
        elif at is not None and event.quantity_lots > at["filled"]:
            at["lots"] = event.quantity_lots
            words = (event.order_id, event.quantity_lots, event.limit_ticks, event.stop_ticks)
            self.write(c.OrderReplaced(*words), 0, strategy)
        else:
            self.write(c.RequestRejected(event.order_id, life.REQUEST_REPLACE, 1), 0, strategy)

    def answer(self, place: int, refuses: bool) -> None:
        """The venue comes to a request that waited."""
        strategy, event = self.requests.pop(place)
        self.stamp()
        if refuses:
            request = life.REQUEST_CANCEL if isinstance(event, c.CancelRequested) else life.REQUEST_REPLACE
            self.write(c.RequestRejected(event.order_id, request, 2), 0, strategy)  # type: ignore[attr-defined]
        else:
            self.obey(strategy, event)
        self.settle()

    def accept(self, order_id: int) -> None:
        self.resting[order_id]["accepted"] = 1
        self.say(c.OrderAccepted(order_id), 0, self.strategy(order_id))

    def end(self, order_id: int, event: c.Event) -> None:
        strategy = self.strategy(order_id)
        del self.resting[order_id]
        self.say(event, 0, strategy)

    def fill(self, order_id: int, lots: int, price: int = PRICE) -> int:
        """Fill up to ``lots``; a reduce-only order fills no more than there is, and ends when there is nothing."""
        row, at = self.row(order_id), self.resting[order_id]
        assert row is not None
        lots = min(lots, at["lots"] - at["filled"])
        if row.instructions & life.REDUCING:
            held = int(self.state.positions[int(row.strategy)].quantity_lots)
            lots = min(lots, max(0, -held * int(row.side)))
        leaves = at["lots"] - at["filled"] - lots
        if lots == 0:
            self.end(order_id, c.OrderCanceled(order_id, leaves, life.CANCEL_REDUCE_ONLY))
            return 0
        at["filled"] += lots
        if leaves == 0:
            del self.resting[order_id]
        self.say(c.OrderFilled(order_id, int(row.side), price, lots, leaves, 0, 1, 1), 0, int(row.strategy))
        return lots

    def price(self, ticks: int) -> None:
        self.say(c.BarClosed(ticks, ticks, ticks, ticks, 1, 0))

    # --- the strategy ---

    def wish(self, *intents: dict[str, int], strategy: int = 0) -> list[int]:
        """Intents, one after another, as the loop takes them. Returns the ids of the orders that they became."""
        self.stamp()
        before = set(self.lots)
        for words in intents:
            intent = np.zeros(1, INTENT)[0]
            for name, value in {"action": SUBMIT, "time_in_force": life.GTC, **words}.items():
                intent[name] = value
            assert decide_nb(self.state, self.output, strategy, intent) == OK
        if self.output.group_left > 0:
            assert abandon_group_nb(self.state, self.output) == OK
        self.settle()
        return sorted(set(self.lots) - before)

    def cancel(self, order_id: int, strategy: int = 0) -> None:
        self.wish({"action": CANCEL, "order_id": order_id}, strategy=strategy)

    def replace(self, order_id: int, lots: int, strategy: int = 0, **prices: int) -> None:
        row = self.row(order_id)
        same = {} if row is None else {"limit_ticks": int(row.limit_ticks), "stop_ticks": int(row.stop_ticks)}
        wanted = {"action": REPLACE, "order_id": order_id, "quantity_lots": lots, **same, **prices}
        self.wish(wanted, strategy=strategy)

    # --- looking ---

    def row(self, order_id: int) -> Any:
        orders = self.state.orders[: int(self.state.head.order_count)]
        found = np.flatnonzero(orders["order_id"] == order_id)
        return orders[found[0]] if len(found) else None

    def strategy(self, order_id: int) -> int:
        return int(self.row(order_id).strategy)

    def status(self, order_id: int) -> str:
        row = self.row(order_id)
        return "gone" if row is None else life.STATUS_NAMES[int(row.status)]

    def open_lots(self, order_id: int) -> int:
        row = self.row(order_id)
        return 0 if row is None else int(row.quantity_lots - row.filled_lots)

    def position(self, strategy: int = 0) -> int:
        return int(self.state.positions[strategy].quantity_lots)

    def verdicts(self, order_ids: list[int]) -> list[int]:
        """The checks that decided on orders, 0 for approved."""
        given = {e.order_id: e.check for e in (s.event for s in self.log) if isinstance(e, c.RiskChecked)}
        return [given[order_id] for order_id in order_ids]


def bracket(lots: int, *, side: int = 1, limit: int = 0) -> tuple[dict[str, int], ...]:
    """The intents of a bracket around 100."""
    kind = {"order_type": life.LIMIT, "limit_ticks": limit} if limit else {"order_type": life.MARKET}
    out = {"side": -side, "quantity_lots": lots, "instructions": life.REDUCE_ONLY}
    profit, loss = PRICE + 10 * side, PRICE - 10 * side
    return (
        {"side": side, "quantity_lots": lots, **kind, "group_role": life.ENTRY, "group_size": 3},
        {**out, "order_type": life.LIMIT, "limit_ticks": profit, "group_role": life.TAKE_PROFIT},
        {**out, "order_type": life.STOP, "stop_ticks": loss, "group_role": life.STOP_LOSS},
    )


def group(first: int, rest: int, *lots: int) -> tuple[dict[str, int], ...]:
    """The intents of a group of limit orders to buy."""
    one = {"side": 1, "order_type": life.LIMIT, "limit_ticks": 95}
    return tuple(
        {
            **one,
            "quantity_lots": number,
            "group_role": rest if place else first,
            "group_size": 0 if place else len(lots),
        }
        for place, number in enumerate(lots)
    )
