"""What the types of orders have in common, as small questions."""

from kernel.jit import inlined
from kernel.lifecycle import (
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    MARKET_IF_TOUCHED,
    STOP,
    STOP_LIMIT,
    TRAILING_STOP,
    TRAILING_STOP_LIMIT,
)


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
def goes_first_nb(kind):
    """Whether a bar meets the order before limit and touch orders: of two legs the worse one fills."""
    return kind == MARKET or kind == STOP or kind == STOP_LIMIT or is_trailing_nb(kind)
