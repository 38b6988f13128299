"""Confidences: calibration against fifty digits, straight lines and scikit-learn; regimes and filters row by row."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.decide_nb import decide_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored
from kernel.ledger_nb import OK
from kernel.pipeline import rules as r
from kernel.pipeline.confidence_nb import platt_rate_nb
from kernel.risk.gates_nb import MISSING
from kernel.strategy.context import EMIT_REGIME
from kernel.units import RATE_SCALE as ONE
from tests.kernel.signal_desk import HOUR_NS, SignalDesk, told
from tests.reference import pipeline as naive

DAY_NS = 24 * HOUR_NS
rates = generators.integers(0, ONE)


def emitted(desk: SignalDesk, direction: int, confidence: int, strategy: int = 0) -> Any:
    (event,) = (stored.event for stored in desk.signal(direction, confidence, strategy=strategy))
    return event


# --- calibration ----------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(generators.integers(-1000 * ONE, 1000 * ONE), generators.integers(-1000 * ONE, 1000 * ONE), rates)
def test_platt_is_right_to_the_last_of_eight_digits(slope: int, intercept: int, confidence: int) -> None:
    assert abs(int(platt_rate_nb(slope, intercept, confidence)) - naive.platt(slope, intercept, confidence)) <= 1


@settings(max_examples=60, deadline=None)
@given(generators.lists(generators.tuples(rates, rates), max_size=64, unique_by=lambda pair: pair[0]), rates)
def test_isotonic_is_a_straight_line_between_points(points: list[tuple[int, int]], confidence: int) -> None:
    xs, ys = sorted(x for x, _ in points), sorted(y for _, y in points)
    points = list(zip(xs, ys, strict=True))
    desk = SignalDesk()
    desk.apply(c.CalibrationSet(r.ISOTONIC, 0, 0), -1, 0)
    for point in points:
        desk.apply(c.CalibrationPointSet(*point), -1, 0)
    event = emitted(desk, 1, confidence)
    wanted = naive.isotonic(points, confidence)
    assert (event.confidence_rate, event.raw_confidence_rate) == (wanted, confidence if wanted != confidence else 0)


def test_a_signal_says_what_was_named_and_what_counts() -> None:
    desk = SignalDesk()
    desk.apply(c.CalibrationSet(r.PLATT, -4 * ONE, 2 * ONE), -1, 0)
    event = emitted(desk, 1, 3 * ONE // 4)
    assert (event.confidence_rate, event.raw_confidence_rate) == (73105858, 3 * ONE // 4)  # 1 / (1 + exp(-1))
    assert int(desk.row().confidence_rate) == 73105858
    other = emitted(desk, 1, 3 * ONE // 4, strategy=1)
    assert (other.confidence_rate, other.raw_confidence_rate) == (3 * ONE // 4, 0), "each strategy has its own"
    desk.apply(c.CalibrationSet(r.UNCALIBRATED, 0, 0), -1, 0)
    assert emitted(desk, 1, ONE // 2).confidence_rate == ONE // 2


def test_the_numbers_are_those_of_scikit_learn() -> None:
    """Its own calibrators, fitted to the same pairs, predict what the kernel makes of the fitted text."""
    import tomllib

    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    from replay.calibration import fit

    drawn = np.random.default_rng(7)
    confidence = np.round(drawn.uniform(0, 1, 400), 8)
    right = (drawn.uniform(0, 1, 400) < confidence**2).astype(int)
    table = tomllib.loads(fit(confidence, right, "platt"))["strategy"]["calibration"]
    scores = LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])
    scores.coef_, scores.intercept_ = np.array([[1.0]]), np.array([0.0])
    theirs = CalibratedClassifierCV(FrozenEstimator(scores), method="sigmoid")
    theirs.fit(confidence.reshape(-1, 1), right)
    wanted = theirs.predict_proba(confidence.reshape(-1, 1))[:, 1]
    slope, intercept = round(table["slope"] * ONE), round(table["intercept"] * ONE)
    found = [int(platt_rate_nb(slope, intercept, round(x * ONE))) / ONE for x in confidence]
    assert np.abs(np.array(found) - wanted).max() < 2e-4  # their solver stops at a tolerance
    steps = np.round(confidence, 1)
    table = tomllib.loads(fit(steps, right, "isotonic"))["strategy"]["calibration"]
    points = [(round(x * ONE), round(y * ONE)) for x, y in table["points"]]
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(steps, right)
    grid = np.linspace(0, 1, 101)
    mine = np.array([naive.isotonic(points, round(x * ONE)) / ONE for x in grid])
    assert np.abs(mine - model.predict(grid)).max() < 1e-7


# --- regimes --------------------------------------------------------------------------------------------------------


def regime(desk: SignalDesk, trend: int, volatility: int, character: int, instrument: int = 0) -> list[Stored]:
    first = int(desk.output.count)
    intent = desk.intent(
        action=EMIT_REGIME, instrument=instrument, side=trend, order_type=volatility, time_in_force=character,
        limit_ticks=3, stop_ticks=4, strength_rate=5, confidence_rate=6, measure_e8=7,
    )  # fmt: skip
    desk.stamp()
    assert decide_nb(desk.state, desk.output, 1, intent) == OK
    return desk.since(first)


def test_a_regime_is_an_event_when_it_changes() -> None:
    desk = SignalDesk()
    (stored,) = regime(desk, r.BULL, r.HIGH, r.MIXED)
    assert stored.event == c.RegimeChanged(r.BULL, r.HIGH, r.MIXED, 3, 4, 5, 6, 7)
    assert regime(desk, r.BULL, r.HIGH, r.MIXED) == []
    assert len(regime(desk, r.BULL, r.HIGH, r.TRENDING)) == 1
    assert len(regime(desk, r.BULL, r.HIGH, r.TRENDING, instrument=1)) == 1, "each instrument has its own"


@settings(max_examples=60, deadline=None)
@given(
    generators.lists(
        generators.tuples(
            generators.sampled_from([(d, n) for d in r.REGIMES for n in r.REGIMES[d]]),
            generators.integers(0, 3 * ONE),
            generators.integers(0, 3 * ONE),
        ),
        max_size=8,
    ),
    generators.sampled_from([r.BULL, r.BEAR, r.SIDEWAYS]),
    generators.integers(1, 3),
    generators.integers(1, 3),
    generators.sampled_from([1, -1]),
    rates,
)
def test_confidences_are_scaled_by_each_class_of_the_regime(
    scales: Any, trend: int, volatility: int, character: int, direction: int, confidence: int
) -> None:
    desk = SignalDesk(strategies=3)
    table = {}
    for place, long, short in scales:
        desk.apply(c.RegimeScaleSet(*place, long, short))
        table[place] = long if direction > 0 else short
    assert emitted(desk, direction, confidence).confidence_rate == confidence, "no regime is known yet"
    regime(desk, trend, volatility, character)
    classes = [(r.TREND, trend), (r.VOLATILITY, volatility), (r.CHARACTER, character)]
    wanted = naive.scaled(confidence, [table.get(place, ONE) for place in classes])
    assert emitted(desk, direction, confidence).confidence_rate == wanted
    desk.apply(c.EnsembleSet(0, 0, 0, 0), -1, 2)
    desk.apply(c.EnsembleMemberSet(0, ONE, 0), -1, 2)
    assert emitted(desk, direction, confidence).confidence_rate == confidence, "a member is not, its ensemble is"


# --- filters --------------------------------------------------------------------------------------------------------


def level(number: int, value: int) -> Any:
    return lambda desk: desk.apply(c.LevelSet(number, value), 0)


def session(opened: int, closed: int) -> Any:
    return lambda desk: desk.apply(c.SessionChanged(1, opened, closed, closed + DAY_NS), 0)


def quote(bid: int, ask: int) -> Any:
    return lambda desk: desk.apply(c.QuoteSeen(bid, 1, ask, 1), 0)


NOW = 100 * DAY_NS
NOTHING: Any = lambda desk: None  # noqa: E731
# the filters, what is known, the confidence; the filter that drops (0: none), its limit and what it saw
ROWS: list[Any] = [
    ({"minimum_confidence_rate": 65}, NOTHING, 65, (0, 0, 0)),
    ({"minimum_confidence_rate": 65}, NOTHING, 64, (r.MINIMUM, 65, 64)),
    ({"close_before_ns": 1}, session(NOW - 5, NOW + 5), ONE, (0, 0, 0)),
    ({"close_before_ns": 1}, session(NOW - 5, NOW), ONE, (r.HOURS, 1, MISSING)),
    ({"close_before_ns": 1}, session(NOW + 1, NOW + 5), ONE, (r.HOURS, 1, MISSING)),
    ({"close_before_ns": 9}, session(NOW - 5, NOW + 8), ONE, (r.HOURS, 9, 8)),
    ({"close_before_ns": 1}, NOTHING, ONE, (r.HOURS, 1, MISSING)),
    ({"close_before_ns": 1, "pass_unknown": 1}, NOTHING, ONE, (0, 0, 0)),
    ({"daily_volume": 500}, level(2, 500), ONE, (0, 0, 0)),
    ({"daily_volume": 500}, level(2, 499), ONE, (r.LIQUIDITY, 500, 499)),
    ({"daily_volume": 500}, NOTHING, ONE, (r.LIQUIDITY, 500, MISSING)),
    ({"spread_rate": ONE // 100}, quote(199, 201), ONE, (0, 0, 0)),
    ({"spread_rate": ONE // 100}, quote(98, 102), ONE, (r.SPREAD, ONE // 100, 4 * ONE // 100)),
    ({"spread_rate": ONE // 100}, NOTHING, ONE, (r.SPREAD, ONE // 100, MISSING)),
    ({"earnings_ns": DAY_NS}, level(3, NOW + DAY_NS + 1), ONE, (0, 0, 0)),
    ({"earnings_ns": DAY_NS}, level(3, NOW + DAY_NS), ONE, (r.EARNINGS, DAY_NS, DAY_NS)),
    ({"earnings_ns": DAY_NS}, level(3, NOW - 7), ONE, (r.EARNINGS, DAY_NS, 7)),
    ({"earnings_ns": DAY_NS}, NOTHING, ONE, (0, 0, 0)),
    ({"news_ns": HOUR_NS}, level(5, NOW + HOUR_NS), ONE, (r.NEWS, HOUR_NS, HOUR_NS)),
    ({"news_ns": HOUR_NS}, level(5, NOW + HOUR_NS + 1), ONE, (0, 0, 0)),
    ({"news_ns": HOUR_NS}, level(3, NOW), ONE, (0, 0, 0)),
]


def filtered(**filters: int) -> SignalDesk:
    desk = SignalDesk()
    desk.now_ns = NOW
    fields = dict.fromkeys(c.SignalFiltersSet.__struct_fields__, 0) | filters
    desk.apply(c.SignalFiltersSet(**fields), -1, 0)
    return desk


@pytest.mark.parametrize(("filters", "known", "confidence", "wanted"), ROWS)
def test_what_each_filter_drops(filters: dict[str, int], known: Any, confidence: int, wanted: Any) -> None:
    desk = filtered(**filters)
    known(desk)
    event = emitted(desk, 1, confidence)
    if wanted[0] == 0:
        assert isinstance(event, c.SignalEmitted)
    else:
        assert event == c.SignalDropped(1, confidence, *wanted)
        assert (int(desk.row().direction), int(desk.row().due)) == (0, 0)
    assert isinstance(emitted(desk, 0, 0), c.SignalEmitted), "a flat signal passes all"
    assert isinstance(emitted(desk, 1, confidence, strategy=1), c.SignalEmitted), "another strategy has none"


def test_every_filter_has_rows_on_both_sides() -> None:
    dropped = {wanted[0] for *_, wanted in ROWS}
    assert dropped == set(r.FILTERS) - {r.ARM} | {0}


def test_a_signal_that_is_dropped_ends_what_stands_against_it() -> None:
    desk = filtered(news_ns=HOUR_NS)
    emitted(desk, 1, ONE)
    desk.targets()
    desk.fill_all()
    level(5, NOW)(desk)
    assert isinstance(emitted(desk, 1, ONE), c.SignalEmitted), "it says again what stands"
    assert isinstance(emitted(desk, -1, ONE), c.SignalDropped)
    (target,) = told(desk.targets(), c.PortfolioTarget)
    assert target.target_lots == 0, "long is over, and short is not begun"


def test_a_confidence_that_is_too_small_ends_what_stands() -> None:
    desk = filtered(minimum_confidence_rate=60)
    emitted(desk, 1, 90)
    assert isinstance(emitted(desk, 1, 59), c.SignalDropped)
    assert int(desk.row().direction) == 0
