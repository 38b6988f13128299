"""Finding data and strategies: numbering, and what is refused."""

import pytest

from kernel.strategy.declare import StrategyError
from replay.config import ConfigError, StrategyConfig
from replay.loading import find_strategy, load_strategies, load_universe
from replay.sample import sample_root

BASE = "from kernel.strategy.python import Strategy\n"


def test_instruments_are_numbered_by_name_whatever_the_order_of_paths():
    paths = [str(sample_root() / name) for name in ("us", "coinbase", "oanda")]
    first, second = load_universe(paths), load_universe(paths[::-1])
    assert first.ids == second.ids == {"coinbase/BTC-USD": 0, "oanda/EURUSD": 1, "us/SPY": 2}
    assert first.volume_known == (True, False, True)
    assert [file.path for file in first.files] == [file.path for file in second.files]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no Parquet file in this folder"):
        load_universe([str(tmp_path)])


def test_strategies_with_their_instruments_and_parameters():
    universe = load_universe([str(sample_root() / "us"), str(sample_root() / "coinbase")])
    config = StrategyConfig(use="ema_cross", parameters={"fast": "5"}, instruments=["us/SPY"])
    (loaded,) = load_strategies([config], universe)
    assert loaded.instruments == (1,)
    assert loaded.parameters["fast"] == 5
    with pytest.raises(ConfigError, match="did you mean us/SPY"):
        load_strategies([StrategyConfig(use="ema_cross", instruments=["us/SPX"])], universe)


@pytest.mark.parametrize(
    ("text", "use", "message"),
    [
        ("x = 1", "", "one strategy is needed, found none"),
        ("import nothing_of_that_name", "", "cannot be imported: ModuleNotFoundError"),
        ("x = ", "", "cannot be imported: SyntaxError"),
        (f"{BASE}class A(Strategy): pass\nclass B(Strategy): pass", "", "found A, B"),
        (f"{BASE}class A(Strategy): pass", ":C", "none called C"),
        (
            "from kernel.strategy.declare import compiled\n@compiled(fast=1)\ndef s(ctx, own, slow): pass",
            "",
            "name the same parameters",
        ),
        (
            "from kernel.strategy.declare import compiled\n@compiled(on='bars')\ndef s(ctx, own): pass",
            "",
            "on='bars' is none of",
        ),
    ],
)
def test_a_bad_strategy_file_is_named_in_one_line(tmp_path, text, use, message):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(StrategyError) as found:
        find_strategy(f"{file}{use}")
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_one_of_two_in_a_file_can_be_named(tmp_path):
    file = tmp_path / "two.py"
    file.write_text("from kernel.strategy.python import Strategy\nclass A(Strategy): pass\nclass B(Strategy): pass")
    found, path = find_strategy(f"{file}:B")
    assert found.__name__ == "B"
    assert path == file
