"""Alpaca's market data v2 and v1beta3 over HTTP: bars by pages, last trades."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.venues.alpaca_words import moment

if TYPE_CHECKING:
    from tests.venues.alpaca_server import Alpaca


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON, or nothing."""
    body = b"" if data is None else json.dumps(data).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


class Past:
    """The handlers."""

    def __init__(self, venue: "Alpaca") -> None:
        self.venue = venue

    async def bars(self, request: web.Request) -> web.Response:
        query, limit = request.query, int(request.query.get("limit", "1000"))
        start, end = nanoseconds(query["start"]), nanoseconds(query["end"])
        found: dict[str, list[dict[str, Any]]] = {}
        for name in query["symbols"].split(","):
            bars = [bar for bar in self.venue.exchange.walks[name].bars if start <= bar.open_ns <= end]
            found[name] = [bar_words(bar) for bar in bars]
        flat = [(name, bar) for name, bars in found.items() for bar in bars]
        begin = int(query.get("page_token", "0"))
        page: dict[str, list[dict[str, Any]]] = {}
        for name, bar in flat[begin : begin + limit]:
            page.setdefault(name, []).append(bar)
        token = str(begin + limit) if len(flat) > begin + limit else None
        return answer({"bars": page, "next_page_token": token})

    async def latest(self, request: web.Request) -> web.Response:
        walks = self.venue.exchange.walks
        names = [name for name in request.query["symbols"].split(",") if name in walks]
        at = moment(self.venue.now_ns())
        return answer({"trades": {name: {"t": at, "p": float(walks[name].price), "s": 1, "i": 1} for name in names}})


def nanoseconds(text: str) -> int:
    """RFC 3339 in UTC to nanoseconds; decimals below a microsecond are not asked for here."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


def bar_words(bar: Any) -> dict[str, Any]:
    """A bar as Alpaca's JSON has it."""
    names = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
    return {"t": moment(bar.open_ns)[:19] + "Z", **{name: float(number) for name, number in names.items()}, "n": 1}
