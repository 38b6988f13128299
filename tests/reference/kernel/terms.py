"""The twin of the form of an order and of trailing stops, written from the words of the documentation."""

from fractions import Fraction
from typing import Any

MARKET, LIMIT, STOP, STOP_LIMIT, TOUCHED, LIMIT_TOUCHED, TRAILING, TRAILING_LIMIT = range(1, 9)
GTC, IOC, FOK, DAY, GTD, AT_OPEN, AT_CLOSE = range(1, 8)
LASTING = (GTC, DAY, GTD)
WITH_LIMIT = (LIMIT, STOP_LIMIT, LIMIT_TOUCHED)
WITH_STOP = (STOP, STOP_LIMIT, TOUCHED, LIMIT_TOUCHED)
TRAILS = (TRAILING, TRAILING_LIMIT)


def is_valid(order: Any, now_ns: int) -> bool:
    kind, force = order.order_type, order.time_in_force
    trails = kind in TRAILS
    asked = {bit for bit in (1, 2, 4) if order.instructions & bit}
    says = [
        order.side in (1, -1),
        1 <= order.quantity_lots <= 2**54,
        MARKET <= kind <= TRAILING_LIMIT,
        force in LASTING or (force in (IOC, FOK) and not trails)
        or (force in (AT_OPEN, AT_CLOSE) and kind in (MARKET, LIMIT)),
        order.limit_ticks > 0 if kind in WITH_LIMIT else order.limit_ticks == 0,
        order.stop_ticks > 0 if kind in WITH_STOP else order.stop_ticks >= 0 if trails else order.stop_ticks == 0,
        0 <= order.instructions < 8,
        1 not in asked or (kind in WITH_LIMIT and force in LASTING),
        order.display_lots == 0
        or (0 < order.display_lots <= order.quantity_lots and kind in (*WITH_LIMIT, TRAILING_LIMIT)
            and force in LASTING),
        order.trail_kind in (1, 2) if trails else order.trail_kind == 0,
        1 <= order.trail_value < (10_000 if order.trail_kind == 2 else 2**60) if trails else order.trail_value == 0,
        0 <= order.limit_offset_ticks < 2**60 if kind == TRAILING_LIMIT else order.limit_offset_ticks == 0,
        order.expire_ns > now_ns if force == GTD else order.expire_ns == 0,
    ]  # fmt: skip
    return all(says)


def trail_stop(side: int, kind: int, value: int, best: int, before: int) -> int:
    distance = max(1, round(Fraction(best * value, 10_000)) if kind == 2 else value)
    stop = best + side * distance
    if best <= 0 or stop <= 0 or distance >= 2**62:
        return before
    return stop if not before else min(before, stop) if side > 0 else max(before, stop)


def trail_limit(side: int, stop: int, offset: int) -> int:
    return max(1, stop + side * offset)
