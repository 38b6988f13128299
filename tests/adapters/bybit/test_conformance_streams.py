"""The documented messages of both streams, and ccxt's unified results as the oracle of what is parsed."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.bybit import wire
from adapters.bybit.funding import Fundings
from adapters.bybit.market import MarketParser
from adapters.bybit.parse import (
    PrivateParser,
    closed_bars,
    described,
)
from adapters.bybit.units import Listed
from kernel.instruments import Instrument
from kernel.lifecycle import (
    IOC,
    MARKET,
    SELL,
)
from kernel.market import BAR, DEPTH, LEVEL, MESSAGE_END, QUOTE, TRADE
from kernel.units import from_units
from kernel.venue import (
    BalanceSeen,
    Feeds,
    OrderStatus,
    PositionSeen,
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


def message(page: str, number: int = -1) -> str:
    return json.dumps([one["json"] for one in PAGES[page]["examples"] if one["kind"] == "json"][number])


# --- streams --------------------------------------------------------------------------------------------------------


def private(page: str, one: Listed, category: str) -> list[Any]:
    parser = PrivateParser({one.symbol: one}, category, Fundings(), {})
    seen, rows = parser.parse(message(f"websocket/private/{page}").encode())
    assert rows == []
    return seen


def test_private_messages():
    (order,) = private("order", listed("ETH-30DEC22-1400-C", "0.1", "1"), "option")
    assert (order.status, order.order_type, order.time_in_force) == (OrderStatus.FILLED, MARKET, IOC)
    assert (order.quantity_lots, order.filled_lots, order.limit_ticks, order.side) == (1, 1, 0, SELL)
    (fill,) = private("execution", listed("BTCUSDT", "0.10"), "linear")
    assert (fill.price_ticks, fill.quantity_lots, fill.fee, fill.side) == (959_001, 500, "26.3725275", SELL)
    assert private("position", listed("BTCUSDT", "0.10"), "linear") == [
        PositionSeen(instrument=0, quantity_lots=0, leg=-1)
    ]
    assert private("wallet", listed("ETHUSDT"), "spot") == [BalanceSeen(currency="BTC", total="0.00102964")]
    assert private("execution", listed("ETHUSDT"), "linear") == []


def market(page: str, symbol: str, *, kind: str = "json", tick: str = "0.01", depth: int = 50) -> list[Any]:
    feeds = Feeds(bars=True, trades=True, quotes=True, depth=depth, funding=True, open_interest=True)
    parser = MarketParser([listed(symbol, tick)], feeds, "linear", Fundings())
    examples = [one for one in PAGES[f"websocket/public/{page}"]["examples"] if one["kind"] == kind]
    text = json.dumps(examples[-1]["json"]) if kind == "json" else examples[-1]["text"]
    return parser.parse(text) or []


def test_public_trades_and_tickers():
    (row,) = market("trade", "BTCUSDT")
    assert row == (1672304486865 * MS, TRADE, 0, 1657850, 1, 1, 0, 0, 0)
    text = PAGES["websocket/public/ticker"]["examples"][0]["text"]
    first = json.loads(text.partition("LinearPerpetual\n")[2].partition("LinearFutures")[0])
    parser = MarketParser([listed("BTCUSDT")], Feeds(open_interest=True, funding=True), "linear", Fundings())
    (row,) = parser.parse(json.dumps(first)) or []
    assert row == (1760325052630 * MS, LEVEL, 0, 6, 492_373_720, 0, 0, 0, 0)


def test_a_bar_that_is_not_confirmed_is_no_row():
    text = message("websocket/public/kline").replace("kline.5.", "kline.1.")
    parser = MarketParser([listed("BTCUSDT", "0.5")], Feeds(), "linear", Fundings())
    assert parser.parse(text) == []
    confirmed = parser.parse(text.replace('"confirm": false', '"confirm": true'))
    opened = 1672324800 * 10**9
    assert confirmed == [(opened + 60 * 10**9, BAR, 0, 33299, 33354, 33216, 33354, 2081, opened)]


def test_a_book_is_whole_messages():
    parser = MarketParser([listed("BTCUSDT", "0.10")], Feeds(depth=50), "linear", Fundings())
    text = PAGES["websocket/public/orderbook"]["examples"][0]["text"]
    snapshot = re.sub(r",\s*\]", "]", text.replace("...,", ""))
    rows = parser.parse(json.dumps(json.loads(snapshot)))
    assert rows is not None
    assert [row[3:7] for row in rows] == [
        (1, 164935, 6, 1),
        (1, 164930, 100, 0),
        (-1, 166110, 29, 0),
        (-1, 166120, 213, MESSAGE_END),
    ]
    assert {row[:3] for row in rows} == {(1672304484976 * MS, DEPTH, 0)}
    delta = json.loads(message("websocket/public/orderbook"))
    delta["data"]["u"] = 18521289
    rows = parser.parse(json.dumps(delta))
    assert rows is not None
    assert len(rows) == 12
    assert rows[4][3:7] == (1, 302400, 0, 0)
    assert rows[-1][3:7] == (-1, 302525, 4591, MESSAGE_END)


def test_a_book_of_one_level_is_a_quote():
    book = UNIFIED["fetch_order_book_BTC_USDT"]["http_response"]["result"]
    data = {"s": "BTCUSDT", "b": book["b"][:1], "a": book["a"][:1], "u": book["u"], "seq": book["seq"]}
    text = json.dumps(
        {"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": book["ts"], "cts": book["cts"], "data": data}
    )
    parser = MarketParser([listed("BTCUSDT", "0.1", "0.00000001")], Feeds(), "spot", Fundings())
    (row,) = parser.parse(text) or []
    unified = UNIFIED["fetch_order_book_BTC_USDT"]["parsed_response"]
    assert row[:3] == (book["cts"] * MS, QUOTE, 0)
    shown = [
        from_units(row[3], "0.1"),
        from_units(row[4], "1e-8"),
        from_units(row[5], "0.1"),
        from_units(row[6], "1e-8"),
    ]
    assert [float(number) for number in shown] == [*unified["bids"][0], *unified["asks"][0]]


# --- ccxt's unified results as an oracle ----------------------------------------------------------------------------


@pytest.mark.parametrize("market_", UNIFIED["markets"], ids=lambda one: one["id"])
def test_instruments_are_as_ccxt_reads_them(market_):
    found = described(msgspec.convert(market_["info"], wire.InstrumentInfo), "spot")
    instrument, rules = found.instrument, found.rules
    assert (instrument.symbol, instrument.currency) == (market_["id"], market_["quote"])
    assert float(instrument.tick_size) == market_["precision"]["price"]
    lot = Decimal(instrument.lot_size)
    assert float(rules.quantity_step_lots * lot) == market_["precision"]["amount"]
    assert float(rules.minimum_lots * lot) == market_["limits"]["amount"]["min"]
    assert float(rules.minimum_notional) == market_["limits"]["cost"]["min"]
    assert rules.is_trading == market_["active"]


def test_bars_are_as_ccxt_reads_them():
    both = UNIFIED["fetch_ohlcv_BTC_USDT"]
    one = listed("BTCUSDT", "0.1", "0.00000001")
    rows = closed_bars(both["http_response"]["result"]["list"], 1 << 50, one)
    shown = [
        [row[8] // MS, *(float(from_units(price, "0.1")) for price in row[3:7]), float(from_units(row[7], "1e-8"))]
        for row in rows
    ]
    assert shown == both["parsed_response"]


def test_trades_are_as_ccxt_reads_them():
    both = UNIFIED["fetch_trades_BTC_USDT"]
    data = [
        {"T": int(one["time"]), "S": one["side"], "v": one["size"], "p": one["price"], "i": one["execId"]}
        for one in reversed(both["http_response"]["result"]["list"])
    ]
    parser = MarketParser([listed("BTCUSDT", "0.1", "0.00000001")], Feeds(trades=True), "spot", Fundings())
    rows = parser.parse(json.dumps({"topic": "publicTrade.BTCUSDT", "data": data}))
    assert rows is not None
    sides = {"buy": 1, "sell": -1}
    assert [
        (row[0] // MS, float(from_units(row[3], "0.1")), float(from_units(row[4], "1e-8")), row[5]) for row in rows
    ] == [(one["timestamp"], one["price"], one["amount"], sides[one["side"]]) for one in both["parsed_response"]]
