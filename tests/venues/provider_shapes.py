"""How each provider writes its answers, as its public documentation and recorded payloads show. Pure: no socket.

A handler takes a request and the bars and returns what becomes JSON; a ``Refusal`` is an answer with another status.
Numbers are written with the digits of the sample.
"""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from aiohttp import web

from tests.venues.provider_bars import NEW_YORK, ServedBar

EQUITY = "equity", ""
NOW_SECONDS = 1402344001  # of Yahoo's regular session
SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


_MARKED = re.compile(r'"@([^"@]*)@"')


class Refusal(Exception):  # noqa: N818
    """An answer that is no data."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def json_bytes(value: Any) -> bytes:
    """JSON with decimals as numbers, digit by digit."""
    text = json.dumps(value, default=lambda number: f"@{number:f}@")
    return _MARKED.sub(r"\1", text).encode()


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


# --- Alpaca: docs.alpaca.markets, Market Data API -------------------------------------------------------------------


def _alpaca_keys(request: web.Request, key: str, secret: str) -> None:
    headers = request.headers
    if (headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY")) != (key, secret):
        raise Refusal(403, {"message": "forbidden."})


def alpaca_bars(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v2/stocks/bars`` and ``/v1beta3/crypto/us/bars``."""
    query, is_crypto = request.query, "crypto" in request.path
    if not is_crypto:
        _alpaca_keys(request, key, secret)
    symbol = query["symbols"]
    unit = {"Min": 60, "Hour": 3600, "Day": 86_400}[query["timeframe"].lstrip("0123456789")]
    seconds = int(query["timeframe"].rstrip("MinHourDay")) * unit
    first = _seconds(query["start"])
    if token := query.get("page_token"):
        name, stamp = base64.b64decode(token).decode().split("|")
        assert name == symbol
        first = float(stamp)
    where = ("bybit", "spot", "BTCUSDT") if is_crypto and symbol == "BTC/USD" else (*EQUITY, symbol)
    try:
        bars = shelf.span(where, seconds, first, _seconds(query["end"]))
    except KeyError:
        if not symbol.replace("/", "").replace(".", "").isalnum():
            raise Refusal(400, {"message": f"invalid symbol: {symbol}"}) from None
        return {"bars": {}, "next_page_token": None}
    most = min(shelf.page, int(query["limit"]))
    more = bars[most:]
    token = base64.b64encode(f"{symbol}|{more[0].t}".encode()).decode() if more else None
    rows = [
        {"t": _utc(bar.t), "o": bar.o, "h": bar.h, "l": bar.l, "c": bar.c, "v": bar.v, "n": 1, "vw": bar.c}
        for bar in bars[:most]
    ]
    return {"bars": {symbol: rows} if rows else {}, "next_page_token": token}


