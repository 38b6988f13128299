"""What a session with a venue changes in the state: the rules of instruments, and why entries are stopped.

Most of its events are there to be read (connections, clocks, reconciliations) and change nothing.
"""

from kernel.events.layout import DEGRADED_SET, IN_DOUBT, RECORD, VENUE_RULES
from kernel.jit import inlined, unit
from kernel.ledger_nb import BAD_INDEX, MISMATCH, OK, UNKNOWN_ORDER
from kernel.lifecycle_nb import find_order_nb
from kernel.state import STATE


@inlined
def _set_rules_nb(instrument, words):
    for word in range(VENUE_RULES.price_step_ticks, VENUE_RULES.maximum_leverage_rate + 1):
        if words[word] < 0:
            return MISMATCH
    instrument.price_step_ticks = words[VENUE_RULES.price_step_ticks]
    instrument.quantity_step_lots = words[VENUE_RULES.quantity_step_lots]
    instrument.minimum_lots = words[VENUE_RULES.minimum_lots]
    instrument.maximum_lots = words[VENUE_RULES.maximum_lots]
    instrument.maximum_market_lots = words[VENUE_RULES.maximum_market_lots]
    instrument.minimum_notional_minor = words[VENUE_RULES.minimum_notional_minor]
    instrument.maximum_leverage_rate = words[VENUE_RULES.maximum_leverage_rate]
    return OK


@unit(STATE, RECORD)
def live_event_nb(state, record):
    """Book one event of a session with a venue. Returns a status."""
    kind, words, instrument = record.kind, record.words, record.instrument
    if instrument >= state.head.instrument_count:
        return BAD_INDEX
    if kind == VENUE_RULES.kind:
        if instrument < 0:
            return BAD_INDEX
        state.head.rules_on = 1
        return _set_rules_nb(state.instruments[instrument], words)
    if kind == DEGRADED_SET.kind:
        if words[DEGRADED_SET.reasons] < 0:
            return MISMATCH
        if instrument < 0:
            state.head.degraded = words[DEGRADED_SET.reasons]
        else:
            state.instruments[instrument].degraded = words[DEGRADED_SET.reasons]
        return OK
    if kind == IN_DOUBT.kind and find_order_nb(state, words[IN_DOUBT.order_id]) < 0:
        return UNKNOWN_ORDER
    return OK
