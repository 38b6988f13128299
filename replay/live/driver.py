"""The live session: adapters at one side, the kernel in the middle, the journal and the venue at the other.

Owns the order of things in one event loop: what was heard is taken in, what the kernel decided is journaled, and only
when the journal is durable do requests leave. Nothing here decides what to trade. If the journal cannot be written, the
session ends and nothing leaves any more.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from kernel.events.body import encode_body
from kernel.events.catalogue import LiveSessionClosed, LiveSessionOpened
from kernel.events.layout import PlainRecord
from kernel.venue import InstrumentRules, MarketRow, NewOrder, Stream, StreamStatus, VenueAdapter
from replay.config.amounts import length_ns
from replay.config.live import LIVE
from replay.live.calendars import Calendars
from replay.live.checkpoints import Checkpoints
from replay.live.core import Input
from replay.live.degraded import Degraded
from replay.live.draining import drain
from replay.live.heard import set_rules, take_item
from replay.live.inbox import LiveInbox
from replay.live.mirror import Mirror
from replay.live.orders import OpenOrder, OpenOrders
from replay.live.outbox import Outgoing, new_order, outgoing
from replay.live.reconciling import Reconciler
from replay.live.sending import Sender
from replay.live.start import Opened
from replay.live.switches import missing_switches
from replay.live.upkeep import measure_clock, poll, settle

ROWS_AT_ONCE = 512
TICK_S = 0.05
QUIET_ROWS_WITHIN_S = 0.25  # rows on which nothing was decided wait so long for those that share their frame
WRITTEN_WITHIN_S = 0.001
Observer = Callable[[np.ndarray, Sequence[bytes]], None]  # events, and the bodies of those that have one


class LiveSession:
    """One venue, one journal. ``run`` ends when ``stop`` was called, or something cannot go on."""

    def __init__(self, opened: Opened, adapter: VenueAdapter, rules: Sequence[InstrumentRules]) -> None:
        self.opened, self.adapter, self.rules = opened, adapter, list(rules)
        self.core, self.state = opened.core, opened.core.state
        self.orders = OpenOrders(self.state)
        self.live = opened.file.config.live
        self.elsewhere = opened.file.elsewhere
        if self.elsewhere:
            opened.frames.on_told = self._hold
        self.instruments = opened.prepared.universe.instruments
        self.loop = asyncio.get_running_loop()
        self.inbox = LiveInbox(len(self.instruments), self._wake)
        self.mirror = Mirror(self.orders, self.instruments, opened.identities, self.take, opened.external)
        self.sender = Sender(adapter, self.orders, self.mirror, opened.identities, self.take, self._forbidden)
        self.degraded = Degraded(self)
        self.reconciler = Reconciler(self)
        self.observers: list[Observer] = []
        self.checkpoints: Checkpoints | None = None
        self.calendars = Calendars([])
        self.clock_offset_ns = self.clock_round_trip_ns = 0
        self.streams = {Stream.MARKET: StreamStatus.DOWN, Stream.PRIVATE: StreamStatus.DOWN}
        self.reconciled_at = 0.0
        self.draining = False
        self.on_order_leaves: Callable[[int, int], None] = lambda order_id, received_ns: None
        self.latencies_ns: deque[int] = deque(maxlen=100_000)
        self.sender.on_sent = self._note_latency
        self._held: deque[Outgoing] = deque()
        self._durable = self.core.next_sequence - 1
        self._decided_ns: dict[int, int] = {}
        self._quiet_until = 0.0
        self._sample: OpenOrder | None = None  # an order to rehearse with
        self._woken = False
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    # --- what comes in ------------------------------------------------------------------------------------------

    def take(self, inputs: Sequence[Input]) -> np.ndarray:
        """Record inputs and let the kernel decide; what it wants of the venue is held until it is durable."""
        waited = self.core.waiting_rows
        made = self.core.take(inputs, time.time_ns())
        return self._decided(made[waited:], [one.body for one in inputs if one.body])

    def take_rows(self, rows: Sequence[MarketRow]) -> np.ndarray:
        """Record market rows and let the kernel decide. Those on which it decides nothing may wait for others."""
        waited = self.core.waiting_rows
        return self._decided(self.core.take_rows(rows, time.time_ns())[waited:])

    def close_frame(self) -> None:
        """Journal the market rows that wait for others."""
        self._quiet_until = self.loop.time() + QUIET_ROWS_WITHIN_S
        self.core.close_frame()

    def _decided(self, records: np.ndarray, bodies: Sequence[bytes] = ()) -> np.ndarray:
        if not len(records):
            return records
        if self._held:
            self.opened.journal.commit()
        for observe in list(self.observers):
            observe(records, bodies)
        return records

    def _hold(self, told: Sequence[PlainRecord]) -> None:
        """What the kernel wants of the venue waits until the journal is durable."""
        for one in outgoing(told, self.orders, self.opened.identities):
            self._held.append(one)
            if self.inbox.received_ns and isinstance(one.request, NewOrder):
                self._decided_ns[one.order_id] = self.inbox.received_ns

    def _wake(self) -> None:
        """Take in at once what is heard first, and together what more is heard in the same turn of the loop."""
        if not self._woken:
            self._woken = True
            self._work()
            self.loop.call_soon(self._turn)

    def _turn(self) -> None:
        if self.sender.has_begun:  # what is heard waits until a request is written, which it would hold up
            self.sender.has_begun = False
            self.loop.call_later(WRITTEN_WITHIN_S, self._turn)
            return
        self._woken = self._failure is None and bool(self.inbox.items or self.inbox.rows)
        if self._woken:
            self._work()
            self.loop.call_soon(self._turn)
        elif self.elsewhere:
            self._rehearse()

    def _rehearse(self) -> None:
        """Keep the way of an order warm: after 50 ms without one, a processor takes it three times as long."""
        self.opened.frames.rehearse()
        self._sample = next(iter(self.orders), self._sample)
        if self._sample is not None:
            new_order(self.orders, self._sample, self.opened.identities)

    def _work(self) -> None:
        """Take in what was heard: the account first, then market data, a bounded number of rows at once."""
        try:
            while self.inbox.items:
                take_item(self, self.inbox.items.popleft())
            if self.inbox.rows:
                self.take_rows(self.inbox.take_rows(ROWS_AT_ONCE))
            self.inbox.received_ns = time.perf_counter_ns() if self.inbox.rows else 0
        except BaseException as error:
            self.fail(error)

    def is_trading(self, instrument: int) -> bool:
        """Whether the venue says that it takes orders in the instrument."""
        return self.rules[instrument].is_trading

    # --- what goes out ------------------------------------------------------------------------------------------

    def release(self, sequence: int) -> None:
        """The journal is on the disk up to there: what rests on it may leave."""
        self._durable = sequence
        while self._held and self._held[0].sequence <= sequence and self._failure is None:
            self.sender.push(self._held.popleft())
        if self._held:
            self.opened.journal.commit()
        if self.sender.has_begun and not self._woken:
            self._woken = True
            self.loop.call_soon(self._turn)

    def _note_latency(self, order_id: int) -> None:
        received_ns = self._decided_ns.pop(order_id, 0)
        if received_ns:
            self.latencies_ns.append(time.perf_counter_ns() - received_ns)
            self.on_order_leaves(order_id, received_ns)

    async def written(self, sequence: int, within_s: float) -> None:
        """Wait until the journal is durable up to there. Raises TimeoutError."""
        self.close_frame()
        end = self.loop.time() + within_s
        while self._durable < sequence:
            self.opened.journal.commit()
            if self.loop.time() > end:
                raise TimeoutError(f"the journal is not durable up to event {sequence} after {within_s} s")
            await asyncio.sleep(0.001)

    @property
    def in_flight(self) -> int:
        """Requests that wait for the journal or for the venue's answer."""
        return len(self._held) + self.sender.busy

    def _forbidden(self) -> str:
        """Why no new order may leave now; empty when it may."""
        if self.live.mode != LIVE:
            return ""
        return "; ".join(missing_switches(self.live, os.environ, datetime.now(UTC)))

    def fail(self, error: BaseException) -> None:
        """End the session: it cannot go on."""
        if self._failure is None:
            self._failure = error
        self._stop.set()

    # --- the session --------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Drain and end."""
        self._stop.set()

    def reconcile_soon(self) -> None:
        """Compare with the venue as soon as possible."""
        self.degraded.unreconciled = True
        self.degraded.look()
        self.reconciler.asked.set()

    async def run(self, facts: dict[str, Any]) -> None:
        """Open the session, keep it up until it is to stop, drain it and close the journal."""
        mode = 0 if not self.elsewhere else 2 if self.live.mode == LIVE else 1
        self.take([Input(LiveSessionOpened(mode), body=encode_body(facts))])
        self.degraded.unreconciled = self.elsewhere
        for number, rules in enumerate(list(self.rules)):
            set_rules(self, number, rules)
        self.degraded.look()
        tasks = [asyncio.create_task(self._guard(work)) for work in self._works()]
        if self.elsewhere:
            for order_id in self.orders.in_doubt():
                self.sender.start(settle(self, order_id))
        try:
            await self._stop.wait()
            if self._failure is None:
                await self._drain()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.sender.stop()
            await self.adapter.close()
            self._close()
        if self._failure is not None:
            raise self._failure

    def _works(self) -> list[Any]:
        works = [self.adapter.run(self.inbox), self._tick(), measure_clock(self)]
        if self.calendars:
            works.insert(0, self.calendars.run(self.state, self.take_rows))
        if self.elsewhere:
            works += [self.reconciler.run(), poll(self)]
        return works

    async def _guard(self, work: Any) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.fail(error)

    async def _tick(self) -> None:
        """Let time pass for the kernel, and look at what may have become stale."""
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = time.time_ns()
            if self.core.due_ns <= now_ns:
                waited = self.core.waiting_rows
                self._decided(self.core.advance(now_ns)[waited:])
            self.degraded.look()
            if self.loop.time() >= self._quiet_until:
                self.close_frame()
            self.opened.journal.commit()
            if self.sender.failure is not None:
                self.fail(self.sender.failure)

    # --- the end ------------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Stop entries, settle what is in flight, cancel what is open if that is wanted."""
        self.draining = True
        self.degraded.look()
        await drain(self, length_ns("live.exit_within", self.live.exit_within) / 1e9)

    def _close(self) -> None:
        """The last events, and the seal. Nothing is written when the journal or the kernel failed before."""
        try:
            if self._failure is None:
                while self.inbox.rows:  # what was heard is recorded
                    self.take_rows(self.inbox.take_rows(ROWS_AT_ONCE))
                count = int(self.state.head.order_count)
                inbox = self.inbox
                closed = LiveSessionClosed(count, inbox.row_count, inbox.conflated_rows, inbox.dropped_rows)
                self.take([Input(closed, body=encode_body("stopped on request"))])
                self.core.record_digest()
        finally:
            self.core.close_frame()
            self.opened.journal.close()
