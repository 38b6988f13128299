"""Everything that can go wrong at the venue, at least once: what the driver hears, and what is true afterwards."""

import asyncio
import itertools
import time

import pytest

from kernel.lifecycle import GTC, LIMIT, REJECT_UNKNOWN_ORDER
from kernel.market import QUOTE, TRADE
from kernel.venue import CancelOrder, OrderStatus, OutcomeStatus, ReplaceOrder, Stream, StreamStatus, VenueError
from tests.adapters.alpaca.live import ONE, market_order, opened, resting_order, running, until
from tests.venues.faults import KINDS
from tests.venues.process import started

ACCEPTED, REJECTED, AMBIGUOUS = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS
NUMBERS = itertools.count(1)
# What a request hears, and whether it took effect.
SENDING = {
    "slow": (ACCEPTED, True),
    "timeout": (AMBIGUOUS, False),
    "timeout_after_accept": (AMBIGUOUS, True),
    "drop_after_accept": (AMBIGUOUS, True),
    "http_429": (REJECTED, False),
    "http_500": (AMBIGUOUS, False),
    "http_500_after_accept": (AMBIGUOUS, True),
    "malformed": (AMBIGUOUS, True),
    "truncated": (AMBIGUOUS, True),
    "wrong_signature": (REJECTED, False),
    "maintenance": (AMBIGUOUS, False),
}
# A cancel is answered with nothing that could be mangled.
CANCELLING = {kind: what for kind, what in SENDING.items() if kind not in ("malformed", "truncated")}
READING = sorted(SENDING.keys() - {"wrong_signature"})
ON_STREAMS = (
    "disconnect",
    "half_open",
    "duplicate",
    "reorder",
    "late_fill",
    "lost_message",
    "malformed",
    "truncated",
)
ON_ORDERS = ("partial_fill", "clock_skew", "instrument_change", "venue_cancel", "fill_while_cancelling", "maintenance")


@pytest.fixture(scope="module")
def whole():
    with started("tests.venues.alpaca_server", "--seed", "7") as server:
        yield server


@pytest.fixture
def shares(whole):
    yield whole
    whole.post("/test/faults", {"clear": True})


@pytest.fixture
def name():
    return f"f-{next(NUMBERS)}"


def strike(server, kind, where="", **more):
    server.post("/test/faults", {"kind": kind, "where": where, "limit": 1} | more)


def struck(server, kind):
    return server.get("/test/faults").get(kind, 0)


def test_every_fault_has_its_test():
    assert set(KINDS) == {*SENDING, *ON_STREAMS, *ON_ORDERS}


@pytest.mark.parametrize("kind", SENDING)
def test_submitting(shares, name, kind):
    outcome_is, is_there = SENDING[kind]

    async def run():
        async with opened(shares) as adapter:
            before = struck(shares, kind)
            strike(shares, kind, "POST /v2/orders")
            outcome = await adapter.submit(resting_order(name))
            assert outcome.status is outcome_is
            assert (outcome.retry_after_ns > 0) == (kind == "http_429")
            # Sent once: the fault struck once, and no second try went by it.
            assert struck(shares, kind) == before + 1
            found = await adapter.fetch_order(name, 0)
            assert (found is not None) == is_there
            sent = [one for one in shares.get("/test/state")["orders"] if one["request"]["client_order_id"] == name]
            assert len(sent) == is_there

    asyncio.run(run())


@pytest.mark.parametrize("kind", CANCELLING)
def test_cancelling(shares, name, kind):
    outcome_is, took_effect = CANCELLING[kind]

    async def run():
        async with opened(shares) as adapter:
            await adapter.submit(resting_order(name))
            strike(shares, kind, "DELETE")
            outcome = await adapter.cancel(CancelOrder(client_order_id=name, instrument=0))
            assert outcome.status is outcome_is
            found = await adapter.fetch_order(name, 0)
            assert found.status is (OrderStatus.CANCELED if took_effect else OrderStatus.OPEN)

    asyncio.run(run())


