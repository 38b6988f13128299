"""Metrics against empyrical's published vectors and against arithmetic done by hand."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from replay import metrics
from replay.metrics import compute_metrics
from replay.report import no_trades
from tests.replay.report.makers import DAY_NS, MONEY, START_NS, curve, result_of, trades_of

VECTORS_FILE = Path(__file__).parents[1] / "data" / "metrics" / "empyrical_vectors.json"
VECTORS = json.loads(VECTORS_FILE.read_text())["vectors"]
EDGES = [[], [1000], [1000] * 400, [0], [0] * 40, [500, 0, 10], [-5, 3, 2], [-100] * 60]
PERIODS = {"daily": 252, "weekly": 52, "monthly": 12, "yearly": 1}


def vectors(function: str) -> list[Any]:
    rows = [row for row in VECTORS if row["function"] == function]
    assert rows
    return [pytest.param(row, id=f"{function}-{number}") for number, row in enumerate(rows)]


def returns_of(row: dict[str, Any]) -> np.ndarray:
    """The vector's returns in excess of what it requires; absent ones are kept as NaN."""
    values = np.array([float(value) for value in row["values"]] * row.get("repeat", 1))
    required = np.array(row.get("required", 0.0), np.float64)
    return values - required


def present(row: dict[str, Any]) -> np.ndarray:
    values = returns_of(row)
    return values[~np.isnan(values)]


