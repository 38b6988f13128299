"""The streams of the adapter at a server of ours, over real sockets: rows, breaks, pauses, the end."""

import asyncio
import itertools
import logging
from decimal import Decimal

from adapters.edge.secrets import Secret
from kernel.lifecycle import (
    SELL,
)
from kernel.market import BAR, DEPTH, FUNDING, LEVEL, QUOTE, TRADE
from kernel.venue import (
    Feeds,
    FillSeen,
    Stream,
    StreamStatus,
)
from tests.adapters.bybit.live import Heard, hour_ago, opened, order, running, until


def test_market_streams_bring_every_kind_of_row(linear):
    async def listen():
        async with running(linear) as (_, heard):
            linear.post("/test/step", {"symbol": "BTCUSDT", "count": 20})
            linear.post("/test/bar", {"symbol": "BTCUSDT"})
            linear.post("/test/trade", {"symbol": "ETHUSDT", "side": 1, "quantity": "0.5"})
            linear.post("/test/funding", {"symbol": "ETHUSDT", "rate": "0.0003"})
            for kind in (TRADE, QUOTE, DEPTH, BAR, LEVEL):
                await until(lambda k=kind: heard.of_kind(k), f"row of kind {kind}")
            await until(lambda: heard.of_kind(FUNDING), "funding")
            return heard

    heard = asyncio.run(listen())
    assert len([row for row in heard.of_kind(TRADE) if row[2] == 0]) == 20
    assert all(bar[0] == bar[8] + 60 * 10**9 for bar in heard.of_kind(BAR))
    position = linear.get("/test/state")["positions"]["ETHUSDT"]["quantity"]
    (funding,) = heard.of_kind(FUNDING)
    assert funding[3] == 30_000
    assert Decimal(position) > 0
    assert all(row[3] < row[5] for row in heard.of_kind(QUOTE))
    assert {row[3] for row in heard.of_kind(DEPTH)} == {1, -1}


def test_a_trade_by_hand_is_seen_without_an_id_of_ours(linear):
    async def listen():
        async with running(linear) as (_, heard):
            linear.post("/test/trade", {"symbol": "BTCUSDT", "side": -1, "quantity": "0.002"})
            await until(lambda: heard.of(FillSeen), "fill")
            return heard.of(FillSeen)

    (fill,) = asyncio.run(listen())
    assert (fill.client_order_id, fill.side, fill.quantity_lots, fill.instrument) == ("", SELL, 2, 0)


def test_a_funding_that_was_missed_comes_with_the_fills(linear):
    async def listen():
        async with running(linear, Feeds(bars=False, quotes=False)) as (adapter, heard):
            await adapter.fetch_fills(await hour_ago(adapter))
            return heard

    heard = asyncio.run(listen())
    assert [row[3] for row in heard.of_kind(FUNDING)] == [30_000]


def test_a_change_of_the_rules_is_told(linear):
    async def listen():
        async with running(linear, rules_seconds=0.05) as (_, heard):
            linear.post("/test/rules", {"symbol": "BTCUSDT"})
            await until(lambda: heard.changed_rules, "new rules")
            linear.post("/test/rules", {"symbol": "BTCUSDT", "trading": False})
            await until(lambda: not heard.changed_rules[-1][1].is_trading, "halt")
            linear.post("/test/rules", {"symbol": "BTCUSDT", "trading": True})
            linear.post("/test/rules", {"symbol": "BTCUSDT"})
            await until(lambda: heard.changed_rules[-1][1].quantity_step_lots == 1, "old rules")
            return heard.changed_rules

    changes = asyncio.run(listen())
    assert changes[0][0] == 0
    assert changes[0][1].quantity_step_lots == 10


def test_keys_are_in_no_log_however_much_is_logged(linear, caplog):
    async def trade():
        async with running(linear) as (adapter, _):
            await adapter.submit(order(linear))
            await adapter.fetch_balances()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(trade())
    assert linear.line["key"] not in caplog.text
    assert linear.line["secret"] not in caplog.text
    assert caplog.records, "debugging is on: others do log"


def test_it_stops_at_whatever_instant_it_is_cancelled(linear):
    async def stop_after(seconds):
        async with opened(linear) as adapter:
            before = asyncio.all_tasks()
            task = asyncio.ensure_future(adapter.run(Heard()))
            await asyncio.sleep(seconds)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=2.0)
            assert done, f"still running when cancelled after {seconds} s"
            assert task.cancelled()
        await asyncio.sleep(0.02)
        return asyncio.all_tasks() - before

    for milliseconds in (0, 1, 2, 3, 5, 8, 13, 21, 34):
        assert asyncio.run(stop_after(milliseconds / 1000)) == set()


