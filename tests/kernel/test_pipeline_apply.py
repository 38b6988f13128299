"""What ``apply`` refuses of the events of the signal pipeline, row by row."""

from typing import Any

import pytest

from kernel import ledger_nb
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.lifecycle import SHADOW
from kernel.tables.pipeline import MAX_POINTS
from kernel.units import RATE_SCALE as ONE
from tests.kernel.signal_desk import SignalDesk

REAL, PAPER, DESK = range(3)


def desk() -> SignalDesk:
    """Strategy 0 is real, 1 on paper, 2 an ensemble of both."""
    made = SignalDesk(strategies=3, accounts=2, shadow=1)
    for instrument in range(3):
        made.apply(c.BookAssigned(1), instrument, PAPER)
    made.apply(c.EnsembleSet(0, 0, ONE // 2, 0), -1, DESK)
    made.apply(c.EnsembleMemberSet(REAL, ONE, 0), -1, DESK)
    made.apply(c.CalibrationSet(2, 0, 0), -1, REAL)
    made.apply(c.CalibrationPointSet(ONE // 2, ONE // 2), -1, REAL)
    made.apply(c.ExperimentSet(ONE, 0, 0))
    return made


def status(made: SignalDesk, event: c.Event, instrument: int = -1, strategy: int = -1, account: int = 0) -> str:
    sequence = int(made.state.head.next_sequence)
    record = encode(Stored(sequence, 1, 1, 0, instrument, strategy, account, event))
    code = int(apply_nb(made.state.copy(), record[0]))
    return next(name for name in ("OK", "MISMATCH", "BAD_INDEX", "NO_CAPACITY") if getattr(ledger_nb, name) == code)


def paper(sequence: int = 0, **wrong: int) -> Any:
    def event(made: SignalDesk) -> c.Event:
        right = {"order_id": int(made.state.head.next_sequence) + sequence, "side": 1, "price_ticks": 100,
                 "quantity_lots": 5, "leaves_lots": 0, "fee_minor": 0, "liquidity": SHADOW, "trade_id": 1, "purpose": 0,
                 "leg": 0}  # fmt: skip
        return c.ShadowFilled(**(right | wrong))

    return event


# event, instrument, strategy, status
ROWS: list[Any] = [
    (paper(), 0, PAPER, "OK"),
    (paper(), 0, REAL, "MISMATCH"),
    (paper(), 3, PAPER, "BAD_INDEX"),
    (paper(), 0, 3, "BAD_INDEX"),
    (paper(sequence=1), 0, PAPER, "MISMATCH"),
    (paper(side=0), 0, PAPER, "MISMATCH"),
    (paper(quantity_lots=0), 0, PAPER, "MISMATCH"),
    (paper(leaves_lots=1), 0, PAPER, "MISMATCH"),
    (paper(liquidity=1), 0, PAPER, "MISMATCH"),
    (paper(trade_id=2), 0, PAPER, "MISMATCH"),
    (paper(purpose=4), 0, PAPER, "MISMATCH"),
    (paper(leg=1), 0, PAPER, "MISMATCH"),
    (c.ShadowTermsSet(ONE, ONE), -1, -1, "OK"),
    (c.ShadowTermsSet(ONE + 1, 0), -1, -1, "MISMATCH"),
    (c.ShadowTermsSet(0, -1), -1, -1, "MISMATCH"),
    (c.SignalVoted(REAL, 1, ONE, ONE, 1), 0, DESK, "OK"),
    (c.SignalVoted(REAL, 1, ONE, ONE, 0), 0, DESK, "MISMATCH"),
    (c.SignalVoted(REAL, 0, 0, ONE, 1), 0, DESK, "MISMATCH"),
    (c.SignalVoted(REAL, 2, ONE, ONE, 1), 0, DESK, "MISMATCH"),
    (c.SignalVoted(REAL, 1, ONE + 1, ONE, 1), 0, DESK, "MISMATCH"),
    (c.SignalVoted(REAL, 0, 0, ONE, 4), 0, DESK, "MISMATCH"),
    (c.SignalVoted(PAPER, 0, 0, ONE, 0), 0, DESK, "MISMATCH"),
    (c.SignalVoted(3, 0, 0, ONE, 0), 0, DESK, "BAD_INDEX"),
    (c.SignalVoted(REAL, 0, 0, ONE, 0), 3, DESK, "BAD_INDEX"),
    (c.SignalCombined(1, ONE, ONE, 1, 0, 0, -1, 4), 0, DESK, "OK"),
    (c.SignalCombined(1, ONE, ONE, 1, 0, 0, -1, 5), 0, DESK, "MISMATCH"),
    (c.SignalCombined(1, ONE, ONE, 1, 0, 0, -1, 0), -1, DESK, "BAD_INDEX"),
    (c.EnsembleSet(3, 1, ONE, ONE), -1, DESK, "OK"),
    (c.EnsembleSet(4, 1, 0, 0), -1, DESK, "MISMATCH"),
    (c.EnsembleSet(0, 0, ONE + 1, 0), -1, DESK, "MISMATCH"),
    (c.EnsembleSet(0, 0, 0, -1), -1, DESK, "MISMATCH"),
    (c.EnsembleSet(0, 0, 0, 0), -1, 3, "BAD_INDEX"),
    (c.EnsembleMemberSet(PAPER, ONE, 1), -1, DESK, "OK"),
    (c.EnsembleMemberSet(DESK, ONE, 1), -1, DESK, "BAD_INDEX"),
    (c.EnsembleMemberSet(3, ONE, 1), -1, DESK, "BAD_INDEX"),
    (c.EnsembleMemberSet(PAPER, ONE + 1, 1), -1, DESK, "MISMATCH"),
    (c.EnsembleMemberSet(PAPER, ONE, 2), -1, DESK, "MISMATCH"),
    (c.EnsembleMemberSet(REAL, ONE, 0), -1, PAPER, "MISMATCH"),
    (c.RegimeChanged(1, 3, 3, 0, 0, 0, 0, 0), 0, REAL, "OK"),
    (c.RegimeChanged(2, 3, 3, 0, 0, 0, 0, 0), 0, REAL, "MISMATCH"),
    (c.RegimeChanged(1, 0, 3, 0, 0, 0, 0, 0), 0, REAL, "MISMATCH"),
    (c.RegimeChanged(1, 3, 4, 0, 0, 0, 0, 0), 0, REAL, "MISMATCH"),
    (c.RegimeChanged(1, 3, 3, 0, 0, 0, 0, 0), -1, REAL, "BAD_INDEX"),
    (c.RegimeScaleSet(0, -1, ONE, 10 * ONE), -1, -1, "OK"),
    (c.RegimeScaleSet(3, 0, ONE, ONE), -1, -1, "BAD_INDEX"),
    (c.RegimeScaleSet(0, 4, ONE, ONE), -1, -1, "BAD_INDEX"),
    (c.RegimeScaleSet(0, 0, 10 * ONE + 1, ONE), -1, -1, "MISMATCH"),
    (c.RegimeScaleSet(0, 0, ONE, -1), -1, -1, "MISMATCH"),
    (c.CalibrationSet(1, 1000 * ONE, -1000 * ONE), -1, PAPER, "OK"),
    (c.CalibrationSet(3, 0, 0), -1, PAPER, "MISMATCH"),
    (c.CalibrationSet(1, 1000 * ONE + 1, 0), -1, PAPER, "MISMATCH"),
    (c.CalibrationPointSet(ONE, ONE), -1, REAL, "OK"),
    (c.CalibrationPointSet(ONE // 2, ONE), -1, REAL, "MISMATCH"),
    (c.CalibrationPointSet(ONE, ONE + 1), -1, REAL, "MISMATCH"),
    (c.CalibrationPointSet(ONE, ONE), -1, PAPER, "MISMATCH"),
    (c.SignalFiltersSet(ONE, 1, 1, 1, 1, 1, 1), -1, REAL, "OK"),
    (c.SignalFiltersSet(0, 0, 0, 0, 0, -1, 0), -1, REAL, "MISMATCH"),
    (c.SignalDropped(1, ONE, 7, 0, 0), 0, REAL, "OK"),
    (c.SignalDropped(0, ONE, 1, 0, 0), 0, REAL, "MISMATCH"),
    (c.SignalDropped(1, ONE, 8, 0, 0), 0, REAL, "MISMATCH"),
    (c.SignalDropped(1, ONE, 1, 0, 0), 3, REAL, "BAD_INDEX"),
    (c.ExperimentSet(ONE, 7, 1), -1, -1, "OK"),
    (c.ExperimentSet(ONE + 1, 7, 1), -1, -1, "MISMATCH"),
    (c.ExperimentSet(ONE, -1, 1), -1, -1, "MISMATCH"),
    (c.ExperimentSet(ONE, 7, 2), -1, -1, "MISMATCH"),
    (c.ArmSet(2), -1, PAPER, "OK"),
    (c.ArmSet(2), -1, REAL, "MISMATCH"),
    (c.ArmSet(3), -1, PAPER, "MISMATCH"),
    (c.RouteKeySet(2**32 - 1), 0, -1, "OK"),
    (c.RouteKeySet(2**32), 0, -1, "MISMATCH"),
    (c.RouteKeySet(0), 3, -1, "BAD_INDEX"),
    (c.InputRouted(5, 2, 0), 0, -1, "OK"),
    (c.InputRouted(5, 3, 0), 0, -1, "MISMATCH"),
    (c.InputRouted(5, 2, 0), -1, -1, "BAD_INDEX"),
]


@pytest.mark.parametrize(("event", "instrument", "strategy", "wanted"), ROWS)
def test_what_apply_takes_and_refuses(event: Any, instrument: int, strategy: int, wanted: str) -> None:
    made = desk()
    assert status(made, event(made) if callable(event) else event, instrument, strategy) == wanted


def test_nothing_is_routed_without_an_experiment() -> None:
    assert status(SignalDesk(), c.InputRouted(5, 2, 0), 0) == "MISMATCH"


def test_the_table_of_points_is_bounded() -> None:
    made = desk()
    for point in range(1, MAX_POINTS):
        made.apply(c.CalibrationPointSet(ONE // 2 + point, ONE // 2), -1, REAL)
    assert status(made, c.CalibrationPointSet(ONE, ONE), -1, REAL) == "NO_CAPACITY"


ACCOUNTS = [(1, 2, "OK"), (0, 2, "OK"), (2, 2, "MISMATCH"), (-1, 2, "MISMATCH"), (1, 0, "MISMATCH")]


@pytest.mark.parametrize(("shadow", "number", "wanted"), ACCOUNTS)
def test_the_first_account_is_a_real_one(shadow: int, number: int, wanted: str) -> None:
    made = SignalDesk(price=0, accounts=2)
    fresh = SignalDesk.__new__(SignalDesk)
    fresh.state, fresh.output, fresh.now_ns = made.state.copy(), made.output, 0
    for instrument in range(3):
        fresh.state.instruments[instrument].denominator = 0  # before any instrument is defined
    fresh.state.balances[0].deposits_minor = 0
    assert status(fresh, c.AccountDefined(0, 0, 0, 0, shadow), account=number) == wanted
