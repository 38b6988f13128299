"""Confidences: calibrated by fitted numbers, and scaled by the regime.

Owns the arithmetic. Platt's sigmoid is computed in floats by a fixed order of + - * / (the exponential is our own) and
rounded once to 1/100,000,000; all else is integers, rounded half to even. A strategy that votes in an ensemble is not
scaled by the regime: its ensemble is.
"""

import numpy as np

from kernel.exact_nb import scale_linked_nb
from kernel.indicators.elementary_nb import exp_nb
from kernel.jit import inlined, jit, unit
from kernel.pipeline.rules import CHARACTER, ISOTONIC, PLATT, TREND, VOLATILITY
from kernel.state import STATE
from kernel.tables.pipeline import MAX_POINTS, REGIME_CLASSES
from kernel.units import RATE_SCALE


@jit
def platt_rate_nb(slope_e8, intercept_e8, confidence_rate):
    """1 / (1 + exp(slope * confidence + intercept)), in 1/100,000,000, rounded half to even.

    Source: J. Platt, Probabilistic Outputs for Support Vector Machines (1999).
    """
    slope, intercept = np.float64(slope_e8) / RATE_SCALE, np.float64(intercept_e8) / RATE_SCALE
    power = slope * (np.float64(confidence_rate) / RATE_SCALE) + intercept
    return np.int64(np.rint(RATE_SCALE / (1.0 + exp_nb(power))))


@jit
def isotonic_rate_nb(points, first, count, confidence_rate):
    """On a straight line between the points (from row ``first`` on), level before the first and after the last."""
    if count == 0:
        return confidence_rate
    if confidence_rate <= points[first].confidence_rate:
        return points[first].calibrated_rate
    for at in range(first + 1, first + count):
        after = points[at]
        if confidence_rate <= after.confidence_rate:
            before = points[at - 1]
            rise = after.calibrated_rate - before.calibrated_rate
            span = after.confidence_rate - before.confidence_rate
            return before.calibrated_rate + scale_linked_nb(rise, confidence_rate - before.confidence_rate, 1, span)
    return points[first + count - 1].calibrated_rate


@jit
def _factor_nb(state, dimension, regime, direction):
    """What confidences are multiplied by in a class; 1 where nothing is said."""
    entry = state.regime_scales[dimension * REGIME_CLASSES + regime + 1]
    if entry.active == 0:
        return RATE_SCALE
    return entry.long_rate if direction > 0 else entry.short_rate


@inlined
def _scaled_nb(state, instrument, direction, confidence_rate):
    """The confidence in the regime of an instrument, factor by factor, at most 1. Without a regime it stays."""
    regime = state.regimes[instrument]
    if regime.volatility == 0:
        return confidence_rate
    scaled = scale_linked_nb(confidence_rate, _factor_nb(state, TREND, regime.trend, direction), 1, RATE_SCALE)
    scaled = scale_linked_nb(scaled, _factor_nb(state, VOLATILITY, regime.volatility, direction), 1, RATE_SCALE)
    scaled = scale_linked_nb(scaled, _factor_nb(state, CHARACTER, regime.character, direction), 1, RATE_SCALE)
    return min(scaled, RATE_SCALE)


@unit(STATE, np.int64, np.int64, np.int64, np.int64)
def shape_confidence_nb(state, strategy, instrument, direction, confidence_rate):
    """A strategy's confidence as it counts: calibrated, then scaled by the regime."""
    plan = state.calibrations[strategy]
    if plan.method == PLATT:
        confidence_rate = platt_rate_nb(plan.slope_e8, plan.intercept_e8, min(confidence_rate, RATE_SCALE))
    elif plan.method == ISOTONIC:
        confidence_rate = isotonic_rate_nb(
            state.calibration_points, strategy * MAX_POINTS, plan.point_count, min(confidence_rate, RATE_SCALE)
        )
    if state.head.regimes_on == 0 or direction == 0 or state.ensembles[strategy].member_of != 0:
        return confidence_rate
    return _scaled_nb(state, instrument, direction, confidence_rate)
