"""The local venues that sessions under test trade at."""

from typing import Any

from tests.live.sessions import Place
from tests.venues.process import Server


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


ALPACA = Place(
    "tests.venues.alpaca_server",
    ("--asset-class", "crypto", "--symbols", "BTC/USD,ETH/USD"),
    alpaca_live,
    ("KEY-1234567890", "SECRET-abcdefghijklmnop"),
    {"lots": 100_000, "most": 1_000_000},
)

PLACES = {"alpaca": ALPACA}
