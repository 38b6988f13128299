"""What a session does beside listening: measuring the clock, asking while a stream is down, settling what was left.

Owns when each is done. What is found comes in as recorded inputs, like all else.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from kernel.events.catalogue import ClockMeasured
from kernel.lifecycle import PENDING_CANCEL
from kernel.venue import Stream, StreamStatus, VenueError
from replay.live.core import Input
from replay.live.outbox import Outgoing, cancel_order, replace_order

if TYPE_CHECKING:
    from replay.live.driver import LiveSession

CLOCK_EVERY_S = 60.0
CLOCK_AGAIN_S = 5.0  # after an offset that was too large, or no answer
POLL_EVERY_S = 2.0  # of orders and fills, while the private stream is down


async def measure_clock(session: "LiveSession") -> None:
    """Record how far the venue's clock is from ours, again and again."""
    while True:
        try:
            before, started_ns = time.time_ns(), time.perf_counter_ns()
            theirs = await session.adapter.fetch_time_ns()
            session.clock_round_trip_ns = time.perf_counter_ns() - started_ns
            session.clock_offset_ns = theirs - before - session.clock_round_trip_ns // 2
            session.take([Input(ClockMeasured(session.clock_offset_ns, session.clock_round_trip_ns))])
            session.degraded.look()
            pause_s = CLOCK_AGAIN_S if session.degraded.is_clock_off else CLOCK_EVERY_S
        except VenueError:
            pause_s = CLOCK_AGAIN_S  # the streams and the next question will tell
        await asyncio.sleep(pause_s)


async def poll(session: "LiveSession") -> None:
    """While the private stream is down: orders and fills by asking."""
    while True:
        await asyncio.sleep(POLL_EVERY_S)
        if session.streams[Stream.PRIVATE] is StreamStatus.UP:
            continue
        try:
            await session.reconciler.poll()
        except VenueError:
            continue  # the stream that is down is recorded, and stops entries


async def fill_bars(session: "LiveSession") -> None:
    """The bars that closed while the market stream was down, before those that come next; a gap where not had."""
    if "bars" not in session.live.feeds:
        return
    for number in range(len(session.instruments)):
        last_ns = session.inbox.last_bar_open_ns[number]
        if last_ns == 0:
            continue
        try:
            rows = await session.adapter.fetch_bars(number, last_ns + 1)
        except VenueError as error:
            name = session.instruments[number].name
            session.inbox.stream(Stream.MARKET, StreamStatus.GAP, f"{name}: bars were missed: {error}")
            continue
        session.inbox.market(rows, b"")


async def settle(session: "LiveSession", order_id: int) -> None:
    """An order that an earlier process left in doubt: find out, then ask again for what was asked of it."""
    order = session.orders.find(order_id)
    if order is not None and order.accepted == 0:
        await session.sender.resolve(order_id)
    order = session.orders.find(order_id)
    if order is None:
        return
    if order.status == PENDING_CANCEL:
        session.sender.push(Outgoing(0, order_id, cancel_order(order, session.opened.identities)))
    elif order.replaces_pending > 0:
        session.sender.push(Outgoing(0, order_id, replace_order(order, session.opened.identities)))
