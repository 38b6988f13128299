"""Whole runs with strategies in shadow: real ones do not notice, nothing is ever ordered, and all comes again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from kernel.events.layout import FILLED, INTENDED, SHADOW_FILLED
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.runner import SHADOW_TRADES, TRADES, audit_journal, run_backtest
from tests.replay.runs import config, records_in, run

SPAN = {"to": "1999-06-01"}
BESIDE: dict[str, Any] = {
    **SPAN,
    "strategy": [
        {"use": "macd_cross", "shadow": True},
        {"use": "ema_cross"},
        {"use": "ema_cross", "name": "twin", "shadow": True},
    ],
}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("shadow") / "run"
    return out, run(out, **BESIDE)


def test_the_real_strategy_trades_as_if_it_were_alone(beside: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    run(tmp_path / "alone", **SPAN)
    words = [FILLED.side, FILLED.price_ticks, FILLED.quantity_lots, FILLED.fee_minor]
    fills = []
    for out in (beside[0], tmp_path / "alone"):
        records = records_in(out)
        real = records[records["kind"] == FILLED.kind]
        fills.append([(int(one["ts_event_ns"]), *one["words"][words].tolist()) for one in real])
    assert fills[0] == fills[1] != []
    real, alone = (pq.read_table(out / TRADES).drop_columns("strategy") for out in (beside[0], tmp_path / "alone"))
    assert real.equals(alone)


def test_nothing_of_a_shadow_account_is_ordered(beside: tuple[Path, dict[str, Any]]) -> None:
    records = records_in(beside[0])
    on_paper = records[records["kind"] == SHADOW_FILLED.kind]
    assert set(on_paper["strategy"].tolist()) == {0, 2}
    assert set(on_paper["account"].tolist()) == {1, 2}
    assert set(records[records["kind"] == INTENDED.kind]["strategy"].tolist()) == {1}
    trades = pq.read_table(beside[0] / SHADOW_TRADES)
    assert set(trades["strategy"].to_pylist()) == {"macd_cross", "twin"}
    assert np.all(on_paper["cause"] > 0)


def test_it_comes_again_in_both_modes_and_under_audit(beside: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, result = beside
    full = run(tmp_path / "full", 999, journal="full", **BESIDE)
    assert full["result_hash"] == result["result_hash"]
    report = audit_journal(out / "journal", prepare(config(**BESIDE)))
    assert report.complete
    assert report.result_hash == result["result_hash"]


def test_the_summary_tells_of_the_paper_apart(tmp_path: Path) -> None:
    result = run_backtest(prepare(config(**BESIDE)), tmp_path / "run")
    assert [one.strategies for one in result.shadows] == [("macd_cross",), ("twin",)]
    assert [one.account for one in result.shadows] == ["shadow macd_cross", "shadow twin"]
    counts = pq.read_table(tmp_path / "run" / SHADOW_TRADES)["strategy"].to_pylist()
    assert [one.trades for one in result.shadows] == [counts.count("macd_cross"), counts.count("twin")]
    assert result.deposited_minor == result.shadows[0].deposited_minor
    kept = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [entry["shadow"] for entry in kept["strategy"]] == [True, False, True]


WRONG = [
    ('[[strategy]]\nuse = "grid"\nname = "a/b"\n', "line 3: strategy.name is 'a/b'; letters, digits"),
    ('[[account]]\nname = "a"\ncurrency = "USD"\nshadow = true\n', "line 4: account.shadow is true; the first account"),
    ("[shadow]\nfee_bps = -1\n", "line 2: shadow.fee_bps is -1; it cannot be negative"),
    (
        '[[account]]\nname = "a"\ncurrency = "USD"\n[[strategy]]\nuse = "grid"\naccount = "a"\nshadow = true\n',
        "line 7: strategy.shadow is true, but account a is a real one",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_setting_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=f"{file}, {message}"):
        load_config(file, {})
