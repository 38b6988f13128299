"""An order that fills in parts within one tick: each part leaves its own book, and a round trip ends once."""

import pytest

from kernel.events.catalogue import OrderFilled, PositionChanged, TradeClosed
from tests.replay.venue_script import Outcome

MORE_THAN_STANDS = 300_000  # the tick offers 250,000; the rest fills one tick worse


@pytest.mark.parametrize(
    ("orders", "trades"),
    [
        (f"buy {MORE_THAN_STANDS} market; sell {MORE_THAN_STANDS} market", [MORE_THAN_STANDS]),
        (f"sell 1000 market; buy {MORE_THAN_STANDS} market", [1000]),
        (f"buy {MORE_THAN_STANDS} market; sell 280000 market", []),
    ],
)
def test_each_part_leaves_its_own_book(orders: str, trades: list[int]) -> None:
    outcome = Outcome({"profile": "ohlc", "cash": "1000000000"}, orders, "100/101/99/100")
    events = [stored.event for stored in outcome.events]
    held, expected = 0, []
    for event in events:
        if isinstance(event, OrderFilled):
            held += event.side * event.quantity_lots
            expected.append(held)
    assert [event.quantity_lots for event in events if isinstance(event, PositionChanged)] == expected
    assert len(expected) > 2
    assert [event.quantity_lots for event in events if isinstance(event, TradeClosed)] == trades


def test_what_a_part_does_to_the_book_is_caused_by_it() -> None:
    outcome = Outcome({"profile": "ohlc", "cash": "1000000000"}, f"buy {MORE_THAN_STANDS} market", "100/101/99/100")
    fills = [stored.sequence for stored in outcome.events if isinstance(stored.event, OrderFilled)]
    causes = [stored.cause for stored in outcome.events if isinstance(stored.event, PositionChanged)]
    assert causes == fills
