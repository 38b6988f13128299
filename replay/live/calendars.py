"""The sessions of exchanges in a live session: opens and closes as recorded rows, each at its time.

Owns which of them are due. The times come from exchange_calendars, as for imported data; what is heard is recorded, so
a re-run neither needs that library nor depends on its version. What the state holds says what was heard before, so a
session that goes on hears what it missed: the last open, and its close if that is over.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernel.instruments import Instrument
from kernel.market import ROW_WORDS, SESSION
from kernel.venue import MarketRow
from replay.catalogue.sessions import session_columns, session_times

DAY_NS = 86_400_000_000_000
BEHIND_NS, AHEAD_NS = 14 * DAY_NS, 30 * DAY_NS
AGAIN_NS = 7 * DAY_NS  # before the times that are known end
LONGEST_SLEEP_S = 60.0  # the clock may be set
OPEN = 1


class Calendars:
    """Of the instruments that have one. ``find_times`` comes first, and takes seconds the first time."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._names = {number: one.calendar for number, one in enumerate(instruments) if one.calendar}
        self._columns: dict[str, dict[str, np.ndarray]] = {}
        self._rows: deque[tuple[int, MarketRow]] = deque()
        self._until_ns = 0

    def __len__(self) -> int:
        return len(self._names)

    def find_times(self, now_ns: int) -> None:
        """Find the sessions around ``now_ns``. Raises CatalogueError for a calendar that is not known."""
        first_ns, last_ns = now_ns - BEHIND_NS, now_ns + AHEAD_NS
        for name in set(self._names.values()):
            self._columns[name] = session_columns(*session_times(name, first_ns, last_ns), first_ns, last_ns)
        self._until_ns = last_ns - AGAIN_NS

    def line_up(self, state: Any, now_ns: int) -> None:
        """Line up what the state does not know yet; of what is over, the last session alone."""
        listed = []
        for number, name in self._names.items():
            known = state.instruments[number]
            rows = [one for one in _rows_of(self._columns[name], number) if _is_news(known, one[1])]
            begun = [at for at, (ts_ns, row) in enumerate(rows) if ts_ns <= now_ns and row[3] == OPEN]
            listed += rows[begun[-1] :] if begun else rows
        self._rows = deque(sorted(listed))

    def due(self, now_ns: int) -> list[MarketRow]:
        """The rows that are due by now, in their order."""
        due = []
        while self._rows and self._rows[0][0] <= now_ns:
            due.append(self._rows.popleft()[1])
        return due

    async def run(self, state: Any, take_rows: Callable[[Sequence[MarketRow]], Any]) -> None:
        """Give each row at its time, until it is cancelled."""
        self.line_up(state, time.time_ns())
        while True:
            now_ns = time.time_ns()
            if now_ns >= self._until_ns:
                await asyncio.to_thread(self.find_times, now_ns)
                self.line_up(state, now_ns)
            if rows := self.due(now_ns):
                take_rows(rows)
            next_ns = self._rows[0][0] if self._rows else self._until_ns
            await asyncio.sleep(min(max(next_ns - time.time_ns(), 0) / 1e9, LONGEST_SLEEP_S))


def _is_news(known: Any, row: MarketRow) -> bool:
    last_open_ns, is_open = int(known["session_open_ns"]), int(known["session_phase"]) == OPEN
    _, _, _, phase, open_ns, *_ = row
    return open_ns > last_open_ns or (open_ns == last_open_ns and is_open and phase != OPEN)


def _rows_of(columns: dict[str, np.ndarray], instrument: int) -> list[tuple[int, MarketRow]]:
    names = ("phase", "open", "close", "next_open")
    words = np.stack([columns[name] for name in names], axis=1).tolist()
    rest = (0,) * (ROW_WORDS - len(names))
    return [
        (ts_ns, (ts_ns, SESSION, instrument, *listed, *rest))
        for ts_ns, listed in zip(columns["ts"].tolist(), words, strict=True)
    ]


def describe_session(calendar: str, known: Any) -> str:
    """Whether a session is open, from the instrument's row of the state, in words; times in UTC."""
    if not calendar:
        return "always"
    if int(known["session_open_ns"]) == 0:
        return "not known"
    is_open = int(known["session_phase"]) == OPEN
    until = np.datetime64(int(known["session_close_ns"] if is_open else known["next_open_ns"]), "ns")
    return f"{'open' if is_open else 'closed'} until {np.datetime_as_string(until, unit='m').replace('T', ' ')}Z"
