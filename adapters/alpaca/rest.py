"""Alpaca's HTTP interface through alpaca-py's clients, in a few threads of their own.

Owns threads, timeouts, pacing, and what is asked again. Knows no orders: it takes functions of a client, gives bytes.

alpaca-py is synchronous, has no timeouts, and asks again by itself on 429 and 504, orders too. Its request method is
overridden in subclasses here, as its broker client overrides others: one request, with timeouts, and the bytes of the
answer instead of JSON read into floats. Reads and orders have threads apart, so that slow reads hold up no order.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from alpaca.common.rest import RESTClient
from alpaca.data.historical.crypto import CryptoHistoricalDataClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.trading.client import TradingClient
from requests.exceptions import RequestException

from adapters.alpaca.errors import NotSent, Refused, is_fatal_read, refused_by
from adapters.alpaca.parse import ParseError
from adapters.alpaca.settings import EQUITY, AlpacaSettings
from adapters.edge.rates import RateLimitError, TokenBucket
from adapters.edge.retry import Backoff, retried
from adapters.edge.secrets import scrub
from kernel.venue import VenueError

ORDER_THREADS, READ_THREADS = 4, 3
ORDER_RESERVE = 0.25  # of the requests of a minute: reads leave it for orders and cancels
CANCEL_RESERVE = 0.1  # orders and changes leave it for cancels: a burst of entries must not hold up a kill switch
ORDER_PATIENCE_S = 0.05
Result = TypeVar("Result")


class Bytes(RESTClient):
    """One request for one call, with timeouts; answers are their bytes. Mixed into alpaca-py's clients."""

    timeouts: tuple[float, float] = (5.0, 10.0)

    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> bytes:  # type: ignore[override]
        with self._session.request(method, url, timeout=self.timeouts, **opts) as response:
            if not 200 <= response.status_code < 300:
                raise refused_by(response.status_code, response.content, dict(response.headers))
            return response.content


class TradingBytes(Bytes, TradingClient):
    """Orders and the account."""


class StockBytes(Bytes, StockHistoricalDataClient):
    """Bars and last trades of shares."""


class CryptoBytes(Bytes, CryptoHistoricalDataClient):
    """Bars of pairs."""


class Rest:
    """The clients of one account and the threads they run in."""

    def __init__(self, settings: AlpacaSettings) -> None:
        self._settings = settings
        key, secret = settings.api_key.reveal(), settings.api_secret.reveal()
        timeouts = (settings.connect_timeout_s, settings.read_timeout_s)
        is_paper = settings.environment == "paper"
        self.trading = TradingBytes(key, secret, paper=is_paper, raw_data=True, url_override=settings.trading)
        kind = StockBytes if settings.asset_class == EQUITY else CryptoBytes
        self.data = kind(key, secret, raw_data=True, url_override=settings.data)
        self.trading.timeouts = self.data.timeouts = timeouts
        self._orders = ThreadPoolExecutor(ORDER_THREADS, "alpaca-orders")
        self._reads = ThreadPoolExecutor(READ_THREADS, "alpaca-reads")
        self._waiting = 0
        self._is_closed = False
        self._pace = TokenBucket(settings.requests_per_minute, 60.0)
        self._order_reserve = int(settings.requests_per_minute * ORDER_RESERVE)
        self._cancel_reserve = int(settings.requests_per_minute * CANCEL_RESERVE)
        self._backoff = Backoff(
            attempts=settings.reads_retried + 1,
            first_seconds=settings.first_pause_s,
            cap_seconds=settings.longest_pause_s,
            deadline_seconds=settings.read_deadline_s,
        )

    async def send(self, ask: Callable[[TradingBytes], Any], *, is_cancel: bool = False) -> bytes:
        """Ask once. Raises Refused, NotSent, or whatever the connection did."""
        try:
            # An order does not wait for its turn: by then it would be another order.
            await self._turn(0 if is_cancel else self._cancel_reserve, time.monotonic() + ORDER_PATIENCE_S)
        except RateLimitError as error:
            raise NotSent("the limit of requests is reached", error.wait_seconds) from None
        try:
            return await self._in_thread(self._orders, lambda: ask(self.trading))
        except Refused as refused:
            self._heed(refused)
            raise

    async def read(self, what: str, ask: Callable[[], Any], parse: Callable[[bytes], Result]) -> Result:
        """Ask until there is an answer that can be read: a bounded number of times, with growing pauses, in time.

        Raises VenueError; Refused for a refusal that asking again will not change.
        """

        async def once(deadline: float) -> Result:
            await self._turn(self._order_reserve, deadline)
            return parse(await self._in_thread(self._reads, ask))

        try:
            return await retried(once, self._pause_of, self._backoff)
        except Refused as refused:
            if is_fatal_read(refused):
                raise
            last = str(refused)
        except (RequestException, ParseError, NotSent, TimeoutError, RateLimitError) as error:
            last = str(error) if isinstance(error, (ParseError, RateLimitError)) else type(error).__name__
        raise VenueError(self.clean(f"alpaca: {what}: {last}; try again later"))

    async def _turn(self, reserve: int, deadline: float) -> None:
        """Wait for a request that leaves the reserve. Raises RateLimitError when there is none by the deadline."""
        while (wait := self._pace.wait_seconds(1 + reserve)) > 0:
            if time.monotonic() + wait > deadline:
                raise RateLimitError(wait)
            await asyncio.sleep(wait)
        await self._pace.take(deadline=deadline)

    def _pause_of(self, error: Exception) -> float | None:
        """How long to wait before a read is asked again; None when that will not help."""
        if isinstance(error, Refused):
            self._heed(error)
            return None if is_fatal_read(error) else error.retry_after_ns / 1e9
        return 0.0 if isinstance(error, (RequestException, ParseError, NotSent, TimeoutError)) else None

    def _heed(self, refused: Refused) -> None:
        """Too many requests: nothing goes for as long as the venue says."""
        if refused.status == 429:
            self._pace.pause(max(refused.retry_after_ns / 1e9, self._settings.first_pause_s))

    def clean(self, text: str) -> str:
        """``text`` without the keys."""
        return scrub(text, (self._settings.api_key, self._settings.api_secret))

    async def _in_thread(self, threads: ThreadPoolExecutor, ask: Callable[[], Any]) -> bytes:
        """Run in a thread, not waiting for longer than an answer may take. What starts too late is not sent at all."""
        if self._waiting >= self._settings.maximum_waiting:
            raise NotSent(f"{self._waiting} requests are waiting already")
        if self._is_closed:
            raise NotSent("the adapter is closed")
        starts_until = time.monotonic() + self._settings.connect_timeout_s

        def call() -> bytes:
            if time.monotonic() > starts_until:
                raise NotSent("no thread was free in time")
            answer = ask()
            return answer if isinstance(answer, bytes) else b""

        self._waiting += 1
        try:
            # Not wait_for: before Python 3.12 it can swallow a cancellation, and the adapter would never stop.
            async with asyncio.timeout(self._settings.connect_timeout_s + self._settings.answer_timeout_s):
                return await asyncio.get_running_loop().run_in_executor(threads, call)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Give up the threads; what runs ends by its own timeouts."""
        self._is_closed = True
        self._orders.shutdown(wait=False, cancel_futures=True)
        self._reads.shutdown(wait=False, cancel_futures=True)
