"""Requests when things go wrong at the venue: what the driver hears, and what is true afterwards."""

import asyncio
import time

import pytest

from kernel.venue import CancelOrder, OrderStatus, OutcomeStatus, ReplaceOrder, VenueError
from tests.adapters.alpaca.live import ONE, opened, resting_order, strike, struck
from tests.venues.faults import KINDS

ACCEPTED, REJECTED, AMBIGUOUS = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS
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


def test_every_fault_has_its_test():
    assert set(KINDS) == {*SENDING, *ON_STREAMS, *ON_ORDERS}


@pytest.mark.parametrize("kind", SENDING)
def test_submitting(shaky, name, kind):
    outcome_is, is_there = SENDING[kind]

    async def run():
        async with opened(shaky) as adapter:
            before = struck(shaky, kind)
            strike(shaky, kind, "POST /v2/orders")
            outcome = await adapter.submit(resting_order(name))
            assert outcome.status is outcome_is
            assert (outcome.retry_after_ns > 0) == (kind == "http_429")
            # Sent once: the fault struck once, and no second try went by it.
            assert struck(shaky, kind) == before + 1
            found = await adapter.fetch_order(name, 0)
            assert (found is not None) == is_there
            sent = [one for one in shaky.get("/test/state")["orders"] if one["request"]["client_order_id"] == name]
            assert len(sent) == is_there

    asyncio.run(run())


@pytest.mark.parametrize("kind", CANCELLING)
def test_cancelling(shaky, name, kind):
    outcome_is, took_effect = CANCELLING[kind]

    async def run():
        async with opened(shaky) as adapter:
            await adapter.submit(resting_order(name))
            strike(shaky, kind, "DELETE")
            outcome = await adapter.cancel(CancelOrder(client_order_id=name, instrument=0))
            assert outcome.status is outcome_is
            found = await adapter.fetch_order(name, 0)
            assert found.status is (OrderStatus.CANCELED if took_effect else OrderStatus.OPEN)

    asyncio.run(run())


@pytest.mark.parametrize("kind", SENDING)
def test_replacing(shaky, name, kind):
    outcome_is, took_effect = SENDING[kind]

    async def run():
        async with opened(shaky) as adapter:
            await adapter.submit(resting_order(name))
            strike(shaky, kind, "PATCH")
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
def test_reading_is_tried_again(shaky, kind):
    async def run():
        async with opened(shaky) as adapter:
            strike(shaky, kind, "GET /v2/positions")
            positions = await adapter.fetch_positions()
            assert struck(shaky, kind)
            assert positions == await adapter.fetch_positions()

    asyncio.run(run())


def test_reading_ends(shaky):
    async def run():
        async with opened(shaky) as adapter:
            before = struck(shaky, "http_500")
            strike(shaky, "http_500", "GET /v2/account", limit=None)
            with pytest.raises(VenueError, match="alpaca: the account: HTTP 500: internal server error occurred"):
                await adapter.fetch_balances()
            assert struck(shaky, "http_500") == before + 4

    asyncio.run(run())


def test_a_wrong_signature_is_not_tried_again(shaky):
    async def run():
        async with opened(shaky) as adapter:
            strike(shaky, "wrong_signature", "GET /v2/clock", limit=None)
            before = struck(shaky, "wrong_signature")
            with pytest.raises(VenueError) as error:
                await adapter.fetch_time_ns()
            assert error.value.is_fatal
            assert struck(shaky, "wrong_signature") == before + 1

    asyncio.run(run())


def test_the_clock_is_off(shaky):
    async def run():
        async with opened(shaky) as adapter:
            strike(shaky, "clock_skew")
            assert 4 < (await adapter.fetch_time_ns() - time.time_ns()) / ONE < 6
            assert abs(await adapter.fetch_time_ns() - time.time_ns()) < ONE
            shaky.post("/test/clock", {"offset_ms": -2500})
            assert -3 < (await adapter.fetch_time_ns() - time.time_ns()) / ONE < -2
            shaky.post("/test/clock", {"offset_ms": 0})

    asyncio.run(run())
