"""[risk]: the desk's values, exact integers, and every contradiction refused with file and line."""

import pytest

from kernel.instruments import Instrument
from kernel.risk.rules import RULES
from replay.config import ConfigError, load_config, located, resolve_plans
from replay.config.risk import BY_NAME, resolve_correlations, resolve_sectors, rule_values

NAMES = {number: name for name, number in BY_NAME.items()}
INSTRUMENTS = [
    Instrument(venue="us", symbol=symbol, currency="USD", tick_size="0.01", lot_size="1")
    for symbol in ("AAPL", "KO", "MSFT")
]


def values(tmp_path, text):
    file = tmp_path / "run.toml"
    file.write_text(text)
    risk = load_config(file, {}).risk
    return {NAMES[number]: value for number, value in rule_values(risk).items()}


def test_without_the_table_there_are_no_rules(tmp_path):
    assert values(tmp_path, "") == {}
    assert values(tmp_path, "[risk]\n") == {}
    assert values(tmp_path, "[risk]\nkill_level = 3\npass_unknown = true\n") == {}, "they limit nothing"


def test_the_desk(tmp_path):
    found = values(tmp_path, '[risk]\ndefaults = "desk"\nsymbol_exposure = "2500.5"\npositions = 0\n')
    assert found["total_exposure"] == 50_000_000_000
    assert found["symbol_exposure"] == 2_500_500_000
    assert "positions" not in found, "0 switches off"
    assert found["symbol_positions"] == 3
    assert (found["daily_loss_percent"], found["daily_loss_kill_percent"]) == (5_000_000, 10_000_000)
    assert (found["orders_per_minute"], found["orders_per_symbol_day"]) == (5, 3)
    assert found["stale_after"] == 300 * 10**9
    assert found["spread_max_percent"] == 100_000
    assert found["earnings_blackout"] == 2 * 86_400 * 10**9
    assert found["sector_share_percent"] == 30_000_000
    assert found["slippage_multiple"] == 300_000_000
    assert found["kill_level"] == 2
    assert found["cvar_percent"] == 5_000_000
    assert found["close_before"] == 15 * 60 * 10**9
    assert found["average_daily_volume_min"] == 500_000
    assert found["drawdown_percent"] == 10_000_000
    assert found["drift_percent"] == 5_000_000


def exits(tmp_path, text):
    file = tmp_path / "run.toml"
    file.write_text(f'[[strategy]]\nuse = "ema_cross"\n{text}')
    return resolve_plans(load_config(file, {}), 0, 6).get("exits")


def test_every_position_of_the_desk_has_a_trailing_stop(tmp_path):
    assert exits(tmp_path, "") is None
    desk = exits(tmp_path, '[risk]\ndefaults = "desk"\n')
    assert (desk["trail_rate"], desk["max_hold_ns"]) == (5_000_000, 120 * 3600 * 10**9)
    assert exits(tmp_path, '[risk]\ndefaults = "desk"\ntrailing_stop_percent = 3\n')["trail_rate"] == 3_000_000
    assert exits(tmp_path, '[risk]\ndefaults = "desk"\ntrailing_stop_percent = 0\n') is None
    assert exits(tmp_path, '[risk]\ndefaults = "desk"\n[exits]\ntrail = 0.02\n')["trail_rate"] == 2_000_000
    own = exits(tmp_path, "[strategy.exits]\nstop = 0.1\n[risk]\ntrailing_stop_percent = 4\n")
    assert (own["stop_rate"], own["trail_rate"]) == (10_000_000, 4_000_000)
    assert values(tmp_path, "[risk]\ntrailing_stop_percent = 4\n") == {}, "the kernel has it as an exit plan"


