"""Alpaca's real protocols over the simulated exchange, as a process of its own.

    python -m tests.venues.alpaca_server --port 0 --seed 1 --asset-class equity --symbols AAPL,MSFT --rate 50
        --faults "disconnect=0.001,timeout_after_accept=0.05:3"

It prints one JSON line with its address and keys, and stops when its standard input closes. For tests, without keys:

    GET  /test/state       orders, fills (ids as Alpaca names executions), cash, positions, ledger; with counts of
                           faults, messages and requests
    POST /test/price       {"symbol", "price"}: the market moves there
    POST /test/step        {"symbol", "count"}: so many moves of the random walk
    POST /test/trade       {"symbol", "side": 1 or -1, "quantity"}: another client of the account trades
    POST /test/fault       {"kind", "probability", "where", "limit"}; {} takes all away
    POST /test/bar         {"symbol"}: the minute closes now
    POST /test/rules       {"symbol"}: other increments, or back; with "trading": whether it trades
    POST /test/clock       {"offset_ms"}: the venue's clock against the true one
    POST /test/settle      open orders that can trade do
    POST /test/cancel      {"order_id"}: the venue cancels an order
    POST /test/message     a market message of your own, with ``t`` in nanoseconds
    POST /test/disconnect  every stream breaks

What is simpler than the real one: on-open and on-close orders trade like others, and several connections are let in.
"""

import argparse
import asyncio
import time
from decimal import Decimal
from random import Random
from typing import Any

from aiohttp import web

from tests.venues.alpaca_replacing import Replacements
from tests.venues.alpaca_rest import Rest
from tests.venues.alpaca_streams import Streams
from tests.venues.alpaca_words import Records, execution_id, moment, plain
from tests.venues.exchange import Exchange
from tests.venues.faults import Faults
from tests.venues.process import serve
from tests.venues.shapes import Fill, Order, Symbol

KEYS = ("KEY-1234567890", "SECRET-abcdefghijklmnop")
CLASS_NAMES = {"equity": "us_equity", "crypto": "crypto"}
CASH = Decimal(1_000_000)
TURN_S = 0.02
MESSAGES_A_STEP = 2  # a trade and a quote


def share(name: str) -> Symbol:
    """A share: cents, whole shares, no fees, can be borrowed."""
    return Symbol(
        name=name,
        base=name,
        quote="USD",
        tick=Decimal("0.01"),
        step=Decimal(1),
        maker_rate=Decimal(0),
        taker_rate=Decimal(0),
        fee_in="quote",
        base_decimals=9,
        can_short=True,
    )


def pair(name: str) -> Symbol:
    """A pair. Its fees are booked at the end of the day, so no fill has one."""
    base, _, quote = name.partition("/")
    return Symbol(
        name=name,
        base=base,
        quote=quote,
        tick=Decimal("0.01"),
        step=Decimal("0.0001"),
        minimum=Decimal("0.0001"),
        maker_rate=Decimal(0),
        taker_rate=Decimal(0),
        fee_in="quote",
        base_decimals=9,
        price=Decimal(50_000 if base == "BTC" else 2_000),
    )


