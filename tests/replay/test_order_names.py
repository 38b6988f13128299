"""Names of orders at a venue: one for each, found back by it, and others after a restore."""

import pytest
from hypothesis import given
from hypothesis import strategies as generators

from kernel.events.catalogue import JournalRestored
from kernel.events.layout import RESTORED, PlainRecord, Stored, encode, plain_records
from replay.order_names import OrderNames

GENESIS = bytes(range(16)).hex()


def _restored(sequence: int, frames: int = 5) -> PlainRecord:
    event = JournalRestored(frames, 1, 2, 3, 4)
    record = encode(Stored(sequence, 7, 7, 0, -1, -1, -1, event, b""))
    return plain_records(record.tobytes(), frozenset({RESTORED.kind}))[0]


@given(
    generators.lists(generators.integers(1, 10**18 - 1), max_size=3, unique=True), generators.integers(1, 10**18 - 1)
)
def test_an_order_is_found_by_its_name(restored: list[int], order_id: int) -> None:
    names = OrderNames(GENESIS)
    for sequence in sorted(restored):
        names.note_restored(_restored(sequence))
    assert names.order_id(names.name(order_id)) == order_id


def test_after_a_restore_orders_have_other_names_and_those_before_keep_theirs() -> None:
    names, other = OrderNames(GENESIS), OrderNames(GENESIS)
    assert names.name(9) == "000102030405-9"
    names.note_restored(_restored(10))
    other.note_restored(_restored(10, frames=6))  # another copy of the same journal
    assert names.name(9) == other.name(9) == "000102030405-9"
    assert len({names.name(10), other.name(10), "000102030405-10"}) == 3
    assert names.order_id("000102030405-10") == names.order_id(other.name(10)) == 0
    assert names.order_id(names.name(10)) == 10


@pytest.mark.parametrize("number", ["", "x", "-1", "007", "7 ", "²", "٧", "1" * 19])
def test_names_of_others_are_nobodys(number: str) -> None:
    assert OrderNames(GENESIS).order_id(f"000102030405-{number}") == 0
