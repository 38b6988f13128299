"""The form of an order, checked; and where a trailing stop stands.

Owns the application of the table in ``terms.py``, and the arithmetic of trailing stops that the simulated venue uses.
"""

from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit
from kernel.lifecycle import (
    AT_CLOSE,
    GTC,
    GTD,
    MARKET,
    POST_ONLY,
    TRAIL_BPS,
    TRAIL_TICKS,
    TRAILING_STOP_LIMIT,
)
from kernel.tables.table import MAX_LOTS
from kernel.terms import ALLOWED_INSTRUCTIONS, ALLOWS_FORCE, NEEDS, NO, RESTS, YES

BPS_PARTS = 10_000
MAX_TRAIL_TICKS = 1 << 60


@inlined
def _needed_nb(need, value):
    """Whether a field is there where it must be and 0 where it must not."""
    if need == YES:
        return value > 0
    return value == 0 or (need != NO and value > 0)


@jit
def is_valid_nb(order, quantity_lots, limit_ticks, stop_ticks, now_ns):
    """Whether an order (a row of the state's orders) with this quantity and these prices keeps the form."""
    kind, force = order.order_type, order.time_in_force
    if (order.side != 1 and order.side != -1) or quantity_lots <= 0 or quantity_lots > MAX_LOTS:
        return False
    if kind < MARKET or kind > TRAILING_STOP_LIMIT or force < GTC or force > AT_CLOSE or ALLOWS_FORCE[kind, force] == 0:
        return False
    if order.instructions < 0 or order.instructions & ~ALLOWED_INSTRUCTIONS[kind] != 0:
        return False
    if not _needed_nb(NEEDS[kind, 0], limit_ticks) or not _needed_nb(NEEDS[kind, 1], stop_ticks):
        return False
    if not _needed_nb(NEEDS[kind, 2], order.trail_value) or not _needed_nb(NEEDS[kind, 3], order.limit_offset_ticks):
        return False
    if (order.trail_value > 0) != (order.trail_kind == TRAIL_TICKS or order.trail_kind == TRAIL_BPS):
        return False
    if order.trail_value == 0 and order.trail_kind != 0:
        return False
    too_far = order.trail_value >= (BPS_PARTS if order.trail_kind == TRAIL_BPS else MAX_TRAIL_TICKS)
    if too_far or order.limit_offset_ticks >= MAX_TRAIL_TICKS:
        return False
    if not _needed_nb(NEEDS[kind, 4], order.display_lots) or order.display_lots > order.quantity_lots:
        return False
    if RESTS[force] == 0 and (order.instructions & POST_ONLY != 0 or order.display_lots > 0):
        return False
    return order.expire_ns > now_ns if force == GTD else order.expire_ns == 0


@jit
def trail_stop_nb(side, trail_kind, trail_value, best_ticks, stop_ticks):
    """Where a trailing stop stands: ``best_ticks`` less (for a buy: plus) its distance, never worse than it stood.

    ``side`` is the side of the order, ``best_ticks`` the best price since it rests (for a sell the highest), and
    ``stop_ticks`` where the stop stood before; 0 is nowhere yet. The distance is in ticks, or in basis points of the
    best price rounded half to even; it is one tick at least. A sell stop that would stand at 0 or below stands nowhere.
    """
    distance = trail_value
    if trail_kind == TRAIL_BPS:
        distance = scale_linked_nb(best_ticks, trail_value, 1, BPS_PARTS)
    if best_ticks <= 0 or distance == OVERFLOW:
        return stop_ticks
    moved = best_ticks + side * max(distance, 1)
    if moved <= 0:
        return stop_ticks
    if stop_ticks == 0:
        return moved
    return max(stop_ticks, moved) if side < 0 else min(stop_ticks, moved)


@jit
def trail_limit_nb(side, stop_ticks, limit_offset_ticks):
    """The limit of a trailing stop-limit that its stop has let loose: worse than the stop by the offset, at least 1."""
    return max(stop_ticks + side * limit_offset_ticks, 1)