def alpaca_quote(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v2/stocks/quotes/latest``: the recorded quote of the documentation."""
    _alpaca_keys(request, key, secret)
    symbol = request.query["symbols"]
    quote = {
        "t": "2022-03-18T14:02:43.651613184Z", "ax": "P", "ap": Decimal("161.11"), "as": 13, "bx": "K",
        "bp": Decimal("161.1"), "bs": 2, "c": ["R"], "z": "C",
    }  # fmt: skip
    return {"quotes": {symbol: quote} if symbol == "AAPL" else {}}


def _given(request: web.Request) -> str:
    """The key that came: a server that repeats it must not get it into our texts."""
    return request.headers.get("Authorization", "").rpartition(" ")[2]


# --- Polygon: polygon.io/docs, Aggregates ---------------------------------------------------------------------------


def _polygon_key(request: web.Request, key: str) -> None:
    if request.headers.get("Authorization") != f"Bearer {key}":
        raise Refusal(401, {"status": "ERROR", "request_id": "1", "error": f"Unknown API Key ({_given(request)})"})


def polygon_bars(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v2/aggs/ticker/SYMBOL/range/COUNT/UNIT/FROM/TO``."""
    _polygon_key(request, key)
    parts = request.match_info
    symbol, seconds = parts["symbol"], int(parts["count"]) * SECONDS[parts["unit"]]
    first, last = int(parts["first"]) / 1000, int(parts["last"]) / 1000
    if cursor := request.query.get("cursor"):
        first = float(base64.b64decode(cursor))
    head = {"ticker": symbol, "adjusted": False, "status": "OK", "request_id": "6a7e466379af0a71039d60cc78e72282"}
    try:
        bars = shelf.span((*EQUITY, symbol), seconds, first, last)
    except KeyError:
        bars = []
    most = min(shelf.page, int(request.query.get("limit", "5000")))
    page, more = bars[:most], bars[most:]
    head |= {"queryCount": len(page), "resultsCount": len(page)}
    if page:
        rows = [
            {"v": bar.v, "vw": bar.c, "o": bar.o, "c": bar.c, "h": bar.h, "l": bar.l, "t": bar.t * 1000, "n": 1}
            for bar in page
        ]
        head |= {"results": rows, "count": len(page)}
    if more:
        cursor = base64.b64encode(str(more[0].t).encode()).decode()
        # The real one names its own host; that must not be where the key goes.
        head["next_url"] = f"https://api.polygon.io{request.path}?cursor={cursor}&limit={most}"
    return head


def polygon_quote(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v2/last/nbbo/SYMBOL``."""
    _polygon_key(request, key)
    if request.match_info["symbol"] != "AAPL":
        raise Refusal(404, {"status": "NOT_FOUND", "request_id": "1", "message": "Data not found."})
    results = {
        "P": Decimal("127.98"), "S": 7, "T": "AAPL", "X": 19, "p": Decimal("127.96"), "s": 1,
        "t": 1617827221349730300, "x": 11, "y": 1617827221349366000, "z": 3,
    }  # fmt: skip
    return {"request_id": "b84e24636301f19f88e0dfbf9a45ed5c", "results": results, "status": "OK"}


# --- Twelve Data: twelvedata.com/docs -------------------------------------------------------------------------------


def _twelve_error(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "status": "error"}


def _twelve_key(request: web.Request, key: str) -> None:
    if request.headers.get("Authorization") != f"apikey {key}":
        raise Refusal(401, _twelve_error(401, f"**apikey** parameter {_given(request)} is incorrect."))


def twelve_bars(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/time_series``: errors are told in the body."""
    _twelve_key(request, key)
    query = request.query
    symbol, name = query["symbol"], query["interval"]
    seconds = int(name.rstrip("mindayh")) * {"min": 60, "h": 3600, "day": 86_400}[name.lstrip("0123456789")]
    zone = NEW_YORK if name == "1day" else UTC
    first, last = (
        datetime.fromisoformat(query[which]).replace(tzinfo=zone).timestamp() for which in ("start_date", "end_date")
    )
    try:
        bars = shelf.span((*EQUITY, symbol), seconds, first, last)
    except KeyError:
        raise Refusal(404, _twelve_error(404, f"**symbol** {symbol} not found. Please specify it correctly")) from None
    if not bars:
        return _twelve_error(400, "No data is available on the specified dates. Try setting different start/end dates.")
    written = "%Y-%m-%d" if name == "1day" else "%Y-%m-%d %H:%M:%S"
    values = [
        {
            "datetime": datetime.fromtimestamp(bar.t, zone).strftime(written), "open": f"{bar.o:.5f}",
            "high": f"{bar.h:.5f}", "low": f"{bar.l:.5f}", "close": f"{bar.c:.5f}", "volume": str(bar.v),
        }
        for bar in bars[: int(query["outputsize"])]
    ]  # fmt: skip
    meta = {
        "symbol": symbol, "interval": name, "currency": "USD", "exchange_timezone": "America/New_York",
        "exchange": "NASDAQ", "mic_code": "XNAS", "type": "Common Stock",
    }  # fmt: skip
    return {"meta": meta, "values": values if query["order"] == "ASC" else values[::-1], "status": "ok"}


def twelve_quote(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/quote``."""
    _twelve_key(request, key)
    return {
        "symbol": request.query["symbol"], "currency": "USD", "datetime": "2021-09-16", "timestamp": 1631772000,
        "last_quote_at": 1631772000, "open": "148.44000", "close": "148.85001", "volume": "67903927",
    }  # fmt: skip


# --- MarketData.app: marketdata.app/docs/api ------------------------------------------------------------------------


def _marketdata_key(request: web.Request, key: str) -> None:
    if request.headers.get("Authorization") != f"Bearer {key}":
        raise Refusal(401, {"s": "error", "errmsg": "Invalid token header. No credentials provided."})


def marketdata_bars(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v1/stocks/candles/RESOLUTION/SYMBOL/``: columns."""
    _marketdata_key(request, key)
    resolution, symbol = request.match_info["resolution"], request.match_info["symbol"]
    unit = {"": 60, "H": 3600, "D": 86_400}[resolution.lstrip("0123456789")]
    seconds = int(resolution.rstrip("HD") or 1) * unit
    try:
        bars = shelf.span((*EQUITY, symbol), seconds, int(request.query["from"]), int(request.query["to"]))
    except KeyError:
        raise Refusal(400, {"s": "error", "errmsg": f"Invalid symbol {symbol}."}) from None
    if not bars:
        raise Refusal(404, {"s": "no_data", "nextTime": None, "prevTime": None})
    columns = {name: [getattr(bar, name) for bar in bars] for name in "tohlcv"}
    return {"s": "ok", **columns}


def marketdata_quote(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v1/stocks/quotes/SYMBOL/``."""
    _marketdata_key(request, key)
    return {
        "s": "ok", "symbol": ["AAPL"], "ask": [Decimal("149.08")], "askSize": [200], "bid": [Decimal("149.07")],
        "bidSize": [600], "mid": [Decimal("149.07")], "last": [Decimal("149.09")], "volume": [66959442],
        "updated": [1663958092],
    }  # fmt: skip


# --- Yahoo: the chart endpoint --------------------------------------------------------------------------------------


def _widened(number: Decimal) -> Decimal:
    """A price as Yahoo writes it: a 32-bit float with the digits of a 64-bit one."""
    return Decimal(repr(float(np.float32(float(number)))))


def yahoo_chart(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v8/finance/chart/SYMBOL``: columns with null where there is nothing, and the bar of now at the end."""
    if "Mozilla" not in request.headers.get("User-Agent", ""):
        raise Refusal(429, {"message": "Too Many Requests"})
    symbol, query = request.match_info["symbol"], request.query
    if symbol != "AAPL":
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        raise Refusal(404, {"chart": {"result": None, "error": error}})
    meta = {
        "currency": "USD", "symbol": symbol, "exchangeName": "NMS", "instrumentType": "EQUITY",
        "regularMarketTime": NOW_SECONDS, "regularMarketPrice": _widened(Decimal("93.7")), "priceHint": 2,
        "exchangeTimezoneName": "America/New_York", "dataGranularity": query["interval"], "gmtoffset": -14400,
    }  # fmt: skip
    bars: list[ServedBar] = []
    if "period1" in query:
        name = query["interval"]
        seconds = int(name[:-1]) * {"m": 60, "h": 3600, "d": 86_400}[name[-1]]
        bars = shelf.span((*EQUITY, symbol), seconds, int(query["period1"]), int(query["period2"]) - 1)
    prices = {
        field: [_widened(getattr(bar, field[0])) for bar in bars] for field in ("open", "high", "low", "close")
    }  # fmt: skip
    columns: dict[str, list[Any]] = {**prices, "volume": [bar.v for bar in bars]}
    stamps = [bar.t for bar in bars]
    if bars:  # a minute without trades, and the price of now as a bar of its own
        for place, seconds, value in ((1, bars[0].t + 1, None), (len(bars) + 1, NOW_SECONDS, Decimal("93.5"))):
            stamps.insert(place, seconds)
            for column in columns.values():
                column.insert(place, value)
    result = {"meta": meta, "indicators": {"quote": [columns if bars else {}]}} | (
        {"timestamp": stamps} if bars else {}
    )
    return {"chart": {"result": [result], "error": None}}


Handler = Callable[[web.Request, Any, str, str], Any]
PROVIDER_ROUTES: dict[str, tuple[str, Handler]] = {
    "alpaca_bars": ("/v2/stocks/bars", alpaca_bars),
    "alpaca_crypto_bars": ("/v1beta3/crypto/us/bars", alpaca_bars),
    "alpaca_quote": ("/v2/stocks/quotes/latest", alpaca_quote),
    "polygon_bars": ("/v2/aggs/ticker/{symbol}/range/{count}/{unit}/{first}/{last}", polygon_bars),
    "polygon_quote": ("/v2/last/nbbo/{symbol}", polygon_quote),
    "twelve_bars": ("/time_series", twelve_bars),
    "twelve_quote": ("/quote", twelve_quote),
    "marketdata_bars": ("/v1/stocks/candles/{resolution}/{symbol}/", marketdata_bars),
    "marketdata_quote": ("/v1/stocks/quotes/{symbol}/", marketdata_quote),
    "yahoo_chart": ("/v8/finance/chart/{symbol}", yahoo_chart),
}
