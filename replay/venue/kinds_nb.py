"""What the types of orders have in common, as small questions."""

from kernel.jit import inlined
from kernel.lifecycle import (
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    MARKET_IF_TOUCHED,
    OCO,
    OUO,
    STOP,
    STOP_LIMIT,
    STOP_LOSS,
    TRAILING_STOP,
    TRAILING_STOP_LIMIT,
)
from replay.venue.profiles import NEXT_OPEN


@inlined
def has_trigger_nb(kind):
    """Whether the order waits for a price before it is a market or a limit order."""
    return kind != MARKET and kind != LIMIT


@inlined
def is_touch_nb(kind):
    """Whether the trigger lies on the better side of the market (a stop's lies on the worse side)."""
    return kind == MARKET_IF_TOUCHED or kind == LIMIT_IF_TOUCHED


@inlined
def is_trailing_nb(kind):
    """Whether the stop follows the market."""
    return kind == TRAILING_STOP or kind == TRAILING_STOP_LIMIT


@inlined
def takes_any_price_nb(kind):
    """Whether the order, once triggered, is a market order."""
    return kind == MARKET or kind == STOP or kind == MARKET_IF_TOUCHED or kind == TRAILING_STOP


@inlined
def goes_first_nb(profile, order):
    """Whether a bar meets the order before the others: of two legs the worse one fills.

    Under ``next_open`` that is so in groups only, as with the stop-loss in backtesting.py 0.6; others go by arrival.
    """
    kind, role = order.order_type, order.group_role
    if profile == NEXT_OPEN and role != STOP_LOSS and role != OCO and role != OUO:
        return False
    return kind == MARKET or kind == STOP or kind == STOP_LIMIT or is_trailing_nb(kind)
