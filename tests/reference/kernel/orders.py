"""The twin's orders: what an order is, what was asked about it, and what its group makes of it.

An order has a stage; requests are kept beside it as they are (a cancel asked for or not, a list of replaces), and the
status that the kernel keeps follows from both. What a group wants of an order is computed from all fills of the group.
"""

from dataclasses import dataclass, field
from typing import Any

from kernel.events import catalogue as c
from kernel.events.layout import Stored
from tests.reference.kernel.common import require

OPEN_ORDERS = 256
LOTS_OF_AN_ORDER = 2**54
LIVE = (
    "intended", "held", "submitted", "working", "partly filled", "cancel pending", "replace pending",
)  # fmt: skip
ENDED = ("filled", "cancelled", "expired", "rejected", "denied")
AT_VENUE = ("submitted", "working", "partly filled")
OCO, OUO, PARENT, CHILD, ENTRY, TAKE_PROFIT, STOP_LOSS = range(1, 8)
LEGS = (TAKE_PROFIT, STOP_LOSS)
TOUCHES = (5, 6)  # types that wait for a better price


@dataclass
class Order:
    order_id: int
    strategy: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    quantity_lots: int
    filled_lots: int
    limit_ticks: int
    stop_ticks: int
    tag: int
    instructions: int
    purpose: int
    leg: int
    ts_intended_ns: int
    cause: int
    stage: str = "intended"
    accepted: bool = False
    cancel_asked: bool = False
    cancel_linked: bool = False
    replaces: list[int] = field(default_factory=list)
    trail_kind: int = 0
    trail_value: int = 0
    limit_offset_ticks: int = 0
    display_lots: int = 0
    expire_ns: int = 0
    group_id: int = 0
    group_role: int = 0
    parent_id: int = 0
    group_refused: bool = False
    began_lots: int = 0  # the quantity with which it joined its group
    before_lots: int = 0  # what the fills before it joined would have made of it
    share_lots: int = 0  # of a child: its share of what its parent has filled
    given_up: bool = False  # its group wants no more of it
    key: int = 0
    arrival_ticks: int = 0

    @property
    def leaves(self) -> int:
        return self.quantity_lots - self.filled_lots

    @property
    def reduces(self) -> bool:
        return bool(self.instructions & 6)

    @property
    def under(self) -> str:
        """The status without the cancel that was asked for."""
        return "replace pending" if self.replaces else self.stage

    @property
    def status(self) -> str:
        return "cancel pending" if self.cancel_asked else self.under

    def happen(self, happening: str) -> None:
        """Move on, or refuse. The numbers are the caller's."""
        stage, at_venue = self.stage, self.stage in AT_VENUE
        legal = {
            "approve": stage == "intended",
            "hold": stage == "intended",
            "deny": stage == "intended",
            "release": stage == "held",
            "accept": stage in ("submitted", "partly filled") or bool(self.replaces),
            "reject": stage == "submitted",
            "ask cancel": at_venue or stage == "held",
            "ask replace": stage == "held" or (at_venue and not self.cancel_asked),
            "replace": bool(self.replaces),
        }.get(happening, at_venue)
        require(legal, "ILLEGAL_TRANSITION")
        if happening in ("fill rest", "cancel", "expire", "reject", "deny"):
            ends = {"fill rest": "filled", "cancel": "cancelled", "expire": "expired", "reject": "rejected"}
            self.end(ends.get(happening, "denied"))
        elif happening in ("approve", "release"):
            self.stage = "submitted"
        elif happening == "hold":
            self.stage = "held"
        elif happening == "accept":
            self.accepted = True
            self.stage = "working" if stage == "submitted" else stage
        elif happening == "fill part":
            self.stage = "partly filled"
        elif happening == "ask cancel" and stage == "held":
            self.end("cancelled")
        elif happening == "ask cancel":
            self.cancel_asked = True
        elif happening == "refuse cancel":
            self.cancel_asked = self.cancel_linked = False
        elif happening in ("replace", "refuse replace"):
            del self.replaces[:1]

    def end(self, word: str) -> None:
        self.stage, self.cancel_asked, self.replaces = word, False, []


@dataclass
class Member:
    """What is remembered of an order of a group, open or not."""

    role: int
    filled_lots: int = 0


