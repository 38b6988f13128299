"""The local venues that sessions under test trade at."""

from typing import Any

from tests.live.sessions import Place
from tests.venues.bybit_venue import API_KEY, API_SECRET
from tests.venues.process import Server


def bybit_live(server: Server) -> dict[str, Any]:
    """``[live]`` for the local Bybit server, of the category that it has."""
    category = server.line["category"]
    return {
        "venue": "bybit",
        "mode": "test",
        "environment": "testnet",
        "market": category,
        "symbols": server.line["symbols"],
        "feeds": ["bars", "quotes", "trades"],
        "rest_url": server.url,
        "private_url": f"{server.ws}/v5/private",
        "market_url": f"{server.ws}/v5/public/{category}",
    }


MARKET_PATHS = {"equity": "/v2/iex", "crypto": "/v1beta3/crypto/us"}


def alpaca_live(server: Server) -> dict[str, Any]:
    """``[live]`` for the local Alpaca server."""
    asset_class = server.line["asset_class"]
    return {
        "venue": "alpaca",
        "mode": "test",
        "market": asset_class,
        "symbols": server.line["symbols"],
        "feeds": ["bars", "quotes", "trades"],
        "requests_per_minute": 100_000,
        "rest_url": server.url,
        "data_url": server.url,
        "private_url": f"{server.ws}/stream",
        "market_url": server.ws + MARKET_PATHS[asset_class],
    }


def _bybit(category: str, symbols: str, **sizes: int) -> Place:
    arguments = ("--category", category, "--symbols", symbols)
    return Place("tests.venues.bybit_server", arguments, bybit_live, (API_KEY, API_SECRET), sizes)


BYBIT = _bybit("linear", "BTCUSDT,ETHUSDT", lots=10, most=100)
BYBIT_SPOT = _bybit("spot", "BTCUSDT,ETHUSDT", lots=100_000, most=1_000_000)
# One contract: its cash is the coin, and that of another one would be another coin.
BYBIT_INVERSE = _bybit("inverse", "BTCUSD", lots=100, most=1000)
ALPACA = Place(
    "tests.venues.alpaca_server",
    ("--asset-class", "crypto", "--symbols", "BTC/USD,ETH/USD", "--replace-ms", "60"),
    alpaca_live,
    ("KEY-1234567890", "SECRET-abcdefghijklmnop"),
    {"lots": 100_000, "most": 1_000_000},
)
# A lot is a billionth of a share, and orders are in whole ones.
ALPACA_SHARES = Place(
    "tests.venues.alpaca_server",
    ("--asset-class", "equity", "--symbols", "AAPL,MSFT", "--replace-ms", "60"),
    alpaca_live,
    ALPACA.keys,
    {"lots": 10**9, "most": 10**10, "away_ticks": 200},
)
PLACES = {"bybit": BYBIT, "alpaca": ALPACA}  # where scenarios of faults are
ALL_PLACES = {**PLACES, "bybit-spot": BYBIT_SPOT, "bybit-inverse": BYBIT_INVERSE, "alpaca-shares": ALPACA_SHARES}
