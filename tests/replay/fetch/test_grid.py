"""Which bars are absent, against a set of every one that could be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replay.fetch.grid import bars_in, joined, missing, missing_in_sessions

STEP = 7


@given(st.sets(st.integers(0, 40)), st.integers(0, 290), st.integers(0, 290))
def test_missing_names_every_open_that_is_not_there(places, first, length) -> None:
    start, end = first, first + length
    opens = sorted(place * STEP for place in places if start <= place * STEP < end)
    stretches = missing(opens, start, end, STEP)
    found = [ts for begin, until in stretches for ts in range(begin, until, STEP)]
    assert found == [ts for ts in range(0, 600, STEP) if start <= ts < end and ts not in opens]
    assert bars_in(stretches, STEP) == len(found)
    assert all(before[1] < after[0] for before, after in zip(stretches, stretches[1:], strict=False))  # noqa: RUF007


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 40))
def test_joined_pages_are_as_one(there, cut) -> None:
    end = len(there) * STEP
    opens = [place * STEP for place, is_there in enumerate(there) if is_there]
    middle = min(cut * STEP, end)
    parts = [
        missing([ts for ts in opens if low <= ts < high], low, high, STEP) for low, high in ((0, middle), (middle, end))
    ]
    assert joined(parts[0], parts[1]) == missing(opens, 0, end, STEP)


@given(st.sets(st.integers(0, 60)), st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10)), max_size=4))
def test_in_sessions_only_their_own_bars_are_missed(places, shapes) -> None:
    opens, closes, at = [], [], 0
    for pause, length in shapes:
        opens.append((at + pause) * STEP)
        at += pause + length
        closes.append(at * STEP)
    span = (3 * STEP, 50 * STEP)
    expected = {ts for low, high in zip(opens, closes, strict=True) for ts in range(low, high, STEP)}
    expected = {ts for ts in expected if span[0] <= ts < span[1]}
    there = np.array(sorted(place * STEP for place in places), dtype=np.int64)
    count = missing_in_sessions(there, np.array(opens, np.int64), np.array(closes, np.int64), span, STEP)
    assert count == len(expected - set(there.tolist()))


def test_days_that_begin_at_another_hour_are_whole() -> None:
    opens = [5, 12, 19, 33]
    assert missing(opens, 0, 40, STEP) == [(26, 33)]
