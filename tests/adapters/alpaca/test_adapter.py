"""The adapter against a server of ours over real sockets: market data, reads, rules, keys, and its end."""

import asyncio
import threading
import time
from decimal import Decimal
from random import Random

import pytest

from adapters.alpaca.client import AlpacaAdapter
from adapters.edge.secrets import Secret, traces
from kernel.lifecycle import (
    BUY,
    DAY,
    GTC,
)
from kernel.market import BAR, DEPTH, QUOTE, STATUS, TRADE
from kernel.venue import CancelOrder, Feeds, OutcomeStatus, Stream, StreamStatus, VenueError
from tests.adapters.alpaca.live import ONE, Heard, market_order, opened, resting_order, running, settings_for, until
from tests.adapters.alpaca.test_exactness import SHARE
from tests.venues.process import started

ACCEPTED, REJECTED, AMBIGUOUS = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS


def test_market_data_of_shares(shares):
    async def run():
        async with running(shares) as (adapter, heard):
            shares.post("/test/step", {"symbol": "MSFT", "count": 3})
            shares.post("/test/bar", {"symbol": "AAPL"})
            halt = {"T": "s", "S": "AAPL", "sc": "H", "t": time.time_ns()}
            for message in (halt, halt | {"sc": "T"}, {"T": "x", "S": "AAPL", "i": 1, "t": 1}):
                shares.post("/test/message", message)
            await until(lambda: len(heard.kinds(STATUS)) == 2 and adapter.passed_over["cancellations"])
            assert [(row[2], row[3]) for row in heard.kinds(STATUS)] == [(0, 1), (0, 0)]
            assert len(heard.kinds(TRADE)) == len(heard.kinds(QUOTE)) == 3
            (bar,) = heard.kinds(BAR)
            assert bar[0] - bar[8] == 60 * ONE
            price = Decimal(shares.get("/test/state")["prices"]["MSFT"])
            assert heard.kinds(TRADE)[-1][2:4] == (1, int(price * 10_000))

    asyncio.run(run())


def test_market_data_of_pairs(pairs):
    async def run():
        async with running(pairs, "crypto") as (_, heard):
            pairs.post("/test/step", {"symbol": "BTC/USD"})
            await until(lambda: heard.kinds(TRADE) and len(heard.kinds(DEPTH)) >= 60)
            assert heard.kinds(TRADE)[0][5] in (1, -1)
            # The books of both pairs at the subscription, then that of the pair that moved.
            assert sum(row[6] & 1 for row in heard.kinds(DEPTH)) == sum(row[6] >> 1 for row in heard.kinds(DEPTH)) == 3

    asyncio.run(run())


def test_only_what_is_wanted_is_heard(shares):
    async def run():
        async with running(shares, feeds=Feeds(bars=False, quotes=True)) as (_, heard):
            shares.post("/test/step", {"symbol": "AAPL", "count": 2})
            shares.post("/test/bar", {"symbol": "AAPL"})
            shares.post("/test/step", {"symbol": "MSFT"})
            await until(lambda: any(row[2] == 1 for row in heard.rows))
            assert {row[1] for row in heard.rows} == {QUOTE}

    asyncio.run(run())


@pytest.mark.parametrize("asset_class", ["equity", "crypto"])
def test_reads_agree_with_the_venue(shares, pairs, name, asset_class):
    server = shares if asset_class == "equity" else pairs

    async def run():
        async with opened(server, asset_class) as adapter:
            force = DAY if asset_class == "equity" else GTC
            assert (await adapter.submit(market_order(name, time_in_force=force))).status is ACCEPTED
            state = server.get("/test/state")
            positions = {one.instrument: one.quantity_lots for one in await adapter.fetch_positions()}
            held = {server.line["symbols"].index(symbol): one["quantity"] for symbol, one in state["positions"].items()}
            assert positions == {place: int(Decimal(number) * ONE) for place, number in held.items() if Decimal(number)}
            (balance,) = await adapter.fetch_balances()
            assert (balance.currency, Decimal(balance.total)) == ("USD", Decimal(state["cash"]["USD"]))
            fills = await adapter.fetch_fills(0)
            assert [fill.trade_id for fill in fills] == [fill["trade_id"] for fill in state["fills"]]
            assert await adapter.fetch_fills(fills[-1].ts_event_ns) == fills[-1:]
            assert await adapter.fetch_fills(fills[-1].ts_event_ns + 1) == []
            assert abs(await adapter.fetch_time_ns() - time.time_ns()) < ONE

    asyncio.run(run())


def test_bars_that_closed(shares):
    async def run():
        async with opened(shares) as adapter:
            minute = time.time_ns() // (60 * ONE) * 60 * ONE
            rows = await adapter.fetch_bars(1, minute - 10 * 60 * ONE)
            assert [row[8] for row in rows[-9:]] == [minute - back * 60 * ONE for back in range(9, 0, -1)]
            assert all(row[0] <= time.time_ns() and row[1:3] == (BAR, 1) for row in rows)
            assert len(await adapter.fetch_bars(1, 0)) == 1000
            assert await adapter.fetch_bars(1, time.time_ns() + 60 * ONE) == []

    asyncio.run(run())


def test_trades_by_hand_are_seen_and_paged(shares):
    async def run():
        async with running(shares) as (adapter, heard):
            since = time.time_ns()
            ids = [
                shares.post("/test/trade", {"symbol": "MSFT", "side": 1, "quantity": 1})["trade_id"] for _ in range(130)
            ]
            fills = await adapter.fetch_fills(since)
            assert [fill.trade_id for fill in fills] == ids
            assert all(fill.instrument == 1 and not fill.client_order_id.startswith("t-") for fill in fills)
            await until(lambda: sum(1 for one in heard.seen if one in fills) == 130)

    asyncio.run(run())


