"""Reconciling with the venue: at the start, when the private stream returns, every so often, and on request.

Owns the asking and its order: orders and fills first, then what is missing on either side, then positions and money,
which count only while nothing is under way and only when two pictures agree.
"""

import asyncio
import contextlib
from decimal import ROUND_HALF_EVEN
from typing import TYPE_CHECKING

from kernel.events.body import encode_body
from kernel.events.catalogue import (
    DifferenceFound,
    KillSwitchRequested,
    OrderCanceled,
    OrderFilled,
    Reconciled,
)
from kernel.ledger_nb import total_nb
from kernel.lifecycle import CANCEL_ON_REQUEST, SUBMITTED, TAKER
from kernel.risk.modes import ADAPTER, CANCEL_ALL
from kernel.units import RATE_SCALE, to_decimal, to_rate
from kernel.venue import BalanceSeen, OrderSeen, PositionSeen, VenueError
from replay.config.amounts import length_ns
from replay.live.core import Input
from replay.live.identities import Owner, trade_number
from replay.live.mirror import CANCEL, END, ORDER
from replay.live.reconcile import Gap, balance_inputs, gap_input, position_gaps, position_reports

if TYPE_CHECKING:
    from replay.live.driver import LiveSession

FILLS_BEFORE_NS = 600_000_000_000  # fills are asked for from so long before the last known one
QUIET_TRIES = 20
QUIET_PAUSE_S = 0.2
CONFIRM_PAUSE_S = 1.0


