"""Positions and money beside the venue's: what differs is found, in lots and minor units."""

from pathlib import Path

from kernel.events.catalogue import CashAdjusted, DifferenceFound
from kernel.venue import BalanceSeen, PositionSeen
from replay.live.mirror import ADJUST, BALANCE
from replay.live.reconcile import Gap, balance_inputs, held_lots, position_gaps, position_reports
from tests.replay.live.building import Written, configuration, instrument


def _opened(tmp_path: Path) -> Written:
    instruments = [instrument("BTCUSDT"), instrument("ETHUSDT")]
    return Written(tmp_path / "run", configuration(cash="1000.5"), instruments, elsewhere=True)


def test_positions_that_differ_by_more_than_is_tolerated(tmp_path: Path) -> None:
    state = _opened(tmp_path).core.state
    assert held_lots(state, 0) == 0
    seen = [
        PositionSeen(instrument=0, quantity_lots=5, average_price="60000"),
        PositionSeen(instrument=1, quantity_lots=-2),
    ]
    assert position_gaps(state, seen, [0, 0]) == [Gap(0, 0, 5, "60000"), Gap(1, 0, -2, "")]
    assert position_gaps(state, seen, [5, 1]) == [Gap(1, 0, -2, "")]
    assert position_gaps(state, [], [0, 0]) == []


def test_a_long_and_a_short_leg_are_one_position(tmp_path: Path) -> None:
    state = _opened(tmp_path).core.state
    legs = [PositionSeen(instrument=0, quantity_lots=5, leg=1), PositionSeen(instrument=0, quantity_lots=-5, leg=-1)]
    assert position_gaps(state, legs, [0, 0]) == []
    assert [one.event.quantity_lots for one in position_reports(legs, state)] == [0, 0]


def test_money_that_differs_is_adjusted_to_the_venues(tmp_path: Path) -> None:
    written = _opened(tmp_path)
    state, instruments = written.core.state, written.file.instruments
    assert balance_inputs(state, instruments, [BalanceSeen(currency="USDT", total="1000.500002")], [], 2) == []
    other = [BalanceSeen(currency="BTC", total="7")]
    assert balance_inputs(state, instruments, other, [], 0) == [], "a coin that nothing is settled in"
    found, repair = balance_inputs(state, instruments, [BalanceSeen(currency="USDT", total="999.25")], [], 2)
    assert found.event == DifferenceFound(BALANCE, ADJUST, 1_000_500_000, 999_250_000)
    assert repair.event == CashAdjusted(0, -1_250_000)
    written.core.take([found, repair], written.file.opened_ns)
    assert balance_inputs(state, instruments, [BalanceSeen(currency="USDT", total="999.25")], [], 0) == []


def test_books_that_net_at_the_venue_are_compared_by_cash_less_open_cost(tmp_path: Path) -> None:
    """One book bought 0.020 at 60,000, another sold 0.010 at 61,000: the venue has realised 10, here nothing is."""
    written = _opened(tmp_path)
    state, instruments = written.core.state, written.file.instruments
    books = int(state.head.instrument_count)
    for book, lots, cost in ((0, 20, 1_200_000_000), (books, -10, -610_000_000)):
        state.positions[book]["quantity_lots"], state.positions[book]["cost_minor"] = lots, cost
    position = [PositionSeen(instrument=0, quantity_lots=10, average_price="60000.0")]
    assert position_gaps(state, position, [0, 0]) == []
    assert balance_inputs(state, instruments, [BalanceSeen(currency="USDT", total="1010.5")], position, 2) == []
    _, repair = balance_inputs(state, instruments, [BalanceSeen(currency="USDT", total="1000.5")], position, 2)
    assert repair.event == CashAdjusted(0, -10_000_000)
    coarse = [PositionSeen(instrument=0, quantity_lots=10, average_price="59999.9")]  # rounded by the venue
    assert balance_inputs(state, instruments, [BalanceSeen(currency="USDT", total="1010.5")], coarse, 2) == []