def test_every_rule_can_be_set(tmp_path):
    said = {
        "money": "9", "count": "9", "percent": "9", "bps": "9", "ratio": "9", "length": '"9m"', "switch": "true",
        "level": "1",
    }  # fmt: skip
    for name, number in BY_NAME.items():
        text = f"[risk]\n{name} = {said[RULES[number].unit]}\n"
        if name.startswith("sector"):
            text += "[risk.sectors]\none = []\n"
        if name == "correlated_share_percent":
            text += '[[risk.correlation]]\nbetween = ["a", "b"]\nrate = 1\n'
        found = values(tmp_path, text)
        assert name in found or name in ("kill_level", "pass_unknown", "trailing_stop_percent"), name


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('defaults = "house"', 2, "risk.defaults is 'house'; it is one of desk"),
        ('mode = "off"', 2, "risk.mode is 'off'; it is one of normal, reduce, exit"),
        ("symbol_exposur = 1", 2, "did you mean risk.symbol_exposure?"),
        ("leverage = -2", 2, "risk.leverage is -2; it cannot be negative"),
        ("positions = -2", 2, "risk.positions is -2"),
        ("positions = 2.5", 2, "it is a whole number"),
        ("positions = true", 2, "it is a number"),
        ("pass_unknown = 3", 2, "it is true or false"),
        ('stale_after = "soon"', 2, "such as 30m"),
        ("symbol_exposure = 1e12", 2, "below 2^51 minor units"),
        ("total_exposure = 100\nsymbol_exposure = 200", 3, "contradicts total_exposure = 100: it must be less (risk"),
        ('defaults = "desk"\nsymbol_exposure = 60000', 3, "contradicts total_exposure = 50000"),
        ('defaults = "desk"\n\ntotal_exposure = 500', 4, "contradicts symbol_exposure = 10000 of the desk"),
        ("positions = 2\nsymbol_positions = 3", 3, "contradicts positions = 2"),
        ("daily_loss_percent = 10\ndaily_loss_kill_percent = 10", 2, "contradicts daily_loss_kill_percent = 10"),
        ('defaults = "desk"\ndaily_loss_percent = 11', 3, "contradicts daily_loss_kill_percent = 10"),
        ("atr_min_percent = 3\natr_max_percent = 2", 2, "contradicts atr_max_percent = 2"),
        ("band_width_min_percent = 3\nband_width_max_percent = 2", 2, "contradicts band_width_max_percent"),
        ("symbol_share_percent = 120\nleverage = 1", 2, "contradicts leverage = 1"),
        ("drawdown_percent = 100", 2, "must be below 100"),
        ("trailing_stop_percent = 100", 2, "must be below 100"),
        ('defaults = "desk"\n[exits]\ntrail = 0.06', 4, "is 0.06, farther than the trailing stop of [risk]"),
        ("trailing_stop_percent = 3\n[exits]\ntrail = 0.04", 4, "(risk.trailing_stop_percent: line 2)"),
        ("kill_level = 4\npositions = 1", 2, "it is 1, 2 or 3"),
        ("orders_per_minute = 256", 2, "at most 255"),
        ('breaker_move_percent = 5\nbreaker_window = "0"', 2, "needs breaker_window, which is 0 (risk"),
        ("sector_share_percent = 30", 2, "limits sectors, but there are none"),
        ("correlated_share_percent = 30", 2, "no correlation is given"),
        ('[risk.sectors]\none = ["us/KO"]\ntwo = ["us/KO"]', 4, "risk.sectors.two has us/KO, which is in one already"),
        ('[[risk.correlation]]\nbetween = ["us/KO"]\nrate = 1', 3, "must name two different instruments"),
        ('[[risk.correlation]]\nbetween = ["us/KO", "us/A"]\nrate = 2', 4, "a correlation is from -1 to 1"),
        ('[[risk.correlation]]\nbetween = ["a", "b"]\nrate = 1\n[[risk.correlation]]\nbetween = ["b", "a"]\nrate = 1',
         6, "a second time"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_with_its_line(tmp_path, text, line, message):
    file = tmp_path / "run.toml"
    file.write_text(f"[risk]\n{text}\n")
    with pytest.raises(ConfigError) as found:
        load_config(file, {})
    assert str(found.value).startswith(f"{file}, line {line}: ")
    assert message in str(found.value)


def resolve_both(risk):
    resolve_sectors(risk, INSTRUMENTS)
    resolve_correlations(risk, INSTRUMENTS)


def test_sectors_and_correlations_are_of_instruments_that_there_are(tmp_path):
    file = tmp_path / "run.toml"
    text = '[risk.sectors]\ntechnology = ["us/AAPL", "us/MSFT"]\ndrinks = ["us/KO"]\n'
    text += '[[risk.correlation]]\nbetween = ["us/MSFT", "us/AAPL"]\nrate = 0.8\n'
    file.write_text(text)
    risk = load_config(file, {}).risk
    assert resolve_sectors(risk, INSTRUMENTS) == {0: (2, "technology"), 1: (1, "drinks"), 2: (2, "technology")}
    assert resolve_correlations(risk, INSTRUMENTS) == [(2, 0, 80_000_000)]
    for wrong, line, message in (
        (text.replace('"us/KO"', '"us/KOO"'), 3, "names 'us/KOO', which is not in the data; did you mean us/KO?"),
        (text.replace('["us/KO"]', "[]"), 1, "has no sector for us/KO"),
        (
            text.replace('"us/MSFT", "us/AAPL"]\nrate', '"us/MSFT", "x"]\nrate'),
            5,
            "names 'x', which is not in the data",
        ),
    ):
        file.write_text(wrong)
        config = load_config(file, {})
        with pytest.raises(ConfigError) as found, located(config.places):
            resolve_both(config.risk)
        assert str(found.value).startswith(f"{file}, line {line}: ")
        assert message in str(found.value)
