"""A replacement that is not in force at once, as at the real venue: what is seen meanwhile, and when it fails."""

import asyncio

import pytest

from kernel.venue import CancelOrder, OrderStatus, OutcomeStatus, ReplaceOrder
from tests.adapters.alpaca.live import ONE, opened, resting_order, running, until
from tests.venues.process import started

ACCEPTED, REJECTED = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED


@pytest.fixture(scope="module")
def slow():
    with started("tests.venues.alpaca_server", "--seed", "5", "--replace-ms", "150") as server:
        yield server


def replaced(name, **changes):
    plain = {"client_order_id": name, "instrument": 0, "quantity_lots": 2 * ONE, "limit_ticks": 590_000}
    return ReplaceOrder(**(plain | changes))


def test_the_old_order_stands_until_the_new_one_is_in_force(slow, name):
    async def run():
        async with running(slow) as (adapter, heard):
            first = await adapter.submit(resting_order(name))
            asked = asyncio.create_task(adapter.replace(replaced(name)))
            await asyncio.sleep(0.05)
            # It is on its way: nothing has changed yet, and nothing more can be asked for.
            meanwhile = await adapter.fetch_order(name, 0)
            assert (meanwhile.status, meanwhile.quantity_lots) == (OrderStatus.OPEN, ONE)
            assert [one for one in await adapter.fetch_open_orders() if one.client_order_id == name] == [meanwhile]
            for outcome in (
                await adapter.cancel(CancelOrder(client_order_id=name, instrument=0)),
                await adapter.replace(replaced(name, quantity_lots=3 * ONE)),
            ):
                assert outcome.status is REJECTED
                assert outcome.retry_after_ns > 0
            assert (await asked).status is ACCEPTED
            await until(lambda: heard.orders(name)[-1].quantity_lots == 2 * ONE)
            seen = heard.orders(name)
            assert all((one.venue_order_id == first.venue_order_id) == (one.quantity_lots == ONE) for one in seen)
            assert {one.status for one in seen} == {OrderStatus.OPEN}
            assert (await adapter.replace(replaced(name, quantity_lots=3 * ONE))).status is ACCEPTED
            assert (await adapter.fetch_order(name, 0)).quantity_lots == 3 * ONE
            assert (await adapter.cancel(CancelOrder(client_order_id=name, instrument=0))).status is ACCEPTED
            await until(lambda: heard.orders(name)[-1].status is OrderStatus.CANCELED)

    asyncio.run(run())


def test_an_order_that_fills_before_its_replacement(slow, name):
    async def run():
        async with running(slow) as (adapter, heard):
            before = slow.get("/test/state")["prices"]["AAPL"]
            await adapter.submit(resting_order(name))
            asked = asyncio.create_task(adapter.replace(replaced(name, limit_ticks=580_000)))
            await asyncio.sleep(0.05)
            slow.post("/test/price", {"symbol": "AAPL", "price": "59.50"})
            await until(lambda: heard.orders(name)[-1].status is OrderStatus.FILLED)
            slow.post("/test/price", {"symbol": "AAPL", "price": before})
            outcome = await asked
            assert (outcome.status, outcome.retry_after_ns) == (REJECTED, 0)
            assert "the replacement was rejected" in outcome.text
            assert OrderStatus.REJECTED not in {one.status for one in heard.orders(name)}
            last = await adapter.fetch_order(name, 0)
            assert (last.status, last.quantity_lots, last.filled_lots) == (OrderStatus.FILLED, ONE, ONE)
            assert sum(fill.quantity_lots for fill in heard.fills(name)) == ONE

    asyncio.run(run())


def test_a_replacement_that_the_account_cannot_pay(slow, name):
    async def run(go_with_streams):
        async with go_with_streams(slow) as opened_or_running:
            adapter = opened_or_running[0] if isinstance(opened_or_running, tuple) else opened_or_running
            order_name = f"{name}-{go_with_streams.__name__}"
            await adapter.submit(resting_order(order_name))
            outcome = await adapter.replace(replaced(order_name, quantity_lots=900_000 * ONE))
            assert outcome.status is REJECTED
            # The order stands as it was, and can be asked about again.
            assert (await adapter.fetch_order(order_name, 0)).quantity_lots == ONE
            assert (await adapter.replace(replaced(order_name))).status is ACCEPTED
            assert (await adapter.cancel(CancelOrder(client_order_id=order_name, instrument=0))).status is ACCEPTED

    asyncio.run(run(running))
    asyncio.run(run(opened))  # nothing is heard: it is asked
