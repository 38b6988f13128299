"""Random requests at a venue that misbehaves by seed: in the end both sides know of the same orders and fills.

``KERNEL_VENUE_SEEDS=100`` in the environment runs so many seeds; the ordinary run has one.
"""

import asyncio
import os
from decimal import Decimal
from random import Random

import pytest

from kernel.lifecycle import GTC, LIMIT
from kernel.venue import CancelOrder, FillSeen, OutcomeStatus, ReplaceOrder
from tests.adapters.alpaca.live import ONE, market_order, running
from tests.venues.process import started

PLAN = (
    "disconnect=0.01,half_open=0.003,duplicate=0.02,reorder=0.02,late_fill=0.1,lost_message=0.02,malformed=0.005,"
    "truncated=0.005,timeout=0.01,timeout_after_accept=0.03,drop_after_accept=0.03,slow=0.02,http_429=0.01,"
    "http_500=0.02,http_500_after_accept=0.03,partial_fill=0.5,maintenance=0.005,venue_cancel=0.01,"
    "fill_while_cancelling=0.2"
)
REQUESTS = 30


class Trader:
    """Asks for this and that, and keeps which orders the venue must have."""

    def __init__(self, server, adapter, seed):
        self.server, self.adapter = server, adapter
        self.chance = Random(seed)
        self.names = []

    def price(self):
        """A limit near the market, in ticks."""
        cents = int(Decimal(self.server.get("/test/state")["prices"]["AAPL"]) * 100)
        return (cents + self.chance.randint(-5, 5)) * 100

    async def submit(self, name):
        lots = self.chance.randint(1, 9) * ONE
        changes = {"side": self.chance.choice((1, -1)), "order_type": LIMIT, "time_in_force": GTC}
        order = market_order(name, limit_ticks=self.price(), quantity_lots=lots, **changes)
        outcome = await self.adapter.submit(order)
        found = await self.adapter.fetch_order(name, 0)
        # Accepted is there, rejected is not; what is ambiguous is one of both.
        assert outcome.status is not OutcomeStatus.REJECTED or found is None
        assert outcome.status is not OutcomeStatus.ACCEPTED or found is not None
        if found is not None:
            self.names.append(name)

    async def change(self):
        name = self.chance.choice(self.names[-8:])
        if self.chance.random() < 0.5:
            await self.adapter.cancel(CancelOrder(client_order_id=name, instrument=0))
            return
        lots = self.chance.randint(1, 12) * ONE
        request = ReplaceOrder(client_order_id=name, instrument=0, quantity_lots=lots, limit_ticks=self.price())
        await self.adapter.replace(request)

    async def trade(self, prefix):
        for number in range(REQUESTS):
            if self.chance.random() < 0.6 or not self.names:
                await self.submit(f"{prefix}-{number}")
            else:
                await self.change()


def lots(text):
    return int(Decimal(text) * ONE)


async def compare(server, adapter, heard, names):
    state = server.get("/test/state")
    orders = {one["request"]["client_order_id"]: one for one in state["orders"]}
    assert len(orders) == len(state["orders"])
    assert set(orders) == set(names)
    fills = {fill.trade_id: fill for fill in await adapter.fetch_fills(0)}
    assert set(fills) == {one["trade_id"] for one in state["fills"]}
    told = [one for one in heard.seen if isinstance(one, FillSeen)]
    assert all(fills[fill.trade_id] == fill for fill in told)
    for name, order in orders.items():
        seen = await adapter.fetch_order(name, 0)
        assert (seen.filled_lots, seen.quantity_lots) == (lots(order["filled"]), lots(order["request"]["quantity"]))
        assert seen.status.value == order["status"]
        assert sum(fill.quantity_lots for fill in fills.values() if fill.client_order_id == name) == seen.filled_lots
    assert await adapter.fetch_open_orders() == []


@pytest.mark.parametrize("seed", range(1, 1 + int(os.environ.get("KERNEL_VENUE_SEEDS", "1"))))
def test_both_sides_know_the_same_in_the_end(seed):
    arguments = ("--seed", str(seed), "--rate", "100", "--partial", "0.5", "--retry-after", "", "--faults", PLAN)

    async def run(server):
        async with running(server) as (adapter, heard):
            trader = Trader(server, adapter, seed)
            await trader.trade(f"r{seed}")
            server.post("/test/fault", {})
            for name in trader.names:
                await adapter.cancel(CancelOrder(client_order_id=name, instrument=0))
            await compare(server, adapter, heard, trader.names)

    with started("tests.venues.alpaca_server", *arguments) as server:
        asyncio.run(run(server))
