"""What the venue says: reports, which are events like those of a real venue.

Owns the writing of a report, and the small ones that end an order.
"""

from kernel.apply_nb import apply_nb
from kernel.emit_nb import begin_nb
from kernel.events.layout import CANCELED, REJECTED
from kernel.jit import jit


@jit
def cancel_rest_nb(state, output, order, reason):
    """Cancel what is left of an order, and say why."""
    record = begin_nb(state, output, CANCELED.kind, order.instrument, order.strategy)
    record.words[CANCELED.order_id] = order.order_id
    record.words[CANCELED.leaves_lots] = order.remaining_lots
    record.words[CANCELED.reason] = reason
    order.remaining_lots = 0
    return apply_nb(state, record)


@jit
def reject_nb(state, output, order, reason):
    """Refuse an order that was not accepted yet."""
    record = begin_nb(state, output, REJECTED.kind, order.instrument, order.strategy)
    record.words[REJECTED.order_id] = order.order_id
    record.words[REJECTED.reason] = reason
    order.remaining_lots = 0
    return apply_nb(state, record)
