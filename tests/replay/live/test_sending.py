"""What the venue answers to requests about one order, whatever else is being asked of it."""

import asyncio
from pathlib import Path
from typing import Any

from kernel.events.layout import REQUEST_REJECTED
from kernel.lifecycle import GTC, LIMIT, REQUEST_CANCEL, REQUEST_REPLACE, WORKING
from kernel.market import QUOTE
from kernel.venue import CancelOrder, NewOrder, OrderSeen, OrderStatus, Outcome, OutcomeStatus, ReplaceOrder
from replay.config import RunConfig, StrategyConfig
from replay.live.core import Input
from replay.live.identities import Identities
from replay.live.mirror import Mirror
from replay.live.orders import OpenOrders
from replay.live.outbox import outgoing
from replay.live.sending import Sender
from tests.replay.live.building import GENESIS, START_NS, Written, instrument, told

REFUSED = Outcome(status=OutcomeStatus.REJECTED, text="no")
STRATEGY = """
from kernel.lifecycle import BUY
from kernel.strategy.api_nb import cancel, limit_order, replace
from kernel.strategy.declare import compiled

@compiled(memory=1, settle=1, on="quote")
def turns(ctx, own):
    own[0] += 1.0
    if own[0] == 1.0:
        limit_order(ctx, BUY, 10, 599_000)
    elif own[0] == 2.0:
        replace(ctx, ctx.state.orders[0].order_id, 12, 599_000, 0)
    elif own[0] == 3.0:
        cancel(ctx, ctx.state.orders[0].order_id)
"""


class Refusing:
    """A venue that takes orders, and refuses every change and cancel of them; a change only when it is told to."""

    def __init__(self) -> None:
        self.refuses_change = asyncio.Event()
        self.asked: list[str] = []

    async def submit(self, order: NewOrder) -> Outcome:
        self.asked.append("submit")
        return Outcome(status=OutcomeStatus.ACCEPTED, venue_order_id="v1")

    async def replace(self, request: ReplaceOrder) -> Outcome:
        self.asked.append("replace")
        await self.refuses_change.wait()
        return REFUSED

    async def cancel(self, request: CancelOrder) -> Outcome:
        self.asked.append("cancel")
        return REFUSED

    async def fetch_order(self, client_order_id: str, instrument: int) -> OrderSeen:
        return OrderSeen(
            venue_order_id="v1", client_order_id=client_order_id, instrument=0, status=OrderStatus.OPEN, side=1,
            order_type=LIMIT, time_in_force=GTC, quantity_lots=10, filled_lots=0, limit_ticks=599_000,
        )  # fmt: skip


def test_a_change_that_is_refused_while_a_cancel_waits_is_over(tmp_path: Path) -> None:
    file = tmp_path / "turns.py"
    file.write_text(STRATEGY)
    strategies = [StrategyConfig(use=str(file)), StrategyConfig(use="do_nothing", name="external")]
    written = Written(
        tmp_path / "run", RunConfig(strategies=strategies, journal="full"), [instrument()], elsewhere=True
    )

    async def run() -> list[int]:
        core, orders, identities = written.core, OpenOrders(written.core.state), Identities(GENESIS.hex())
        venue, refused, now = Refusing(), list[int](), START_NS

        def noted(made: Any, bodies: bytes = b"") -> Any:
            identities.note(told(made), made.tobytes(), bodies)
            for record in made[made["kind"] == REQUEST_REJECTED.kind]:
                refused.append(int(record["words"][REQUEST_REJECTED.request]))
            return made

        def say(inputs: list[Input]) -> Any:
            return noted(core.take([one._replace(body=b"") for one in inputs], now))

        mirror = Mirror(orders, [instrument()], identities, say, 1)
        sender: Any = Sender(venue, orders, mirror, identities, say, lambda: "")  # type: ignore[arg-type]
        for _ in range(3):
            now += 1_000_000_000
            made = noted(core.take_rows([(now, QUOTE, 0, 600_000, 9, 600_002, 9, 0, 0)], now))
            for one in outgoing(told(made), orders, identities):
                sender.push(one)
            await asyncio.sleep(0.05)
        venue.refuses_change.set()
        while sender.busy:
            await asyncio.sleep(0.05)
        assert venue.asked[:3] == ["submit", "replace", "cancel"]
        (order,) = orders
        assert (order.status, order.replaces_pending) == (WORKING, 0)
        await sender.stop()
        return refused

    assert asyncio.run(run()) == [REQUEST_REPLACE, REQUEST_CANCEL]
    written.close()
