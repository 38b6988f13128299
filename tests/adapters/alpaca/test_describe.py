"""Assets as instruments and rules; settings."""

import json
from decimal import Decimal

import pytest
from alpaca.common.enums import BaseURL

from adapters.alpaca.describe import describe
from adapters.alpaca.parse import read
from adapters.alpaca.settings import CRYPTO, LIVE, AlpacaSettings
from adapters.alpaca.wire import ASSET
from adapters.edge.secrets import Secret
from kernel.venue import InstrumentRules
from tests.adapters.alpaca.test_exactness import PAIR, SHARE
from tests.adapters.alpaca.test_parse import FIXTURES

ONE = 10**9
APPLE = FIXTURES["trading"]["Assets"][0]
BITCOIN = {
    "id": "276e2673-764b-4ab6-a611-caf665ca6340", "class": "crypto", "exchange": "ALPACA", "symbol": "BTC/USD",
    "name": "BTC/USD pair", "status": "active", "tradable": True, "marginable": False, "shortable": False,
    "easy_to_borrow": False, "fractionable": True, "min_order_size": "0.0001", "min_trade_increment": "0.0001",
    "price_increment": "1",
}  # fmt: skip


def settings(**changes):
    return AlpacaSettings(**({"api_key": Secret("KEYKEY"), "api_secret": Secret("SECRETSECRET")} | changes))


def described(asset, reference=None, **changes):
    wire = read(ASSET, json.dumps(asset).encode(), "an asset")
    return describe(wire, settings(**changes), None if reference is None else Decimal(reference))


def test_a_share():
    found = described(APPLE)
    assert found.instrument == SHARE
    assert found.rules == InstrumentRules(
        price_step_ticks=100, quantity_step_lots=ONE, minimum_lots=ONE, maximum_leverage="0"
    )


@pytest.mark.parametrize(("price", "step"), [(None, 100), ("1", 100), ("1.0001", 100), ("0.9999", 1), ("0.01", 1)])
def test_a_share_below_a_dollar_is_priced_in_ticks(price, step):
    assert described(APPLE, price).rules.price_step_ticks == step


def test_fractions_are_taken_where_they_are_wanted_and_possible():
    rules = described(APPLE, fractional=True).rules
    assert (rules.quantity_step_lots, rules.minimum_lots, rules.minimum_notional) == (1, 1, "1")
    whole = described(APPLE | {"fractionable": False}, fractional=True).rules
    assert (whole.quantity_step_lots, whole.minimum_lots, whole.minimum_notional) == (ONE, ONE, "0")


@pytest.mark.parametrize("changes", [{"tradable": False}, {"status": "inactive"}])
def test_what_is_not_trading(changes):
    assert not described(APPLE | changes).rules.is_trading
    assert not described(BITCOIN | changes, asset_class=CRYPTO).rules.is_trading


def test_what_cannot_be_bought_on_margin():
    assert described(APPLE | {"marginable": False}).rules.maximum_leverage == "1"


def test_the_documented_pair():
    found = described(BITCOIN, asset_class=CRYPTO)
    assert found.instrument == PAIR
    assert found.rules == InstrumentRules(
        price_step_ticks=ONE, quantity_step_lots=100_000, minimum_lots=100_000, maximum_leverage="1"
    )


def test_addresses_are_alpacas_own():
    paper, live = settings(), settings(environment=LIVE, feed="sip")
    crypto = settings(asset_class=CRYPTO)
    assert paper.trading == BaseURL.TRADING_PAPER.value
    assert live.trading == BaseURL.TRADING_LIVE.value
    assert paper.trading_stream == BaseURL.TRADING_STREAM_PAPER.value
    assert live.trading_stream == BaseURL.TRADING_STREAM_LIVE.value
    assert paper.data == live.data == BaseURL.DATA.value
    assert paper.data_stream == BaseURL.MARKET_DATA_STREAM.value + "/v2/iex"
    assert live.data_stream == BaseURL.MARKET_DATA_STREAM.value + "/v2/sip"
    assert crypto.data_stream == BaseURL.MARKET_DATA_STREAM.value + "/v1beta3/crypto/us"


def test_addresses_can_be_others():
    other = settings(
        trading_url="http://a/", data_url="http://b", trading_stream_url="ws://c", data_stream_url="ws://d"
    )
    assert (other.trading, other.data, other.trading_stream, other.data_stream) == (
        "http://a",
        "http://b",
        "ws://c",
        "ws://d",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"environment": "demo"}, "environment 'demo'"),
        ({"asset_class": "options"}, "asset_class 'options'"),
        ({"feed": "otc"}, "feed 'otc'"),
        ({"api_key": Secret("")}, "an API key"),
    ],
)
def test_settings_that_make_no_sense(changes, words):
    with pytest.raises(ValueError, match=words):
        settings(**changes)


def test_settings_show_no_keys():
    assert "KEYKEY" not in repr(settings())
    assert "SECRETSECRET" not in str(settings())
