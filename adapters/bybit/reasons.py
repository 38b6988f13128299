"""Why an order ended, as Bybit says it (cancelType, rejectReason), in the numbers of ``kernel.lifecycle``."""

from adapters.bybit import wire
from kernel.lifecycle import (
    CANCEL_FOK,
    CANCEL_IOC,
    CANCEL_NO_FUNDS,
    CANCEL_ON_REQUEST,
    CANCEL_POST_ONLY,
    CANCEL_REDUCE_ONLY,
    REJECT_BY_VENUE,
    REJECT_CLOSED,
    REJECT_POST_ONLY,
    REJECT_REDUCE_ONLY,
    REJECT_STOP_IN_MARKET,
)
from kernel.venue import OrderStatus

CANCELS = {
    "EC_PostOnlyWillTakeLiquidity": CANCEL_POST_ONLY,
    "EC_NoImmediateQtyToFill": CANCEL_IOC,
    "EC_NoEnoughQtyToFill": CANCEL_IOC,
    "EC_CancelForNoFullFill": CANCEL_FOK,
    "CancelByReduceOnly": CANCEL_REDUCE_ONLY,
    "CancelByTpSlTsClear": CANCEL_REDUCE_ONLY,
    "CancelByCannotAffordOrderCost": CANCEL_NO_FUNDS,
    "CancelByPrepareLiq": CANCEL_NO_FUNDS,
    "CancelAllBeforeLiq": CANCEL_NO_FUNDS,
}
REJECTS = {
    "EC_PostOnlyWillTakeLiquidity": REJECT_POST_ONLY,
    "EC_InvalidSymbolStatus": REJECT_CLOSED,
    "EC_SecurityStatusFail": REJECT_CLOSED,
    "CancelByReduceOnly": REJECT_REDUCE_ONLY,
    "EC_LoadOrderCanMatch": REJECT_STOP_IN_MARKET,
}
_NOTHING = ("", "UNKNOWN", "EC_NoError")


def reason_of(order: wire.Order, status: OrderStatus) -> tuple[int, str]:
    """``(reason, text)``: a CANCEL_* or REJECT_* number, 0 for an order that did not end that way, and the venue's
    words. A cancel by the venue has no number of its own: the text tells it from one that was asked for."""
    said = [word for word in (order.reject_reason, order.cancel_type) if word not in _NOTHING]
    text = ", ".join(said)
    if status is OrderStatus.REJECTED:
        return next((REJECTS[word] for word in said if word in REJECTS), REJECT_BY_VENUE), text or "Rejected"
    if status is not OrderStatus.CANCELED:
        return 0, ""
    known = next((CANCELS[word] for word in said if word in CANCELS), None)
    if known is not None:
        return known, text
    if order.cancel_type != "CancelByUser" and "EC_PerCancelRequest" not in said:
        if order.time_in_force == "FOK":
            return CANCEL_FOK, text
        if order.time_in_force == "IOC" or order.order_type == "Market":
            return CANCEL_IOC, text
    return CANCEL_ON_REQUEST, text
