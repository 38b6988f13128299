"""The adapter at a server of ours, over real sockets: every method and every stream, in each category."""

import asyncio
import itertools
from decimal import Decimal

import pytest

from adapters.bybit.client import BybitAdapter
from adapters.edge.secrets import Secret
from kernel.lifecycle import (
    BUY,
    CANCEL_ON_REQUEST,
    CANCEL_POST_ONLY,
    DAY,
    LIMIT,
    POST_ONLY,
    REDUCE_ONLY,
    REJECT_REDUCE_ONLY,
    REJECT_STOP_IN_MARKET,
    REJECT_UNKNOWN_ORDER,
    SELL,
    STOP,
)
from kernel.market import BAR
from kernel.units import from_units
from kernel.venue import (
    BalanceSeen,
    CancelOrder,
    Feeds,
    FillSeen,
    OrderSeen,
    OrderStatus,
    OutcomeStatus,
    PositionSeen,
    ReplaceOrder,
    VenueError,
)
from tests.adapters.bybit.live import TICK, hour_ago, opened, order, running, settings_for, until
from tests.venues.process import started


@pytest.fixture(params=["spot", "linear", "inverse"])
def server(request):
    return request.getfixturevalue(request.param)


def test_an_order_fills_and_all_agree_with_the_server(server):
    async def trade():
        async with running(server) as (adapter, heard):
            buy = order(server)
            outcome = await adapter.submit(buy)
            assert outcome.status is OutcomeStatus.ACCEPTED
            await until(lambda: [o for o in heard.of(OrderSeen) if o.status is OrderStatus.FILLED], "filled order")
            await until(lambda: heard.of(BalanceSeen), "balance")
            await until(lambda: heard.of(PositionSeen), "position")
            (fill,) = [f for f in heard.of(FillSeen) if f.client_order_id == buy.client_order_id]
            assert fill in await adapter.fetch_fills(await hour_ago(adapter))
            seen = await adapter.fetch_order(buy.client_order_id, 0)
            assert seen in heard.of(OrderSeen)
            return outcome, fill, await adapter.fetch_positions(), await adapter.fetch_balances(), heard

    outcome, fill, positions, balances, heard = asyncio.run(trade())
    state, category = server.get("/test/state"), server.line["category"]
    theirs = next(one for one in state["fills"] if one["trade_id"] == fill.trade_id)
    lot = {"spot": "0.00000001", "linear": "0.001", "inverse": "1"}[category]
    assert fill.venue_order_id == outcome.venue_order_id == theirs["order_id"]
    assert from_units(fill.price_ticks, TICK[category]) == Decimal(theirs["price"])
    assert from_units(fill.quantity_lots, lot) == Decimal(theirs["quantity"])
    assert (fill.fee, fill.fee_currency) == (theirs["fee"], theirs["fee_currency"])
    assert {one.currency: one.total for one in balances} == state["cash"]
    held = state["cash"]["BTC"] if category == "spot" else state["positions"][server.line["symbols"][0]]["quantity"]
    assert from_units(positions[0].quantity_lots, lot) == Decimal(held)
    assert heard.of(PositionSeen)[-1].quantity_lots == positions[0].quantity_lots
    if category == "spot":
        assert from_units(1, lot) <= Decimal(fill.fee), "a fee in the base coin is whole lots"


