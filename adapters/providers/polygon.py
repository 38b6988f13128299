"""Bars and quotes of Polygon (now also Massive): aggregates v2 and the last NBBO.

Owns how a request is written and an answer read (polygon.io/docs, Aggregates). Prices are not adjusted. Symbols are
Polygon's: ``AAPL``, ``X:BTCUSD``, ``C:EURUSD``.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from adapters.edge.secrets import Secret
from adapters.providers.http import Answer, HttpClient, Key, Settings, ordinary_refusal, said_in, with_defaults
from adapters.providers.shapes import Bar, Facts, Limits, Page, ProviderError, Quote, Reason
from adapters.providers.spans import after, inside, interval_parts

NAME = "polygon"
URL = "https://api.polygon.io"
LIMITS = Limits(5)
PAGE_BARS = 50_000
KEY_ADVICE = "give the key with --key, or POLYGON_API_KEY"
MILLISECOND_NS = 10**6
_MAXIMUM_PAGES = 100_000


class _Bar(msgspec.Struct):
    t: int
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 (the provider's name)
    c: Decimal
    v: Decimal


class _Bars(msgspec.Struct):
    results: list[_Bar] | None = None
    next_url: str = ""


class _Quote(msgspec.Struct):
    """Capitals are the ask, small letters the bid; ``t`` is in nanoseconds."""

    t: int
    p: Decimal | None = None
    s: Decimal | None = None
    ask: Decimal | None = msgspec.field(name="P", default=None)
    ask_size: Decimal | None = msgspec.field(name="S", default=None)


class _LastQuote(msgspec.Struct):
    results: _Quote


def bars_request(symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> tuple[str, dict[str, str]]:
    """Path and parameters of the first page. Both ends are inclusive at Polygon."""
    count, unit = interval_parts(interval_ns)
    span = f"{-(-start_ns // MILLISECOND_NS)}/{(end_ns - 1) // MILLISECOND_NS}"
    path = f"/v2/aggs/ticker/{quote(symbol, safe='')}/range/{count}/{unit}/{span}"
    return path, {"adjusted": "false", "sort": "asc", "limit": str(PAGE_BARS)}


def next_request(next_url: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of a following page: of its URL without its host, which must not choose who gets the key."""
    parts = urlsplit(next_url)
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items() if name != "apiKey"}


def parse_bars(body: bytes) -> tuple[tuple[Bar, ...], str]:
    """The bars of a page, and the URL of the next one or nothing."""
    page = msgspec.json.decode(body, type=_Bars)
    bars = (Bar(bar.t * MILLISECOND_NS, bar.o, bar.h, bar.l, bar.c, bar.v) for bar in page.results or ())
    return tuple(bars), page.next_url


def parse_quote(body: bytes, symbol: str) -> Quote:
    """The last quote of all exchanges."""
    seen = msgspec.json.decode(body, type=_LastQuote).results
    return Quote(
        provider=NAME, symbol=symbol, ts_ns=seen.t, bid=seen.p, bid_size=seen.s, ask=seen.ask, ask_size=seen.ask_size
    )


def refusal(answer: Answer) -> ProviderError | None:
    """What an answer that is no data means."""
    return ordinary_refusal(NAME, answer, said_in(answer.body, "error", "message"), KEY_ADVICE)


class Polygon:
    """Polygon as a Provider."""

    name = NAME

    def __init__(self, key: Secret | None = None, settings: Settings | None = None) -> None:
        settings = with_defaults(settings or Settings(), URL, LIMITS)
        keys = {"Authorization": Key(key, "Bearer ")} if key else {}
        self._http = HttpClient(NAME, settings, refusal, keys)
        self._has_key = bool(key)
        self.limits = settings.limits

    def serves(self, interval_ns: int) -> bool:
        """Any number of minutes, hours or days."""
        return interval_parts(interval_ns)[0] > 0

    async def describe(self, symbol: str) -> Facts:
        """What follows from the symbol's prefix."""
        if symbol.startswith("X:"):
            return Facts(asset_class="spot", always_open=True)
        if symbol.startswith("C:"):
            return Facts(asset_class="fx", currency=symbol[-3:])
        return Facts(asset_class="equity", currency="USD", tick_size="0.0001")

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages as Polygon cuts them; see Provider."""
        self._need_key()
        path, params = bars_request(symbol, interval_ns, start_ns, end_ns)
        cursor = start_ns
        for _ in range(_MAXIMUM_PAGES):
            bars, next_url = await self._http.get(path, params, parse_bars)
            until = end_ns
            if next_url:
                until = after(bars[-1].ts_open_ns, interval_ns) if bars else cursor
            yield Page(cursor, until, inside(bars, cursor, until), NAME)
            cursor = until
            if not next_url:
                return
            path, params = next_request(next_url)
        raise ProviderError(Reason.BAD_ANSWER, f"{NAME}: {_MAXIMUM_PAGES:,} pages and still no last one")

    async def fetch_quote(self, symbol: str) -> Quote:
        """The last quote."""
        self._need_key()
        path = f"/v2/last/nbbo/{quote(symbol, safe='')}"
        return await self._http.get(path, {}, lambda body: parse_quote(body, symbol))

    def _need_key(self) -> None:
        if not self._has_key:
            raise ProviderError(Reason.WRONG_KEY, f"{NAME}: needs a key; {KEY_ADVICE}")

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()
