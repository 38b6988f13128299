"""Settings: precedence, exact rates, and one clear line for each mistake."""

import tomllib

import pytest

from replay.config import (
    ConfigError,
    RunConfig,
    SettingError,
    instant_ns,
    length_ns,
    load_config,
    located,
    money,
    resolve_plans,
    resolve_rates,
)
from replay.config.places import setting_lines


def test_file_then_overrides(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('data = ["bars"]\ncash = 5\nfrom = "2020-01-01"\n[[strategy]]\nuse = "mine.py:One"\n')
    config = load_config(file, {"cash": "7", "fill": None})
    assert config.cash == "7"
    assert config.fill == "pessimistic"
    assert config.data == [str(tmp_path / "bars")]
    assert config.strategies[0].use == str(tmp_path / "mine.py:One")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("cash = ", 1, "not valid TOML"),
        ("cash = 1\n\ncash = 2", 3, "not valid TOML"),
        ("csh = 1", 1, "csh is an unknown setting; did you mean cash?"),
        ("places = {}", 1, "places is an unknown setting"),
        ("[limits]\norder_lot = 1", 2, "limits.order_lot is an unknown setting; did you mean limits.order_lots?"),
        ('[[strategy]]\nuse = "a"\nparams = 1', 3, "strategy.params is an unknown setting"),
        ('[[strategy]]\nuse = "a"\n[[strategy]]\nset = { a = 1 }', 3, "strategy cannot be used: Object missing"),
        ('[[strategy]]\nuse = "a"\nset = { b = 2,\n a = [1] }'.replace(",\n", ", "), 3, "strategy.set"),
        ("data = 3", 1, "data cannot be used: Expected `array`"),
        ('cash = 1\nfill = "best"', 2, "fill is 'best'; it is one of pessimistic, next_open, ohlc, ohlc_adaptive"),
        ('journal = "none"', 1, "journal is 'none'"),
        ("digest_interval = -1", 1, "digest_interval is -1; it cannot be negative"),
        ('to = "2020-01-01"\nfrom = "2020-01-01"', 2, "not before the end 2020-01-01 (to: line 1)"),
        ('from = "soon"', 1, "write a date"),
        ("fee_bps = -1", 1, "fee_bps is -1; it cannot be negative"),
        ("volume_share = 2", 1, "must be above 0 and at most 1"),
        ("\n[limits]\nmargin = -1", 3, "limits.margin is -1; it cannot be negative"),
        ("[limits]\nmargin = 101", 2, "a share of the position's value"),
        ("[limits]\nopen_orders = -2", 2, "limits.open_orders is -2"),
        ("[limits]\norder_lots = -2", 2, "limits.order_lots is -2"),
        ('[limits]\nprice_band_bps = "wide"', 2, "limits.price_band_bps cannot be used: 'wide' is not a number"),
    ],
)
def test_a_bad_file_is_named_with_its_mistake_and_line(tmp_path, text, line, message):
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as found:
        load_config(file, {})
    assert str(found.value).startswith(f"{file}, line {line}: ")
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_a_setting_of_the_command_line_has_no_line(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('[limits]\nmargin = 1\nopen_orders = 1\n[[strategy]]\nuse = "a"\n')
    with pytest.raises(ConfigError, match=r"run.toml: limits.margin is -1"):
        load_config(file, {"limits": {"margin": "-1"}})
    config = load_config(None, {"cash": "x"})
    with pytest.raises(ConfigError, match=r"^command line: cash"), located(config.places):
        money("cash", config.cash, 6)


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


def test_lengths_of_time():
    assert [length_ns("x", text) for text in ("", "0", "7ns", "2us", "3ms", "5s", "30m", "2h", "1d")] == [
        0, 0, 7, 2_000, 3_000_000, 5 * 10**9, 1_800 * 10**9, 7_200 * 10**9, 86_400 * 10**9,
    ]  # fmt: skip
    for wrong in ("5", "s", "5x", "-5s", "1.5h", "99999999999d"):
        with pytest.raises(SettingError, match="such as 30m"):
            length_ns("x", wrong)


TOML = """# a comment with = and [brackets]
top = 1  # "quoted"
"quoted key" = 'its'
a.b . c = [
  1, # ]
  "]", { x = 1, y = "}" },
  [2, 3],
]
text = \"\"\"
[not.a.table]
still \\\"\"\" text"\"\"\"
literal = '''
c = 3 '''
when = 1979-05-27T07:32:00Z
[table]
key = { p = { q = 1 }, r.s = 2 }
[table.below]
k = "a\\"b"
[[many]]
use = "one"
[many.set]
v = 1
[[many]]
use = "two"
[[many.deep]]
w = 2
[[many.deep]]
w = 3
"""


def flat(values, prefix=""):
    """Every dotted name of a parsed file."""
    entries = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in entries:
        yield f"{prefix}{key}"
        if isinstance(value, dict | list):
            yield from flat(value, f"{prefix}{key}.")


def test_every_setting_has_the_line_that_names_it():
    lines = setting_lines(TOML)
    parsed = tomllib.loads(TOML)
    assert set(lines) == set(flat(parsed))
    rows = TOML.splitlines()
    for name, line in lines.items():
        last = [part for part in name.split(".") if not part.isdigit()][-1]
        assert last in rows[line - 1] or name.startswith("a.b.c."), name
    assert lines["many.1.deep.1.w"] == rows.index("w = 3") + 1
    assert lines["many.0.set.v"] == rows.index("v = 1") + 1
    assert lines["a.b.c.2.y"] == 6
    assert lines["table.key.r.s"] == rows.index("key = { p = { q = 1 }, r.s = 2 }") + 1


# --- sizing, portfolio and exits ---


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[sizing]\nshare = 0.1", 1, "sizing.model is missing; it is one of fixed_lots, fixed_money"),
        ('[sizing]\nmodel = "guess"', 2, "sizing.model is 'guess'; it is one of fixed_lots"),
        ('[sizing]\nmodel = "kelly"\nwin = 0.6', 2, "sizing.model is kelly, which needs payoff"),
        ('[sizing]\nmodel = "kelly"\nwin = 1.6\npayoff = 1', 3, "sizing.win is 1.6; it is a share, at most 1"),
        ('[sizing]\nmodel = "fixed_lots"', 2, "which needs lots"),
        ('[sizing]\nmodel = "fixed_lots"\nlots = 0', 3, "sizing.lots is 0; it must be above 0"),
        ('[sizing]\nmodel = "fixed_lots"\nlots = 1\nshare = 1', 4, "sizing.share has no meaning for fixed_lots"),
        ('[sizing]\nmodel = "atr_risk"\nshare = -1', 3, "sizing.share is -1; it cannot be negative"),
        ('[sizing]\nmodel = "atr_risk"\nmulitple = 2', 3, "did you mean sizing.multiple?"),
        (
            '[portfolio]\nmethod = "best"',
            2,
            "portfolio.method is 'best'; it is one of none, equal, confidence, weights",
        ),
        ("[portfolio]\nshare = 0", 2, "portfolio.share is 0; it is a share of equity, above 0"),
        ("[exits]\nstop = 1", 2, "exits.stop is 1; it is a share, below 1"),
        ("[exits]\nstop = -0.1", 2, "exits.stop is -0.1; it cannot be negative"),
        ('[exits]\nmax_hold = "long"', 2, "exits.max_hold is 'long'; write a length of time"),
        ("[exits]\ntime_stop_gain = 0.1", 2, "time_stop does not say when"),
        ('[exits]\nmax_hold = "2h"\ntime_stop = "3h"', 3, "not before max_hold 2h (exits.max_hold: line 2)"),
        ('[exits]\ntime_stop = "130h"', 2, "exits.time_stop is 130h, not before max_hold 120h"),
        ("[exits]\nrungs = [[0.1, 0.5], [0.1, 0.5]]", 2, "exits.rungs is at 0.1, not above the rung before it"),
        ("[exits]\nrungs = [[0.1, 0]]", 2, "exits.rungs closes 0; a share above 0 and at most 1"),
        ("[exits]\nrungs = [[0.1, 0.6], [0.2, 0.6]]", 2, "exits.rungs close more than the whole position"),
        ("[exits]\nrungs = [[1,1],[2,1],[3,1],[4,1],[5,1]]", 2, "exits.rungs has 5 rungs; at most 4"),
        ("[exits]\ntarget = 0.1\nrungs = [[0.1, 1]]", 3, "where the target 0.1 closes all (exits.target: line 2)"),
        ('[[strategy]]\nuse = "a"\n[strategy.exits]\nstop = 2', 4, "strategy.exits.stop is 2; it is a share, below 1"),
    ],
)
def test_a_bad_plan_is_named_with_its_line(tmp_path, text, line, message):
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as found:
        load_config(file, {})
    assert str(found.value).startswith(f"{file}, line {line}: ")
    assert message in str(found.value)


