"""Bars, quotes and instrument facts of any exchange that ccxt knows: ``bybit``, ``binance``, ``kraken``, ...

Owns how ccxt is asked. Its own rate limiter is on, its numbers are text (so nothing passes through a float of ours),
and it reaches another place by its ordinary ``urls`` setting. A symbol is ccxt's (``BTC/USDT:USDT``) or the exchange's
own (``BTCUSDT``); where that names several markets, ccxt's default type chooses, and the choice is told.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import msgspec

from adapters.edge.secrets import Secret, scrub
from adapters.providers.guard import Guard
from adapters.providers.http import Settings, check_url, first_line, retry_after_seconds
from adapters.providers.shapes import Bar, Facts, Limits, Page, ProviderError, Quote, Reason
from adapters.providers.spans import inside, interval_text, windows
from kernel.naming import near_name

T = TypeVar("T")
MILLISECOND_NS = 10**6
PAGE_BARS = 500  # where ccxt does not say how many an exchange gives at once
# What an exchange needs to be told before it lists its markets: options alone are many requests at Bybit.
_OPTIONS: dict[str, dict[str, Any]] = {"bybit": {"fetchMarkets": {"types": ["spot", "linear", "inverse"]}}}
# From ccxt's classes to ours; the first that fits, so what is special stands above what is general.
ERRORS: tuple[tuple[type[Exception], Reason], ...] = (
    (ccxt.BadSymbol, Reason.UNKNOWN_SYMBOL),
    (ccxt.AuthenticationError, Reason.WRONG_KEY),
    (ccxt.NotSupported, Reason.NOT_SERVED),
    (ccxt.RateLimitExceeded, Reason.RATE_LIMITED),
    (ccxt.DDoSProtection, Reason.RATE_LIMITED),
    (ccxt.OnMaintenance, Reason.UNAVAILABLE),
    (ccxt.NetworkError, Reason.UNAVAILABLE),
    (ccxt.BadResponse, Reason.BAD_ANSWER),
    (ccxt.BaseError, Reason.REFUSED),
    (OSError, Reason.UNAVAILABLE),
    (TimeoutError, Reason.UNAVAILABLE),
    # A broken body reaches us as whatever ccxt's own code trips over: ccxt is not strict about what it reads.
    (ValueError, Reason.BAD_ANSWER),
    (TypeError, Reason.BAD_ANSWER),
    (LookupError, Reason.BAD_ANSWER),
    (ArithmeticError, Reason.BAD_ANSWER),
    (AttributeError, Reason.BAD_ANSWER),
)


def as_provider_error(name: str, error: Exception, secrets: tuple[Secret, ...] = ()) -> ProviderError:
    """ccxt's error as ours, in one line without keys. Raises what is none of ERRORS: a bug."""
    reason = next((reason for kind, reason in ERRORS if isinstance(error, kind)), None)
    if reason is None:
        raise error
    said = scrub(first_line(error), secrets)
    said = said.removeprefix(f"{name} ")
    return ProviderError(reason, f"{name}: {reason.value[0]}: {said}")


def moved(urls: Any, base_url: str) -> Any:
    """ccxt's table of URLs with every host replaced by ``base_url``, paths kept."""
    if isinstance(urls, dict):
        return {key: moved(value, base_url) for key, value in urls.items()}
    if isinstance(urls, str):
        return base_url.rstrip("/") + urlsplit(urls).path
    return urls


def parse_rows(rows: list[list[Any]]) -> tuple[Bar, ...]:
    """ccxt's OHLCV rows with numbers as text. Raises ValueError or ArithmeticError for what is none."""
    return tuple(
        Bar(
            int(row[0]) * MILLISECOND_NS, Decimal(row[1]), Decimal(row[2]), Decimal(row[3]), Decimal(row[4]),
            Decimal(row[5]) if row[5] is not None else None,
        )
        for row in rows
    )  # fmt: skip


def parse_book(book: dict[str, Any], provider: str, symbol: str) -> Quote:
    """The best prices of ccxt's order book."""
    bid, ask = (book[side][0] if book[side] else [None, None] for side in ("bids", "asks"))
    numbers = [None if value is None else Decimal(str(value)) for value in (*bid[:2], *ask[:2])]
    return Quote(
        provider=provider, symbol=symbol, ts_ns=int(book.get("timestamp") or 0) * MILLISECOND_NS, bid=numbers[0],
        bid_size=numbers[1], ask=numbers[2], ask_size=numbers[3],
    )  # fmt: skip


def facts_of(market: dict[str, Any], is_tick_size: bool) -> Facts:
    """What a ccxt market says of an instrument. Steps that are no plain sizes are left out."""
    kinds = {"spot": "spot", "swap": "perpetual", "future": "future"}
    precision = market.get("precision") or {}
    steps = [str(precision.get(name) or "") if is_tick_size else "" for name in ("price", "amount")]
    size = market.get("contractSize") if market.get("contract") else None
    return Facts(
        tick_size=steps[0], lot_size=steps[1], currency=market.get("settle") or market.get("quote") or "",
        multiplier=str(size or ""), asset_class=kinds.get(market.get("type") or "", ""), always_open=True,
    )  # fmt: skip


