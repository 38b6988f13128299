"""Bars and quotes of MarketData.app: stock candles and stock quotes.

Owns how a request is written and an answer read (marketdata.app/docs/api). Prices are not adjusted. An answer is a set
of columns; having no data is told with status 404.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from urllib.parse import quote

import msgspec

from adapters.edge.secrets import Secret
from adapters.providers.http import Answer, HttpClient, Key, Settings, ordinary_refusal, said_in, with_defaults
from adapters.providers.shapes import DAY_NS, SECOND_NS, Bar, Facts, Limits, Page, ProviderError, Quote, Reason
from adapters.providers.spans import inside, interval_parts, windows

NAME = "marketdata"
URL = "https://api.marketdata.app"
LIMITS = Limits(100)
PAGE_BARS = 10_000
INTRADAY_SPAN_NS = 364 * DAY_NS  # it gives at most a year of them at once
KEY_ADVICE = "give the token with --key, or MARKETDATA_TOKEN"
_UNITS = {"minute": "", "hour": "H", "day": "D"}
_DATA_STATUSES = (200, 203)  # 203: of its cache


class _Candles(msgspec.Struct):
    s: str
    t: list[int] = []
    o: list[Decimal] = []
    h: list[Decimal] = []
    l: list[Decimal] = []  # noqa: E741 (the provider's name)
    c: list[Decimal] = []
    v: list[Decimal | None] = []


class _Quotes(msgspec.Struct):
    updated: list[int]
    bid: list[Decimal | None] = msgspec.field(default_factory=lambda: [None])
    bidSize: list[Decimal | None] = msgspec.field(default_factory=lambda: [None])  # noqa: N815
    ask: list[Decimal | None] = msgspec.field(default_factory=lambda: [None])
    askSize: list[Decimal | None] = msgspec.field(default_factory=lambda: [None])  # noqa: N815
    last: list[Decimal | None] = msgspec.field(default_factory=lambda: [None])


def resolution(interval_ns: int) -> str:
    """``5``, ``1H`` or ``1D``; nothing for what is no number of minutes, hours or days."""
    count, unit = interval_parts(interval_ns)
    return f"{count}{_UNITS[unit]}" if count else ""


def bars_request(symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> tuple[str, dict[str, str]]:
    """Path and parameters of a window. Both ends are inclusive."""
    path = f"/v1/stocks/candles/{resolution(interval_ns)}/{quote(symbol, safe='')}/"
    first, last = -(-start_ns // SECOND_NS), (end_ns - 1) // SECOND_NS
    return path, {"from": str(first), "to": str(last), "dateformat": "unix", "adjustsplits": "false"}


def parse_bars(body: bytes) -> tuple[Bar, ...]:
    """The bars of an answer; none when it says that there are none. Raises ValueError for columns of unequal length."""
    candles = msgspec.json.decode(body, type=_Candles)
    if candles.s == "no_data":
        return ()
    volumes = candles.v or [None] * len(candles.t)
    columns = (candles.t, candles.o, candles.h, candles.l, candles.c, volumes)
    return tuple(Bar(t * SECOND_NS, o, h, low, c, v) for t, o, h, low, c, v in zip(*columns, strict=True))


def parse_quote(body: bytes, symbol: str) -> Quote:
    """The latest quote. Raises ValueError when there is none in it."""
    seen = msgspec.json.decode(body, type=_Quotes)
    if not all((seen.updated, seen.bid, seen.bidSize, seen.ask, seen.askSize, seen.last)):
        raise ValueError("a quote without values")
    return Quote(
        provider=NAME, symbol=symbol, ts_ns=seen.updated[0] * SECOND_NS, bid=seen.bid[0], bid_size=seen.bidSize[0],
        ask=seen.ask[0], ask_size=seen.askSize[0], last=seen.last[0],
    )  # fmt: skip


def refusal(answer: Answer) -> ProviderError | None:
    """What an answer that is no data means."""
    if answer.status in _DATA_STATUSES or (answer.status == 404 and said_in(answer.body, "s") == "no_data"):
        return None
    said = said_in(answer.body, "errmsg")
    if answer.status == 402:
        return ProviderError(Reason.NOT_SERVED, f"{NAME}: not in this plan: {said}")
    if answer.status == 400 and "symbol" in said.lower():
        return ProviderError(Reason.UNKNOWN_SYMBOL, f"{NAME}: {said}")
    return ordinary_refusal(NAME, answer, said, KEY_ADVICE)


class MarketData:
    """MarketData.app as a Provider."""

    name = NAME

    def __init__(self, key: Secret | None = None, settings: Settings | None = None) -> None:
        settings = with_defaults(settings or Settings(), URL, LIMITS)
        keys = {"Authorization": Key(key, "Bearer ")} if key else {}
        self._http = HttpClient(NAME, settings, refusal, keys)
        self._has_key = bool(key)
        self.limits = settings.limits

    def serves(self, interval_ns: int) -> bool:
        """Any number of minutes, hours or days."""
        return bool(resolution(interval_ns))

    async def describe(self, symbol: str) -> Facts:
        """It has US equities only."""
        return Facts(asset_class="equity", currency="USD", tick_size="0.0001")

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """A page for each window; see Provider."""
        self._need_key()
        length_ns = PAGE_BARS * interval_ns
        for first, until in windows(start_ns, end_ns, min(length_ns, INTRADAY_SPAN_NS)):
            path, params = bars_request(symbol, interval_ns, first, until)
            bars = await self._http.get(path, params, parse_bars)
            yield Page(first, until, inside(bars, first, until), NAME)

    async def fetch_quote(self, symbol: str) -> Quote:
        """The latest quote."""
        self._need_key()
        path = f"/v1/stocks/quotes/{quote(symbol, safe='')}/"
        return await self._http.get(path, {"dateformat": "unix"}, lambda body: parse_quote(body, symbol))

    def _need_key(self) -> None:
        if not self._has_key:
            raise ProviderError(Reason.WRONG_KEY, f"{NAME}: needs a token; {KEY_ADVICE}")

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()
