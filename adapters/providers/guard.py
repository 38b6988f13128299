"""What every request to a provider goes through: its rate limit, its circuit breaker, and retries.

Owns how the three work together. Each attempt asks the breaker and takes a token. A refusal for too many requests
makes the bucket pause and does not count as a failure: the provider is well, and says so.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.edge.breaker import BreakerOpenError, BreakerState, CircuitBreaker
from adapters.edge.rates import Clock, RateLimitError, Sleep, TokenBucket
from adapters.edge.retry import Backoff, retried
from adapters.providers.shapes import Limits, ProviderError, Reason

T = TypeVar("T")
# Without a Retry-After: a few tries outlast the period of the limit.
UNTOLD_SHARE, UNTOLD_PAUSE_SECONDS = 0.25, 5.0
LONG_WAIT_SECONDS = 3.0
_FAILURES = (Reason.UNAVAILABLE, Reason.BAD_ANSWER)


class Guard:
    """The guard of one provider. ``limits`` None: its client has a limiter of its own."""

    def __init__(
        self,
        name: str,
        limits: Limits | None,
        backoff: Backoff | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.breaker = CircuitBreaker(name, clock=clock)
        self._name = name
        self._bucket = TokenBucket(limits.requests, limits.period_seconds, clock, sleep) if limits else None
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._sleep = sleep
        self._told_waiting = False
        self._tell = tell

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What ``attempt`` gives; it raises ProviderError for what fails. So does this, for good."""

        async def guarded(deadline: float) -> T:
            if self._bucket is not None:
                await self._take(self._bucket, deadline)
            try:
                self.breaker.admit()
            except BreakerOpenError as error:
                raise _NotAskedError(str(error), error.retry_seconds) from None
            return await self._counted(attempt)

        try:
            return await retried(guarded, self._pause_of, self._backoff, self._clock, self._sleep)
        except _NotAskedError:
            raise
        except ProviderError as error:
            if self.breaker.state is not BreakerState.OPEN:
                raise
            seconds, failures = self.breaker.retry_seconds, self.breaker.failures
            text = f"{error}; after {failures} failures in a row it is left alone for {seconds:.0f} s"
            raise ProviderError(error.reason, text, seconds) from None

    async def _take(self, bucket: TokenBucket, deadline: float) -> None:
        if (wait := bucket.wait_seconds()) > LONG_WAIT_SECONDS and not self._told_waiting:
            self._told_waiting = True
            self._tell(f"{self._name}: waiting for its rate limit, {wait:.0f} s now and such times later")
        try:
            await bucket.take(deadline=deadline)
        except RateLimitError as error:
            text = f"{self._name}: {error}; try again later"
            raise _NotAskedError(text, error.wait_seconds) from None

    async def _counted(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await attempt()
        except ProviderError as error:
            if error.reason in _FAILURES:
                self.breaker.failure(str(error))
            elif error.reason is Reason.RATE_LIMITED:
                self.breaker.abandoned()
            else:
                self.breaker.success()  # it answered, if not as we wished
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        self.breaker.success()
        return answer

    def _pause_of(self, error: Exception) -> float | None:
        if not isinstance(error, ProviderError) or not error.reason.may_pass or isinstance(error, _NotAskedError):
            return None
        self._tell(f"{error}; trying again")
        if error.reason is Reason.RATE_LIMITED:
            bucket = self._bucket
            pause = error.retry_after_seconds
            pause = pause or (UNTOLD_PAUSE_SECONDS if bucket is None else UNTOLD_SHARE * bucket.period_seconds)
            if bucket is not None:
                bucket.pause(pause)
            return pause
        return error.retry_after_seconds


class _NotAskedError(ProviderError):
    """Not asked at all: the breaker is open, or the limit is used up until after the deadline."""

    def __init__(self, text: str, retry_after_seconds: float) -> None:
        super().__init__(Reason.UNAVAILABLE, text, retry_after_seconds)