class Exchange:
    """An exchange of ccxt as a Provider. Raises ProviderError (NOT_SERVED) for a name that ccxt does not know."""

    limits: Limits | None = None

    def __init__(
        self, name: str, key: Secret | None = None, secret: Secret | None = None, settings: Settings | None = None
    ) -> None:
        if name not in ccxt.exchanges:
            hint = near_name(name, ccxt.exchanges, "see kernel data providers")
            raise ProviderError(Reason.NOT_SERVED, f"no provider {name!r}; {hint}")
        settings = settings or Settings()
        self.name = name
        self._tell = settings.tell
        self._secrets = tuple(part for part in (key, secret) if part)
        self._guard = Guard(name, settings.limits, settings.backoff, tell=settings.tell)
        self._ccxt = _client(name, settings, key, secret)

    def serves(self, interval_ns: int) -> bool:
        """What the exchange lists. Some list none, and are asked."""
        timeframes = self._ccxt.timeframes
        return not timeframes or interval_text(interval_ns) in timeframes

    async def describe(self, symbol: str) -> Facts:
        """The exchange's own facts: tick, lot, contract."""
        market = await self._market(symbol)
        facts = facts_of(market, self._ccxt.precisionMode == ccxt.TICK_SIZE)
        others = [other["symbol"] for other in self._ccxt.markets_by_id.get(symbol, []) if other is not market]
        if symbol == market["symbol"] or not others:
            return facts
        note = f"{symbol} is taken as {market['symbol']} ({facts.asset_class}); {', '.join(others)} has the same name"
        return Facts(
            **{field: getattr(facts, field) for field in facts.__struct_fields__ if field != "note"}, note=note
        )

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """A page for each window; see Provider."""
        market = (await self._market(symbol))["symbol"]
        count = int(self._ccxt.feature_value(market, "fetchOHLCV", "limit", PAGE_BARS) or PAGE_BARS)
        for first, until in windows(start_ns, end_ns, count * interval_ns):
            page = partial(self._page, market, interval_ns, first, until, count)
            yield Page(first, until, inside(await self._ask(page), first, until), self.name)

    async def _page(self, market: str, interval_ns: int, start_ns: int, end_ns: int, count: int) -> tuple[Bar, ...]:
        since, until = -(-start_ns // MILLISECOND_NS), (end_ns - 1) // MILLISECOND_NS
        timeframe = interval_text(interval_ns)
        return parse_rows(await self._ccxt.fetch_ohlcv(market, timeframe, since, count, {"until": until}))

    async def fetch_quote(self, symbol: str) -> Quote:
        """The best bid and ask of the order book."""
        market = (await self._market(symbol))["symbol"]

        async def attempt() -> Quote:
            return parse_book(await self._ccxt.fetch_order_book(market, 1), self.name, symbol)

        return await self._ask(attempt)

    async def _market(self, symbol: str) -> dict[str, Any]:
        async def attempt() -> dict[str, Any]:
            await self._ccxt.load_markets()
            market: dict[str, Any] = self._ccxt.market(symbol)
            return market

        try:
            return await self._ask(attempt)
        except ProviderError as error:
            if error.reason is not Reason.UNKNOWN_SYMBOL:
                raise
            known = [*self._ccxt.symbols, *self._ccxt.markets_by_id]
            hint = near_name(symbol, known, "its symbols are such as BTC/USDT (spot) or BTC/USDT:USDT (perpetual)")
            raise ProviderError(error.reason, f"{self.name}: no symbol {symbol!r}; {hint}") from None

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        async def attempt() -> T:
            try:
                return await call()
            except Exception as error:
                found = as_provider_error(self.name, error, self._secrets)
                if found.reason is Reason.RATE_LIMITED:
                    told = (self._ccxt.last_response_headers or {}).get("Retry-After", "")
                    found.retry_after_seconds = retry_after_seconds(told, time.time())
                raise found from None

        return await self._guard.run(attempt)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._ccxt.close()


class _Strict:
    """Before an exchange's class: what is no answer to a read is an error, whatever that class would make of it.

    ccxt takes an answer that was cut off for one without rows, which here would become a stretch without trades; and
    some of its exchanges take a 429 or a 500 with a body of JSON for a refusal of the request itself.
    """

    # ccxt logs requests with their headers, and with them a key, at the level of debugging. This one has no handlers.
    logger = logging.Logger("ccxt", logging.WARNING)

    def on_rest_response(
        self, code: int, reason: str, url: str, method: str, headers: dict[str, str], *rest: Any
    ) -> str:
        body: str = super().on_rest_response(code, reason, url, method, headers, *rest)  # type: ignore[misc]
        self.last_response_headers = headers
        if code in (418, 429):
            raise ccxt.RateLimitExceeded(f"HTTP {code}")
        if code >= 500:
            raise ccxt.ExchangeNotAvailable(f"HTTP {code}")
        if 200 <= code < 300:
            try:
                msgspec.json.decode(body)
            except msgspec.MsgspecError as error:
                raise ccxt.BadResponse(f"an answer that is not JSON: {error}") from None
        return body


def _client(name: str, settings: Settings, key: Secret | None, secret: Secret | None) -> Any:
    """The ccxt exchange with our settings."""
    config: dict[str, Any] = {
        "enableRateLimit": True, "timeout": int(settings.timeout_seconds * 1000), "options": _OPTIONS.get(name, {}),
    }  # fmt: skip
    if key:
        config["apiKey"] = key.reveal()
    if secret:
        config["secret"] = secret.reveal()
    if settings.base_url:
        check_url(name, settings.base_url)
        config["urls"] = {"api": moved(getattr(ccxt, name)().urls["api"], settings.base_url)}
    client = type(name, (_Strict, getattr(ccxt, name)), {})(config)
    client.number = str  # text for every number that it parses
    return client
