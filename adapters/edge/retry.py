"""Trying again: a bounded number of times, with growing random pauses, under a deadline. For reads only.

Owns how long to wait and when to give up. The pauses have full jitter (AWS Architecture Blog, "Exponential Backoff And
Jitter", 2015): anything from nothing to a bound that grows, so that those who failed together do not come back
together. What a venue demands (``Retry-After``) is waited out in full, before the jitter.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from adapters.edge.rates import Clock, Sleep

T = TypeVar("T")


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """``attempts`` in all; the bound of the pauses starts at ``first_seconds``, doubles, and ends at ``cap_seconds``;
    nothing is begun later than ``deadline_seconds`` after the start."""

    attempts: int = 5
    first_seconds: float = 0.25
    cap_seconds: float = 15.0
    deadline_seconds: float = 120.0

    def bound_seconds(self, failed: int) -> float:
        """The bound of the pause after ``failed`` attempts (at least 1)."""
        return float(min(self.cap_seconds, self.first_seconds * 2.0 ** min(failed - 1, 62)))


async def retried(
    call: Callable[[float], Awaitable[T]],
    pause_of: Callable[[Exception], float | None],
    backoff: Backoff,
    clock: Clock = time.monotonic,
    sleep: Sleep = asyncio.sleep,
    chance: random.Random | None = None,
) -> T:
    """What ``call`` gives, called again while it fails with what may pass.

    ``call`` takes the deadline (of ``clock``). ``pause_of`` says of an error how many seconds the other side demands
    (0 when nothing), or None for one that will not pass. Raises the last error when the attempts or the time are over.
    """
    chance = chance or random.Random()
    deadline = clock() + backoff.deadline_seconds
    for attempt in range(1, backoff.attempts + 1):
        try:
            return await call(deadline)
        except Exception as error:
            demanded = pause_of(error)
            if demanded is None or attempt == backoff.attempts:
                raise
            pause = demanded + chance.uniform(0.0, backoff.bound_seconds(attempt))
            if clock() + pause > deadline:
                raise
        await sleep(pause)
    raise AssertionError("at least one attempt is made")
