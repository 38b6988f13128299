"""Mending: what the kernel does when a fill went against what its group wants.

Owns the event that says so, and the order that trades the excess back. It happens at a venue that does not know of
groups, when both orders fill before either cancel arrives. An excess is traded back reduce-only, so what it was closes,
and nothing new is opened.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import FILLED, GROUP_BROKEN
from kernel.groups_nb import is_leg_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import ENTRY, EXIT_ORDER, REDUCE_ONLY
from kernel.lifecycle_nb import reducible_lots_nb
from kernel.placing_nb import make_order_nb, place_nb
from kernel.state import STATE


@inlined
def _has_exit_nb(state, group_id):
    """Whether an exit of a bracket is open, or waits for its entry."""
    for row in range(state.head.order_count):
        if state.orders[row].group_id == group_id and is_leg_nb(state.orders[row].group_role):
            return True
    return False


@unit(STATE, OUTPUT, np.int64)
def mend_group_nb(state, output, at):
    """Look at the fill that is record ``at`` of the output, of an order in a group. Returns a status."""
    fill, record = state.group_fill, output.records[at]
    strategy, instrument, side = record.strategy, record.instrument, record.words[FILLED.side]
    leg, excess, unprotected = state.closed_trade.leg, fill.excess_lots, 0
    if fill.group_role == ENTRY and not _has_exit_nb(state, fill.group_id):
        unprotected = fill.quantity_lots - excess
    if excess == 0 and unprotected == 0:
        return OK
    record = begin_nb(state, output, GROUP_BROKEN.kind, instrument, strategy)
    record.words[GROUP_BROKEN.order_id] = fill.order_id
    record.words[GROUP_BROKEN.group_id] = fill.group_id
    record.words[GROUP_BROKEN.excess_lots] = excess
    record.words[GROUP_BROKEN.unprotected_lots] = unprotected
    output.cause = record.sequence
    status = apply_nb(state, record)
    if status != OK or excess == 0 or reducible_lots_nb(state, strategy, instrument, leg, -side) == 0:
        return status
    intent = output.work.intent
    make_order_nb(intent, instrument, -side, excess)
    intent.instructions = REDUCE_ONLY
    intent.leg = leg
    return place_nb(state, output, strategy, instrument, intent, EXIT_ORDER)
