"""What goes over the wire, against what others send: ccxt's static requests, Alpaca's own descriptions.

A recorder answers with the documented examples, so that each answer is read on its way back too.
"""

import asyncio
import contextlib
import json
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from adapters.alpaca.client import AlpacaAdapter
from adapters.alpaca.describe import CLASSES
from adapters.alpaca.settings import AlpacaSettings
from adapters.edge.secrets import Secret
from kernel.lifecycle import BUY, GTC, LIMIT, MARKET, SELL
from kernel.venue import CancelOrder, Feeds, NewOrder, OutcomeStatus, ReplaceOrder, VenueError
from tests.adapters.alpaca.live import ONE, QUICK
from tests.adapters.alpaca.test_exactness import PAIR, SHARE
from tests.adapters.alpaca.test_parse import FIXTURES
from tests.adapters.serving import serving

METHODS = FIXTURES["requests"]
ORDER = FIXTURES["trading"]["Order"][0] | {"client_order_id": "k-1", "qty": "5", "notional": None, "type": "limit",
                                           "limit_price": "100", "status": "new"}  # fmt: skip


class Recorder:
    """An HTTP server that keeps what it is asked, and answers from a table by method and path."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def handle(self, request):
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.raw_path, body, request.headers))
        found = self.answers.get((request.method, request.path), {"code": 40410000, "message": "not found"})
        if callable(found):
            found = found(request)
        return web.json_response(found, status=404 if isinstance(found, dict) and found.get("code") else 200)


@contextlib.asynccontextmanager
async def recorded(answers, asset_class="equity"):
    recorder = Recorder(answers)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", recorder.handle)
    async with serving(app) as url:
        keys = {"api_key": Secret("PK-0123456789"), "api_secret": Secret("SK-0123456789")}
        settings = AlpacaSettings(**keys, asset_class=asset_class, trading_url=url, data_url=url, **QUICK)
        adapter = AlpacaAdapter(settings)
        await adapter.open([SHARE if asset_class == "equity" else PAIR], Feeds())
        try:
            yield adapter, recorder
        finally:
            await adapter.close()


def path_of(url):
    return urlsplit(url).path


@pytest.mark.parametrize("case", METHODS["createOrder"], ids=lambda case: case["description"])
def test_a_new_order_as_ccxt_sends_it(case):
    _, kind, side, quantity, *price = case["input"]
    expected = {key: value for key, value in json.loads(case["output"]).items() if key != "client_order_id"}
    limit = Decimal(price[0]) if kind == "limit" else Decimal(0)
    order = NewOrder(
        client_order_id="k-1",
        instrument=0,
        side={"buy": BUY, "sell": SELL}[side],
        order_type={"market": MARKET, "limit": LIMIT}[kind],
        time_in_force=GTC,
        quantity_lots=int(Decimal(str(quantity)) * ONE),
        limit_ticks=int(limit * ONE),
    )

    async def run():
        async with recorded({("POST", "/v2/orders"): ORDER | {"symbol": "BTC/USD"}}, "crypto") as (adapter, recorder):
            outcome = await adapter.submit(order)
            assert (outcome.status, outcome.venue_order_id) == (OutcomeStatus.ACCEPTED, ORDER["id"])
            ((method, path, body, headers),) = recorder.asked
            assert (method, path) == ("POST", path_of(case["url"]))
            assert body == expected | {"client_order_id": "k-1"}
            assert (headers["APCA-API-KEY-ID"], headers["APCA-API-SECRET-KEY"]) == ("PK-0123456789", "SK-0123456789")

    asyncio.run(run())


def test_a_cancel_as_ccxt_sends_it():
    (case,) = METHODS["cancelOrder"]
    (order_id,) = case["input"]

    async def run():
        async with recorded({("DELETE", path_of(case["url"])): {}}) as (adapter, recorder):
            outcome = await adapter.cancel(CancelOrder(client_order_id="k-1", instrument=0, venue_order_id=order_id))
            assert outcome.status is OutcomeStatus.ACCEPTED
            assert [(method, path) for method, path, *_ in recorder.asked] == [("DELETE", path_of(case["url"]))]

    asyncio.run(run())


def test_an_order_is_asked_by_its_client_id_and_then_as_ccxt_asks():
    (case,) = METHODS["fetchOrder"]
    old = ORDER | {"status": "replaced", "replaced_by": case["input"][0]}
    new = ORDER | {"id": case["input"][0], "client_order_id": "k-1-R1", "limit_price": "101"}
    answers = {("GET", "/v2/orders:by_client_order_id"): old, ("GET", path_of(case["url"])): new}

    async def run():
        async with recorded(answers) as (adapter, recorder):
            seen = await adapter.fetch_order("k-1", 0)
            assert (seen.client_order_id, seen.venue_order_id, seen.limit_ticks) == ("k-1", new["id"], 1_010_000)
            paths = [path for _, path, *_ in recorder.asked]
            assert paths == ["/v2/orders:by_client_order_id?client_order_id=k-1", path_of(case["url"])]

    asyncio.run(run())


def test_replacements_without_end_are_not_followed_without_end():
    loop = ORDER | {"status": "replaced", "replaced_by": ORDER["id"]}
    answers = {("GET", "/v2/orders:by_client_order_id"): loop, ("GET", f"/v2/orders/{ORDER['id']}"): loop}

    async def run():
        async with recorded(answers) as (adapter, _):
            with pytest.raises(VenueError, match="more than 200 replacements"):
                await adapter.fetch_order("k-1", 0)

    asyncio.run(run())


def test_open_orders_are_asked_by_pages():
    (case,) = METHODS["fetchOpenOrders"]
    orders = [
        ORDER
        | {
            "id": f"o{number}",
            "client_order_id": f"k-{number}",
            "submitted_at": f"2021-03-16T18:38:{number // 10:02d}.{number % 10}Z",
        }
        for number in range(505)
    ]
    pending = ORDER | {"id": "new", "client_order_id": "k-504-R1", "replaces": "o504", "status": "pending_new",
                       "submitted_at": "2021-03-16T18:40:00Z"}  # fmt: skip

    def page(request):
        rest = [one for one in [*orders, pending] if one["submitted_at"] > request.query.get("after", "")]
        return rest[: int(request.query["limit"])]

    async def run():
        async with recorded({("GET", path_of(case["url"])): page}) as (adapter, recorder):
            seen = await adapter.fetch_open_orders()
            # The replacement that is not in force yet is not the order.
            assert [one.client_order_id for one in seen] == [f"k-{number}" for number in range(505)]
            queries = [parse_qs(urlsplit(path).query) for _, path, *_ in recorder.asked]
            theirs = parse_qs(urlsplit(case["url"]).query)
            assert all(query["status"] == theirs["status"] == ["open"] for query in queries)
            assert [query.get("after") for query in queries] == [None, ["2021-03-16T18:38:49.899999999Z"]]

    asyncio.run(run())


def test_a_replacement_says_what_alpaca_describes():
    async def run():
        answers = {
            ("GET", "/v2/orders:by_client_order_id"): ORDER,
            ("PATCH", f"/v2/orders/{ORDER['id']}"): ORDER | {"id": "b", "client_order_id": "k-1-R1"},
        }
        async with recorded(answers) as (adapter, recorder):
            request = ReplaceOrder(client_order_id="k-1", instrument=0, quantity_lots=6 * ONE, limit_ticks=990_100)
            outcome = await adapter.replace(request)
            assert (outcome.status, outcome.venue_order_id) == (OutcomeStatus.ACCEPTED, "b")
            method, path, body, _ = recorder.asked[-1]
            assert (method, path) == ("PATCH", f"/v2/orders/{ORDER['id']}")
            assert body == {"qty": "6", "limit_price": "99.01", "client_order_id": "k-1-R1"}

    asyncio.run(run())


def test_a_number_of_a_replacement_that_is_taken_is_not_used_again():
    sent = []

    def patched(request):
        sent.append(request)
        return {"code": 40010001, "message": "client_order_id must be unique"}

    async def run():
        answers = {
            ("GET", "/v2/orders:by_client_order_id"): ORDER,
            ("PATCH", f"/v2/orders/{ORDER['id']}"): patched,
        }
        async with recorded(answers) as (adapter, recorder):
            for _ in range(3):
                await adapter.replace(ReplaceOrder(client_order_id="k-1", instrument=0, quantity_lots=6 * ONE))
            ids = [body["client_order_id"] for method, _, body, _ in recorder.asked if method == "PATCH"]
            assert ids == ["k-1-R1", "k-1-R2", "k-1-R3"]

    asyncio.run(run())


@pytest.mark.parametrize("answer", [ORDER | {"client_order_id": "another"}, {}, [], "accepted"])
def test_an_answer_to_a_submit_that_says_something_else_is_ambiguous(answer):
    async def run():
        async with recorded({("POST", "/v2/orders"): answer}) as (adapter, _):
            order = NewOrder(client_order_id="k-1", instrument=0, side=BUY, order_type=MARKET, time_in_force=GTC,
                             quantity_lots=ONE)  # fmt: skip
            assert (await adapter.submit(order)).status is OutcomeStatus.AMBIGUOUS

    asyncio.run(run())


def test_an_order_that_is_rejected_at_once():
    async def run():
        async with recorded({("POST", "/v2/orders"): ORDER | {"status": "rejected"}}) as (adapter, _):
            order = NewOrder(client_order_id="k-1", instrument=0, side=BUY, order_type=MARKET, time_in_force=GTC,
                             quantity_lots=ONE)  # fmt: skip
            assert (await adapter.submit(order)).status is OutcomeStatus.REJECTED

    asyncio.run(run())


@pytest.mark.parametrize(("asset_class", "path", "instrument"), [
    ("equity", "/v2/stocks/bars", SHARE), ("crypto", "/v1beta3/crypto/us/bars", PAIR),
])  # fmt: skip
def test_bars_are_asked_by_pages(asset_class, path, instrument):
    symbol = "AAPL" if asset_class == "equity" else "BTC/USD"
    first = {"t": "2022-02-01T09:04:00Z", "o": 175.14, "h": 175.16, "l": 175.12, "c": 175.16, "v": 1395}

    def page(request):
        if "page_token" in request.query:
            return {"bars": {symbol: [first | {"t": "2022-02-01T09:05:00Z"}]}, "next_page_token": None}
        return {"bars": {symbol: [first]}, "next_page_token": "two"}

    async def run():
        async with recorded({("GET", path): page}, asset_class) as (adapter, recorder):
            rows = await adapter.fetch_bars(0, 1_643_706_240_000_000_000)
            assert [row[8] for row in rows] == [1_643_706_240_000_000_000, 1_643_706_300_000_000_000]
            query = parse_qs(urlsplit(recorder.asked[0][1]).query)
            assert (query["symbols"], query["timeframe"], query["limit"]) == ([symbol], ["1Min"], ["1000"])
            assert query["start"] == ["2022-02-01T09:04:00.000000000Z"]
            assert query.get("feed") == (["iex"] if asset_class == "equity" else None)

    asyncio.run(run())


@pytest.mark.parametrize("asset_class", ["equity", "crypto"])
def test_assets_are_asked_by_their_names(asset_class):
    name, path = ("AAPL", "/v2/assets/AAPL") if asset_class == "equity" else ("BTC/USD", "/v2/assets/BTC%2FUSD")
    asset = FIXTURES["trading"]["Assets"][0] | {"class": CLASSES[asset_class], "symbol": name}
    latest = FIXTURES["latest_trades"][0]
    answers = {("GET", f"/v2/assets/{name}"): asset, ("GET", "/v2/stocks/trades/latest"): latest}

    async def run():
        async with recorded(answers, asset_class) as (adapter, recorder):
            (found,) = await adapter.describe([name])
            assert found.instrument.symbol == name.replace("/", "")
            assert recorder.asked[0][:2] == ("GET", path)

    asyncio.run(run())


def test_the_documented_account_over_the_wire():
    trading = FIXTURES["trading"]
    answers = {
        ("GET", "/v2/account"): trading["Account"][0],
        ("GET", "/v2/positions"): trading["Position"],
        ("GET", "/v2/clock"): trading["Clock"][0],
        ("GET", "/v2/account/activities/FILL"): trading["TradingActivities"],
        ("GET", "/v2/orders"): [ORDER | {"id": trading["TradingActivities"][0]["order_id"]}],
    }

    async def run():
        async with recorded(answers) as (adapter, recorder):
            assert [one.total for one in await adapter.fetch_balances()] == ["-23140.2"]
            assert [one.quantity_lots for one in await adapter.fetch_positions()] == [5 * ONE, 2 * ONE]
            assert await adapter.fetch_time_ns() == 1_566_656_122 * ONE
            assert [fill.client_order_id for fill in await adapter.fetch_fills(0)] == ["k-1"]
            query = parse_qs(urlsplit(recorder.asked[3][1]).query)
            assert query == {"after": ["1970-01-01T00:00:00.000000000Z"], "direction": ["asc"], "page_size": ["100"]}

    asyncio.run(run())
