"""From an opinion to a signal: the one way in which a signal comes to be.

Owns the event of a signal. Strategies, through ``decide``, and ensembles come this way.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import SIGNAL
from kernel.jit import unit
from kernel.ledger_nb import book_index_nb
from kernel.requests_nb import refuse_nb
from kernel.risk.numbers import INVALID_ORDER
from kernel.state import STATE
from kernel.strategy.context import INTENT


@unit(STATE, OUTPUT, np.int64, INTENT)
def emit_signal_nb(state, output, strategy, intent):
    """Record what a strategy thinks of an instrument."""
    if intent.instrument < 0 or intent.instrument >= state.head.instrument_count:
        return refuse_nb(state, output, strategy, -1, 0, INVALID_ORDER, 0, intent.instrument)
    book = state.positions[book_index_nb(state, strategy, intent.instrument, 1)]
    if state.accounts[book.account].hedging != 0:  # a target is for one book, and there are two
        return refuse_nb(state, output, strategy, intent.instrument, 0, INVALID_ORDER, 0, intent.side)
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
    return apply_nb(state, record)
