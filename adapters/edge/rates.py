"""Rate limits: a bucket of tokens that is asked before a request leaves.

Owns when a request may go. A token comes back one period after it was taken, so no period, wherever it begins, sees
more requests than the limit; a bucket that refills evenly would allow nearly twice as many just after a pause.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class RateLimitError(RuntimeError):
    """The limit allows no request before the deadline. ``wait_seconds`` is how long it would take."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"the rate limit allows no request for {wait_seconds:.0f} s")
        self.wait_seconds = wait_seconds


class TokenBucket:
    """``tokens`` requests in any ``period_seconds``; those who wait go in the order in which they came.

    ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self, tokens: int, period_seconds: float, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        assert tokens > 0
        assert period_seconds >= 0
        self.tokens = tokens
        self.period_seconds = period_seconds
        self._clock = clock
        self._sleep = sleep
        self._taken: deque[float] = deque(maxlen=tokens)  # when each of the latest tokens was taken, oldest first
        self._paused_until = float("-inf")
        self._waiting = 0  # tokens that are being waited for
        self._turn = asyncio.Lock()  # fair: whoever waits first is first

    def wait_seconds(self, count: int = 1) -> float:
        """How long ``count`` tokens would take from now, for someone who is next in line."""
        assert 0 < count <= self.tokens
        ready = self._paused_until
        missing = len(self._taken) + count - self.tokens
        if missing > 0:
            ready = max(ready, self._taken[missing - 1] + self.period_seconds)
        return max(0.0, ready - self._clock())

    async def take(self, count: int = 1, deadline: float = float("inf")) -> None:
        """Wait for ``count`` tokens and take them.

        Raises RateLimitError at once, with nothing taken, when they will not be there by ``deadline`` (of the clock).
        """
        self._refuse_late(self._behind_others(count), deadline)
        self._waiting += count
        try:
            async with self._turn:
                # Again after each wait: a pause may have been asked for meanwhile.
                while (wait := self.wait_seconds(count)) > 0:
                    self._refuse_late(wait, deadline)
                    await self._sleep(wait)
                self._taken.extend([self._clock()] * count)
        finally:
            self._waiting -= count

    def _behind_others(self, count: int) -> float:
        """How long ``count`` tokens take for someone behind all who wait already."""
        periods, rest = divmod(self._waiting + count - 1, self.tokens)
        return self.wait_seconds(rest + 1) + periods * self.period_seconds

    def _refuse_late(self, wait_seconds: float, deadline: float) -> None:
        if self._clock() + wait_seconds > deadline:
            raise RateLimitError(wait_seconds)

    def pause(self, seconds: float) -> None:
        """Let nothing go for so long: what a venue says with ``Retry-After``."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)