def test_rules_follow_the_venue_and_the_price(pairs, shares):
    async def run_pairs():
        async with running(pairs, "crypto", rules_every_s=0.05) as (_, heard):
            pairs.post("/test/rules", {"symbol": "ETH/USD"})
            await until(lambda: heard.changed)
            place, rules = heard.changed[-1]
            assert (place, rules.minimum_lots, rules.price_step_ticks) == (1, 10_000_000, 10_000_000)
            pairs.post("/test/rules", {"symbol": "ETH/USD", "trading": False})
            await until(lambda: not heard.changed[-1][1].is_trading)
            pairs.post("/test/rules", {"symbol": "ETH/USD", "trading": True})

    async def run_shares():
        async with running(shares) as (adapter, heard):
            shares.post("/test/price", {"symbol": "MSFT", "price": "0.95"})
            await until(lambda: heard.changed)
            assert (heard.changed[-1][0], heard.changed[-1][1].price_step_ticks) == (1, 1)
            (described,) = await adapter.describe(["MSFT"])
            assert described.rules.price_step_ticks == 1
            shares.post("/test/price", {"symbol": "MSFT", "price": "1.00"})
            await until(lambda: len(heard.changed) == 2)
            assert heard.changed[-1][1].price_step_ticks == 100
            shares.post("/test/price", {"symbol": "MSFT", "price": "100"})

    asyncio.run(run_pairs())
    asyncio.run(run_shares())


@pytest.mark.parametrize(("symbol", "asset_class", "words"), [
    ("NOPE", "equity", "asset NOPE: HTTP 404"), ("AAPL", "crypto", "AAPL is us_equity, not crypto"),
])  # fmt: skip
def test_symbols_that_are_not_there(shares, symbol, asset_class, words):
    async def run():
        async with opened(shares) as adapter:
            other = type(adapter)(settings_for(shares, asset_class))
            try:
                with pytest.raises(VenueError, match=words) as error:
                    await other.describe([symbol])
                assert error.value.is_fatal
            finally:
                await other.close()

    asyncio.run(run())


def test_wrong_keys_are_said_without_the_keys(shares, name):
    wrong = {"key": Secret("WRONGKEY-0123456789"), "secret": Secret("WRONGSECRET-0123456789")}
    changes = {"api_key": wrong["key"], "api_secret": wrong["secret"]}

    async def run():
        async with opened(shares) as good:
            bad = type(good)(settings_for(shares, **changes))
            await bad.open(good._markets.all and [one.instrument for one in good._markets.all], Feeds())
            heard = Heard()
            task = asyncio.create_task(bad.run(heard))
            await until(lambda: len(heard.streams) >= 4)
            task.cancel()
            said = [text for _, _, text in heard.streams]
            assert {"error 402: auth failed", "the keys are unauthorized"} <= set(said)
            assert heard.count(Stream.MARKET, StreamStatus.UP) == heard.count(Stream.PRIVATE, StreamStatus.UP) == 0
            with pytest.raises(VenueError, match="check the keys") as error:
                await bad.fetch_balances()
            assert error.value.is_fatal
            outcome = await bad.submit(resting_order(name))
            assert outcome.status is REJECTED
            texts = " ".join([*said, str(error.value), repr(error.value), outcome.text, repr(bad.__dict__)])
            assert traces(texts.encode(), wrong) == []
            await bad.close()

    asyncio.run(run())


def test_a_venue_that_is_not_there(name):
    with started("tests.venues.alpaca_server") as server:
        pass

    async def run():
        adapter = AlpacaAdapter(settings_for(server))
        await adapter.open([SHARE], Feeds())
        outcome = await adapter.submit(market_order(name, side=BUY))
        assert outcome.status is REJECTED
        assert outcome.retry_after_ns > 0
        begun = time.monotonic()
        with pytest.raises(VenueError, match="ConnectionError") as error:
            await adapter.fetch_time_ns()
        assert not error.value.is_fatal
        assert time.monotonic() - begun < 3
        cancel = await adapter.cancel(CancelOrder(client_order_id=name, instrument=0))
        assert (cancel.status, cancel.retry_after_ns > 0) == (REJECTED, True)
        await adapter.close()

    asyncio.run(run())


def test_a_closed_adapter_sends_nothing(shares, name):
    async def run():
        async with opened(shares) as adapter:
            pass
        outcome = await adapter.submit(market_order(name))
        assert (outcome.status, outcome.text) == (REJECTED, "not sent: the adapter is closed")

    asyncio.run(run())


def test_nothing_is_left_behind(shares):
    async def run():
        async with running(shares):
            pass
        await until(lambda: len(asyncio.all_tasks()) == 1)

    asyncio.run(run())
    deadline = time.monotonic() + 3
    while any(thread.name.startswith("alpaca") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_stops_at_whatever_instant_it_is_cancelled(pairs):
    chance = Random(1)

    async def run():
        async with opened(pairs, "crypto", rules_every_s=0.0) as adapter:
            for _ in range(60):
                task = asyncio.create_task(adapter.run(Heard()))
                await asyncio.sleep(chance.random() * 0.02)
                task.cancel()
                done, _ = await asyncio.wait({task}, timeout=5)
                assert done

    asyncio.run(run())
