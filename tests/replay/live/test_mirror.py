"""However a venue's news arrives (twice, late, in another order, or only by asking), the state becomes the venue's."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kernel.events.body import pack_body
from kernel.lifecycle import GTC, LIMIT, MAKER
from kernel.market import QUOTE
from kernel.venue import CancelOrder, FillSeen, NewOrder, OrderSeen, OrderStatus, Seen
from replay.config import RunConfig, StrategyConfig
from replay.live.audit import audit_live
from replay.live.core import Input
from replay.live.files import JOURNAL_DIR
from replay.live.identities import Identities
from replay.live.mirror import Mirror
from replay.live.orders import OpenOrders
from replay.live.outbox import Outgoing, outgoing
from replay.live.reconcile import held_lots
from tests.replay.live.building import GENESIS, START_NS, Written, instrument, told

EXTERNAL = 1


@dataclass
class Book:
    """A venue that rests orders: it says what happens in pictures, one list of news for each moment."""

    chance: random.Random
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    fills: list[FillSeen] = field(default_factory=list)
    position: int = 0
    number: int = 0

    def picture(self, name: str) -> OrderSeen:
        order = self.orders[name]
        return OrderSeen(
            venue_order_id=order["id"],
            client_order_id=name if order["ours"] else "",
            instrument=0,
            status=order["status"],
            side=order["side"],
            order_type=LIMIT,
            time_in_force=GTC,
            quantity_lots=order["lots"],
            filled_lots=order["filled"],
            limit_ticks=order["limit"],
        )

    def submit(self, request: NewOrder) -> list[Seen]:
        assert request.client_order_id not in self.orders
        self.put(request.client_order_id, request.side, request.quantity_lots, request.limit_ticks, ours=True)
        return [self.picture(request.client_order_id)]

    def put(self, name: str, side: int, lots: int, limit: int, *, ours: bool) -> None:
        self.number += 1
        self.orders[name] = {
            "id": f"v{self.number}", "ours": ours, "status": OrderStatus.OPEN, "side": side, "lots": lots, "filled": 0,
            "limit": limit,
        }  # fmt: skip

    def cancel(self, name: str) -> list[Seen]:
        order = self.orders.get(name)
        if order is None or order["status"] is not OrderStatus.OPEN:
            return []
        if self.chance.random() < 0.3:
            news = self.fill(name, 1)  # it fills while it is being cancelled
            if order["status"] is not OrderStatus.OPEN:
                return news
        order["status"] = OrderStatus.CANCELED
        return [self.picture(name)]

    def fill(self, name: str, most: int) -> list[Seen]:
        order = self.orders[name]
        lots = min(most, order["lots"] - order["filled"])
        order["filled"] += lots
        if order["filled"] == order["lots"]:
            order["status"] = OrderStatus.FILLED
        self.position += order["side"] * lots
        fill = FillSeen(
            trade_id=f"t{len(self.fills)}",
            venue_order_id=order["id"],
            client_order_id=name if order["ours"] else "",
            instrument=0,
            side=order["side"],
            price_ticks=order["limit"] or 600_000,
            quantity_lots=lots,
            fee="0.01",
            fee_currency="USDT",
            liquidity=MAKER,
            ts_event_ns=START_NS,
        )
        self.fills.append(fill)
        return [fill, self.picture(name)]

    def happen(self) -> list[Seen]:
        """Something that nobody here asked for."""
        live = [name for name, order in self.orders.items() if order["status"] is OrderStatus.OPEN]
        if live and self.chance.random() < 0.5:
            return self.fill(self.chance.choice(live), self.chance.randint(1, 40))
        if live and self.chance.random() < 0.1:
            name = self.chance.choice(live)
            self.orders[name]["status"] = OrderStatus.CANCELED
            return [self.picture(name)]
        if self.chance.random() < 0.05:
            name = f"by hand {self.number}"
            self.put(name, self.chance.choice((1, -1)), self.chance.randint(1, 9), 600_000, ours=False)
            return [self.picture(name)]
        return []

    def everything(self) -> list[Seen]:
        return [*self.fills, *map(self.picture, self.orders)]


def _configuration() -> RunConfig:
    maker = StrategyConfig(use="market_maker", parameters={"fraction": 0.02})
    return RunConfig(
        strategies=[maker, StrategyConfig(use="do_nothing", name="external")], journal="full", digest_interval=400
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_state_becomes_the_venue(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    written = Written(tmp_path / "run", _configuration(), [instrument()], elsewhere=True)
    core, venue = written.core, Book(chance)
    orders = OpenOrders(core.state)
    identities, requests = Identities(GENESIS.hex()), list[Outgoing]()
    now = START_NS

    def take(inputs: list[Input]) -> Any:
        made = core.take(inputs, now)
        identities.note(told(made), made.tobytes(), _bodies(made, inputs))
        requests.extend(outgoing(told(made), orders, identities))
        return made

    mirror = Mirror(orders, [instrument()], identities, take, EXTERNAL)
    price, news = 600_000, list[Seen]()
    for _ in range(400):
        now += chance.randint(1, 10**9)
        price += chance.randint(-60, 60)
        made = core.take_rows([(now, QUOTE, 0, price - 5, 100, price + 5, 100, 0, 0)], now)
        identities.note(told(made), made.tobytes(), b"")
        requests.extend(outgoing(told(made), orders, identities))
        while requests:
            one = requests.pop(0)
            if isinstance(one.request, NewOrder):
                news += venue.submit(one.request)
            elif isinstance(one.request, CancelOrder):
                name = one.request.client_order_id or _name(venue, one.request.venue_order_id)
                news += venue.cancel(name)
        news += venue.happen()
        chance.shuffle(news)
        heard, news = (
            news[: chance.randint(0, len(news))],
            news[chance.randint(0, len(news)) :],
        )  # some twice, some lost
        mirror.take(heard, b"raw message", 2)
    mirror.take(venue.everything(), b"", 0)  # asking for everything ends all doubt
    open_here = {int(row["order_id"]) for row in core.state.orders[: int(core.state.head.order_count)]}
    open_there = {name for name, order in venue.orders.items() if order["status"] is OrderStatus.OPEN}
    assert held_lots(core.state, 0) == venue.position
    assert {identities.order_id(*_both(venue, name)) for name in open_there} == open_here
    assert len(venue.fills) == int(core.state.head.fill_count) > 20
    assert not mirror.ending
    before = core.next_sequence
    mirror.take(venue.everything(), b"again", 0)
    assert core.next_sequence == before  # the same news again is no news
    written.close()
    assert audit_live(written.run_dir / JOURNAL_DIR, written.file).events == before - 1


def _bodies(made: Any, inputs: list[Input]) -> bytes:
    return b"".join(pack_body(one.body) for one in inputs if one.body)


def _name(venue: Book, venue_order_id: str) -> str:
    return next(name for name, order in venue.orders.items() if order["id"] == venue_order_id)


def _both(venue: Book, name: str) -> tuple[str, str]:
    order = venue.orders[name]
    return (name if order["ours"] else "", order["id"])
