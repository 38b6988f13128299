"""Bars and prices of Yahoo Finance, by the chart endpoint that the package yfinance uses.

Owns how a request is written and an answer read. Yahoo documents none of this. Its prices are 32-bit floats written
with the digits of 64-bit ones (107.91000366210938), so the shortest decimal of the 32-bit float is what is meant
(107.91). They are adjusted for splits, and there is no way to have them otherwise.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from urllib.parse import quote

import msgspec
import numpy as np

from adapters.providers.http import Answer, HttpClient, Settings, ordinary_refusal, with_defaults
from adapters.providers.shapes import (
    DAY_NS,
    HOUR_NS,
    SECOND_NS,
    Bar,
    Facts,
    Limits,
    Page,
    ProviderError,
    Quote,
    Reason,
)
from adapters.providers.spans import inside, interval_text, windows

NAME = "yfinance"
URL = "https://query1.finance.yahoo.com"
LIMITS = Limits(60)  # Yahoo states none; this has been quiet enough
# How much it gives at once.
_WINDOWS_NS = {
    "1m": 7 * DAY_NS, "2m": 59 * DAY_NS, "5m": 59 * DAY_NS, "15m": 59 * DAY_NS, "30m": 59 * DAY_NS,
    "1h": 700 * DAY_NS, "1d": 10_000 * DAY_NS,
}  # fmt: skip
_HEADERS = {"User-Agent": "Mozilla/5.0"}  # without one it answers 429
_ASSET_CLASSES = {"CRYPTOCURRENCY": "spot", "CURRENCY": "fx", "FUTURE": "future"}
_NEAR = 1e-13


class _Meta(msgspec.Struct, rename="camel"):
    currency: str | None = None
    instrument_type: str | None = None
    regular_market_time: int = 0
    regular_market_price: Decimal | None = None


class _Columns(msgspec.Struct):
    open: list[Decimal | None] = []
    high: list[Decimal | None] = []
    low: list[Decimal | None] = []
    close: list[Decimal | None] = []
    volume: list[Decimal | None] = []


class _Indicators(msgspec.Struct):
    quote: list[_Columns]


class _Result(msgspec.Struct):
    meta: _Meta
    indicators: _Indicators
    timestamp: list[int] = []


class _Error(msgspec.Struct):
    code: str = ""
    description: str = ""


class _Chart(msgspec.Struct):
    result: list[_Result] | None = None
    error: _Error | None = None


class _Body(msgspec.Struct):
    chart: _Chart


def bars_request(symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> tuple[str, dict[str, str]]:
    """Path and parameters of a window. The end is exclusive."""
    params = {
        "period1": str(-(-start_ns // SECOND_NS)), "period2": str(-(-end_ns // SECOND_NS)),
        "interval": interval_text(interval_ns), "includePrePost": "false", "events": "",
    }  # fmt: skip
    return f"/v8/finance/chart/{quote(symbol, safe='')}", params


def meant(text: Decimal) -> Decimal:
    """The decimal that a widened 32-bit float stands for; the number itself when it is none."""
    number = float(text)
    with np.errstate(over="ignore"):
        narrow = np.float32(number)
    if not np.isfinite(narrow) or abs(float(narrow) - number) > _NEAR * abs(number):
        return text
    return Decimal(np.format_float_positional(narrow, unique=True, trim="-"))


def parse_bars(body: bytes) -> tuple[Bar, ...]:
    """The bars of an answer, without those that have no prices and the one that is still being made."""
    result = _result(body)
    if not result.timestamp:
        return ()
    columns = result.indicators.quote[0]
    rows = zip(
        result.timestamp, columns.open, columns.high, columns.low, columns.close, columns.volume, strict=True
    )  # fmt: skip
    bars = []
    for seconds, opened, high, low, close, volume in rows:
        of_now = seconds == result.meta.regular_market_time
        if opened is None or high is None or low is None or close is None or of_now:
            continue
        bars.append(Bar(seconds * SECOND_NS, meant(opened), meant(high), meant(low), meant(close), volume))
    return tuple(bars)


def parse_facts(body: bytes) -> Facts:
    """What the answer says of the instrument."""
    meta = _result(body).meta
    kind = meta.instrument_type or ""
    return Facts(
        currency=meta.currency or "", asset_class=_ASSET_CLASSES.get(kind, "equity"),
        always_open=kind == "CRYPTOCURRENCY", note="prices are adjusted for splits: Yahoo has no others",
    )  # fmt: skip


def parse_quote(body: bytes, symbol: str) -> Quote:
    """The last price: there is no bid and ask."""
    meta = _result(body).meta
    last = meta.regular_market_price
    return Quote(
        provider=NAME, symbol=symbol, ts_ns=meta.regular_market_time * SECOND_NS,
        last=meant(last) if last is not None else None,
    )  # fmt: skip


def _result(body: bytes) -> _Result:
    chart = msgspec.json.decode(body, type=_Body).chart
    if not chart.result:
        raise ValueError("a chart without a result")
    return chart.result[0]


def refusal(answer: Answer) -> ProviderError | None:
    """What an answer that is no data means."""
    try:
        error = msgspec.json.decode(answer.body, type=_Body).chart.error
    except msgspec.MsgspecError:
        error = None
    said = error.description if error else ""
    if answer.status in (400, 422) and error:
        return ProviderError(Reason.NOT_SERVED, f"{NAME}: {said}")
    return ordinary_refusal(NAME, answer, said, "Yahoo takes no key")


class Yahoo:
    """Yahoo Finance as a Provider."""

    name = NAME

    def __init__(self, settings: Settings | None = None) -> None:
        settings = with_defaults(settings or Settings(), URL, LIMITS)
        self._http = HttpClient(NAME, settings, refusal, {}, _HEADERS)
        self.limits = settings.limits

    def serves(self, interval_ns: int) -> bool:
        """A list of intervals from a minute to a day."""
        return interval_text(interval_ns) in _WINDOWS_NS

    async def describe(self, symbol: str) -> Facts:
        """What the head of a chart says."""
        path, params = bars_request(symbol, DAY_NS, 0, HOUR_NS)
        params = {"interval": params["interval"], "range": "1d"}
        return await self._http.get(path, params, parse_facts)

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """A page for each window; see Provider."""
        for first, until in windows(start_ns, end_ns, _WINDOWS_NS[interval_text(interval_ns)]):
            path, params = bars_request(symbol, interval_ns, first, until)
            bars = await self._http.get(path, params, parse_bars)
            yield Page(first, until, inside(bars, first, until), NAME)

    async def fetch_quote(self, symbol: str) -> Quote:
        """The last price."""
        path, _ = bars_request(symbol, DAY_NS, 0, HOUR_NS)
        return await self._http.get(path, {"interval": "1d", "range": "1d"}, lambda body: parse_quote(body, symbol))

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()
