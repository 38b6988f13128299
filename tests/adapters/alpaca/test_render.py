"""What is sent, row by row, and what Alpaca cannot do."""

import pytest

from adapters.alpaca.markets import Markets
from adapters.alpaca.render import NotPossible, render_order, render_replace
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
    REJECT_BY_VENUE,
    REJECT_POST_ONLY,
    REJECT_REDUCE_ONLY,
    SELL,
    STOP,
    STOP_LIMIT,
    TRAIL_BPS,
    TRAIL_TICKS,
    TRAILING_STOP,
    TRAILING_STOP_LIMIT,
)
from kernel.venue import NewOrder, OrderSeen, OrderStatus, ReplaceOrder
from tests.adapters.alpaca.test_exactness import PAIR, SHARE

ONE = 10**9
SHARES, PAIRS = Markets([SHARE]).all[0], Markets([PAIR]).all[0]


def order(**changes):
    plain = {"client_order_id": "k-1", "instrument": 0, "side": BUY, "order_type": MARKET, "time_in_force": DAY}
    return NewOrder(**(plain | {"quantity_lots": ONE} | changes))


def sent(asset_class="equity", **changes):
    return render_order(order(**changes), SHARES if asset_class == "equity" else PAIRS, asset_class)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({}, {"type": "market", "time_in_force": "day"}),
        ({"side": SELL, "time_in_force": AT_OPEN}, {"side": "sell", "time_in_force": "opg"}),
        ({"time_in_force": AT_CLOSE}, {"time_in_force": "cls"}),
        ({"time_in_force": IOC}, {"time_in_force": "ioc"}),
        ({"order_type": LIMIT, "limit_ticks": 1_010_100, "time_in_force": FOK},
         {"type": "limit", "limit_price": "101.01", "time_in_force": "fok"}),
        ({"order_type": LIMIT, "limit_ticks": 9_999}, {"type": "limit", "limit_price": "0.9999"}),
        ({"order_type": STOP, "stop_ticks": 1_010_000, "time_in_force": GTC},
         {"type": "stop", "stop_price": "101", "time_in_force": "gtc"}),
        ({"order_type": STOP_LIMIT, "stop_ticks": 1_010_000, "limit_ticks": 1_020_000},
         {"type": "stop_limit", "stop_price": "101", "limit_price": "102"}),
        ({"order_type": TRAILING_STOP, "trail_kind": TRAIL_TICKS, "trail_value": 61_500},
         {"type": "trailing_stop", "trail_price": "6.15"}),
        ({"order_type": TRAILING_STOP, "trail_kind": TRAIL_BPS, "trail_value": 125},
         {"type": "trailing_stop", "trail_percent": "1.25"}),
        ({"side": SELL, "instructions": REDUCE_ONLY}, {"side": "sell", "position_intent": "sell_to_close"}),
        ({"instructions": CLOSE_POSITION}, {"position_intent": "buy_to_close"}),
        ({"quantity_lots": 389_620_510}, {"qty": "0.38962051"}),
        ({"quantity_lots": 10**17}, {"qty": "100000000"}),
    ],
)  # fmt: skip
def test_shares(changes, more):
    plain = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    assert sent(**changes) == plain | {"client_order_id": "k-1"} | more


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"time_in_force": GTC}, {}),
        ({"time_in_force": IOC, "side": SELL}, {"time_in_force": "ioc", "side": "sell"}),
        ({"order_type": LIMIT, "limit_ticks": 20_000 * ONE, "time_in_force": GTC},
         {"type": "limit", "limit_price": "20000"}),
        ({"order_type": STOP_LIMIT, "limit_ticks": 5, "stop_ticks": 6, "time_in_force": GTC},
         {"type": "stop_limit", "limit_price": "0.000000005", "stop_price": "0.000000006"}),
        # Crypto cannot be short: a sell reduces by itself.
        ({"time_in_force": GTC, "side": SELL, "instructions": REDUCE_ONLY}, {"side": "sell"}),
    ],
)  # fmt: skip
def test_pairs(changes, more):
    plain = {"symbol": "BTC/USD", "qty": "1", "side": "buy", "type": "market", "time_in_force": "gtc"}
    assert sent("crypto", **changes) == plain | {"client_order_id": "k-1"} | more


