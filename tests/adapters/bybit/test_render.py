"""Requests: every kind of order as Bybit's parameters, and what is refused before anything is sent."""

import pytest

from adapters.bybit.render import NotSupportedError, amend_params, cancel_params, create_params
from adapters.bybit.units import Listed
from kernel.instruments import Instrument
from kernel.lifecycle import (
    AT_CLOSE,
    AT_OPEN,
    BUY,
    CLOSE_POSITION,
    DAY,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    MARKET_IF_TOUCHED,
    POST_ONLY,
    REDUCE_ONLY,
    REJECT_STOP_IN_MARKET,
    SELL,
    STOP,
    STOP_LIMIT,
    TRAILING_STOP,
    TRAILING_STOP_LIMIT,
)
from kernel.venue import CancelOrder, NewOrder, ReplaceOrder

PERPETUAL = Listed(0, Instrument(venue="bybit", symbol="BTCUSDT", currency="USDT", tick_size="0.10", lot_size="0.001"))
SPOT = Listed(0, Instrument(venue="bybit", symbol="BTCUSDT", currency="USDT", tick_size="0.1", lot_size="0.00000001"))


def order(**changes) -> NewOrder:
    usual = {
        "client_order_id": "k-1",
        "instrument": 0,
        "side": BUY,
        "order_type": MARKET,
        "time_in_force": GTC,
        "quantity_lots": 100,
        "reference_ticks": 250_000,
    }
    return NewOrder(**(usual | changes))


