"""Orders and their events as tables: a row for each order, and a row for each event with the keys that link them.

Owns the columns. The linkage keys are those that the Consolidated Audit Trail of the United States links by; they are
no submission to it. Integers are as recorded; decimals are exact text beside them.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from kernel.events import catalogue as events
from kernel.events.body import shown_body
from kernel.events.layout import Stored
from kernel.lifecycle import ORDER_TYPE_NAMES, SIDE_NAMES, TIME_IN_FORCE_NAMES
from replay.audit_report.orders import Life, average_price
from replay.inspect.names import Names
from replay.inspect.phrases import CHECK_NAMES, Phrases

_NS = pa.timestamp("ns", "UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Column = tuple[str, Any, str]
ORDER_COLUMNS: tuple[Column, ...] = (
    ("order_id", pa.int64(), "the sequence of the event with which the order began"),
    ("client_order_id", pa.string(), "its name at the venue: ours, or the venue's if it was adopted"),
    ("adopted", pa.bool_(), "found at the venue, not intended by the kernel"),
    ("ts_intended", _NS, "when it was wanted, or found"),
    ("instrument", pa.string(), "venue/symbol"),
    ("strategy", pa.string(), "whose book it is for"),
    ("account", pa.int32(), "number of the account"),
    ("side", pa.string(), "buy or sell"),
    ("order_type", pa.string(), ""),
    ("time_in_force", pa.string(), ""),
    ("quantity_lots", pa.int64(), "as first wanted"),
    ("quantity", pa.string(), "the same, decimal"),
    ("limit_ticks", pa.int64(), "0 for none"),
    ("stop_ticks", pa.int64(), "0 for none"),
    ("group_id", pa.int64(), "of orders that belong together; 0 for none"),
    ("parent_id", pa.int64(), "the order that this one waited for; 0 for none"),
    ("cause", pa.int64(), "the sequence of the event that led to it"),
    ("check_name", pa.string(), "the verdict of risk: approved, or the check that refused; null before any"),
    ("verdict_sequence", pa.int64(), ""),
    ("accepted_sequence", pa.int64(), "0 when the venue never said so"),
    ("ts_accepted", _NS, ""),
    ("fills", pa.int64(), ""),
    ("filled_lots", pa.int64(), ""),
    ("filled", pa.string(), "the same, decimal"),
    ("tick_lots", pa.string(), "the sum of price in ticks times lots over the fills, exact"),
    ("average_price", pa.string(), "with two decimals more than a tick"),
    ("fees_minor", pa.int64(), "in minor units of the instrument's currency"),
    ("cancels_asked", pa.int64(), ""),
    ("replaces_asked", pa.int64(), ""),
    ("replaced", pa.int64(), "how often the venue changed it"),
    ("requests_rejected", pa.int64(), "cancels and replaces that the venue refused"),
    ("in_doubt", pa.int64(), "how often it was not known whether a request arrived"),
    ("outcome", pa.string(), "open, refused, filled, cancelled, expired, rejected"),
    ("reason", pa.string(), "why it ended so"),
    ("ended_sequence", pa.int64(), "0 while it is open"),
    ("ts_ended", _NS, ""),
    ("events", pa.int64(), "how many events its life has"),
)  # fmt: skip
STEP_COLUMNS: tuple[Column, ...] = (
    ("order_id", pa.int64(), "the order; with origin_date the order key"),
    ("origin_date", pa.date32(), "the UTC date on which the order began"),
    ("sequence", pa.int64(), "of the event in the journal"),
    ("ts_event", _NS, "when it happened"),
    ("ts_ingest", _NS, "when it was known here"),
    ("topic", pa.string(), ""),
    ("cat_event", pa.string(), "the report type of the Consolidated Audit Trail that comes nearest; null where the "
    "venue reports"),
    ("routed_order_id", pa.string(), "the order's name at the venue, which the venue's own report bears"),
    ("parent_order_id", pa.int64(), "0 for none"),
    ("group_id", pa.int64(), "0 for none"),
    ("venue", pa.string(), "where it was routed"),
    ("symbol", pa.string(), ""),
    ("strategy", pa.string(), ""),
    ("side", pa.string(), ""),
    ("quantity_lots", pa.int64(), "of this event; null where it has none"),
    ("price_ticks", pa.int64(), "of this event; null where it has none"),
    ("venue_trade_id", pa.string(), "of a fill, as the venue calls it"),
    ("cause", pa.int64(), "the sequence of the event that led to this one"),
    ("text", pa.string(), "what the event says"),
)  # fmt: skip
# A fill at an exchange is reported by the exchange; what it says is linked by the routed order's name.
CAT_EVENTS: dict[type[events.Event], str] = {
    events.OrderIntended: "MENO",
    events.OrderReleased: "MEOR",
    events.OrderReplaced: "MEOM",
    events.ReplaceRequested: "MEMR",
    events.CancelRequested: "MECR",
    events.OrderCanceled: "MEOC",
}


def schema_of(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of a table."""
    return pa.schema([(name, kind) for name, kind, _ in columns])


