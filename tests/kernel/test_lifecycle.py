"""The table of an order's life: what it says, and that ``apply`` follows it and nothing else."""

from typing import Any

import pytest

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.ledger_nb import ILLEGAL_TRANSITION, OK, UNKNOWN_ORDER
from kernel.state import new_state
from tests.reference.kernel import ENDED, LIFE, LIVE

STATUSES = sorted(life.STATUS_NAMES)
HAPPENINGS = range(len(life.HAPPENING_NAMES))
# How an order comes to each open status, by happenings from the intent on.
WAY = {
    life.INTENDED: [],
    life.SUBMITTED: [life.APPROVE],
    life.WORKING: [life.APPROVE, life.ACCEPT],
    life.PARTIAL: [life.APPROVE, life.ACCEPT, life.FILL_PART],
    life.PENDING_CANCEL: [life.APPROVE, life.ACCEPT, life.ASK_CANCEL],
    life.PENDING_REPLACE: [life.APPROVE, life.ACCEPT, life.ASK_REPLACE],
}


class OneOrder:
    """A state with one order of ten lots, and the event for each happening."""

    def __init__(self) -> None:
        self.state = new_state()
        self.apply(c.RunOpened(1, 1, 0, 0, 0))
        self.apply(c.InstrumentDefined(0, 1, 1, 1))
        self.apply(c.CashDeposited(0, 10**6))
        self.apply(c.BarClosed(100, 100, 100, 100, 1, 0))
        self.order_id = int(self.state.head.next_sequence)
        self.apply(c.OrderIntended(1, life.LIMIT, life.GTC, 10, 90, 0, 0))

    def apply(self, event: c.Event) -> int:
        sequence = int(self.state.head.next_sequence)
        return int(apply_nb(self.state, encode(Stored(sequence, 1, 1, 0, 0, 0, 0, event))[0]))

    @property
    def order(self) -> Any:
        return self.state.orders[0]

    def leaves(self) -> int:
        return int(self.order.quantity_lots - self.order.filled_lots)

    def happen(self, happening: int) -> int:
        order_id, leaves = self.order_id, self.leaves()
        return self.apply(
            {
                life.APPROVE: c.RiskChecked(order_id, 0, 0, 0),
                life.DENY: c.RiskChecked(order_id, 4, 0, 0),
                life.ACCEPT: c.OrderAccepted(order_id),
                life.REJECT: c.OrderRejected(order_id, 1),
                life.FILL_PART: c.OrderFilled(order_id, 1, 90, 1, leaves - 1, 0, 2, 1),
                life.FILL_REST: c.OrderFilled(order_id, 1, 90, leaves, 0, 0, 2, 1),
                life.ASK_CANCEL: c.CancelRequested(order_id),
                life.CANCEL: c.OrderCanceled(order_id, leaves, 0),
                life.EXPIRE: c.OrderExpired(order_id, leaves),
                life.ASK_REPLACE: c.ReplaceRequested(order_id, 20, 80, 0),
                life.REPLACE: c.OrderReplaced(order_id, 20, 80, 0),
            }[happening]
        )


def at(status: int) -> OneOrder:
    one = OneOrder()
    for happening in WAY[status]:
        assert one.happen(happening) == OK
    assert one.order.status == status
    return one


@pytest.mark.parametrize("happening", HAPPENINGS, ids=life.HAPPENING_NAMES)
@pytest.mark.parametrize("status", WAY, ids=life.STATUS_NAMES.get)
def test_apply_follows_the_table(status: int, happening: int) -> None:
    one = at(status)
    after = life.TABLE[status].get(happening)
    code = one.happen(happening)
    if after is None:
        assert code == ILLEGAL_TRANSITION
    elif after >= life.FIRST_TERMINAL:
        assert code == OK
        assert one.state.head.order_count == 0
        assert not any(one.order.tolist())
        assert one.state.positions[0].pending_buy_lots == 0
        assert one.happen(happening) == UNKNOWN_ORDER, "an order that has ended is not open any more"
    else:
        assert code == OK
        assert one.order.status == after
        assert one.state.positions[0].pending_buy_lots == one.leaves()


def test_the_array_is_the_table() -> None:
    for status in range(life.NEXT.shape[0]):
        for happening in HAPPENINGS:
            assert life.NEXT[status, happening] == life.TABLE.get(status, {}).get(happening, -1)


def test_the_table_is_the_one_of_the_twin() -> None:
    """Two people wrote it down; they agree."""
    written = {
        (life.STATUS_NAMES[status], life.HAPPENING_NAMES[happening]): life.STATUS_NAMES[after]
        for status, row in life.TABLE.items()
        for happening, after in row.items()
    }
    assert written == LIFE


def test_every_status_is_reached_and_every_open_one_can_end() -> None:
    reached = {life.INTENDED, *(after for row in life.TABLE.values() for after in row.values())}
    assert reached == set(STATUSES)
    assert {life.STATUS_NAMES[status] for status in life.TABLE} == set(LIVE)
    assert {life.STATUS_NAMES[status] for status in STATUSES if status >= life.FIRST_TERMINAL} == set(ENDED)
    for row in life.TABLE.values():
        assert any(after >= life.FIRST_TERMINAL for after in row.values())


def test_a_fill_wins_the_race_with_a_cancel_and_a_replace() -> None:
    for status in (life.PENDING_CANCEL, life.PENDING_REPLACE):
        one = at(status)
        assert one.happen(life.FILL_PART) == OK
        assert one.order.status == status
        assert one.happen(life.FILL_REST) == OK
        assert one.state.head.order_count == 0
        assert one.state.positions[0].quantity_lots == 10


def test_a_replace_counts_what_was_filled_meanwhile() -> None:
    one = at(life.PENDING_REPLACE)
    assert one.happen(life.FILL_PART) == OK
    assert one.happen(life.REPLACE) == OK
    assert (one.order.quantity_lots, one.order.filled_lots, one.leaves()) == (20, 1, 19)
    assert one.state.positions[0].pending_buy_lots == 19
