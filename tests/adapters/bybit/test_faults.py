"""Every fault that the server knows, at least once: what the adapter says of it, and that it goes on afterwards."""

import asyncio

import pytest

from kernel.lifecycle import LIMIT, REJECT_UNKNOWN_ORDER
from kernel.market import DEPTH, SNAPSHOT, TRADE
from kernel.venue import (
    CancelOrder,
    FillSeen,
    OrderSeen,
    OrderStatus,
    OutcomeStatus,
    Stream,
    StreamStatus,
    VenueError,
)
from tests.adapters.bybit.live import opened, order, running, until
from tests.venues.faults import KINDS

CREATE = "order/create"
QUICK = {"request_seconds": 0.4, "keep_alive_seconds": 0.1}


def strike(server, kind, where="", limit=1, **more):
    server.post("/test/fault", {"kind": kind, "where": where, "limit": limit, **more})


async def submitted(server, kind, status, *, has_effect, limit=1):
    """Submit into a fault: the outcome, and whether the order is at the venue."""
    async with opened(server, **QUICK) as adapter:
        asked = order(server)
        strike(server, kind, CREATE, limit)
        outcome = await adapter.submit(asked)
        assert outcome.status is status, outcome
        seen = await adapter.fetch_order(asked.client_order_id, 0)
        assert (seen is not None) == has_effect
        assert (await adapter.submit(order(server))).status in (OutcomeStatus.ACCEPTED, status)
        return outcome


async def read_through(server, kind, limit=2):
    """A read is tried again until it is answered."""
    async with opened(server, **QUICK) as adapter:
        strike(server, kind, "wallet-balance", limit)
        assert await adapter.fetch_balances()


async def stream_returns(server, kind, where, stream):
    """A stream breaks, and comes back by itself."""
    async with running(server, **QUICK) as (_, heard):
        strike(server, kind, where)
        if stream is Stream.MARKET:
            server.post("/test/step", {"symbol": "BTCUSDT", "count": 3})
        else:
            server.post("/test/trade", {"symbol": "BTCUSDT", "side": 1, "quantity": "0.001"})
        await until(lambda: heard.count(stream, StreamStatus.DOWN), "break")
        await until(lambda: heard.count(stream, StreamStatus.UP) == 2, "return")


async def book_is_mended(server, kind):
    """A change of a book is missing: a gap, then a new snapshot."""
    async with running(server, **QUICK) as (_, heard):
        server.post("/test/step", {"symbol": "BTCUSDT", "count": 3})
        strike(server, kind, "orderbook.50.BTCUSDT")
        server.post("/test/step", {"symbol": "BTCUSDT", "count": 8})
        await until(lambda: heard.count(Stream.MARKET, StreamStatus.GAP), "gap")
        await until(lambda: heard.count(Stream.MARKET, StreamStatus.UP) == 2, "mended book")
        snapshots = [row for row in heard.of_kind(DEPTH) if row[2] == 0 and row[6] & SNAPSHOT]
        assert len(snapshots) == 2
        assert heard.count(Stream.MARKET, StreamStatus.DOWN) == 0


async def disconnect(server):
    await stream_returns(server, "disconnect", "ws/public", Stream.MARKET)
    await stream_returns(server, "disconnect", "ws/private", Stream.PRIVATE)


async def half_open(server):
    await stream_returns(server, "half_open", "ws/public", Stream.MARKET)
    await stream_returns(server, "half_open", "ws/private", Stream.PRIVATE)


async def timeout(server):
    await submitted(server, "timeout", OutcomeStatus.AMBIGUOUS, has_effect=False)
    await read_through(server, "timeout", 1)


async def timeout_after_accept(server):
    await submitted(server, "timeout_after_accept", OutcomeStatus.AMBIGUOUS, has_effect=True)


async def drop_after_accept(server):
    await submitted(server, "drop_after_accept", OutcomeStatus.AMBIGUOUS, has_effect=True)
    await read_through(server, "drop_after_accept")


async def slow(server):
    await submitted(server, "slow", OutcomeStatus.ACCEPTED, has_effect=True)


async def duplicate(server):
    async with running(server) as (_, heard):
        strike(server, "duplicate", "execution")
        strike(server, "duplicate", "publicTrade")
        server.post("/test/trade", {"symbol": "BTCUSDT", "side": 1, "quantity": "0.001", "count": 2})
        server.post("/test/step", {"symbol": "BTCUSDT", "count": 2})
        await until(lambda: len(heard.of(FillSeen)) == 2, "two fills")
        await until(lambda: len(heard.of_kind(TRADE)) == 2, "two trades")
        await asyncio.sleep(0.05)
        assert (len(heard.of(FillSeen)), len(heard.of_kind(TRADE))) == (2, 2)


async def reorder(server):
    await book_is_mended(server, "reorder")


async def lost_message(server):
    await book_is_mended(server, "lost_message")


async def late_fill(server):
    async with running(server) as (adapter, heard):
        strike(server, "late_fill")
        await adapter.submit(order(server))
        await until(lambda: heard.of(OrderSeen), "order")
        assert heard.of(FillSeen) == []
        await until(lambda: heard.of(FillSeen), "late fill")


