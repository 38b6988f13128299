"""Alpaca's two websockets: market data (msgpack) and ``trade_updates`` (JSON in binary frames).

Owns connections: signing in, listening, noticing that they broke, and coming back with growing pauses. What a frame
means is read elsewhere.

alpaca-py's own stream classes are not used: their public ``run`` starts an event loop of its own, the answers to the
keys are waited for without end, nobody is told when a connection comes up or breaks, and handlers get what is left of a
frame after floats, not its bytes. The protocol is the documented one, word for word as alpaca-py speaks it.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import msgpack  # type: ignore[import-untyped]

from adapters.alpaca.markets import Markets
from adapters.alpaca.parse import ParseError, read
from adapters.alpaca.parse_market import DataMessage, parse_data
from adapters.alpaca.settings import EQUITY, AlpacaSettings
from adapters.alpaca.wire import AUTHORIZATION, FRAME, LISTENING
from kernel.venue import Feeds, Inbox, Stream, StreamStatus

MAXIMUM_FRAME_BYTES = 16 * 1024 * 1024
YIELD_EVERY = 64  # frames that are at hand already are taken in without waiting, and others must have their turn
TRADE_UPDATES = "trade_updates"
STATUSES = "statuses"
Socket = aiohttp.ClientWebSocketResponse


class StreamBroken(Exception):  # noqa: N818 (what happened to it)
    """A connection ended. The text says why, in one line."""


async def kept_up(
    stream: Stream,
    inbox: Inbox,
    settings: AlpacaSettings,
    live: Callable[[aiohttp.ClientSession, Callable[[], None]], Awaitable[None]],
    clean: Callable[[str], str],
) -> None:
    """Run ``live`` again whenever it breaks, until cancelled. It calls its second argument once the stream stands."""
    pause = settings.first_pause_s
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout_s)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            stood_at = 0.0

            def stands() -> None:
                nonlocal stood_at
                stood_at = time.monotonic()
                inbox.stream(stream, StreamStatus.UP, "")

            try:
                await live(session, stands)
                why = "closed"
            except (StreamBroken, ParseError) as error:
                why = str(error)
            except aiohttp.WSServerHandshakeError as error:
                why = f"HTTP {error.status}"
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                why = type(error).__name__
            inbox.stream(stream, StreamStatus.DOWN, clean(why))
            if stood_at and time.monotonic() - stood_at > settings.steady_s:
                pause = settings.first_pause_s
            await asyncio.sleep(pause * (0.5 + random.random() / 2))
            pause = min(pause * 2, settings.longest_pause_s)


class DataLive:
    """One connection to the market data stream, from the keys to its end."""

    def __init__(
        self,
        settings: AlpacaSettings,
        markets: Markets,
        feeds: Feeds,
        heard: Callable[[DataMessage, bytes], None],
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._markets = markets
        self._channels = channels(settings, markets, feeds)
        self._heard, self._catch_up = heard, catch_up

    async def __call__(self, session: aiohttp.ClientSession, stands: Callable[[], None]) -> None:
        settings = self._settings
        headers = {"Content-Type": "application/msgpack"}
        async with _connect(session, settings.data_stream, settings, headers) as socket:
            await self._expect(socket, "connected")
            keys = {"key": settings.api_key.reveal(), "secret": settings.api_secret.reveal()}
            await socket.send_bytes(msgpack.packb({"action": "auth", **keys}))
            await self._expect(socket, "authenticated")
            await socket.send_bytes(msgpack.packb({"action": "subscribe", **self._channels}))
            await self._subscribed(socket)
            await self._catch_up()
            stands()
            await _each_frame(socket, self._take)

    def _take(self, raw: bytes) -> None:
        message = parse_data(raw, self._markets)
        for control in message.control:
            if control.kind == "error":
                raise StreamBroken(f"error {control.code}: {control.text}")
        self._heard(message, raw)

    async def _expect(self, socket: Socket, word: str) -> None:
        """Wait for a success with this word; data do not come before the subscription."""
        message = parse_data(await _frame(socket, self._settings.handshake_timeout_s), self._markets)
        for control in message.control:
            if control.kind == "error":
                raise StreamBroken(f"error {control.code}: {control.text}")
        if not any(control.kind == "success" and control.text == word for control in message.control):
            raise StreamBroken(f"the stream did not say {word!r}")

    async def _subscribed(self, socket: Socket) -> None:
        """Wait for the answer to the subscription, and take data that overtake it."""
        deadline = time.monotonic() + self._settings.handshake_timeout_s
        while True:
            raw = await _frame(socket, max(0.0, deadline - time.monotonic()))
            self._take(raw)
            for control in parse_data(raw, self._markets).control:
                if control.kind == "subscription":
                    self._check(control.channels)
                    return

    def _check(self, got: dict[str, list[str]]) -> None:
        for channel, symbols in self._channels.items():
            if channel == STATUSES:  # not every feed has them
                continue
            missing = sorted(set(symbols) - set(got.get(channel, [])))
            if missing:
                raise StreamBroken(f"no {channel} for {', '.join(missing)}")


def channels(settings: AlpacaSettings, markets: Markets, feeds: Feeds) -> dict[str, list[str]]:
    """What to subscribe to. Halts are always wanted; corrections and cancellations come with trades."""
    symbols = [market.symbol for market in markets.all]
    wanted = {"bars": feeds.bars, "trades": feeds.trades, "quotes": feeds.quotes}
    if settings.asset_class == EQUITY:
        wanted[STATUSES] = True
    else:
        wanted["orderbooks"] = feeds.depth > 0
    return {channel: symbols for channel, is_wanted in wanted.items() if is_wanted and symbols}


class TradingLive:
    """One connection to the stream of trade updates, from the keys to its end."""

    def __init__(self, settings: AlpacaSettings, heard: Callable[[bytes, bytes], Awaitable[None]]) -> None:
        self._settings = settings
        self._heard = heard

    async def __call__(self, session: aiohttp.ClientSession, stands: Callable[[], None]) -> None:
        settings = self._settings
        async with _connect(session, settings.trading_stream, settings, {}) as socket:
            keys = {"key_id": settings.api_key.reveal(), "secret_key": settings.api_secret.reveal()}
            await socket.send_bytes(json.dumps({"action": "authenticate", "data": keys}).encode())
            status = read(AUTHORIZATION, await self._answer(socket, "authorization"), "an authorization").status
            if status != "authorized":
                raise StreamBroken(f"the keys are {status or 'not accepted'}")
            listen = {"action": "listen", "data": {"streams": [TRADE_UPDATES]}}
            await socket.send_bytes(json.dumps(listen).encode())
            answer = read(LISTENING, await self._answer(socket, "listening"), "an answer to listen")
            if TRADE_UPDATES not in answer.streams:
                raise StreamBroken(f"no {TRADE_UPDATES}: {answer.error or 'not in the answer'}")
            stands()
            await _each_frame(socket, self._take)

    async def _take(self, raw: bytes) -> None:
        frame = read(FRAME, raw, "a frame of the trading stream")
        if frame.stream == TRADE_UPDATES:
            await self._heard(bytes(frame.data), raw)

    async def _answer(self, socket: Socket, stream: str) -> bytes:
        """The data of the next frame of this name; updates that overtake it are taken."""
        deadline = time.monotonic() + self._settings.handshake_timeout_s
        while True:
            raw = await _frame(socket, max(0.0, deadline - time.monotonic()))
            frame = read(FRAME, raw, "a frame of the trading stream")
            if frame.stream == stream:
                return bytes(frame.data)
            await self._take(raw)


@contextlib.asynccontextmanager
async def _connect(
    session: aiohttp.ClientSession, url: str, settings: AlpacaSettings, headers: dict[str, str]
) -> AsyncIterator[Socket]:
    """A websocket that notices silence: a ping without an answer ends it."""
    async with asyncio.timeout(settings.connect_timeout_s + settings.handshake_timeout_s):
        socket = await session.ws_connect(
            url,
            headers=headers,
            heartbeat=settings.heartbeat_s,
            max_msg_size=MAXIMUM_FRAME_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
        )
    try:
        yield socket
    finally:
        await socket.close()


async def _frame(socket: Socket, timeout_s: float | None) -> bytes:
    """The bytes of the next frame. Raises StreamBroken when there is none in time or the connection ends."""
    try:
        message = await socket.receive(timeout=timeout_s)
    except TimeoutError:
        raise StreamBroken("no answer in time") from None
    if message.type is aiohttp.WSMsgType.BINARY:
        return bytes(message.data)
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data).encode()
    if message.type is aiohttp.WSMsgType.ERROR:
        raise StreamBroken(type(socket.exception() or Exception()).__name__)
    raise StreamBroken("the venue closed the connection")


async def _each_frame(socket: Socket, take: Callable[[bytes], Awaitable[None] | None]) -> None:
    count = 0
    while True:
        waits = take(await _frame(socket, None))
        if waits is not None:
            await waits
        count += 1
        if count % YIELD_EVERY == 0:
            await asyncio.sleep(0)
