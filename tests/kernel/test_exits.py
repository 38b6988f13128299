"""Exits: one row for each reason, the order among them, and agreement with the naive twin."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.exits_nb import REASONS, STAY, TIERS, best_ticks_nb, check_exit_nb, tier_nb
from kernel.plans import EXIT_DEFAULTS, EXIT_FACTS, EXIT_PLAN, HOUR_NS, MAX_RUNGS, exit_ladder, exit_plan
from kernel.records import new_record
from kernel.units import RATE_SCALE, to_rate
from tests.reference import exits as twin

NAMES = {number: name for number, (name, *_) in REASONS.items()} | {STAY: ""}
PERCENT = RATE_SCALE // 100


def facts_of(**fields: int) -> Any:
    """A long position of 10 lots, entered at 10,000 ticks an hour ago, in a market at 10,000."""
    facts = new_record(EXIT_FACTS)
    values = {
        "quantity_lots": 10, "peak_lots": 10, "entry_ticks": 10_000, "best_ticks": 10_000, "opened_ns": 0,
        "strength_rate": RATE_SCALE, "now_ns": HOUR_NS, "last_ticks": 10_000, "high_ticks": 10_000,
        "low_ticks": 10_000,
    } | fields  # fmt: skip
    for name, value in values.items():
        setattr(facts, name, value)
    return facts


def at(price: int, **fields: int) -> dict[str, int]:
    return {"last_ticks": price, "high_ticks": price, "low_ticks": price} | fields


SHORT = {"quantity_lots": -10}
RUNGS = ((2 * PERCENT, RATE_SCALE // 4), (4 * PERCENT, RATE_SCALE // 4), (8 * PERCENT, RATE_SCALE // 2))
LADDER: dict[str, Any] = {"rungs": RUNGS}


def verdict(plan: dict[str, Any], facts: dict[str, int]) -> tuple[int, ...]:
    settings = {name: value for name, value in plan.items() if name != "rungs"}
    return check_exit_nb(exit_plan(**settings), exit_ladder(*plan.get("rungs", ())), 0, facts_of(**facts))


# plan, facts, reason, lots, limit, value, rungs taken
ROWS: list[tuple[dict[str, Any], dict[str, int], str, int, int, int, int]] = [
    ({}, {}, "", 0, 0, 0, 0),
    ({}, {"quantity_lots": 0, "corrupt": 1}, "", 0, 0, 0, 0),
    ({}, {"corrupt": 1}, "data_corrupt", 10, 0, 10_000, 0),
    ({}, at(0), "data_corrupt", 10, 0, 0, 0),
    ({}, {"high_ticks": 9_999}, "data_corrupt", 10, 0, 10_000, 0),
    ({}, SHORT | {"corrupt": 1}, "data_corrupt", 10, 0, 10_000, 0),
    ({}, {"protection_rejected": 1}, "protection_rejected", 10, 0, 1, 0),
    ({"stop_rate": 5 * PERCENT}, at(9_501), "", 0, 0, 0, 0),
    ({"stop_rate": 5 * PERCENT}, at(9_500), "stop_loss", 10, 9_500, 9_500, 0),
    ({"stop_rate": 5 * PERCENT}, {"low_ticks": 9_400}, "stop_loss", 10, 9_500, 9_400, 0),
    ({"stop_rate": 5 * PERCENT}, SHORT | {"high_ticks": 10_600}, "stop_loss", 10, 10_500, 10_600, 0),
    ({"stop_rate": 5 * PERCENT}, at(9_400, stop_ticks=9_300), "", 0, 0, 0, 0),
    ({}, at(9_300, stop_ticks=9_300), "stop_loss", 10, 9_300, 9_300, 0),
    ({"stop_rate": 1}, at(9_999), "stop_loss", 10, 9_999, 9_999, 0),  # at least one tick away
    ({"trail_rate": 5 * PERCENT}, at(10_451, best_ticks=11_000), "", 0, 0, 0, 0),
    ({"trail_rate": 5 * PERCENT}, at(10_450, best_ticks=11_000), "trailing_stop", 10, 10_450, 10_450, 0),
    ({"trail_ticks": 500}, at(10_500, best_ticks=11_000), "trailing_stop", 10, 10_500, 10_500, 0),
    ({"trail_ticks": 500, "trail_rate": 1}, at(10_999, best_ticks=11_000), "trailing_stop", 10, 10_999, 10_999, 0),
    # The bar's own high moves the trail only for its close: whether the low came first is not known.
    ({"trail_ticks": 500}, {"high_ticks": 10_600, "low_ticks": 9_600, "last_ticks": 10_200}, "", 0, 0, 0, 0),
    ({"trail_ticks": 500}, {"high_ticks": 10_700, "last_ticks": 10_200}, "trailing_stop", 10, 10_200, 10_200, 0),
    ({"trail_ticks": 500}, SHORT | at(10_100, best_ticks=9_600), "trailing_stop", 10, 10_100, 10_100, 0),
    ({"time_stop_ns": HOUR_NS}, at(9_999), "time_stop", 10, 10_000, 9_999, 0),
    ({"time_stop_ns": HOUR_NS}, {}, "", 0, 0, 0, 0),
    ({"time_stop_ns": HOUR_NS + 1}, at(9_999), "", 0, 0, 0, 0),
    ({"time_stop_ns": HOUR_NS, "time_stop_gain_rate": PERCENT}, at(10_099), "time_stop", 10, 10_100, 10_099, 0),
    ({}, {"now_ns": 120 * HOUR_NS - 1}, "", 0, 0, 0, 0),
    ({}, {"now_ns": 120 * HOUR_NS}, "max_hold", 10, 120 * HOUR_NS, 120 * HOUR_NS, 0),
    ({"max_hold_ns": 0}, {"now_ns": 999 * HOUR_NS}, "", 0, 0, 0, 0),
    ({"target_rate": 5 * PERCENT}, at(10_500), "target", 10, 10_500, 10_500, 0),
    ({"target_rate": 5 * PERCENT}, {"high_ticks": 10_600}, "", 0, 0, 0, 0),  # only the last price can be had
    ({"target_rate": 5 * PERCENT}, SHORT | at(9_500), "target", 10, 9_500, 9_500, 0),
    ({"target_rate": 5 * PERCENT}, at(10_500, target_ticks=10_800), "", 0, 0, 0, 0),
    ({}, at(10_800, target_ticks=10_800), "target", 10, 10_800, 10_800, 0),
    (LADDER, at(10_199), "", 0, 0, 0, 0),
    (LADDER, at(10_200), "partial_target", 2, 10_200, 10_200, 1),
    (LADDER, at(10_300, rungs_taken=1, quantity_lots=8), "", 0, 0, 0, 1),
    (LADDER, at(10_400, rungs_taken=1, quantity_lots=8), "partial_target", 2, 10_400, 10_400, 2),
    (LADDER, at(10_400), "partial_target", 4, 10_400, 10_400, 2),  # a price that jumps takes two rungs at once
    (LADDER, at(10_900), "partial_target", 9, 10_800, 10_900, 3),
    (LADDER, at(10_900, quantity_lots=1, rungs_taken=2), "partial_target", 1, 10_800, 10_900, 3),
    (LADDER, at(10_200, quantity_lots=1, peak_lots=1), "partial_target", 1, 10_200, 10_200, 1),  # at least a lot
    (LADDER, at(11_000, rungs_taken=3, quantity_lots=1), "", 0, 0, 0, 3),
    (LADDER, SHORT | at(9_800), "partial_target", 2, 9_800, 9_800, 1),
    ({"strength_floor_rate": RATE_SCALE // 2}, {"strength_rate": RATE_SCALE // 2}, "", 0, 0, 0, 0),
    ({"strength_floor_rate": 100}, {"strength_rate": 99}, "signal_decay", 10, 100, 99, 0),
    (
        {"strength_floor_rate": RATE_SCALE // 2},
        {"horizon_ns": HOUR_NS * 3 // 2},
        "signal_decay", 10, RATE_SCALE // 2, 33_333_333, 0,
    ),
    ({"strength_floor_rate": 1}, {"horizon_ns": HOUR_NS}, "signal_decay", 10, 1, 0, 0),
    ({"strength_floor_rate": RATE_SCALE // 2}, {"horizon_ns": 2 * HOUR_NS}, "", 0, 0, 0, 0),
    ({"volatility_multiple_rate": 2 * RATE_SCALE}, {"entry_volatility_e8": 5, "volatility_e8": 10}, "", 0, 0, 0, 0),
    (
        {"volatility_multiple_rate": 2 * RATE_SCALE},
        {"entry_volatility_e8": 5, "volatility_e8": 11},
        "volatility", 10, 10, 11, 0,
    ),
    ({"volatility_multiple_rate": 2 * RATE_SCALE}, {"volatility_e8": 11}, "", 0, 0, 0, 0),  # unknown at entry
    ({"greek_limit_e8": 7}, {"greek_e8": -8}, "greeks", 10, 7, -8, 0),
    ({"greek_limit_e8": 7}, {"greek_e8": 7}, "", 0, 0, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "facts", "reason", "lots", "limit", "value", "rungs"), ROWS)
def test_rows(
    plan: dict[str, Any], facts: dict[str, int], reason: str, lots: int, limit: int, value: int, rungs: int
) -> None:
    number, *rest = verdict(plan, facts)
    assert (NAMES[number], *rest) == (reason, lots, limit, value, rungs)


def test_every_reason_has_a_row_and_a_tier() -> None:
    assert {row[2] for row in ROWS} == set(NAMES.values())
    assert [tier for _, tier, *_ in REASONS.values()] == sorted(tier for _, tier, *_ in REASONS.values())
    assert {tier for _, tier, *_ in REASONS.values()} == set(TIERS)
    assert {number: tier_nb(number) for number in REASONS} == {number: row[1] for number, row in REASONS.items()}


def test_the_longest_hold_is_120_hours_unless_it_is_said() -> None:
    assert EXIT_DEFAULTS["max_hold_ns"] == 120 * 3600 * 10**9


ALL = {
    "stop_rate": 5 * PERCENT, "trail_ticks": 600, "time_stop_ns": 1, "time_stop_gain_rate": 20 * PERCENT,
    "max_hold_ns": 1, "target_rate": PERCENT, "strength_floor_rate": RATE_SCALE, "greek_limit_e8": 1,
    "volatility_multiple_rate": RATE_SCALE, **LADDER,
}  # fmt: skip
ALL_FIRE = {
    "corrupt": 1, "protection_rejected": 1, "low_ticks": 9_000, "best_ticks": 10_000, "last_ticks": 10_900,
    "high_ticks": 11_500, "strength_rate": 0, "entry_volatility_e8": 1, "volatility_e8": 2, "greek_e8": 2,
}  # fmt: skip
DISARM: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "data_corrupt": ({}, {"corrupt": 0}),
    "protection_rejected": ({}, {"protection_rejected": 0}),
    "stop_loss": ({"stop_rate": 0}, {}),
    "trailing_stop": ({"trail_ticks": 0}, {}),
    "time_stop": ({"time_stop_ns": 0}, {}),
    "max_hold": ({"max_hold_ns": 0}, {}),
    "target": ({"target_rate": 0}, {}),
    "partial_target": ({"rungs": ()}, {}),
    "signal_decay": ({"strength_floor_rate": 0}, {}),
    "volatility": ({"volatility_multiple_rate": 0}, {}),
    "greeks": ({"greek_limit_e8": 0}, {}),
}


def test_the_first_that_fires_wins_in_the_order_of_the_table() -> None:
    """With everything firing at once, taking one rule away brings up the next."""
    plan, facts, seen = dict(ALL), dict(ALL_FIRE), []
    while reason := NAMES[verdict(plan, facts)[0]]:
        seen.append(reason)
        plan |= DISARM[reason][0]
        facts |= DISARM[reason][1]
    assert seen == [name for name, *_ in REASONS.values()]


prices = generators.one_of(generators.integers(9_000, 11_000), generators.integers(-2, 2**60))
rates = generators.one_of(
    generators.just(0), generators.integers(0, 20 * PERCENT), generators.integers(0, 2**60), generators.integers(0, 3)
)
shares = generators.integers(0, RATE_SCALE)
times = generators.one_of(generators.just(0), generators.integers(0, 2**61), generators.integers(0, 5))


@generators.composite
def cases(draw: generators.DrawFn) -> tuple[Any, Any, Any]:
    plan, facts = new_record(EXIT_PLAN), new_record(EXIT_FACTS)
    ladder = exit_ladder(*draw(generators.lists(generators.tuples(rates, shares), max_size=MAX_RUNGS)))
    for name in EXIT_PLAN.names or ():
        if draw(generators.booleans()):
            setattr(plan, name, draw(times if name.endswith("_ns") else rates))
    for name in EXIT_FACTS.names or ():
        kind = prices if name.endswith("_ticks") else times if name.endswith("_ns") else rates
        setattr(facts, name, draw(kind))
    for name in ("stop_ticks", "target_ticks", "corrupt", "protection_rejected"):
        setattr(facts, name, draw(generators.sampled_from([0, 0, int(facts[name])])))
    facts.rungs_taken = draw(generators.integers(0, MAX_RUNGS))
    facts.quantity_lots = draw(generators.integers(-(2**54), 2**54))
    facts.peak_lots = abs(int(facts.quantity_lots)) + draw(generators.integers(0, 2**54))
    if draw(generators.booleans()):
        facts.low_ticks = draw(generators.integers(1, max(1, int(facts.last_ticks))))
        facts.high_ticks = max(int(facts.last_ticks), int(facts.low_ticks))
    return plan, ladder, facts


@settings(max_examples=600, deadline=None)
@given(cases())
def test_the_verdict_is_the_twins(case: tuple[Any, Any, Any]) -> None:
    plan, ladder, facts = case
    number, *rest = check_exit_nb(plan, ladder, 0, facts)
    assert (NAMES[number], *rest) == twin.check_exit(plan, ladder, facts)


@settings(max_examples=500, deadline=None)
@given(cases())
def test_an_exit_closes_something_and_never_more_than_is_held(case: tuple[Any, Any, Any]) -> None:
    plan, ladder, facts = case
    number, lots, _, _, rungs = check_exit_nb(plan, ladder, 0, facts)
    assert 0 <= lots <= abs(int(facts.quantity_lots))
    assert (lots > 0) == (number != STAY)
    assert rungs >= facts.rungs_taken


@given(generators.lists(generators.tuples(prices, prices), min_size=1), generators.sampled_from([1, -1]))
def test_the_best_price_only_gets_better(bars: list[tuple[int, int]], side: int) -> None:
    best = bars[0][0]
    for one, other in bars:
        after = best_ticks_nb(side, best, max(one, other), min(one, other))
        assert side * after >= side * best
        best = after
    extremes = [bars[0][0], *(price for bar in bars for price in bar)]
    assert best == (max(extremes) if side > 0 else min(extremes))


def test_a_rate_from_text_is_the_level_that_people_expect() -> None:
    assert verdict({"stop_rate": to_rate("0.05")}, at(9_500))[2] == 9_500
