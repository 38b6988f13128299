"""Bybit's words: what the exchange holds, in the payload shapes of the v5 documentation. Pure; decimals as text.

Field for field like the documented examples, as far as a client may read them; numbers are text there, and here.
"""

from decimal import Decimal
from typing import Any

from tests.venues.shapes import BUY, INVERSE, SPOT, Bar, Fill, Order, Position, Quote, Symbol, Tick

MS = 1_000_000
STATUSES = {"new": "New", "untriggered": "Untriggered", "partly_filled": "PartiallyFilled", "filled": "Filled"}
CANCEL_TYPES = {"requested": "CancelByUser", "venue": "CancelByAdmin", "reduce_only": "CancelByReduceOnly"}
REJECT_REASONS = {
    "post_only": "EC_PostOnlyWillTakeLiquidity",
    "ioc": "EC_NoImmediateQtyToFill",
    "fok": "EC_CancelForNoFullFill",
    "requested": "EC_PerCancelRequest",
}
FORCES = {"gtc": "GTC", "ioc": "IOC", "fok": "FOK"}


def text(number: Decimal | None) -> str:
    """A decimal as the venue writes it."""
    return "" if number is None else format(number, "f")


def side_of(side: int) -> str:
    """Buy or Sell."""
    return "Buy" if side == BUY else "Sell"


def status_of(order: Order, category: str) -> str:
    """orderStatus."""
    if order.status != "canceled":
        return STATUSES[order.status]
    if order.request.trigger is not None and not order.was_triggered and category == "spot":
        return "Deactivated"
    return "PartiallyFilledCanceled" if category == "spot" and order.filled else "Cancelled"


