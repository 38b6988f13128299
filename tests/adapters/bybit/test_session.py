"""Sessions with faults of every kind, by seed: what the adapter says of each order is true, and no fill is lost or told
twice by its questions. ``KERNEL_SESSIONS=20`` runs twenty seeds, and longer ones.
"""

import asyncio
import os
import random
from decimal import Decimal

import pytest

from kernel.lifecycle import BUY, GTC, LIMIT, MARKET, SELL
from kernel.venue import CancelOrder, Feeds, FillSeen, NewOrder, OutcomeStatus
from tests.adapters.bybit.live import running
from tests.venues.process import started

SESSIONS = int(os.environ.get("KERNEL_SESSIONS", "0"))
ORDERS = 30 if SESSIONS else 10
FAULTS = (
    "disconnect@ws=0.01,half_open@ws=0.002,timeout@order/c=0.03,timeout_after_accept@order/c=0.05,"
    "drop_after_accept=0.05,slow@order=0.05,duplicate=0.05,reorder=0.02,late_fill=0.1,lost_message@ws/public=0.01,"
    "partial_fill=0.3,http_429@order/c=0.05,http_500=0.03,http_500_after_accept=0.03,malformed=0.02,truncated=0.02,"
    "wrong_signature@order/create=0.02,clock_skew@order=0.03,maintenance=0.02,venue_cancel=0.01,"
    "fill_while_cancelling=0.3"
)


CATEGORIES = ("linear", "spot", "inverse")
REFERENCES = {"linear": (600_000, 30_000), "spot": (6_000_000, 300_000), "inverse": (120_000, 6_000)}
LOTS = {"linear": 1, "spot": 100_000, "inverse": 20}


async def session(server, chance):
    """Submit and cancel at random; returns what was said of each order, and the fills that were heard."""
    said, found, category = {}, {}, server.line["category"]
    feeds = Feeds(trades=True, depth=50)
    quick = {"request_seconds": 0.3, "keep_alive_seconds": 0.2, "read_attempts": 10}
    async with running(server, feeds, **quick) as (adapter, heard):
        start = await adapter.fetch_time_ns() - 60 * 10**9
        for number in range(ORDERS):
            name = f"s-{number}"
            reference = REFERENCES[category][number % 2]
            new = NewOrder(
                client_order_id=name,
                instrument=number % 2,
                side=chance.choice((BUY, SELL)),
                order_type=chance.choice((MARKET, LIMIT)),
                time_in_force=GTC,
                quantity_lots=chance.randint(5, 50) * LOTS[category],
                limit_ticks=reference + chance.randint(-20, 20),
                reference_ticks=reference,
            )
            said[name] = (await adapter.submit(new)).status
            if chance.random() < 0.3:
                await adapter.cancel(CancelOrder(client_order_id=name, instrument=number % 2))
        for number, name in enumerate(said):
            found[name] = await adapter.fetch_order(name, number % 2)
        server.post("/test/fault")
        await asyncio.sleep(0.4)  # what is late comes
        fills = await adapter.fetch_fills(start)
        positions = await adapter.fetch_positions()
        return said, found, heard.of(FillSeen), fills, positions, await adapter.fetch_balances()


@pytest.mark.parametrize("seed", range(1, max(SESSIONS, 1) + 1))
def test_what_is_said_of_orders_is_true(seed):
    category = CATEGORIES[(seed - 1) % 3]
    arguments = ("--category", category, "--seed", str(seed), "--rate", "200", "--partial", "0.3", "--faults", FAULTS)
    with started("tests.venues.bybit_server", *arguments) as server:
        said, found, heard, fills, positions, balances = asyncio.run(session(server, random.Random(seed)))
        state = server.get("/test/state")
    theirs = {order["request"]["client_order_id"] for order in state["orders"]}
    for name, status in said.items():
        if status is OutcomeStatus.ACCEPTED:
            assert name in theirs
        if status is OutcomeStatus.REJECTED:
            assert name not in theirs
        assert (found[name] is not None) == (name in theirs)
    ids = [fill["trade_id"] for fill in state["fills"]]
    assert sorted(fill.trade_id for fill in fills) == sorted(ids)
    told = [fill.trade_id for fill in heard]
    assert len(told) == len(set(told))
    assert set(told) <= set(ids)
    assert {one.currency: one.total for one in balances} == state["cash"]
    held = {server.line["symbols"][one.instrument]: one.quantity_lots for one in positions}
    per_unit = {"linear": 1000, "inverse": 1}.get(category)
    for symbol, position in state["positions"].items() if per_unit else ():
        assert held.get(symbol, 0) == Decimal(position["quantity"]) * per_unit
    assert len(state["faults"]) > 5
