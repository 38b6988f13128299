"""Bars and quotes of Alpaca's market data: US equities (v2) and crypto (v1beta3).

Owns how a request is written and an answer read (docs.alpaca.markets, Market Data API). Prices are not adjusted. A
symbol with a slash is crypto; those need no key.
"""

from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec

from adapters.edge.secrets import Secret
from adapters.providers.http import Answer, HttpClient, Key, Settings, ordinary_refusal, said_in, with_defaults
from adapters.providers.shapes import SECOND_NS, Bar, Facts, Limits, Page, ProviderError, Quote, Reason
from adapters.providers.spans import after, inside, interval_parts
from adapters.providers.times import text_ns, utc_text

NAME = "alpaca"
URL = "https://data.alpaca.markets"
LIMITS = Limits(200)
PAGE_BARS = 10_000
KEY_ADVICE = "give the data keys with --key and --secret, or APCA_API_KEY_ID and APCA_API_SECRET_KEY"
_UNITS = {"minute": ("Min", 59), "hour": ("Hour", 23), "day": ("Day", 1)}


class _Bar(msgspec.Struct):
    t: str
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 (the provider's name)
    c: Decimal
    v: Decimal


class _Bars(msgspec.Struct):
    bars: dict[str, list[_Bar]] | None = None
    next_page_token: str | None = None


class _Quote(msgspec.Struct):
    t: str
    bp: Decimal
    bs: Decimal
    ap: Decimal
    as_: Decimal = msgspec.field(name="as")


class _Quotes(msgspec.Struct):
    quotes: dict[str, _Quote]


def timeframe(interval_ns: int) -> str:
    """``5Min``, or nothing for what Alpaca has not."""
    count, unit = interval_parts(interval_ns)
    name, most = _UNITS.get(unit, ("", 0))
    return f"{count}{name}" if 0 < count <= most else ""


def bars_request(
    symbol: str, interval_ns: int, start_ns: int, end_ns: int, token: str, feed: str = ""
) -> tuple[str, dict[str, str]]:
    """Path and parameters for one page. The end that Alpaca takes is inclusive."""
    params = {
        "symbols": symbol, "timeframe": timeframe(interval_ns), "start": utc_text(start_ns),
        "end": utc_text(end_ns - SECOND_NS), "limit": str(PAGE_BARS), "sort": "asc",
    }  # fmt: skip
    if token:
        params["page_token"] = token
    if "/" in symbol:
        return "/v1beta3/crypto/us/bars", params
    params["adjustment"] = "raw"
    return "/v2/stocks/bars", params | ({"feed": feed} if feed else {})


def parse_bars(body: bytes, symbol: str) -> tuple[tuple[Bar, ...], str]:
    """The bars of a page, and the token of the next one or nothing."""
    page = msgspec.json.decode(body, type=_Bars)
    found = (page.bars or {}).get(symbol, [])
    return tuple(Bar(text_ns(bar.t), bar.o, bar.h, bar.l, bar.c, bar.v) for bar in found), page.next_page_token or ""


def parse_quote(body: bytes, symbol: str) -> Quote:
    """The latest quote. A price of zero is none."""
    quote = msgspec.json.decode(body, type=_Quotes).quotes.get(symbol)
    if quote is None:
        raise ProviderError(Reason.UNKNOWN_SYMBOL, f"{NAME}: no quote of {symbol}; is the symbol right?")
    return Quote(
        provider=NAME, symbol=symbol, ts_ns=text_ns(quote.t), bid=quote.bp or None, bid_size=quote.bs,
        ask=quote.ap or None, ask_size=quote.as_,
    )  # fmt: skip


def refusal(answer: Answer) -> ProviderError | None:
    """What an answer that is no data means. Alpaca says 400 or 422 to a symbol that cannot be one."""
    said = said_in(answer.body, "message")
    if answer.status in (400, 422) and "symbol" in said:
        return ProviderError(Reason.UNKNOWN_SYMBOL, f"{NAME}: {said}")
    if answer.status == 403 and "subscription does not permit" in said:
        return ProviderError(Reason.NOT_SERVED, f"{NAME}: {said}: give a --to that is 15 minutes or more ago")
    return ordinary_refusal(NAME, answer, said, KEY_ADVICE)


class Alpaca:
    """Alpaca as a Provider. ``feed`` (sip, iex, ...) empty: what the keys allow."""

    name = NAME

    def __init__(
        self, key: Secret | None = None, secret: Secret | None = None, settings: Settings | None = None, feed: str = ""
    ) -> None:
        settings = with_defaults(settings or Settings(), URL, LIMITS)
        named = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        self._http = HttpClient(NAME, settings, refusal, {name: Key(value) for name, value in named.items() if value})
        self.limits = settings.limits
        self._has_key = bool(key and secret)
        self._feed = feed

    def serves(self, interval_ns: int) -> bool:
        """Minutes to 59, hours to 23, and days."""
        return bool(timeframe(interval_ns))

    async def describe(self, symbol: str) -> Facts:
        """What follows from the symbol."""
        if "/" in symbol:
            return Facts(asset_class="spot", currency=symbol.partition("/")[2], always_open=True)
        return Facts(asset_class="equity", currency="USD", tick_size="0.0001")

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Pages as Alpaca cuts them; see Provider."""
        self._need_key(symbol)
        token, cursor = "", start_ns
        while True:
            path, params = bars_request(symbol, interval_ns, start_ns, end_ns, token, self._feed)
            bars, token = await self._http.get(path, params, lambda body: parse_bars(body, symbol))
            until = end_ns
            if token:
                until = after(bars[-1].ts_open_ns, interval_ns) if bars else cursor
            yield Page(cursor, until, inside(bars, cursor, until), NAME)
            cursor = until
            if not token:
                return

    async def fetch_quote(self, symbol: str) -> Quote:
        """The latest quote."""
        self._need_key(symbol)
        path = "/v1beta3/crypto/us/latest/quotes" if "/" in symbol else "/v2/stocks/quotes/latest"
        params = {"symbols": symbol} | ({"feed": self._feed} if self._feed and "/" not in symbol else {})
        return await self._http.get(path, params, lambda body: parse_quote(body, symbol))

    def _need_key(self, symbol: str) -> None:
        if not self._has_key and "/" not in symbol:
            raise ProviderError(Reason.WRONG_KEY, f"{NAME}: equities need a key; {KEY_ADVICE}")

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()
