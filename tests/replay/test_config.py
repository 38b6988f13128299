"""Settings: precedence, exact rates, and one clear line for each mistake."""

import pytest

from replay.config import ConfigError, RunConfig, instant_ns, load_config, money, resolve_rates


def test_file_then_overrides(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('data = ["bars"]\ncash = 5\nfrom = "2020-01-01"\n[[strategy]]\nuse = "mine.py:One"\n')
    config = load_config(file, {"cash": "7", "fill": None})
    assert config.cash == "7"
    assert config.fill == "pessimistic"
    assert config.data == [str(tmp_path / "bars")]
    assert config.strategies[0].use == str(tmp_path / "mine.py:One")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cash = ", "not valid TOML"),
        ("csh = 1", "unknown setting csh; did you mean cash?"),
        ("[limits]\norder_lot = 1", "unknown setting limits.order_lot; did you mean limits.order_lots?"),
        ('[[strategy]]\nuse = "a"\nparams = 1', "unknown setting strategy.params"),
        ("[[strategy]]\nset = { a = 1 }", "missing required field"),
        ("data = 3", "Expected `array`"),
        ('fill = "best"', "fill is 'best'; it is one of pessimistic, next_open"),
        ('journal = "none"', "journal is 'none'"),
        ("digest_interval = -1", "digest_interval is negative"),
    ],
)
def test_a_bad_file_is_named_with_its_mistake(tmp_path, text, message):
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as found:
        load_config(file, {})
    assert str(found.value).startswith(str(file))
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_rates_are_exact():
    rates = resolve_rates(RunConfig(fee_bps="2.5", slippage_bps="0.1", volume_share="0.25"))
    assert (rates.taker_fee, rates.maker_fee, rates.slippage, rates.volume_share) == (25_000, 25_000, 1_000, 25_000_000)
    assert resolve_rates(RunConfig(maker_fee_bps="-0.5")).maker_fee == -5_000
    assert resolve_rates(RunConfig(fill="next_open")).slippage == 0
    assert resolve_rates(RunConfig(fill="pessimistic")).slippage == 10_000
    with pytest.raises(ConfigError, match="fee_bps"):
        resolve_rates(RunConfig(fee_bps="0.00001"))


def test_money_and_times():
    assert money("cash", "12.5", 6) == 12_500_000
    with pytest.raises(ConfigError, match="at most 2 decimals"):
        money("cash", "0.001", 2)
    assert instant_ns("from", "") is None
    assert instant_ns("from", "1970-01-02") == 86_400_000_000_000
    assert instant_ns("from", "1970-01-01T01:00:00.000001+01:00") == 1_000
    with pytest.raises(ConfigError, match="write a date"):
        instant_ns("from", "01/02/2020")
