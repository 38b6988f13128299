"""The adapter against a server of ours over real sockets: every method, both streams, both asset classes."""

import asyncio
import itertools
import threading
import time
from decimal import Decimal

import pytest

from adapters.alpaca.client import AlpacaAdapter
from adapters.edge.secrets import Secret, traces
from kernel.lifecycle import (
    BUY,
    DAY,
    GTC,
    IOC,
    REDUCE_ONLY,
    REJECT_BY_VENUE,
    REJECT_FILLED,
    REJECT_POST_ONLY,
    REJECT_REDUCE_ONLY,
    REJECT_UNKNOWN_ORDER,
    SELL,
    STOP,
    STOP_LIMIT,
    TRAIL_TICKS,
    TRAILING_STOP,
)
from kernel.market import BAR, DEPTH, QUOTE, STATUS, TRADE
from kernel.venue import CancelOrder, Feeds, OrderStatus, OutcomeStatus, ReplaceOrder, Stream, StreamStatus, VenueError
from tests.adapters.alpaca.live import ONE, Heard, market_order, opened, resting_order, running, settings_for, until
from tests.adapters.alpaca.test_exactness import SHARE
from tests.venues.process import started

ACCEPTED, REJECTED, AMBIGUOUS = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def shares():
    with started("tests.venues.alpaca_server", "--seed", "3") as server:
        yield server


@pytest.fixture(scope="module")
def pairs():
    with started("tests.venues.alpaca_server", "--seed", "4", "--asset-class", "crypto") as server:
        yield server


@pytest.fixture
def name():
    return f"t-{next(NUMBERS)}"


def replaced(name, **changes):
    plain = {"client_order_id": name, "instrument": 0, "quantity_lots": ONE, "limit_ticks": 590_000}
    return ReplaceOrder(**(plain | changes))


def cancelled(name, venue_order_id=""):
    return CancelOrder(client_order_id=name, instrument=0, venue_order_id=venue_order_id)


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


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, OrderStatus.FILLED),
        ({"side": SELL}, OrderStatus.FILLED),
        ({"time_in_force": IOC}, OrderStatus.FILLED),
        ({"order_type": STOP, "stop_ticks": 3_000_000}, OrderStatus.OPEN),
        ({"order_type": STOP_LIMIT, "stop_ticks": 3_000_000, "limit_ticks": 3_010_000}, OrderStatus.OPEN),
        ({"order_type": TRAILING_STOP, "trail_kind": TRAIL_TICKS, "trail_value": 200_000}, OrderStatus.OPEN),
    ],
)
def test_every_order_type_is_taken_and_seen(shares, name, changes, status):
    async def run():
        async with running(shares) as (adapter, heard):
            order = market_order(name, **changes)
            outcome = await adapter.submit(order)
            assert outcome.status is ACCEPTED
            await until(lambda: any(one.status is status for one in heard.orders(name)))
            seen = await adapter.fetch_order(name, 0)
            assert seen == heard.orders(name)[-1]
            assert (seen.side, seen.order_type, seen.time_in_force) == (
                order.side,
                order.order_type,
                order.time_in_force,
            )
            assert (seen.venue_order_id, seen.quantity_lots) == (outcome.venue_order_id, ONE)
            fills = heard.fills(name)
            assert sum(fill.quantity_lots for fill in fills) == seen.filled_lots
            assert fills == [fill for fill in await adapter.fetch_fills(0) if fill.client_order_id == name]
            await adapter.cancel(cancelled(name))

    asyncio.run(run())


def test_what_alpaca_cannot_do_is_not_sent(shares, name):
    async def run():
        async with opened(shares) as adapter:
            outcome = await adapter.submit(resting_order(name, instructions=1))
            assert (outcome.status, outcome.reason) == (REJECTED, REJECT_POST_ONLY)
            assert await adapter.fetch_order(name, 0) is None

    asyncio.run(run())


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"quantity_lots": 10**9 * ONE, "limit_ticks": 600_000}, REJECT_BY_VENUE, "qty is too large"),
        ({"quantity_lots": 900_000 * ONE}, REJECT_BY_VENUE, "40310000: insufficient buying power"),
        ({"instrument": 1, "side": SELL, "instructions": REDUCE_ONLY, "limit_ticks": 3_000_000}, REJECT_REDUCE_ONLY,
         "position intent mismatch"),
    ],
)  # fmt: skip
def test_refusals_of_the_venue(shares, name, changes, reason, words):
    async def run():
        async with opened(shares) as adapter:
            outcome = await adapter.submit(resting_order(name, **changes))
            assert (outcome.status, outcome.reason, outcome.retry_after_ns) == (REJECTED, reason, 0)
            assert words in outcome.text
            assert await adapter.fetch_order(name, 0) is None

    asyncio.run(run())


def test_an_id_that_was_used_is_ambiguous_and_found(shares, name):
    async def run():
        async with opened(shares) as adapter:
            first = await adapter.submit(resting_order(name))
            again = await adapter.submit(resting_order(name))
            assert (again.status, again.reason) == (AMBIGUOUS, 0)
            assert (await adapter.fetch_order(name, 0)).venue_order_id == first.venue_order_id
            assert (await adapter.cancel(cancelled(name))).status is ACCEPTED

    asyncio.run(run())


