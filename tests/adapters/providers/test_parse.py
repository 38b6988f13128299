"""Each provider's answers, as its documentation or its SDK's tests show them, and each of its ways to say no."""

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers import alpaca, marketdata, polygon, twelvedata, yahoo
from adapters.providers.http import Answer
from adapters.providers.shapes import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, Bar, ProviderError, Reason
from adapters.providers.times import local_ns, text_ns, utc_text

FEBRUARY_28 = 1646024400 * SECOND_NS  # 2022-02-28T05:00:00Z


def bar(ts_ns: int, *numbers: str) -> Bar:
    return Bar(ts_ns, *map(Decimal, numbers))


def digits(value: object) -> list[str]:
    """Numbers with their digits: 4.50 is not 4.5."""
    return [format(number, "f") for number in (value.open, value.high, value.low, value.close, value.volume)]


def test_alpaca_bars() -> None:
    body = (
        b'{"bars": {"AAPL": [{"t": "2022-02-28T05:00:00Z", "o": 163.02, "h": 165.42, "l": 162.430, "c": 165.12,'
        b' "v": 90552883, "n": 743379, "vw": 164.274348}]}, "next_page_token": "QUFQTHxEfDIw"}'
    )
    bars, token = alpaca.parse_bars(body, "AAPL")
    assert bars == (bar(FEBRUARY_28, "163.02", "165.42", "162.43", "165.12", "90552883"),)
    assert digits(bars[0]) == ["163.02", "165.42", "162.430", "165.12", "90552883"]
    assert token == "QUFQTHxEfDIw"
    assert alpaca.parse_bars(b'{"bars": {}, "next_page_token": null}', "AAPL") == ((), "")
    assert alpaca.parse_bars(b'{"bars": null, "next_page_token": null}', "AAPL") == ((), "")


def test_alpaca_quotes() -> None:
    body = (
        b'{"quotes": {"AAPL": {"t": "2022-03-18T14:02:43.651613184Z", "ax": "P", "ap": 161.11, "as": 13, "bx": "K",'
        b' "bp": 161.1, "bs": 2, "c": ["R"], "z": "C"}}}'
    )
    quote = alpaca.parse_quote(body, "AAPL")
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == tuple(map(Decimal, ("161.1", "2", "161.11", "13")))
    assert quote.ts_ns == 1647612163651613184
    assert not quote.is_crossed
    with pytest.raises(ProviderError, match="no quote of XYZ"):
        alpaca.parse_quote(b'{"quotes": {}}', "XYZ")


def test_alpaca_requests() -> None:
    path, params = alpaca.bars_request("AAPL", 5 * MINUTE_NS, FEBRUARY_28, FEBRUARY_28 + DAY_NS, "", "iex")
    assert path == "/v2/stocks/bars"
    assert params == {
        "symbols": "AAPL", "timeframe": "5Min", "start": "2022-02-28T05:00:00Z", "end": "2022-03-01T04:59:59Z",
        "limit": "10000", "sort": "asc", "adjustment": "raw", "feed": "iex",
    }  # fmt: skip
    path, params = alpaca.bars_request("BTC/USD", HOUR_NS, 0, DAY_NS, "next")
    assert path == "/v1beta3/crypto/us/bars"
    assert params["page_token"] == "next"
    assert "adjustment" not in params
    names = {MINUTE_NS: "1Min", 59 * MINUTE_NS: "59Min", HOUR_NS: "1Hour", 90 * MINUTE_NS: "", 2 * DAY_NS: "", 7: ""}
    assert {interval: alpaca.timeframe(interval) for interval in names} == names


