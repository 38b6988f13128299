"""What a session hears beside market data: of the account, of streams that come and go, of new rules.

Owns what each leads to. All of it is recorded, and decided on, as inputs.
"""

from typing import TYPE_CHECKING

from kernel.events.body import encode_body
from kernel.events.catalogue import ConnectionChanged, VenueRulesSet
from kernel.units import to_decimal, to_rate
from kernel.venue import InstrumentRules, Stream, StreamStatus
from replay.live.core import Input
from replay.live.inbox import Change, Item, NewRules, Private
from replay.live.upkeep import fill_bars

if TYPE_CHECKING:
    from replay.live.driver import LiveSession


def take_item(session: "LiveSession", item: Item) -> None:
    """Take in what was heard."""
    if isinstance(item, Private):
        if session.elsewhere:
            session.mirror.take(item.seen, item.raw, item.stream)
            for order_id in session.mirror.ending:
                session.sender.look_later(order_id)
    elif isinstance(item, NewRules):
        set_rules(session, item.instrument, item.rules)
    else:
        _take_change(session, item)


def _take_change(session: "LiveSession", change: Change) -> None:
    body = encode_body(change.text)
    session.take([Input(ConnectionChanged(change.stream.value, change.status.value), body=body)])
    was = session.streams[change.stream]
    if change.status is not StreamStatus.GAP:
        session.streams[change.stream] = change.status
    session.degraded.look()
    returned = change.status is StreamStatus.UP and was is StreamStatus.DOWN
    if change.stream is Stream.PRIVATE and (returned or change.status is StreamStatus.GAP):
        session.reconcile_soon()
    if change.stream is Stream.MARKET and returned:
        session.sender.start(fill_bars(session))


def set_rules(session: "LiveSession", instrument: int, rules: InstrumentRules) -> None:
    """Record what the venue demands of orders in an instrument."""
    session.rules[instrument] = rules
    scale = session.instruments[instrument].scale
    minimum = to_decimal(rules.minimum_notional).scaleb(scale)
    event = VenueRulesSet(
        rules.price_step_ticks,
        rules.quantity_step_lots,
        rules.minimum_lots,
        rules.maximum_lots,
        rules.maximum_market_lots,
        int(minimum.to_integral_value()),
        to_rate(rules.maximum_leverage),
    )
    session.take([Input(event, instrument)])
    session.degraded.look()