@pytest.mark.parametrize("kind", SENDING)
def test_replacing(shares, name, kind):
    outcome_is, took_effect = SENDING[kind]

    async def run():
        async with opened(shares) as adapter:
            await adapter.submit(resting_order(name))
            strike(shares, kind, "PATCH")
            request = ReplaceOrder(client_order_id=name, instrument=0, quantity_lots=2 * ONE, limit_ticks=590_000)
            assert (await adapter.replace(request)).status is outcome_is
            found = await adapter.fetch_order(name, 0)
            assert (found.quantity_lots == 2 * ONE) == took_effect
            # The order can be changed and cancelled as if nothing had been.
            again = await adapter.replace(ReplaceOrder(client_order_id=name, instrument=0, quantity_lots=3 * ONE))
            assert again.status is ACCEPTED
            assert (await adapter.fetch_order(name, 0)).quantity_lots == 3 * ONE
            assert (await adapter.cancel(CancelOrder(client_order_id=name, instrument=0))).status is ACCEPTED

    asyncio.run(run())


@pytest.mark.parametrize("kind", READING)
def test_reading_is_tried_again(shares, kind):
    async def run():
        async with opened(shares) as adapter:
            strike(shares, kind, "GET /v2/positions")
            positions = await adapter.fetch_positions()
            assert struck(shares, kind)
            assert positions == await adapter.fetch_positions()

    asyncio.run(run())


def test_reading_ends(shares):
    async def run():
        async with opened(shares) as adapter:
            before = struck(shares, "http_500")
            strike(shares, "http_500", "GET /v2/account", limit=None)
            with pytest.raises(VenueError, match="alpaca: the account: HTTP 500: internal server error occurred"):
                await adapter.fetch_balances()
            assert struck(shares, "http_500") == before + 4

    asyncio.run(run())


def test_a_wrong_signature_is_not_tried_again(shares):
    async def run():
        async with opened(shares) as adapter:
            strike(shares, "wrong_signature", "GET /v2/clock", limit=None)
            before = struck(shares, "wrong_signature")
            with pytest.raises(VenueError) as error:
                await adapter.fetch_time_ns()
            assert error.value.is_fatal
            assert struck(shares, "wrong_signature") == before + 1

    asyncio.run(run())


def test_the_clock_is_off(shares):
    async def run():
        async with opened(shares) as adapter:
            strike(shares, "clock_skew")
            assert 4 < (await adapter.fetch_time_ns() - time.time_ns()) / ONE < 6
            assert abs(await adapter.fetch_time_ns() - time.time_ns()) < ONE

    asyncio.run(run())


# --- streams --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["disconnect", "half_open", "malformed", "truncated"])
def test_the_market_stream_comes_back(shares, kind):
    async def run():
        async with running(shares) as (_, heard):
            strike(shares, kind, "data t")
            shares.post("/test/step", {"symbol": "AAPL"})
            await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP) == 2)
            assert heard.count(Stream.MARKET, StreamStatus.DOWN) == 1
            assert heard.count(Stream.PRIVATE, StreamStatus.UP) == 1
            count = len(heard.kinds(TRADE))
            shares.post("/test/step", {"symbol": "AAPL"})
            await until(lambda: len(heard.kinds(TRADE)) == count + 1)

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["disconnect", "half_open", "malformed", "truncated"])
def test_the_private_stream_comes_back_and_reads_tell_the_rest(shares, name, kind):
    async def run():
        async with running(shares) as (adapter, heard):
            strike(shares, kind, "trade_updates")
            await adapter.submit(market_order(name))
            await until(lambda: heard.count(Stream.PRIVATE, StreamStatus.UP) == 2)
            assert heard.count(Stream.PRIVATE, StreamStatus.DOWN) == 1
            assert (await adapter.fetch_order(name, 0)).status is OrderStatus.FILLED
            assert [fill.client_order_id for fill in await adapter.fetch_fills(0)].count(name) == 1

    asyncio.run(run())