def order(order: Order, symbol: Symbol, category: str) -> dict[str, Any]:
    """An order, as on the stream and in answers."""
    request = order.request
    is_over = order.status == "canceled"
    tags = request.tags
    return {
        "category": category,
        "symbol": symbol.name,
        "orderId": order.order_id,
        "orderLinkId": request.client_order_id,
        "blockTradeId": "",
        "side": side_of(request.side),
        "positionIdx": 0,
        "orderStatus": status_of(order, category),
        "cancelType": CANCEL_TYPES.get(order.reason, "UNKNOWN") if is_over else "UNKNOWN",
        "rejectReason": REJECT_REASONS.get(order.reason, "EC_NoError") if is_over else "EC_NoError",
        "timeInForce": "PostOnly" if request.post_only else FORCES[request.time_in_force],
        "isLeverage": "",
        "price": text(request.limit) if request.limit is not None else "0",
        "qty": text(request.quantity),
        "avgPrice": text(order.value / order.filled) if order.filled else "",
        "leavesQty": "0" if is_over else text(order.rest),
        "leavesValue": "0",
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.value),
        "cumExecFee": text(order.fees),
        "orderType": "Market" if request.limit is None else "Limit",
        "stopOrderType": "Stop" if request.trigger is not None else "",
        "orderIv": "",
        "marketUnit": tags.get("market_unit", ""),
        "triggerPrice": text(request.trigger) if request.trigger is not None else "0.00",
        "triggerDirection": tags.get("direction", 0),
        "triggerBy": "LastPrice" if request.trigger is not None else "UNKNOWN",
        "lastPriceOnCreated": tags.get("last", ""),
        "reduceOnly": request.reduce_only,
        "closeOnTrigger": tags.get("close_on_trigger", False),
        "takeProfit": "",
        "stopLoss": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(order.created_ns // MS),
        "updatedTime": str(order.updated_ns // MS),
        "cumFeeDetail": {},
    }


def execution(fill: Fill, placed: Order, symbol: Symbol, category: str) -> dict[str, Any]:
    """An execution, as on the stream and in answers."""
    return {
        "category": category,
        "symbol": fill.symbol,
        "closedSize": "",
        "execFee": text(fill.fee),
        "execId": fill.trade_id,
        "execPrice": text(fill.price),
        "execQty": text(fill.quantity),
        "execType": "Trade",
        "execValue": text(symbol.value(fill.price, fill.quantity)),
        "feeRate": text(symbol.maker_rate if fill.is_maker else symbol.taker_rate),
        "markPrice": text(fill.price),
        "leavesQty": "0",
        "orderId": fill.order_id,
        "orderLinkId": fill.client_order_id,
        "orderPrice": text(placed.request.limit) or "0",
        "orderQty": text(placed.request.quantity),
        "orderType": "Market" if placed.request.limit is None else "Limit",
        "stopOrderType": "UNKNOWN",
        "side": side_of(fill.side),
        "execTime": str(fill.ts_ns // MS),
        "isMaker": fill.is_maker,
        "seq": int(fill.trade_id, 16),
        "createType": "CreateByUser",
        "extraFees": "",
        "feeCurrency": fill.fee_currency,
    }


def funding(happened: dict[str, Any], category: str) -> dict[str, Any]:
    """The execution of a funding; the side is that of the position."""
    quantity = happened["quantity"]
    return {
        "category": category,
        "symbol": happened["symbol"],
        "execFee": text(happened["amount"]),
        "execId": f"funding-{happened['symbol']}-{happened['ts_ns'] // MS}",
        "execPrice": text(happened["mark"]),
        "execQty": text(abs(quantity)),
        "execType": "Funding",
        "execValue": "0",
        "feeRate": text(happened["rate"]),
        "orderId": f"{happened['ts_ns'] // MS}-8",
        "orderLinkId": "",
        "orderType": "UNKNOWN",
        "side": "Buy" if quantity > 0 else "Sell",
        "execTime": str(happened["ts_ns"] // MS),
        "isMaker": False,
        "feeCurrency": "",
    }


def position(held: Position, symbol: Symbol, category: str, *, on_stream: bool) -> dict[str, Any]:
    """A position; the stream calls its price entryPrice."""
    side = "" if held.quantity == 0 else side_of(1 if held.quantity > 0 else -1)
    return {
        "category": category,
        "positionIdx": 0,
        "symbol": symbol.name,
        "side": side,
        "size": text(abs(held.quantity)),
        "entryPrice" if on_stream else "avgPrice": text(held.average_price(symbol)),
        "positionValue": text(abs(held.cost)),
        "leverage": text(symbol.leverage),
        "positionStatus": "Normal",
        "curRealisedPnl": text(held.realised),
    }


def wallet(cash: dict[str, Decimal]) -> dict[str, Any]:
    """The wallet of a unified account."""
    coins = [{"coin": coin, "walletBalance": text(amount), "equity": text(amount)} for coin, amount in cash.items()]
    return {"accountType": "UNIFIED", "totalEquity": "", "coin": coins}


def instrument(symbol: Symbol, category: str) -> dict[str, Any]:
    """An entry of instruments-info."""
    common = {
        "symbol": symbol.name,
        "status": "Trading" if symbol.is_trading else "Closed",
        "baseCoin": symbol.base,
        "quoteCoin": symbol.quote,
        "priceFilter": {"minPrice": text(symbol.tick), "maxPrice": "1999999.80", "tickSize": text(symbol.tick)},
    }
    if symbol.kind == SPOT:
        sizes = {
            "basePrecision": text(symbol.step),
            "quotePrecision": "0.0000001",
            "minOrderQty": text(symbol.minimum),
            "maxOrderQty": text(symbol.maximum),
            "minOrderAmt": text(symbol.minimum_notional),
            "maxLimitOrderQty": text(symbol.maximum),
            "maxMarketOrderQty": text(symbol.maximum_market),
        }
        return {**common, "lotSizeFilter": sizes, "marginTrading": "none"}
    sizes = {
        "maxOrderQty": text(symbol.maximum),
        "minOrderQty": text(symbol.minimum),
        "qtyStep": text(symbol.step),
        "maxMktOrderQty": text(symbol.maximum_market),
        "minNotionalValue": text(symbol.minimum_notional),
    }
    return {
        **common,
        "contractType": "InversePerpetual" if symbol.kind == INVERSE else "LinearPerpetual",
        "deliveryTime": "0",
        "settleCoin": symbol.settle,
        "fundingInterval": 480,
        "leverageFilter": {"minLeverage": "1", "maxLeverage": text(symbol.leverage), "leverageStep": "0.01"},
        "lotSizeFilter": sizes,
    }


# --- public streams -------------------------------------------------------------------------------------------------


def trade(tick: Tick) -> dict[str, Any]:
    """publicTrade."""
    one = {
        "T": tick.ts_ns // MS,
        "s": tick.symbol,
        "S": side_of(tick.side),
        "v": text(tick.quantity),
        "p": text(tick.price),
        "L": "PlusTick",
        "i": f"{tick.symbol}-{tick.number}",
        "BT": False,
        "seq": tick.number,
    }
    return {"topic": f"publicTrade.{tick.symbol}", "type": "snapshot", "ts": tick.ts_ns // MS, "data": [one]}


def recent_trade(tick: Tick) -> dict[str, Any]:
    """An entry of market/recent-trade."""
    return {
        "execId": f"{tick.symbol}-{tick.number}",
        "symbol": tick.symbol,
        "price": text(tick.price),
        "size": text(tick.quantity),
        "side": side_of(tick.side),
        "time": str(tick.ts_ns // MS),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(tick.number),
    }


def touch(quote: Quote, number: int) -> dict[str, Any]:
    """orderbook.1: always a snapshot."""
    data = {
        "s": quote.symbol,
        "b": [[text(quote.bid), text(quote.bid_size)]],
        "a": [[text(quote.ask), text(quote.ask_size)]],
        "u": number,
        "seq": number,
    }
    ts = quote.ts_ns // MS
    return {"topic": f"orderbook.1.{quote.symbol}", "type": "snapshot", "ts": ts, "data": data, "cts": ts}


def book(topic: str, kind: str, symbol: str, sides: tuple[dict, dict], number: int, now_ns: int) -> dict[str, Any]:
    """orderbook.N: levels as price to size, size 0 for one that is gone."""
    levels = [[[text(price), text(size)] for price, size in side.items()] for side in sides]
    data = {"s": symbol, "b": levels[0], "a": levels[1], "u": number, "seq": number}
    return {"topic": topic, "type": kind, "ts": now_ns // MS, "data": data, "cts": now_ns // MS}


def kline(bar: Bar, *, confirm: bool) -> dict[str, Any]:
    """kline.1."""
    start = bar.open_ns // MS
    one = {
        "start": start,
        "end": start + 59_999,
        "interval": "1",
        "open": text(bar.open),
        "close": text(bar.close),
        "high": text(bar.high),
        "low": text(bar.low),
        "volume": text(bar.volume),
        "turnover": "0",
        "confirm": confirm,
        "timestamp": start + 60_000,
    }
    return {"topic": f"kline.1.{bar.symbol}", "data": [one], "ts": start + 60_000, "type": "snapshot"}


def kline_line(bar: Bar) -> list[str]:
    """A bar of an answer."""
    numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    return [str(bar.open_ns // MS), *(text(number) for number in numbers), "0"]
