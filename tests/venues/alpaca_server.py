"""Alpaca's real protocols over the simulated exchange, as a process of its own.

    python -m tests.venues.alpaca_server --port 0 --seed 1 --asset-class equity --symbols AAPL,MSFT --rate 50
        --faults "disconnect=0.001,timeout_after_accept=0.05:3"

It prints its URL as one JSON line, and stops when its standard input closes. Keys are ``KEY`` and ``SECRET``.
The pages under ``/test/`` need no keys:

    GET  /test/state                 everything, trade ids as Alpaca names executions
    GET  /test/faults                what struck, how often
    POST /test/faults                {"kind", "probability", "where", "limit"} or {"clear": true}
    POST /test/price                 {"symbol", "price"}: the market moves there
    POST /test/step                  {"symbol", "count"}: the market moves
    POST /test/bar                   {"symbol"}: close the minute that is forming
    POST /test/settle                open orders that can trade do
    POST /test/trade                 {"symbol", "side", "quantity"}: somebody else trades for the account
    POST /test/symbol                {"symbol", "tick"|"step"|"minimum"|"is_trading"}: other rules
    POST /test/cancel                {"order_id"}: the venue cancels an order
    POST /test/message               a market message of your own, with ``t`` in nanoseconds
    POST /test/disconnect            break every stream

What is simpler than the real one: on-open and on-close orders trade like others, and several connections are let in.
"""

import argparse
import asyncio
import time
from decimal import Decimal
from random import Random
from typing import Any

from aiohttp import web

from tests.venues.alpaca_rest import Rest
from tests.venues.alpaca_streams import Streams
from tests.venues.alpaca_words import Record, Records, execution_id, moment, plain
from tests.venues.exchange import Exchange
from tests.venues.faults import Faults
from tests.venues.process import serve
from tests.venues.shapes import Fill, Order, Symbol

KEYS = ("KEY-1234567890", "SECRET-abcdefghijklmnop")
CLASS_NAMES = {"equity": "us_equity", "crypto": "crypto"}
CASH = Decimal(1_000_000)


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
        self.exchange = Exchange(
            symbols, {"USD": CASH}, seed=options.seed, now_ns=self.now_ns(), partial=options.partial
        )
        self.faults = Faults(options.seed, options.faults)
        self.records = Records(self.exchange)
        self.streams = Streams(self)
        self.replacing: tuple[Record, Record, dict[str, Any]] | None = None
        self.rate = options.rate
        self._random = Random(f"{options.seed}/venue")
        self._fill: Fill | None = None
        self.exchange.listeners.append(self.heard)

    @staticmethod
    def now_ns() -> int:
        """The venue's clock."""
        return time.time_ns()

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
        if self.replacing is not None:
            old, new, shown = self.replacing
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
        pause, number = 0.02, 0
        due = 0.0
        while True:
            await asyncio.sleep(pause)
            due += self.rate * pause
            while due >= 1:
                due -= 1
                self.exchange.step(names[number % len(names)], self.now_ns())
                number += 1
            if self.faults.strikes("venue_cancel", "market") and self.exchange.open_orders():
                order = self._random.choice(self.exchange.open_orders())
                self.exchange.cancel(order.order_id, self.now_ns(), "venue")
            if self.faults.strikes("instrument_change", "market"):
                name = self._random.choice(names)
                self.exchange.change_symbol(name, minimum=self.exchange.symbols[name].minimum + Decimal("0.0001"))

    # --- control ---------------------------------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        """The pages for tests."""
        actions = ("price", "step", "bar", "settle", "trade", "symbol", "cancel", "message", "disconnect")
        return [
            web.get("/test/state", self.state),
            web.get("/test/faults", self.fault_counts),
            web.post("/test/faults", self.plan),
            *(web.post(f"/test/{name}", self.action(name)) for name in actions),
        ]

    async def state(self, request: web.Request) -> web.Response:
        state = self.exchange.state()
        for fill in state["fills"]:
            fill["trade_id"] = execution_id(fill["trade_id"])
        return web.json_response(state)

    async def fault_counts(self, request: web.Request) -> web.Response:
        return web.json_response(self.faults.counts())

    async def plan(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("clear"):
            self.faults.clear()
        else:
            self.faults.set(
                body["kind"], body.get("probability", 1.0), where=body.get("where", ""), limit=body.get("limit")
            )
        return web.json_response({})

    def action(self, name: str) -> Any:
        """A handler that does one thing to the exchange."""

        async def handle(request: web.Request) -> web.Response:
            return web.json_response(self.do(name, await request.json(), self.now_ns()) or {})

        return handle

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
        elif name == "symbol":
            changes = {key: value for key, value in body.items() if key != "symbol"}
            numbers = {key: Decimal(value) if isinstance(value, str) else value for key, value in changes.items()}
            exchange.change_symbol(body["symbol"], **numbers)
        elif name == "cancel":
            record = self.records.by_id[body["order_id"]]
            assert record.order is not None
            exchange.cancel(record.order.order_id, now_ns, "venue")
        elif name == "message":
            self.streams.market(body)
        elif name == "disconnect":
            return {"connections": self.streams.disconnect()}
        return None


async def run(options: argparse.Namespace) -> None:
    """Serve until standard input closes."""
    venue = Alpaca(options)
    app = web.Application()
    app.add_routes([*Rest(venue).routes(), *venue.streams.routes(), *venue.routes()])
    market = asyncio.create_task(venue.live())
    try:
        await serve(app, options.port, {"keys": list(KEYS), "symbols": options.symbols.split(",")}, options.seconds)
    finally:
        market.cancel()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A local server that speaks Alpaca's protocols.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="")
    parser.add_argument("--rate", type=float, default=0.0, help="trades a second, over all symbols")
    parser.add_argument("--asset-class", choices=("equity", "crypto"), default="equity")
    parser.add_argument("--symbols", default="")
    parser.add_argument("--partial", type=float, default=0.0, help="the chance that only a part of an order fills")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop by itself after so long")
    options = parser.parse_args()
    options.symbols = options.symbols or ("AAPL,MSFT" if options.asset_class == "equity" else "BTC/USD,ETH/USD")
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
