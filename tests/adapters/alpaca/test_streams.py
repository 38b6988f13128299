"""The two websockets, frame by frame, against a script: what is said, what ends a connection, and how it is told."""

import asyncio
import contextlib
import json

import msgpack
import pytest
from aiohttp import web

from adapters.alpaca.client import AlpacaAdapter
from adapters.alpaca.settings import AlpacaSettings
from adapters.edge.secrets import Secret
from kernel.market import QUOTE
from kernel.venue import Feeds, OrderStatus, Stream, StreamStatus
from tests.adapters.alpaca.live import QUICK, Heard, until
from tests.adapters.alpaca.test_exactness import PAIR, SHARE
from tests.adapters.alpaca.test_parse import ORDER_SAID, UPDATE_SAID
from tests.adapters.alpaca.test_parse_market import QUOTE_SAID
from tests.adapters.serving import serving

CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]
SUBSCRIBED = [{"T": "subscription", "quotes": ["AAPL"], "statuses": ["AAPL"], "trades": []}]
AUTHORIZED = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
CLOSE = "close"
LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}


class Script:
    """A server whose sockets say one line first, and one after each thing that they hear."""

    def __init__(self, data, trading):
        self.data = data
        self.trading = trading
        self.heard = {"data": [], "trading": []}

    async def data_socket(self, request):
        return await self.socket(request, self.data, "data", msgpack.packb, msgpack.unpackb)

    async def trading_socket(self, request):
        return await self.socket(
            request, [None, *self.trading], "trading", lambda one: json.dumps(one).encode(), json.loads
        )

    async def broken(self, request):
        raise web.HTTPInternalServerError

    async def socket(self, request, lines, name, pack, unpack):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for number, line in enumerate(lines):
            if number:
                message = await socket.receive()
                if message.type not in (web.WSMsgType.TEXT, web.WSMsgType.BINARY):
                    return socket
                self.heard[name].append(unpack(message.data))
            for one in line if isinstance(line, tuple) else (line,):
                if one == CLOSE:
                    await socket.close()
                    return socket
                if isinstance(one, bytes):
                    await socket.send_bytes(one)
                elif one is not None:
                    await socket.send_bytes(pack(one))
        await socket.receive()
        return socket


@contextlib.asynccontextmanager
async def scripted(data=(), trading=(), feeds=None, instrument=SHARE, **changes):
    script = Script(list(data), list(trading))
    app = web.Application()
    app.router.add_get("/data", script.data_socket)
    app.router.add_get("/stream", script.trading_socket)
    app.router.add_get("/v2/orders:by_client_order_id", script.broken)
    async with serving(app) as url:
        place = url.removeprefix("http://")
        keys = {"api_key": Secret("PK-0123456789"), "api_secret": Secret("SK-0123456789")}
        urls = {"data_stream_url": f"ws://{place}/data", "trading_stream_url": f"ws://{place}/stream"}
        urls |= {"trading_url": url, "data_url": url}
        kind = {"asset_class": "equity" if instrument is SHARE else "crypto"}
        adapter = AlpacaAdapter(AlpacaSettings(**(keys | urls | kind | QUICK | {"handshake_timeout_s": 0.2} | changes)))
        await adapter.open([instrument], feeds or Feeds(bars=False))
        heard = Heard()
        task = asyncio.create_task(adapter.run(heard))
        try:
            yield script, heard
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await adapter.close()


def down(heard, stream):
    return [text for one, status, text in heard.streams if one is stream and status is StreamStatus.DOWN]


def test_what_is_said_to_the_market_stream():
    async def run():
        async with scripted(data=[CONNECTED, AUTHENTICATED, (SUBSCRIBED, [QUOTE_SAID])]) as (script, heard):
            await until(lambda: heard.kinds(QUOTE))
            assert heard.count(Stream.MARKET, StreamStatus.UP) == 1
            assert script.heard["data"] == [
                {"action": "auth", "key": "PK-0123456789", "secret": "SK-0123456789"},
                {"action": "subscribe", "quotes": ["AAPL"], "statuses": ["AAPL"]},
            ]

    asyncio.run(run())


