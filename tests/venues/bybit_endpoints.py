"""What each endpoint of a simulated Bybit does: parameters in, the result of the answer out. No sockets."""

from decimal import Decimal
from typing import Any

from tests.venues import bybit_words as words
from tests.venues.bybit_venue import Venue
from tests.venues.shapes import BUY, SELL, Fill, Order, RefusedError, Request

# What the exchange refuses, as codes of contracts and of spot.
CODES = {
    "duplicate": (110072, 170141),
    "unknown_symbol": (10001, 170121),
    "not_trading": (110074, 170151),
    "off_tick": (10001, 170134),
    "off_step": (10001, 170137),
    "too_small": (10001, 170136),
    "too_large": (10001, 170124),
    "notional": (110094, 170140),
    "no_funds": (110007, 170131),
    "reduce_only": (110017, 10001),
    "trigger": (110092, 10001),
    "unknown_order": (110001, 170213),
    "order_over": (110001, 170142),
    "no_change": (10001, 10001),
}


# The parameters that the documentation has, by endpoint, and the largest page.
_ORDER = "category symbol orderId orderLinkId"
_LIST = f"{_ORDER} baseCoin settleCoin orderFilter limit cursor"
PARAMETERS = {
    "market/time": "",
    "market/instruments-info": "category symbol symbolType status baseCoin limit cursor",
    "market/kline": "category symbol interval start end limit",
    "market/recent-trade": "category symbol baseCoin optionType limit",
    "order/create": "category symbol isLeverage side orderType qty marketUnit slippageToleranceType slippageTolerance "
    "price triggerDirection orderFilter triggerPrice triggerBy orderIv timeInForce positionIdx orderLinkId takeProfit "
    "stopLoss tpTriggerBy slTriggerBy reduceOnly closeOnTrigger smpType mmp tpslMode tpLimitPrice slLimitPrice "
    "tpOrderType slOrderType",
    "order/amend": f"{_ORDER} orderIv triggerPrice qty price tpslMode takeProfit stopLoss tpTriggerBy slTriggerBy "
    "triggerBy tpLimitPrice slLimitPrice",
    "order/cancel": f"{_ORDER} orderFilter",
    "order/cancel-all": "category symbol baseCoin settleCoin orderFilter stopOrderType",
    "order/realtime": f"{_LIST} openOnly",
    "order/history": f"{_LIST} orderStatus startTime endTime",
    "execution/list": f"{_ORDER} baseCoin startTime endTime execType limit cursor",
    "position/list": "category symbol baseCoin settleCoin limit cursor",
    "position/set-leverage": "category symbol buyLeverage sellLeverage",
    "account/wallet-balance": "accountType coin",
}
LARGEST = {
    "market/instruments-info": 1000,
    "market/kline": 1000,
    "market/recent-trade": 1000,
    "order/realtime": 50,
    "order/history": 50,
    "execution/list": 100,
    "position/list": 200,
}


