"""Orders and groups through any history: a state machine drives kernel, twin and a venue that answers in any order.

The ordinary session is short; ``KERNEL_HISTORIES=10000`` in the environment makes it a long one.
"""

import os
from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as generators
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kernel import lifecycle as life
from kernel.events import catalogue as c
from kernel.risk import numbers as risk
from tests.kernel.order_desk import Desk, bracket, group
from tests.reference.kernel.groups import broken, unsettled

HISTORIES = int(os.environ.get("KERNEL_HISTORIES", "25"))
seen: Counter[str] = Counter()
small = generators.integers(1, 12)
places = generators.integers(0, 30)
sides = generators.sampled_from((1, -1))


class Orders(RuleBasedStateMachine):
    """Two strategies, every kind of group, and a venue that does what it is asked by a group and else what it likes."""

    honours_links = True
    broken = 0

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(self.honours_links)

    def pick(self, place: int, orders: list[int]) -> int:
        return orders[place % len(orders)]

    @rule(
        lots=small, side=generators.sampled_from((1, -1)), limit=generators.booleans(), strategy=generators.booleans()
    )
    def bracket(self, lots: int, side: int, limit: bool, strategy: bool) -> None:
        self.desk.wish(*bracket(lots, side=side, limit=95 if limit else 0), strategy=int(strategy))

    @rule(
        roles=generators.sampled_from(((life.OCO, life.OCO), (life.OUO, life.OUO), (life.PARENT, life.CHILD))),
        lots=generators.lists(generators.integers(0, 12), min_size=2, max_size=4),
    )
    def group(self, roles: tuple[int, int], lots: list[int]) -> None:
        self.desk.wish(*group(*roles, *lots))

    @rule(lots=small, side=sides, instructions=generators.sampled_from((0, 2, 4)))
    def order(self, lots: int, side: int, instructions: int) -> None:
        self.desk.wish({"side": side, "order_type": life.MARKET, "quantity_lots": lots, "instructions": instructions})

    @precondition(lambda self: self.desk.resting)
    @rule(place=places, lots=small)
    def fill(self, place: int, lots: int) -> None:
        order = self.pick(place, list(self.desk.resting))
        strategy, reduces = self.desk.strategy(order), self.desk.instructions[order] & life.REDUCING
        before = self.desk.position(strategy)
        filled = self.desk.fill(order, lots)
        after = self.desk.position(strategy)
        assert not reduces or abs(after) == abs(before) - filled, "reduce-only made a position larger"
        seen["fill"] += 1

    @precondition(lambda self: any(not at["accepted"] for at in self.desk.resting.values()))
    @rule(place=places, rejects=generators.sampled_from((False, False, False, True)))
    def accept(self, place: int, rejects: bool) -> None:
        order = self.pick(place, [order for order, at in self.desk.resting.items() if not at["accepted"]])
        untouched = self.desk.resting[order]["filled"] == 0
        if rejects and untouched:
            self.desk.end(order, c.OrderRejected(order, 1))
        elif self.desk.status(order) != "working":
            self.desk.accept(order)

    @precondition(lambda self: self.desk.resting)
    @rule(place=places, expires=generators.booleans())
    def end(self, place: int, expires: bool) -> None:
        order = self.pick(place, list(self.desk.resting))
        leaves = self.desk.open_lots(order)
        self.desk.end(order, c.OrderExpired(order, leaves) if expires else c.OrderCanceled(order, leaves, 1))

    @precondition(lambda self: self.desk.requests)
    @rule(place=places, refuses=generators.booleans())
    def answer(self, place: int, refuses: bool) -> None:
        self.desk.answer(place % len(self.desk.requests), refuses)
        seen["refused" if refuses else "done"] += 1

    @precondition(lambda self: self.desk.state.head.order_count > 0)
    @rule(place=places, lots=generators.integers(0, 15), cancels=generators.booleans())
    def ask(self, place: int, lots: int, cancels: bool) -> None:
        rows = self.desk.state.orders[: int(self.desk.state.head.order_count)]
        order, strategy = (int(rows[place % len(rows)][name]) for name in ("order_id", "strategy"))
        if cancels:
            self.desk.cancel(order, strategy)
        else:
            self.desk.replace(order, lots, strategy)

    def teardown(self) -> None:
        events = [stored.event for stored in self.desk.log]
        seen["released"] += sum(isinstance(event, c.OrderReleased) for event in events)
        seen["group refused"] += sum(isinstance(e, c.RiskChecked) and e.check == risk.GROUP_REFUSED for e in events)
        for name, kind in (("cancel", c.CancelRequested), ("replace", c.ReplaceRequested)):
            seen[f"linked {name}"] += sum(isinstance(event, kind) and event.linked == 1 for event in events)

    @invariant()
    def the_twin_agrees(self) -> None:
        twin, rows = self.desk.twin, self.desk.state.orders[: int(self.desk.state.head.order_count)]
        assert len(twin.orders) == len(rows)
        for row, order in zip(rows, twin.orders, strict=True):
            found = dict(zip(row.dtype.names, row.tolist(), strict=True))
            found |= {name: life.STATUS_NAMES.get(found[name], "") for name in ("status", "before_request")}
            assert found == twin.row(order)

    @invariant()
    def nothing_is_left_to_ask(self) -> None:
        for order in self.desk.twin.orders:
            if order.group_id:
                assert not (left := unsettled(self.desk.twin, order)), f"order {order.order_id}: {left}"

    @invariant()
    def the_promises_hold(self) -> None:
        if self.honours_links:
            for roles in self.desk.roles.values():
                assert not (promise := broken(roles, self.desk.lots, self.desk.fills)), promise

    @invariant()
    def what_breaks_a_group_is_said(self) -> None:
        said = [stored.event for stored in self.desk.log if isinstance(stored.event, c.GroupBroken)]
        seen["broken"] += len(said) > self.broken
        self.broken = len(said)
        if self.honours_links:
            assert not any(event.excess_lots for event in said)
        for group_id, roles in self.desk.roles.items():
            if set(roles.values()) == {life.OCO}:
                late = sum(e.excess_lots for e in said if e.group_id == group_id)
                assert late == sum(self.desk.fills[order] for order in roles if order != self.first_fill(roles))
            elif life.ENTRY in roles.values():
                late = sum(e.excess_lots for e in said if e.group_id == group_id and roles[e.order_id] != life.ENTRY)
                out = sum(self.desk.fills[order] for order, role in roles.items() if role != life.ENTRY)
                entered = sum(self.desk.fills[order] for order, role in roles.items() if role == life.ENTRY)
                assert out - late <= entered, "what the exits took beyond the entry was said"

    def first_fill(self, roles: dict[int, int]) -> int:
        fills = [stored.event.order_id for stored in self.desk.log if isinstance(stored.event, c.OrderFilled)]
        return next((order for order in fills if order in roles), 0)

    @invariant()
    def what_waits_is_not_at_the_venue(self) -> None:
        for order in self.desk.twin.orders:
            assert (order.stage in ("submitted", "working", "partly filled")) == (order.order_id in self.desk.resting)


class SlowVenue(Orders):
    """A venue that knows nothing of groups: it comes to their requests late, or refuses them."""

    honours_links = False


for machine in (Orders, SlowVenue):
    machine.TestCase.settings = settings(
        max_examples=HISTORIES, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
TestOrders = Orders.TestCase
TestSlowVenue = SlowVenue.TestCase


def test_the_histories_came_to_everything() -> None:
    """A canary for the rules above."""
    for word in ("fill", "done", "refused", "released", "linked cancel", "linked replace", "group refused", "broken"):
        assert seen[word] > 0, f"no history came to {word!r}: {dict(seen)}"
