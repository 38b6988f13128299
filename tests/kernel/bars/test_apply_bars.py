"""What ``apply`` takes of series, and what it refuses as a damaged history, leaving no other trace than the refusal."""

from typing import Any

import pytest

from kernel import ledger_nb
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.state import new_state
from kernel.tables.bars import LATE, MAX_SERIES
from kernel.tables.table import NEVER_NS
from tests.kernel.bars.desk import HOUR, MINUTE

FIVE = c.SeriesDefined(0, 1, 5 * MINUTE, 0, 0, 0, 0)
OF_BARS = c.SeriesSourceDefined(0, 1, -1, 1, MINUTE, 0, 1)


class Desk:
    """One state with two instruments."""

    def __init__(self, *defining: c.Event) -> None:
        self.state = new_state()
        self.now_ns = 0
        assert self.apply(c.RunOpened(2, 1, 0, 0, 0), -1) == "OK"
        for instrument in (0, 1):
            assert self.apply(c.InstrumentDefined(0, 1, 1, 1), instrument) == "OK"
        for event in defining:
            assert self.apply(event) == "OK"

    def apply(self, event: c.Event, instrument: int = 0) -> str:
        sequence = int(self.state.head.next_sequence)
        stored = Stored(sequence, self.now_ns, self.now_ns, 0, instrument, -1, -1, event)
        status = int(apply_nb(self.state, encode(stored)[0]))
        names = ("OK", "BAD_INDEX", "MISMATCH", "NO_CAPACITY", "MONEY_OVERFLOW")
        return next(name for name in names if getattr(ledger_nb, name) == status)

    def minute(self, number: int, known_ns: int | None = None) -> str:
        self.now_ns = (number + 1) * MINUTE if known_ns is None else known_ns
        return self.apply(c.BarClosed(100, 101, 99, 100, 7, number * MINUTE))

    @property
    def series(self) -> Any:
        return self.state.series[0]


def closed(**changed: int) -> c.SeriesBarClosed:
    values = {
        "open_ticks": 100, "high_ticks": 101, "low_ticks": 99, "close_ticks": 100, "volume_lots": 35, "ts_open_ns": 0,
        "end_ns": 5 * MINUTE, "series": 0, "input_count": 5, "bar_flags": 0,
    }  # fmt: skip
    return c.SeriesBarClosed(**{**values, **changed})


@pytest.mark.parametrize(
    ("event", "instrument", "status"),
    [
        (FIVE, 0, "OK"),
        (c.SeriesDefined(1, 1, MINUTE, 0, 0, 0, 0), 0, "BAD_INDEX"),
        (FIVE, 2, "BAD_INDEX"),
        (FIVE, -1, "BAD_INDEX"),
        (c.SeriesDefined(0, 0, MINUTE, 0, 0, 0, 0), 0, "MISMATCH"),
        (c.SeriesDefined(0, 9, MINUTE, 0, 0, 0, 0), 0, "MISMATCH"),
        (c.SeriesDefined(0, 1, 0, 0, 0, 0, 0), 0, "MISMATCH"),
        (c.SeriesDefined(0, 1, 0, 1, 0, 0, 0), 0, "OK"),  # a whole session
        (c.SeriesDefined(0, 8, 0, 0, 0, 0, 0), 0, "OK"),  # Heikin-Ashi has no size
        (c.SeriesDefined(0, 2, -5, 0, 0, 0, 0), 0, "MISMATCH"),
    ],
)
def test_definitions(event: c.Event, instrument: int, status: str) -> None:
    desk = Desk()
    assert desk.apply(event, instrument) == status
    assert int(desk.state.head.series_count) == (status == "OK")


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (c.SeriesSourceDefined(1, 4, 0, 1, 0, 0, 1), "OK"),
        (c.SeriesSourceDefined(2, 4, 0, 1, 0, 0, 1), "BAD_INDEX"),
        (c.SeriesSourceDefined(-1, 1, -1, 1, 0, 0, 1), "BAD_INDEX"),
        (c.SeriesSourceDefined(1, 4, 1, 1, 0, 0, 1), "BAD_INDEX"),  # its own parent
        (c.SeriesSourceDefined(1, 4, -1, 1, 0, 0, 1), "MISMATCH"),
        (c.SeriesSourceDefined(1, 1, 0, 1, 0, 0, 1), "MISMATCH"),
        (c.SeriesSourceDefined(1, 0, -1, 1, 0, 0, 1), "MISMATCH"),
        (c.SeriesSourceDefined(0, 1, -1, 1, 0, 0, 1), "MISMATCH"),  # said before
    ],
)
def test_sources(event: c.Event, status: str) -> None:
    desk = Desk(FIVE, OF_BARS, c.SeriesDefined(1, 1, HOUR, 0, 0, 0, 0))
    assert desk.apply(event) == status


