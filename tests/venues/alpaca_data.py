"""Alpaca's market data v2 and v1beta3 over HTTP: bars by pages, last trades."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.venues.alpaca_words import moment
from tests.venues.shapes import Tick

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
        query = request.query
        start, end = nanoseconds(query["start"]), nanoseconds(query["end"])
        found: dict[str, list[dict[str, Any]]] = {}
        for name in query["symbols"].split(","):
            bars = [bar for bar in self.venue.exchange.walks[name].bars if start <= bar.open_ns <= end]
            found[name] = [bar_words(bar) for bar in bars]
        return paged("bars", found, query)

    async def trades(self, request: web.Request) -> web.Response:
        query = request.query
        start = nanoseconds(query["start"])
        found: dict[str, list[dict[str, Any]]] = {}
        for name in query["symbols"].split(","):
            ticks = [tick for tick in self.venue.exchange.walks[name].ticks if start <= tick.ts_ns]
            is_pair = self.venue.class_name == "crypto"
            found[name] = [trade_words(tick, is_pair=is_pair) | {"t": moment(tick.ts_ns)} for tick in ticks]
        return paged("trades", found, query)

    async def latest(self, request: web.Request) -> web.Response:
        walks = self.venue.exchange.walks
        names = [name for name in request.query["symbols"].split(",") if name in walks]
        at = moment(self.venue.now_ns())
        return answer({"trades": {name: {"t": at, "p": float(walks[name].price), "s": 1, "i": 1} for name in names}})


def paged(what: str, found: dict[str, list[dict[str, Any]]], query: Any) -> web.Response:
    """One page of things by symbol."""
    begin, limit = int(query.get("page_token", "0")), int(query.get("limit", "1000"))
    flat = [(name, one) for name, things in found.items() for one in things]
    page: dict[str, list[dict[str, Any]]] = {}
    for name, one in flat[begin : begin + limit]:
        page.setdefault(name, []).append(one)
    token = str(begin + limit) if len(flat) > begin + limit else None
    return answer({what: page, "next_page_token": token})


def trade_words(tick: Tick, *, is_pair: bool) -> dict[str, Any]:
    """A trade as stream and past have it, but for its time."""
    words: dict[str, Any] = {"i": tick.number, "p": float(tick.price), "s": float(tick.quantity)}
    return words | ({"tks": "B" if tick.side > 0 else "S"} if is_pair else {"x": "V", "c": ["@"], "z": "C"})


def nanoseconds(text: str) -> int:
    """RFC 3339 in UTC to nanoseconds; decimals below a microsecond are not asked for here."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


def bar_words(bar: Any) -> dict[str, Any]:
    """A bar as Alpaca's JSON has it."""
    names = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
    return {"t": moment(bar.open_ns)[:19] + "Z", **{name: float(number) for name, number in names.items()}, "n": 1}