def test_a_feed_without_statuses_is_taken():
    async def run():
        said = [{"T": "subscription", "quotes": ["AAPL"]}]
        async with scripted(data=[CONNECTED, AUTHENTICATED, said]) as (_, heard):
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP))

    asyncio.run(run())


def test_what_is_wanted_of_a_pair():
    async def run():
        said = [{"T": "subscription", "bars": ["BTC/USD"], "trades": ["BTC/USD"], "orderbooks": ["BTC/USD"]}]
        feeds = Feeds(trades=True, quotes=False, depth=5)
        async with scripted(data=[CONNECTED, AUTHENTICATED, said], feeds=feeds, instrument=PAIR) as (script, heard):
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP))
            asked = {"bars": ["BTC/USD"], "trades": ["BTC/USD"], "orderbooks": ["BTC/USD"]}
            assert script.heard["data"][1] == {"action": "subscribe"} | asked

    asyncio.run(run())


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([CLOSE], "the venue closed the connection"),
        ([None], "no answer in time"),
        ([[{"T": "success", "msg": "hello"}]], "the stream did not say 'connected'"),
        ([[{"T": "error", "code": 406, "msg": "connection limit exceeded"}]], "error 406: connection limit exceeded"),
        ([CONNECTED, None], "no answer in time"),
        ([CONNECTED, [{"T": "error", "code": 402, "msg": "auth failed"}]], "error 402: auth failed"),
        ([CONNECTED, AUTHENTICATED, None], "no answer in time"),
        ([CONNECTED, AUTHENTICATED, [{"T": "error", "code": 405, "msg": "symbol limit exceeded"}]],
         "error 405: symbol limit exceeded"),
        ([CONNECTED, AUTHENTICATED, [{"T": "subscription", "quotes": []}]], "no quotes for AAPL"),
        ([CONNECTED, AUTHENTICATED, (SUBSCRIBED, [{"T": "error", "code": 407, "msg": "slow client"}])],
         "error 407: slow client"),
        ([CONNECTED, AUTHENTICATED, (SUBSCRIBED, b"<html>")], "alpaca: a market frame"),
    ],
)  # fmt: skip
def test_what_ends_the_market_stream(lines, why):
    async def run():
        async with scripted(data=lines) as (_, heard):
            await until(lambda: len(down(heard, Stream.MARKET)) >= 2)  # and it comes back
            assert all(text.startswith(why) for text in down(heard, Stream.MARKET)[:2])

    asyncio.run(run())


def test_what_is_said_to_the_trading_stream():
    frame = {"stream": "trade_updates", "data": UPDATE_SAID}

    async def run():
        async with scripted(trading=[AUTHORIZED, (frame, LISTENING, frame)]) as (script, heard):
            # An update that overtakes the answer is heard too.
            await until(lambda: len(heard.fills("k-3")) == 2)
            assert script.heard["trading"] == [
                {"action": "authenticate", "data": {"key_id": "PK-0123456789", "secret_key": "SK-0123456789"}},
                {"action": "listen", "data": {"streams": ["trade_updates"]}},
            ]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([None], "no answer in time"),
        ([{"stream": "authorization", "data": {"status": "unauthorized"}}], "the keys are unauthorized"),
        ([{"stream": "authorization", "data": {}}], "the keys are not accepted"),
        ([AUTHORIZED, None], "no answer in time"),
        ([AUTHORIZED, {"stream": "listening", "data": {"streams": []}}], "no trade_updates: not in the answer"),
        ([AUTHORIZED, (LISTENING, b"<html>")], "alpaca: a frame of the trading stream cannot be read"),
        ([AUTHORIZED, (LISTENING, {"stream": "trade_updates", "data": {"event": "fill"}})],
         "alpaca: a trade update cannot be read"),
    ],
)  # fmt: skip
def test_what_ends_the_trading_stream(lines, why):
    async def run():
        async with scripted(trading=lines) as (_, heard):
            await until(lambda: len(down(heard, Stream.PRIVATE)) >= 2)
            assert all(text.startswith(why) for text in down(heard, Stream.PRIVATE)[:2])

    asyncio.run(run())


