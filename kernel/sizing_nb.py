"""Sizing: from a share of equity, a risk or an edge to whole lots.

Owns the arithmetic of the sizing models; it knows nothing of signals, orders or the state. Every number is an integer:
money in minor units, prices in ticks, rates in 1/100,000,000. Every rounding is towards zero: a budget to whole minor
units, a rate to 1/100,000,000, the result to whole lots. So a size never costs more than its budget, nor more than its
cap. What is missing, makes no sense or does not fit gives 0 lots.

Indicators are floats; ``to_e8_nb`` is the one place where one becomes the integer that decides. That integer is what
the events record, so a replay does not depend on the indicator.
"""

import numpy as np

from kernel.exact_nb import MONEY_MAX, OVERFLOW, divide_product_nb
from kernel.jit import inlined, jit, unit
from kernel.plans import ATR_RISK, EQUITY_SHARE, FIXED_LOTS, FIXED_MONEY, KELLY, SIZING_PLAN, VOLATILITY_TARGET
from kernel.units import RATE_SCALE

MISSING = -1  # a measure that is not known
_E8_BOUND = 4.0e10  # times 10**8 it stays below 2**62
_E16 = RATE_SCALE * RATE_SCALE


@jit
def to_e8_nb(value):
    """A measure in units of 1/100,000,000, to the nearest, ties to even; MISSING if it is negative, NaN or too large.

    ATR is given in ticks, volatility as a share of the price. The product with 100,000,000 is IEEE's, which is the
    same on every machine.
    """
    if not (value >= 0.0 and value < _E8_BOUND):
        return MISSING
    return np.int64(np.rint(value * RATE_SCALE))


@unit(np.int64, np.int64)
def share_minor_nb(money_minor, rate):
    """``rate`` of an amount of money, in whole minor units; 0 when either is not positive or it does not fit."""
    if money_minor <= 0 or rate <= 0:
        return 0
    share, _ = divide_product_nb(money_minor, rate, RATE_SCALE)
    return 0 if share == OVERFLOW else share


@unit(np.int64, np.int64, np.int64, np.int64)
def lots_for_money_nb(money_minor, ticks, numerator, denominator):
    """Whole lots of which each costs ``ticks``, for at most ``money_minor``.

    ``ticks`` is a price, or the distance to a stop. 0 when there is none, or when the value of a lot or the count of
    lots does not fit.
    """
    if money_minor <= 0 or ticks <= 0 or np.float64(ticks) * np.float64(numerator) >= MONEY_MAX:
        return 0
    lots, _ = divide_product_nb(money_minor, denominator, ticks * numerator)
    return 0 if lots == OVERFLOW else lots


@unit(np.int64, np.int64)
def stop_distance_ticks_nb(atr_e8, multiple_rate):
    """``multiple_rate`` times the ATR in whole ticks, rounded up so that risk is never understated; 0 when missing."""
    if atr_e8 <= 0 or multiple_rate <= 0:
        return 0
    distance, rest = divide_product_nb(atr_e8, multiple_rate, _E16)
    if distance == OVERFLOW:
        return 0
    return distance + 1 if rest > 0 else distance


@inlined
def atr_risk_lots_nb(equity_minor, risk_rate, distance_ticks, numerator, denominator):
    """Lots that lose at most ``risk_rate`` of equity over the distance to the stop.

    Source: the unit of the Original Turtle Trading Rules (2003): 1 % of the account by the dollar value of N, which is
    the ATR; here over a multiple of it.
    """
    return lots_for_money_nb(share_minor_nb(equity_minor, risk_rate), distance_ticks, numerator, denominator)


@unit(np.int64, np.int64)
def volatility_rate_nb(target_rate, volatility_e8):
    """The share of equity to hold so that it moves by ``target_rate``: target by measured volatility; 0 when missing.

    Both are over the same span, such as a year. Source: R. Carver, Systematic Trading (2015), the volatility scalar.
    """
    if target_rate <= 0 or volatility_e8 <= 0:
        return 0
    rate, _ = divide_product_nb(target_rate, RATE_SCALE, volatility_e8)
    return 0 if rate == OVERFLOW else rate


