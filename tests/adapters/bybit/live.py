"""An adapter at a server of ours, for tests: what it heard, and how to wait for more."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from typing import Any

from adapters.bybit.client import BybitAdapter
from adapters.bybit.settings import BybitSettings
from adapters.edge.secrets import Secret
from kernel.lifecycle import BUY, GTC, MARKET
from kernel.venue import Feeds, InstrumentRules, MarketRow, NewOrder, Seen, Stream, StreamStatus
from tests.venues.process import Server

ALL_FEEDS = Feeds(bars=True, trades=True, quotes=True, depth=50, funding=True, open_interest=True)


class Heard:
    """An inbox that keeps everything."""

    def __init__(self) -> None:
        self.rows: list[MarketRow] = []
        self.seen: list[Seen] = []
        self.streams: list[tuple[Stream, StreamStatus, str]] = []
        self.changed_rules: list[tuple[int, InstrumentRules]] = []

    def market(self, rows: Sequence[MarketRow], raw: bytes) -> None:
        self.rows += rows

    def private(self, seen: Sequence[Seen], raw: bytes) -> None:
        self.seen += seen

    def stream(self, stream: Stream, status: StreamStatus, text: str) -> None:
        self.streams.append((stream, status, text))

    def rules(self, instrument: int, rules: InstrumentRules) -> None:
        self.changed_rules.append((instrument, rules))

    def count(self, stream: Stream, status: StreamStatus) -> int:
        return sum(1 for one in self.streams if one[:2] == (stream, status))

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.seen if isinstance(one, kind)]

    def of_kind(self, kind: int) -> list[MarketRow]:
        return [row for row in self.rows if row[1] == kind]


async def until(is_true: Callable[[], Any], what: str, seconds: float = 5.0) -> None:
    """Wait until something is so; fails with what was waited for."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not is_true():
        assert loop.time() < end, f"in {seconds} s there was no {what}"
        await asyncio.sleep(0.005)


def settings_for(server: Server, **changes: Any) -> BybitSettings:
    """Settings of an adapter for a server, with short times."""
    usual = {
        "category": server.line["category"],
        "rest_url": server.url,
        "public_ws_url": f"{server.ws}/v5/public/{server.line['category']}",
        "private_ws_url": f"{server.ws}/v5/private",
        "api_key": Secret(server.line["key"]),
        "api_secret": Secret(server.line["secret"]),
        "request_seconds": 2.0,
        "first_pause_seconds": 0.02,
        "longest_pause_seconds": 0.2,
        "rules_seconds": 60.0,
        "request_weight": 10_000,
    }
    return BybitSettings(**(usual | changes))


@contextlib.asynccontextmanager
async def opened(server: Server, feeds: Feeds | None = None, **changes: Any) -> AsyncIterator[BybitAdapter]:
    """An adapter with the server's symbols."""
    adapter = BybitAdapter(settings_for(server, **changes))
    try:
        described = await adapter.describe(server.line["symbols"])
        await adapter.open([one.instrument for one in described], feeds or ALL_FEEDS)
        yield adapter
    finally:
        await adapter.close()


@contextlib.asynccontextmanager
async def running(
    server: Server, feeds: Feeds | None = None, **changes: Any
) -> AsyncIterator[tuple[BybitAdapter, Heard]]:
    """The same with its streams up."""
    async with opened(server, feeds, **changes) as adapter:
        heard = Heard()
        task = asyncio.ensure_future(adapter.run(heard))
        try:
            for stream in Stream:
                await until(lambda s=stream: task.done() or heard.count(s, StreamStatus.UP), f"{stream} up")
            yield adapter, heard
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


IDS = (f"test-{number}" for number in itertools.count())
LOTS = {"spot": 1_000_000, "linear": 10, "inverse": 1000}
TICK = {"spot": "0.01", "linear": "0.10", "inverse": "0.50"}


def order(server, **changes) -> NewOrder:
    price = server.get("/test/state")["prices"][server.line["symbols"][0]]
    reference = int(Decimal(price) / Decimal(TICK[server.line["category"]]))
    usual = {
        "client_order_id": next(IDS),
        "instrument": 0,
        "side": BUY,
        "order_type": MARKET,
        "time_in_force": GTC,
        "quantity_lots": LOTS[server.line["category"]],
        "reference_ticks": reference,
    }
    return NewOrder(**(usual | changes))


async def hour_ago(adapter) -> int:
    return await adapter.fetch_time_ns() - 3600 * 10**9
