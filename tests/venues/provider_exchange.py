"""How Bybit's public market endpoints write their answers (bybit-exchange.github.io/docs/v5), as ccxt asks them.

Pure: no socket.
"""

from typing import Any

from aiohttp import web

from tests.venues.provider_shapes import Handler


def _bybit(result: dict[str, Any]) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1672025956592}


def bybit_kline(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v5/market/kline``: the newest first, numbers as text."""
    query = request.query
    interval = query["interval"]
    seconds = 86_400 if interval == "D" else int(interval) * 60
    category, symbol = query["category"], query["symbol"]
    try:
        bars = shelf.span(
            ("bybit", category, symbol), seconds, int(query["start"]) / 1000, int(query.get("end", "9" * 13)) / 1000
        )
    except KeyError:
        return {"retCode": 10001, "retMsg": "Not supported symbols", "result": {}, "retExtInfo": {}, "time": 1}
    newest = bars[::-1][: min(shelf.page, int(query["limit"]))]
    rows = [[str(bar.t * 1000), *(str(getattr(bar, name)) for name in "ohlcv"), str(bar.v * bar.c)] for bar in newest]
    return _bybit({"symbol": symbol, "category": category, "list": rows})


def bybit_instruments(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v5/market/instruments-info``: BTCUSDT as spot and as a perpetual, as in the documentation."""
    category = request.query["category"]
    rows: list[dict[str, Any]] = []
    if category == "spot":
        rows = [{
            "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "innovation": "0", "status": "Trading",
            "marginTrading": "utaOnly", "lotSizeFilter": {
                "basePrecision": "0.000001", "quotePrecision": "0.00000001", "minOrderQty": "0.000048",
                "maxOrderQty": "71.73956243", "minOrderAmt": "1", "maxOrderAmt": "4000000",
            },
            "priceFilter": {"tickSize": "0.01"},
        }]  # fmt: skip
    elif category == "linear" and request.query.get("status") != "PreLaunch":
        rows = [{
            "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC",
            "quoteCoin": "USDT", "launchTime": "1585526400000", "deliveryTime": "0", "deliveryFeeRate": "",
            "priceScale": "2", "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
            "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
            "lotSizeFilter": {
                "maxOrderQty": "1190.000", "minOrderQty": "0.001", "qtyStep": "0.001",
                "postOnlyMaxOrderQty": "1190.000", "maxMktOrderQty": "500.000", "minNotionalValue": "5",
            },
            "unifiedMarginTrade": True, "fundingInterval": 480, "settleCoin": "USDT", "copyTrading": "both",
        }]  # fmt: skip
    return _bybit({"category": category, "list": rows, "nextPageCursor": ""})


def bybit_book(request: web.Request, shelf: Any, key: str, secret: str) -> Any:
    """``/v5/market/orderbook``."""
    return _bybit({
        "s": request.query["symbol"], "a": [["65557.7", "16.606555"]], "b": [["65485.47", "47.081829"]],
        "ts": 1716863719031, "u": 230704, "seq": 1432604333, "cts": 1716863718905,
    })  # fmt: skip


EXCHANGE_ROUTES: dict[str, tuple[str, Handler]] = {
    "bybit_kline": ("/v5/market/kline", bybit_kline),
    "bybit_instruments": ("/v5/market/instruments-info", bybit_instruments),
    "bybit_book": ("/v5/market/orderbook", bybit_book),
}
