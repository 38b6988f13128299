"""Trailing stops at the venue: the stop follows the market, and the limit of a trailing stop-limit follows the stop."""

import numpy as np

from kernel.jit import unit
from kernel.ledger_nb import OK
from kernel.lifecycle import TRAILING_STOP_LIMIT
from kernel.terms_nb import trail_limit_nb, trail_stop_nb
from replay.venue.kinds_nb import is_trailing_nb
from replay.venue.memory import VENUE_ORDER


@unit(VENUE_ORDER, np.int64)
def follow_nb(order, price_ticks):
    """Let the stop of an order that trails follow a price, favourably only. Once it has fired it stays. Returns OK."""
    if not is_trailing_nb(order.order_type) or order.triggered == 1 or price_ticks <= 0:
        return OK
    order.stop_ticks = trail_stop_nb(order.side, order.trail_kind, order.trail_value, price_ticks, order.stop_ticks)
    if order.order_type == TRAILING_STOP_LIMIT:
        order.limit_ticks = trail_limit_nb(order.side, order.stop_ticks, order.limit_offset_ticks)
    return OK
