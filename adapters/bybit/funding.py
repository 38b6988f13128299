"""Funding and open interest: from tickers, and from the account's own executions. Pure; no clock.

Both streams tell of the same funding; it is told on once.
"""

import msgspec

from adapters.bybit import wire
from adapters.bybit.units import Grid, Listed
from adapters.edge.seen import is_new
from kernel.market import FUNDING, LEVEL, OPEN_INTEREST_LEVEL
from kernel.units import UnitError, to_rate
from kernel.venue import Feeds, MarketRow

MS = 1_000_000
MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
REMEMBERED_FUNDINGS = 256
# The account's own funding, with its exact rate and mark, comes about when the ticker moves on: it goes first.
FUNDING_GRACE_MS = 5_000
_TICKER = msgspec.json.Decoder(wire.Ticker)


class Fundings:
    """Which fundings were told, from whichever stream they came; keys are (instrument, minute)."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, int], None] = {}

    def is_new(self, instrument: int, ts_ns: int) -> bool:
        """Whether it was not told before; it is from now on."""
        return is_new(self._told, (instrument, ts_ns // MINUTE_NS), REMEMBERED_FUNDINGS)


class Ticker:
    """Funding when its time has come, and open interest when it changed."""

    def __init__(self, one: Listed, feeds: Feeds, fundings: Fundings) -> None:
        self._one, self._feeds, self._fundings = one, feeds, fundings
        self._mark = self._rate = self._next = ""
        self._interval_ns = 8 * HOUR_NS
        self._interest = -1
        self._due: MarketRow | None = None
        self._due_after_ms = 0

    def rows(self, text: str) -> list[MarketRow]:
        """The rows of a message of the ticker."""
        ticker = _TICKER.decode(text)
        data, rows = ticker.data, []
        if self._feeds.funding:
            rows = self._funding(ticker.ts, data)
        if self._feeds.open_interest and data.open_interest:
            interest = self._one.lots.floor(data.open_interest)
            if interest != self._interest:
                self._interest = interest
                words = (OPEN_INTEREST_LEVEL, interest, 0, 0, 0, 0)
                rows.append((ticker.ts * MS, LEVEL, self._one.number, *words))
        return rows

    def _funding(self, ts_ms: int, data: wire.TickerFields) -> list[MarketRow]:
        """When the next funding moves on, the one before it has come: at the last rate and mark that were known."""
        if data.next_funding_time and data.next_funding_time != self._next:
            if self._next and self._rate and self._mark:
                self._due = funding_row(self._one, int(self._next) * MS, self._rate, self._mark, self._interval_ns)
                self._due_after_ms = ts_ms + FUNDING_GRACE_MS
            self._next = data.next_funding_time
        self._mark = data.mark_price or self._mark
        self._rate = data.funding_rate or self._rate
        if data.funding_interval_hour:
            self._interval_ns = int(data.funding_interval_hour) * HOUR_NS
        due = self._due
        if due is None or ts_ms < self._due_after_ms:
            return []
        self._due = None
        return [due] if self._fundings.is_new(self._one.number, due[0]) else []


def funding_row(one: Listed, ts_ns: int, rate: str, mark: str, interval_ns: int) -> MarketRow:
    """A funding: longs pay the rate on the value at the mark, which is taken to the nearest tick."""
    return (ts_ns, FUNDING, one.number, rate_e8(rate), one.ticks.nearest(mark), interval_ns, 0, 0, 0)


def rate_e8(text: str) -> int:
    """A rate in units of 1/100,000,000; finer ones are rounded half to even."""
    try:
        return to_rate(text)
    except UnitError:
        return Grid("0.00000001").nearest(text)
