"""What adapters have heard and the kernel has not yet taken in: bounded, with a rule for when it is full.

Quotes of an instrument that wait are replaced by newer ones once ``MOST_ROWS`` rows wait, and bars, trades and depth
beyond ``MOST_ROWS`` more are dropped, which is told as a gap. What a venue says of the account is never dropped: the
adapter's connection is read no faster than the kernel takes in.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kernel.market import BAR, QUOTE
from kernel.venue import InstrumentRules, MarketRow, Seen, Stream, StreamStatus

MOST_ROWS = 20_000


class Private(NamedTuple):
    """What one message or answer shows of the account."""

    seen: Sequence[Seen]
    raw: bytes
    stream: int


class Change(NamedTuple):
    """What became of a stream."""

    stream: Stream
    status: StreamStatus
    text: str


class NewRules(NamedTuple):
    """What the venue demands from now on."""

    instrument: int
    rules: InstrumentRules


Item = Private | Change | NewRules


class LiveInbox:
    """The ``Inbox`` of a session. ``wake`` is called when something came; ``rows`` and ``items`` are to be emptied."""

    def __init__(self, instrument_count: int, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.rows: deque[MarketRow] = deque()
        self.items: deque[Item] = deque()
        self.received_ns = 0  # perf counter of the oldest row that waits; for latencies
        self.last_bar_open_ns = [0] * instrument_count
        self.last_row_ns = [0] * instrument_count  # monotonic, of each instrument's last row
        self.row_count = self.dropped_rows = self.conflated_rows = 0

    def market(self, rows: Sequence[MarketRow], raw: bytes) -> None:
        """Market rows of one message."""
        if not rows:
            return
        if not self.rows:
            self.received_ns = time.perf_counter_ns()
        now_ns = time.monotonic_ns()
        for row in rows:
            number = row[2]
            if row[1] == BAR:  # it comes again after a reconnect
                if row[8] <= self.last_bar_open_ns[number]:
                    continue
                self.last_bar_open_ns[number] = row[8]
            self.last_row_ns[number] = now_ns
            self.rows.append(row)
            self.row_count += 1
        if len(self.rows) > MOST_ROWS:
            self._conflate()
        self._wake()

    def private(self, seen: Sequence[Seen], raw: bytes) -> None:
        """What one message of the private stream shows."""
        self.items.append(Private(seen, raw, Stream.PRIVATE.value))
        self._wake()

    def stream(self, stream: Stream, status: StreamStatus, text: str) -> None:
        """A connection came up, broke, or has a gap."""
        self.items.append(Change(stream, status, text))
        self._wake()

    def rules(self, instrument: int, rules: InstrumentRules) -> None:
        """The venue changed what it demands."""
        self.items.append(NewRules(instrument, rules))
        self._wake()

    def take_rows(self, most: int) -> list[MarketRow]:
        """The oldest rows that wait, at most so many."""
        count = min(most, len(self.rows))
        return [self.rows.popleft() for _ in range(count)]

    def _conflate(self) -> None:
        newest: dict[int, int] = {}
        for at, row in enumerate(self.rows):
            if row[1] == QUOTE:
                newest[row[2]] = at
        kept = deque(row for at, row in enumerate(self.rows) if row[1] != QUOTE or newest[row[2]] == at)
        self.conflated_rows += len(self.rows) - len(kept)
        dropped = max(len(kept) - 2 * MOST_ROWS, 0)
        for _ in range(dropped):
            kept.popleft()
        self.rows = kept
        if dropped:
            self.dropped_rows += dropped
            text = f"{dropped} market rows were dropped: too many wait"
            self.items.append(Change(Stream.MARKET, StreamStatus.GAP, text))
