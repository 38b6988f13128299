"""What an exchange demands of an order before it takes it: grid, sizes, money, what there is to reduce."""

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.venues.shapes import BUY, SELL, SPOT, Order, RefusedError, Request, Symbol

if TYPE_CHECKING:
    from tests.venues.exchange import Exchange


def check(exchange: "Exchange", request: Request, amended: Order | None = None) -> None:
    """Raises RefusedError for the first rule that the request breaks. ``amended`` is the order that it would change."""
    symbol = exchange.symbols.get(request.symbol)
    if symbol is None:
        raise RefusedError("unknown_symbol", f"there is no symbol {request.symbol}")
    if not symbol.is_trading:
        raise RefusedError("not_trading", f"{symbol.name} is not trading")
    for price in (request.limit, request.trigger if request.trail is request.trail_percent is None else None):
        if price is not None and (price <= 0 or price % symbol.tick):
            raise RefusedError("off_tick", f"price {price} is not a multiple of {symbol.tick}")
    _check_quantity(exchange, symbol, request)
    last = exchange.walks[symbol.name].price
    if request.trigger is not None and amended is None and request.trail is request.trail_percent is None:
        beyond = last >= request.trigger if request.trigger_rises else last <= request.trigger
        if beyond:
            raise RefusedError("trigger", f"the last price {last} is beyond the trigger {request.trigger}")
    if request.reduce_only:
        held = exchange.account.positions[symbol.name].quantity
        if held * request.side >= 0:
            raise RefusedError("reduce_only", "there is nothing to reduce")
        request.quantity = min(request.quantity, abs(held))
    elif not (amended and amended.request.reduce_only):
        _check_money(exchange, symbol, request, amended)


def _check_quantity(exchange: "Exchange", symbol: Symbol, request: Request) -> None:
    if request.quantity <= 0 or request.quantity < symbol.minimum:
        raise RefusedError("too_small", f"quantity {request.quantity} is below {symbol.minimum}")
    if request.quantity % symbol.step:
        raise RefusedError("off_step", f"quantity {request.quantity} is not a multiple of {symbol.step}")
    if request.quantity > (symbol.maximum if request.limit is not None else symbol.maximum_market):
        raise RefusedError("too_large", f"quantity {request.quantity} is too large")
    price = request.limit or request.trigger or exchange.walks[symbol.name].price
    if not request.reduce_only and symbol.value(price, request.quantity) < symbol.minimum_notional:
        raise RefusedError("notional", f"an order must be worth {symbol.minimum_notional}")


def _check_money(exchange: "Exchange", symbol: Symbol, request: Request, amended: Order | None) -> None:
    """Spot needs all of it in cash, contracts their share by leverage; what open orders may need is set aside."""
    others = [order for order in exchange.open_orders() if order is not amended]
    if symbol.kind == SPOT:
        if request.side == SELL:
            if not symbol.can_short:
                asked = sum((o.rest for o in others if _is(o, symbol.name, SELL)), request.quantity)
                _demand(asked, exchange.account.cash[symbol.base], symbol.base)
            return
        asked = sum((_needs(exchange, o.request, o.rest) for o in others if _buys(exchange, o, symbol)), Decimal(0))
        _demand(asked + _needs(exchange, request, request.quantity), exchange.account.cash[symbol.quote], symbol.quote)
        return
    in_use = Decimal(0)
    free = exchange.account.cash[symbol.settle]
    for name, position in exchange.account.positions.items():
        held = exchange.symbols[name]
        if held.kind != SPOT and held.settle == symbol.settle and position.quantity:
            worth = held.value(exchange.walks[name].price, abs(position.quantity))
            sign = 1 if position.quantity > 0 else -1
            gained = sign * worth - position.cost
            free += -gained if held.kind == "inverse" else gained
            in_use += worth / held.leverage
    held_now = exchange.account.positions[symbol.name].quantity
    if held_now * request.side < 0 and request.quantity <= abs(held_now):
        return  # what makes a position smaller needs no money
    orders = [o for o in others if exchange.symbols[o.request.symbol].settle == symbol.settle]
    in_use += sum((_needs(exchange, o.request, o.rest) for o in orders if not o.request.reduce_only), Decimal(0))
    _demand(in_use + _needs(exchange, request, request.quantity), free, symbol.settle)


def _needs(exchange: "Exchange", request: Request, quantity: Decimal) -> Decimal:
    symbol = exchange.symbols[request.symbol]
    price = request.limit or request.trigger or exchange.walks[symbol.name].ask
    worth = symbol.value(price, quantity)
    return worth if symbol.kind == SPOT else worth / symbol.leverage


def _is(order: Order, symbol: str, side: int) -> bool:
    return order.request.symbol == symbol and order.request.side == side


def _buys(exchange: "Exchange", order: Order, symbol: Symbol) -> bool:
    other = exchange.symbols[order.request.symbol]
    return order.request.side == BUY and other.kind == SPOT and other.quote == symbol.quote


def _demand(asked: Decimal, free: Decimal, currency: str) -> None:
    if asked > free:
        raise RefusedError("no_funds", f"{asked} {currency} are needed, {free} are there")
