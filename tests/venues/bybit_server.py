"""A simulated Bybit over real sockets: ``python -m tests.venues.bybit_server --port 0 --seed 1 --rate 100``.

REST under ``/v5/``, streams at ``/v5/public/CATEGORY`` and ``/v5/private``. For tests, without signatures:

    GET  /test/state      orders, fills, cash, positions, ledger; with counts of faults, messages and requests
    POST /test/price      {"symbol", "price"}: the market moves there
    POST /test/step       {"symbol", "count"}: so many moves of the random walk
    POST /test/trade      {"symbol", "side": 1 or -1, "quantity", "count"}: another client of the account trades
    POST /test/fault      {"kind", "probability", "where", "limit"}; {} takes all away
    POST /test/bar        {"symbol"}: the minute closes now
    POST /test/funding    {"symbol", "rate"}
    POST /test/rules      {"symbol"}: other steps, or back; with "trading": whether it trades
    POST /test/clock      {"offset_ms"}: the venue's clock against the true one
    POST /test/forget     realtime shows no closed orders any more

Prints one JSON line with its address and keys. Stops when its standard input closes.
"""

import argparse
import asyncio
import contextlib
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.venues.bybit_rest import rest
from tests.venues.bybit_streams import stream
from tests.venues.bybit_venue import API_KEY, API_SECRET, Venue
from tests.venues.process import serve

TURN_SECONDS = 0.001  # as evenly as a feed of many instruments comes; in bursts every message but one would wait
SETTLE_SECONDS = 0.05
MESSAGES_A_STEP = 2  # a trade and a quote


async def move_market(venue: Venue, rate: float) -> None:
    """So many market messages a second, symbol after symbol."""
    names = list(venue.exchange.symbols)
    owed, turn = 0.0, 0
    loop = asyncio.get_running_loop()
    last = loop.time()
    while rate > 0:
        await asyncio.sleep(TURN_SECONDS)
        now = loop.time()
        owed = min(owed + (now - last) * rate / MESSAGES_A_STEP, rate)
        last = now
        while owed >= 1:
            venue.step(names[turn % len(names)])
            turn += 1
            owed -= 1


async def settle_orders(venue: Venue) -> None:
    """What filled in part fills on."""
    while True:
        await asyncio.sleep(SETTLE_SECONDS)
        venue.settle()


# --- for tests ------------------------------------------------------------------------------------------------------


def _price(venue: Venue, asked: dict[str, Any]) -> None:
    venue.exchange.push_price(asked["symbol"], Decimal(asked["price"]), venue.now_ns())


def _step(venue: Venue, asked: dict[str, Any]) -> None:
    for _ in range(asked.get("count", 1)):
        venue.step(asked["symbol"])


def _trade(venue: Venue, asked: dict[str, Any]) -> None:
    for _ in range(asked.get("count", 1)):
        venue.exchange.trade_by_hand(asked["symbol"], asked["side"], Decimal(asked["quantity"]), venue.now_ns())


def _fault(venue: Venue, asked: dict[str, Any]) -> None:
    if not asked:
        venue.faults.clear()
        return
    limit = asked.get("limit")
    venue.faults.set(asked["kind"], asked.get("probability", 1.0), where=asked.get("where", ""), limit=limit)


def _bar(venue: Venue, asked: dict[str, Any]) -> None:
    venue.exchange.close_bar(asked["symbol"])


def _funding(venue: Venue, asked: dict[str, Any]) -> None:
    venue.fund(asked["symbol"], Decimal(asked["rate"]))


def _rules(venue: Venue, asked: dict[str, Any]) -> None:
    if "trading" in asked:
        venue.exchange.change_symbol(asked["symbol"], is_trading=asked["trading"])
    else:
        venue.change_rules(asked["symbol"])


def _clock(venue: Venue, asked: dict[str, Any]) -> None:
    venue.offset_ns = asked["offset_ms"] * 1_000_000


def _forget(venue: Venue, asked: dict[str, Any]) -> None:
    venue.forgotten = {order.order_id for order in venue.exchange.orders.values() if not order.is_open}


CONTROLS = {
    "price": _price,
    "step": _step,
    "trade": _trade,
    "fault": _fault,
    "bar": _bar,
    "funding": _funding,
    "rules": _rules,
    "clock": _clock,
    "forget": _forget,
}


async def control(request: web.Request) -> web.Response:
    """A POST of a test."""
    venue: Venue = request.app["venue"]
    CONTROLS[request.match_info["name"]](venue, await request.json())
    return web.json_response({"faults": venue.faults.counts()})


async def state(request: web.Request) -> web.Response:
    """All that a test may want to know."""
    venue: Venue = request.app["venue"]
    counts = {"faults": venue.faults.counts(), "requests": venue.requests}
    counts |= {"market_messages": venue.market_messages, "private_messages": venue.private_messages}
    counts |= {"category": venue.category}
    counts |= {"streams": [len(venue.sessions), len(venue.private_sessions)]}
    return web.json_response(venue.exchange.state() | counts)


def application(venue: Venue) -> web.Application:
    """The server's routes."""
    app = web.Application()
    app["venue"] = venue
    app.router.add_get("/test/state", state)
    app.router.add_post("/test/{name}", control)
    app.router.add_get(f"/v5/public/{venue.category}", stream)
    app.router.add_get("/v5/private", stream)
    app.router.add_route("*", "/v5/{path:.*}", rest)
    return app


async def run(options: argparse.Namespace) -> None:
    """Serve until the end."""
    symbols = options.symbols or {"inverse": "BTCUSD,ETHUSD"}.get(options.category, "BTCUSDT,ETHUSDT")
    venue = Venue(options.category, symbols.split(","), options.seed, options.faults, options.partial)
    tasks = [asyncio.ensure_future(move_market(venue, options.rate)), asyncio.ensure_future(settle_orders(venue))]
    line = {"key": API_KEY, "secret": API_SECRET, "symbols": symbols.split(","), "category": venue.category}
    try:
        await serve(application(venue), options.port, line, options.seconds)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A simulated Bybit for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--category", default="linear", choices=("spot", "linear", "inverse"))
    parser.add_argument("--symbols", default="")
    parser.add_argument("--faults", default="", help="kind[@where]=probability[:limit],...; see faults.py")
    parser.add_argument("--rate", type=float, default=0.0, help="market messages a second")
    parser.add_argument("--partial", type=float, default=0.0, help="how often an order fills in parts")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after so long in any case")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
