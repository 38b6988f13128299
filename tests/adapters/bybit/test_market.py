"""What the public stream remembers: duplicates, gaps of books, one funding from two streams."""

import json

import pytest

from adapters.bybit.funding import FUNDING_GRACE_MS, Fundings
from adapters.bybit.market import BookGapError, MarketParser, book_depth
from adapters.bybit.parse import PrivateParser
from adapters.bybit.units import Listed, OffGridError, ParseError
from kernel.instruments import Instrument
from kernel.market import FUNDING, NO_PRICE, UNKNOWN_SIZE
from kernel.venue import Feeds, OrderStatus

ONE = Listed(0, Instrument(venue="bybit", symbol="BTCUSDT", currency="USDT", tick_size="0.1", lot_size="0.001"))
FEEDS = Feeds(trades=True, depth=50, funding=True, open_interest=True)


def parser(fundings: Fundings | None = None) -> MarketParser:
    return MarketParser([ONE], FEEDS, "linear", fundings or Fundings())


def trade(number: int, price: str = "10.0") -> str:
    one = {"T": number, "S": "Buy", "v": "1", "p": price, "i": f"id-{number}"}
    return json.dumps({"topic": "publicTrade.BTCUSDT", "data": [one]})


def book(u: int, kind: str = "delta", depth: int = 50, **sides) -> str:
    data = {"b": sides.get("b", []), "a": sides.get("a", []), "u": u, "seq": u}
    return json.dumps({"topic": f"orderbook.{depth}.BTCUSDT", "type": kind, "ts": u, "data": data})


def test_a_trade_that_comes_twice_is_one_row_and_memory_is_bounded():
    reader = parser()
    assert len(reader.parse(trade(1))) == 1
    assert reader.parse(trade(1)) == []
    for number in range(2, 10_000):
        assert len(reader.parse(trade(number))) == 1
    assert reader.parse(trade(9_999)) == []
    handler = reader._handlers["publicTrade.BTCUSDT"].__self__
    assert len(handler._seen) <= 8192


def test_a_book_that_skips_a_change_is_silent_until_its_snapshot():
    reader = parser()
    assert reader.parse(book(5, b=[["9.9", "1"]])) == []  # before its snapshot
    assert len(reader.parse(book(7, "snapshot", b=[["9.9", "1"]], a=[["10.1", "2"]]))) == 2
    assert len(reader.parse(book(8, b=[["9.9", "0"]]))) == 1
    assert reader.parse(book(8, b=[["9.9", "0"]])) == []  # twice
    with pytest.raises(BookGapError) as caught:
        reader.parse(book(10, b=[["9.8", "1"]]))
    assert caught.value.topic == "orderbook.50.BTCUSDT"
    assert reader.is_waiting()
    assert reader.parse(book(11, b=[["9.7", "1"]])) == []
    assert len(reader.parse(book(1, "snapshot", b=[["9.7", "1"]]))) == 1
    assert not reader.is_waiting()


def test_a_quote_changes_by_sides():
    reader = parser()
    (row,) = reader.parse(book(1, "snapshot", 1, b=[["9.9", "1"]], a=[["10.1", "2"]]))
    assert row[3:7] == (99, 1000, 101, 2000)
    (row,) = reader.parse(book(2, "delta", 1, b=[["9.9", "0"], ["9.8", "3"]]))
    assert row[3:7] == (98, 3000, 101, 2000)
    assert reader.parse(book(2, "delta", 1, b=[["9.7", "3"]])) == []
    (row,) = reader.parse(book(3, "delta", 1, a=[["10.1", "0"]]))
    assert row[3:7] == (98, 3000, NO_PRICE, UNKNOWN_SIZE)
    assert reader.parse(book(4, "snapshot", 1, b=[["9.8", "3"]])) == []


def test_a_quote_that_the_venue_repeats_later_is_told_again():
    reader = parser()
    levels = {"b": [["9.9", "1"]], "a": [["10.1", "2"]]}
    (first,) = reader.parse(book(1, "snapshot", 1, **levels))
    later = json.loads(book(1, "snapshot", 1, **levels)) | {"ts": 3001, "cts": 1}
    (second,) = reader.parse(json.dumps(later))
    assert (first[0], second[0]) == (10**6, 3001 * 10**6)
    assert first[3:] == second[3:]
    assert reader.parse(json.dumps(later)) == []


def ticker(ts: int, **data) -> str:
    return json.dumps({"topic": "tickers.BTCUSDT", "type": "delta", "ts": ts, "data": data})


HOUR_MS = 3_600_000


def test_funding_is_a_row_when_its_time_has_come():
    reader = parser()
    first = {
        "markPrice": "100.0",
        "fundingRate": "0.0001",
        "nextFundingTime": str(8 * HOUR_MS),
        "fundingIntervalHour": "8",
    }
    assert reader.parse(ticker(8 * HOUR_MS - 5, **first)) == []
    assert reader.parse(ticker(8 * HOUR_MS + 5, nextFundingTime=str(16 * HOUR_MS), fundingRate="0.0003")) == []
    (row,) = reader.parse(ticker(8 * HOUR_MS + 5 + FUNDING_GRACE_MS, markPrice="120.0"))
    assert row == (8 * HOUR_MS * 10**6, FUNDING, 0, 10_000, 1000, 8 * HOUR_MS * 10**6, 0, 0, 0)
    assert reader.parse(ticker(8 * HOUR_MS + 9 + FUNDING_GRACE_MS, markPrice="121.0")) == []


