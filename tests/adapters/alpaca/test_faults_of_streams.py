"""Streams when things go wrong at the venue, and what a venue does on its own."""

import asyncio
import time

import pytest

from kernel.lifecycle import GTC, LIMIT, REJECT_UNKNOWN_ORDER
from kernel.market import QUOTE, TRADE
from kernel.venue import CancelOrder, Feeds, OrderStatus, OutcomeStatus, Stream, StreamStatus
from tests.adapters.alpaca.live import ONE, market_order, resting_order, running, strike, until
from tests.venues.process import started

ACCEPTED, REJECTED, AMBIGUOUS = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS


@pytest.mark.parametrize("kind", ["disconnect", "half_open", "malformed", "truncated"])
def test_the_market_stream_comes_back(shaky, kind):
    async def run():
        async with running(shaky) as (_, heard):
            strike(shaky, kind, "data t")
            shaky.post("/test/step", {"symbol": "AAPL"})
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP) == 2)
            assert heard.count(Stream.MARKET, StreamStatus.DOWN) == 1
            assert heard.count(Stream.PRIVATE, StreamStatus.UP) == 1
            count = len(heard.kinds(TRADE))
            shaky.post("/test/step", {"symbol": "AAPL"})
            await until(lambda: len(heard.kinds(TRADE)) == count + 1)

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["disconnect", "half_open", "malformed", "truncated"])
def test_the_private_stream_comes_back_and_reads_tell_the_rest(shaky, name, kind):
    async def run():
        async with running(shaky) as (adapter, heard):
            strike(shaky, kind, "trade_updates")
            await adapter.submit(market_order(name))
            await until(lambda: heard.count(Stream.PRIVATE, StreamStatus.UP) == 2)
            assert heard.count(Stream.PRIVATE, StreamStatus.DOWN) == 1
            assert (await adapter.fetch_order(name, 0)).status is OrderStatus.FILLED
            assert [fill.client_order_id for fill in await adapter.fetch_fills(0)].count(name) == 1

    asyncio.run(run())


def test_pauses_grow_while_the_venue_is_away(shaky):
    async def run():
        async with running(shaky) as (_, heard):
            strike(shaky, "maintenance", "WS", limit=12)
            begun = time.monotonic()
            shaky.post("/test/disconnect")
            await until(
                lambda: heard.count(Stream.MARKET, StreamStatus.UP) + heard.count(Stream.PRIVATE, StreamStatus.UP) == 4
            )
            downs = heard.count(Stream.MARKET, StreamStatus.DOWN) + heard.count(Stream.PRIVATE, StreamStatus.DOWN)
            assert downs == 14
            assert sum(1 for *_, text in heard.streams if text == "HTTP 503") == 12
            # Six refusals each would be over at once if the pauses stayed at their first length.
            assert time.monotonic() - begun > 0.2

    asyncio.run(run())


def test_a_fill_that_is_said_twice_has_one_id(shaky, name):
    async def run():
        async with running(shaky) as (adapter, heard):
            strike(shaky, "duplicate", "trade_updates", limit=2)
            await adapter.submit(market_order(name))
            await until(lambda: len(heard.fills(name)) == 2)
            assert len({fill.trade_id for fill in heard.fills(name)}) == 1

    asyncio.run(run())


def test_updates_out_of_order_are_all_heard(shaky, name):
    async def run():
        async with running(shaky) as (adapter, heard):
            strike(shaky, "reorder", "trade_updates")
            await adapter.submit(market_order(name))
            await until(lambda: len(heard.orders(name)) == 2)
            assert [one.status for one in heard.orders(name)] == [OrderStatus.FILLED, OrderStatus.OPEN]
            assert len(heard.fills(name)) == 1

    asyncio.run(run())


def test_a_trade_that_comes_twice_is_taken_once_and_what_is_out_of_order_is_given_on(shaky):
    async def run():
        async with running(shaky) as (_, heard):
            strike(shaky, "duplicate", "data t")
            strike(shaky, "reorder", "data q")
            shaky.post("/test/step", {"symbol": "AAPL", "count": 2})
            await until(lambda: len(heard.kinds(TRADE)) == 2 and len(heard.kinds(QUOTE)) == 2)
            assert [row[1] for row in heard.rows] == [TRADE, TRADE, QUOTE, QUOTE]

    asyncio.run(run())


def test_a_fill_that_comes_late(shaky, name):
    async def run():
        async with running(shaky) as (adapter, heard):
            strike(shaky, "late_fill")
            await adapter.submit(market_order(name))
            assert [fill.client_order_id for fill in await adapter.fetch_fills(0)].count(name) == 1
            assert heard.fills(name) == []
            await until(lambda: len(heard.fills(name)) == 1)

    asyncio.run(run())


