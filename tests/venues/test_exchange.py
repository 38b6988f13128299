"""The exchange that test servers stand on: its books add up whatever happens, by seed."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venues.exchange import Exchange
from tests.venues.shapes import BUY, INVERSE, LINEAR, SELL, RefusedError, Request, Symbol

PERPETUAL = Symbol("BTCUSDT", "BTC", "USDT", LINEAR, tick=Decimal("0.1"), step=Decimal("0.001"), price=Decimal(60000))
COIN = Symbol("BTCUSD", "BTC", "USD", INVERSE, tick=Decimal("0.5"), step=Decimal(1), price=Decimal(60000))
SPOT = Symbol("ETHUSDT", "ETH", "USDT", step=Decimal("0.0001"), price=Decimal(3000), minimum_notional=Decimal(5))
CASH = {"USDT": Decimal(100_000), "BTC": Decimal(1)}


def exchange(seed: int = 1, partial: float = 0.3) -> Exchange:
    return Exchange([PERPETUAL, COIN, SPOT], dict(CASH), seed=seed, now_ns=10**18, partial=partial)


def replayed_cash(of: Exchange) -> dict[str, Decimal]:
    """Cash from the list of fills alone, by average-free arithmetic over closed quantities."""
    cash = dict(CASH)
    for name in ("USDT", "BTC", "ETH"):
        cash.setdefault(name, Decimal(0))
    for fill in of.fills:
        symbol = of.symbols[fill.symbol]
        worth = symbol.value(fill.price, fill.quantity) * fill.side
        cash[fill.fee_currency] -= fill.fee
        if symbol is SPOT:
            cash["ETH"] += fill.side * fill.quantity
            cash["USDT"] -= worth
        else:
            cash[symbol.settle] += worth if symbol is COIN else -worth
    for name in ("BTCUSDT", "BTCUSD"):
        position = of.account.positions[name]
        cash[of.symbols[name].settle] += -position.cost if name == "BTCUSD" else position.cost
    return cash


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["BTCUSDT", "BTCUSD", "ETHUSDT"]),
        st.sampled_from([BUY, SELL]),
        st.integers(1, 50),
        st.sampled_from([None, -3, 0, 3]),
        st.sampled_from(["gtc", "ioc", "fok"]),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(ACTIONS, st.integers(0, 1000))
def test_cash_is_what_the_fills_say(actions, seed):
    venue = exchange(seed)
    for number, (name, side, size, offset, force, reduces) in enumerate(actions):
        symbol, walk = venue.symbols[name], venue.walks[name]
        limit = None if offset is None else walk.price + offset * symbol.tick
        request = Request(
            name, side, symbol.step * size, f"id-{number}", limit=limit, time_in_force=force, reduce_only=reduces
        )
        try:
            venue.place(request, number)
        except RefusedError:
            assert venue.find(client_order_id=f"id-{number}") is None
        venue.step(name, number)
    expected = replayed_cash(venue)
    assert expected["USDT"] == venue.account.cash["USDT"]
    assert expected["ETH"] == venue.account.cash["ETH"]
    # An inverse fill that turns a position is rounded twice, once for what it closes and once for what it opens.
    assert abs(expected["BTC"] - venue.account.cash["BTC"]) <= Decimal("1e-8") * len(venue.fills)
    for order in venue.orders.values():
        mine = [fill for fill in venue.fills if fill.order_id == order.order_id]
        assert sum(fill.quantity for fill in mine) == order.filled <= order.request.quantity
        assert order.is_open == (order in venue.open_orders())


def test_a_client_order_id_is_taken_once():
    venue = exchange()
    venue.place(Request("BTCUSDT", BUY, Decimal("0.001"), "a"), 1)
    with pytest.raises(RefusedError) as caught:
        venue.place(Request("BTCUSDT", BUY, Decimal("0.001"), "a"), 2)
    assert caught.value.code == "duplicate"
    assert len(venue.orders) == 1


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("unknown_symbol", Request("NO", BUY, Decimal(1))),
        ("off_tick", Request("BTCUSDT", BUY, Decimal("0.001"), limit=Decimal("0.15"))),
        ("off_step", Request("BTCUSDT", BUY, Decimal("0.0015"))),
        ("too_small", Request("BTCUSDT", BUY, Decimal(0))),
        ("too_large", Request("BTCUSDT", BUY, Decimal(10_000_000))),
        ("notional", Request("ETHUSDT", BUY, Decimal("0.0001"))),
        ("no_funds", Request("BTCUSDT", BUY, Decimal(100))),
        ("reduce_only", Request("BTCUSDT", BUY, Decimal("0.001"), reduce_only=True)),
        ("trigger", Request("BTCUSDT", BUY, Decimal("0.001"), trigger=Decimal(1000))),
    ],
)
def test_what_is_refused(code, request_):
    with pytest.raises(RefusedError) as caught:
        exchange().place(request_, 1)
    assert caught.value.code == code


def test_the_same_seed_is_the_same_exchange():
    states = []
    for _ in range(2):
        venue = exchange(7)
        for number in range(20):
            venue.place(Request("BTCUSDT", BUY if number % 3 else SELL, Decimal("0.010")), number)
            venue.step("BTCUSDT", number)
        states.append(venue.state())
    assert states[0] == states[1]


def test_a_market_order_fills_in_parts_and_a_stop_waits():
    venue = exchange(partial=1.0)
    order = venue.place(Request("BTCUSDT", BUY, Decimal("0.500")), 1)
    assert order.status == "partly_filled"
    while order.is_open:
        venue.step("BTCUSDT", 2)
    price = venue.walks["BTCUSDT"].price
    stop = venue.place(
        Request("BTCUSDT", SELL, Decimal("0.500"), trigger=price - 50, trigger_rises=False, reduce_only=True), 3
    )
    assert stop.status == "untriggered"
    venue.push_price("BTCUSDT", price - 60, 4)
    while stop.is_open:
        venue.settle(5)
    assert venue.account.positions["BTCUSDT"].quantity == 0


def test_a_trailing_stop_follows_the_best_price():
    venue = exchange(partial=0.0)
    venue.place(Request("BTCUSDT", BUY, Decimal("0.100")), 1)
    stop = venue.place(Request("BTCUSDT", SELL, Decimal("0.100"), trail=Decimal(100), reduce_only=True), 2)
    venue.push_price("BTCUSDT", Decimal(60500), 3)
    assert stop.request.trigger == Decimal(60400)
    venue.push_price("BTCUSDT", Decimal(60400), 4)
    assert stop.status == "filled"
