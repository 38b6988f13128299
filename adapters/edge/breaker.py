"""A circuit breaker: after a row of failures, what is down is left alone for a while, then tried once.

Owns the three states and what leads from one to the next. It neither calls nor waits: whoever calls asks first and
says afterwards how it went.
"""

import time
from collections.abc import Callable
from enum import Enum


class BreakerState(Enum):
    """CLOSED lets everything through, OPEN nothing, HALF_OPEN one trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class BreakerOpenError(RuntimeError):
    """Not asked, because it failed too often just now. The text says what it failed with last."""

    def __init__(self, text: str, retry_seconds: float) -> None:
        super().__init__(text)
        self.retry_seconds = retry_seconds


# (state, what happened): state. The failure that is one too many, and the end of the pause, are events of their own.
TRANSITIONS = {
    (BreakerState.CLOSED, "success"): BreakerState.CLOSED,
    (BreakerState.CLOSED, "failure"): BreakerState.CLOSED,
    (BreakerState.CLOSED, "last failure"): BreakerState.OPEN,
    (BreakerState.OPEN, "pause over"): BreakerState.HALF_OPEN,
    # Answers to what was asked before it opened: a late success does not close it, the trial decides.
    (BreakerState.OPEN, "success"): BreakerState.OPEN,
    (BreakerState.OPEN, "failure"): BreakerState.OPEN,
    (BreakerState.HALF_OPEN, "success"): BreakerState.CLOSED,
    (BreakerState.HALF_OPEN, "failure"): BreakerState.OPEN,
}


class CircuitBreaker:
    """Opens after ``failures`` in a row, for ``open_seconds``; then one trial decides. ``clock`` is monotonic."""

    def __init__(
        self, name: str, failures: int = 5, open_seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        assert failures > 0
        self.name = name
        self.state = BreakerState.CLOSED
        self.failures = 0
        self._limit = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._opened_at = 0.0
        self._trial = False
        self._last = ""

    def admit(self) -> None:
        """Ask to go through. Raises BreakerOpenError; otherwise one of the three below must follow."""
        if self.state is BreakerState.OPEN and self.retry_seconds == 0:
            self._go("pause over")
            self._trial = False
        if self.state is BreakerState.OPEN or (self.state is BreakerState.HALF_OPEN and self._trial):
            seconds = self.retry_seconds
            text = f"{self.name} is left alone for {seconds:.0f} s after {self.failures} failures in a row"
            raise BreakerOpenError(f"{text}; the last: {self._last}", seconds)
        self._trial = self.state is BreakerState.HALF_OPEN

    @property
    def retry_seconds(self) -> float:
        """How long it stays open from now; 0 when it lets something through."""
        if self.state is not BreakerState.OPEN:
            return 0.0
        return max(0.0, self._opened_at + self._open_seconds - self._clock())

    def success(self) -> None:
        """What was let through went well."""
        self._trial = False
        if self.state is not BreakerState.OPEN:
            self.failures = 0
        self._go("success")

    def failure(self, text: str) -> None:
        """What was let through failed; ``text`` is one line for people."""
        self._trial = False
        self.failures += 1
        self._last = text
        opens = self.state is BreakerState.CLOSED and self.failures >= self._limit
        before = self.state
        self._go("last failure" if opens else "failure")
        if before is not BreakerState.OPEN and self.state is BreakerState.OPEN:
            self._opened_at = self._clock()

    def abandoned(self) -> None:
        """What was let through ended without telling anything of the other side: it was cancelled, or never sent."""
        self._trial = False

    def _go(self, event: str) -> None:
        self.state = TRANSITIONS[self.state, event]
