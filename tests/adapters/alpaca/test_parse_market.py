"""The market data stream: the documented messages, packed as they come, and what is passed over."""

import msgpack
import pytest

from adapters.alpaca.markets import Markets
from adapters.alpaca.parse import ParseError
from adapters.alpaca.parse_market import AUCTION, HALTED, STATUS_CODES, TRADING, Control, parse_data
from kernel.market import BAR, DEPTH, MESSAGE_END, NO_PRICE, QUOTE, SNAPSHOT, STATUS, TRADE
from tests.adapters.alpaca.test_exactness import PAIR, SHARE

ONE = 10**9
AT = 1_614_009_104_208_000_000
TIME = msgpack.Timestamp.from_unix_nano(AT)
TRADE_SAID = {"T": "t", "i": 96921, "S": "AAPL", "x": "D", "p": 126.55, "s": 1, "t": TIME, "c": ["@", "I"], "z": "C"}
QUOTE_SAID = {"T": "q", "S": "AAPL", "bx": "U", "bp": 87.66, "bs": 1, "ax": "Q", "ap": 87.68, "as": 4, "t": TIME}
BAR_SAID = {"T": "b", "S": "AAPL", "o": 388.985, "h": 389.13, "l": 388.975, "c": 389.12, "v": 49378, "t": TIME}
HALT_SAID = {"T": "s", "S": "AAPL", "sc": "H", "sm": "Trading Halt", "rc": "T12", "rm": "-", "t": TIME, "z": "C"}
BOOK_SAID = {
    "T": "o",
    "S": "BTC/USD",
    "t": TIME,
    "b": [{"p": 71859.53, "s": 0.27994}, {"p": 71849.4, "s": 0.553986}],
    "a": [{"p": 71939.7, "s": 0}],
    "r": True,
}


def heard(*messages):
    return parse_data(msgpack.packb(list(messages)), Markets([SHARE, PAIR]))


@pytest.mark.parametrize(
    ("message", "rows"),
    [
        (TRADE_SAID, [(AT, TRADE, 0, 1_265_500, ONE, 0, 0, 0, 0)]),
        (TRADE_SAID | {"S": "BTC/USD", "tks": "S", "p": 39330, "s": 0.0003},
         [(AT, TRADE, 1, 39_330 * ONE, 300_000, -1, 0, 0, 0)]),
        (TRADE_SAID | {"S": "BTC/USD", "tks": "B"}, [(AT, TRADE, 1, 126_550_000_000, ONE, 1, 0, 0, 0)]),
        # Half a tick: rounded half to even.
        (TRADE_SAID | {"p": 126.55005}, [(AT, TRADE, 0, 1_265_500, ONE, 0, 0, 0, 0)]),
        (QUOTE_SAID, [(AT, QUOTE, 0, 876_600, ONE, 876_800, 4 * ONE, 0, 0)]),
        (QUOTE_SAID | {"bp": 0, "bs": 0}, [(AT, QUOTE, 0, NO_PRICE, 0, 876_800, 4 * ONE, 0, 0)]),
        (QUOTE_SAID | {"ap": 0.0, "as": 0}, [(AT, QUOTE, 0, 876_600, ONE, NO_PRICE, 0, 0, 0)]),
        (BAR_SAID, [(AT + 60 * ONE, BAR, 0, 3_889_850, 3_891_300, 3_889_750, 3_891_200, 49_378 * ONE, AT)]),
        (HALT_SAID, [(AT, STATUS, 0, HALTED, 0, 0, 0, 0, 0)]),
        (BOOK_SAID, [
            (AT, DEPTH, 1, 1, 71_859_530_000_000, 279_940_000, SNAPSHOT, 0, 0),
            (AT, DEPTH, 1, 1, 71_849_400_000_000, 553_986_000, 0, 0, 0),
            (AT, DEPTH, 1, -1, 71_939_700_000_000, 0, MESSAGE_END, 0, 0),
        ]),
        ({"T": "o", "S": "BTC/USD", "t": TIME, "a": [{"p": 1.5, "s": 2}]},
         [(AT, DEPTH, 1, -1, 1_500_000_000, 2 * ONE, MESSAGE_END, 0, 0)]),
    ],
)  # fmt: skip
def test_messages_with_news(message, rows):
    found = heard(message)
    assert (found.rows, found.control, dict(found.passed_over)) == (rows, [], {})


@pytest.mark.parametrize(
    ("code", "status"),
    [("2", HALTED), ("H", HALTED), ("P", HALTED), ("3", TRADING), ("T", TRADING), ("Q", AUCTION)],
)
def test_trading_statuses(code, status):
    assert heard(HALT_SAID | {"sc": code}).rows[0][3] == status == STATUS_CODES[code]


@pytest.mark.parametrize(
    ("message", "counted"),
    [
        (BAR_SAID | {"T": "u"}, "updated bars"),
        (BAR_SAID | {"T": "d"}, "daily bars"),
        ({"T": "l", "S": "AAPL", "u": 3.24, "d": 2.65, "i": "B", "t": TIME}, "price bands"),
        ({"T": "c", "S": "AAPL", "x": "M", "oi": 52983525033527, "t": TIME}, "corrections"),
        ({"T": "x", "S": "AAPL", "i": 52983525033527, "t": TIME}, "cancellations"),
        ({"T": "n", "id": 1}, "news"),
        (TRADE_SAID | {"S": "TSLA"}, "other symbols"),
        (TRADE_SAID | {"T": "?"}, "unknown messages"),
        (HALT_SAID | {"sc": "E"}, "messages without news"),
        (BOOK_SAID | {"b": [], "a": []}, "messages without news"),
    ],
)
def test_what_is_passed_over_is_counted(message, counted):
    found = heard(message, message)
    assert (found.rows, dict(found.passed_over)) == ([], {counted: 2})


@pytest.mark.parametrize(
    ("message", "control"),
    [
        ({"T": "success", "msg": "connected"}, Control("success", "connected")),
        ({"T": "error", "code": 402, "msg": "auth failed"}, Control("error", "auth failed", 402)),
        ({"T": "subscription", "trades": ["AAPL"], "bars": []},
         Control("subscription", channels={"trades": ["AAPL"], "bars": []})),
    ],
)  # fmt: skip
def test_messages_about_the_connection(message, control):
    assert heard(message).control == [control]


def test_the_order_of_a_frame_is_kept():
    next_trade = TRADE_SAID | {"i": TRADE_SAID["i"] + 1}
    assert [row[1] for row in heard(QUOTE_SAID, TRADE_SAID, BAR_SAID, next_trade).rows] == [QUOTE, TRADE, BAR, TRADE]


def test_a_trade_is_taken_once_and_its_id_may_come_again_at_another_exchange():
    elsewhere = TRADE_SAID | {"x": "Z"}
    assert len(heard(TRADE_SAID, TRADE_SAID, elsewhere, elsewhere).rows) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        msgpack.packb({"T": "t"}),
        msgpack.packb(["t"]),
        msgpack.packb([{"S": "AAPL"}]),
        msgpack.packb([TRADE_SAID])[:-7],
        msgpack.packb([TRADE_SAID | {"p": "cheap"}]),
        msgpack.packb([TRADE_SAID | {"p": float("nan")}]),
        msgpack.packb([TRADE_SAID | {"t": 5}]),
        msgpack.packb([{key: value for key, value in QUOTE_SAID.items() if key != "bp"}]),
    ],
)
def test_what_cannot_be_read_is_one_line(data):
    with pytest.raises(ParseError) as error:
        parse_data(data, Markets([SHARE, PAIR]))
    assert "\n" not in str(error.value)
