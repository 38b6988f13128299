"""Whole runs of an ensemble: members on paper, a model's recorded signals, causes, and the same again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel.events.layout import (
    INTENDED,
    MODEL_SIGNAL,
    SHADOW_FILLED,
    SIGNAL,
    SIGNAL_COMBINED,
    SIGNAL_VOTED,
    TARGET_SET,
)
from kernel.market import MODEL
from replay.catalogue import CatalogueError
from replay.catalogue.files import read_columns
from replay.catalogue.importer import import_file
from replay.catalogue.options import ImportOptions
from replay.catalogue.validate import validate_file
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.runner import audit_journal
from tests.replay.runs import SPY, config, records_in, run

BARS = "ts,open,high,low,close,volume\n" + "".join(
    f"2023-11-{10 + at // 24:02}T{at % 24:02}:00:00Z,{100 + at % 7},110,95,{101 + at % 6},1000\n" for at in range(120)
)
SIGNALS = """ts,direction,confidence,horizon,low_return,high_return
2023-11-10T05:00:00Z,1,0.9,,0.01,0.02
2023-11-11T05:30:00Z,1,0.95,,0.001,0.02
2023-11-12T05:00:00Z,-1,0.8,7200,,
"""
MEMBERS: list[dict[str, Any]] = [
    {"use": "rsi_reversion", "name": "rsi", "shadow": True},
    {"use": "ema_cross", "name": "ema", "shadow": True, "set": {"short": 1}},
    {"use": "macd_cross", "name": "macd", "shadow": True, "set": {"short": 1}},
]
DESK = {"use": "ensemble", "name": "desk", "ensemble": {"minimum_confidence": 0.5}}
SETTINGS: dict[str, Any] = {"to": "1999-06-01", "strategy": [*MEMBERS, DESK]}


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    source = tmp_path / "bars.csv"
    source.write_text(BARS)
    told = ImportOptions(venue="us", symbol="SPY", interval="1h", currency="USD", lot_size="1")
    import_file(source, tmp_path / "root", told)
    return tmp_path / "root"


def import_signals(root: Path, text: str) -> Any:
    source = root.parent / "signals.csv"
    source.write_text(text)
    return import_file(source, root, ImportOptions(venue="us", symbol="SPY", kind="signals"))


def test_only_the_ensemble_has_orders_and_each_leads_back_to_votes(tmp_path: Path) -> None:
    run(tmp_path / "run", **SETTINGS)
    records = records_in(tmp_path / "run")
    kinds = {int(one["sequence"]): int(one["kind"]) for one in records}
    causes = {int(one["sequence"]): int(one["cause"]) for one in records}
    orders = records[records["kind"] == INTENDED.kind]
    assert len(orders) > 10
    assert set(orders["strategy"].tolist()) == {3}
    for order in orders:
        sequence = int(order["sequence"])
        for kind in (TARGET_SET, SIGNAL, SIGNAL_COMBINED, SIGNAL_VOTED):
            sequence = causes[sequence]
            assert kinds[sequence] == kind.kind
    assert np.count_nonzero(records["kind"] == SHADOW_FILLED.kind) > 10


def test_it_comes_again_in_both_modes_and_under_audit(tmp_path: Path) -> None:
    result = run(tmp_path / "run", **SETTINGS)
    assert run(tmp_path / "full", 777, journal="full", **SETTINGS)["result_hash"] == result["result_hash"]
    assert audit_journal(tmp_path / "run" / "journal", prepare(config(**SETTINGS))).complete


def test_a_model_votes_with_its_recorded_signals(catalogue: Path, tmp_path: Path) -> None:
    report = import_signals(catalogue, SIGNALS)
    assert validate_file(report.file.path)[1] == []
    columns = read_columns(report.file.path)
    assert columns["low_return_rate"].tolist() == [10**6, 10**5, 0]
    assert columns["horizon_ns"].tolist() == [0, 0, 7200 * 10**9]
    assert columns["strength_rate"].tolist() == [10**8] * 3
    desk = {"use": "ensemble", "ensemble": {"members": [{"of": "model"}]}}
    settings: dict[str, Any] = {"data": [str(catalogue)], "strategy": [{"use": "model", "shadow": True}, desk]}
    result = run(tmp_path / "run", journal="full", **settings)
    records = records_in(tmp_path / "run")
    assert np.count_nonzero(records["kind"] == MODEL_SIGNAL.kind) == 3
    votes = records[records["kind"] == SIGNAL_VOTED.kind]["words"]
    fields = [SIGNAL_VOTED.direction, SIGNAL_VOTED.confidence_rate, SIGNAL_VOTED.reason]
    assert votes[:, fields].tolist() == [[1, 9 * 10**7, 1], [0, 0, 3], [-1, 8 * 10**7, 1], [0, 0, 2]]
    by_reference = run(tmp_path / "again", **settings)
    assert by_reference["result_hash"] == result["result_hash"]
    assert audit_journal(tmp_path / "again" / "journal", prepare(config(**settings))).complete


BAD_SIGNALS = [
    ("ts,direction\n2023-11-10T05:00:00Z,1\n", "missing columns for signals: confidence"),
    ("ts,direction,confidence\n2023-11-10T05:00:00Z,2,0.5\n", "side beyond -1 to 1"),
    ("ts,direction,confidence\n2023-11-10T05:00:00Z,0.5,0.5\n", "side other than -1, 0 and 1"),
    ("ts,direction,confidence\n2023-11-10T05:00:00Z,1,1.5\n", "confidence beyond 0 to 1"),
    ("ts,direction,confidence\n2023-11-10T05:00:00Z,1,\n", "rows without a confidence"),
    ("ts,direction,confidence,horizon\n2023-11-10T05:00:00Z,1,1,0.5\n", "horizon of a part of a second"),
]


@pytest.mark.parametrize(("text", "message"), BAD_SIGNALS)
def test_signals_that_cannot_be_read_are_refused(catalogue: Path, text: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        import_signals(catalogue, text)


def test_the_kinds_of_rows_and_events_agree() -> None:
    from kernel.marks_nb import event_kind_nb

    assert event_kind_nb(MODEL) == MODEL_SIGNAL.kind


RSI = '[[strategy]]\nuse = "rsi_reversion"\nname = "rsi"\n'
ENSEMBLE = '[[strategy]]\nuse = "ensemble"\n'
WRONG = [
    (ENSEMBLE, "line 1: strategy.ensemble.members is missing, and no strategy before it is called model, rsi"),
    (RSI + "[strategy.ensemble]\nat_least = 1\n", 'line 4: strategy.ensemble is for use = "ensemble"; rsi does not'),
    (
        RSI + ENSEMBLE + '[strategy.ensemble]\nagree = "most"\n',
        "line 7: strategy.ensemble.agree is 'most'; it is one of",
    ),
    (RSI + ENSEMBLE + '[strategy.ensemble]\nagree = "at_least"\n', "strategy.ensemble.at_least is 0; with agree"),
    (
        RSI + ENSEMBLE + "[strategy.ensemble]\nminimum_confidence = 1.5\n",
        "line 7: .*minimum_confidence is 1.5; it is 1",
    ),
    (
        RSI + ENSEMBLE + '[strategy.ensemble]\nmembers = [{of = "ema"}]\n',
        "line 7: .*of is 'ema'; the strategies before",
    ),
    (
        ENSEMBLE + '[strategy.ensemble]\nmembers = [{of = "rsi"}]\n' + RSI,
        "line 4: .*of is 'rsi', which comes later; members stand before",
    ),
    (
        RSI.replace('name = "rsi"\n', "") + ENSEMBLE + '[strategy.ensemble]\nmembers = [{of = "rsi_reversion"}]\n',
        "line 6: .*weight is missing; only model, rsi",
    ),
    (RSI + ENSEMBLE + '[strategy.ensemble]\nmembers = [{of = "rsi", weight = 0}]\n', "have no weight at all"),
    (
        RSI + ENSEMBLE + ENSEMBLE.replace("ensemble", "ensemble") + '[strategy.ensemble]\nmembers = [{of = "rsi"}]\n',
        "strategy.ensemble has rsi, which votes in ensemble already",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_an_ensemble_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(file, {})


def test_the_default_members_and_weights(tmp_path: Path) -> None:
    resolved = prepare(config(**SETTINGS)).resolved["strategies"][3]["ensemble"]
    assert resolved["members"] == [[0, 20_000_000, 0], [1, 20_000_000, 0], [2, 10_000_000, 0]]
    assert (resolved["minimum_confidence_rate"], resolved["quantile_rate"]) == (50_000_000, 500_000)
    assert SPY.endswith("bars-1h.parquet")
