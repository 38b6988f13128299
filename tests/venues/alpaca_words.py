"""Alpaca's words for what the simulated exchange does: orders with replacements, fills, errors, market messages.

Owns the records of orders as Alpaca shows them: a replacement is a record of its own over one order of the exchange.
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.venues.exchange import Exchange
from tests.venues.shapes import BUY, CANCELED, EXPIRED, FILLED, NEW, PARTLY_FILLED, UNTRIGGERED, Fill, Order, Request

SPACE = uuid.UUID("5f0c9b1e-8d4e-4c43-9a1f-3a6a6e0f7a11")
STATUSES = {
    NEW: "new",
    UNTRIGGERED: "new",
    PARTLY_FILLED: "partially_filled",
    FILLED: "filled",
    CANCELED: "canceled",
    EXPIRED: "expired",
}
# Refusals of the exchange: HTTP status, code, message.
REFUSALS = {
    "unknown_symbol": (422, 42210000, 'asset "{symbol}" not found'),
    "not_trading": (422, 42210000, "asset {symbol} is not tradable"),
    "duplicate": (422, 40010001, "client_order_id must be unique"),
    "off_tick": (422, 42210000, "invalid limit_price. sub-penny increment does not fulfill minimum pricing criteria"),
    "off_step": (422, 42210000, "qty increment does not fulfill the asset's increment"),
    "too_small": (422, 42210000, "qty must be > filled_qty"),
    "too_large": (422, 42210000, "qty is too large"),
    "notional": (403, 40310000, "cost basis must be >= minimal amount of order 1"),
    "no_funds": (403, 40310000, "insufficient buying power"),
    "reduce_only": (422, 42210000, "position intent mismatch, inferred: sell_to_open, specified: sell_to_close"),
    "trigger": (422, 42210000, "stop price must be beyond the current price"),
    "unknown_order": (404, 40410000, "order not found"),
    "order_over": (422, 42210000, 'order is already in "{status}" state'),
    "no_change": (422, 42210000, "order parameters are not changed"),
}


def plain(number: Decimal | None) -> str | None:
    """Decimal text without an exponent, as Alpaca writes it."""
    if number is None:
        return None
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(ts_ns: int) -> str:
    """RFC 3339 with nine decimals."""
    seconds, nanoseconds = divmod(ts_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def execution_id(trade_id: str) -> str:
    """The id of an execution: that of the exchange in the form of a UUID."""
    return f"aaaaaaaa-0000-4000-8000-{trade_id}"


@dataclass
class Record:
    """An order as Alpaca shows it."""

    record_id: str
    client_order_id: str
    order: Order | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    frozen: dict[str, Any] | None = None  # how it was shown when it was replaced
    was_shown: bool = False
    # While a replacement is on its way: what the old order and the new one are shown with meanwhile.
    meanwhile: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def times(order: Order) -> dict[str, Any]:
        """When what happened to an order."""
        began, changed = moment(order.created_ns), moment(order.updated_ns)
        return {
            "created_at": began,
            "updated_at": changed,
            "submitted_at": began,
            "filled_at": changed if order.status == FILLED else None,
            "expired_at": None,
            "canceled_at": changed if order.status == CANCELED else None,
            "failed_at": None,
            "replaced_at": None,
        }

    def picture(self, order: Order | None = None) -> dict[str, Any]:
        """The order's JSON."""
        if self.frozen is not None:
            return self.frozen
        order = order or self.order
        assert order is not None
        shown = self.words(order)
        is_waiting = self.meanwhile and (order.is_open or self.replaces is not None)
        return shown | self.meanwhile if is_waiting else shown

    def words(self, order: Order) -> dict[str, Any]:
        """The order's JSON when nothing is on its way."""
        request, tags = order.request, order.request.tags
        average = order.value / order.filled if order.filled else None
        return {
            "id": self.record_id,
            "client_order_id": self.client_order_id,
            **self.times(order),
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "asset_id": str(uuid.uuid5(SPACE, request.symbol)),
            "symbol": request.symbol,
            "asset_class": tags.get("asset_class", "us_equity"),
            "notional": None,
            "qty": plain(request.quantity),
            "filled_qty": plain(order.filled),
            "filled_avg_price": plain(average),
            "order_class": "",
            "order_type": tags.get("type", "market"),
            "type": tags.get("type", "market"),
            "side": "buy" if request.side == BUY else "sell",
            "position_intent": tags.get("position_intent"),
            "time_in_force": tags.get("time_in_force", "day"),
            "limit_price": plain(request.limit),
            "stop_price": plain(request.trigger),
            "status": STATUSES[order.status],
            "extended_hours": False,
            "legs": None,
            "trail_percent": plain(request.trail_percent),
            "trail_price": plain(request.trail),
            "hwm": plain(order.best) if tags.get("type") == "trailing_stop" else None,
        }


