"""Rules of bars: every form is read and written back, what is wrong is refused in one line."""

import pytest

from kernel.bars.plan import plan_series
from kernel.bars.rule import RuleError, parse_rule
from tests.kernel.bars.desk import HOUR, MINUTE, facts


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("5m", "5m"),
        ("300s", "5m"),
        ("24h", "1d"),
        ("250ms", "250ms"),
        ("1D Session", "1d session"),
        ("90m session", "90m session"),
        ("100 ticks", "100 ticks"),
        ("2.50 volume", "2.5 volume"),
        ("1e6 value from trades", "1000000 value from trades"),
        ("20 tick-imbalance", "20 tick-imbalance"),
        ("20 tick-imbalance span=20 least=2 most=200", "20 tick-imbalance"),
        ("20 volume-imbalance most=50 span=5", "20 volume-imbalance span=5 most=50"),
        ("renko 50", "renko 50"),
        ("heikin-ashi", "heikin-ashi"),
        ("heikin-ashi from bars", "heikin-ashi from bars"),
        ("heikin-ashi 5m from trades", "heikin-ashi 5m from trades"),
        ("1h from 15m from 5m", "1h from 15m from 5m"),
        ("renko 50 from 1m", "renko 50 from 1m"),
    ],
)
def test_a_rule_is_read_and_written(text: str, canonical: str) -> None:
    rule = parse_rule(text)
    assert str(rule) == canonical
    assert parse_rule(canonical) == rule


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing"),
        ("5 minutes", "no such rule"),
        ("0m", "no such rule"),
        ("5m session session", "no such rule"),
        ("2d session", "at most 1d"),
        ("400d", "longer than 366 days"),
        ("1.5 ticks", "not a whole number of inputs"),
        ("0 volume", "not above 0"),
        ("x volume", "'x' is not a number"),
        ("renko 2.5", "ticks of a brick"),
        ("20 tick-imbalance span", "none of span=N"),
        ("20 tick-imbalance least=30", "not within least=30"),
        ("20 tick-imbalance span=20000", "above 10000"),
        ("from 5m", "'from' stands between"),
        ("1h from", "'from' stands between"),
        ("1h from 25m", "not a multiple of 25m"),
        ("1h from 1h", "not a multiple of 1h"),
        ("1h from 100 ticks", "made of data or of shorter time bars"),
        ("1h session from 5m", "both within sessions or not"),
        ("1d session from 1d session", "both within sessions or not"),
        ("5m " * 40, "too long"),
    ],
)
def test_what_is_no_rule_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(RuleError, match=says) as raised:
        parse_rule(text)
    assert "\n" not in str(raised.value)


def test_series_are_made_once_and_shorter_ones_come_first() -> None:
    rules = ["heikin-ashi 5m", "1h from 5m", "renko 3", "5m", "15m", "1h from 5m", "1d session"]
    plans = plan_series([(0, parse_rule(rule)) for rule in rules], [facts()])
    assert [plan.rule for plan in plans] == ["5m", "15m", "1h from 5m", "1d session", "heikin-ashi 5m", "renko 3"]
    assert [plan.source.parent for plan in plans] == [-1, -1, 0, -1, 0, -1]
    assert [plan.number for plan in plans] == list(range(6))
    assert [plan.source.wait_ns for plan in plans] == [1, 1, 1, 1, 0, 0]  # a bar may still come at the very end


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ({}, 1),
        ({"trades": True}, 1),
        ({"bars": False, "trades": True, "quotes": True}, 2),
        ({"bars": False, "quotes": True}, 3),
    ],
)
def test_the_source_is_bars_else_trades_else_quotes(data: dict[str, bool], source: int) -> None:
    (plan,) = plan_series([(0, parse_rule("1h"))], [facts(**data)])
    assert plan.source.source == source


@pytest.mark.parametrize(
    ("rule", "data", "says"),
    [
        ("5m from trades", {}, "no trades of it, but bars"),
        ("1h session", {"sessions": False}, "no sessions"),
        ("100 volume", {"volume_known": False}, "not known"),
        ("100 volume", {"bars": False, "quotes": True}, "quotes have no volume"),
        ("100 volume from renko 2", {"bars": False, "quotes": True}, "quotes have no volume"),
        ("30s", {}, "bars of 1m, of which 30s is not a multiple"),
        ("90s", {}, "not a multiple"),
        ("1h", {"interval_ns": HOUR, "offset_ns": 30 * MINUTE}, "begin 30m past multiples .* take 1h session"),
        ("0.0001 volume", {}, "not a multiple of 0.001"),
    ],
)
def test_what_the_data_cannot_give_is_refused(rule: str, data: dict[str, bool], says: str) -> None:
    with pytest.raises(RuleError, match=says) as raised:
        plan_series([(0, parse_rule(rule))], [facts(**data)])
    assert "\n" not in str(raised.value)
    assert "test/ABC" in str(raised.value)


def test_sizes_are_exact_units_of_the_instrument() -> None:
    rules = ("2.5 volume", "0.25 value", "3 ticks", "1d session", "1h")
    plans = plan_series([(0, parse_rule(rule)) for rule in rules], [facts()])
    sizes = {plan.rule: plan.defined.size_units for plan in plans}
    assert sizes == {"2.5 volume": 2500, "0.25 value": 250_000, "3 ticks": 3, "1d session": 0, "1h": HOUR}


def test_bars_cannot_wait_longer_than_they_are() -> None:
    with pytest.raises(RuleError, match="cannot wait"):
        plan_series([(0, parse_rule("1m"))], [facts()], grace_ns=MINUTE)


def test_more_series_than_the_kernel_holds_are_refused() -> None:
    with pytest.raises(RuleError, match="513 series"):
        plan_series([(0, parse_rule(f"{n} ticks")) for n in range(1, 514)], [facts()])
