"""Whole runs with regimes, calibrated confidences and filters: what the summary counts, and that it all comes again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel.events.layout import REGIME_CHANGED, SIGNAL, SIGNAL_COMBINED, SIGNAL_DROPPED
from kernel.pipeline.rules import FILTERS, MINIMUM, REGIMES, TREND, VERDICT_REASONS
from replay.execution import prepare
from replay.runner import audit_journal, resume_backtest, run_backtest
from tests.replay.runs import config, records_in, run

SETTINGS: dict[str, Any] = {
    "to": "1999-06-01",
    "strategy": [
        {"use": "regime"},
        {"use": "rsi_reversion", "name": "rsi", "shadow": True},
        {"use": "ema_cross", "name": "ema", "shadow": True, "set": {"short": 1}},
        {"use": "macd_cross", "name": "macd", "shadow": True, "set": {"short": 1}},
        {
            "use": "ensemble",
            "ensemble": {"minimum_confidence": 0.3},
            "calibration": {"method": "platt", "slope": -4.2, "intercept": 1.7},
        },
    ],
    "regimes": {"bear": {"long": 0.5, "short": 1}, "high": 0.8, "ranging": 0.7},
    "filters": {"minimum_confidence": 0.55},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("opinions") / "run"
    return out, run_backtest(prepare(config(**SETTINGS)), out)


def test_the_summary_counts_what_the_journal_says(done: tuple[Path, Any]) -> None:
    out, result = done
    records = records_in(out)
    dropped = records[records["kind"] == SIGNAL_DROPPED.kind]["words"][:, SIGNAL_DROPPED.filter]
    assert result.dropped == {FILTERS[MINIMUM]: len(dropped)}
    assert len(dropped) > 5
    reasons = records[records["kind"] == SIGNAL_COMBINED.kind]["words"][:, SIGNAL_COMBINED.reason].tolist()
    assert result.verdicts == {VERDICT_REASONS[one]: reasons.count(one) for one in sorted(set(reasons))}
    trends = records[records["kind"] == REGIME_CHANGED.kind]["words"][:, REGIME_CHANGED.trend].tolist()
    assert len(trends) > 100
    assert result.regimes == {name: trends.count(number) for number, name in REGIMES[TREND].items()}
    signals = records[records["kind"] == SIGNAL.kind]["words"]
    opening = signals[signals[:, SIGNAL.direction] != 0]
    assert np.all(opening[:, SIGNAL.confidence_rate] >= 55_000_000)
    assert len(set(opening[:, SIGNAL.confidence_rate].tolist())) > 1, "calibrated, and scaled by regimes"
    assert np.all(opening[:, SIGNAL.raw_confidence_rate] > 0)


def test_it_comes_again_in_both_modes_under_audit_and_after_an_interruption(
    done: tuple[Path, Any], tmp_path: Path
) -> None:
    out, result = done
    report = audit_journal(out / "journal", prepare(config(**SETTINGS)))
    assert report.complete
    assert report.result_hash == result.result_hash
    assert run(tmp_path / "full", 333, journal="full", **SETTINGS)["result_hash"] == result.result_hash
    calls = iter(range(9))
    cut = run_backtest(
        prepare(config(**SETTINGS)), tmp_path / "cut", batch_rows=500, should_stop=lambda: next(calls) == 3
    )
    assert not cut.completed
    whole = resume_backtest(tmp_path / "cut")
    assert whole.result_hash == result.result_hash
    assert (whole.dropped, whole.verdicts) == (result.dropped, result.verdicts)
