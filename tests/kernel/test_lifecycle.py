"""The table of an order's life: what it says, and that ``apply`` follows it and nothing else."""

from typing import Any

import pytest

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.ledger_nb import ILLEGAL_TRANSITION, OK, UNKNOWN_ORDER
from kernel.state import new_state
from tests.reference.kernel import ENDED, LIVE, Order, RefusedError

STATUSES = sorted(life.STATUS_NAMES)
HAPPENINGS = range(len(life.HAPPENING_NAMES))
A, K = life.APPROVE, life.ACCEPT
# Ways in which an order comes to each open status, by happenings from the intent on.
WAYS: list[tuple[int, list[int]]] = [
    (life.INTENDED, []),
    (life.HELD, [life.HOLD]),
    (life.SUBMITTED, [A]),
    (life.SUBMITTED, [life.HOLD, life.RELEASE]),
    (life.SUBMITTED, [A, life.ASK_CANCEL, life.REFUSE_CANCEL]),
    (life.WORKING, [A, K]),
    (life.WORKING, [A, K, life.ASK_REPLACE, life.REPLACE]),
    (life.WORKING, [A, life.ASK_CANCEL, K, life.REFUSE_CANCEL]),
    (life.PARTIAL, [A, life.FILL_PART]),
    (life.PARTIAL, [A, K, life.FILL_PART]),
    (life.PARTIAL, [A, K, life.ASK_REPLACE, life.FILL_PART, life.REFUSE_REPLACE]),
    (life.PARTIAL, [A, K, life.FILL_PART, life.ASK_REPLACE, life.REPLACE]),
    (life.PARTIAL, [A, life.ASK_CANCEL, life.FILL_PART, life.REFUSE_CANCEL]),
    (life.PENDING_CANCEL, [A, life.ASK_CANCEL]),
    (life.PENDING_CANCEL, [A, K, life.ASK_CANCEL]),
    (life.PENDING_CANCEL, [A, K, life.FILL_PART, life.ASK_CANCEL]),
    (life.PENDING_CANCEL, [A, K, life.ASK_REPLACE, life.ASK_CANCEL]),
    (life.PENDING_CANCEL, [A, K, life.ASK_REPLACE, life.ASK_CANCEL, life.REPLACE]),
    (life.SUBMITTED, [A, life.ASK_REPLACE, life.REPLACE]),
    (life.PENDING_REPLACE, [A, life.ASK_REPLACE]),
    (life.PENDING_CANCEL, [A, life.ASK_REPLACE, life.ASK_CANCEL]),
    (life.PENDING_REPLACE, [A, K, life.ASK_REPLACE]),
    (life.PENDING_REPLACE, [A, K, life.ASK_REPLACE, life.ASK_REPLACE]),
    (life.PENDING_REPLACE, [A, K, life.ASK_REPLACE, life.ASK_REPLACE, life.REPLACE]),
    (life.PENDING_REPLACE, [A, K, life.ASK_REPLACE, life.ASK_CANCEL, life.REFUSE_CANCEL]),
]


class OneOrder:
    """A state with one order of ten lots, and the event for each happening."""

    def __init__(self, waits: bool = False) -> None:
        self.state = new_state()
        self.apply(c.RunOpened(1, 1, 0, 0, 0))
        self.apply(c.InstrumentDefined(0, 1, 1, 1))
        self.apply(c.CashDeposited(0, 10**6))
        self.apply(c.BarClosed(100, 100, 100, 100, 1, 0))
        self.order_id = int(self.state.head.next_sequence)
        self.apply(c.OrderIntended(1, life.LIMIT, life.GTC, 10, 90, 0, 0))
        if waits:  # for a parent that has filled
            terms = c.OrderTerms(self.order_id, 0, 0, 0, 0, 0, self.order_id, life.CHILD, 1)
            assert self.apply(terms) == OK
            self.order.group_lots = 10

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
                life.HOLD: c.RiskChecked(order_id, 0, 0, 0),
                life.RELEASE: c.OrderReleased(order_id, int(self.order.group_lots)),
                life.DENY: c.RiskChecked(order_id, 4, 0, 0),
                life.ACCEPT: c.OrderAccepted(order_id),
                life.REJECT: c.OrderRejected(order_id, 1),
                life.FILL_PART: c.OrderFilled(order_id, 1, 90, 1, leaves - 1, 0, 2, 1),
                life.FILL_REST: c.OrderFilled(order_id, 1, 90, leaves, 0, 0, 2, 1),
                life.ASK_CANCEL: c.CancelRequested(order_id),
                life.CANCEL: c.OrderCanceled(order_id, leaves, 0),
                life.REFUSE_CANCEL: c.RequestRejected(order_id, life.REQUEST_CANCEL, 1),
                life.REFUSE_REPLACE: c.RequestRejected(order_id, life.REQUEST_REPLACE, 1),
                life.EXPIRE: c.OrderExpired(order_id, leaves),
                life.ASK_REPLACE: c.ReplaceRequested(order_id, 20, 80, 0),
                life.REPLACE: c.OrderReplaced(order_id, 20, 80, 0),
            }[happening]
        )


