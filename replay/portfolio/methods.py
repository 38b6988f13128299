"""From a window of returns to portfolio weights, long only.

Owns the names of the methods and what each needs. The optimisers are skfolio's (the extra ``portfolio``); equal and
inverse-volatility weights need no library. Everything here is floats: what comes out is an opinion, which the kernel
takes as a recorded input after it was rounded (``rounding``).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from replay.portfolio import PortfolioError

METHODS = {
    "equal": "The same for each instrument.",
    "inverse-volatility": "In proportion to one by the standard deviation of returns.",
    "minimum-variance": "The smallest variance.",
    "mean-variance": "The largest mean return less half the risk aversion times variance.",
    "risk-parity": "Each instrument adds the same share of the variance.",
    "black-litterman": "As mean-variance, with returns implied by the market's weights and moved by views.",
}
DEFAULT_RISK_AVERSION = 2.5  # He and Litterman, The Intuition Behind Black-Litterman Model Portfolios (1999)
DEFAULT_TAU = 0.05  # as there
SOLVER_TOLERANCE = 1e-6  # a weight below it is the solver's noise around 0


class View(msgspec.Struct, frozen=True):
    """An opinion: the sum of ``coefficients`` (instrument name to number) times returns is ``value`` a year.

    ``confidence`` is between 0 and 1, in Idzorek's sense; 0 leaves the uncertainty of views at the prior's.
    """

    coefficients: dict[str, float]
    value: float
    confidence: float = 0.0


class MethodSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the methods need besides returns. ``market_weights`` defaults to equal ones."""

    method: str
    risk_aversion: float = DEFAULT_RISK_AVERSION
    tau: float = DEFAULT_TAU
    market_weights: dict[str, float] = {}
    views: tuple[View, ...] = ()


def compute_weights(
    settings: MethodSettings, names: Sequence[str], returns: np.ndarray, steps_per_year: float
) -> np.ndarray:
    """Weights (float64, one for each of ``names``, not negative, sum 1) from ``returns`` (steps by instruments).

    Raises PortfolioError when the library is missing or finds no solution.
    """
    count = len(names)
    if settings.method == "equal" or count == 1:
        return np.full(count, 1.0 / count)
    if settings.method == "inverse-volatility":
        inverse: np.ndarray = 1.0 / returns.std(axis=0, ddof=1)
        return inverse / float(inverse.sum())
    estimator = _estimator(settings, names, steps_per_year)
    try:
        estimator.fit(returns)
    except (ValueError, ArithmeticError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise PortfolioError(f"{settings.method}: no solution: {reason}") from error
    except Exception as error:  # cvxpy's errors have no common base of their own
        raise PortfolioError(f"{settings.method}: no solution: {type(error).__name__}") from error
    weights: np.ndarray = np.asarray(estimator.weights_, np.float64)
    weights = np.where(weights < SOLVER_TOLERANCE, 0.0, weights)
    if not np.isfinite(weights).all() or weights.sum() <= 0.0:
        raise PortfolioError(f"{settings.method}: the solver gave no usable weights")
    return weights / float(weights.sum())


def _estimator(settings: MethodSettings, names: Sequence[str], steps_per_year: float) -> Any:
    try:
        from skfolio.optimization import MeanRisk, ObjectiveFunction, RiskBudgeting
    except ImportError as error:
        raise PortfolioError(
            f"{settings.method} needs skfolio, which is not installed: pip install 'trading-kernel[portfolio]'"
        ) from error
    if settings.method == "risk-parity":
        return RiskBudgeting()
    if settings.method == "minimum-variance":
        return MeanRisk()
    # Per step both the mean and the variance are smaller by the same factor, so the aversion stays as it is.
    utility = {"objective_function": ObjectiveFunction.MAXIMIZE_UTILITY, "risk_aversion": settings.risk_aversion / 2.0}
    if settings.method == "mean-variance":
        return MeanRisk(**utility)
    assert settings.method == "black-litterman"
    return MeanRisk(prior_estimator=black_litterman(settings, names, steps_per_year), **utility)


def black_litterman(settings: MethodSettings, names: Sequence[str], steps_per_year: float) -> Any:
    """skfolio's estimator of returns: the market's implied ones, moved by the views; not yet fitted.

    Source: He and Litterman (1999); the confidence of a view as in T. Idzorek, A Step-by-Step Guide to the
    Black-Litterman Model (2005). Views that name an instrument that is not among ``names`` are left out.
    """
    from skfolio.moments import EquilibriumMu
    from skfolio.prior import BlackLitterman, EmpiricalPrior

    market = np.array([settings.market_weights.get(name, 0.0) for name in names])
    if market.sum() <= 0.0:
        market = np.ones(len(names))
    equilibrium = EquilibriumMu(risk_aversion=settings.risk_aversion, weights=market / market.sum())
    prior = EmpiricalPrior(mu_estimator=equilibrium)
    views = [view for view in settings.views if all(name in names for name in view.coefficients)]
    if not views:
        return prior
    places = {name: f"a{place}" for place, name in enumerate(names)}
    confidences = [view.confidence for view in views] if any(view.confidence > 0.0 for view in views) else None
    return BlackLitterman(
        views=[_equation(view, places, steps_per_year) for view in views],
        groups=[list(places.values())],
        prior_estimator=prior,
        tau=settings.tau,
        view_confidences=confidences,
    )


def _equation(view: View, places: Mapping[str, str], steps_per_year: float) -> str:
    terms = [f"{factor:+.17f} * {places[name]}" for name, factor in view.coefficients.items()]
    return f"{' '.join(terms)} == {view.value / steps_per_year:.17f}"
