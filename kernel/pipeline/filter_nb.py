"""Filters: which signals are dropped, and why.

Owns their order. What they measure, and how, is what the gates of risk for entries do (``kernel/risk/gates_nb.py``).
"""

from kernel.jit import inlined
from kernel.lifecycle_nb import position_index_nb
from kernel.pipeline.rules import EARNINGS, HOURS, LIQUIDITY, MINIMUM, NEWS, SPREAD
from kernel.risk.gates_nb import earnings_nb, news_nb, session_nb, spread_nb, volume_gate_nb


@inlined
def filter_nb(state, ask, strategy, instrument, direction, confidence_rate):
    """The first filter that a signal does not pass, 0 when it passes all; limit and value are left in ``ask``.

    A signal that says again what stands, with no more confidence, asks for nothing new: only the first looks at it.
    """
    plan = state.filters[strategy]
    ask.instrument = instrument
    if confidence_rate < plan.minimum_confidence_rate:
        ask.limit = plan.minimum_confidence_rate
        ask.value = confidence_rate
        return MINIMUM
    row = state.signals[position_index_nb(state, strategy, instrument)]
    if row.direction == direction and confidence_rate <= row.confidence_rate:
        return 0
    passes = plan.pass_unknown == 1
    if session_nb(state, ask, plan.close_before_ns, passes) != 0:
        return HOURS
    if volume_gate_nb(state, ask, plan.daily_volume, passes) != 0:
        return LIQUIDITY
    if spread_nb(state, ask, plan.spread_rate, passes) != 0:
        return SPREAD
    if earnings_nb(state, ask, plan.earnings_ns) != 0:
        return EARNINGS
    if news_nb(state, ask, plan.news_ns) != 0:
        return NEWS
    return 0
