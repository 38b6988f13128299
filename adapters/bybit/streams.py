"""Both streams of an adapter, kept up until cancelled: connect, subscribe, hear, and connect again with growing pauses.

What cannot be read ends a connection, because it is not known what was missed. A book that skipped a change is a gap:
its topic is subscribed to again, and the stream is up again when every book has had its snapshot.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from adapters.bybit import wire
from adapters.bybit.connection import Connection, RawClient
from adapters.bybit.market import START, BookGapError, MarketParser, Trades
from adapters.bybit.parse import PrivateParser
from adapters.bybit.settings import BybitSettings
from adapters.bybit.units import OffGridError, ParseError
from adapters.edge.missed import Missed, catch_up
from adapters.edge.secrets import scrub
from kernel.venue import Inbox, Stream, StreamStatus

PRIVATE_TOPICS = ("order", "execution", "position", "wallet")
TOPICS_A_REQUEST = 10
CLOSE_SECONDS = 0.5
# The longest pause after a connection that stood, however shortly: both streams stay below the venue's 500 in five
# minutes.
FLAPPING_SECONDS = 2.0
OFF_GRID_SECONDS = 60.0
RecentTrades = Callable[[str], Awaitable[list[wire.RecentTrade]]]  # of a symbol, newest first


class StreamError(Exception):
    """A connection that could not be set up or is over."""


class _Kept:
    """What both streams share: one connection at a time, and the answers that it waits for."""

    which: Stream

    def __init__(self, connection: Connection, settings: BybitSettings, url: str, inbox: Inbox) -> None:
        self._connection, self._settings, self._url, self._inbox = connection, settings, url, inbox
        self._answers: dict[str, asyncio.Future[wire.Control]] = {}
        self._number = 0
        self._up_since = 0.0

    async def keep_up(self) -> None:
        """Until cancelled. Raises only what is a fault of ours."""
        first, longest = self._settings.first_pause_seconds, self._settings.longest_pause_seconds
        pause = first
        while True:
            self._up_since = 0.0
            text = await self._live_once()
            self._inbox.stream(self.which, StreamStatus.DOWN, text)
            if self._up_since:  # the venue is there: it is waited for less long
                longest_now = min(longest, FLAPPING_SECONDS)
                pause = min(pause, longest_now)
                if time.monotonic() - self._up_since > pause:
                    pause = first
            else:
                longest_now = longest
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, longest_now)

    async def _live_once(self) -> str:
        """One connection from beginning to end; returns why it ended."""
        client = self._connection.stream(self._url, self.on_text)
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                await _first(client.connect(self._connection.session), client)
                await self.set_up(client)
            self._up_since = time.monotonic()
            self._inbox.stream(self.which, StreamStatus.UP, "connected and subscribed")
            return await self.hear(client)
        except Exception as error:
            if client.failure is not None and not isinstance(client.failure, ParseError):
                raise client.failure from None
            if isinstance(error, (AssertionError, TypeError, AttributeError, KeyError)):
                raise
            secrets = (self._settings.api_key, self._settings.api_secret)
            return scrub(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", secrets)
        finally:
            for answer in self._answers.values():
                answer.cancel()
            self._answers.clear()
            if self._connection.clients.get(self._url) is client:
                del self._connection.clients[self._url]
            # A venue that goes on sending would keep a polite close waiting for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()

    async def set_up(self, client: RawClient) -> None:
        raise NotImplementedError

    async def hear(self, client: RawClient) -> str:
        """Wait for the end of a connection."""
        text = await client.ended
        if client.failure is not None and not isinstance(client.failure, ParseError):
            raise client.failure
        return f"{text}: {client.failure}" if client.failure else text

    def on_text(self, text: str) -> bool:
        raise NotImplementedError

    async def ask(self, client: RawClient, op: str, topics: Sequence[str]) -> None:
        """Subscribe or unsubscribe, and wait for the answers. Raises StreamError."""
        for first in range(0, len(topics), TOPICS_A_REQUEST):
            self._number += 1
            name = f"{op}-{self._number}"
            answer = self._answers[name] = asyncio.get_running_loop().create_future()
            await client.send({"op": op, "req_id": name, "args": list(topics[first : first + TOPICS_A_REQUEST])})
            done, _ = await asyncio.wait({answer, client.ended}, return_when=asyncio.FIRST_COMPLETED)
            self._answers.pop(name, None)
            if answer not in done:
                raise StreamError(client.ended.result())
            if answer.result().success is False:
                raise StreamError(f"{op} was refused: {answer.result().ret_msg}")

    def control(self, text: str) -> bool:
        """An answer about the connection; whether it was one that is waited for here."""
        try:
            message = msgspec.json.decode(text, type=wire.Control)
        except msgspec.MsgspecError:
            raise ParseError(f"not a message: {text[:80]!r}") from None
        answer = self._answers.get(str(message.req_id))
        if answer is None or answer.done():
            return message.op in ("subscribe", "unsubscribe")
        answer.set_result(message)
        return True


class MarketStream(_Kept):
    """The public stream."""

    which = Stream.MARKET

    def __init__(
        self,
        connection: Connection,
        settings: BybitSettings,
        inbox: Inbox,
        parser: MarketParser,
        look_at_rules: Callable[[], None],
        recent_trades: RecentTrades,
    ) -> None:
        super().__init__(connection, settings, settings.public_stream, inbox)
        self._parser = parser
        self._look_at_rules, self._recent_trades = look_at_rules, recent_trades
        self._held: list[str] | None = None  # what comes while older trades are asked for
        self._has_gap = False
        self._again: asyncio.Queue[str] = asyncio.Queue(maxsize=1000)
        self._told_off_grid = 0.0

    async def set_up(self, client: RawClient) -> None:
        self._parser.start_over()
        self._has_gap = False
        while not self._again.empty():
            self._again.get_nowait()
        begun = [trades for trades in self._parser.trades if trades.has_begun]
        self._held = [] if begun else None
        try:
            await self.ask(client, "subscribe", self._parser.topics)
            for trades in begun:
                await catch_up(
                    trades.symbol,
                    self._missed(trades),
                    lambda rows: self._inbox.market(rows, b""),
                    self._inbox,
                    within_s=self._settings.connect_seconds / (2 * len(self._parser.trades)),
                    bound="more than the venue lists",
                )
        finally:
            held, self._held = self._held or [], None
        for text in held:
            self.on_text(text)

    async def _missed(self, trades: Trades) -> Missed:
        return trades.missed(await self._recent_trades(trades.symbol))

    async def hear(self, client: RawClient) -> str:
        mending = asyncio.ensure_future(self._mend(client))
        try:
            return await super().hear(client)
        finally:
            mending.cancel()
            await asyncio.gather(mending, return_exceptions=True)

    async def _mend(self, client: RawClient) -> None:
        """Subscribe again to every book with a gap, one after the other, with a pause that grows."""
        pause = self._settings.first_pause_seconds
        while True:
            topic = await self._again.get()
            try:
                async with asyncio.timeout(self._settings.connect_seconds):
                    await self.ask(client, "unsubscribe", [topic])
                    await self.ask(client, "subscribe", [topic])
            except (TimeoutError, StreamError) as error:
                client.on_error(StreamError(f"{topic} could not be subscribed to again: {error}"))
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._settings.longest_pause_seconds)

    def on_text(self, text: str) -> bool:
        if self._held is not None and text.startswith(START):
            self._held.append(text)
            return True
        try:
            rows = self._parser.parse(text)
        except BookGapError as gap:
            self._has_gap = True
            self._inbox.stream(self.which, StreamStatus.GAP, str(gap))
            self._again.put_nowait(gap.topic)
            return True
        except OffGridError as error:
            self._off_grid(f"{error}: {text[:80]}")
            return True
        if rows is None:
            return self.control(text)
        if rows:
            self._inbox.market(rows, text.encode())
        if self._has_gap and not self._parser.is_waiting():
            self._has_gap = False
            self._inbox.stream(self.which, StreamStatus.UP, "the order books are whole again")
        return True

    def _off_grid(self, text: str) -> None:
        """The message is lost: the price cannot be said in our ticks. Told now and then, with a look at the rules."""
        now = time.monotonic()
        if now - self._told_off_grid > OFF_GRID_SECONDS:
            self._told_off_grid = now
            self._inbox.stream(self.which, StreamStatus.GAP, text)
            self._look_at_rules()


class PrivateStream(_Kept):
    """The account's stream."""

    which = Stream.PRIVATE

    def __init__(self, connection: Connection, settings: BybitSettings, inbox: Inbox, parser: PrivateParser) -> None:
        super().__init__(connection, settings, settings.private_stream, inbox)
        self._parser = parser

    async def set_up(self, client: RawClient) -> None:
        await _first(self._connection.authenticate(self._url), client)
        await self.ask(client, "subscribe", PRIVATE_TOPICS)

    def on_text(self, text: str) -> bool:
        if '"topic"' not in text:
            return self.control(text)
        raw = text.encode()
        try:
            seen, rows = self._parser.parse(raw)
        except OffGridError as error:
            self._inbox.stream(self.which, StreamStatus.GAP, str(error))
            return True
        if rows:
            self._inbox.market(rows, raw)
        if seen:
            self._inbox.private(seen, raw)
        return True


async def _first(step: Awaitable[Any], client: RawClient) -> None:
    """Wait for a step of the set-up, or for the end of the connection."""
    task = asyncio.ensure_future(step)
    try:
        await asyncio.wait({task, client.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StreamError(client.ended.result())
        task.result()
    finally:
        task.cancel()
