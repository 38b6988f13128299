"""Orders on the page of the report: how they ended, and the life of each."""

from collections.abc import Iterator
from html import escape

from replay.audit_report.facts import OrderFact, Orders
from replay.audit_report.markup import event_table
from replay.report.tables import panel


def order_panels(orders: Orders) -> Iterator[str]:
    """How orders ended, and the life of each that is shown."""
    outcomes = [(outcome, f"{count:,}") for outcome, count in orders.outcomes.items()]
    refused = [(check, f"{count:,}") for check, count in orders.refused_by.items()]
    body = event_table(("how they ended", "orders"), outcomes, numbers=(1,)) if outcomes else "<p>None.</p>"
    body += event_table(("refused by", "orders"), refused, numbers=(1,)) if refused else "<p>Risk refused none.</p>"
    yield panel("Orders", f"{orders.count:,} orders, {orders.fills:,} fills", body)
    if not orders.shown:
        return
    shown = len(orders.shown)
    note = (
        f"All {shown:,} orders."
        if shown == orders.count
        else f"The first {shown:,} of {orders.count:,}; all are in orders.parquet."
    )
    lives = "".join(_life(order) for order in orders.shown)
    yield f'<section class="panel long"><h2>The life of each order</h2><p class="note">{note}</p>{lives}</section>'


def _life(order: OrderFact) -> str:
    price = f" at {order.average_price}" if order.average_price else ""
    filled = f", {order.filled} filled{price}, fees {order.fees}" if order.fills else ""
    cause = f"caused by event {order.cause:,}" if order.cause > 0 else ""
    known = f"at the venue {order.client_order_id}" if order.at_venue else ""
    steps = event_table(
        ("event", "time (UTC)", "topic", "what"),
        [(str(step.sequence), step.ts_event, step.topic, step.text) for step in order.steps],
        numbers=(0,),
    )
    more = f"<p>{order.steps_left_out:,} more events are left out.</p>" if order.steps_left_out else ""
    said = "; ".join(one for one in (f"risk: {order.check}" if order.check else "", cause, known) if one)
    return (
        f'<article id="order-{order.order_id}"><h3><a href="#order-{order.order_id}">Order {order.order_id}</a>: '
        f"{escape(order.strategy)}, {escape(order.instrument)}: {escape(order.wish)}</h3>"
        f"<p><strong>{escape(order.outcome)}</strong>{escape(filled)}</p><p "
        f'class="note">{escape(said)}</p>{steps}{more}</article>'
    )
