"""Alpaca's websockets over the simulated exchange: market data in msgpack, trade updates as JSON in binary frames.

Faults strike message by message: what is lost, sent twice, late, out of order, mangled, or never again (half open).
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgpack
from aiohttp import WSMsgType, web

from tests.venues.alpaca_data import trade_words
from tests.venues.alpaca_words import moment
from tests.venues.faults import mangled
from tests.venues.shapes import Bar, Tick

if TYPE_CHECKING:
    from tests.venues.alpaca_server import Alpaca

LATE_S = 0.3
WAITING = 20_000
BOOK_LEVELS = 10
CHANNELS = {"t": "trades", "q": "quotes", "b": "bars", "u": "updatedBars", "s": "statuses", "o": "orderbooks"}
# Corrections and cancellations come with trades.
CHANNELS |= {"c": "trades", "x": "trades"}


@dataclass(eq=False)
class Client:
    """A connection: what it hears, what waits to be sent to it."""

    request: web.Request
    socket: web.WebSocketResponse
    is_text: bool = False
    is_known: bool = False
    is_frozen: bool = False
    channels: dict[str, set[str]] = field(default_factory=dict)
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(WAITING))
    held: bytes | None = None

    def hears(self, kind: str, symbol: str) -> bool:
        """Whether it asked for this."""
        return symbol in self.channels.get(CHANNELS.get(kind, ""), ())


class Streams:
    """Both websockets."""

    def __init__(self, venue: "Alpaca") -> None:
        self.venue = venue
        self.data: set[Client] = set()
        self.trading: set[Client] = set()
        self.late: set[asyncio.Task[None]] = set()
        self.market_messages = 0
        self.private_messages = 0

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        return [
            web.get("/v2/iex", _gone(self.data_socket)),
            web.get("/v2/sip", _gone(self.data_socket)),
            web.get("/v1beta3/crypto/us", _gone(self.data_socket)),
            web.get("/stream", _gone(self.trading_socket)),
        ]

    # --- connections -----------------------------------------------------------------------------------------------

    async def data_socket(self, request: web.Request) -> web.WebSocketResponse:
        if self.venue.faults.strikes("maintenance", "WS data"):
            raise web.HTTPServiceUnavailable
        is_text = request.headers.get("Content-Type") != "application/msgpack"
        client = await self.begin(request, self.data, is_text)
        client.waiting.put_nowait(self.packed(client, [{"T": "success", "msg": "connected"}]))
        return await self.live(client, self.data, self.data_said)

    async def trading_socket(self, request: web.Request) -> web.WebSocketResponse:
        if self.venue.faults.strikes("maintenance", "WS trading"):
            raise web.HTTPServiceUnavailable
        client = await self.begin(request, self.trading, False)
        return await self.live(client, self.trading, self.trading_said)

    async def begin(self, request: web.Request, clients: set[Client], is_text: bool) -> Client:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        client = Client(request, socket, is_text)
        clients.add(client)
        return client

    async def live(self, client: Client, clients: set[Client], said: Any) -> web.WebSocketResponse:
        writer = asyncio.create_task(self.write(client))
        try:
            async for message in client.socket:
                if message.type is WSMsgType.PING and not client.is_frozen:
                    await client.socket.pong(message.data)
                elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY) and not client.is_frozen:
                    said(client, message.data)
        finally:
            clients.discard(client)
            writer.cancel()
        return client.socket

    async def write(self, client: Client) -> None:
        while True:
            data = await client.waiting.get()
            if not client.is_frozen and not client.socket.closed:
                if client.is_text:
                    await client.socket.send_str(data.decode())
                else:
                    await client.socket.send_bytes(data)
            if data == b"":
                await client.socket.close()

    # --- what clients say ------------------------------------------------------------------------------------------

    def data_said(self, client: Client, raw: bytes | str) -> None:
        said = json.loads(raw) if isinstance(raw, str) else msgpack.unpackb(raw)
        if said["action"] == "auth":
            client.is_known = (said.get("key"), said.get("secret")) == self.venue.keys
            fine: dict[str, Any] = {"T": "success", "msg": "authenticated"}
            client.waiting.put_nowait(self.packed(client, [fine if client.is_known else _error(402, "auth failed")]))
        elif not client.is_known:
            client.waiting.put_nowait(self.packed(client, [_error(401, "not authenticated")]))
        elif said["action"] == "subscribe":
            for channel, symbols in said.items():
                if channel != "action":
                    client.channels.setdefault(channel, set()).update(symbols)
            got = {channel: sorted(symbols) for channel, symbols in client.channels.items()}
            client.waiting.put_nowait(self.packed(client, [{"T": "subscription", **got}]))
            for symbol in client.channels.get("orderbooks", ()):
                client.waiting.put_nowait(self.packed(client, [self.book(symbol, is_whole=True)]))
        else:
            client.waiting.put_nowait(self.packed(client, [_error(400, "invalid syntax")]))

    def trading_said(self, client: Client, raw: bytes | str) -> None:
        said = json.loads(raw)
        if said["action"] in ("auth", "authenticate"):
            data = said.get("data", {})
            keys = (said.get("key", data.get("key_id")), said.get("secret", data.get("secret_key")))
            client.is_known = keys == self.venue.keys
            status = "authorized" if client.is_known else "unauthorized"
            self.say(client, "authorization", {"status": status, "action": "authenticate"})
        elif said["action"] == "listen" and client.is_known:
            client.channels["streams"] = set(said["data"]["streams"]) & {"trade_updates"}
            self.say(client, "listening", {"streams": sorted(client.channels["streams"])})
        else:
            self.say(client, "listening", {"streams": [], "error": "not authorized"})

    def say(self, client: Client, stream: str, data: dict[str, Any]) -> None:
        client.waiting.put_nowait(json.dumps({"stream": stream, "data": data}).encode())

    # --- what clients hear -----------------------------------------------------------------------------------------

    def market(self, message: dict[str, Any]) -> None:
        """A market message to everybody who asked for it. ``t`` is nanoseconds."""
        self.market_messages += 1
        for client in list(self.data):
            if client.is_known and client.hears(message["T"], message["S"]):
                self.tell(client, self.packed(client, [message]), f"data {message['T']}")

    def tick(self, tick: Tick) -> None:
        """A trade, the quote and the book that come with it."""
        walk = self.venue.exchange.walks[tick.symbol]
        quote, at = walk.quote(tick.ts_ns), tick.ts_ns
        is_pair = self.venue.class_name == "crypto"
        self.market({"T": "t", "S": tick.symbol, "t": at, **trade_words(tick, is_pair=is_pair)})
        sides = {"bp": quote.bid, "bs": quote.bid_size, "ap": quote.ask, "as": quote.ask_size}
        self.market({"T": "q", "S": tick.symbol, "t": at, **{name: float(number) for name, number in sides.items()}})
        if is_pair:
            self.market(self.book(tick.symbol, is_whole=True))

    def bar(self, bar: Bar) -> None:
        """A minute that closed."""
        numbers = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
        words = {name: float(number) for name, number in numbers.items()}
        self.market({"T": "b", "S": bar.symbol, "t": bar.open_ns, **words, "n": 1, "vw": words["c"]})

    def book(self, symbol: str, *, is_whole: bool) -> dict[str, Any]:
        """The book of a symbol."""
        bids, asks = self.venue.exchange.walks[symbol].book(BOOK_LEVELS)
        sides = {
            name: [{"p": float(price), "s": float(size)} for price, size in levels.items()]
            for name, levels in (("b", bids), ("a", asks))
        }
        return {"T": "o", "S": symbol, "t": self.venue.now_ns(), **sides, **({"r": True} if is_whole else {})}

    def update(self, event: str, order: dict[str, Any], **more: Any) -> None:
        """A trade update to everybody who listens."""
        self.private_messages += 1
        data = {"event": event, "timestamp": moment(self.venue.now_ns()), "order": order} | more
        raw = json.dumps({"stream": "trade_updates", "data": data}).encode()
        is_late = "execution_id" in more and self.venue.faults.strikes("late_fill", "trade_updates")
        for client in list(self.trading):
            if "trade_updates" not in client.channels.get("streams", ()):
                continue
            if is_late:
                task = asyncio.create_task(self.later(client, raw))
                self.late.add(task)
                task.add_done_callback(self.late.discard)
            else:
                self.tell(client, raw, "trade_updates")

    async def later(self, client: Client, raw: bytes) -> None:
        await asyncio.sleep(LATE_S)
        self.tell(client, raw, "trade_updates")

    def tell(self, client: Client, raw: bytes, where: str) -> None:
        """One message to one client, or what a fault makes of it."""
        faults = self.venue.faults
        kinds = ("half_open", "lost_message", "malformed", "truncated", "reorder", "duplicate", "disconnect")
        kind = faults.first(kinds, where)
        if kind == "half_open":
            client.is_frozen = True
        if kind == "lost_message" or client.is_frozen:
            return
        if kind in ("malformed", "truncated"):
            raw = mangled(kind, raw)
        if kind == "reorder" and client.held is None:
            client.held = raw
            return
        held, client.held = client.held, None
        for one in (raw, *([raw] if kind == "duplicate" else []), *([held] if held else [])):
            if client.waiting.qsize() < WAITING - 1:
                client.waiting.put_nowait(one)
        if kind == "disconnect":
            client.waiting.put_nowait(b"")

    def disconnect(self) -> int:
        """Break every connection now."""
        clients = [*self.data, *self.trading]
        for client in clients:
            if client.request.transport is not None:
                client.request.transport.abort()
        return len(clients)

    def packed(self, client: Client, messages: list[dict[str, Any]]) -> bytes:
        """Messages as the client reads them: times are msgpack timestamps, or text in JSON."""
        out = []
        for message in messages:
            at = message.get("t")
            if at is None:
                out.append(message)
            elif client.is_text:
                out.append(message | {"t": moment(at)})
            else:
                out.append(message | {"t": msgpack.Timestamp(at // 1_000_000_000, at % 1_000_000_000)})
        return json.dumps(out).encode() if client.is_text else msgpack.packb(out)


def _gone(handler: Any) -> Any:
    """A handler that takes it calmly when the client is gone before the handshake is over."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ConnectionResetError:
            return web.Response(status=499)

    return handle


def _error(code: int, text: str) -> dict[str, Any]:
    return {"T": "error", "code": code, "msg": text}