class Reconciler:
    """Of one session. Set ``asked`` for one as soon as possible; ``settled`` is set once one went through."""

    def __init__(self, session: "LiveSession") -> None:
        self._session = session
        self._lock = asyncio.Lock()
        self._every_s = length_ns("live.reconcile_every", session.live.reconcile_every) / 1e9
        self._fresh = not session.opened.resumed  # what the account holds at the very start is no drift
        self._fills_before = 0
        self.asked, self.settled = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Reconcile at once, then on request and every so often, until cancelled."""
        pause_s = 0.5
        while True:
            self.asked.clear()
            try:
                done = await self.reconcile()
                pause_s = 0.5 if done else min(pause_s * 2, 10.0)
            except VenueError:
                done, pause_s = False, min(pause_s * 2, 10.0)
            with contextlib.suppress(TimeoutError):  # not wait_for: it can lose a cancellation
                async with asyncio.timeout(self._every_s if done else pause_s):
                    await self.asked.wait()

    async def poll(self) -> list[OrderSeen]:
        """Orders and fills by asking. Raises VenueError."""
        session = self._session
        orders = await session.adapter.fetch_open_orders()
        last_ns = session.opened.identities.last_fill_ns or session.opened.file.opened_ns
        fills = await session.adapter.fetch_fills(max(last_ns, session.opened.file.opened_ns) - FILLS_BEFORE_NS)
        opened_ns = session.opened.file.opened_ns
        session.mirror.take([fill for fill in fills if fill.ts_event_ns >= opened_ns], b"", 0)
        session.mirror.take(orders, b"", 0)
        return orders

    async def reconcile(self) -> bool:
        """One comparison. Returns whether all could be compared; raises VenueError."""
        async with self._lock:
            session = self._session
            orders = await self.poll()
            differences = await self._orphans() + await self._vanished(orders)
            positions = balances = None
            for _ in range(QUIET_TRIES):
                before = self._fills()
                positions, balances = await self._account()
                await self.poll()  # a fill from before the picture is known now; one that is new spoils the picture
                if before == self._fills() and not session.mirror.ending:
                    break
                positions = None
                await asyncio.sleep(QUIET_PAUSE_S)
            if positions is None or balances is None:
                return False
            found = await self._compare(positions, balances)
            if found < 0:
                return False
            fills = int(session.state.head.fill_count)
            done = Reconciled(len(orders), fills, len(positions), len(balances), differences + found)
            session.take([Input(done)])
            self._fresh = False
            if self.asked.is_set():
                return True  # what was compared first may be older than the request: the next one counts
            session.degraded.unreconciled = False
            session.degraded.look()
            session.reconciled_at = asyncio.get_running_loop().time()
            self.settled.set()
            return True

    async def _account(self) -> tuple[list[PositionSeen], list[BalanceSeen]]:
        adapter = self._session.adapter
        return await adapter.fetch_positions(), await adapter.fetch_balances()

    def _fills(self) -> int:
        """What changes when positions or money do."""
        return int(self._session.state.head.fill_count)

    async def _orphans(self) -> int:
        """Orders that are open at the venue under our name and over here: cancelled there."""
        session, found = self._session, 0
        orphans, session.mirror.orphans = session.mirror.orphans, []
        for seen in orphans:
            order_id = session.opened.identities.order_id(seen.client_order_id, seen.venue_order_id)
            if session.orders.find(order_id) is not None:
                continue
            body = encode_body({"client_order_id": seen.client_order_id, "venue_order_id": seen.venue_order_id})
            left = seen.side * (seen.quantity_lots - seen.filled_lots)
            session.take([Input(DifferenceFound(ORDER, CANCEL, 0, left), seen.instrument, body=body)])
            if not await session.sender.cancel_orphan(seen.client_order_id, seen.venue_order_id, seen.instrument):
                session.mirror.orphans.append(seen)
            found += 1
        return found

    async def _vanished(self, orders: list[OrderSeen]) -> int:
        """Orders that are open here and not at the venue: looked up one by one."""
        session, found = self._session, 0
        identities = session.opened.identities
        there = {identities.order_id(seen.client_order_id, seen.venue_order_id) for seen in orders}
        here = [order.order_id for order in session.orders if order.status >= SUBMITTED]
        for order_id in here:
            order = session.orders.find(order_id)
            if order is None or order_id in there or order.accepted == 0:
                continue
            if await session.sender.look(order_id) and identities.client_order_id(order_id):
                continue
            order = session.orders.find(order_id)
            if order is None:
                continue
            left = order.left_lots
            difference = DifferenceFound(ORDER, END, order.side * left, 0)
            session.take([Input(difference, order.instrument)])
            ended = OrderCanceled(order_id, left, CANCEL_ON_REQUEST)
            session.take([session.orders.about(order, ended, body=encode_body("the venue has no such order"))])
            found += 1
        return found

    async def _compare(self, positions: list[PositionSeen], balances: list[BalanceSeen]) -> int:
        """Positions and money. Returns the differences that were repaired, or -1 when two pictures disagree."""
        session = self._session
        gaps = position_gaps(session.state, positions, self._tolerance_lots())
        fills = self._fills()
        tolerance_minor = 2 + fills - self._fills_before
        money = balance_inputs(session.state, session.instruments, balances, positions, tolerance_minor)
        if gaps or money:
            await asyncio.sleep(CONFIRM_PAUSE_S)
            again, money_again = await self._account()
            await self.poll()
            if fills != self._fills():
                return -1
            if position_gaps(session.state, again, self._tolerance_lots()) != gaps:
                return -1
            if balance_inputs(session.state, session.instruments, money_again, again, tolerance_minor) != money:
                return -1
        if not self._fresh:
            session.take(position_reports(positions, session.state))
        for gap in gaps:
            self._adopt(gap)
        if gaps and not self._fresh:
            session.take(position_reports(positions, session.state))
        money = balance_inputs(session.state, session.instruments, balances, positions, tolerance_minor)
        self._check_drift(balances, money)
        if money:
            session.take(money)
            self._fills_before = fills
        return len(gaps) + len(money) // 2

    def _tolerance_lots(self) -> list[int]:
        """Fees that are taken in the coin are rounded to lots, each by half of one at most."""
        fills = int(self._session.state.head.fill_count)
        return [fills if one.contract == "spot" else 0 for one in self._session.instruments]

    def _adopt(self, gap: Gap) -> None:
        """Book what the venue holds more (or less) in the external book, at its entry price or the last one."""
        session = self._session
        session.take([gap_input(gap)])
        lots = gap.theirs - gap.ours
        tick_size = to_decimal(session.instruments[gap.instrument].tick_size)
        entry_ticks = int((to_decimal(gap.price or "0") / tick_size).to_integral_value(ROUND_HALF_EVEN))
        price = entry_ticks or session.orders.last_ticks(gap.instrument)
        if price <= 0:
            return  # nothing has been seen of it yet; the next reconciliation finds it again
        name = f"position/{gap.instrument}/{session.core.next_sequence}"
        owner = Owner(session.opened.external, gap.instrument, 0)
        side = 1 if lots > 0 else -1
        order = session.mirror.adopt(owner, side, abs(lots), name, "the venue holds another quantity")
        order_id = order.order_id
        filled = OrderFilled(order_id, side, price, abs(lots), 0, 0, TAKER, trade_number(name))
        session.take([session.orders.about(order, filled)])

    def _check_drift(self, balances: list[BalanceSeen], money: list[Input]) -> None:
        """Money that differs by more than the limit, of the portfolio: the kill switch."""
        session = self._session
        limit = to_rate(str(session.live.drift_percent), per=100)
        if not money or self._fresh or limit == 0:
            return
        equity = max(int(total_nb(session.state)[0]), 1)
        drift = sum(abs(one.event.theirs - one.event.ours) for one in money if isinstance(one.event, DifferenceFound))
        if drift * RATE_SCALE > limit * equity:
            text = f"the venue's money differs by {drift} minor units, more than {session.live.drift_percent} %"
            session.take([Input(KillSwitchRequested(CANCEL_ALL, ADAPTER), body=encode_body(text))])