def execution(side: str, fee: str, rate: str, ts: int) -> bytes:
    one = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "execId": f"f{ts}",
        "orderId": "o",
        "side": side,
        "execType": "Funding",
    }
    one |= {"execPrice": "100.04", "execQty": "1", "execTime": str(ts), "execFee": fee, "feeRate": rate}
    return json.dumps({"topic": "execution", "data": [one]}).encode()


@pytest.mark.parametrize(
    ("side", "fee", "rate", "expected"),
    [
        ("Buy", "0.01", "0.0001", 10_000),
        ("Sell", "-0.01", "0.0001", 10_000),
        ("Sell", "-0.01", "-0.0001", 10_000),
        ("Buy", "-0.01", "-0.0001", -10_000),
        ("Sell", "0.01", "0.0001", -10_000),
    ],
)
def test_the_accounts_own_funding_goes_first_and_is_told_once(side, fee, rate, expected):
    fundings = Fundings()
    reader = parser(fundings)
    private = PrivateParser({"BTCUSDT": ONE}, "linear", fundings, {"BTCUSDT": 8 * HOUR_MS * 10**6})
    reader.parse(ticker(1, markPrice="100.0", fundingRate="0.0002", nextFundingTime=str(8 * HOUR_MS)))
    reader.parse(ticker(8 * HOUR_MS + 5, nextFundingTime=str(16 * HOUR_MS)))
    seen, rows = private.parse(execution(side, fee, rate, 8 * HOUR_MS))
    assert seen == []
    assert rows == [(8 * HOUR_MS * 10**6, FUNDING, 0, expected, 1000, 8 * HOUR_MS * 10**6, 0, 0, 0)]
    assert private.parse(execution(side, fee, rate, 8 * HOUR_MS + 30)) == ([], [])
    assert reader.parse(ticker(8 * HOUR_MS + 5 + FUNDING_GRACE_MS, markPrice="120.0")) == []


@pytest.mark.parametrize(
    "changes", [{"side": "None"}, {"execTime": "soon"}, {"execPrice": "1.23.4"}, {"execFee": "much"}, {"execId": 7}]
)
def test_a_private_message_that_is_not_as_documented_is_refused_whole(changes):
    message = json.loads(execution("Buy", "0.01", "0.0001", 1))
    message["data"][0] |= {"execType": "Trade", "execPrice": "1.0"} | changes
    if "execFee" in changes:
        message["data"][0]["execType"] = "Funding"
    private = PrivateParser({"BTCUSDT": ONE}, "linear", Fundings(), {})
    with pytest.raises(ParseError):
        private.parse(json.dumps(message).encode())


def test_an_order_of_an_unknown_status_may_go_on():
    one = {"symbol": "BTCUSDT", "orderId": "o", "side": "Buy", "orderType": "Limit", "orderStatus": "Dreaming"}
    one |= {"qty": "1", "cumExecQty": "0.5", "price": "10.0"}
    private = PrivateParser({"BTCUSDT": ONE}, "linear", Fundings(), {})
    ((seen,), _) = private.parse(json.dumps({"topic": "order", "data": [one]}).encode())
    assert (seen.status, seen.filled_lots, seen.text) == (OrderStatus.OPEN, 500, "status Dreaming")


def test_open_interest_is_a_row_when_it_changed():
    reader = parser()
    assert [row[4] for row in reader.parse(ticker(1, openInterest="12.3456"))] == [12345]
    assert reader.parse(ticker(2, openInterest="12.3459")) == []


@pytest.mark.parametrize(
    "text", ["", "<html>", '{"topic":"publicTrade.BTCUSDT","data":[{"T":1', '{"topic":"kline.1.BTCUSDT","data":7}']
)
def test_what_is_no_message_is_refused(text):
    with pytest.raises(ParseError):
        parser().parse(text)


def test_a_price_between_two_ticks_is_no_row():
    with pytest.raises(OffGridError, match=r"10\.05"):
        parser().parse(trade(1, "10.05"))


def test_the_topic_may_stand_anywhere_and_unknown_ones_are_passed_over():
    reader = parser()
    assert (
        len(reader.parse('{"data": [{"T":1,"S":"Sell","v":"1","p":"1.0","i":"z"}], "topic": "publicTrade.BTCUSDT"}'))
        == 1
    )
    assert reader.parse('{"topic":"kline.5.BTCUSDT","data":[]}') is None
    assert reader.parse('{"success":true,"op":"subscribe"}') is None


def test_the_least_depth_that_is_enough():
    assert [book_depth(levels) for levels in (1, 50, 51, 1000)] == [50, 50, 200, 1000]
    with pytest.raises(ValueError, match="1000"):
        book_depth(1001)
