"""Bars of series in the engine loop: closing those that are due, and telling the strategies that asked for them.

A transaction closes at most so many; what is left closes in one of its own, before anything else happens.
"""

import numpy as np

from kernel.bars.closing_nb import bars_due_nb, close_bar_nb, due_series_nb
from kernel.events.layout import SERIES_BAR, WORDS
from kernel.jit import inlined, unit, vector
from kernel.ledger_nb import OK
from kernel.portfolio_nb import portfolio_nb
from kernel.strategy.context import BAR
from kernel.tables.table import MAX_STRATEGIES
from replay.calls_nb import carry_nb, copy_words_nb, invoke_nb, stamp_nb
from replay.cuts_nb import APPLY_FAILED, NEED_ROWS
from replay.features_nb import compute_features_nb
from replay.memory import ENGINE

MOST_RECORDS = 100  # of a transaction, when another bar may still close in it


@inlined
def _tell_bar_nb(engine, entries, record, number):
    """Compute the features of a bar, and call every strategy that asked for its series."""
    ctx = engine.context
    if engine.control.features_on == 1:
        copy_words_nb(ctx.call.words, record.words, WORDS)
        status = compute_features_nb(engine, entries, record.instrument, number, record.sequence)
        if status != OK:
            engine.control.status = status
            return APPLY_FAILED
    for strategy in range(ctx.state.head.strategy_count):
        place = engine.hearing[number * MAX_STRATEGIES + strategy]
        if place > 0:
            copy_words_nb(ctx.call.words, record.words, WORDS)
            ctx.call.series = place - 1
            result = invoke_nb(
                engine, entries, strategy, record.instrument, BAR, record.sequence, ctx.state.head.now_ns
            )
            ctx.call.series = 0
            if result != NEED_ROWS:
                return result
    return NEED_ROWS


@unit(ENGINE, vector(np.int64), np.int64, np.int64)
def close_bars_nb(engine, entries, cause, instrument):
    """Close the bars that are due, of an instrument or (-1) of all, one after another. Returns NEED_ROWS, or why the
    loop must stop.
    """
    state, output, control = engine.context.state, engine.output, engine.control
    number = due_series_nb(state, instrument, -1)
    while number >= 0:
        if output.count - control.transaction_record > MOST_RECORDS:
            control.bars_left = 1
            break
        output.cause = cause
        at = output.count
        status = close_bar_nb(state, output, number)
        if status != OK:
            control.status = status
            return APPLY_FAILED
        record = output.records[at]
        if record.kind == SERIES_BAR.kind:
            result = _tell_bar_nb(engine, entries, record, number)
            if result != NEED_ROWS:
                return result
        number = due_series_nb(state, instrument, number)
    output.cause = cause
    return NEED_ROWS


@unit(ENGINE, vector(np.int64), np.int64, np.int64, np.int64)
def fall_due_nb(engine, entries, ts_ns, instrument, end_ns):
    """A transaction of time alone: bars end, and what strategies want of it. See ``bars_due_nb`` for the arguments."""
    state, output = engine.context.state, engine.output
    engine.control.bars_left = 0
    stamp_nb(output, ts_ns, 0)
    status = bars_due_nb(state, output, instrument, end_ns)
    if status != OK:
        engine.control.status = status
        return APPLY_FAILED
    result = close_bars_nb(engine, entries, output.cause, -1)
    if result == NEED_ROWS and state.head.targets_due > 0:
        asked = output.count
        if not carry_nb(engine, portfolio_nb(state, output), asked):
            return APPLY_FAILED
    return result