def test_polygon_bars() -> None:
    body = json.dumps({
        "adjusted": True, "queryCount": 2, "request_id": "6a7e466379af0a71039d60cc78e72282", "resultsCount": 2,
        "results": [
            {"c": 75.0875, "h": 75.15, "l": 73.7975, "n": 1, "o": 74.06, "t": 1577941200000, "v": 135647456, "vw": 1},
            {"c": 74.3575, "h": 75.145, "l": 74.125, "n": 1, "o": 74.2875, "t": 1578027600000, "v": 1, "vw": 1},
        ],
        "status": "OK", "ticker": "AAPL", "next_url": "https://api.polygon.io/v2/aggs/ticker/AAPL/range?cursor=bGltaXQ9Mg",
    }).encode()  # fmt: skip
    bars, next_url = polygon.parse_bars(body)
    assert bars[0] == bar(1577941200 * SECOND_NS, "74.06", "75.15", "73.7975", "75.0875", "135647456")
    assert polygon.next_request(next_url) == ("/v2/aggs/ticker/AAPL/range", {"cursor": "bGltaXQ9Mg"})
    none = b'{"ticker":"X","queryCount":0,"resultsCount":0,"adjusted":true,"status":"OK","request_id":"1"}'
    assert polygon.parse_bars(none) == ((), "")


def test_polygon_requests_and_quotes() -> None:
    path, params = polygon.bars_request("X:BTCUSD", 15 * MINUTE_NS, 1, 2 * SECOND_NS)
    assert path == "/v2/aggs/ticker/X%3ABTCUSD/range/15/minute/1/1999"
    assert params == {"adjusted": "false", "sort": "asc", "limit": "50000"}
    # The key that Polygon may put into its own link does not become part of an address.
    assert polygon.next_request("https://evil.example/v2/x?cursor=a&apiKey=k") == ("/v2/x", {"cursor": "a"})
    body = (
        b'{"request_id": "b8", "results": {"P": 127.98, "S": 7, "T": "AAPL", "X": 19, "p": 127.96, "q": 83480742,'
        b' "s": 1, "t": 1617827221349730300, "x": 11, "y": 1617827221349366000, "z": 3}, "status": "OK"}'
    )
    quote = polygon.parse_quote(body, "AAPL")
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == tuple(map(Decimal, ("127.96", "1", "127.98", "7")))
    assert quote.ts_ns == 1617827221349730300


def test_twelve_data_bars() -> None:
    body = json.dumps({
        "meta": {
            "symbol": "AAPL", "interval": "1min", "currency": "USD", "exchange_timezone": "America/New_York",
            "exchange": "NASDAQ", "mic_code": "XNAS", "type": "Common Stock",
        },
        "values": [
            {"datetime": "2021-09-16 15:59:00", "open": "148.73500", "high": "148.86000", "low": "148.73000",
             "close": "148.85001", "volume": "624277"},
        ],
        "status": "ok",
    }).encode()  # fmt: skip
    [found] = twelvedata.parse_bars(body, MINUTE_NS)
    assert found.ts_open_ns == 1631807940 * SECOND_NS
    assert digits(found) == ["148.73500", "148.86000", "148.73000", "148.85001", "624277"]
    [day] = twelvedata.parse_bars(body.replace(b"2021-09-16 15:59:00", b"2021-09-16"), DAY_NS)
    assert day.ts_open_ns == 1631764800 * SECOND_NS  # midnight in New York
    without = body.replace(b', "volume": "624277"', b"")
    assert twelvedata.parse_bars(without, MINUTE_NS)[0].volume is None
    nowhere = body.replace(b"America/New_York", b"Atlantis/Capital")
    with pytest.raises(ValueError, match="no time zone 'Atlantis/Capital'"):
        twelvedata.parse_bars(nowhere, DAY_NS)


def test_twelve_data_requests_and_prices() -> None:
    params = twelvedata.bars_request("AAPL", HOUR_NS, FEBRUARY_28, FEBRUARY_28 + HOUR_NS)
    assert (params["interval"], params["start_date"], params["end_date"]) == (
        "1h", "2022-02-28 05:00:00", "2022-02-28 05:59:59"
    )  # fmt: skip
    days = twelvedata.bars_request("AAPL", DAY_NS, FEBRUARY_28, FEBRUARY_28 + DAY_NS)
    assert (days["interval"], days["start_date"], days["end_date"]) == ("1day", "2022-02-27", "2022-03-02")
    assert twelvedata.interval_name(3 * MINUTE_NS) == ""
    quote = twelvedata.parse_quote(b'{"close": "148.85001", "timestamp": 1631772000, "is_market_open": false}', "AAPL")
    assert (quote.last, quote.ts_ns, quote.bid) == (Decimal("148.85001"), 1631772000 * SECOND_NS, None)


