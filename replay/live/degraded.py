"""Why entries are stopped: what live trading rests on, looked at again and again.

Owns the reasons, as bits of the event ``risk.degraded``, and when each holds. The event is recorded when they change.
"""

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kernel.events.body import encode_body
from kernel.events.catalogue import DegradedSet
from kernel.venue import Stream, StreamStatus
from replay.config.amounts import length_ns
from replay.config.live import LIVE
from replay.live.core import Input
from replay.live.switches import missing_switches

if TYPE_CHECKING:
    from replay.live.driver import LiveSession

STALE, MARKET_DOWN, PRIVATE_DOWN, CLOCK, UNRECONCILED, SWITCHES, DRAINING, NOT_TRADING = (1 << bit for bit in range(8))
REASONS = {
    STALE: "market data is stale",
    MARKET_DOWN: "the stream of market data is down",
    PRIVATE_DOWN: "the private stream is down",
    CLOCK: "the clock is off",
    UNRECONCILED: "not reconciled with the venue",
    SWITCHES: "the switches for real money are not all on",
    DRAINING: "the session is ending",
    NOT_TRADING: "the venue is not trading",
}


def describe_reasons(bits: int) -> str:
    """The reasons in words, or ``none``."""
    return ", ".join(text for bit, text in REASONS.items() if bits & bit) or "none"


class Degraded:
    """Looks, and records what changed."""

    def __init__(self, session: "LiveSession") -> None:
        self._session = session
        self.unreconciled = False
        live = session.live
        self._stale_ns = length_ns("live.stale_after", live.stale_after)
        self._clock_limit_ns = length_ns("live.clock_limit", live.clock_limit)

    def look(self) -> None:
        """Record a change of the reasons, of all or of an instrument."""
        state = self._session.state
        self._say(-1, int(state.head.degraded), self._of_all())
        now_ns = time.monotonic_ns()
        for number in range(len(self._session.instruments)):
            reasons = 0
            if now_ns - self._session.inbox.last_row_ns[number] > self._stale_ns:
                reasons |= STALE
            if not self._session.is_trading(number):
                reasons |= NOT_TRADING
            self._say(number, int(state.instruments[number]["degraded"]), reasons)

    @property
    def is_clock_off(self) -> bool:
        """Whether the venue's clock is surely further off than the limit."""
        session = self._session
        return abs(session.clock_offset_ns) - session.clock_round_trip_ns // 2 > self._clock_limit_ns

    def _of_all(self) -> int:
        session, reasons = self._session, 0
        if session.streams[Stream.MARKET] is not StreamStatus.UP:
            reasons |= MARKET_DOWN
        if self.is_clock_off:
            reasons |= CLOCK
        if session.draining:
            reasons |= DRAINING
        if session.elsewhere:
            if session.streams[Stream.PRIVATE] is not StreamStatus.UP:
                reasons |= PRIVATE_DOWN
            if self.unreconciled:
                reasons |= UNRECONCILED
            if session.live.mode == LIVE and missing_switches(session.live, os.environ, datetime.now(UTC)):
                reasons |= SWITCHES
        return reasons

    def _say(self, instrument: int, before: int, now: int) -> None:
        if before != now:
            text = describe_reasons(now)
            if now & SWITCHES:
                text += ": " + "; ".join(missing_switches(self._session.live, os.environ, datetime.now(UTC)))
            self._session.take([Input(DegradedSet(now), instrument, body=encode_body(text))])