class Alpaca:
    """The venue: exchange, records, faults, streams, and the clock."""

    def __init__(self, options: argparse.Namespace) -> None:
        make = share if options.asset_class == "equity" else pair
        symbols = [make(name) for name in options.symbols.split(",")]
        self.class_name = CLASS_NAMES[options.asset_class]
        self.keys = KEYS
        self.partial = options.partial
        self.offset_ns = 0
        self.exchange = Exchange(
            symbols, {"USD": CASH}, seed=options.seed, now_ns=self.now_ns(), partial=options.partial
        )
        self.faults = Faults(options.seed, options.faults)
        self.records = Records(self.exchange)
        self.streams = Streams(self)
        self.replacements = Replacements(self, options.replace_ms / 1000)
        self.rate = options.rate
        self.retry_after = options.retry_after
        self.settles = not options.no_settling
        self.requests = 0
        self._random = Random(f"{options.seed}/venue")
        self._fill: Fill | None = None
        self.exchange.listeners.append(self.heard)

    def now_ns(self) -> int:
        """The venue's clock."""
        return time.time_ns() + self.offset_ns

    def heard(self, kind: str, thing: Any) -> None:
        """What happens at the exchange, told to whoever listens."""
        if kind == "tick":
            self.streams.tick(thing)
        elif kind == "bar":
            self.streams.bar(thing)
        elif kind == "fill":
            self.records.note_fill(thing)
            self._fill = thing
        elif kind == "order":
            self.order(thing)

    def order(self, order: Order) -> None:
        """An order as it is now: which update that is."""
        if self.replacements.in_force is not None:
            old, new, shown = self.replacements.in_force
            if old.order is not None and old.order.order_id == order.order_id and old.replaced_by is None:
                self.records.replace(old, new, shown, self.now_ns())
                self.streams.update("replaced", old.picture())
                new.was_shown = True
                self.streams.update("new", new.picture(order))
                return
        record = self.records.of(order.order_id)
        picture = record.picture(order)
        fill, self._fill = self._fill, None
        if fill is not None:
            event = "fill" if order.rest == 0 else "partial_fill"
            more = {"price": plain(fill.price), "qty": plain(fill.quantity), "timestamp": moment(fill.ts_ns)}
            self.streams.update(event, picture, execution_id=execution_id(fill.trade_id), **more)
        elif not order.is_open:
            self.streams.update(picture["status"], picture)
        elif not record.was_shown:
            record.was_shown = True
            self.streams.update("new", picture)

    async def live(self) -> None:
        """The market moves on its own, and the venue does what the plan of faults says."""
        names = sorted(self.exchange.symbols)
        loop = asyncio.get_running_loop()
        last, owed, turn = loop.time(), 0.0, 0
        while True:
            await asyncio.sleep(TURN_S)
            now = loop.time()
            owed = min(owed + (now - last) * self.rate / MESSAGES_A_STEP, self.rate)
            last = now
            while owed >= 1:
                owed -= 1
                self.exchange.step(names[turn % len(names)], self.now_ns())
                turn += 1
            if self.settles:
                self.exchange.settle(self.now_ns())
            if self.faults.strikes("venue_cancel", "market") and self.exchange.open_orders():
                order = self._random.choice(self.exchange.open_orders())
                self.exchange.cancel(order.order_id, self.now_ns(), "venue")
            if self.faults.strikes("instrument_change", "market"):
                self.change_rules(self._random.choice(names))

    def change_rules(self, name: str) -> None:
        """Other increments, or back. (Of a share Alpaca names none.)"""
        minimum = Decimal("0.0001") if self.exchange.symbols[name].minimum != Decimal("0.0001") else Decimal("0.01")
        self.exchange.change_symbol(name, minimum=minimum)

    # --- control ---------------------------------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        """The pages for tests."""
        return [web.get("/test/state", self.state), web.post("/test/{name}", self.control)]

    async def state(self, request: web.Request) -> web.Response:
        """All that a test may want to know."""
        state = self.exchange.state()
        for fill in state["fills"]:
            fill["trade_id"] = execution_id(fill["trade_id"])
        streams = self.streams
        state |= {"faults": self.faults.counts(), "requests": self.requests}
        state |= {"market_messages": streams.market_messages, "private_messages": streams.private_messages}
        return web.json_response(state | {"streams": [len(streams.data), len(streams.trading)]})

    async def control(self, request: web.Request) -> web.Response:
        """A POST of a test."""
        done = self.do(request.match_info["name"], await request.json(), self.now_ns())
        return web.json_response((done or {}) | {"faults": self.faults.counts()})

    def do(self, name: str, body: dict[str, Any], now_ns: int) -> dict[str, Any] | None:
        """Carry out a control request."""
        exchange = self.exchange
        if name == "price":
            exchange.push_price(body["symbol"], Decimal(str(body["price"])), now_ns)
        elif name == "step":
            for _ in range(body.get("count", 1)):
                exchange.step(body["symbol"], now_ns)
        elif name == "bar":
            exchange.close_bar(body["symbol"])
        elif name == "settle":
            exchange.settle(now_ns)
        elif name == "trade":
            fill = exchange.trade_by_hand(body["symbol"], body["side"], Decimal(str(body["quantity"])), now_ns)
            return {"trade_id": execution_id(fill.trade_id)}
        elif name == "fault":
            self.plan(body)
        elif name == "rules" and "trading" in body:
            exchange.change_symbol(body["symbol"], is_trading=body["trading"])
        elif name == "rules":
            self.change_rules(body["symbol"])
        elif name == "clock":
            self.offset_ns = body["offset_ms"] * 1_000_000
        elif name == "cancel":
            record = self.records.by_id[body["order_id"]]
            assert record.order is not None
            exchange.cancel(record.order.order_id, now_ns, "venue")
        elif name == "message":
            self.streams.market(body)
        elif name == "disconnect":
            return {"connections": self.streams.disconnect()}
        else:
            raise web.HTTPNotFound
        return None

    def plan(self, body: dict[str, Any]) -> None:
        """Another fault, or none any more."""
        if not body:
            self.faults.clear()
            return
        limit = body.get("limit")
        self.faults.set(body["kind"], body.get("probability", 1.0), where=body.get("where", ""), limit=limit)


async def run(options: argparse.Namespace) -> None:
    """Serve until standard input closes."""
    venue = Alpaca(options)
    app = web.Application()
    app.add_routes([*Rest(venue).routes(), *venue.streams.routes(), *venue.routes()])
    market = asyncio.create_task(venue.live())
    try:
        line = {"key": KEYS[0], "secret": KEYS[1], "asset_class": options.asset_class}
        await serve(app, options.port, line | {"symbols": options.symbols.split(",")}, options.seconds)
    finally:
        market.cancel()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A local server that speaks Alpaca's protocols.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="")
    parser.add_argument("--rate", type=float, default=0.0, help="market messages a second")
    parser.add_argument("--asset-class", choices=("equity", "crypto"), default="equity")
    parser.add_argument("--symbols", default="")
    parser.add_argument("--partial", type=float, default=0.0, help="the chance that only a part of an order fills")
    parser.add_argument("--no-settling", action="store_true", help="what filled in part waits for the market to move")
    parser.add_argument("--replace-ms", type=float, default=0.0, help="how long a replacement takes to be in force")
    parser.add_argument("--retry-after", default="1", help="the header of a 429, empty for none")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop by itself after so long")
    options = parser.parse_args()
    options.symbols = options.symbols or ("AAPL,MSFT" if options.asset_class == "equity" else "BTC/USD,ETH/USD")
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
