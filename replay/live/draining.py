"""Ending a session without leaving anything in the air.

Owns the order: no new entries (the reason is recorded), what is in flight gets its outcome, open orders are cancelled
when that is configured, and all of it has a bound. What is still open then stays open at the venue, and is found again
when the session goes on.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel.events.body import encode_body
from kernel.events.catalogue import CancelAsked
from replay.config.live import CANCEL_ON_EXIT
from replay.live.core import Input

if TYPE_CHECKING:
    from replay.live.driver import LiveSession

STEP_S = 0.05


async def drain(session: "LiveSession", within_s: float) -> None:
    """Wait until nothing is in flight, at most ``within_s`` seconds for each of the two steps."""
    await _until(lambda: not session.in_flight and not session.orders.in_doubt(), within_s)
    if session.live.on_exit == CANCEL_ON_EXIT and int(session.state.head.order_count) > 0:
        session.take([Input(CancelAsked(0), body=encode_body("the session is ending"))])
        await _until(lambda: int(session.state.head.order_count) == 0, within_s)


async def _until(done: Callable[[], bool], within_s: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not done() and loop.time() < end:
        await asyncio.sleep(STEP_S)