class Orders:
    """The part of the twin that keeps the open orders, in the order in which they were intended."""

    strategy_count: int
    books: dict[Any, Any]
    accounts: Any

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.groups: dict[int, dict[int, Member]] = {}
        self.group_fill = dict.fromkeys(("order_id", "group_id", "group_role", "quantity_lots", "excess_lots"), 0)

    def paper_of(self, stored: Stored) -> Any:
        raise NotImplementedError

    def hedging(self, stored: Stored) -> int:
        """1 where the strategy's account keeps a long and a short book."""
        return int(self.accounts[self.books[stored.strategy, stored.instrument, 1].account].hedging)

    def on_OrderIntended(self, event: c.OrderIntended, stored: Stored) -> None:  # noqa: N802
        self.intend(event, stored)

    def intend(self, event: c.OrderIntended | c.OrderAdopted, stored: Stored) -> None:
        require(len(self.orders) < OPEN_ORDERS, "NO_CAPACITY")
        paper = self.paper_of(stored)
        require(0 <= stored.strategy < self.strategy_count, "BAD_INDEX")
        require(abs(event.leg) == self.hedging(stored), "MISMATCH")
        shadow = self.accounts[self.books[stored.strategy, stored.instrument, 1].account].shadow
        require(not shadow, "MISMATCH")  # never an order
        require(0 < event.quantity_lots <= LOTS_OF_AN_ORDER, "MISMATCH")
        self.orders.append(
            Order(
                order_id=stored.sequence,
                strategy=stored.strategy,
                instrument=stored.instrument,
                side=event.side,
                order_type=event.order_type,
                time_in_force=event.time_in_force,
                quantity_lots=event.quantity_lots,
                filled_lots=0,
                limit_ticks=event.limit_ticks,
                stop_ticks=event.stop_ticks,
                tag=event.tag,
                instructions=event.instructions,
                purpose=event.purpose,
                leg=event.leg,
                ts_intended_ns=stored.ts_ingest_ns,
                cause=stored.cause,
                arrival_ticks=paper.last,
            )
        )

    def order(self, order_id: int) -> Order:
        found = [order for order in self.orders if order.order_id == order_id]
        require(len(found) == 1, "UNKNOWN_ORDER")
        return found[0]

    def step(self, order: Order, happening: str) -> None:
        order.happen(happening)
        if order.stage in ENDED:
            self.orders.remove(order)

    def on_OrderTerms(self, event: c.OrderTerms, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        require(order.stage == "intended" and not order.group_id, "ILLEGAL_TRANSITION")
        require(0 <= event.group_role <= STOP_LOSS, "MISMATCH")
        require(bool(event.group_id) == bool(event.group_role), "MISMATCH")
        for name in event.__struct_fields__[1:]:
            setattr(order, name, getattr(event, name))
        if order.group_id:
            order.began_lots = order.quantity_lots
            self.groups.setdefault(order.group_id, {})[order.order_id] = Member(order.group_role)
            order.before_lots = self.shared(order)

    def on_RiskChecked(self, event: c.RiskChecked, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        happening = "deny" if event.check else "hold" if order.parent_id else "approve"
        self.step(order, happening)
        if happening == "approve":
            self.note_stop(order)

    def on_OrderReleased(self, event: c.OrderReleased, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        require(order.stage == "held", "ILLEGAL_TRANSITION")
        require(order.filled_lots < event.quantity_lots <= LOTS_OF_AN_ORDER, "MISMATCH")
        require(event.quantity_lots == self.group_lots(order), "MISMATCH")
        self.step(order, "release")
        order.quantity_lots = event.quantity_lots
        self.note_stop(order)

    def note_stop(self, order: Order) -> None:
        """The first stop that protects a round trip."""
        trip = self.books[order.strategy, order.instrument, -1 if order.leg < 0 else 1].trip
        against = order.reduces and order.order_type not in TOUCHES and trip.side == -order.side
        if against and order.stop_ticks > 0 and not trip.stop_ticks:
            trip.stop_ticks = order.stop_ticks

    def on_OrderAccepted(self, event: c.OrderAccepted, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "accept")

    def on_OrderRejected(self, event: c.OrderRejected, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "reject")

    def on_OrderCanceled(self, event: c.OrderCanceled, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "cancel")

    def on_OrderExpired(self, event: c.OrderExpired, stored: Stored) -> None:  # noqa: N802
        self.step(self.order(event.order_id), "expire")

    def on_CancelRequested(self, event: c.CancelRequested, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        self.step(order, "ask cancel")
        order.cancel_linked = order.cancel_linked or event.linked == 1

    def on_ReplaceRequested(self, event: c.ReplaceRequested, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        if order.stage == "held":
            self.change(order, event.quantity_lots, event.limit_ticks, event.stop_ticks)
        else:
            self.step(order, "ask replace")
            order.replaces.append(event.quantity_lots)

    def on_OrderReplaced(self, event: c.OrderReplaced, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        require(order.filled_lots < event.quantity_lots <= LOTS_OF_AN_ORDER, "MISMATCH")
        self.step(order, "replace")
        self.change(order, event.quantity_lots, event.limit_ticks, event.stop_ticks)

    def change(self, order: Order, lots: int, limit_ticks: int, stop_ticks: int) -> None:
        require(order.filled_lots < lots <= LOTS_OF_AN_ORDER, "MISMATCH")
        order.quantity_lots, order.limit_ticks, order.stop_ticks = lots, limit_ticks, stop_ticks

    def on_RequestRejected(self, event: c.RequestRejected, stored: Stored) -> None:  # noqa: N802
        found = [order for order in self.orders if order.order_id == event.order_id]
        for order in found:
            self.step(order, "refuse cancel" if event.request == 1 else "refuse replace")
            order.group_refused = bool(order.group_id)

    # --- groups ---

    def on_GroupBroken(self, event: c.GroupBroken, stored: Stored) -> None:  # noqa: N802
        """Said once of the last fill."""
        fill = self.group_fill
        require(fill["group_id"] != 0, "MISMATCH")
        require(fill["group_id"] == event.group_id and fill["order_id"] == event.order_id, "MISMATCH")
        require(fill["excess_lots"] == event.excess_lots, "MISMATCH")
        alone = fill["quantity_lots"] - fill["excess_lots"] if fill["group_role"] == ENTRY else 0
        require(event.unprotected_lots in (0, alone), "MISMATCH")
        fill["group_id"] = 0

    def note_group_fill(self, order: Order, lots: int) -> None:
        """After the order has counted the fill, and before the others of its group do."""
        self.group_fill["group_id"] = order.group_id
        if order.group_id:
            excess = max(min(lots, order.filled_lots - self.group_lots(order)), 0)
            self.group_fill |= {"order_id": order.order_id, "group_role": order.group_role}
            self.group_fill |= {"quantity_lots": lots, "excess_lots": excess}

    def share_fill(self, order: Order, lots: int) -> None:
        """Remember a fill of a group's order, and what it ends."""
        if not order.group_id:
            return
        self.groups[order.group_id][order.order_id].filled_lots += lots
        for other in self.orders:
            if other.group_id != order.group_id or other is order:
                continue
            other.group_refused = False
            if order.group_role == other.group_role == OCO and not order.given_up:
                other.given_up = True
            if order.group_role in LEGS and other.group_role == ENTRY and not order.leaves:
                other.given_up, other.began_lots = True, other.filled_lots
            if order.group_role == PARENT and other.group_role == CHILD:
                other.share_lots = other.quantity_lots * order.filled_lots // order.quantity_lots

    def group_lots(self, order: Order) -> int:
        """The total quantity that its group wants the order to have."""
        if not order.group_id:
            return 0
        if order.group_role in LEGS:
            return self.shared(order) - order.before_lots
        if order.group_role == OUO:
            return order.began_lots + self.shared(order) - order.before_lots
        if order.group_role == OCO and order.given_up:
            return 0
        if order.group_role == ENTRY and order.given_up:
            return order.began_lots
        if order.group_role == CHILD and order.stage in ("intended", "held"):
            return order.share_lots
        return order.quantity_lots

    def shared(self, order: Order) -> int:
        """What the fills of the others in the group add to this order, or take from it."""
        others = [member for order_id, member in self.groups[order.group_id].items() if order_id != order.order_id]
        adds, takes = ((ENTRY,), LEGS) if order.group_role in LEGS else ((), (OUO,))
        return sum(m.filled_lots * ((m.role in adds) - (m.role in takes)) for m in others)

    def row(self, order: Order) -> dict[str, Any]:
        """The order as the kernel keeps it, with words for statuses."""
        kept = {name: value for name, value in vars(order).items() if name not in _OWN}
        kept["status"] = order.status
        kept["before_request"] = order.under if order.cancel_asked else ""
        kept["accepted"] = int(order.accepted)
        kept["cancel_linked"] = int(order.cancel_linked)
        kept["replaces_pending"] = len(order.replaces)
        kept["asked_lots"] = order.replaces[-1] if order.replaces else 0
        kept["group_lots"] = self.group_lots(order)
        kept["group_refused"] = int(order.group_refused)
        return kept


_OWN = {
    "stage", "cancel_asked", "replaces", "began_lots", "before_lots", "share_lots", "given_up", "cancel_linked",
    "group_refused",
}  # fmt: skip