def test_an_order_keeps_its_id_through_replacements(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            first = await adapter.submit(resting_order(name))
            for number in range(1, 4):
                outcome = await adapter.replace(replaced(name, limit_ticks=590_000 - number * 100))
                assert outcome.status is ACCEPTED
                await until(lambda: heard.orders(name)[-1].venue_order_id == outcome.venue_order_id)  # noqa: B023
            outcome = await adapter.replace(replaced(name, quantity_lots=3 * ONE, limit_ticks=0))
            seen = await adapter.fetch_order(name, 0)
            assert (seen.client_order_id, seen.quantity_lots, seen.limit_ticks) == (name, 3 * ONE, 589_700)
            assert [one for one in await adapter.fetch_open_orders() if one.client_order_id == name] == [seen]
            # The id that the driver knew first leads to the order that stands for it now.
            assert (await adapter.cancel(cancelled(name, first.venue_order_id))).status is ACCEPTED
            await until(lambda: heard.orders(name)[-1].status is OrderStatus.CANCELED)
            assert {one.client_order_id for one in heard.orders(name)} == {name}

    asyncio.run(run())


def test_a_new_adapter_finds_what_stands_for_an_order(shares, name):
    async def run():
        async with opened(shares) as adapter:
            first = await adapter.submit(resting_order(name))
            await adapter.replace(replaced(name))
        async with opened(shares) as adapter:
            outcome = await adapter.replace(replaced(name, limit_ticks=580_000))
            assert outcome.status is ACCEPTED
            assert (await adapter.fetch_order(name, 0)).limit_ticks == 580_000
        async with opened(shares) as adapter:
            assert (await adapter.cancel(cancelled(name, first.venue_order_id))).status is ACCEPTED
            assert (await adapter.fetch_order(name, 0)).status is OrderStatus.CANCELED
            again = await adapter.cancel(cancelled(name))
            assert (again.status, again.reason) == (REJECTED, REJECT_UNKNOWN_ORDER)

    asyncio.run(run())


def test_a_replacement_carries_on_what_has_filled(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            shares.post("/test/faults", {"kind": "partial_fill", "limit": 1})
            await adapter.submit(
                market_order(name, quantity_lots=100 * ONE, time_in_force=GTC, order_type=2, limit_ticks=3_000_000)
            )
            await until(lambda: heard.fills(name))
            filled = heard.orders(name)[-1].filled_lots
            assert 0 < filled < 100 * ONE
            below = await adapter.replace(replaced(name, quantity_lots=filled, limit_ticks=0))
            assert (below.status, below.reason) == (REJECTED, REJECT_FILLED)
            await adapter.replace(replaced(name, quantity_lots=filled + ONE, limit_ticks=0))
            await until(lambda: heard.orders(name)[-1].status is OrderStatus.FILLED)
            last = heard.orders(name)[-1]
            assert (last.quantity_lots, last.filled_lots) == (filled + ONE, filled + ONE)
            told = {fill.trade_id: fill for fill in heard.fills(name)}
            assert sum(fill.quantity_lots for fill in told.values()) == filled + ONE
            asked = [fill for fill in await adapter.fetch_fills(0) if fill.client_order_id == name]
            assert {fill.trade_id: fill for fill in asked} == told

    asyncio.run(run())


@pytest.mark.parametrize("request_of", [replaced, cancelled])
def test_requests_about_an_order_that_is_not_there(shares, name, request_of):
    async def run():
        async with opened(shares) as adapter:
            ask = adapter.replace if request_of is replaced else adapter.cancel
            outcome = await ask(request_of(name))
            assert (outcome.status, outcome.reason) == (REJECTED, REJECT_UNKNOWN_ORDER)

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


def test_an_order_that_the_venue_cancels(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            outcome = await adapter.submit(resting_order(name))
            shares.post("/test/cancel", {"order_id": outcome.venue_order_id})
            await until(lambda: heard.orders(name)[-1:] and heard.orders(name)[-1].status is OrderStatus.CANCELED)

    asyncio.run(run())


def test_rules_follow_the_venue_and_the_price(pairs, shares):
    async def run_pairs():
        async with running(pairs, "crypto", rules_every_s=0.05) as (_, heard):
            pairs.post("/test/symbol", {"symbol": "ETH/USD", "minimum": "0.01", "tick": "0.5"})
            await until(lambda: heard.changed)
            place, rules = heard.changed[-1]
            assert (place, rules.minimum_lots, rules.price_step_ticks) == (1, 10_000_000, 500_000_000)

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
        cancel = await adapter.cancel(cancelled(name))
        assert (cancel.status, cancel.retry_after_ns > 0) == (REJECTED, True)
        await adapter.close()

    asyncio.run(run())


def test_a_limit_of_requests_is_kept_before_the_venue_complains(shares, name):
    async def run():
        async with opened(shares, requests_per_minute=12) as adapter:  # nine for orders
            outcomes = [await adapter.submit(resting_order(f"{name}-{number}")) for number in range(10)]
            assert [one.status for one in outcomes] == [ACCEPTED] * 9 + [REJECTED]
            assert 0 < outcomes[9].retry_after_ns <= 60 * ONE
            assert "limit of requests" in outcomes[9].text

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
