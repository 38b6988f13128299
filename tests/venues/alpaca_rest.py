"""Alpaca's HTTP endpoints over the simulated exchange: trading v2, data v2 and v1beta3. Keys are checked.

Faults strike around every handler (``around``): what is swallowed, refused, broken after it took effect, or mangled.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from aiohttp import web

from tests.venues.alpaca_data import Past, answer
from tests.venues.alpaca_words import REFUSALS, SPACE, Record, moment, plain, request_of
from tests.venues.faults import mangled
from tests.venues.shapes import RefusedError

if TYPE_CHECKING:
    from tests.venues.alpaca_server import Alpaca

OPEN_WORDS = ("new", "partially_filled", "accepted", "pending_replace")
SWALLOWED_S = 30.0
SLOW_S = 0.15
Handler = Callable[[web.Request], Awaitable[web.Response]]


class ErrorAnswer(Exception):  # noqa: N818 (an answer)
    """An answer that is an error of Alpaca's."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = (status, {"code": code, "message": message})


class Rest:
    """The handlers."""

    def __init__(self, venue: "Alpaca") -> None:
        self.venue = venue

    def routes(self) -> list[web.RouteDef]:
        """All endpoints, each with the keys checked and faults around it."""
        past = Past(self.venue)
        table: list[tuple[str, str, Handler]] = [
            ("POST", "/v2/orders", self.create),
            ("GET", "/v2/orders", self.listing),
            ("GET", "/v2/orders:by_client_order_id", self.by_client_id),
            ("GET", "/v2/orders/{id}", self.one),
            ("PATCH", "/v2/orders/{id}", self.replace),
            ("DELETE", "/v2/orders/{id}", self.cancel),
            ("GET", "/v2/account", self.account),
            ("GET", "/v2/positions", self.positions),
            ("GET", "/v2/account/activities/FILL", self.activities),
            ("GET", "/v2/clock", self.clock),
            ("GET", "/v2/assets/{symbol:.+}", self.asset),
            ("GET", "/v2/stocks/bars", past.bars),
            ("GET", "/v2/stocks/trades/latest", past.latest),
            ("GET", "/v2/stocks/trades", past.trades),
            ("GET", "/v1beta3/crypto/us/trades", past.trades),
            ("GET", "/v1beta3/crypto/us/bars", past.bars),
        ]
        return [web.route(method, path, self.around(handler)) for method, path, handler in table]

    def around(self, handler: Handler) -> Handler:
        """A handler with faults."""

        async def handle(request: web.Request) -> web.Response:
            faults, where = self.venue.faults, f"{request.method} {request.path}"
            self.venue.requests += 1
            if request.headers.get("APCA-API-KEY-ID") is None:
                return answer({"message": "unauthorized."}, 401)
            keys = (request.headers["APCA-API-KEY-ID"], request.headers.get("APCA-API-SECRET-KEY"))
            if keys != self.venue.keys or faults.strikes("wrong_signature", where):
                return answer({"message": "forbidden."}, 403)
            kind = faults.first(("maintenance", "http_429", "http_500", "timeout", "slow"), where)
            if kind in _BEFORE:
                status, message = _BEFORE[kind]
                wait = self.venue.retry_after if status == 429 else ""
                return answer({"message": message}, status, {"Retry-After": wait} if wait else None)
            if kind == "timeout":
                await asyncio.sleep(SWALLOWED_S)
                return answer({"message": "timeout"}, 504)
            if kind == "slow":
                await asyncio.sleep(SLOW_S)
            try:
                made = await handler(request)
            except ErrorAnswer as error:
                made = answer(error.answer[1], error.answer[0])
            return await self.spoilt(request, made, where)

        return handle

    async def spoilt(self, request: web.Request, made: web.Response, where: str) -> web.Response:
        """What becomes of an answer after the request took effect."""
        kinds = ("timeout_after_accept", "drop_after_accept", "http_500_after_accept", "malformed", "truncated")
        kind = self.venue.faults.first(kinds, where)
        if kind == "timeout_after_accept":
            await asyncio.sleep(SWALLOWED_S)
        if kind == "drop_after_accept" and request.transport is not None:
            request.transport.abort()
        if kind == "http_500_after_accept":
            return answer({"message": "internal server error occurred"}, 500)
        if kind in ("malformed", "truncated"):
            assert isinstance(made.body, bytes)
            return web.Response(body=mangled(kind, made.body), status=made.status, content_type="application/json")
        return made

    # --- orders ----------------------------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.Response:
        venue = self.venue
        try:
            body = await request.json()
            asked = request_of(body, venue.class_name)
        except (KeyError, ValueError, InvalidOperation):
            raise ErrorAnswer(422, 40010001, "the request body cannot be read") from None
        if asked.client_order_id in venue.records.by_client_id:
            raise refusal("duplicate", asked.symbol)
        self.check_intent(body.get("position_intent", ""), asked.symbol, asked.quantity)
        venue.exchange.partial = 1.0 if venue.faults.strikes("partial_fill", "POST /v2/orders") else venue.partial
        record = venue.records.begin(asked.client_order_id)
        try:
            order = venue.exchange.place(asked, venue.now_ns())
        except RefusedError as refused:
            venue.records.undo(record)
            raise refusal(refused.code, asked.symbol) from None
        return answer(venue.records.of(order.order_id).picture())

    def check_intent(self, intent: str, symbol: str, quantity: Decimal) -> None:
        if intent.endswith("_to_close"):
            held = self.venue.exchange.account.positions[symbol].quantity
            if held * (1 if intent.startswith("sell") else -1) <= 0:
                raise refusal("reduce_only", symbol)
            if abs(held) < quantity:
                raise ErrorAnswer(403, 40310000, f"insufficient qty available for order (available: {abs(held)})")

    def record(self, request: web.Request) -> Record:
        record = self.venue.records.by_id.get(request.match_info["id"])
        if record is None:
            raise refusal("unknown_order", "")
        return record

    async def listing(self, request: web.Request) -> web.Response:
        query = request.query
        pictures = [record.picture() for record in self.venue.records.by_id.values() if record.order is not None]
        if query.get("status", "open") == "open":
            pictures = [one for one in pictures if one["status"] in OPEN_WORDS]
        pictures.sort(key=lambda one: one["submitted_at"], reverse=query.get("direction", "desc") == "desc")
        if query.get("after"):
            pictures = [one for one in pictures if one["submitted_at"] > query["after"]]
        return answer(pictures[: int(query.get("limit", "50"))])

    async def by_client_id(self, request: web.Request) -> web.Response:
        record = self.venue.records.by_client_id.get(request.query.get("client_order_id", ""))
        if record is None:
            raise refusal("unknown_order", "")
        return answer(record.picture())

    async def one(self, request: web.Request) -> web.Response:
        return answer(self.record(request).picture())

    async def replace(self, request: web.Request) -> web.Response:
        venue, old, body = self.venue, self.record(request), await request.json()
        if old.replaced_by or old.order is None:
            raise ErrorAnswer(422, 42210000, "order already replaced")
        client_order_id = body.get("client_order_id", "")
        if client_order_id in venue.records.by_client_id:
            raise refusal("duplicate", old.order.request.symbol)
        if old.meanwhile:
            raise ErrorAnswer(422, 42210000, "cannot replace order in pending_replace status")
        try:
            return answer(venue.replacements.ask(old, client_order_id, body))
        except RefusedError as refused:
            raise refusal(refused.code, old.order.request.symbol, old.order.status) from None

    async def cancel(self, request: web.Request) -> web.Response:
        venue, record = self.venue, self.record(request)
        assert record.order is not None
        if record.replaced_by:
            raise refusal("order_over", "", "replaced")
        if record.meanwhile:
            raise ErrorAnswer(422, 42210000, f"order is in {record.meanwhile['status']} status, not cancelable now")
        if record.order.is_open and venue.faults.strikes("fill_while_cancelling", "DELETE"):
            venue.exchange.fill_rest(record.order.order_id, venue.now_ns())
        try:
            venue.exchange.cancel(record.order.order_id, venue.now_ns())
        except RefusedError as refused:
            raise refusal(refused.code, "", record.order.status) from None
        return answer(None, 204)

    # --- the account -----------------------------------------------------------------------------------------------

    async def account(self, request: web.Request) -> web.Response:
        cash = plain(self.venue.exchange.account.cash["USD"])
        return answer({"id": str(SPACE), "status": "ACTIVE", "currency": "USD", "cash": cash, "buying_power": cash})

    async def positions(self, request: web.Request) -> web.Response:
        found = []
        for name, held in self.venue.exchange.account.positions.items():
            if held.quantity:
                found.append(
                    {
                        "asset_id": str(uuid.uuid5(SPACE, name)),
                        "symbol": name.replace("/", ""),
                        "asset_class": self.venue.class_name,
                        "qty": plain(held.quantity),
                        "side": "long" if held.quantity > 0 else "short",
                        "avg_entry_price": plain(held.average_price(self.venue.exchange.symbols[name])),
                    }
                )
        return answer(found)

    async def activities(self, request: web.Request) -> web.Response:
        query = request.query
        found = sorted(self.venue.records.activities, key=lambda one: one["id"])
        if query.get("after"):
            found = [one for one in found if one["transaction_time"] > query["after"]]
        if query.get("direction", "desc") == "desc":
            found.reverse()
        ids = [one["id"] for one in found]
        begin = ids.index(query["page_token"]) + 1 if query.get("page_token") in ids else 0
        return answer(found[begin : begin + int(query.get("page_size", "100"))])

    async def clock(self, request: web.Request) -> web.Response:
        skew_ns = 5_000_000_000 if self.venue.faults.strikes("clock_skew", "GET /v2/clock") else 0
        now = self.venue.now_ns()
        return answer({"timestamp": moment(now + skew_ns), "is_open": True, "next_open": "", "next_close": ""})

    async def asset(self, request: web.Request) -> web.Response:
        name = request.match_info["symbol"]
        symbols = self.venue.exchange.symbols
        symbol = symbols.get(name) or next((one for one in symbols.values() if one.name.replace("/", "") == name), None)
        if symbol is None:
            raise ErrorAnswer(404, 40410000, f"asset not found for {name}")
        found = {
            "id": str(uuid.uuid5(SPACE, symbol.name)),
            "class": self.venue.class_name,
            "exchange": "NASDAQ" if self.venue.class_name == "us_equity" else "CRYPTO",
            "symbol": symbol.name,
            "name": symbol.name,
            "status": "active" if symbol.is_trading else "inactive",
            "tradable": symbol.is_trading,
            "marginable": symbol.can_short,
            "shortable": symbol.can_short,
            "easy_to_borrow": symbol.can_short,
            "fractionable": True,
        }
        if self.venue.class_name == "crypto":
            found |= {
                "min_order_size": plain(symbol.minimum),
                "min_trade_increment": plain(symbol.step),
                "price_increment": plain(symbol.tick),
            }
        return answer(found)


_BEFORE = {
    "maintenance": (503, "service unavailable"),
    "http_429": (429, "too many requests."),
    "http_500": (500, "internal server error occurred"),
}


def refusal(code: str, symbol: str, status: str = "") -> ErrorAnswer:
    """Alpaca's words for a refusal of the exchange."""
    http, number, message = REFUSALS[code]
    return ErrorAnswer(http, number, message.format(symbol=symbol, status=status))
