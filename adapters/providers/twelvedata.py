"""Bars and prices of Twelve Data: ``time_series`` and ``quote``.

Owns how a request is written and an answer read (twelvedata.com/docs). Prices are not adjusted. An error is told in the
body, whatever the status is. Days are dates at the exchange; everything else is asked for in UTC.
"""

from collections.abc import AsyncIterator
from datetime import UTC, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.edge.secrets import Secret
from adapters.providers.http import Answer, HttpClient, Key, Settings, ordinary_refusal, with_defaults
from adapters.providers.shapes import DAY_NS, SECOND_NS, Bar, Facts, Limits, Page, ProviderError, Quote, Reason
from adapters.providers.spans import inside, interval_parts, windows
from adapters.providers.times import local_ns, utc

NAME = "twelvedata"
URL = "https://api.twelvedata.com"
LIMITS = Limits(8)
PAGE_BARS = 5000
KEY_ADVICE = "give the key with --key, or TWELVEDATA_API_KEY"
NO_DATA = "no data is available"
_SERVED = ("1min", "5min", "15min", "30min", "45min", "1h", "2h", "4h", "1day")
_UNITS = {"minute": "min", "hour": "h", "day": "day"}


class _Meta(msgspec.Struct):
    exchange_timezone: str = "UTC"


class _Bar(msgspec.Struct):
    datetime: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None


class _Series(msgspec.Struct):
    values: list[_Bar]
    meta: _Meta = msgspec.field(default_factory=_Meta)


class _Quote(msgspec.Struct):
    close: Decimal
    timestamp: int
    last_quote_at: int = 0


class _Error(msgspec.Struct):
    status: str = ""
    code: int = 0
    message: str = ""


def interval_name(interval_ns: int) -> str:
    """``5min``, or nothing for what Twelve Data has not."""
    count, unit = interval_parts(interval_ns)
    name = f"{count}{_UNITS.get(unit, '')}"
    return name if name in _SERVED else ""


def bars_request(symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> dict[str, str]:
    """Parameters for a window of at most PAGE_BARS intervals. Both ends are inclusive."""
    params = {
        "symbol": symbol, "interval": interval_name(interval_ns), "order": "ASC", "outputsize": str(PAGE_BARS),
        "timezone": "UTC", "adjust": "none",
    }  # fmt: skip
    if interval_ns >= DAY_NS:  # a date at the exchange begins up to a day before or after the same date in UTC
        first, last = utc(start_ns - DAY_NS), utc(end_ns + DAY_NS)
        return params | {"start_date": f"{first:%Y-%m-%d}", "end_date": f"{last:%Y-%m-%d}"}
    first, last = utc(start_ns), utc(end_ns - SECOND_NS)
    return params | {"start_date": f"{first:%Y-%m-%d %H:%M:%S}", "end_date": f"{last:%Y-%m-%d %H:%M:%S}"}


def parse_bars(body: bytes, interval_ns: int) -> tuple[Bar, ...]:
    """The bars of an answer; none when it says that there are none."""
    if (error := _error_in(body)) is not None:
        return ()
    series = msgspec.json.decode(body, type=_Series, strict=False)
    zone: tzinfo = UTC
    if interval_ns >= DAY_NS:
        try:
            zone = ZoneInfo(series.meta.exchange_timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no time zone {series.meta.exchange_timezone!r}") from error
    return tuple(
        Bar(local_ns(bar.datetime, zone), bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in series.values
    )


def parse_quote(body: bytes, symbol: str) -> Quote:
    """The last price: there is no bid and ask."""
    seen = msgspec.json.decode(body, type=_Quote, strict=False)
    ts_ns = (seen.last_quote_at or seen.timestamp) * SECOND_NS
    return Quote(provider=NAME, symbol=symbol, ts_ns=ts_ns, last=seen.close)


def refusal(answer: Answer) -> ProviderError | None:
    """What an answer that is no data means, by the code in its body."""
    error = _error_in(answer.body)
    if error is None:
        return ordinary_refusal(NAME, answer, "", KEY_ADVICE)
    if error.code == 400 and NO_DATA in error.message.lower():
        return None
    if error.code == 429:
        # Its minutes are those of the clock: the next one begins within sixty seconds.
        seconds = answer.retry_after_seconds or 60.0
        return ProviderError(Reason.RATE_LIMITED, f"{NAME}: too many requests: {error.message}", seconds)
    told = msgspec.structs.replace(answer, status=error.code)
    return ordinary_refusal(NAME, told, error.message, KEY_ADVICE)


def _error_in(body: bytes) -> _Error | None:
    try:
        error = msgspec.json.decode(body, type=_Error, strict=False)
    except msgspec.MsgspecError:
        return None
    return error if error.status == "error" else None


class TwelveData:
    """Twelve Data as a Provider."""

    name = NAME

    def __init__(self, key: Secret | None = None, settings: Settings | None = None) -> None:
        settings = with_defaults(settings or Settings(), URL, LIMITS)
        keys = {"Authorization": Key(key, "apikey ")} if key else {}
        self._http = HttpClient(NAME, settings, refusal, keys)
        self._has_key = bool(key)
        self.limits = settings.limits

    def serves(self, interval_ns: int) -> bool:
        """A list of intervals from a minute to a day."""
        return bool(interval_name(interval_ns))

    async def describe(self, symbol: str) -> Facts:
        """What follows from the symbol: with a slash it is a pair of currencies, whether of coins is not told."""
        if "/" in symbol:
            return Facts(currency=symbol.partition("/")[2])
        return Facts(asset_class="equity", tick_size="0.0001")

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """A page for each window; see Provider."""
        self._need_key()
        margin = 3 if interval_ns >= DAY_NS else 0
        for first, until in windows(start_ns, end_ns, (PAGE_BARS - margin) * interval_ns):
            params = bars_request(symbol, interval_ns, first, until)
            bars = await self._http.get("/time_series", params, lambda body: parse_bars(body, interval_ns))
            yield Page(first, until, inside(bars, first, until), NAME)

    async def fetch_quote(self, symbol: str) -> Quote:
        """The last price."""
        self._need_key()
        params = {"symbol": symbol, "timezone": "UTC"}
        return await self._http.get("/quote", params, lambda body: parse_quote(body, symbol))

    def _need_key(self) -> None:
        if not self._has_key:
            raise ProviderError(Reason.WRONG_KEY, f"{NAME}: needs a key; {KEY_ADVICE}")

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()
