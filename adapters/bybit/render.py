"""What the kernel asks for, as the parameters of Bybit's requests. Pure.

What Bybit cannot do raises NotSupported with a clear line; nothing is ever sent as something else.
"""

from adapters.bybit.units import Listed
from kernel.lifecycle import (
    BUY,
    CLOSE_POSITION,
    FOK,
    GTC,
    IOC,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    MARKET_IF_TOUCHED,
    ORDER_TYPE_NAMES,
    POST_ONLY,
    REDUCING,
    REJECT_BY_VENUE,
    REJECT_STOP_IN_MARKET,
    STOP,
    STOP_LIMIT,
    TIME_IN_FORCE_NAMES,
)
from kernel.venue import CancelOrder, NewOrder, ReplaceOrder

Params = dict[str, str | int | bool]
LIMITED = (LIMIT, STOP_LIMIT, LIMIT_IF_TOUCHED)
TRIGGERED = (STOP, STOP_LIMIT, MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED)
POSITIONS = {0: 0, 1: 1, -1: 2}  # the leg of a hedging account to positionIdx


class NotSupportedError(Exception):
    """An order that the venue has no words for. ``reason`` is a REJECT_* number."""

    def __init__(self, text: str, reason: int = REJECT_BY_VENUE) -> None:
        super().__init__(text)
        self.reason = reason


def create_params(order: NewOrder, one: Listed, category: str) -> Params:
    """The body of ``POST /v5/order/create``. Raises NotSupportedError."""
    _refuse(order, category)
    is_limit = order.order_type in LIMITED
    params: Params = {
        "category": category,
        "symbol": one.symbol,
        "side": "Buy" if order.side == BUY else "Sell",
        "orderType": "Limit" if is_limit else "Market",
        "qty": one.lots.text(order.quantity_lots),
        "orderLinkId": order.client_order_id,
        "timeInForce": _time_in_force(order) if is_limit else "IOC",
    }
    if is_limit:
        params["price"] = one.ticks.text(order.limit_ticks)
    if category == "spot":
        params["isLeverage"] = 0
        params["orderFilter"] = "StopOrder" if order.order_type in TRIGGERED else "Order"
        if not is_limit:
            params["marketUnit"] = "baseCoin"  # without it the quantity of a buy is money
    else:
        params["positionIdx"] = POSITIONS[order.leg]
        if order.instructions & REDUCING:
            params["reduceOnly"] = True
        if order.instructions & CLOSE_POSITION:
            params["closeOnTrigger"] = True
    if order.order_type in TRIGGERED:
        params["triggerPrice"] = one.ticks.text(order.stop_ticks)
        if category != "spot":
            params["triggerDirection"] = 1 if rises(order) else 2
            params["triggerBy"] = "LastPrice"
    return params


def rises(order: NewOrder) -> bool:
    """Whether the trigger waits for the price to rise: for a buying stop and a selling if-touched order."""
    return (order.order_type in (STOP, STOP_LIMIT)) == (order.side == BUY)


def _time_in_force(order: NewOrder) -> str:
    if order.instructions & POST_ONLY:
        return "PostOnly"
    return {GTC: "GTC", IOC: "IOC", FOK: "FOK"}[order.time_in_force]


def _refuse(order: NewOrder, category: str) -> None:
    """Raises NotSupportedError for what Bybit has no words for."""
    if order.order_type not in (MARKET, LIMIT, *TRIGGERED):
        name = ORDER_TYPE_NAMES.get(order.order_type, str(order.order_type))
        raise NotSupportedError(f"Bybit takes no {name} orders: a trailing stop there belongs to a position")
    if order.time_in_force not in (GTC, IOC, FOK):
        name = TIME_IN_FORCE_NAMES.get(order.time_in_force, str(order.time_in_force))
        raise NotSupportedError(f"Bybit has no time in force {name}: use GTC, IOC or FOK")
    if order.order_type not in LIMITED and order.time_in_force == FOK:
        raise NotSupportedError("market orders of Bybit are immediate-or-cancel, never fill-or-kill")
    if order.instructions & POST_ONLY and (order.order_type not in LIMITED or order.time_in_force != GTC):
        raise NotSupportedError("a post-only order of Bybit is a limit order that is good till cancelled")
    if order.display_lots:
        raise NotSupportedError("Bybit's interface has no iceberg orders")
    if category == "spot":
        _refuse_spot(order)
    elif order.leg not in POSITIONS:
        raise NotSupportedError(f"leg {order.leg} is none of Bybit's positions")


def _refuse_spot(order: NewOrder) -> None:
    if order.instructions & REDUCING and order.side == BUY:
        raise NotSupportedError("on spot nothing is sold short, so no buy can reduce")
    if order.leg:
        raise NotSupportedError("spot has no legs")
    if order.order_type in TRIGGERED:
        # Bybit takes the side on which a spot trigger lies from its own last price, and would make a stop that lies
        # beyond the market an if-touched order.
        beyond = order.stop_ticks - order.reference_ticks
        if order.reference_ticks <= 0:
            raise NotSupportedError("no last price is known: which side a spot trigger lies on cannot be told")
        if beyond == 0 or (beyond > 0) != rises(order):
            text = f"the last price is {order.reference_ticks} ticks: the trigger {order.stop_ticks} is beyond it"
            raise NotSupportedError(text, REJECT_STOP_IN_MARKET)


def amend_params(request: ReplaceOrder, one: Listed, category: str) -> Params:
    """The body of ``POST /v5/order/amend``; the quantity is the new total, what has filled is part of it."""
    params: Params = {"category": category, "symbol": one.symbol, **_ids(request)}
    params["qty"] = one.lots.text(request.quantity_lots)
    if request.limit_ticks:
        params["price"] = one.ticks.text(request.limit_ticks)
    if request.stop_ticks:
        params["triggerPrice"] = one.ticks.text(request.stop_ticks)
    return params


def cancel_params(request: CancelOrder, one: Listed, category: str, order_filter: str = "") -> Params:
    """The body of ``POST /v5/order/cancel``; spot needs to know which kind of order it is."""
    params: Params = {"category": category, "symbol": one.symbol, **_ids(request)}
    if category == "spot":
        params["orderFilter"] = order_filter or "Order"
    return params


def _ids(request: CancelOrder | ReplaceOrder) -> Params:
    """One id: the venue's own where it is known, else ours."""
    if request.venue_order_id:
        return {"orderId": request.venue_order_id}
    return {"orderLinkId": request.client_order_id}
