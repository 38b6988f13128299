"""The documented examples: each request that we render, each answer and message that we parse; ccxt as the oracle."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.bybit import wire
from adapters.bybit.parse import (
    balances_seen,
    closed_bars,
    described,
    fill_seen,
    order_seen,
    position_seen,
)
from adapters.bybit.render import amend_params, cancel_params, create_params
from adapters.bybit.units import Listed
from kernel.instruments import Instrument
from kernel.lifecycle import (
    BUY,
    CANCEL_POST_ONLY,
    GTC,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    TAKER,
)
from kernel.market import BAR
from kernel.venue import (
    BalanceSeen,
    CancelOrder,
    FillSeen,
    NewOrder,
    OrderSeen,
    OrderStatus,
    PositionSeen,
    ReplaceOrder,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
PAGES = {
    page["doc"].removeprefix("docs/v5/").removesuffix(".mdx"): page
    for page in json.loads((FIXTURES / "bybit_v5_examples.json").read_text())["pages"]
}
UNIFIED = json.loads((FIXTURES / "bybit_ccxt_unified.json").read_text())
MS = 1_000_000


def listed(symbol: str, tick: str = "0.01", lot: str = "0.001", currency: str = "USDT") -> Listed:
    return Listed(0, Instrument(venue="bybit", symbol=symbol, currency=currency, tick_size=tick, lot_size=lot))


def answer(page: str, kind: type, number: int = -1) -> Any:
    examples = [one["json"] for one in PAGES[page]["examples"] if one["kind"] == "json"]
    return msgspec.convert(examples[number]["result"]["list"], list[kind])


def message(page: str, number: int = -1) -> str:
    return json.dumps([one["json"] for one in PAGES[page]["examples"] if one["kind"] == "json"][number])


def bodies(page: str) -> list[dict[str, Any]]:
    text = PAGES[page]["examples"][0]["text"]
    return [json.loads(part) for part in re.findall(r"\{.*?\}", text, re.DOTALL)]


# --- requests -------------------------------------------------------------------------------------------------------

PERPETUAL, SPOT = listed("BTCUSDT", "0.1"), listed("BTCUSDT", "0.1", "0.00000001")
# The documented bodies that are orders of ours: the place of the body, the order, and what the example says beside it
# that we never send (it is what the venue takes for granted, or another feature of it).
ORDERS = [
    (
        2,
        SPOT,
        "spot",
        {
            "order_type": LIMIT,
            "limit_ticks": 156_000,
            "quantity_lots": 10_000_000,
            "instructions": POST_ONLY,
            "client_order_id": "spot-test-01",
        },
        set(),
    ),
    (
        4,
        SPOT,
        "spot",
        {
            "order_type": LIMIT,
            "limit_ticks": 156_000,
            "quantity_lots": 10_000_000,
            "client_order_id": "spot-test-limit",
        },
        {"isLeverage"},
    ),
    (
        6,
        PERPETUAL,
        "linear",
        {"order_type": LIMIT, "limit_ticks": 250_000, "quantity_lots": 1000, "client_order_id": "usdt-test-01"},
        {
            "reduceOnly",
            "takeProfit",
            "stopLoss",
            "tpslMode",
            "tpOrderType",
            "slOrderType",
            "tpLimitPrice",
            "slLimitPrice",
        },
    ),
    (
        7,
        PERPETUAL,
        "linear",
        {
            "order_type": LIMIT,
            "side": SELL,
            "limit_ticks": 300_000,
            "quantity_lots": 1000,
            "instructions": REDUCE_ONLY,
            "client_order_id": "usdt-test-02",
        },
        set(),
    ),
]


@pytest.mark.parametrize(("place", "one", "category", "changes", "beside"), ORDERS)
def test_an_order_is_rendered_as_in_the_documentation(place, one, category, changes, beside):
    usual = {"instrument": 0, "side": BUY, "time_in_force": GTC}
    rendered = create_params(NewOrder(**(usual | changes)), one, category)
    example = {name: value for name, value in bodies("order/create-order")[place].items() if name not in beside}
    assert {name: value for name, value in rendered.items() if name not in beside} == example


def test_a_spot_market_order_is_the_documented_one_but_for_its_unit():
    asked = NewOrder(
        client_order_id="spot-test-04",
        instrument=0,
        side=BUY,
        order_type=MARKET,
        time_in_force=GTC,
        quantity_lots=10**6,
    )
    example = bodies("order/create-order")[5]
    assert create_params(asked, SPOT, "spot") == example | {"qty": "0.01", "marketUnit": "baseCoin"}


def test_a_change_and_a_cancel_are_rendered_as_in_the_documentation():
    change = ReplaceOrder(
        client_order_id="linear-004", instrument=0, quantity_lots=150, limit_ticks=105_000, stop_ticks=114_500
    )
    example = bodies("order/amend-order")[0]
    assert amend_params(change, listed("ETHPERP"), "linear") == {
        n: v for n, v in example.items() if n not in ("takeProfit", "stopLoss")
    }
    cancel = CancelOrder(client_order_id="x", instrument=0, venue_order_id="c6f055d9-7f21-4079-913d-e6523a9cfffa")
    example = bodies("order/cancel-order")[0]
    assert cancel_params(cancel, listed("BTCPERP"), "linear") == {n: v for n, v in example.items() if v is not None}


# --- answers --------------------------------------------------------------------------------------------------------


def test_the_instruments_of_the_documentation():
    text = PAGES["market/instrument"]["examples"][3]["text"]
    blocks = [msgspec.json.decode(block) for block in re.split(r"^//.*$", text, flags=re.MULTILINE) if block.strip()]
    linear, pre = (msgspec.convert(block["result"]["list"][0], wire.InstrumentInfo) for block in blocks)
    found = described(linear, "linear")
    assert (found.instrument.contract, found.instrument.currency) == ("perpetual", "USDT")
    assert (found.instrument.tick_size, found.instrument.lot_size) == ("0.10", "0.001")
    rules = found.rules
    assert (rules.minimum_lots, rules.maximum_lots, rules.maximum_market_lots) == (1, 1_190_000, 500_000)
    assert (rules.minimum_notional, rules.maximum_leverage, rules.is_trading) == ("5", "100.00", True)
    assert not described(pre, "linear").rules.is_trading
    spot = described(answer("market/instrument", wire.InstrumentInfo)[0], "spot")
    assert (spot.instrument.lot_size, spot.instrument.contract, spot.instrument.currency) == (
        "0.00000001",
        "spot",
        "USDT",
    )
    assert (spot.rules.quantity_step_lots, spot.rules.minimum_lots) == (100, 1100)
    assert (spot.rules.maximum_lots, spot.rules.maximum_market_lots) == (8_300_000_000, 4_150_000_000)


def test_an_open_order_and_one_of_the_history():
    (order,) = answer("order/open-order", wire.Order)
    assert order_seen(order, listed("ETHUSDT", "0.01", "0.01")) == OrderSeen(
        venue_order_id="fd4300ae-7847-404e-b947-b46980a4d140",
        client_order_id="test-000005",
        instrument=0,
        status=OrderStatus.OPEN,
        side=BUY,
        order_type=LIMIT,
        time_in_force=GTC,
        quantity_lots=10,
        filled_lots=0,
        limit_ticks=160_000,
        ts_event_ns=1684738540561 * MS,
    )
    (order,) = answer("order/order-list", wire.Order)
    seen = order_seen(order, listed("BTCUSDT", "0.10"))
    assert (seen.status, seen.reason, seen.instructions) == (OrderStatus.CANCELED, CANCEL_POST_ONLY, POST_ONLY)
    assert seen.text == "EC_PostOnlyWillTakeLiquidity"


def test_an_execution_a_position_and_a_wallet():
    (execution,) = answer("order/execution", wire.Execution)
    assert fill_seen(execution, listed("ETHPERP"), "linear") == FillSeen(
        trade_id="e0cbe81d-0f18-5866-9415-cf319b5dab3b",
        venue_order_id="8c065341-7b52-4ca9-ac2c-37e31ac55c94",
        client_order_id="",
        instrument=0,
        side=BUY,
        price_ticks=119_015,
        quantity_lots=100,
        fee="0.071409",
        fee_currency="USDT",
        liquidity=TAKER,
        ts_event_ns=1672282722429 * MS,
    )
    (position,) = answer("position/position", wire.Position)
    one = listed("BTCUSD", "0.50", "1", "BTC")
    assert position_seen(position, one) == PositionSeen(
        instrument=0, quantity_lots=-300, average_price="27464.50441675"
    )
    (wallet,) = answer("account/wallet-balance", wire.Wallet)
    assert balances_seen(wallet.coin) == [BalanceSeen(currency="BTC", total="0")]


def test_bars_and_the_clock():
    example = PAGES["market/kline"]["examples"][-1]["json"]
    rows = closed_bars(example["result"]["list"], example["time"], listed("BTCUSD", "0.50", "1"))
    assert [row[8] for row in rows] == [t * 10**9 for t in (1670601600, 1670605200, 1670608800)]
    assert rows[0] == ((1670601600 + 60) * 10**9, BAR, 0, 34173, 34176, 33956, 34143, 6356, 1670601600 * 10**9)
    result = PAGES["market/time"]["examples"][-1]["json"]["result"]
    assert msgspec.convert(result, wire.VenueTime).time_nano == "1688639403423213947"


def test_a_trigger_tells_what_an_order_is():
    (order,) = answer("order/open-order", wire.Order)
    one = listed("ETHUSDT", "0.01", "0.01")
    order.trigger_price, order.trigger_direction = "1500.00", 2
    assert order_seen(order, one).order_type == LIMIT_IF_TOUCHED
    assert order_seen(order, one).stop_ticks == 150_000