CONTRACT = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "orderLinkId": "k-1",
    "positionIdx": 0,
    "side": "Buy",
    "qty": "0.1",
}
SPOTTED = {"category": "spot", "symbol": "BTCUSDT", "orderLinkId": "k-1", "isLeverage": 0, "side": "Buy", "qty": "0.1"}
LIMITED = {"order_type": LIMIT, "limit_ticks": 250_001}
ON_SPOT = {"quantity_lots": 10_000_000}
CASES = {
    "market": ("linear", {}, {"orderType": "Market", "timeInForce": "IOC"}),
    "limit": ("linear", LIMITED, {"orderType": "Limit", "timeInForce": "GTC", "price": "25000.1"}),
    "ioc": (
        "linear",
        {**LIMITED, "time_in_force": IOC},
        {"orderType": "Limit", "timeInForce": "IOC", "price": "25000.1"},
    ),
    "fok": (
        "linear",
        {**LIMITED, "time_in_force": FOK},
        {"orderType": "Limit", "timeInForce": "FOK", "price": "25000.1"},
    ),
    "post-only": (
        "linear",
        {**LIMITED, "instructions": POST_ONLY},
        {"orderType": "Limit", "timeInForce": "PostOnly", "price": "25000.1"},
    ),
    "reduce-only": (
        "linear",
        {"side": SELL, "instructions": REDUCE_ONLY},
        {"orderType": "Market", "timeInForce": "IOC", "side": "Sell", "reduceOnly": True},
    ),
    "close-position": (
        "linear",
        {"side": SELL, "instructions": CLOSE_POSITION},
        {"orderType": "Market", "timeInForce": "IOC", "side": "Sell", "reduceOnly": True, "closeOnTrigger": True},
    ),
    "buy stop": (
        "linear",
        {"order_type": STOP, "stop_ticks": 260_000},
        {
            "orderType": "Market",
            "timeInForce": "IOC",
            "triggerPrice": "26000",
            "triggerDirection": 1,
            "triggerBy": "LastPrice",
        },
    ),
    "sell stop": (
        "linear",
        {"order_type": STOP, "side": SELL, "stop_ticks": 240_000},
        {
            "orderType": "Market",
            "timeInForce": "IOC",
            "side": "Sell",
            "triggerPrice": "24000",
            "triggerDirection": 2,
            "triggerBy": "LastPrice",
        },
    ),
    "stop-limit": (
        "linear",
        {"order_type": STOP_LIMIT, "stop_ticks": 260_000, "limit_ticks": 260_010},
        {
            "orderType": "Limit",
            "timeInForce": "GTC",
            "price": "26001",
            "triggerPrice": "26000",
            "triggerDirection": 1,
            "triggerBy": "LastPrice",
        },
    ),
    "market-if-touched": (
        "linear",
        {"order_type": MARKET_IF_TOUCHED, "stop_ticks": 240_000},
        {
            "orderType": "Market",
            "timeInForce": "IOC",
            "triggerPrice": "24000",
            "triggerDirection": 2,
            "triggerBy": "LastPrice",
        },
    ),
    "limit-if-touched": (
        "linear",
        {"order_type": LIMIT_IF_TOUCHED, "side": SELL, "stop_ticks": 260_000, "limit_ticks": 259_990},
        {
            "orderType": "Limit",
            "timeInForce": "GTC",
            "side": "Sell",
            "price": "25999",
            "triggerPrice": "26000",
            "triggerDirection": 1,
            "triggerBy": "LastPrice",
        },
    ),
    "hedge, short leg": (
        "linear",
        {"side": SELL, "leg": -1},
        {"orderType": "Market", "timeInForce": "IOC", "side": "Sell", "positionIdx": 2},
    ),
    "spot market buy": (
        "spot",
        ON_SPOT,
        {"orderType": "Market", "timeInForce": "IOC", "marketUnit": "baseCoin", "orderFilter": "Order"},
    ),
    "spot limit": (
        "spot",
        {**ON_SPOT, **LIMITED},
        {"orderType": "Limit", "timeInForce": "GTC", "price": "25000.1", "orderFilter": "Order"},
    ),
    "spot reduce-only sell": (
        "spot",
        {**ON_SPOT, "side": SELL, "instructions": REDUCE_ONLY},
        {"orderType": "Market", "timeInForce": "IOC", "side": "Sell", "marketUnit": "baseCoin", "orderFilter": "Order"},
    ),
    "spot stop": (
        "spot",
        {**ON_SPOT, "side": SELL, "order_type": STOP, "stop_ticks": 240_000},
        {
            "orderType": "Market",
            "timeInForce": "IOC",
            "side": "Sell",
            "marketUnit": "baseCoin",
            "orderFilter": "StopOrder",
            "triggerPrice": "24000",
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_order_is_these_parameters(name):
    category, changes, expected = CASES[name]
    is_spot = category == "spot"
    common = SPOTTED if is_spot else CONTRACT
    assert create_params(order(**changes), SPOT if is_spot else PERPETUAL, category) == common | expected


REFUSED = {
    "DAY": ("linear", {"time_in_force": DAY}, "DAY"),
    "GTD": ("linear", {"time_in_force": GTD, "expire_ns": 1}, "GTD"),
    "at-open": ("linear", {"time_in_force": AT_OPEN}, "at-open"),
    "at-close": ("linear", {"time_in_force": AT_CLOSE}, "at-close"),
    "trailing": ("linear", {"order_type": TRAILING_STOP}, "trailing stop"),
    "trailing limit": ("linear", {"order_type": TRAILING_STOP_LIMIT}, "trailing stop-limit"),
    "iceberg": ("linear", {**LIMITED, "display_lots": 5}, "iceberg"),
    "market FOK": ("linear", {"time_in_force": FOK}, "fill-or-kill"),
    "post-only IOC": ("linear", {**LIMITED, "time_in_force": IOC, "instructions": POST_ONLY}, "post-only"),
    "post-only market": ("linear", {"instructions": POST_ONLY}, "post-only"),
    "leg": ("linear", {"leg": 5}, "leg"),
    "spot leg": ("spot", {"leg": 1}, "legs"),
    "spot reduce-only buy": ("spot", {"instructions": REDUCE_ONLY}, "no buy"),
    "spot stop without a price": ("spot", {"order_type": STOP, "stop_ticks": 9, "reference_ticks": 0}, "last price"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_bybit_cannot_do_is_refused_with_its_name(name):
    category, changes, words = REFUSED[name]
    with pytest.raises(NotSupportedError, match=words):
        create_params(order(**changes), PERPETUAL, category)


@pytest.mark.parametrize(("kind", "side", "stop"), [(STOP, BUY, 1), (STOP, SELL, -1), (MARKET_IF_TOUCHED, BUY, -1)])
@pytest.mark.parametrize("distance", [0, -5])
def test_a_spot_trigger_beyond_the_market_is_refused(kind, side, stop, distance):
    asked = order(order_type=kind, side=side, stop_ticks=250_000 + stop * distance)
    with pytest.raises(NotSupportedError) as caught:
        create_params(asked, SPOT, "spot")
    assert caught.value.reason == REJECT_STOP_IN_MARKET


def test_changes_and_cancels_name_one_order():
    change = ReplaceOrder(client_order_id="k-1", instrument=0, quantity_lots=150, limit_ticks=10_500, stop_ticks=11_450)
    assert amend_params(change, PERPETUAL, "linear") == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderLinkId": "k-1",
        "qty": "0.15",
        "price": "1050",
        "triggerPrice": "1145",
    }
    cancel = CancelOrder(client_order_id="k-1", instrument=0, venue_order_id="c6f0")
    assert cancel_params(cancel, PERPETUAL, "linear") == {"category": "linear", "symbol": "BTCUSDT", "orderId": "c6f0"}
    assert cancel_params(cancel, SPOT, "spot", "StopOrder")["orderFilter"] == "StopOrder"
