"""From float weights to integers that sum exactly as asked."""

from fractions import Fraction
from math import floor

import numpy as np


def to_weight_rates(weights: np.ndarray, total_rate: int) -> list[int]:
    """Weights, not negative and not all 0, as rates in 1/100,000,000 whose sum is ``total_rate``.

    Each is taken as the exact fraction that its float is and rounded down; what is left goes one by one to the largest
    remainders, the lowest place first among equals. It is the rule of ``kernel.apportion_nb``, over fractions.
    """
    fractions = [Fraction(float(weight)) for weight in weights]
    whole = sum(fractions)
    exact = [total_rate * fraction / whole for fraction in fractions]
    rates = [floor(part) for part in exact]
    order = sorted(range(len(rates)), key=lambda place: (rates[place] - exact[place], place))
    for place in order[: total_rate - sum(rates)]:
        rates[place] += 1
    return rates
