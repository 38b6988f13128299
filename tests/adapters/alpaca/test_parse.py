"""What Alpaca says of an account: its own documented examples, and every word it has for an order."""

import json
from pathlib import Path

import pytest

from adapters.alpaca.markets import Markets
from adapters.alpaca.parse import (
    ParseError,
    fill_of_activity,
    fill_of_update,
    order_seen,
    parse_activities,
    parse_balances,
    parse_bars,
    parse_clock,
    parse_order,
    parse_orders,
    parse_positions,
    parse_update,
)
from kernel.lifecycle import (
    AT_CLOSE,
    AT_OPEN,
    BUY,
    CANCEL_AUCTION,
    CANCEL_FOK,
    CANCEL_IOC,
    CANCEL_ON_REQUEST,
    DAY,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    REDUCE_ONLY,
    REJECT_BY_VENUE,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKER,
    TRAILING_STOP,
)
from kernel.market import BAR
from kernel.venue import BalanceSeen, FillSeen, OrderStatus, PositionSeen
from tests.adapters.alpaca.test_exactness import PAIR, SHARE

FIXTURES = json.loads((Path(__file__).parents[1] / "fixtures/alpaca.json").read_text())
ONE = 10**9
MARKETS = Markets([SHARE, PAIR])


def documented(schema, number=0):
    return FIXTURES["trading"][schema][number]


def raw(value):
    return json.dumps(value).encode()


ORDER_SAID = documented("Order")
UPDATE_SAID = {
    "event": "partial_fill",
    "execution_id": "7922ab44-5b33-4049-ab9a-0cfd805ba989",
    "timestamp": "2021-03-16T18:39:00.123456789Z",
    "price": "213.4544",
    "qty": "2.5",
    "position_qty": "5",
    "order": ORDER_SAID | {"qty": "5", "filled_qty": "2.5", "client_order_id": "k-3-R2"},
}


def order(**changes):
    return raw(documented("Order") | changes)


def seen(**changes):
    return order_seen(parse_order(order(**changes)), MARKETS)


def test_the_documented_order():
    # It is for an amount of money: it has no quantity.
    picture = seen()
    assert picture.venue_order_id == "61e69015-8549-4bfd-b9c3-01e75843f47d"
    assert picture.client_order_id == "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4"
    assert (picture.status, picture.side, picture.order_type, picture.time_in_force) == (
        OrderStatus.OPEN,
        BUY,
        MARKET,
        DAY,
    )
    assert (picture.quantity_lots, picture.filled_lots, picture.limit_ticks, picture.stop_ticks) == (0, 0, 0, 0)
    assert picture.ts_event_ns == 1_615_919_881_942_282_000


@pytest.mark.parametrize(
    ("status", "time_in_force", "means", "reason"),
    [
        *((status, "day", OrderStatus.OPEN, 0) for status in (
            "new", "accepted", "pending_new", "accepted_for_bidding", "partially_filled", "pending_cancel",
            "pending_replace", "stopped", "suspended", "held", "done_for_day", "calculated",
        )),
        ("filled", "gtc", OrderStatus.FILLED, 0),
        ("expired", "day", OrderStatus.EXPIRED, 0),
        ("rejected", "day", OrderStatus.REJECTED, REJECT_BY_VENUE),
        ("canceled", "day", OrderStatus.CANCELED, CANCEL_ON_REQUEST),
        ("canceled", "ioc", OrderStatus.CANCELED, CANCEL_IOC),
        ("canceled", "fok", OrderStatus.CANCELED, CANCEL_FOK),
        ("canceled", "opg", OrderStatus.CANCELED, CANCEL_AUCTION),
        ("canceled", "cls", OrderStatus.CANCELED, CANCEL_AUCTION),
    ],
)  # fmt: skip
def test_every_status(status, time_in_force, means, reason):
    picture = seen(status=status, time_in_force=time_in_force)
    assert (picture.status, picture.reason) == (means, reason)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"type": "limit", "limit_price": "101.01", "qty": "3", "filled_qty": "1.5"},
         {"order_type": LIMIT, "limit_ticks": 1_010_100, "quantity_lots": 3 * ONE, "filled_lots": ONE * 3 // 2}),
        ({"type": "stop", "stop_price": "99.5", "side": "sell", "time_in_force": "gtc"},
         {"order_type": STOP, "stop_ticks": 995_000, "side": SELL, "time_in_force": GTC}),
        ({"type": "stop_limit", "stop_price": "0.5001", "limit_price": "0.6"},
         {"order_type": STOP_LIMIT, "stop_ticks": 5001, "limit_ticks": 6000}),
        # The stop of a trailing order moves by itself: it is no term of it.
        ({"type": "trailing_stop", "stop_price": "98.01", "hwm": "99", "trail_percent": "1"},
         {"order_type": TRAILING_STOP, "stop_ticks": 0}),
        ({"time_in_force": "opg"}, {"time_in_force": AT_OPEN}),
        ({"time_in_force": "cls"}, {"time_in_force": AT_CLOSE}),
        ({"time_in_force": "ioc"}, {"time_in_force": IOC}),
        ({"time_in_force": "fok"}, {"time_in_force": FOK}),
        ({"position_intent": "sell_to_close"}, {"instructions": REDUCE_ONLY}),
        ({"position_intent": "buy_to_open"}, {"instructions": 0}),
        ({"client_order_id": "k-7-R12"}, {"client_order_id": "k-7"}),
        ({"symbol": "BTC/USD"}, {"instrument": 1}),
        ({"symbol": "BTCUSD"}, {"instrument": 1}),
        ({"type": None, "order_type": "limit", "limit_price": 5.25}, {"order_type": LIMIT, "limit_ticks": 52_500}),
    ],
)  # fmt: skip
def test_every_term(changes, fields):
    picture = seen(**changes)
    assert {name: getattr(picture, name) for name in fields} == fields