@unit(*[np.int64] * 3)
def kelly_rate_nb(win_rate, payoff_rate, fraction_rate):
    """``fraction_rate`` of Kelly's share of equity ``p - (1 - p) / b``; 0 without an edge.

    ``win_rate`` is the chance p to win, ``payoff_rate`` b what a win brings by what a loss costs. Source: J. L. Kelly,
    A New Interpretation of Information Rate (1956), as in E. O. Thorp, The Kelly Criterion (1997).
    """
    if win_rate <= 0 or win_rate > RATE_SCALE or payoff_rate <= 0 or fraction_rate <= 0:
        return 0
    # Rounded up, so that what it is taken from comes out rounded down.
    taken = ((RATE_SCALE - win_rate) * RATE_SCALE + payoff_rate - 1) // payoff_rate
    edge = win_rate - taken
    return share_minor_nb(edge, fraction_rate)


@inlined
def confident_lots_nb(lots, confidence_rate):
    """Lots scaled by a confidence, which counts as 1 at most and as 0 at least."""
    if confidence_rate >= RATE_SCALE:
        return lots
    return share_minor_nb(lots, confidence_rate)


@inlined
def _worth_nb(price_ticks, inverse, numerator, denominator):
    """What a lot is worth, as ``(ticks, divisor)``: ticks * numerator / divisor minor units; ``(0, 1)`` if too fine.

    An inverse contract is worth numerator / (denominator * price) of its coin.
    """
    if inverse == 0:
        return price_ticks, denominator
    if np.float64(price_ticks) * np.float64(denominator) >= MONEY_MAX:
        return 0, 1
    return 1, price_ticks * denominator


@unit(*[np.int64] * 5)
def lots_worth_nb(money_minor, price_ticks, inverse, numerator, denominator):
    """Whole lots that are worth at most ``money_minor`` at a price; ``inverse`` 1 for an inverse contract."""
    ticks, divisor = _worth_nb(price_ticks, inverse, numerator, denominator)
    return lots_for_money_nb(money_minor, ticks, numerator, divisor)


@inlined
def _atr_risk_lots_nb(plan, equity_minor, price_ticks, inverse, numerator, denominator, atr_e8):
    """See ``atr_risk_lots_nb``. A lot of an inverse contract loses its worth * distance / (price - distance)."""
    distance = stop_distance_ticks_nb(atr_e8, plan.multiple_rate)
    if inverse == 0:
        return atr_risk_lots_nb(equity_minor, plan.share_rate, distance, numerator, denominator)
    if distance <= 0 or distance >= price_ticks:
        return 0
    money, _ = divide_product_nb(share_minor_nb(equity_minor, plan.share_rate), price_ticks - distance, distance)
    ticks, divisor = _worth_nb(price_ticks, inverse, numerator, denominator)
    return 0 if money == OVERFLOW else lots_for_money_nb(money, ticks, numerator, divisor)


@inlined
def _wanted_lots_nb(plan, equity_minor, price_ticks, inverse, numerator, denominator, measure_e8):
    """What the model asks for, before cap and confidence."""
    model = plan.model
    if model == FIXED_LOTS:
        return max(plan.quantity_lots, 0)
    if model == ATR_RISK:
        return _atr_risk_lots_nb(plan, equity_minor, price_ticks, inverse, numerator, denominator, measure_e8)
    money = 0
    if model == FIXED_MONEY:
        money = plan.money_minor
    elif model == EQUITY_SHARE:
        money = share_minor_nb(equity_minor, plan.share_rate)
    elif model == VOLATILITY_TARGET:
        money = share_minor_nb(equity_minor, volatility_rate_nb(plan.share_rate, measure_e8))
    elif model == KELLY:
        rate = kelly_rate_nb(plan.win_rate, plan.payoff_rate, plan.fraction_rate)
        money = share_minor_nb(equity_minor, rate)
    return lots_worth_nb(money, price_ticks, inverse, numerator, denominator)


@unit(SIZING_PLAN, *[np.int64] * 7)
def size_lots_nb(plan, equity_minor, price_ticks, inverse, numerator, denominator, measure_e8, confidence_rate):
    """Lots, never negative, for a plan (``kernel.plans.SIZING_PLAN``) at a price; the caller knows the direction.

    Equity is in the instrument's currency. ``measure_e8`` is the ATR in ticks or the volatility as ``to_e8_nb`` gives
    it, for the model that needs one. The cap applies to the model's result; a confidence then scales what is left, so
    half the confidence is half the position.
    """
    if equity_minor <= 0 or price_ticks <= 0:
        return 0
    lots = _wanted_lots_nb(plan, equity_minor, price_ticks, inverse, numerator, denominator, measure_e8)
    if plan.cap_rate > 0:
        money = share_minor_nb(equity_minor, plan.cap_rate)
        lots = min(lots, lots_worth_nb(money, price_ticks, inverse, numerator, denominator))
    return confident_lots_nb(lots, confidence_rate) if plan.by_confidence == 1 else lots