def test_pauses_grow_while_the_venue_is_away(shares):
    async def run():
        async with running(shares) as (_, heard):
            strike(shares, "maintenance", "WS", limit=12)
            begun = time.monotonic()
            shares.post("/test/disconnect")
            await until(
                lambda: heard.count(Stream.MARKET, StreamStatus.UP) + heard.count(Stream.PRIVATE, StreamStatus.UP) == 4
            )
            downs = heard.count(Stream.MARKET, StreamStatus.DOWN) + heard.count(Stream.PRIVATE, StreamStatus.DOWN)
            assert downs == 14
            # Six refusals each would be over at once if the pauses stayed at their first length.
            assert time.monotonic() - begun > 0.2

    asyncio.run(run())


def test_a_fill_that_is_said_twice_has_one_id(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            strike(shares, "duplicate", "trade_updates", limit=2)
            await adapter.submit(market_order(name))
            await until(lambda: len(heard.fills(name)) == 2)
            assert len({fill.trade_id for fill in heard.fills(name)}) == 1

    asyncio.run(run())


def test_updates_out_of_order_are_all_heard(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            strike(shares, "reorder", "trade_updates")
            await adapter.submit(market_order(name))
            await until(lambda: len(heard.orders(name)) == 2)
            assert [one.status for one in heard.orders(name)] == [OrderStatus.FILLED, OrderStatus.OPEN]
            assert len(heard.fills(name)) == 1

    asyncio.run(run())


def test_market_messages_twice_and_out_of_order_are_given_on(shares):
    async def run():
        async with running(shares) as (_, heard):
            strike(shares, "duplicate", "data t")
            strike(shares, "reorder", "data q")
            shares.post("/test/step", {"symbol": "AAPL", "count": 2})
            await until(lambda: len(heard.kinds(TRADE)) == 3 and len(heard.kinds(QUOTE)) == 2)
            assert [row[1] for row in heard.rows] == [TRADE, TRADE, TRADE, QUOTE, QUOTE]

    asyncio.run(run())


def test_a_fill_that_comes_late(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            strike(shares, "late_fill")
            await adapter.submit(market_order(name))
            assert [fill.client_order_id for fill in await adapter.fetch_fills(0)].count(name) == 1
            assert heard.fills(name) == []
            await until(lambda: len(heard.fills(name)) == 1)

    asyncio.run(run())


def test_a_lost_update_is_found_by_asking(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            strike(shares, "lost_message", "trade_updates", limit=2)
            await adapter.submit(market_order(name))
            assert (await adapter.fetch_order(name, 0)).status is OrderStatus.FILLED
            assert [fill.client_order_id for fill in await adapter.fetch_fills(0)].count(name) == 1
            assert heard.fills(name) == heard.orders(name) == []

    asyncio.run(run())


# --- what the venue does ---------------------------------------------------------------------------------------------


def test_a_fill_in_parts(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            strike(shares, "partial_fill")
            wanted = 50 * ONE
            order = market_order(name, quantity_lots=wanted, order_type=LIMIT, limit_ticks=3_000_000, time_in_force=GTC)
            await adapter.submit(order)
            await until(lambda: heard.fills(name))
            for _ in range(20):
                shares.post("/test/settle")
            await adapter.submit(resting_order(f"{name}-x"))  # parts end with the next order
            shares.post("/test/settle")
            await until(lambda: heard.orders(name)[-1].status is OrderStatus.FILLED)
            fills = heard.fills(name)
            assert len(fills) > 1
            assert sum(fill.quantity_lots for fill in fills) == wanted
            assert fills == [fill for fill in await adapter.fetch_fills(0) if fill.client_order_id == name]

    asyncio.run(run())


def test_the_venue_cancels(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            await adapter.submit(resting_order(name))
            strike(shares, "venue_cancel", limit=100)
            await until(lambda: heard.orders(name)[-1:] and heard.orders(name)[-1].status is OrderStatus.CANCELED)

    asyncio.run(run())


def test_a_fill_overtakes_a_cancel(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            await adapter.submit(resting_order(name))
            strike(shares, "fill_while_cancelling")
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
                assert heard.changed[-1][1].minimum_lots == 200_000

        asyncio.run(run())
