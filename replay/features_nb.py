"""Features in the engine loop: one call of the compiled set for each bar that closes, before strategies hear of it."""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import begin_nb
from kernel.events.features import VECTOR_VALUES
from kernel.events.layout import FEATURE_VECTOR
from kernel.jit import call_entry, inlined, unit, vector
from kernel.ledger_nb import OK
from kernel.tables.table import MAX_INSTRUMENTS
from replay.memory import ENGINE

NOT_A_NUMBER = 0x7FF8 << 48  # there are many patterns of bits for it; this one is recorded


@inlined
def _record_nb(engine, plan, instrument, series):
    """Write the values as events. Returns a status."""
    ctx, output = engine.context, engine.output
    first = 0
    while first < plan.value_count:
        count = min(plan.value_count - first, VECTOR_VALUES)
        record = begin_nb(ctx.state, output, FEATURE_VECTOR.kind, instrument, -1)
        record.account = -1
        record.words[FEATURE_VECTOR.series] = series
        record.words[FEATURE_VECTOR.first] = first
        record.words[FEATURE_VECTOR.value_count] = count
        for at in range(count):
            value = np.float64(ctx.features[plan.values_at + first + at])
            record.words[FEATURE_VECTOR.value_0 + at] = value.view(np.int64) if value == value else NOT_A_NUMBER
        status = apply_nb(ctx.state, record)
        if status != OK:
            return status
        first += count
    return OK


@unit(ENGINE, vector(np.int64), np.int64, np.int64, np.int64)
def compute_features_nb(engine, entries, instrument, series, cause):
    """Compute what is asked for of a bar, whose words the call holds. A series of -1 is the data's own bars.

    Returns a status.
    """
    plan = engine.feature_plans[instrument if series < 0 else MAX_INSTRUMENTS + series]
    if plan.entry == 0:
        return OK
    call = engine.context.call
    call.instrument = instrument
    call.memory_at = plan.memory_at
    call.parameters_at = plan.values_at
    call.callback = plan.callback
    call_entry(entries[plan.entry - 1], engine.context)
    if plan.record == 0:
        return OK
    engine.output.cause = cause
    return _record_nb(engine, plan, instrument, series)