def test_an_order_in_another_symbol_is_left_out():
    assert seen(symbol="TSLA") is None
    assert seen(symbol="TSLA", status="something new") is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "melted"}, "order status 'melted' is not known"),
        ({"time_in_force": "moon"}, "time in force 'moon'"),
        ({"type": "wish"}, "order type 'wish'"),
        ({"side": "both"}, "side 'both'"),
        ({"qty": "0.00000000001"}, "not a multiple of"),
        ({"updated_at": "noon"}, "'noon' is not a time"),
    ],
)
def test_an_order_that_cannot_be_read(changes, words):
    with pytest.raises(ParseError, match=words):
        seen(**changes)


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"{}", b'{"id": 5}', order()[:-9], b"\xff\xfe"])
def test_what_is_not_an_order(data):
    with pytest.raises(ParseError, match="an order cannot be read"):
        parse_order(data)


def test_a_list_of_orders():
    assert [one.id for one in parse_orders(b"[" + order() + b"," + order(id="b") + b"]")] == [
        documented("Order")["id"],
        "b",
    ]


def update(**changes):
    return parse_update(raw(UPDATE_SAID | changes))


def test_a_fill_of_the_stream():
    assert fill_of_update(update(), MARKETS) == FillSeen(
        trade_id="7922ab44-5b33-4049-ab9a-0cfd805ba989",
        venue_order_id=documented("Order")["id"],
        client_order_id="k-3",
        instrument=0,
        side=BUY,
        price_ticks=2_134_544,
        quantity_lots=2_500_000_000,
        fee="0",
        fee_currency="USD",
        liquidity=TAKER,
        ts_event_ns=1_615_919_940_123_456_789,
    )


@pytest.mark.parametrize("missing", ["execution_id", "price", "qty", "timestamp"])
def test_a_fill_without_a_part_is_refused(missing):
    with pytest.raises(ParseError, match="comes without"):
        fill_of_update(update(**{missing: None}), MARKETS)


def test_the_documented_activity_is_the_same_kind_of_fill():
    (activity,) = parse_activities(raw([documented("TradingActivities")]))
    assert fill_of_activity(activity, "k-3-R2", MARKETS) == FillSeen(
        trade_id="2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
        venue_order_id="b5abe576-6a8a-49f3-a353-46b72c1ccae9",
        client_order_id="k-3",
        instrument=0,
        side=BUY,
        price_ticks=1_747_800,
        quantity_lots=2 * ONE,
        fee="0",
        fee_currency="USD",
        liquidity=TAKER,
        ts_event_ns=1_643_828_109_981_482_000,
    )


def test_other_activities_are_no_fills():
    fee = {"activity_type": "CFEE", "id": "20220812000000000::53be51ba", "date": "2022-08-12", "qty": "-0.000195",
           "symbol": "BTCUSD", "price": "1884.5", "net_amount": "0"}  # fmt: skip
    for activity in parse_activities(raw([documented("NonTradeActivities"), fee])):
        assert fill_of_activity(activity, "", MARKETS) is None


@pytest.mark.parametrize("changes", [{"id": "20220202135509981"}, {"price": None}, {"qty": None}])
def test_an_activity_without_a_part_is_refused(changes):
    (activity,) = parse_activities(raw([documented("TradingActivities") | changes]))
    with pytest.raises(ParseError, match="comes without"):
        fill_of_activity(activity, "", MARKETS)


def test_the_documented_positions():
    positions = parse_positions(raw(FIXTURES["trading"]["Position"]), MARKETS)
    assert positions == [
        PositionSeen(instrument=0, quantity_lots=5 * ONE, average_price="100.0"),
        PositionSeen(instrument=0, quantity_lots=2 * ONE, average_price="174.78"),
    ]


@pytest.mark.parametrize("quantity", ["5.25", "-5.25"])
def test_a_short_position_is_below_zero(quantity):
    held = documented("Position") | {"qty": quantity, "side": "short", "avg_entry_price": "1.00005"}
    (position,) = parse_positions(raw([held]), MARKETS)
    assert position == PositionSeen(instrument=0, quantity_lots=-5_250_000_000, average_price="1.00005")


def test_positions_elsewhere_and_empty_ones_are_left_out():
    assert parse_positions(raw([documented("Position") | {"symbol": "TSLA"}]), MARKETS) == []
    assert parse_positions(raw([documented("Position") | {"qty": "0"}]), MARKETS) == []


def test_the_documented_account_and_clock():
    assert parse_balances(raw(documented("Account"))) == [BalanceSeen(currency="USD", total="-23140.2")]
    assert parse_clock(raw(documented("Clock"))) == 1_566_656_122_000_000_000


@pytest.mark.parametrize("page", FIXTURES["bars"])
def test_documented_bars(page):
    rows, token = parse_bars(raw(page), 0, MARKETS)
    assert token == page["next_page_token"]
    bars = page["bars"].get("AAPL", [])
    assert len(rows) == len(bars)
    for row, bar in zip(rows, bars, strict=True):
        assert (row[1], row[2], row[0] - row[8]) == (BAR, 0, 60_000_000_000)
        assert [tick / 10_000 for tick in row[3:7]] == [bar["o"], bar["h"], bar["l"], bar["c"]]
        assert row[7] == bar["v"] * ONE


def test_no_bars():
    assert parse_bars(b'{"bars": null, "next_page_token": null}', 0, MARKETS) == ([], None)
