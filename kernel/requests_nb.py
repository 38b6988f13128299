"""Requests about open orders, written as events: cancel, replace, or the refusal to pass one on.

Owns the records only. Whether a request is allowed is decided by whoever writes it.
"""

from kernel.apply_nb import apply_nb
from kernel.emit_nb import begin_nb
from kernel.events.layout import CANCEL_REQUESTED, REPLACE_REQUESTED, REQUEST_REFUSED
from kernel.jit import jit


@jit
def refuse_nb(state, output, strategy, instrument, order_id, check, limit, value):
    """Record that a request was not passed on, and why."""
    record = begin_nb(state, output, REQUEST_REFUSED.kind, instrument, strategy)
    record.words[REQUEST_REFUSED.order_id] = order_id
    record.words[REQUEST_REFUSED.check] = check
    record.words[REQUEST_REFUSED.limit] = limit
    record.words[REQUEST_REFUSED.value] = value
    return apply_nb(state, record)


@jit
def ask_cancel_nb(state, output, order, linked):
    """Record that the rest of an order is to be cancelled; ``linked`` is 1 when its group wants it."""
    record = begin_nb(state, output, CANCEL_REQUESTED.kind, order.instrument, order.strategy)
    record.words[CANCEL_REQUESTED.order_id] = order.order_id
    record.words[CANCEL_REQUESTED.linked] = linked
    return apply_nb(state, record)


@jit
def ask_replace_nb(state, output, order, quantity_lots, limit_ticks, stop_ticks, linked):
    """Record that an order is to have another total quantity and other prices."""
    record = begin_nb(state, output, REPLACE_REQUESTED.kind, order.instrument, order.strategy)
    words = record.words
    words[REPLACE_REQUESTED.order_id] = order.order_id
    words[REPLACE_REQUESTED.quantity_lots] = quantity_lots
    words[REPLACE_REQUESTED.limit_ticks] = limit_ticks
    words[REPLACE_REQUESTED.stop_ticks] = stop_ticks
    words[REPLACE_REQUESTED.linked] = linked
    return apply_nb(state, record)
