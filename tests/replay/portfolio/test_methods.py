"""Methods against closed forms and published examples, none of which uses the library under test."""

from typing import Any

import numpy as np
import pytest

from replay.portfolio import PortfolioError
from replay.portfolio.methods import METHODS, MethodSettings, View, black_litterman, compute_weights

YEAR_STEPS = 365.25


def returns_with(means: list[float], covariance: np.ndarray, count: int = 60) -> np.ndarray:
    """Returns whose sample mean and sample covariance are exactly as given."""
    noise = np.random.default_rng(11).normal(size=(count, len(means)))
    whitened, _ = np.linalg.qr(noise - noise.mean(axis=0))
    return np.array(means) + whitened * np.sqrt(count - 1) @ np.linalg.cholesky(covariance).T


def covariance_of(deviations: list[float], correlation: float) -> np.ndarray:
    correlations = np.full((len(deviations), len(deviations)), correlation)
    np.fill_diagonal(correlations, 1.0)
    return correlations * np.outer(deviations, deviations)


def weights_of(method: str, returns: np.ndarray, **settings: Any) -> np.ndarray:
    names = [f"venue/{place}" for place in range(returns.shape[1])]
    return compute_weights(MethodSettings(method=method, **settings), names, returns, YEAR_STEPS)


THREE = returns_with([0.001, 0.0005, 0.0002], covariance_of([0.03, 0.02, 0.01], 0.3))


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_not_negative_and_sum_to_one(method: str) -> None:
    weights = weights_of(method, THREE)
    assert weights.shape == (3,)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights_of(method, THREE).tolist() == weights.tolist()
    assert weights_of(method, THREE[:, :1]).tolist() == [1.0]


def test_equal_and_inverse_volatility() -> None:
    assert weights_of("equal", THREE).tolist() == pytest.approx([1 / 3] * 3)
    inverse = np.array([1 / 0.03, 1 / 0.02, 1 / 0.01])
    assert weights_of("inverse-volatility", THREE) == pytest.approx(inverse / inverse.sum(), rel=1e-9)


@pytest.mark.parametrize(("one", "other", "correlation"), [(0.02, 0.01, 0.2), (0.02, 0.03, -0.5), (0.01, 0.01, 0.0)])
def test_minimum_variance_of_two_is_the_closed_form(one: float, other: float, correlation: float) -> None:
    """(s2^2 - r s1 s2) / (s1^2 + s2^2 - 2 r s1 s2): H. Markowitz, Portfolio Selection (1952)."""
    returns = returns_with([0.0, 0.0], covariance_of([one, other], correlation))
    shared = correlation * one * other
    expected = (other**2 - shared) / (one**2 + other**2 - 2 * shared)
    assert weights_of("minimum-variance", returns) == pytest.approx([expected, 1 - expected], abs=1e-4)


def test_mean_variance_of_two_is_the_closed_form() -> None:
    """The mean less half the aversion times the variance, with weights that sum to one, by its derivative."""
    covariance, means, aversion = covariance_of([0.02, 0.01], 0.2), np.array([0.0004, 0.0001]), 3.0
    spread = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    expected = (means[0] - means[1]) / (aversion * spread) + (covariance[1, 1] - covariance[0, 1]) / spread
    assert 0.0 < expected < 1.0
    weights = weights_of("mean-variance", returns_with(means.tolist(), covariance), risk_aversion=aversion)
    assert weights == pytest.approx([expected, 1 - expected], abs=1e-4)


def test_risk_parity_contributes_equally() -> None:
    """w_i (S w)_i is the same for all: the ERC portfolio of Maillard, Roncalli and Teiletche (2010)."""
    covariance = covariance_of([0.03, 0.02, 0.01], 0.3) + np.diag([0.0, 1e-4, 0.0])
    weights = weights_of("risk-parity", returns_with([0.0] * 3, covariance))
    contributions = weights * (covariance @ weights)
    assert contributions / contributions.sum() == pytest.approx([1 / 3] * 3, abs=1e-4)


def test_risk_parity_of_two_is_inverse_volatility() -> None:
    """Maillard, Roncalli and Teiletche (2010), section 2.3: for two assets correlation does not matter."""
    weights = weights_of("risk-parity", returns_with([0.0, 0.0], covariance_of([0.03, 0.01], 0.6)))
    assert weights == pytest.approx([0.25, 0.75], abs=1e-4)


