"""Orders against a server of ours over real sockets: every type, replacements, cancels, refusals."""

import asyncio

import pytest

from kernel.lifecycle import (
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
from kernel.venue import CancelOrder, OrderStatus, OutcomeStatus, ReplaceOrder, VenueError
from tests.adapters.alpaca.live import ONE, market_order, opened, resting_order, running, until

ACCEPTED, REJECTED, AMBIGUOUS = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS


def replaced(name, **changes):
    plain = {"client_order_id": name, "instrument": 0, "quantity_lots": ONE, "limit_ticks": 590_000}
    return ReplaceOrder(**(plain | changes))


def cancelled(name, venue_order_id=""):
    return CancelOrder(client_order_id=name, instrument=0, venue_order_id=venue_order_id)


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
            shares.post("/test/fault", {"kind": "partial_fill", "limit": 1})
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


def test_an_order_that_the_venue_cancels(shares, name):
    async def run():
        async with running(shares) as (adapter, heard):
            outcome = await adapter.submit(resting_order(name))
            shares.post("/test/cancel", {"order_id": outcome.venue_order_id})
            await until(lambda: heard.orders(name)[-1:] and heard.orders(name)[-1].status is OrderStatus.CANCELED)

    asyncio.run(run())


def test_a_limit_of_requests_is_kept_before_the_venue_complains(shares, name):
    async def run():
        before = shares.get("/test/state")["requests"]
        async with opened(shares, requests_per_minute=12, read_deadline_s=0.2) as adapter:  # three reads
            # Reads leave a quarter of the requests for orders.
            for _ in range(6):
                await adapter.fetch_time_ns()
            with pytest.raises(VenueError, match="the rate limit allows no request for") as error:
                await adapter.fetch_time_ns()
            assert not error.value.is_fatal
            # Orders leave a tenth of them for cancels.
            outcomes = [await adapter.submit(resting_order(f"{name}-{number}")) for number in range(3)]
            assert [one.status for one in outcomes] == [ACCEPTED] * 2 + [REJECTED]
            assert 0 < outcomes[2].retry_after_ns <= 60 * ONE
            assert "limit of requests" in outcomes[2].text
            cancels = [await adapter.cancel(cancelled(f"{name}-{number}")) for number in range(2)]
            assert [one.status for one in cancels] == [ACCEPTED, REJECTED]
        assert shares.get("/test/state")["requests"] == before + 12

    asyncio.run(run())