def test_plans_are_exact_and_a_strategys_own_replaces_that_of_the_run(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        '[sizing]\nmodel = "atr_risk"\ncap = 0.1\n[exits]\nstop = 0.05\nrungs = [[0.1, 0.5]]\n'
        '[[strategy]]\nuse = "a"\n[[strategy]]\nuse = "b"\n[strategy.sizing]\nmodel = "fixed_money"\nmoney = 12.5\n'
        '[strategy.portfolio]\nmethod = "equal"\nnet = true\n'
    )
    config = load_config(file, {})
    first, second = resolve_plans(config, 0, 2), resolve_plans(config, 1, 2)
    assert first["sizing"] == {
        "model": 5, "share_rate": 1_000_000, "multiple_rate": 200_000_000, "cap_rate": 10_000_000, "by_confidence": 0
    }  # fmt: skip
    assert (first["exits"]["stop_rate"], first["exits"]["max_hold_ns"]) == (5_000_000, 120 * 3600 * 10**9)
    assert first["rungs"] == [(10_000_000, 50_000_000)]
    assert "portfolio" not in first
    assert second["sizing"] == {"model": 2, "money_minor": 1250, "by_confidence": 0}
    assert second["portfolio"] == {"method": 1, "share_rate": 95_000_000, "net": 1}
    assert second["exits"] == first["exits"]


def test_without_tables_there_are_no_plans():
    config = load_config(None, {"strategy": [{"use": "a"}]})
    assert resolve_plans(config, 0, 6) == {}
    only = load_config(None, {"strategy": [{"use": "a"}], "exits": {"on": True}})
    assert resolve_plans(only, 0, 6)["exits"]["max_hold_ns"] == 120 * 3600 * 10**9