def test_a_parent_of_another_instrument_is_refused() -> None:
    desk = Desk(FIVE, OF_BARS)
    assert desk.apply(c.SeriesDefined(1, 1, HOUR, 0, 0, 0, 0), 1) == "OK"
    assert desk.apply(c.SeriesSourceDefined(1, 4, 0, 1, 0, 0, 1), 1) == "MISMATCH"


def test_more_series_than_there_are_places() -> None:
    desk = Desk()
    for number in range(MAX_SERIES):
        assert desk.apply(c.SeriesDefined(number, 2, 5, 0, 0, 0, 0), number % 2) == "OK"
    assert desk.apply(c.SeriesDefined(MAX_SERIES, 2, 5, 0, 0, 0, 0)) == "NO_CAPACITY"


def test_a_bar_closes_once_when_it_is_due() -> None:
    desk = Desk(FIVE, OF_BARS)
    for number in range(4):
        desk.minute(number)
    assert int(desk.state.head.next_bar_ns) == 5 * MINUTE + 1
    before = desk.state.copy()
    assert desk.apply(closed(volume_lots=28, input_count=4, bar_flags=2)) == "MISMATCH"
    desk.state = before
    assert desk.minute(4) == "OK"
    assert int(desk.series.due_ns) == desk.now_ns
    assert desk.apply(closed()) == "OK"
    assert int(desk.state.head.next_bar_ns) == NEVER_NS
    assert int(desk.series.bar_count) == 1
    assert desk.apply(closed()) == "MISMATCH"


@pytest.mark.parametrize("name", closed().__struct_fields__)
def test_a_bar_that_is_not_the_one_in_progress_is_refused(name: str) -> None:
    desk = Desk(FIVE, OF_BARS)
    for number in range(5):
        desk.minute(number)
    status = desk.apply(closed(**{name: getattr(closed(), name) + 1}))
    assert status == ("BAD_INDEX" if name == "series" else "MISMATCH")


def test_a_row_before_what_is_due_has_closed_is_refused() -> None:
    desk = Desk(FIVE, OF_BARS)
    for number in range(5):
        desk.minute(number)
    assert desk.minute(5) == "MISMATCH"


def test_a_dropped_input_is_told_once() -> None:
    desk = Desk(FIVE, OF_BARS)
    for number in range(5):
        desk.minute(number)
    desk.apply(closed())
    desk.minute(5)
    assert desk.apply(c.BarInputDropped(0, LATE, 0, 0)) == "MISMATCH"
    assert desk.minute(3, known_ns=7 * MINUTE) == "OK"
    assert int(desk.series.dropped) == LATE
    assert desk.apply(c.BarInputDropped(1, LATE, 3 * MINUTE, 4 * MINUTE)) == "BAD_INDEX"
    assert desk.apply(c.BarInputDropped(0, 2, 3 * MINUTE, 4 * MINUTE)) == "MISMATCH"
    assert desk.apply(c.BarInputDropped(0, LATE, 3 * MINUTE, 4 * MINUTE)) == "OK"
    assert (int(desk.series.late_count), int(desk.state.head.next_bar_ns)) == (1, 10 * MINUTE + 1)
    assert desk.apply(c.BarInputDropped(0, LATE, 3 * MINUTE, 4 * MINUTE)) == "MISMATCH"


def test_time_alone_makes_a_bar_due() -> None:
    desk = Desk(FIVE, OF_BARS)
    desk.minute(0)
    desk.now_ns = 5 * MINUTE + 1
    assert desk.apply(c.BarDue(0), -1) == "OK"
    assert desk.apply(closed(volume_lots=7, input_count=1, bar_flags=2)) == "OK"
    assert desk.apply(c.BarDue(1), 2) == "BAD_INDEX"


def test_prices_after_an_expiry_are_in_no_bar() -> None:
    desk = Desk()
    desk.state.instruments[0].expiry_ns = 10 * MINUTE
    assert desk.apply(c.SeriesDefined(0, 2, 100, 0, 0, 0, 0)) == "OK"
    assert desk.apply(c.SeriesSourceDefined(0, 1, -1, 1, 0, 0, 0)) == "OK"
    for number in (8, 9, 10, 11):
        assert desk.minute(number) == "OK"
    assert int(desk.series.input_count) == 2