def test_marketdata_bars() -> None:
    body = (
        b'{"s":"ok","c":[217.68,221.03,219.89],"h":[222.49,221.50,220.94],"l":[217.19,217.1402,218.83],'
        b'"o":[221.03,218.55,220],"t":[1569297600,1569384000,1569470400],"v":[33463820,24018876,20730608]}'
    )
    bars = marketdata.parse_bars(body)
    assert [found.ts_open_ns // SECOND_NS for found in bars] == [1569297600, 1569384000, 1569470400]
    assert digits(bars[1]) == ["218.55", "221.50", "217.1402", "221.03", "24018876"]
    assert marketdata.parse_bars(b'{"s":"no_data","nextTime":1663704000}') == ()
    with pytest.raises(ValueError, match="zip"):
        marketdata.parse_bars(body.replace(b"[221.03,218.55,220]", b"[221.03]"))


def test_marketdata_requests_and_quotes() -> None:
    path, params = marketdata.bars_request("BRK/B", HOUR_NS, 1, 2 * SECOND_NS)
    assert path == "/v1/stocks/candles/1H/BRK%2FB/"
    assert params == {"from": "1", "to": "1", "dateformat": "unix", "adjustsplits": "false"}
    body = (
        b'{"s":"ok","symbol":["AAPL"],"ask":[149.08],"askSize":[200],"bid":[149.07],"bidSize":[600],"mid":[149.07],'
        b'"last":[149.09],"change":[null],"volume":[66959442],"updated":[1663958092]}'
    )
    quote = marketdata.parse_quote(body, "AAPL")
    assert (quote.bid, quote.ask, quote.last) == tuple(map(Decimal, ("149.07", "149.08", "149.09")))
    assert quote.ts_ns == 1663958092 * SECOND_NS
    with pytest.raises(ValueError, match="a quote without values"):
        marketdata.parse_quote(body.replace(b"[149.08]", b"[]"), "AAPL")


def yahoo_body(**columns: list[object]) -> bytes:
    meta = {
        "currency": "USD", "symbol": "IBM", "instrumentType": "EQUITY", "regularMarketTime": 1655119195,
        "regularMarketPrice": 135.02999877929688,
    }  # fmt: skip
    stamps = columns.pop("timestamp")
    result = {"meta": meta, "timestamp": stamps, "indicators": {"quote": [columns], "adjclose": [{}]}}
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def test_yahoo_bars() -> None:
    body = yahoo_body(
        timestamp=[1646110800, 1648785600, 1654056000, 1655119195], volume=[107, 531264, None, 1],
        open=[107.91000366210938, 129.66000366210938, 139.6699981689453, 1.0],
        high=[137.0, 114.81999969482422, None, 1.0], low=[1e-7, 124.41000366210938, 1.0, 1.0],
        close=[107.91000366210938, 0.09988837689161301, 1.0, 1.0],
    )  # fmt: skip
    first, second = yahoo.parse_bars(body)  # the third has no high, the fourth is of now
    assert digits(first) == ["107.91", "137", "0.0000001", "107.91", "107"]
    assert digits(second)[:4] == ["129.66", "114.82", "124.41", "0.09988838"]
    quote = yahoo.parse_quote(body, "IBM")
    assert (quote.last, quote.ts_ns) == (Decimal("135.03"), 1655119195 * SECOND_NS)
    facts = yahoo.parse_facts(body)
    assert (facts.currency, facts.asset_class, facts.always_open) == ("USD", "equity", False)
    empty = b'{"chart":{"result":[{"meta":{},"indicators":{"quote":[{}]}}],"error":null}}'
    assert yahoo.parse_bars(empty) == ()


@given(st.decimals(min_value="0.0001", max_value="99999", places=2))
def test_yahoo_prices_in_cents_are_found_again(price) -> None:
    widened = Decimal(repr(float(np.float32(float(price)))))
    assert yahoo.meant(widened) == price


@pytest.mark.parametrize("text", ["148.85001", "0.1", "123456.789", "1E+50", "107.91000367"])
def test_a_number_that_is_no_widened_float_stays_as_it_is(text: str) -> None:
    assert yahoo.meant(Decimal(text)) == Decimal(text)


# --- every way to say no --------------------------------------------------------------------------------------------

TWELVE_429 = (
    b'{"code": 429, "message": "You have run out of API credits for the current minute. 12 API credits were used, with'
    b' the current limit being 8.", "status": "error"}'
)
YAHOO_422 = (
    b'{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"1m data not available for'
    b' startTime=1664596800 and endTime=1664683200. The requested range must be within the last 30 days."}}}'
)
ROWS = [
    (alpaca, 200, b"{}", None, ""),
    (alpaca, 400, b'{"message":"invalid symbol: A?"}', Reason.UNKNOWN_SYMBOL, "invalid symbol: A?"),
    (alpaca, 422, b'{"message":"invalid symbol"}', Reason.UNKNOWN_SYMBOL, "invalid symbol"),
    (alpaca, 400, b'{"message":"end should not be before start"}', Reason.REFUSED, "HTTP 400: end should not be"),
    (alpaca, 401, b'{"message": "unauthorized."}', Reason.WRONG_KEY, "unauthorized.; give the data keys"),
    (alpaca, 403, b'{"message": "forbidden."}', Reason.WRONG_KEY, "forbidden.; give the data keys"),
    (
        alpaca, 403, b'{"message": "subscription does not permit querying recent SIP data"}', Reason.NOT_SERVED,
        "SIP data: give a --to that is 15 minutes",
    ),
    (alpaca, 404, b"404 page not found", Reason.UNKNOWN_SYMBOL, "not found"),
    (alpaca, 429, b'{"message": "too many requests."}', Reason.RATE_LIMITED, "too many requests"),
    (alpaca, 500, b"<html>", Reason.UNAVAILABLE, "HTTP 500"),
    (alpaca, 301, b"", Reason.REFUSED, "it moved"),
    (polygon, 200, b"{}", None, ""),
    (polygon, 401, b'{"status":"ERROR","error":"Unknown API Key"}', Reason.WRONG_KEY, "Unknown API Key; give the key"),
    (polygon, 403, b'{"status":"NOT_AUTHORIZED","message":"upgrade"}', Reason.WRONG_KEY, "upgrade; give the key"),
    (polygon, 404, b'{"status":"NOT_FOUND","message":"Data not found."}', Reason.UNKNOWN_SYMBOL, "Data not found."),
    (polygon, 429, b'{"status":"ERROR","error":"exceeded"}', Reason.RATE_LIMITED, "exceeded"),
    (polygon, 504, b"", Reason.UNAVAILABLE, "HTTP 504"),
    (twelvedata, 200, b'{"values": [], "status": "ok"}', None, ""),
    (twelvedata, 200, b'{"code": 401, "message": "no", "status": "error"}', Reason.WRONG_KEY, "no; give the key"),
    (twelvedata, 401, b'{"code": 401, "message": "no", "status": "error"}', Reason.WRONG_KEY, "no; give the key"),
    (twelvedata, 200, b'{"code": 403, "message": "grow plan", "status": "error"}', Reason.WRONG_KEY, "grow plan"),
    (twelvedata, 404, b'{"code": 404, "message": "none", "status": "error"}', Reason.UNKNOWN_SYMBOL, "none"),
    (twelvedata, 200, b'{"code": 400, "message": "bad", "status": "error"}', Reason.REFUSED, "HTTP 400: bad"),
    (
        twelvedata, 200, b'{"code":400,"message":"No data is available on the specified dates.","status":"error"}',
        None, "",
    ),
    (twelvedata, 200, TWELVE_429, Reason.RATE_LIMITED, "You have run out of API credits"),
    (twelvedata, 500, b'{"code": 500, "message": "oops", "status": "error"}', Reason.UNAVAILABLE, "HTTP 500"),
    (twelvedata, 502, b"<html>", Reason.UNAVAILABLE, "HTTP 502"),
    (marketdata, 200, b'{"s":"ok"}', None, ""),
    (marketdata, 203, b'{"s":"ok"}', None, ""),
    (marketdata, 404, b'{"s":"no_data"}', None, ""),
    (marketdata, 404, b'{"s":"error","errmsg":"nothing"}', Reason.UNKNOWN_SYMBOL, "not found: nothing"),
    (marketdata, 400, b'{"s":"error","errmsg":"Invalid symbol X."}', Reason.UNKNOWN_SYMBOL, "Invalid symbol X."),
    (marketdata, 400, b'{"s":"error","errmsg":"bad from"}', Reason.REFUSED, "bad from"),
    (marketdata, 401, b'{"s":"error","errmsg":"Invalid token"}', Reason.WRONG_KEY, "Invalid token; give the token"),
    (marketdata, 402, b'{"s":"error","errmsg":"upgrade"}', Reason.NOT_SERVED, "not in this plan: upgrade"),
    (marketdata, 429, b'{"s":"error","errmsg":"limit"}', Reason.RATE_LIMITED, "limit"),
    (marketdata, 503, b"", Reason.UNAVAILABLE, "HTTP 503"),
    (yahoo, 200, b"{}", None, ""),
    (
        yahoo, 404, b'{"chart":{"result":null,"error":{"code":"Not Found","description":"may be delisted"}}}',
        Reason.UNKNOWN_SYMBOL, "may be delisted",
    ),
    (yahoo, 422, YAHOO_422, Reason.NOT_SERVED, "within the last 30 days."),
    (yahoo, 429, b"Too Many Requests\r\n", Reason.RATE_LIMITED, "too many requests"),
    (yahoo, 502, b"", Reason.UNAVAILABLE, "HTTP 502"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "status", "body", "reason", "words"), ROWS)
def test_what_an_answer_means(provider, status, body, reason, words) -> None:
    refused = provider.refusal(Answer(status, body, 7.0))
    if reason is None:
        assert refused is None
        return
    assert refused.reason is reason
    assert str(refused).startswith(f"{provider.NAME}: ")
    assert words in str(refused)
    assert "\n" not in str(refused)
    if reason in (Reason.RATE_LIMITED, Reason.UNAVAILABLE):
        assert refused.retry_after_seconds == 7.0


def test_twelve_data_counts_in_minutes_of_the_clock() -> None:
    assert twelvedata.refusal(Answer(200, TWELVE_429)).retry_after_seconds == 60.0


# --- times ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 4 * 10**18), st.integers(0, 9))
def test_times_keep_every_digit(ts_ns, places) -> None:
    ts_ns = ts_ns // 10 ** (9 - places) * 10 ** (9 - places)
    whole = utc_text(ts_ns).removesuffix("Z")
    fraction = f".{ts_ns % SECOND_NS:09d}"[: places + 1] if places else ""
    assert text_ns(f"{whole}{fraction}Z") == ts_ns
    assert text_ns(f"{whole}{fraction}+00:00") == ts_ns
    assert text_ns(f"{whole}{fraction}-02:00") == ts_ns + 2 * HOUR_NS


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2022-02-28T05:00:00", "2022-02-28T05:00:00.1x2Z", "2022-02-28T05:00:00.0123456789Z", "2022Z"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        text_ns(text)


def test_local_times_are_those_of_their_zone() -> None:
    from zoneinfo import ZoneInfo

    assert local_ns("2021-09-16", ZoneInfo("America/New_York")) == 1631764800 * SECOND_NS