def order_update(event, **changes):
    return {"stream": "trade_updates", "data": {"event": event, "order": ORDER_SAID | changes}}


@pytest.mark.parametrize(
    ("event", "status", "means", "text"),
    [
        ("new", "new", OrderStatus.OPEN, ""),
        ("accepted", "accepted", OrderStatus.OPEN, ""),
        ("pending_new", "pending_new", OrderStatus.OPEN, ""),
        ("canceled", "canceled", OrderStatus.CANCELED, ""),
        ("expired", "expired", OrderStatus.EXPIRED, "expired"),
        ("rejected", "rejected", OrderStatus.REJECTED, "rejected"),
        ("done_for_day", "done_for_day", OrderStatus.OPEN, "done_for_day"),
        ("suspended", "suspended", OrderStatus.OPEN, "suspended"),
        ("stopped", "stopped", OrderStatus.OPEN, ""),
        ("calculated", "calculated", OrderStatus.OPEN, ""),
        ("pending_cancel", "pending_cancel", OrderStatus.OPEN, ""),
        ("pending_replace", "pending_replace", OrderStatus.OPEN, ""),
        ("order_cancel_rejected", "new", OrderStatus.OPEN, "order_cancel_rejected"),
        ("order_replace_rejected", "new", OrderStatus.OPEN, "order_replace_rejected"),
    ],
)
def test_every_event_of_an_order(event, status, means, text):
    async def run():
        update = order_update(event, status=status, client_order_id="k-9")
        async with scripted(trading=[AUTHORIZED, (LISTENING, update)]) as (_, heard):
            await until(lambda: heard.orders("k-9"))
            (seen,) = heard.orders("k-9")
            assert (seen.status, seen.text) == (means, text)

    asyncio.run(run())


@pytest.mark.parametrize("event", ["trade_bust", "trade_correct"])
def test_a_correction_of_a_fill_is_a_gap(event):
    async def run():
        update = order_update(event, status="filled")
        async with scripted(trading=[AUTHORIZED, (LISTENING, update)]) as (_, heard):
            await until(lambda: heard.count(Stream.PRIVATE, StreamStatus.GAP))
            assert heard.seen == []

    asyncio.run(run())


def test_a_replacement_that_is_only_asked_for_is_not_shown():
    updates = [order_update(one, status=one, client_order_id="k-9-R1") for one in ("pending_new", "accepted")]
    last = order_update("new", status="new", client_order_id="k-9-R1", qty="7")

    async def run():
        async with scripted(trading=[AUTHORIZED, (LISTENING, *updates, last)]) as (_, heard):
            await until(lambda: heard.orders("k-9"))
            assert [one.quantity_lots for one in heard.orders("k-9")] == [7 * 10**9]

    asyncio.run(run())


@pytest.mark.parametrize("changes", [{"status": "replaced"}, {"status": "rejected", "client_order_id": "k-9-R1"}])
def test_what_stands_for_an_order_cannot_be_asked(changes):
    async def run():
        update = order_update("any", **({"client_order_id": "k-9"} | changes))
        async with scripted(trading=[AUTHORIZED, (LISTENING, update)], reads_retried=0) as (_, heard):
            await until(lambda: heard.count(Stream.PRIVATE, StreamStatus.GAP))
            assert heard.streams[-1][2] == "alpaca: order k-9: HTTP 500; try again later"
            assert heard.seen == []

    asyncio.run(run())
