"""A desk for tests: the kernel with its risk rules and, side by side, the naive twin that must agree."""

from typing import Any

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.decide_nb import decide_nb
from kernel.emit_nb import OUTPUT
from kernel.events import catalogue as c
from kernel.events.layout import HAS_BODY, Stored, decode, encode
from kernel.ledger_nb import OK
from kernel.react_nb import react_nb
from kernel.records import new_record
from kernel.risk.rules import RULES
from kernel.risk.watch_nb import watch_nb
from kernel.state import new_state
from kernel.strategy.context import CANCEL, INTENT, REPLACE, SUBMIT
from tests.reference.risk import Risk, Wish

CASH = 10**9
NO_LIMITS = c.LimitsSet(0, 0, 0, 0, 0, 0, 0)
BY_NAME = {rule.name: number for number, rule in RULES.items()}


class RiskDesk:
    """Events go to both; verdicts and what the monitors write are compared as they come.

    One account; ``foreign`` instruments, the last ones, are in another currency than its own.
    """

    def __init__(
        self, *, instruments: int = 3, strategies: int = 2, price: int = 1000, foreign: int = 0, **rules: int
    ) -> None:
        self.state, self.output, self.twin = new_state(), new_record(OUTPUT), Risk()
        self.now_ns = 1
        self.verdicts: list[tuple[int, int, int]] = []
        self.apply(c.RunOpened(instruments, strategies, 0, 0, 0))
        for instrument in range(instruments):
            self.apply(c.InstrumentDefined(int(instrument >= instruments - foreign), 1, 1, 1), instrument)
        self.apply(NO_LIMITS)
        self.apply(c.CashDeposited(0, CASH))
        self.rules(**rules)
        for instrument in range(instruments if price else 0):
            self.bar(price, instrument)

    def rules(self, **rules: int) -> None:
        for name, value in rules.items():
            self.apply(c.RiskRuleSet(BY_NAME[name], value))

    def apply(self, event: c.Event, instrument: int = -1, strategy: int = -1, *, body: bytes = b"") -> int:
        """Give an event to both. Returns its sequence."""
        sequence = int(self.state.head.next_sequence)
        stored = Stored(sequence, self.now_ns, self.now_ns, 0, instrument, strategy, 0, event, body)
        self.twin.apply(stored)
        assert apply_nb(self.state, encode(stored)[0]) == OK, event
        return sequence

    def bar(self, close: int, instrument: int = 0, *, high: int = 0, low: int = 0, volume: int = 1000) -> None:
        self.apply(c.BarClosed(close, high or close, low or close, close, volume, 0), instrument)

    def later(self, length_ns: int) -> None:
        self.now_ns += length_ns

    def emitted(self, since: int) -> list[Stored]:
        """What was written since then, given to the twin as well."""
        found = [decode(record) for record in self.output.records[since : self.output.count]]
        for stored in found:
            self.twin.apply(stored)
        return found

    def start(self) -> int:
        self.output.count = 0
        self.output.ts_event_ns = self.output.ts_ingest_ns = self.now_ns
        self.state.head.now_ns = self.twin.kernel.now_ns = self.now_ns
        return 0

    def intent(self, **wish: int) -> Any:
        intent = np.zeros(1, INTENT)[0]
        for name, value in wish.items():
            intent[name] = value
        return intent

    def ask(self, wish: Wish) -> tuple[int, int, int]:
        """Submit an order (or a change of one); the verdict is that of the twin."""
        since = self.start()
        expected = self.twin.verdict(wish)
        intent = self.intent(
            action=SUBMIT, side=wish.side, quantity_lots=wish.lots, order_type=wish.order_type, limit_ticks=wish.limit,
            stop_ticks=wish.stop, time_in_force=wish.time_in_force, instrument=wish.instrument, key=wish.key,
            signal_ns=wish.signal_ns, instructions=2 if wish.reduce_only else 0,
        )  # fmt: skip
        if wish.replaces is not None:
            intent.action, intent.order_id = REPLACE, wish.replaces.order_id
            intent.quantity_lots = wish.replaces.filled_lots + wish.lots
        assert decide_nb(self.state, self.output, wish.strategy, intent) == OK
        event = self.emitted(since)[-1].event
        found = (0, 0, 0)
        if isinstance(event, c.RiskChecked | c.RequestRefused):
            found = event.check, event.limit, event.value
        assert found == expected, f"{wish}: {found}, the twin: {expected}"
        self.verdicts.append(found)
        return found

    def submit(self, side: int = 1, lots: int = 1, **wish: Any) -> tuple[int, int, int]:
        wish = {"strategy": 0, "instrument": 0, "order_type": 2 if wish.get("limit") else 1, **wish}
        return self.ask(Wish(side=side, lots=lots, **wish))

    @property
    def last_order(self) -> Any:
        return self.twin.kernel.orders[-1]

    def cancel(self, order_id: int, strategy: int) -> None:
        since = self.start()
        assert decide_nb(self.state, self.output, strategy, self.intent(action=CANCEL, order_id=order_id)) == OK
        self.emitted(since)

    def fill(self, order: Any, lots: int = 0, price: int = 0, fee: int = 0) -> None:
        """A report of the venue, and what the kernel derives from it."""
        lots = lots or order.leaves
        price = price or self.twin.kernel.papers[order.instrument].last
        since = self.start()
        event = c.OrderFilled(order.order_id, order.side, price, lots, order.leaves - lots, fee, 1, 1)
        stored = Stored(
            int(self.state.head.next_sequence), self.now_ns, self.now_ns, 0, order.instrument, order.strategy, 0, event
        )
        self.output.records[0] = encode(stored)[0]
        self.output.count = 1
        assert apply_nb(self.state, self.output.records[0]) == OK
        assert react_nb(self.state, self.output, 0) == OK
        self.emitted(since)

    def hold(self, lots: int, instrument: int = 0, strategy: int = 0, price: int = 0) -> None:
        """Come to a position by an order that no rule sees: the switch, modes and stops still do."""
        rules = dict(self.twin.rules)
        self.rules(**dict.fromkeys(rules, 0))
        self.submit(1 if lots > 0 else -1, abs(lots), instrument=instrument, strategy=strategy)
        assert self.verdicts.pop()[0] == 0
        self.fill(self.last_order, price=price)
        self.rules(**rules)

    def watch(self, instrument: int = 0) -> list[c.Event]:
        """Let the monitors look; what they write is what the twin says."""
        since = self.start()
        expected = self.twin.watch(instrument)
        assert watch_nb(self.state, self.output, instrument) == OK
        found = [decode(record) for record in self.output.records[since : self.output.count]]
        stops = [one for one in found if isinstance(one.event, c.EntriesStopped | c.KillSwitchTripped)]
        assert [one.event for one in stops] == expected
        for one in stops:
            self.twin.apply(one)
        cancels = [one for one in found if isinstance(one.event, c.CancelRequested)]
        assert [one.event.order_id for one in cancels] == self.twin.cancels()[: len(cancels)]
        for one in cancels:
            self.twin.apply(one)
        wanted = self.twin.flattens()
        orders = [one for one in found if isinstance(one.event, c.OrderIntended)]
        intended = [(one.instrument, one.strategy, one.event.side * one.event.quantity_lots) for one in orders]
        assert intended == wanted[: len(intended)]
        for one in found[len(stops) + len(cancels) :]:
            self.twin.apply(one)
        if self.output.count < 300:
            assert len(self.twin.cancels()) == 0
            assert len(intended) == len(wanted)
        assert all(one.cause == self.twin.cause for one in [*cancels, *orders])
        return [one.event for one in found]

    def check(self) -> None:
        """The running totals are the sums that they stand for."""
        twin, state = self.twin, self.state
        if not twin.on:
            return
        for number in range(len(twin.kernel.papers)):
            row = state.risk_symbols[number]
            mine = row.exposure_minor, row.position_count
            assert mine == (twin.total(lambda s, i, n=number: i == n), twin.count(lambda s, i, n=number: i == n))
        for number in range(twin.kernel.strategy_count):
            row = state.risk_strategies[number]
            mine = row.exposure_minor, row.position_count
            assert mine == (twin.total(lambda s, i, n=number: s == n), twin.count(lambda s, i, n=number: s == n))
        for number in range(4):
            in_sector = twin.total(lambda s, i, n=number: twin.symbol(i).sector == n)
            assert state.risk_sectors[number].exposure_minor == in_sector
        account = state.risk_accounts[0]
        assert (account.exposure_minor, account.position_count) == (twin.total(), twin.count())
        assert (account.day_equity_minor, account.peak_equity_minor) == (twin.day_equity, twin.peak)


REASON = b"\x00"  # any body: what is in it is for people
assert HAS_BODY