def test_a_lost_update_is_found_by_asking(shaky, name):
    async def run():
        async with running(shaky) as (adapter, heard):
            strike(shaky, "lost_message", "trade_updates", limit=2)
            await adapter.submit(market_order(name))
            assert (await adapter.fetch_order(name, 0)).status is OrderStatus.FILLED
            assert [fill.client_order_id for fill in await adapter.fetch_fills(0)].count(name) == 1
            assert heard.fills(name) == heard.orders(name) == []

    asyncio.run(run())


def test_a_fill_in_parts(shaky, name):
    async def run():
        async with running(shaky) as (adapter, heard):
            strike(shaky, "partial_fill")
            wanted = 50 * ONE
            order = market_order(name, quantity_lots=wanted, order_type=LIMIT, limit_ticks=3_000_000, time_in_force=GTC)
            await adapter.submit(order)
            await until(lambda: heard.fills(name))
            await until(lambda: heard.orders(name)[-1].status is OrderStatus.FILLED)
            fills = heard.fills(name)
            assert len(fills) > 1
            assert sum(fill.quantity_lots for fill in fills) == wanted
            assert fills == [fill for fill in await adapter.fetch_fills(0) if fill.client_order_id == name]

    asyncio.run(run())


def test_the_venue_cancels(shaky, name):
    async def run():
        async with running(shaky) as (adapter, heard):
            await adapter.submit(resting_order(name))
            strike(shaky, "venue_cancel", limit=100)
            await until(lambda: heard.orders(name)[-1:] and heard.orders(name)[-1].status is OrderStatus.CANCELED)

    asyncio.run(run())


def test_a_fill_overtakes_a_cancel(shaky, name):
    async def run():
        async with running(shaky) as (adapter, heard):
            await adapter.submit(resting_order(name))
            strike(shaky, "fill_while_cancelling")
            outcome = await adapter.cancel(CancelOrder(client_order_id=name, instrument=0))
            assert (outcome.status, outcome.reason) == (REJECTED, REJECT_UNKNOWN_ORDER)
            await until(lambda: heard.orders(name)[-1].status is OrderStatus.FILLED)
            assert len(heard.fills(name)) == 1

    asyncio.run(run())


def test_rules_change():
    with started("tests.venues.alpaca_server", "--asset-class", "crypto") as server:

        async def run():
            async with running(server, "crypto", rules_every_s=0.02) as (_, heard):
                strike(server, "instrument_change")
                await until(lambda: heard.changed)
                assert heard.changed[-1][1].minimum_lots == 10_000_000

        asyncio.run(run())


async def away(server, heard, symbol, while_away):
    """The market stream breaks after a trade, and is back when so many more have been; then two follow."""
    server.post("/test/step", {"symbol": symbol, "count": 3})
    await until(lambda: len(heard.kinds(TRADE)) == 3)
    strike(server, "maintenance", "WS data", limit=3)
    strike(server, "disconnect", "data t")
    server.post("/test/step", {"symbol": symbol})
    await until(lambda: heard.count(Stream.MARKET, StreamStatus.DOWN))
    server.post("/test/step", {"symbol": symbol, "count": while_away})
    await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP) == 2)
    server.post("/test/step", {"symbol": symbol, "count": 2})


@pytest.mark.parametrize(("asset_class", "symbol"), [("equity", "AAPL"), ("crypto", "BTC/USD")])
def test_trades_that_were_missed_come_once_and_before_those_that_follow(asset_class, symbol):
    async def run():
        arguments = ("--seed", "9", "--no-settling", "--asset-class", asset_class)
        with started("tests.venues.alpaca_server", *arguments) as server:
            async with running(server, asset_class, Feeds(bars=False, quotes=False, trades=True)) as (_, heard):
                await away(server, heard, symbol, 10)
                await until(lambda: len(heard.kinds(TRADE)) >= 16)
                await asyncio.sleep(0.05)
            times = [row[0] for row in heard.kinds(TRADE)]
            assert len(times) == 16
            assert times == sorted(times)
            assert heard.count(Stream.MARKET, StreamStatus.GAP) == 0

    asyncio.run(run())


def test_trades_that_cannot_be_asked_for_are_a_gap_and_the_stream_is_up(shaky):
    async def run():
        async with running(shaky, feeds=Feeds(bars=False, quotes=False, trades=True)) as (_, heard):
            strike(shaky, "http_500", "stocks/trades", limit=100)
            await away(shaky, heard, "AAPL", 5)
            await until(lambda: len(heard.kinds(TRADE)) >= 6)
            assert heard.count(Stream.MARKET, StreamStatus.GAP) == 1
            assert len(heard.kinds(TRADE)) == 6

    asyncio.run(run())
