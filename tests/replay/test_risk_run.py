"""Whole runs under [risk]: what the checks refuse is counted, listed and told."""

import json
from collections import Counter

import pytest
from click.testing import CliRunner

from kernel.cli import cli
from kernel.events import catalogue as c
from kernel.risk.numbers import CHECKS
from replay.history import History
from replay.inspect.frames import Filter
from replay.metrics import compute_metrics
from replay.report import read_trades
from replay.runner import run_backtest
from replay.summary import render_summary, summary_json
from tests.replay.conftest import prepared

NAMES = {number: check.name for number, check in CHECKS.items()}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """A run on the sample whose exposure limit lets one order in and refuses the others."""
    folder = tmp_path_factory.mktemp("refused")
    risk = {"symbol_exposure": "95000", "positions": 1}
    return run_backtest(prepared(to="2018-01-01", risk=risk, fsync="off"), folder / "run")


def verdicts(run):
    """Name of the check and time of every refusal in a journal."""
    for stored in History(run.run_dir, []).events(Filter()):
        if isinstance(stored.event, c.RiskChecked | c.RequestRefused) and stored.event.check:
            yield NAMES[stored.event.check], stored.ts_event_ns


def test_the_result_counts_what_each_check_refused(refused):
    found = list(verdicts(refused))
    counts = Counter(name for name, _ in found)
    assert counts["symbol_exposure"] > 3
    assert {refusal.check: refusal.count for refusal in refused.refusals} == counts
    for refusal in refused.refusals:
        assert refusal.first_ts_ns == next(ts_ns for name, ts_ns in found if name == refusal.check)


def test_the_summary_says_it(refused):
    metrics = compute_metrics(refused, read_trades(refused.run_dir / "trades.parquet", 10))
    text = render_summary(refused, metrics, width=100, color=False, encoding="utf-8")
    (first,) = refused.refusals
    line = next(line for line in text.splitlines() if "symbol_exposure" in line)
    assert line.split()[:2] == ["symbol_exposure", f"{first.count:,}"]
    assert summary_json(refused, metrics)["refused"][0]["count"] == first.count


def test_a_run_without_refusals_says_nothing_of_them(tmp_path):
    result = run_backtest(prepared(to="2016-06-01"), tmp_path / "run")
    metrics = compute_metrics(result, read_trades(tmp_path / "run" / "trades.parquet", 10))
    assert result.refusals == ()
    assert "Refused" not in render_summary(result, metrics, width=100, color=False, encoding="utf-8")


def test_show_lists_verdicts_by_check(refused):
    def show(*arguments: object) -> list[dict]:
        done = CliRunner().invoke(cli, ["show", str(refused.run_dir), "--json", *map(str, arguments)])
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    (first,) = refused.refusals
    by_name, all_refused = show("--check", "symbol_exposure"), show("--check", "refused")
    assert len(by_name) == len(all_refused) == first.count
    assert {event["topic"] for event in by_name} == {"risk.check"}
    approved = show("--check", "approved")
    assert approved
    assert all(event["fields"]["check"] == 0 for event in approved)
    done = CliRunner().invoke(cli, ["show", str(refused.run_dir), "--check", "symbol_exposur"])
    assert done.exit_code == 2
    assert "did you mean symbol_exposure?" in done.output
