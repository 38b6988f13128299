"""From the shapes of ``kernel.venue`` to what is sent to Alpaca. Pure. Every number is sent as exact decimal text.

What Alpaca cannot do raises NotPossible before anything is sent; the driver hears it as a refusal.
"""

from decimal import Decimal
from typing import Any

from adapters.alpaca.describe import PENNY, PENNY_FROM
from adapters.alpaca.markets import Market, is_whole
from adapters.alpaca.settings import CRYPTO, EQUITY
from kernel.lifecycle import (
    AT_CLOSE,
    AT_OPEN,
    BUY,
    DAY,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    ORDER_TYPE_NAMES,
    POST_ONLY,
    REDUCING,
    REJECT_BY_VENUE,
    REJECT_POST_ONLY,
    REJECT_REDUCE_ONLY,
    STOP,
    STOP_LIMIT,
    TIME_IN_FORCE_NAMES,
    TRAIL_TICKS,
    TRAILING_STOP,
)
from kernel.venue import NewOrder, OrderSeen, ReplaceOrder

TYPE_NAMES = {
    MARKET: "market",
    LIMIT: "limit",
    STOP: "stop",
    STOP_LIMIT: "stop_limit",
    TRAILING_STOP: "trailing_stop",
}
TIME_NAMES = {DAY: "day", GTC: "gtc", IOC: "ioc", FOK: "fok", AT_OPEN: "opg", AT_CLOSE: "cls"}
_ALL = frozenset(TIME_NAMES)
_RESTING = frozenset((DAY, GTC))
# Which times in force each type takes (Alpaca, "Order Types vs Supported Time in Force").
TAKEN = {
    EQUITY: {MARKET: _ALL, LIMIT: _ALL, STOP: _RESTING, STOP_LIMIT: _RESTING, TRAILING_STOP: _RESTING},
    CRYPTO: {MARKET: frozenset((GTC, IOC)), LIMIT: frozenset((GTC, IOC)), STOP_LIMIT: frozenset((GTC,))},
}
_FRACTIONAL_TYPES = (MARKET, LIMIT, STOP, STOP_LIMIT)


class NotPossible(Exception):  # noqa: N818 (a refusal, not an error)
    """An order that Alpaca does not take. ``reason`` is a REJECT_* number."""

    def __init__(self, text: str, reason: int = REJECT_BY_VENUE) -> None:
        super().__init__(text)
        self.reason = reason


def render_order(order: NewOrder, market: Market, asset_class: str) -> dict[str, Any]:
    """The body of ``POST /v2/orders``."""
    _check(order, asset_class)
    quantity = market.lots.text(order.quantity_lots)
    if asset_class == EQUITY and not is_whole(Decimal(quantity)):
        _check_fraction(order)
    body: dict[str, Any] = {
        "symbol": market.symbol,
        "qty": quantity,
        "side": "buy" if order.side == BUY else "sell",
        "type": TYPE_NAMES[order.order_type],
        "time_in_force": TIME_NAMES[order.time_in_force],
        "client_order_id": order.client_order_id,
    }
    if order.order_type in (LIMIT, STOP_LIMIT):
        body["limit_price"] = price_text(order.limit_ticks, market, asset_class)
    if order.order_type in (STOP, STOP_LIMIT):
        body["stop_price"] = price_text(order.stop_ticks, market, asset_class)
    if order.order_type == TRAILING_STOP:
        body.update(_trail(order, market))
    if order.instructions & REDUCING and asset_class == EQUITY:
        # Alpaca refuses the order when it would open something ("position intent mismatch").
        body["position_intent"] = "buy_to_close" if order.side == BUY else "sell_to_close"
    return body


def price_text(ticks: int, market: Market, asset_class: str) -> str:
    """A price of an order. Shares from $1 on have no fractions of a cent."""
    text = market.ticks.text(ticks)
    price = Decimal(text)
    if price <= 0:
        raise NotPossible(f"a price of {text} is not above zero")
    if asset_class == EQUITY and price >= PENNY_FROM and price % PENNY:
        raise NotPossible(f"price {text}: from $1 on Alpaca takes whole cents only")
    return text


def render_replace(request: ReplaceOrder, seen: OrderSeen, market: Market, asset_class: str) -> dict[str, Any]:
    """The body of ``PATCH /v2/orders/{id}``: what differs from the order as it was last seen.

    The quantity is the total, with what has filled: a replacement carries that on.
    """
    body: dict[str, Any] = {}
    if request.quantity_lots != seen.quantity_lots:
        body["qty"] = market.lots.text(request.quantity_lots)
        if asset_class == EQUITY and not is_whole(Decimal(body["qty"])):
            raise NotPossible("Alpaca does not change an order to a fraction of a share: cancel it, and send another")
    if request.limit_ticks and request.limit_ticks != seen.limit_ticks:
        body["limit_price"] = price_text(request.limit_ticks, market, asset_class)
    if request.stop_ticks and request.stop_ticks != seen.stop_ticks and seen.order_type != TRAILING_STOP:
        body["stop_price"] = price_text(request.stop_ticks, market, asset_class)
    if not body:
        raise NotPossible("the order stands so already")
    return body


def _check(order: NewOrder, asset_class: str) -> None:
    kinds = "shares" if asset_class == EQUITY else "crypto"
    name = ORDER_TYPE_NAMES.get(order.order_type, str(order.order_type))
    taken = TAKEN[asset_class].get(order.order_type)
    if taken is None:
        raise NotPossible(f"Alpaca has no {name} orders for {kinds}")
    if order.time_in_force not in taken:
        force = TIME_IN_FORCE_NAMES.get(order.time_in_force, str(order.time_in_force))
        raise NotPossible(f"Alpaca takes no {name} order for {kinds} with the time in force {force}")
    if order.instructions & POST_ONLY:
        raise NotPossible("Alpaca has no post-only orders", REJECT_POST_ONLY)
    if order.display_lots:
        raise NotPossible("Alpaca shows every order whole: it has no display quantity")
    if order.leg:
        raise NotPossible("Alpaca has one position an asset: no long and short legs")
    if order.instructions & REDUCING and asset_class == CRYPTO and order.side == BUY:
        raise NotPossible("crypto cannot be short at Alpaca: a buy has nothing to reduce", REJECT_REDUCE_ONLY)
    if order.quantity_lots <= 0:
        raise NotPossible("a quantity must be above zero")


def _check_fraction(order: NewOrder) -> None:
    if order.order_type not in _FRACTIONAL_TYPES or order.time_in_force != DAY:
        name, force = ORDER_TYPE_NAMES[order.order_type], TIME_IN_FORCE_NAMES[order.time_in_force]
        raise NotPossible(f"Alpaca takes fractions of a share as day orders that do not trail, not {name} {force}")


def _trail(order: NewOrder, market: Market) -> dict[str, str]:
    if order.trail_value <= 0:
        raise NotPossible("a trailing stop needs a distance above zero")
    if order.trail_kind == TRAIL_TICKS:
        return {"trail_price": market.ticks.text(order.trail_value)}
    percent = Decimal(order.trail_value).scaleb(-2)  # basis points
    return {"trail_percent": format(percent.normalize(), "f")}