class AnswerError(Exception):
    """An answer with a code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def check_parameters(path: str, params: dict[str, Any]) -> None:
    """Raises AnswerError for a parameter that the documentation does not have, a page too large, an id too long."""
    strange = set(params) - set(PARAMETERS[path].split())
    if strange:
        raise AnswerError(10001, f"params error: {', '.join(sorted(strange))} not known")
    if "limit" in params and not 1 <= int(params["limit"]) <= LARGEST[path]:
        raise AnswerError(10001, "params error: limit out of range")
    if len(params.get("orderLinkId") or "") > 36:
        raise AnswerError(10001, "params error: orderLinkId too long")


# --- market ---------------------------------------------------------------------------------------------------------


def _time(venue: Venue, params: dict[str, str]) -> Any:
    now_ns = venue.now_ns()
    return {"timeSecond": str(now_ns // 10**9), "timeNano": str(now_ns)}


def _instruments(venue: Venue, params: dict[str, str]) -> Any:
    names = [params["symbol"]] if "symbol" in params else list(venue.exchange.symbols)
    if any(name not in venue.exchange.symbols for name in names):
        raise AnswerError(10001, "params error: symbol invalid")
    found = [words.instrument(venue.exchange.symbols[name], venue.category) for name in names]
    return {"category": venue.category, "list": found, "nextPageCursor": ""}


def _kline(venue: Venue, params: dict[str, str]) -> Any:
    walk = venue.exchange.walks[params["symbol"]]
    start, end = int(params.get("start", 0)) * words.MS, int(params.get("end", 1 << 50)) * words.MS
    bars = [bar for bar in (*walk.bars, walk.forming) if start <= bar.open_ns <= end]
    lines = [words.kline_line(bar) for bar in reversed(bars)][: int(params.get("limit", 200))]
    return {"symbol": params["symbol"], "category": venue.category, "list": lines}


def _recent_trades(venue: Venue, params: dict[str, str]) -> Any:
    most = min(int(params.get("limit", 500)), 60 if venue.category == "spot" else 1000)
    ticks = list(venue.exchange.walks[params["symbol"]].ticks)[-most:]
    return {"category": venue.category, "list": [words.recent_trade(tick) for tick in reversed(ticks)]}


# --- orders ---------------------------------------------------------------------------------------------------------


def _decimal(params: dict[str, Any], name: str) -> Decimal | None:
    value = params.get(name)
    if value in (None, ""):
        return None
    if not isinstance(value, str):
        raise AnswerError(10001, f"params error: {name} must be text")
    return Decimal(value)


def _create(venue: Venue, params: dict[str, Any]) -> Any:
    name = params["symbol"]
    if name not in venue.exchange.symbols:
        raise RefusedError("unknown_symbol", "params error: symbol invalid")
    last = venue.exchange.walks[name].price
    trigger, quantity = _decimal(params, "triggerPrice"), _decimal(params, "qty")
    is_spot, is_market = venue.category == "spot", params["orderType"] == "Market"
    if is_spot and is_market and params["side"] == "Buy" and params.get("marketUnit") != "baseCoin":
        raise AnswerError(10001, "params error: quantities of money are not served here")
    if is_spot and (trigger is not None) != (params.get("orderFilter", "Order") != "Order"):
        raise AnswerError(170201, "Invalid orderFilter parameter")
    direction = params.get("triggerDirection", 0)
    if trigger is not None and not is_spot and direction not in (1, 2):
        raise AnswerError(10001, "params error: triggerDirection invalid")
    tags = {"direction": direction, "close_on_trigger": params.get("closeOnTrigger", False)}
    tags |= {"market_unit": params.get("marketUnit", ""), "last": words.text(last) if trigger is not None else ""}
    force = "IOC" if is_market else params.get("timeInForce", "GTC")
    asked = Request(
        name,
        BUY if params["side"] == "Buy" else SELL,
        quantity or Decimal(0),
        params.get("orderLinkId", ""),
        limit=None if is_market else _decimal(params, "price"),
        trigger=trigger,
        trigger_rises=trigger > last if is_spot and trigger is not None else direction == 1,
        time_in_force="gtc" if is_market else {"PostOnly": "gtc"}.get(force, force.lower()),
        post_only=force == "PostOnly",
        reduce_only=params.get("reduceOnly", False),
        tags=tags,
    )
    exchange = venue.exchange
    usual = exchange.partial
    if venue.faults.strikes("partial_fill", "order/create"):
        exchange.partial = 1.0
    try:
        order = exchange.place(asked, venue.now_ns())
    finally:
        exchange.partial = usual
    return {"orderId": order.order_id, "orderLinkId": asked.client_order_id}


def _find(venue: Venue, params: dict[str, Any]) -> Order:
    order = venue.exchange.find(params.get("orderId") or "", params.get("orderLinkId") or "")
    if order is None:
        raise RefusedError("unknown_order", "order not exists or too late to cancel")
    return order


def _amend(venue: Venue, params: dict[str, Any]) -> Any:
    order = _find(venue, params)
    changes = {"quantity": "qty", "limit": "price", "trigger": "triggerPrice"}
    new = {ours: _decimal(params, theirs) for ours, theirs in changes.items()}
    venue.exchange.amend(order.order_id, venue.now_ns(), **new)
    return {"orderId": order.order_id, "orderLinkId": order.request.client_order_id}


def _cancel(venue: Venue, params: dict[str, Any]) -> Any:
    order = _find(venue, params)
    is_conditional = order.request.trigger is not None and not order.was_triggered
    if venue.category == "spot" and is_conditional != (params.get("orderFilter", "Order") == "StopOrder"):
        raise RefusedError("unknown_order", "Order does not exist.")
    if order.status in ("new", "partly_filled") and venue.faults.strikes("fill_while_cancelling", "order/cancel"):
        venue.exchange.fill_rest(order.order_id, venue.now_ns())
    venue.exchange.cancel(order.order_id, venue.now_ns())
    return {"orderId": order.order_id, "orderLinkId": order.request.client_order_id}


def _cancel_all(venue: Venue, params: dict[str, Any]) -> Any:
    mine = [o for o in venue.exchange.open_orders() if params.get("symbol") in (None, o.request.symbol)]
    for order in mine:
        venue.exchange.cancel(order.order_id, venue.now_ns())
    return {"list": [{"orderId": o.order_id, "orderLinkId": o.request.client_order_id} for o in mine], "success": "1"}


def _realtime(venue: Venue, params: dict[str, str]) -> Any:
    if "orderLinkId" in params or "orderId" in params:
        order = venue.exchange.find(params.get("orderId", ""), params.get("orderLinkId", ""))
        found = [order] if order is not None and order.order_id not in venue.forgotten else []
    else:
        if venue.category == "linear" and not params.keys() & {"symbol", "settleCoin", "baseCoin"}:
            raise AnswerError(10001, "params error: symbol or settleCoin or baseCoin is needed")
        found = [o for o in venue.exchange.open_orders() if params.get("symbol", o.request.symbol) == o.request.symbol]
    return _orders_page(venue, found, params, 20)


def _history(venue: Venue, params: dict[str, str]) -> Any:
    found = [order for order in venue.exchange.orders.values() if not order.is_open]
    for theirs, ours in (("orderLinkId", "client_order_id"), ("symbol", "symbol")):
        if theirs in params:
            found = [order for order in found if getattr(order.request, ours) == params[theirs]]
    return _orders_page(venue, found, params, 20)


def _orders_page(venue: Venue, found: list[Order], params: dict[str, str], usual: int) -> Any:
    symbols = venue.exchange.symbols
    newest = [words.order(order, symbols[order.request.symbol], venue.category) for order in reversed(found)]
    return _page(venue, newest, params, usual)


def _page(venue: Venue, newest: list[Any], params: dict[str, str], usual: int) -> Any:
    first, size = int(params.get("cursor", "0").removeprefix("page=")), int(params.get("limit", usual))
    more = f"page%3D{first + size}" if first + size < len(newest) else ""
    return {"category": venue.category, "list": newest[first : first + size], "nextPageCursor": more}


def _executions(venue: Venue, params: dict[str, str]) -> Any:
    exchange = venue.exchange
    start, end = int(params.get("startTime", 0)), int(params.get("endTime", 1 << 50))
    if end - start > 7 * 24 * 3600 * 1000 and "startTime" in params and "endTime" in params:
        raise AnswerError(10001, "params error: the time range must be within 7 days")
    symbol = params.get("symbol")
    fills = [
        fill for fill in exchange.fills if start <= fill.ts_ns // words.MS <= end and symbol in (None, fill.symbol)
    ]
    found = [(fill.ts_ns // words.MS, fill) for fill in fills]
    fundings = [one for one in venue.fundings if symbol in (None, one["symbol"])]
    found += [(int(one["execTime"]), one) for one in fundings if start <= int(one["execTime"]) <= end]
    found.sort(key=lambda pair: pair[0])
    page = _page(venue, [one for _, one in reversed(found)], params, 50)
    for place, one in enumerate(page["list"]):  # only what is shown is written out
        if isinstance(one, Fill):
            placed, traded = exchange.orders[one.order_id], exchange.symbols[one.symbol]
            page["list"][place] = words.execution(one, placed, traded, venue.category)
    return page


# --- account --------------------------------------------------------------------------------------------------------


def _positions(venue: Venue, params: dict[str, str]) -> Any:
    names = [params["symbol"]] if "symbol" in params else list(venue.exchange.symbols)
    if venue.category == "linear" and not params.keys() & {"symbol", "settleCoin"}:
        raise AnswerError(10001, "params error: symbol or settleCoin is needed")
    account, symbols = venue.exchange.account, venue.exchange.symbols
    found = [words.position(account.positions[n], symbols[n], venue.category, on_stream=False) for n in names]
    return {"category": venue.category, "list": found, "nextPageCursor": ""}


def _wallet(venue: Venue, params: dict[str, str]) -> Any:
    return {"list": [words.wallet(dict(venue.exchange.account.cash))]}


def _leverage(venue: Venue, params: dict[str, Any]) -> Any:
    leverage = _decimal(params, "buyLeverage")
    if leverage == venue.exchange.symbols[params["symbol"]].leverage:
        raise AnswerError(110043, "Set leverage has not been modified.")
    venue.exchange.change_symbol(params["symbol"], leverage=leverage)
    return {}


ENDPOINTS = {
    ("GET", "market/time"): _time,
    ("GET", "market/instruments-info"): _instruments,
    ("GET", "market/kline"): _kline,
    ("GET", "market/recent-trade"): _recent_trades,
    ("POST", "order/create"): _create,
    ("POST", "order/amend"): _amend,
    ("POST", "order/cancel"): _cancel,
    ("POST", "order/cancel-all"): _cancel_all,
    ("GET", "order/realtime"): _realtime,
    ("GET", "order/history"): _history,
    ("GET", "execution/list"): _executions,
    ("GET", "position/list"): _positions,
    ("POST", "position/set-leverage"): _leverage,
    ("GET", "account/wallet-balance"): _wallet,
}
