"""Numbers, times and ids: exact both ways."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.alpaca.identity import base_id, generation, replacement_id
from adapters.alpaca.markets import Grid, Markets, exact, wire_symbol
from adapters.alpaca.times import to_ns, to_text
from kernel.instruments import Instrument
from kernel.units import UnitError

SHARE = Instrument(
    venue="alpaca", symbol="AAPL", currency="USD", tick_size="0.0001", lot_size="0.000000001",
    asset_class="equity", contract="equity", calendar="XNYS",
)  # fmt: skip
PAIR = Instrument(
    venue="alpaca", symbol="BTCUSD", currency="USD", tick_size="0.000000001", lot_size="0.000000001",
    asset_class="crypto",
)  # fmt: skip


@pytest.mark.parametrize("step", ["0.0001", "0.000000001", "0.01", "0.25", "1", "1000"])
@given(count=st.integers(-(10**15), 10**15))
def test_a_count_comes_back_from_its_text(step, count):
    grid = Grid(step)
    assert grid.count(grid.text(count)) == count == grid.nearest(grid.text(count))


@given(ticks=st.integers(1, 10**13))
def test_a_float_of_the_tape_is_its_shortest_decimal(ticks):
    grid = Grid("0.0001")
    assert grid.count(float(grid.text(ticks))) == ticks


@pytest.mark.parametrize("number", ["0.00005", "1.23456", 0.30000000000000004])
def test_what_is_off_the_grid_is_refused(number):
    with pytest.raises(UnitError, match=r"is not a multiple of 0\.0001"):
        Grid("0.0001").count(number)


@pytest.mark.parametrize(
    ("number", "ticks"), [("1.00005", 10000), ("1.00015", 10002), ("1.00016", 10002), (1.0, 10000)]
)
def test_prices_of_the_venue_are_rounded_half_to_even(number, ticks):
    assert Grid("0.0001").nearest(number) == ticks


@pytest.mark.parametrize("number", [float("nan"), float("inf"), "abc", ""])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(UnitError):
        exact(number)


@pytest.mark.parametrize("number", ["1e40", "10000000000000000"])
def test_what_64_bits_do_not_hold_is_refused(number):
    with pytest.raises(UnitError):
        Grid("0.000000001").count(number)


def test_a_size_of_the_tape_that_64_bits_do_not_hold_is_cut():
    assert Markets([SHARE]).all[0].lots.clipped("1e40") == (1 << 63) - 1


@pytest.mark.parametrize("step", ["0", "-1"])
def test_a_step_is_above_zero(step):
    with pytest.raises(UnitError):
        Grid(step)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2022-02-27T11:04:55.82622Z", 1_645_959_895_826_220_000),
        ("2021-02-06T13:04:56.334320128Z", 1_612_616_696_334_320_128),
        ("2021-02-06T08:04:56.334320128-05:00", 1_612_616_696_334_320_128),
    ],
)
def test_times_to_the_nanosecond(text, ns):
    assert to_ns(text) == ns


@given(ns=st.integers(0, 4 * 10**18))
def test_times_come_back(ns):
    assert to_ns(to_text(ns)) == ns == to_ns(msgpack.Timestamp.from_unix_nano(ns))


@pytest.mark.parametrize("text", ["", "yesterday", "2021-02-06", 5, None, "2021-13-06T13:04:56Z"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        to_ns(text)


@given(st.text("0123456789abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=32), st.integers(1, 999_999))
def test_the_id_of_a_replacement_leads_back(client_order_id, number):
    replaced = replacement_id(client_order_id, number)
    assert (base_id(replaced), generation(replaced)) == (client_order_id, number)
    assert (base_id(client_order_id), generation(client_order_id)) == (client_order_id, 0)
    assert replacement_id(replaced, number + 1) == replacement_id(client_order_id, number + 1)
    assert len(replaced) <= 48  # what Alpaca takes


def test_pairs_have_their_slash_at_alpaca_alone():
    markets = Markets([SHARE, PAIR])
    assert [wire_symbol(SHARE), wire_symbol(PAIR)] == ["AAPL", "BTC/USD"]
    assert markets.get("BTC/USD") is markets.get("BTCUSD") is markets.all[1]
    assert markets.get("ETH/USD") is None