def order_row(life: Life, names: Names) -> dict[str, Any]:
    """One order as a row of ``ORDER_COLUMNS``."""
    birth, event = life.birth, life.birth.event
    assert isinstance(event, events.OrderIntended | events.OrderAdopted)
    return {
        "order_id": life.order_id,
        "client_order_id": life.client_order_id,
        "adopted": life.is_adopted,
        "ts_intended": birth.ts_event_ns,
        "instrument": names.instrument(birth.instrument),
        "strategy": names.strategy(birth.strategy),
        "account": birth.account,
        "side": SIDE_NAMES.get(event.side, str(event.side)),
        "order_type": ORDER_TYPE_NAMES.get(event.order_type, str(event.order_type)),
        "time_in_force": TIME_IN_FORCE_NAMES.get(event.time_in_force, str(event.time_in_force)),
        "quantity_lots": event.quantity_lots,
        "quantity": names.quantity(event.quantity_lots, birth.instrument),
        "limit_ticks": event.limit_ticks,
        "stop_ticks": event.stop_ticks,
        "group_id": life.group_id,
        "parent_id": life.parent_id,
        "cause": birth.cause,
        "check_name": CHECK_NAMES.get(life.check, str(life.check)) if life.check >= 0 else None,
        "verdict_sequence": life.verdict_sequence,
        "accepted_sequence": life.accepted_sequence,
        "ts_accepted": life.accepted_ns or None,
        "fills": life.fills,
        "filled_lots": life.filled_lots,
        "filled": names.quantity(life.filled_lots, birth.instrument),
        "tick_lots": str(life.tick_lots),
        "average_price": average_price(life, names) or None,
        "fees_minor": life.fee_minor,
        "cancels_asked": life.cancels_asked,
        "replaces_asked": life.replaces_asked,
        "replaced": life.replaced,
        "requests_rejected": life.requests_rejected,
        "in_doubt": life.in_doubt,
        "outcome": life.outcome,
        "reason": life.reason or None,
        "ended_sequence": life.ended_sequence,
        "ts_ended": life.ended_ns or None,
        "events": life.step_count,
    }


def step_rows(names: Names) -> Callable[[Life, Stored], dict[str, Any]]:
    """What makes a row of ``STEP_COLUMNS`` of an order's event."""
    phrases = Phrases(names)

    def row(life: Life, stored: Stored) -> dict[str, Any]:
        event, instrument = stored.event, life.birth.instrument
        known = 0 <= instrument < len(names.instruments)
        return {
            "order_id": life.order_id,
            "origin_date": (_EPOCH + timedelta(microseconds=life.birth.ts_event_ns // 1000)).date(),
            "sequence": stored.sequence,
            "ts_event": stored.ts_event_ns,
            "ts_ingest": stored.ts_ingest_ns,
            "topic": stored.type.topic,
            "cat_event": _cat_event(life, event),
            "routed_order_id": life.client_order_id,
            "parent_order_id": life.parent_id,
            "group_id": life.group_id,
            "venue": names.instruments[instrument].venue if known else "",
            "symbol": names.instruments[instrument].symbol if known else "",
            "strategy": names.strategy(life.birth.strategy),
            "side": SIDE_NAMES.get(getattr(life.birth.event, "side", 0), ""),
            "quantity_lots": getattr(event, "quantity_lots", None),
            "price_ticks": getattr(event, "price_ticks", getattr(event, "limit_ticks", None)),
            "venue_trade_id": _trade_id(stored),
            "cause": stored.cause,
            "text": phrases.sentence(stored),
        }

    return row


def _cat_event(life: Life, event: events.Event) -> str | None:
    if isinstance(event, events.RiskChecked):  # an approved order leaves at once, unless it waits for another
        return "MEOR" if event.check == 0 and life.parent_id == 0 else None
    return CAT_EVENTS.get(type(event))


def _trade_id(stored: Stored) -> str | None:
    if not isinstance(stored.event, events.OrderFilled):
        return None
    body = shown_body(stored.body)
    named = body.get("trade_id") if isinstance(body, dict) else None
    return str(named) if named else str(stored.event.trade_id)
