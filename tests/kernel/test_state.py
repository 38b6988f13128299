"""The state as one buffer: digest, comparison, layout."""

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.events.catalogue import LimitsSet, TradeClosed
from kernel.records import record_bytes
from kernel.state import (
    CLOSED_TRADE,
    LIMITS,
    STATE,
    differences,
    initialise_state,
    iterate_fields,
    new_state,
    state_digest,
)

WORD_COUNT = STATE.itemsize // 8
FIELDS = list(iterate_fields(new_state()))


def open_state() -> tuple[Any, np.ndarray]:
    """A new state, and its memory as words."""
    block = np.zeros(1, STATE)
    initialise_state(block[0])
    return block[0], block.view(np.int64)


def test_the_fields_cover_the_buffer() -> None:
    assert len(FIELDS) == WORD_COUNT
    assert len({field[:3] for field in FIELDS}) == WORD_COUNT


def test_tables_follow_their_events() -> None:
    ended = TradeClosed.__struct_fields__
    assert CLOSED_TRADE.names == (*ended, "high_ticks", "low_ticks", "stop_ticks", "income_minor", "leg", "purpose")
    assert LIMITS.names == LimitsSet.__struct_fields__


def test_digest_is_of_the_bytes() -> None:
    state = new_state()
    assert state_digest(state) == hashlib.sha256(state.tobytes()).digest()
    assert len(record_bytes(state)) == STATE.itemsize
    assert state_digest(state) == state_digest(new_state())


@settings(max_examples=300, deadline=None)
@given(generators.integers(0, WORD_COUNT - 1), generators.integers(-(2**63), 2**63 - 1))
def test_any_word_changes_the_digest_and_is_named(at: int, value: int) -> None:
    state, (other, words) = new_state(), open_state()
    table, row, field, before = FIELDS[at]
    words[at] = value
    if value == before:
        assert state_digest(state) == state_digest(other)
        return
    assert state_digest(state) != state_digest(other)
    place = other[table][row] if other[table].ndim else other[table]
    assert int(place[field]) == value, "the fields are walked in the order of the buffer"


@pytest.mark.parametrize("at", [0, 5, 200, WORD_COUNT // 2, WORD_COUNT - 1])
def test_differences_name_the_field(at: int) -> None:
    state, (other, words) = new_state(), open_state()
    assert list(differences(state, other)) == []
    words[at] += 9
    table, row, field, before = FIELDS[at]
    assert list(differences(state, other)) == [(table, row, field, before, before + 9)]