async def partial_fill(server):
    async with running(server) as (adapter, heard):
        strike(server, "partial_fill", limit=None)
        asked = order(server, quantity_lots=100)
        await adapter.submit(asked)
        await until(lambda: sum(fill.quantity_lots for fill in heard.of(FillSeen)) == 100, "all parts")
        assert len(heard.of(FillSeen)) > 1
        filled = [seen.filled_lots for seen in heard.of(OrderSeen)]
        assert filled == sorted(filled)


async def http_429(server):
    for _ in range(2):  # once by status, once by code
        outcome = await submitted(server, "http_429", OutcomeStatus.REJECTED, has_effect=False)
        assert outcome.retry_after_ns > 0


async def http_500(server):
    await submitted(server, "http_500", OutcomeStatus.AMBIGUOUS, has_effect=False)
    await read_through(server, "http_500")


async def http_500_after_accept(server):
    await submitted(server, "http_500_after_accept", OutcomeStatus.AMBIGUOUS, has_effect=True)


async def malformed(server):
    await submitted(server, "malformed", OutcomeStatus.AMBIGUOUS, has_effect=True)
    await read_through(server, "malformed")
    await stream_returns(server, "malformed", "ws/public/publicTrade", Stream.MARKET)


async def truncated(server):
    await submitted(server, "truncated", OutcomeStatus.AMBIGUOUS, has_effect=True)
    await read_through(server, "truncated")
    await stream_returns(server, "truncated", "ws/private/execution", Stream.PRIVATE)


async def wrong_signature(server):
    outcome = await submitted(server, "wrong_signature", OutcomeStatus.REJECTED, has_effect=False)
    assert outcome.retry_after_ns == 0
    strike(server, "wrong_signature", "ws/auth")
    async with running(server) as (_, heard):
        assert heard.count(Stream.PRIVATE, StreamStatus.DOWN) == 1


async def clock_skew(server):
    outcome = await submitted(server, "clock_skew", OutcomeStatus.REJECTED, has_effect=False)
    assert outcome.retry_after_ns > 0


async def instrument_change(server):
    async with running(server, rules_seconds=0.05) as (_, heard):
        for _ in range(2):  # there and back
            strike(server, "instrument_change", "ETHUSDT")
            server.post("/test/step", {"symbol": "ETHUSDT"})
            count = len(heard.changed_rules)
            await until(lambda c=count: len(heard.changed_rules) > c, "new rules")


async def maintenance(server):
    outcome = await submitted(server, "maintenance", OutcomeStatus.AMBIGUOUS, has_effect=False)
    assert "503" in outcome.text
    async with opened(server, **QUICK) as adapter:
        strike(server, "maintenance", "wallet-balance", None)
        with pytest.raises(VenueError) as caught:
            await adapter.fetch_balances()
        assert not caught.value.is_fatal
    strike(server, "maintenance", "ws/connect", 2)
    async with running(server) as (_, heard):
        assert sum(1 for one in heard.streams if one[1] is StreamStatus.DOWN) == 2


async def venue_cancel(server):
    async with running(server) as (adapter, heard):
        market = order(server)
        asked = order(server, order_type=LIMIT, limit_ticks=market.reference_ticks - 5000)
        await adapter.submit(asked)
        strike(server, "venue_cancel")
        server.post("/test/step", {"symbol": "BTCUSDT"})
        await until(lambda: [one for one in heard.of(OrderSeen) if one.status is OrderStatus.CANCELED], "cancel")
        assert heard.of(OrderSeen)[-1].text == "CancelByAdmin"


async def fill_while_cancelling(server):
    async with opened(server) as adapter:
        market = order(server)
        asked = order(server, order_type=LIMIT, limit_ticks=market.reference_ticks - 5000)
        await adapter.submit(asked)
        strike(server, "fill_while_cancelling")
        outcome = await adapter.cancel(CancelOrder(client_order_id=asked.client_order_id, instrument=0))
        assert (outcome.status, outcome.reason) == (OutcomeStatus.REJECTED, REJECT_UNKNOWN_ORDER)
        assert (await adapter.fetch_order(asked.client_order_id, 0)).status is OrderStatus.FILLED


FAULTS = {
    scenario.__name__: scenario
    for scenario in (
        disconnect,
        half_open,
        timeout,
        timeout_after_accept,
        drop_after_accept,
        slow,
        duplicate,
        reorder,
        lost_message,
        late_fill,
        partial_fill,
        http_429,
        http_500,
        http_500_after_accept,
        malformed,
        truncated,
        wrong_signature,
        clock_skew,
        instrument_change,
        maintenance,
        venue_cancel,
        fill_while_cancelling,
    )
}


def test_every_kind_of_fault_has_its_scenario():
    assert set(FAULTS) == set(KINDS)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault(linear, kind):
    before = linear.get("/test/state")["faults"].get(kind, 0)
    try:
        asyncio.run(FAULTS[kind](linear))
    finally:
        linear.post("/test/fault")
    assert linear.get("/test/state")["faults"][kind] > before