@pytest.mark.parametrize(
    ("asset_class", "changes", "reason", "words"),
    [
        ("equity", {"order_type": MARKET_IF_TOUCHED}, REJECT_BY_VENUE, "no market-if-touched orders for shares"),
        ("equity", {"order_type": LIMIT_IF_TOUCHED}, REJECT_BY_VENUE, "no limit-if-touched orders"),
        ("equity", {"order_type": TRAILING_STOP_LIMIT}, REJECT_BY_VENUE, "no trailing stop-limit orders"),
        ("equity", {"time_in_force": GTD}, REJECT_BY_VENUE, "with the time in force GTD"),
        ("equity", {"order_type": STOP, "stop_ticks": 10_000, "time_in_force": IOC}, REJECT_BY_VENUE, "stop order"),
        ("equity", {"instructions": POST_ONLY}, REJECT_POST_ONLY, "no post-only orders"),
        ("equity", {"display_lots": 1}, REJECT_BY_VENUE, "no display quantity"),
        ("equity", {"leg": 1}, REJECT_BY_VENUE, "no long and short legs"),
        ("equity", {"quantity_lots": 0}, REJECT_BY_VENUE, "above zero"),
        ("equity", {"order_type": LIMIT, "limit_ticks": 0}, REJECT_BY_VENUE, "price of 0"),
        ("equity", {"order_type": LIMIT, "limit_ticks": 10_001}, REJECT_BY_VENUE, "whole cents"),
        ("equity", {"order_type": STOP, "stop_ticks": 2_901_230}, REJECT_BY_VENUE, "290.123"),
        ("equity", {"quantity_lots": ONE // 2, "time_in_force": GTC}, REJECT_BY_VENUE, "fractions of a share"),
        ("equity", {"order_type": TRAILING_STOP, "trail_kind": TRAIL_TICKS}, REJECT_BY_VENUE, "a distance above zero"),
        ("crypto", {"time_in_force": DAY}, REJECT_BY_VENUE, "for crypto with the time in force DAY"),
        ("crypto", {"time_in_force": FOK}, REJECT_BY_VENUE, "FOK"),
        ("crypto", {"order_type": STOP, "time_in_force": GTC}, REJECT_BY_VENUE, "no stop orders for crypto"),
        ("crypto", {"order_type": TRAILING_STOP, "time_in_force": GTC}, REJECT_BY_VENUE, "no trailing stop orders"),
        ("crypto", {"time_in_force": GTC, "instructions": REDUCE_ONLY}, REJECT_REDUCE_ONLY, "nothing to reduce"),
    ],
)
def test_what_alpaca_cannot_do(asset_class, changes, reason, words):
    with pytest.raises(NotPossible, match=words) as refused:
        sent(asset_class, **changes)
    assert refused.value.reason == reason


SEEN = OrderSeen(
    venue_order_id="v", client_order_id="k-1", instrument=0, status=OrderStatus.OPEN, side=BUY, order_type=STOP_LIMIT,
    time_in_force=GTC, quantity_lots=3 * ONE, filled_lots=ONE, limit_ticks=1_000_000, stop_ticks=990_000,
)  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "limit", "stop", "body"),
    [
        (5 * ONE, 1_000_000, 990_000, {"qty": "5"}),
        (3 * ONE, 1_010_000, 0, {"limit_price": "101"}),
        (3 * ONE, 0, 980_000, {"stop_price": "98"}),
        (2 * ONE, 1_010_000, 980_000, {"qty": "2", "limit_price": "101", "stop_price": "98"}),
    ],
)
def test_a_replacement_says_what_differs(quantity, limit, stop, body):
    request = ReplaceOrder(
        client_order_id="k-1", instrument=0, quantity_lots=quantity, limit_ticks=limit, stop_ticks=stop
    )
    assert render_replace(request, SEEN, SHARES, "equity") == body


@pytest.mark.parametrize(("quantity", "words"), [(3 * ONE, "stands so already"), (ONE // 2, "a fraction of a share")])
def test_a_replacement_that_cannot_be(quantity, words):
    with pytest.raises(NotPossible, match=words):
        render_replace(
            ReplaceOrder(client_order_id="k-1", instrument=0, quantity_lots=quantity), SEEN, SHARES, "equity"
        )