def assert_agrees(value: float | None, expected: float | str) -> None:
    """Their NaN and infinity are our None."""
    if not math.isfinite(float(expected)):
        assert value is None
    else:
        assert value == pytest.approx(float(expected), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("row", vectors("sharpe_ratio"))
def test_sharpe_vectors(row: dict[str, Any]) -> None:
    assert_agrees(metrics.sharpe(present(row), 252), row["expected"])


@pytest.mark.parametrize("row", vectors("sortino_ratio"))
def test_sortino_vectors(row: dict[str, Any]) -> None:
    assert_agrees(metrics.sortino(present(row), PERIODS[row["period"]]), row["expected"])


@pytest.mark.parametrize("row", vectors("downside_risk"))
def test_downside_risk_vectors(row: dict[str, Any]) -> None:
    returns = present(row)
    expected = row["expected"] if returns.size else "nan"
    assert_agrees(metrics.downside_risk(returns, PERIODS[row["period"]]), expected)


@pytest.mark.parametrize("row", vectors("annual_volatility"))
def test_volatility_vectors(row: dict[str, Any]) -> None:
    assert_agrees(metrics.volatility(present(row), PERIODS[row["period"]]), row["expected"])


@pytest.mark.parametrize("row", vectors("annual_return") + vectors("cagr"))
def test_annualised_return_vectors(row: dict[str, Any]) -> None:
    # An absent first return still counts as a period there.
    returns = np.nan_to_num(returns_of(row))
    total = float(np.prod(1 + returns)) - 1
    assert_agrees(metrics.annualise(total, returns.size, PERIODS[row["period"]]), row["expected"])


@pytest.mark.parametrize("row", vectors("calmar_ratio"))
def test_calmar_vectors(row: dict[str, Any]) -> None:
    assert_agrees(metrics.calmar(np.nan_to_num(returns_of(row)), PERIODS[row["period"]]), row["expected"])


@pytest.mark.parametrize("row", vectors("max_drawdown"))
def test_max_drawdown_vectors(row: dict[str, Any]) -> None:
    returns = present(row)
    equity = np.cumprod(np.append(1.0, 1 + returns)) if returns.size else returns
    expected = row["expected"]
    assert_agrees(metrics.max_drawdown(equity), expected if expected == "nan" else -expected)


@pytest.mark.parametrize("row", vectors("simple_returns"))
def test_period_returns_vectors(row: dict[str, Any]) -> None:
    returns = metrics.period_returns(np.array(row["values"]))
    assert returns is not None
    assert returns.tolist() == row["expected"]


@pytest.mark.parametrize("row", vectors("aggregate_returns"))
def test_calendar_returns_vectors(row: dict[str, Any]) -> None:
    times = np.array(row["dates"], "datetime64[ns]").astype(np.int64)
    found = metrics.calendar_returns(times, np.cumprod(1 + returns_of(row)), 1.0, row["unit"][0].upper())
    assert list(found.values()) == pytest.approx(row["expected"], rel=1e-12, abs=1e-14)


def test_by_hand(tmp_path: Path) -> None:
    # 1000 -> 1100 -> 990 -> 1089: returns +10%, -10%, +10%
    result = result_of([1100, 990, 1089], max_drawdown=0.125, exposed_rows=3, bars=4)
    found = compute_metrics(result, trades_of(tmp_path, [30, -10, 0, 20, -15]))
    mean, deviation = 0.1 / 3, math.sqrt(((0.2 / 3) ** 2 * 2 + (0.4 / 3) ** 2) / 2)
    assert found.total_return == 0.089
    assert found.periods_per_year == 365.25
    assert found.volatility == pytest.approx(deviation * math.sqrt(365.25), rel=1e-12)
    assert found.sharpe == pytest.approx(mean / deviation * math.sqrt(365.25), rel=1e-12)
    assert found.sortino == pytest.approx(mean / math.sqrt(0.01 / 3) * math.sqrt(365.25), rel=1e-12)
    assert found.annualised_return is None
    assert found.calmar is None
    assert found.max_drawdown == 0.125
    assert found.longest_drawdown_days == 2
    assert found.exposure == 0.75
    assert (found.trades, found.win_rate, found.profit_factor) == (5, 0.4, 2.0)
    assert found.average_trade_minor == 5 * MONEY
    assert (found.average_win_minor, found.average_loss_minor) == (25 * MONEY, -12.5 * MONEY)
    assert (found.best_trade_minor, found.worst_trade_minor) == (30 * MONEY, -15 * MONEY)
    assert found.average_holding_ns == DAY_NS


def test_a_year_of_days_is_annualised_to_itself() -> None:
    result = result_of([1000 + day for day in range(1, 367)], max_drawdown=0.05)
    found = compute_metrics(result, no_trades())
    assert found.periods_per_year == 365.25
    assert found.annualised_return == pytest.approx(1.366 ** (365.25 / 366) - 1, rel=1e-12)
    assert found.calmar == pytest.approx(found.annualised_return / 0.05, rel=1e-12)
    assert found.sortino is None
    assert found.longest_drawdown_days == 0


def test_periods_of_weekdays_are_measured() -> None:
    days = np.arange(np.datetime64("2019-01-01"), np.datetime64("2024-01-01"))
    weekdays = days[np.is_busday(days)].astype("datetime64[ns]").astype(np.int64)
    assert metrics.periods_per_year(weekdays) == pytest.approx(261, abs=0.3)


def test_hours_within_a_day_do_not_count_as_span() -> None:
    late, early = START_NS + DAY_NS - 1, START_NS + DAY_NS
    assert metrics.periods_per_year(np.array([late, early])) == 365.25
    assert metrics.periods_per_year(np.array([late])) is None


@pytest.mark.parametrize("equity", EDGES)
def test_edges_are_none_never_nan(equity: list[float]) -> None:
    found = compute_metrics(result_of(equity, max_drawdown=0.0), no_trades())
    for name, value in msgspec.structs.asdict(found).items():
        assert value is None or math.isfinite(value), name
    assert (found.win_rate, found.profit_factor, found.average_trade_minor, found.calmar) == (None,) * 4
    json.dumps(msgspec.to_builtins(found), allow_nan=False)


def test_flat_equity_returns_nothing_at_no_risk() -> None:
    found = compute_metrics(result_of([1000] * 400, max_drawdown=0.0), no_trades())
    assert (found.total_return, found.annualised_return, found.volatility) == (0.0, 0.0, 0.0)
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert found.longest_drawdown_days == 0


def test_total_loss_and_worse() -> None:
    lost = compute_metrics(result_of([500] * 39 + [0], max_drawdown=1.0), no_trades())
    assert (lost.total_return, lost.annualised_return) == (-1.0, -1.0)
    indebted = compute_metrics(result_of([500] * 39 + [-200], max_drawdown=1.2), no_trades())
    assert indebted.total_return == -1.2
    assert indebted.annualised_return is None
    assert compute_metrics(result_of([500], deposit=0), no_trades()).total_return is None


def test_profit_without_a_loss_has_no_factor(tmp_path: Path) -> None:
    found = compute_metrics(result_of([1100]), trades_of(tmp_path, [5, 0]))
    assert (found.win_rate, found.profit_factor, found.average_loss_minor) == (0.5, None, None)


def test_an_explosive_short_run_does_not_overflow() -> None:
    assert metrics.annualise(1e6, 1, 365.25) is None


def test_drawdowns_below_zero_and_before_any_peak() -> None:
    assert metrics.drawdowns(np.array([-5, 0, 100, 50, -20])).tolist() == [0, 0, 0, 0.5, 1.2]
    assert metrics.max_drawdown(np.array([])) is None


def test_longest_drawdown_ends_at_the_recovery() -> None:
    recovered = result_of([1000, 900, 950, 1000, 1000, 990, 1001])
    assert metrics.longest_drawdown_days(recovered) == 3
    assert metrics.longest_drawdown_days(result_of([1100, 900, 950, 960, 970])) == 4


def test_calendar_returns_skip_empty_months_and_debts() -> None:
    equity = curve([110, 0, 50], step_ns=40 * DAY_NS)
    found = metrics.calendar_returns(equity.ts_ns, equity.equity_minor, 100 * MONEY, "M")
    assert found == {"2024-01": pytest.approx(0.1), "2024-02": -1.0, "2024-03": None}
    assert metrics.calendar_returns(equity.ts_ns[:0], equity.equity_minor[:0], 1, "Y") == {}