def test_pauses_between_connections_grow_and_begin_anew_after_one_that_held(linear):
    async def listen():
        loop = asyncio.get_running_loop()
        downs = []

        class Timed(Heard):
            def stream(self, stream, status, text):
                super().stream(stream, status, text)
                if status is StreamStatus.DOWN:
                    downs.append(loop.time())

        pauses = {"first_pause_seconds": 0.05, "longest_pause_seconds": 0.4}
        async with opened(linear, Feeds(), api_key=Secret(""), api_secret=Secret(""), **pauses) as adapter:
            heard = Timed()
            linear.post("/test/fault", {"kind": "maintenance", "where": "ws/connect", "limit": 4})
            task = asyncio.ensure_future(adapter.run(heard))
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP), "connection after four failures")
            await asyncio.sleep(0.45)
            linear.post("/test/fault", {"kind": "disconnect", "where": "ws/public", "limit": 1})
            linear.post("/test/step", {"symbol": "BTCUSDT"})
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.DOWN) == 5, "break")
            start = loop.time()
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP) == 2, "return")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return [later - earlier for earlier, later in itertools.pairwise(downs[:4])], loop.time() - start

    between, after = asyncio.run(listen())
    linear.post("/test/fault")
    assert between[2] > between[0]
    assert after < 0.2, "it would be 0.2 at least after five failures in a row"


def test_without_a_key_there_is_only_market_data(linear):
    async def listen():
        async with opened(linear, Feeds(), api_key=Secret(""), api_secret=Secret("")) as adapter:
            heard = Heard()
            task = asyncio.ensure_future(adapter.run(heard))
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP), "market")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return heard.streams

    assert [one[0] for one in asyncio.run(listen())] == [Stream.MARKET]


TRADES = Feeds(bars=False, quotes=False, trades=True)
RECENT = "/v5/market/recent-trade?category=linear&symbol=BTCUSDT&limit="


async def away(linear, heard, while_away):
    """The public stream breaks after one more trade, and is back when so many trades have been."""
    linear.post("/test/step", {"symbol": "BTCUSDT", "count": 3})
    await until(lambda: len(heard.of_kind(TRADE)) == 3, "three trades")
    linear.post("/test/fault", {"kind": "maintenance", "where": "ws/connect", "limit": 3})
    linear.post("/test/fault", {"kind": "disconnect", "where": "ws/public", "limit": 1})
    linear.post("/test/step", {"symbol": "BTCUSDT", "count": 1})
    await until(lambda: heard.count(Stream.MARKET, StreamStatus.DOWN), "break")
    linear.post("/test/step", {"symbol": "BTCUSDT", "count": while_away})
    await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP) == 2, "return")
    linear.post("/test/step", {"symbol": "BTCUSDT", "count": 2})


def test_trades_that_were_missed_come_once_and_before_those_that_follow(linear):
    async def listen():
        async with running(linear, TRADES) as (_, heard):
            await away(linear, heard, 10)
            await until(lambda: len(heard.of_kind(TRADE)) >= 16, "sixteen trades")
            return heard

    heard = asyncio.run(listen())
    theirs = linear.get(f"{RECENT}16")["result"]["list"][::-1]
    ours = [(Decimal(row[3]) * Decimal("0.1"), row[5], row[0] // 10**6) for row in heard.of_kind(TRADE)]
    sides = {"Buy": 1, "Sell": -1}
    assert ours == [(Decimal(one["price"]), sides[one["side"]], int(one["time"])) for one in theirs]
    assert heard.count(Stream.MARKET, StreamStatus.GAP) == 0


def test_more_trades_than_the_venue_lists_are_a_gap_that_is_told(linear):
    async def listen():
        async with running(linear, TRADES) as (_, heard):
            await away(linear, heard, 1100)
            await until(lambda: len(heard.of_kind(TRADE)) >= 1005, "what the venue lists")
            return [text for _, status, text in heard.streams if status is StreamStatus.GAP]

    assert asyncio.run(listen()) == ["trades of BTCUSDT are missing: more than the venue lists"]


def test_trades_that_cannot_be_asked_for_are_a_gap_and_the_stream_is_up(linear):
    async def listen():
        async with running(linear, TRADES, connect_seconds=1.0) as (_, heard):
            linear.post("/test/fault", {"kind": "http_500", "where": "recent-trade", "limit": 100})
            await away(linear, heard, 5)
            await until(lambda: len(heard.of_kind(TRADE)) >= 6, "trades after the gap")
            linear.post("/test/fault", {})
            return heard

    heard = asyncio.run(listen())
    assert heard.count(Stream.MARKET, StreamStatus.GAP) == 1
    assert len(heard.of_kind(TRADE)) == 6