def come(way: list[int]) -> tuple[OneOrder, Order]:
    """The kernel's order and the twin's, at the end of a way."""
    one = OneOrder(life.HOLD in way)
    twin = Order(1, 0, 0, 1, life.LIMIT, life.GTC, 10, 0, 90, 0, 0, 0, 0, 0, 0, 0)
    for happening in way:
        assert one.happen(happening) == OK
        twin_happen(twin, happening)
    return one, twin


def twin_happen(twin: Order, happening: int) -> None:
    twin.happen(life.HAPPENING_NAMES[happening])
    if happening == life.ASK_REPLACE and twin.stage != "held":
        twin.replaces.append(20)


@pytest.mark.parametrize("happening", HAPPENINGS, ids=life.HAPPENING_NAMES)
@pytest.mark.parametrize(("status", "way"), WAYS)
def test_apply_follows_the_table_and_the_twin(status: int, way: list[int], happening: int) -> None:
    """Each pair of a status and a happening is a row of the table, or refused; and the twin says so too."""
    one, twin = come(way)
    assert one.order.status == status
    if status == life.INTENDED and happening == life.HOLD:
        one, twin = OneOrder(waits=True), twin
    after = int(life.NEXT[status, happening])
    code = one.happen(happening)
    try:
        twin_happen(twin, happening)
    except RefusedError:
        assert code == ILLEGAL_TRANSITION
        pending = status in (life.PENDING_CANCEL, life.PENDING_REPLACE)
        assert after < 0 or pending, "a pending order lets through what is legal underneath"
        return
    assert code == OK
    assert after >= 0
    if twin.stage in ENDED:
        assert one.state.head.order_count == 0
        assert not any(one.order.tolist())
        assert one.state.positions[0].pending_buy_lots == 0
        assert life.STATUS_NAMES[after] == twin.stage
        refused = happening in (life.REFUSE_CANCEL, life.REFUSE_REPLACE)
        assert one.happen(happening) == (OK if refused else UNKNOWN_ORDER), "an order that has ended is not open"
    else:
        assert life.STATUS_NAMES[int(one.order.status)] == twin.status
        assert after in (life.BACK, int(one.order.status))
        assert life.STATUS_NAMES.get(int(one.order.before_request), "") == (twin.under if twin.cancel_asked else "")
        assert int(one.order.replaces_pending) == len(twin.replaces)
        assert one.state.positions[0].pending_buy_lots == one.leaves()


def test_a_refusal_of_an_order_that_has_ended_changes_nothing() -> None:
    one, _ = come([A, K, life.ASK_CANCEL, life.FILL_REST])
    before = one.state.tobytes()
    assert one.apply(c.RequestRejected(one.order_id, life.REQUEST_CANCEL, 1)) == OK
    one.state.head.next_sequence -= 1
    assert one.state.tobytes() == before


def test_the_array_is_the_table() -> None:
    for status in range(life.NEXT.shape[0]):
        for happening in HAPPENINGS:
            assert life.NEXT[status, happening] == life.TABLE.get(status, {}).get(happening, -1)


def test_every_status_is_reached_and_every_open_one_can_end() -> None:
    reached = {life.INTENDED, *(after for row in life.TABLE.values() for after in row.values() if after)}
    assert {status for status, _ in WAYS} == set(life.TABLE)
    assert reached == set(STATUSES)
    assert {life.STATUS_NAMES[status] for status in life.TABLE} == set(LIVE)
    assert {life.STATUS_NAMES[status] for status in STATUSES if status >= life.FIRST_TERMINAL} == set(ENDED)
    for row in life.TABLE.values():
        assert any(after >= life.FIRST_TERMINAL for after in row.values())


def test_a_fill_wins_the_race_with_a_cancel_and_a_replace() -> None:
    for status in (life.PENDING_CANCEL, life.PENDING_REPLACE):
        one, _ = come(next(way for at, way in WAYS if at == status))
        assert one.happen(life.FILL_PART) == OK
        assert one.order.status == status
        assert one.happen(life.FILL_REST) == OK
        assert one.state.head.order_count == 0
        assert one.state.positions[0].quantity_lots == 10


def test_a_replace_counts_what_was_filled_meanwhile() -> None:
    one, _ = come([A, K, life.ASK_REPLACE])
    assert one.happen(life.FILL_PART) == OK
    assert one.happen(life.REPLACE) == OK
    assert (one.order.quantity_lots, one.order.filled_lots, one.leaves()) == (20, 1, 19)
    assert one.state.positions[0].pending_buy_lots == 19
    assert one.order.status == life.PARTIAL, "it stays partly filled"
