"""An adapter at work against a server: what a test needs to start one, to listen, and to wait."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from adapters.alpaca.client import AlpacaAdapter
from adapters.alpaca.settings import AlpacaSettings
from adapters.edge.secrets import Secret
from kernel.lifecycle import BUY, DAY, GTC, LIMIT, MARKET
from kernel.venue import Feeds, FillSeen, InstrumentRules, NewOrder, OrderSeen, Stream, StreamStatus
from tests.venues.process import Server

ONE = 10**9
PATHS = {"equity": "/v2/iex", "crypto": "/v1beta3/crypto/us"}
QUICK = {
    "connect_timeout_s": 1.0,
    "read_timeout_s": 0.4,
    "first_pause_s": 0.02,
    "longest_pause_s": 0.1,
    "heartbeat_s": 0.4,
    "handshake_timeout_s": 1.0,
    "replaced_within_s": 1.0,
    "requests_per_minute": 100_000,
}


class Heard:
    """An inbox that keeps everything."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.seen: list[Any] = []
        self.streams: list[tuple[Stream, StreamStatus, str]] = []
        self.changed: list[tuple[int, InstrumentRules]] = []
        self.raw: list[bytes] = []

    def market(self, rows: Any, raw: bytes) -> None:
        self.rows.extend(rows)
        self.raw.append(raw)

    def private(self, seen: Any, raw: bytes) -> None:
        self.seen.extend(seen)
        self.raw.append(raw)

    def stream(self, stream: Stream, status: StreamStatus, text: str) -> None:
        self.streams.append((stream, status, text))

    def rules(self, instrument: int, rules: InstrumentRules) -> None:
        self.changed.append((instrument, rules))

    def kinds(self, kind: int) -> list[Any]:
        """The market rows of a kind."""
        return [row for row in self.rows if row[1] == kind]

    def orders(self, client_order_id: str) -> list[OrderSeen]:
        """The pictures of an order."""
        return [one for one in self.seen if isinstance(one, OrderSeen) and one.client_order_id == client_order_id]

    def fills(self, client_order_id: str) -> list[FillSeen]:
        """The fills of an order, each as often as it was said."""
        return [one for one in self.seen if isinstance(one, FillSeen) and one.client_order_id == client_order_id]

    def count(self, stream: Stream, status: StreamStatus) -> int:
        """How often a stream was in a status."""
        return sum(1 for one in self.streams if one[:2] == (stream, status))

    def are_up(self) -> bool:
        """Whether both streams stand."""
        return all(self.count(stream, StreamStatus.UP) for stream in Stream)


async def until(holds: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait for something to hold; fails after so long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        await asyncio.sleep(0.005)


def settings_for(server: Server, asset_class: str = "equity", **changes: Any) -> AlpacaSettings:
    """Settings that lead to a server."""
    key, secret = server.line["key"], server.line["secret"]
    places = {
        "api_key": Secret(key),
        "api_secret": Secret(secret),
        "asset_class": asset_class,
        "trading_url": server.url,
        "data_url": server.url,
        "trading_stream_url": server.ws + "/stream",
        "data_stream_url": server.ws + PATHS[asset_class],
    }
    return AlpacaSettings(**(places | QUICK | changes))


@contextlib.asynccontextmanager
async def opened(
    server: Server, asset_class: str = "equity", feeds: Feeds | None = None, **changes: Any
) -> AsyncIterator[AlpacaAdapter]:
    """An adapter with its instruments, without streams."""
    adapter = AlpacaAdapter(settings_for(server, asset_class, **changes))
    try:
        described = await adapter.describe(server.line["symbols"])
        await adapter.open([one.instrument for one in described], feeds or Feeds(trades=True, depth=10))
        yield adapter
    finally:
        await adapter.close()


@contextlib.asynccontextmanager
async def running(
    server: Server, asset_class: str = "equity", feeds: Feeds | None = None, **changes: Any
) -> AsyncIterator[tuple[AlpacaAdapter, Heard]]:
    """An adapter with both streams up."""
    async with opened(server, asset_class, feeds, **changes) as adapter:
        heard = Heard()
        task = asyncio.create_task(adapter.run(heard))
        try:
            await until(heard.are_up)
            yield adapter, heard
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def market_order(client_order_id: str, **changes: Any) -> NewOrder:
    """Buy one at the market."""
    plain = {"instrument": 0, "side": BUY, "order_type": MARKET, "time_in_force": DAY, "quantity_lots": ONE}
    return NewOrder(client_order_id=client_order_id, **(plain | changes))


def resting_order(client_order_id: str, **changes: Any) -> NewOrder:
    """A bid for one share at $60, far below the market."""
    return market_order(
        client_order_id, **({"order_type": LIMIT, "limit_ticks": 600_000, "time_in_force": GTC} | changes)
    )


def strike(server, kind, where="", **more):
    """Let a fault strike once, or as often as is said."""
    server.post("/test/fault", {"kind": kind, "where": where, "limit": 1} | more)


def struck(server, kind):
    """How often a fault struck."""
    return server.get("/test/state")["faults"].get(kind, 0)