def test_a_stop_waits_changes_triggers_and_a_limit_is_cancelled(server):
    async def trade():
        async with running(server) as (adapter, heard):
            await adapter.submit(order(server))
            stop = order(server, side=SELL, order_type=STOP)
            stop = order(server, side=SELL, order_type=STOP, stop_ticks=stop.reference_ticks - 100)
            assert (await adapter.submit(stop)).status is OutcomeStatus.ACCEPTED
            seen = await adapter.fetch_order(stop.client_order_id, 0)
            assert (seen.status, seen.order_type, seen.stop_ticks) == (OrderStatus.OPEN, STOP, stop.stop_ticks)
            change = ReplaceOrder(
                client_order_id=stop.client_order_id,
                instrument=0,
                quantity_lots=stop.quantity_lots,
                stop_ticks=stop.stop_ticks - 100,
            )
            assert (await adapter.replace(change)).status is OutcomeStatus.ACCEPTED
            limit = order(server, order_type=LIMIT, limit_ticks=stop.reference_ticks - 500)
            assert (await adapter.submit(limit)).status is OutcomeStatus.ACCEPTED
            both = await adapter.fetch_open_orders()
            assert [one.client_order_id for one in both] == [stop.client_order_id, limit.client_order_id]
            assert both[0].stop_ticks == stop.stop_ticks - 100
            cancel = CancelOrder(client_order_id=limit.client_order_id, instrument=0)
            assert (await adapter.cancel(cancel)).status is OutcomeStatus.ACCEPTED
            again = await adapter.cancel(cancel)
            assert (again.status, again.reason) == (OutcomeStatus.REJECTED, REJECT_UNKNOWN_ORDER)
            gone = await adapter.fetch_order(limit.client_order_id, 0)
            assert (gone.status, gone.reason) == (OrderStatus.CANCELED, CANCEL_ON_REQUEST)
            price = from_units(stop.stop_ticks - 120, TICK[server.line["category"]])
            server.post("/test/price", {"symbol": server.line["symbols"][0], "price": str(price)})
            await until(
                lambda: [f for f in heard.of(FillSeen) if f.client_order_id == stop.client_order_id], "stop fill"
            )
            assert await adapter.fetch_open_orders() == []
            conditional = order(server, side=SELL, order_type=STOP, stop_ticks=stop.stop_ticks - 300)
            assert (await adapter.submit(conditional)).status is OutcomeStatus.ACCEPTED
            cancel = CancelOrder(client_order_id=conditional.client_order_id, instrument=0)
            assert (await adapter.cancel(cancel)).status is OutcomeStatus.ACCEPTED
            assert (await adapter.fetch_order(conditional.client_order_id, 0)).status is OrderStatus.CANCELED

    asyncio.run(trade())


def test_what_is_refused_says_why(linear):
    async def trade():
        async with opened(linear) as adapter:
            first = order(linear)
            assert (await adapter.submit(first)).status is OutcomeStatus.ACCEPTED
            again = await adapter.submit(first)
            assert again.status is OutcomeStatus.AMBIGUOUS
            assert "110072" in again.text
            beyond = order(linear, order_type=STOP, stop_ticks=first.reference_ticks - 50)
            reduce = order(linear, side=BUY, instructions=REDUCE_ONLY)
            day = order(linear, time_in_force=DAY)
            huge = order(linear, quantity_lots=900_000_000)
            for asked, reason in ((beyond, REJECT_STOP_IN_MARKET), (reduce, REJECT_REDUCE_ONLY), (day, 2), (huge, 2)):
                outcome = await adapter.submit(asked)
                assert (outcome.status, outcome.reason) == (OutcomeStatus.REJECTED, reason), outcome
                assert await adapter.fetch_order(asked.client_order_id, 0) is None
            taking = order(linear, order_type=LIMIT, limit_ticks=first.reference_ticks + 50, instructions=POST_ONLY)
            assert (await adapter.submit(taking)).status is OutcomeStatus.ACCEPTED
            seen = await adapter.fetch_order(taking.client_order_id, 0)
            assert (seen.status, seen.reason) == (OrderStatus.CANCELED, CANCEL_POST_ONLY)

    asyncio.run(trade())


def test_an_old_order_is_found_in_the_history_and_one_that_never_was_is_none(linear):
    async def look():
        async with opened(linear) as adapter:
            asked = order(linear)
            await adapter.submit(asked)
            linear.post("/test/forget")
            assert (await adapter.fetch_order(asked.client_order_id, 0)).status is OrderStatus.FILLED
            assert await adapter.fetch_order("never-was", 0) is None
            now = await adapter.fetch_time_ns()
            assert await adapter.fetch_fills(now + 10**9) == []

    asyncio.run(look())


def test_all_pages_of_fills_come_oldest_first(linear):
    before = len(linear.get("/test/state")["fills"])
    linear.post("/test/trade", {"symbol": "ETHUSDT", "side": 1, "quantity": "0.001", "count": 230})

    async def look():
        async with opened(linear) as adapter:
            return await adapter.fetch_fills(await hour_ago(adapter))

    fills = asyncio.run(look())
    assert len(fills) == len({fill.trade_id for fill in fills}) == before + 230
    assert [fill.trade_id for fill in fills] == [one["trade_id"] for one in linear.get("/test/state")["fills"]]
    assert fills[-1].client_order_id == ""


