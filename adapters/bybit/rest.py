"""Requests to Bybit: each is answered, or fails with what is known of it. Reads are tried again, the rest never is."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import ccxt
import msgspec

from adapters.bybit import wire
from adapters.bybit.connection import CALL, Connection
from adapters.bybit.errors import CLOCK_CODES, Call, Means, outcome_for, row_for, text_of
from adapters.bybit.parse import decoded
from adapters.bybit.settings import BybitSettings
from adapters.bybit.units import ParseError
from adapters.edge.retry import Backoff, retried
from adapters.edge.secrets import scrub
from kernel.venue import Outcome, VenueError

T = TypeVar("T")
MAXIMUM_PAGES = 200


class FailedError(Exception):
    """A request that was not answered as it should be."""

    def __init__(self, call: Call, error: Exception | None) -> None:
        super().__init__(text_of(call, error))
        self.call, self.error = call, error


class Answered(msgspec.Struct):
    """A good answer: its result, the venue's time, and its text."""

    result: msgspec.Raw
    time_ms: int
    raw: bytes


class Rest:
    """The REST interface of one account. Orders have a client of their own: they never wait for the limit of reads."""

    def __init__(self, reads: Connection, orders: Connection, settings: BybitSettings) -> None:
        self._reads, self._orders = reads, orders
        self._secrets = (settings.api_key, settings.api_secret)
        self._seconds = settings.request_seconds
        self._backoff = Backoff(
            attempts=settings.read_attempts,
            first_seconds=settings.first_pause_seconds,
            cap_seconds=settings.longest_pause_seconds,
            deadline_seconds=settings.read_deadline_seconds,
        )

    async def once(self, connection: Connection, method: str, params: dict[str, Any]) -> Answered:
        """One request by ccxt's name of its endpoint. Raises FailedError."""
        call = Call()
        CALL.set(call)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await getattr(connection, method)(params)
        except TimeoutError:
            raise FailedError(call, ccxt.RequestTimeout("no answer in time")) from None
        except (ccxt.BaseError, ValueError, OSError) as error:
            raise FailedError(call, error) from None
        if not isinstance(answer, dict) or call.code != 0:
            raise FailedError(call, None)
        return Answered(answer["result"], answer["time"], answer["text"].encode())

    async def compare_clocks(self) -> int:
        """The venue's clock. Requests are signed with it from now on, by the middle of this round trip."""
        before = time.time_ns()
        answer, _ = await self.read("public_get_v5_market_time", {}, wire.VenueTime)
        middle = (before + time.time_ns()) // 2
        venue_ns = int(answer.time_nano)
        for connection in (self._reads, self._orders):
            connection.options["timeDifference"] = (middle - venue_ns) // 1_000_000
        return venue_ns

    async def _mind_clock(self, failed: FailedError) -> None:
        """Compare the clocks again when the venue found a time wrong."""
        if failed.call.code in CLOCK_CODES:
            with contextlib.suppress(VenueError):  # the next request will say the same again
                await self.compare_clocks()

    async def submit(self, method: str, params: dict[str, Any]) -> wire.Placed | Outcome:
        """A request that changes something: what the venue answered, or what became of it."""
        try:
            answer = await self.once(self._orders, method, params)
            return cast(wire.Placed, decoded(answer.result, wire.Placed))
        except FailedError as failed:
            await self._mind_clock(failed)
            outcome = outcome_for(failed.call, failed.error)
            return msgspec.structs.replace(outcome, text=scrub(outcome.text, self._secrets))
        except ParseError:
            return outcome_for(Call(sent=True, status=200, code=0), None)

    async def read(self, method: str, params: dict[str, Any], kind: type[T]) -> tuple[T, Answered]:
        """A question: the result as ``kind``. Tried again a bounded number of times; raises VenueError."""

        async def ask(deadline: float) -> tuple[T, Answered]:
            try:
                answer = await self.once(self._reads, method, params)
            except FailedError as failed:
                await self._mind_clock(failed)
                raise
            return cast(T, decoded(answer.result, kind)), answer

        try:
            return await retried(ask, _pause_of, self._backoff)
        except (FailedError, ParseError) as error:
            is_fatal = isinstance(error, FailedError) and row_for(error.call, error.error).is_fatal
            raise VenueError(scrub(f"{_asked(method)}: {error}", self._secrets), is_fatal=is_fatal) from None

    async def pages(self, method: str, params: dict[str, Any], kind: type[T]) -> list[T]:
        """All things of a list, page by page, in the venue's order. Raises VenueError."""
        found: list[T] = []
        cursor = ""
        for _ in range(MAXIMUM_PAGES):
            asked = {**params, "cursor": cursor} if cursor else params
            page, _answer = await self.read(method, asked, wire.Answer)
            try:
                things = cast(list[T], decoded(page.list, list[kind]))  # type: ignore[valid-type]
            except ParseError as error:
                raise VenueError(f"{_asked(method)}: {error}") from None
            found += things
            if not things or not page.next_page_cursor or page.next_page_cursor == cursor:
                return found
            cursor = page.next_page_cursor
        raise VenueError(f"{_asked(method)}: more than {MAXIMUM_PAGES} pages; ask for a shorter time")


def _pause_of(error: Exception) -> float | None:
    """How long to wait before a read is tried again; None for what will not pass."""
    if isinstance(error, FailedError):
        row = row_for(error.call, error.error)
        if row.is_fatal:
            return None
        if row.means is Means.LATER:
            return min(row.pause_ns / 1e9, 5.0)
        return 0.0
    return 0.0 if isinstance(error, ParseError) else None


def _asked(method: str) -> str:
    """ccxt's name of an endpoint as its path."""
    _, verb, path = method.split("_", 2)
    return f"Bybit {verb.upper()} /{path.replace('_', '/')}"


def shown(parse: Callable[..., T], *arguments: object) -> T:
    """What a parser makes of something; VenueError when it cannot."""
    try:
        return parse(*arguments)
    except (KeyError, ValueError) as error:
        raise VenueError(f"Bybit: {error}; were its rules changed? Start again to load them") from None
