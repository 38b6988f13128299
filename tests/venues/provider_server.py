"""A server that speaks as the providers of market data do: ``python -m tests.venues.provider_server --port 0``.

One process for all of them: Alpaca's data, Polygon, Twelve Data, MarketData.app, Yahoo's chart and Bybit's public v5
(as ccxt asks it), with their paging, their checks of keys and their ways to say no. A test begins with a POST to
``/test/begin`` that says what goes wrong (see ``faults``; the place of a fault is the request's path), how many bars a
page has, and which are missing; ``/test/requests`` lists what was asked.
"""

import argparse
import asyncio
from typing import Any

from aiohttp import web

from tests.venues.faults import Faults, mangled
from tests.venues.process import serve
from tests.venues.provider_bars import FILES, Holes, ServedBar, aggregated, read_bars
from tests.venues.provider_exchange import EXCHANGE_ROUTES
from tests.venues.provider_shapes import PROVIDER_ROUTES, Refusal, json_bytes

KEY, SECRET = "pk-5d1c0ffee/Test+Key=1", "sk-0ddba11-Test/Secret+2"
SLOW_SECONDS = 1.0
MOST_BARS = 10_000
# One of them strikes a request at most.
FAULTS = ("http_429", "http_500", "maintenance", "timeout", "slow", "drop_after_accept", "truncated", "malformed")
ROUTES = PROVIDER_ROUTES | EXCHANGE_ROUTES


class Shelf:
    """The bars, as the shapes ask for them."""

    def __init__(self) -> None:
        self.bars = {key: read_bars(file) for key, file in FILES.items()}
        self.page = MOST_BARS
        self.holes = Holes([])

    def span(self, key: tuple[str, str, str], seconds: int, first: float, last: float) -> list[ServedBar]:
        """The bars that open from ``first`` to ``last`` (seconds, both included); KeyError for an unknown symbol."""
        minutes = self.bars[key]
        if seconds > 60:
            longer = aggregated(minutes, seconds, key[0] == "equity")
            return [bar for bar in longer if first <= bar.t <= last]
        return [
            bar for place, bar in enumerate(minutes) if first <= bar.t <= last and self.holes.gives(place)
        ]  # fmt: skip


class Desk:
    """What every request passes: faults first, then the shape of its provider."""

    def __init__(self, shelf: Shelf, faults: Faults) -> None:
        self.shelf = shelf
        self.faults = faults
        self.requests: list[str] = []
        self.pace = 0.0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to one request."""
        self.requests.append(request.path_qs)
        await asyncio.sleep(self.pace)
        place = request.path
        fault = self.faults.first(FAULTS, place)
        if fault == "http_429":
            return web.json_response({"message": "too many requests."}, status=429, headers={"Retry-After": "1"})
        if fault == "http_500":
            return web.Response(status=500, text="<html>Internal Server Error</html>", content_type="text/html")
        if fault == "maintenance":
            return web.Response(status=503, text="")
        if fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        while fault == "timeout" and request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(0.02)
        status, body = self.data(request)
        if fault == "drop_after_accept" and request.transport is not None:
            request.transport.abort()
        if fault in ("truncated", "malformed"):
            body = mangled(fault, body)
        return web.Response(status=status, body=body, content_type="application/json")

    def data(self, request: web.Request) -> tuple[int, bytes]:
        """What the provider says when nothing goes wrong on the way."""
        name = request.match_info.route.name
        assert name is not None
        try:
            return 200, json_bytes(ROUTES[name][1](request, self.shelf, KEY, SECRET))
        except Refusal as refusal:
            return refusal.status, json_bytes(refusal.body)

    async def list_requests(self, request: web.Request) -> web.Response:
        """What was asked so far, and how often each fault struck."""
        return web.json_response({"requests": self.requests, "faults": self.faults.counts()})

    async def begin(self, request: web.Request) -> web.Response:
        """Begin anew, as ``{"faults": "...", "seed": 0, "page": 10000, "pace": 0, "hole": ["3-4"]}`` says."""
        told = await request.json()
        self.requests.clear()
        self.faults = Faults(told.get("seed", 0), told.get("faults", ""))
        self.pace = told.get("pace", 0.0)
        self.shelf.page = told.get("page", MOST_BARS)
        self.shelf.holes = Holes(told.get("hole", []))
        return web.json_response({})


def application() -> web.Application:
    """The server's routes."""
    desk = Desk(Shelf(), Faults(0))
    app = web.Application()
    app.router.add_get("/test/requests", desk.list_requests)
    app.router.add_post("/test/begin", desk.begin)
    for name, (path, _) in ROUTES.items():
        app.router.add_get(path, desk.answer, name=name)
    return app


def main() -> None:
    """Serve until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    line: dict[str, Any] = {"key": KEY, "secret": SECRET}
    asyncio.run(serve(application(), parser.parse_args().port, line))


if __name__ == "__main__":
    main()