# T. Idzorek, A Step-by-Step Guide to the Black-Litterman Model (2005): tables 1, 5, 2 and 6.
IDZOREK_NAMES = [
    "bonds",
    "world-bonds",
    "large-growth",
    "large-value",
    "small-growth",
    "small-value",
    "world",
    "emerging",
]
IDZOREK_MARKET = [0.1934, 0.2613, 0.1209, 0.1209, 0.0134, 0.0134, 0.2418, 0.0349]
IDZOREK_COVARIANCE = np.array([
    [0.001005, 0.001328, -0.000579, -0.000675, 0.000121, 0.000128, -0.000445, -0.000437],
    [0.001328, 0.007277, -0.001307, -0.000610, -0.002237, -0.000989, 0.001442, -0.001535],
    [-0.000579, -0.001307, 0.059852, 0.027588, 0.063497, 0.023036, 0.032967, 0.048039],
    [-0.000675, -0.000610, 0.027588, 0.029609, 0.026572, 0.021465, 0.020697, 0.029854],
    [0.000121, -0.002237, 0.063497, 0.026572, 0.102488, 0.042744, 0.039943, 0.065994],
    [0.000128, -0.000989, 0.023036, 0.021465, 0.042744, 0.032056, 0.019881, 0.032235],
    [-0.000445, 0.001442, 0.032967, 0.020697, 0.039943, 0.019881, 0.028355, 0.035064],
    [-0.000437, -0.001535, 0.048039, 0.029854, 0.065994, 0.032235, 0.035064, 0.079958],
])  # fmt: skip
IDZOREK_IMPLIED = [0.0008, 0.0067, 0.0641, 0.0408, 0.0743, 0.0370, 0.0480, 0.0660]
IDZOREK_COMBINED = [0.0007, 0.0050, 0.0650, 0.0432, 0.0759, 0.0394, 0.0493, 0.0684]
IDZOREK_VIEWS = (
    View({"world": 1.0}, 0.0525),
    View({"world-bonds": 1.0, "bonds": -1.0}, 0.0025),
    View({"large-growth": 0.9, "large-value": -0.9, "small-growth": 0.1, "small-value": -0.1}, 0.02),
)


@pytest.mark.parametrize(("views", "expected"), [((), IDZOREK_IMPLIED), (IDZOREK_VIEWS, IDZOREK_COMBINED)])
def test_black_litterman_as_idzorek_published_it(views: tuple[View, ...], expected: list[float]) -> None:
    market = dict(zip(IDZOREK_NAMES, IDZOREK_MARKET, strict=True))
    settings = MethodSettings(
        method="black-litterman", risk_aversion=3.07, tau=0.025, market_weights=market, views=views
    )
    estimator = black_litterman(settings, IDZOREK_NAMES, 1.0)
    estimator.fit(returns_with([0.0] * 8, IDZOREK_COVARIANCE))
    assert estimator.return_distribution_.mu == pytest.approx(expected, abs=1.5e-4)


def test_without_views_black_litterman_holds_the_market() -> None:
    """Reverse optimisation undone: He and Litterman (1999), section 3."""
    market = {"venue/0": 0.5, "venue/1": 0.3, "venue/2": 0.2}
    assert weights_of("black-litterman", THREE, market_weights=market) == pytest.approx([0.5, 0.3, 0.2], abs=1e-3)


def test_a_view_moves_weight_towards_what_it_favours() -> None:
    views = (View({"venue/0": 1.0, "venue/1": -1.0}, 0.5, confidence=0.6),)
    sure = (View({"venue/0": 1.0, "venue/1": -1.0}, 0.5, confidence=1.0),)
    plain, moved, most = (weights_of("black-litterman", THREE, views=given) for given in ((), views, sure))
    assert plain[0] < moved[0] < most[0] + 1e-9
    unknown = (View({"elsewhere": 1.0}, 0.5),)
    assert weights_of("black-litterman", THREE, views=unknown).tolist() == plain.tolist()


def test_what_has_no_solution_is_said_in_one_line() -> None:
    broken = THREE.copy()
    broken[3, 1] = np.nan
    with pytest.raises(PortfolioError, match=r"^risk-parity: no solution: [^\n]+$"):
        weights_of("risk-parity", broken)