def test_bars_of_the_past_are_closed_and_whole(linear):
    async def look():
        async with opened(linear) as adapter:
            now = await adapter.fetch_time_ns()
            since = now - 2000 * 60 * 10**9
            return now, await adapter.fetch_bars(0, since), await adapter.fetch_bars(1, now - 180 * 10**9)

    now, many, few = asyncio.run(look())
    assert 400 < len(many) <= 1000
    assert all(later[8] - earlier[8] == 60 * 10**9 for earlier, later in itertools.pairwise(many))
    assert len(few) in (2, 3)  # a minute may have ended between the two questions
    assert few[1][0] <= now < few[1][0] + 60 * 10**9
    assert {row[:3][1:] for row in few} == {(BAR, 1)}


def test_a_clock_that_moved_is_compared_again(linear):
    async def trade():
        async with opened(linear) as adapter:
            linear.post("/test/clock", {"offset_ms": 3_600_000})
            refused = await adapter.submit(order(linear))
            taken = await adapter.submit(order(linear))
            venue_ns = await adapter.fetch_time_ns()
            linear.post("/test/clock", {"offset_ms": 0})
            assert await adapter.fetch_balances(), "a read compares them too"
            return refused, taken, venue_ns

    refused, taken, venue_ns = asyncio.run(trade())
    assert (refused.status, refused.retry_after_ns > 0) == (OutcomeStatus.REJECTED, True)
    assert taken.status is OutcomeStatus.ACCEPTED
    assert venue_ns > 0


def test_a_wrong_key_is_fatal_and_in_no_text(linear):
    key, secret = Secret("WRONGKEY0123456789"), Secret("WRONGSECRET0123456789")

    async def look():
        async with opened(linear, api_key=key, api_secret=secret) as adapter:
            with pytest.raises(VenueError) as caught:
                await adapter.fetch_balances()
            return caught.value, await adapter.submit(order(linear)), repr(settings_for(linear, api_key=key))

    error, outcome, shown = asyncio.run(look())
    assert error.is_fatal
    assert (outcome.status, outcome.retry_after_ns) == (OutcomeStatus.REJECTED, 0)
    for text in (str(error), outcome.text, shown):
        assert "WRONG" not in text


def test_many_instruments_are_asked_about_together():
    names = ",".join(f"{coin}USDT" for coin in ("BTC", "ETH", "SOL", "XRP", "ADA"))
    with started("tests.venues.bybit_server", "--symbols", names) as server:

        async def trade():
            async with running(server, rules_seconds=0.05) as (adapter, heard):
                for number in (1, 4):
                    lots = 10 if number == 1 else 100
                    await adapter.submit(order(server, instrument=number, quantity_lots=lots))
                    await adapter.submit(
                        order(server, instrument=number, order_type=LIMIT, limit_ticks=500, quantity_lots=200)
                    )
                server.post("/test/rules", {"symbol": "ADAUSDT"})
                await until(lambda: heard.changed_rules, "new rules")
                return await adapter.fetch_open_orders(), await adapter.fetch_positions(), heard.changed_rules

        orders, positions, changes = asyncio.run(trade())
        assert [one.instrument for one in orders] == [1, 4]
        assert [(one.instrument, one.quantity_lots) for one in positions] == [(1, 10), (4, 100)]
        assert [number for number, _ in changes] == [4]
        asked = server.get("/test/state")["requests"]
        assert (asked["/v5/order/realtime"], asked["/v5/position/list"]) == (1, 1)


def test_no_more_is_asked_than_is_granted(linear):
    async def ask():
        loop = asyncio.get_running_loop()
        async with opened(linear, request_weight=50) as adapter:
            start = loop.time()
            reads = asyncio.gather(*(adapter.fetch_time_ns() for _ in range(16)))
            await asyncio.sleep(0.1)
            assert (await adapter.submit(order(linear))).status is OutcomeStatus.ACCEPTED
            ordered = loop.time() - start
            await reads
            return ordered, loop.time() - start

    ordered, read = asyncio.run(ask())
    assert read > 0.9, "ten reads a second"
    assert ordered < read, "an order waits for no read"


def test_what_is_not_there_is_fatal(linear):
    async def look():
        adapter = BybitAdapter(settings_for(linear))
        try:
            with pytest.raises(VenueError, match="NOUSDT") as caught:
                await adapter.describe(["BTCUSDT", "NOUSDT"])
            with pytest.raises(VenueError, match="levels") as deep:
                await adapter.open([], Feeds(depth=5000))
            return caught.value.is_fatal, deep.value.is_fatal
        finally:
            await adapter.close()

    assert asyncio.run(look()) == (True, True)
