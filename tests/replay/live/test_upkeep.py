"""After a market stream returned: the bars that were missed, or word that they could not be had."""

import asyncio
from types import SimpleNamespace
from typing import Any

from kernel.market import BAR
from kernel.venue import MarketRow, Stream, StreamStatus, VenueError
from replay.config.live import LiveConfig
from replay.live.inbox import Change, LiveInbox
from replay.live.upkeep import fill_bars
from tests.replay.live.building import instrument


class Bars:
    """An adapter as far as bars go: the second instrument's cannot be had."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    async def fetch_bars(self, number: int, since_ns: int) -> list[MarketRow]:
        self.asked.append((number, since_ns))
        if number == 1:
            raise VenueError("bybit: kline: too many requests")
        return [(since_ns + 119, BAR, number, 1, 1, 1, 1, 1, since_ns + 59)]


def _session(*feeds: str) -> Any:
    inbox = LiveInbox(3, lambda: None)
    inbox.last_bar_open_ns = [600, 660, 0]
    names = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    return SimpleNamespace(
        live=LiveConfig(venue="bybit", feeds=list(feeds)),
        instruments=[instrument(name) for name in names],
        inbox=inbox,
        adapter=Bars(),
    )


def test_missed_bars_come_next_and_what_cannot_be_had_is_told() -> None:
    session = _session("bars", "quotes")
    asyncio.run(fill_bars(session))
    assert session.adapter.asked == [(0, 601), (1, 661)], "one that had no bar yet has missed none"
    assert [row[8] for row in session.inbox.rows] == [660]
    (gap,) = session.inbox.items
    text = "bybit/ETHUSDT: bars were missed: bybit: kline: too many requests"
    assert gap == Change(Stream.MARKET, StreamStatus.GAP, text)


def test_who_wants_no_bars_misses_none() -> None:
    session = _session("quotes")
    asyncio.run(fill_bars(session))
    assert session.adapter.asked == []
