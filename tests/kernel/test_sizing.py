"""Sizing against its exact twin and against examples that others have published."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as generators

from kernel.apportion_nb import SHARES, apportion_nb
from kernel.plans import (
    ATR_RISK,
    EQUITY_SHARE,
    FIXED_LOTS,
    FIXED_MONEY,
    KELLY,
    MODELS,
    SIZING_DEFAULTS,
    VOLATILITY_TARGET,
    sizing_plan,
)
from kernel.records import new_record
from kernel.sizing_nb import (
    MISSING,
    kelly_rate_nb,
    lots_for_money_nb,
    size_lots_nb,
    stop_distance_ticks_nb,
    to_e8_nb,
    volatility_rate_nb,
)
from kernel.units import RATE_SCALE, notional_ratio, to_minor, to_rate
from tests.kernel.test_exact import magnitudes, positive, signed
from tests.reference import sizing as twin

rates = generators.one_of(generators.integers(-1, 3 * RATE_SCALE), signed)
measures = generators.one_of(generators.just(MISSING), magnitudes)


@generators.composite
def plans(draw: generators.DrawFn) -> Any:
    model = draw(generators.sampled_from([*MODELS, 0]))
    names = ("share_rate", "multiple_rate", "win_rate", "payoff_rate", "fraction_rate")
    values = {name: draw(rates) for name in names}
    values |= {"quantity_lots": draw(signed), "money_minor": draw(signed)}
    values |= {"cap_rate": draw(rates), "by_confidence": draw(generators.integers(0, 1))}
    plan = sizing_plan(model or FIXED_LOTS, **values)
    plan.model = model
    return plan


@settings(max_examples=600, deadline=None)
@given(plans(), signed, signed, generators.integers(0, 1), positive, positive, measures, rates)
def test_every_model_agrees_with_the_twin(
    plan: Any, equity: int, price: int, inverse: int, numerator: int, denominator: int, measure: int, confidence: int
) -> None:
    given_numbers = (equity, price, inverse, numerator, denominator, measure, confidence)
    assert size_lots_nb(plan, *given_numbers) == twin.size_lots(plan, *given_numbers)


@settings(max_examples=400, deadline=None)
@given(
    plans(),
    generators.integers(1, 10**15),
    generators.integers(1, 10**7),
    generators.integers(1, 10**6),
    generators.integers(1, 10**4),
    generators.integers(MISSING, 10**14),
    generators.integers(-1, 2 * RATE_SCALE),
)
def test_a_size_is_never_negative_nor_worth_more_than_its_cap(
    plan: Any, equity: int, price: int, numerator: int, denominator: int, measure: int, confidence: int
) -> None:
    lots = int(size_lots_nb(plan, equity, price, 0, numerator, denominator, measure, confidence))
    assert lots >= 0
    if plan.cap_rate > 0:
        # lots * price * numerator / denominator <= equity * cap, in whole numbers
        assert lots * price * numerator * RATE_SCALE <= equity * int(plan.cap_rate) * denominator


@settings(max_examples=500, deadline=None)
@given(generators.integers(1, 10**14), generators.integers(1, 10**14), generators.integers(1, 10**9))
def test_the_stop_of_an_atr_risk_loses_no_more_than_the_risk(equity: int, atr_e8: int, multiple: int) -> None:
    plan = sizing_plan(ATR_RISK, multiple_rate=multiple, cap_rate=0)
    lots = int(size_lots_nb(plan, equity, 1_000, 0, 3, 7, atr_e8, 0))
    exact_distance = atr_e8 * multiple  # in 1e-16 ticks
    assert lots * exact_distance * 3 * 100 <= equity * 7 * RATE_SCALE * RATE_SCALE


@settings(max_examples=400, deadline=None)
@given(signed, signed)
@example(1, 2**62 - 1)
@example(RATE_SCALE, RATE_SCALE)
@example(150_000_000, 150_000_000)
def test_the_distance_of_a_stop_is_rounded_up(atr_e8: int, multiple: int) -> None:
    assert stop_distance_ticks_nb(atr_e8, multiple) == twin.stop_distance(atr_e8, multiple)


@settings(max_examples=400, deadline=None)
@given(signed, signed, signed)
@example(60_000_000, RATE_SCALE, RATE_SCALE)
@example(RATE_SCALE, 1, RATE_SCALE)
def test_kelly(win: int, payoff: int, fraction: int) -> None:
    assert kelly_rate_nb(win, payoff, fraction) == twin.kelly_rate(win, payoff, fraction)


# What others have published: each row with its source.


def test_the_turtles_heating_oil() -> None:
    """Original Turtle Trading Rules (2003): N 0.0141, 1,000,000 of equity, 42,000 gallons: 16.88, so 16."""
    numerator, denominator = notional_ratio("0.0001", "1", "42000", 2)
    plan = sizing_plan(ATR_RISK, multiple_rate=RATE_SCALE, cap_rate=0)
    atr_e8 = to_e8_nb(141.0)
    assert size_lots_nb(plan, to_minor(1_000_000, 2), 6_020, 0, numerator, denominator, atr_e8, 0) == 16


@pytest.mark.parametrize(
    ("win", "payoff", "share"),
    [
        ("0.6", "1", "0.2"),  # Haghani and Dewey, Rational Decision-Making under Uncertainty (2016): the 60/40 coin
        ("0.53", "1", "0.06"),  # Thorp, The Kelly Criterion (1997), section 2: p - q of an even-money bet
        ("0.5", "2", "0.25"),  # the bet of two to one on a fair coin, W. Poundstone, Fortune's Formula (2005)
        ("0.5", "1", "0"),
        ("0.4", "1", "0"),
        ("1", "1", "1"),
    ],
)
def test_kelly_as_published(win: str, payoff: str, share: str) -> None:
    assert kelly_rate_nb(to_rate(win), to_rate(payoff), RATE_SCALE) == to_rate(share)
    assert kelly_rate_nb(to_rate(win), to_rate(payoff), RATE_SCALE // 2) == to_rate(share) // 2


def test_a_volatility_target_of_ten_percent_over_twenty_holds_half() -> None:
    assert volatility_rate_nb(to_rate("0.10"), to_rate("0.20")) == to_rate("0.5")
    assert volatility_rate_nb(to_rate("0.10"), to_rate("0.05")) == to_rate("2")
    assert volatility_rate_nb(to_rate("0.10"), to_rate("0.30")) == 33_333_333


# A share of 100.00 (tick and cent are one), 100,000.00 of equity: one row for each model and for each way to get 0.
EQUITY, PRICE = 10_000_000, 10_000
ROWS = [
    (FIXED_LOTS, {"quantity_lots": 7}, MISSING, 7),
    (FIXED_LOTS, {"quantity_lots": -7}, MISSING, 0),
    (FIXED_LOTS, {"quantity_lots": 700, "cap_rate": RATE_SCALE // 2}, MISSING, 500),
    (FIXED_MONEY, {"money_minor": 99_999}, MISSING, 9),
    (FIXED_MONEY, {"money_minor": 100_000}, MISSING, 10),
    (EQUITY_SHARE, {}, MISSING, 950),
    (EQUITY_SHARE, {"share_rate": 2 * RATE_SCALE}, MISSING, 2_000),
    (EQUITY_SHARE, {"by_confidence": 1}, MISSING, 475),
    (VOLATILITY_TARGET, {}, to_e8_nb(0.2), 500),
    (VOLATILITY_TARGET, {}, to_e8_nb(0.05), 1_000),  # twice the equity, capped at once
    (VOLATILITY_TARGET, {}, MISSING, 0),
    (VOLATILITY_TARGET, {}, 0, 0),
    (ATR_RISK, {}, to_e8_nb(1_250.0), 40),  # 1,000.00 over a stop of 25.00
    (ATR_RISK, {}, to_e8_nb(200.0), 50),  # 250 by risk; 5 % of equity allows 50
    (ATR_RISK, {}, MISSING, 0),
    (KELLY, {"win_rate": to_rate("0.6"), "payoff_rate": RATE_SCALE}, MISSING, 100),
    (KELLY, {"win_rate": to_rate("0.9"), "payoff_rate": RATE_SCALE}, MISSING, 200),  # 40 % of equity, capped at 20 %
    (KELLY, {}, MISSING, 0),
]


@pytest.mark.parametrize(("model", "fields", "measure", "lots"), ROWS)
def test_rows(model: int, fields: dict[str, int], measure: int, lots: int) -> None:
    assert size_lots_nb(sizing_plan(model, **fields), EQUITY, PRICE, 0, 1, 1, measure, RATE_SCALE // 2) == lots


def test_every_model_has_rows_and_defaults() -> None:
    assert {row[0] for row in ROWS} == set(MODELS) == set(SIZING_DEFAULTS)


@pytest.mark.parametrize(("equity", "price"), [(0, PRICE), (-1, PRICE), (EQUITY, 0), (EQUITY, -5)])
def test_without_equity_or_price_there_is_no_size(equity: int, price: int) -> None:
    for model in MODELS:
        fields = {"quantity_lots": 1, "money_minor": 10**9, "win_rate": RATE_SCALE, "payoff_rate": RATE_SCALE}
        assert size_lots_nb(sizing_plan(model, **fields), equity, price, 0, 1, 1, RATE_SCALE, RATE_SCALE) == 0


def test_what_does_not_fit_is_no_size() -> None:
    assert lots_for_money_nb(2**61, 2**40, 2**40, 1) == 0
    assert lots_for_money_nb(2**61, 1, 1, 2**40) == 0
    assert lots_for_money_nb(2**61, 2**40, 1, 2**40) == 2**61


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        (1.0, RATE_SCALE),
        (0.0, 0),
        (2.0**-9, 195_312),  # 195,312.5
        (3 * 2.0**-9, 585_938),  # 585,937.5
        (-1e-9, MISSING),
        (float("nan"), MISSING),
        (float("inf"), MISSING),
        (4.0e10, MISSING),
        (3.9e10, 39 * 10**17),
    ],
)
def test_a_float_becomes_an_integer_once(value: float, integer: int) -> None:
    assert to_e8_nb(value) == integer


def test_an_inverse_contract_is_sized_in_its_coin() -> None:
    """Contracts of 1 USD at 50,000.0 (ticks of 0.1), equity 1 BTC in units of 10^-8: half of it buys 25,000."""
    numerator, denominator = 10**9, 1  # a contract is worth 10^8 / (ticks / 10) units
    half = sizing_plan(EQUITY_SHARE, share_rate=RATE_SCALE // 2)
    assert size_lots_nb(half, 10**8, 500_000, 1, numerator, denominator, MISSING, 0) == 25_000
    risk = sizing_plan(ATR_RISK, cap_rate=0)
    # A stop at 40,000 loses lots * (1/40,000 - 1/50,000) BTC, of which 0.01 may be lost: 2,000.
    assert size_lots_nb(risk, 10**8, 500_000, 1, numerator, denominator, to_e8_nb(50_000.0), 0) == 2_000
    assert size_lots_nb(risk, 10**8, 500_000, 1, numerator, denominator, to_e8_nb(250_000.0), 0) == 0


def apportioned(total: int, weights: list[int]) -> list[int]:
    shares = new_record(SHARES)
    shares.weights[: len(weights)] = weights
    shares.parts[len(weights)] = 9
    apportion_nb(shares, total, len(weights))
    assert shares.parts[len(weights)] == 9
    return [int(part) for part in shares.parts[: len(weights)]]


@settings(max_examples=400, deadline=None)
@given(generators.integers(0, 2**62 - 1), generators.lists(generators.integers(0, 2**58), min_size=1, max_size=12))
@example(RATE_SCALE, [1, 1, 1])
@example(2**62 - 1, [2**58] * 12)
@example(5, [0, 0])
def test_parts_are_the_twins_and_sum_to_the_whole(total: int, weights: list[int]) -> None:
    parts = apportioned(total, weights)
    assert parts == twin.apportion(total, weights)
    assert sum(parts) == (total if any(weights) else 0)


def test_apportioning_as_published() -> None:
    """Hamilton's apportionment of the House of Representatives after the census of 1790, 120 seats.

    Source: M. L. Balinski and H. P. Young, Fair Representation (1982): the bill that Washington vetoed.
    """
    people = {
        "Connecticut": 236_841, "Delaware": 55_540, "Georgia": 70_835, "Kentucky": 68_705, "Maryland": 278_514,
        "Massachusetts": 475_327, "New Hampshire": 141_822, "New Jersey": 179_570, "New York": 331_589,
        "North Carolina": 353_523, "Pennsylvania": 432_879, "Rhode Island": 68_446, "South Carolina": 206_236,
        "Vermont": 85_533, "Virginia": 630_560,
    }  # fmt: skip
    seats = [8, 2, 2, 2, 9, 16, 5, 6, 11, 12, 14, 2, 7, 3, 21]
    assert apportioned(120, list(people.values())) == seats
