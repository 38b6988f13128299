"""From an opinion to a signal: calibrated, scaled by the regime, filtered.

Owns the event of a signal, and of one that is dropped. Strategies, through ``decide``, and ensembles come this way.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import REGIME_CHANGED, SIGNAL, SIGNAL_DROPPED
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK, book_index_nb
from kernel.pipeline.confidence_nb import shape_confidence_nb
from kernel.pipeline.filter_nb import filter_nb
from kernel.pipeline.route_nb import route_nb
from kernel.pipeline.rules import ARM, ARM_B
from kernel.requests_nb import refuse_nb
from kernel.risk.numbers import INVALID_ORDER
from kernel.state import STATE
from kernel.strategy.context import INTENT


@inlined
def _drop_nb(state, output, strategy, intent, number):
    """Record that a signal was dropped, and why."""
    limit, value = output.ask.limit, output.ask.value
    record = begin_nb(state, output, SIGNAL_DROPPED.kind, intent.instrument, strategy)
    words = record.words
    words[SIGNAL_DROPPED.direction] = intent.side
    words[SIGNAL_DROPPED.confidence_rate] = intent.confidence_rate
    words[SIGNAL_DROPPED.filter] = number
    words[SIGNAL_DROPPED.limit] = limit
    words[SIGNAL_DROPPED.value] = value
    return apply_nb(state, record)


@unit(STATE, OUTPUT, np.int64, INTENT, np.int64)
def emit_shaped_nb(state, output, strategy, intent, raw_rate):
    """Record a signal whose confidence is the one that counts, or that it is dropped. Returns a status.

    ``raw_rate`` is the confidence that the strategy named, 0 when it is the same.
    """
    if state.experiment.active == 1 and state.arms[strategy].arm != 0:
        cause = output.cause
        status = route_nb(state, output, intent.instrument)
        output.cause = cause
        if status != OK:
            return status
        if intent.side != 0 and state.arms[strategy].arm == ARM_B and state.routes[intent.instrument].arm != ARM_B:
            output.ask.limit = ARM_B
            output.ask.value = state.routes[intent.instrument].arm
            return _drop_nb(state, output, strategy, intent, ARM)
    if intent.side != 0 and state.filters[strategy].active == 1:
        number = filter_nb(state, output.ask, strategy, intent.instrument, intent.side, intent.confidence_rate)
        if number != 0:
            return _drop_nb(state, output, strategy, intent, number)
    record = begin_nb(state, output, SIGNAL.kind, intent.instrument, strategy)
    words = record.words
    words[SIGNAL.direction] = intent.side
    words[SIGNAL.strength_rate] = intent.strength_rate
    words[SIGNAL.confidence_rate] = intent.confidence_rate
    words[SIGNAL.horizon_ns] = intent.horizon_ns
    words[SIGNAL.stop_ticks] = intent.stop_ticks
    words[SIGNAL.target_ticks] = intent.limit_ticks
    words[SIGNAL.measure_e8] = intent.measure_e8
    words[SIGNAL.low_return_rate] = intent.low_return_rate
    words[SIGNAL.high_return_rate] = intent.high_return_rate
    words[SIGNAL.raw_confidence_rate] = raw_rate
    return apply_nb(state, record)


@unit(STATE, OUTPUT, np.int64, INTENT)
def emit_signal_nb(state, output, strategy, intent):
    """Record what a strategy thinks of an instrument."""
    if intent.instrument < 0 or intent.instrument >= state.head.instrument_count:
        return refuse_nb(state, output, strategy, -1, 0, INVALID_ORDER, 0, intent.instrument)
    book = state.positions[book_index_nb(state, strategy, intent.instrument, 1)]
    if state.accounts[book.account].hedging != 0:  # a target is for one book, and there are two
        return refuse_nb(state, output, strategy, intent.instrument, 0, INVALID_ORDER, 0, intent.side)
    raw = intent.confidence_rate
    shaped = shape_confidence_nb(state, strategy, intent.instrument, intent.side, raw)
    intent.confidence_rate = shaped
    return emit_shaped_nb(state, output, strategy, intent, raw if shaped != raw else 0)


@inlined
def emit_regime_nb(state, output, strategy, intent):
    """Record the regime that a classifier sees, when it is another one than before. Returns a status."""
    if intent.instrument < 0 or intent.instrument >= state.head.instrument_count:
        return refuse_nb(state, output, strategy, -1, 0, INVALID_ORDER, 0, intent.instrument)
    regime = state.regimes[intent.instrument]
    if (
        regime.trend == intent.side
        and regime.volatility == intent.order_type
        and regime.character == intent.time_in_force
    ):
        return OK
    record = begin_nb(state, output, REGIME_CHANGED.kind, intent.instrument, strategy)
    words = record.words
    words[REGIME_CHANGED.trend] = intent.side
    words[REGIME_CHANGED.volatility] = intent.order_type
    words[REGIME_CHANGED.character] = intent.time_in_force
    words[REGIME_CHANGED.fast_e8] = intent.limit_ticks
    words[REGIME_CHANGED.slow_e8] = intent.stop_ticks
    words[REGIME_CHANGED.adx_e8] = intent.strength_rate
    words[REGIME_CHANGED.choppiness_e8] = intent.confidence_rate
    words[REGIME_CHANGED.rank_e8] = intent.measure_e8
    return apply_nb(state, record)
