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


def alpaca_live(server: Server) -> dict[str, Any]:
    """``[live]`` for the local Alpaca server."""
    return {
        "venue": "alpaca",
        "mode": "test",
        "market": "crypto",
        "symbols": ["BTC/USD", "ETH/USD"],
        "feeds": ["bars", "quotes", "trades"],
        "requests_per_minute": 100_000,
        "rest_url": server.url,
        "data_url": server.url,
        "private_url": f"{server.ws}/stream",
        "market_url": f"{server.ws}/v1beta3/crypto/us",
    }


BYBIT = Place(
    "tests.venues.bybit_server",
    ("--symbols", "BTCUSDT,ETHUSDT"),
    bybit_live,
    (API_KEY, API_SECRET),
    {"lots": 10, "most": 100},
)
BYBIT_SPOT = Place(
    "tests.venues.bybit_server",
    ("--category", "spot", "--symbols", "BTCUSDT,ETHUSDT"),
    bybit_live,
    (API_KEY, API_SECRET),
    {"lots": 100_000, "most": 1_000_000},
)
# One contract: its cash is the coin, and that of another one would be another coin.
BYBIT_INVERSE = Place(
    "tests.venues.bybit_server",
    ("--category", "inverse", "--symbols", "BTCUSD"),
    bybit_live,
    (API_KEY, API_SECRET),
    {"lots": 100, "most": 1000},
)
ALPACA = Place(
    "tests.venues.alpaca_server",
    ("--asset-class", "crypto", "--symbols", "BTC/USD,ETH/USD", "--replace-ms", "60"),
    alpaca_live,
    ("KEY-1234567890", "SECRET-abcdefghijklmnop"),
    {"lots": 100_000, "most": 1_000_000},
)
PLACES = {"bybit": BYBIT, "alpaca": ALPACA}  # where scenarios of faults are
ALL_PLACES = {**PLACES, "bybit-spot": BYBIT_SPOT, "bybit-inverse": BYBIT_INVERSE}