class Records:
    """All records, by their id and their client order id, and the fills with what had filled then."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.by_id: dict[str, Record] = {}
        self.by_client_id: dict[str, Record] = {}
        self.current: dict[str, Record] = {}  # by the exchange's order id
        self.activities: list[dict[str, Any]] = []
        self._next: Record | None = None

    def begin(self, client_order_id: str, *, is_next: bool = True) -> Record:
        """A record for the order that the exchange makes next, or for a replacement."""
        record_id = str(uuid.uuid5(SPACE, f"record {len(self.by_id)}"))
        record = Record(record_id, client_order_id or str(uuid.uuid5(SPACE, record_id)))
        self.by_id[record_id] = self.by_client_id[record.client_order_id] = record
        self._next = record if is_next else None
        return record

    def undo(self, record: Record) -> None:
        """The exchange refused it: it never was."""
        del self.by_id[record.record_id], self.by_client_id[record.client_order_id]
        self._next = None

    def of(self, order_id: str) -> Record:
        """The record of an order of the exchange; one is made for an order that somebody else placed."""
        if order_id not in self.current:
            record = self._next or self.begin("")
            self._next = None
            record.order = self.exchange.orders[order_id]
            self.current[order_id] = record
        return self.current[order_id]

    def replace(self, old: Record, new: Record, shown: dict[str, Any], now_ns: int) -> None:
        """From here on the new record stands for the order; the old one stays as it was shown."""
        assert old.order is not None
        old.replaced_by, new.replaces, new.order = new.record_id, old.record_id, old.order
        old.frozen = shown | {"status": "replaced", "replaced_by": new.record_id, "replaced_at": moment(now_ns)}
        self.current[old.order.order_id] = new

    def note_fill(self, fill: Fill) -> None:
        """Keep a fill as an activity."""
        record, order = self.of(fill.order_id), self.exchange.orders[fill.order_id]
        at = moment(fill.ts_ns)
        stamp = "".join(ch for ch in at[:23] if ch.isdigit())
        self.activities.append(
            {
                "id": f"{stamp}::{execution_id(fill.trade_id)}",
                "activity_type": "FILL",
                "transaction_time": at,
                "type": "fill" if order.rest == 0 else "partial_fill",
                "price": plain(fill.price),
                "qty": plain(fill.quantity),
                "side": "buy" if fill.side == BUY else "sell",
                "symbol": fill.symbol,
                "leaves_qty": plain(order.rest),
                "order_id": record.record_id,
                "cum_qty": plain(order.filled),
                "order_status": "filled" if order.rest == 0 else "partially_filled",
            }
        )


def request_of(body: dict[str, Any], asset_class: str) -> Request:
    """What a client asks for. Raises KeyError or ValueError for what cannot be read."""
    kind, force = body["type"], body["time_in_force"]
    side = {"buy": 1, "sell": -1}[body["side"]]

    def number(name: str) -> Decimal | None:
        return Decimal(body[name]) if body.get(name) is not None else None

    tags = {"type": kind, "time_in_force": force, "asset_class": asset_class}
    if body.get("position_intent"):
        tags["position_intent"] = body["position_intent"]
    return Request(
        symbol=body["symbol"],
        side=side,
        quantity=Decimal(body["qty"]),
        client_order_id=body.get("client_order_id", ""),
        limit=number("limit_price"),
        trigger=number("stop_price"),
        trigger_rises=side == BUY,
        trail=number("trail_price"),
        trail_percent=number("trail_percent"),
        time_in_force=force if force in ("ioc", "fok") else "gtc",
        tags=tags,
    )
