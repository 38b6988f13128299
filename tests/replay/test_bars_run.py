"""Runs on bars that the kernel makes: the same however they are journaled, resumed, re-run or written."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from kernel.events.layout import BAR_CLOSED, BAR_DROPPED, BAR_DUE, INTENDED, SEGMENT, SERIES_BAR, STATE_DIGEST
from replay.catalogue import open_file, write_file
from replay.catalogue.files import read_columns
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.make_bars import make_bars
from replay.runner import audit_journal, read_run, resume_backtest, run_backtest
from replay.sample import sample_root
from tests.replay.runs import config, frames_of, records_in, run

STRATEGIES = str(Path(__file__).with_name("bar_strategies.py"))
BTC = str(sample_root() / "coinbase")
SPAN = {"data": [BTC], "to": "2017-06-01", "digest_interval": 500, "fee_bps": 0}
HOUR = 3600 * 10**9
TRADES = str(sample_root() / "binance-perp" / "BTCUSDT" / "trades.parquet")


def use(name: str, **more: Any) -> dict[str, Any]:
    return {**SPAN, "strategy": [{"use": f"{STRATEGIES}:{name}"}], **more}


@pytest.fixture(scope="module")
def two_series(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("bars") / "run"
    return {"out": out, **run(out, **use("two_series"))}


def test_the_bars_heard_are_those_of_the_series(two_series: dict[str, Any]) -> None:
    records = records_in(two_series["out"])
    bars = records[records["kind"] == SERIES_BAR.kind]
    assert set(bars["words"][:, SERIES_BAR.series]) == {0, 1}
    days = bars[bars["words"][:, SERIES_BAR.series] == 1]
    assert 350 < len(days) < 400
    causes = records["cause"][records["kind"] == INTENDED.kind]
    assert len(causes) > 50
    assert np.isin(causes, bars["sequence"]).all(), "a decision names the bar that led to it"
    assert two_series["fills"] > 50


def test_a_python_strategy_hears_the_same_bars(two_series: dict[str, Any], tmp_path: Path) -> None:
    other = run(tmp_path / "run", **use("TwoSeries"))
    assert {name: two_series[name] for name in other} == other


@pytest.mark.parametrize("batch_rows", [1, 777])
def test_batches_of_any_size(two_series: dict[str, Any], tmp_path: Path, batch_rows: int) -> None:
    other = run(tmp_path / "run", batch_rows=batch_rows, **use("two_series"))
    assert {name: two_series[name] for name in other} == other


def test_both_journal_modes_tell_the_same(two_series: dict[str, Any], tmp_path: Path) -> None:
    full = run(tmp_path / "full", journal="full", **use("two_series"))
    assert (full["result_hash"], full["events"]) == (two_series["result_hash"], two_series["events"])
    records, stored = records_in(tmp_path / "full"), records_in(two_series["out"])
    stored = stored[stored["kind"] != SEGMENT.kind]
    assert np.array_equal(records[records["kind"] != BAR_CLOSED.kind], stored)
    assert np.count_nonzero(stored["kind"] == STATE_DIGEST.kind) > 5


@pytest.mark.parametrize("mode", ["reference", "full"])
def test_an_interrupted_run_goes_on_and_an_audit_finds_it_identical(
    two_series: dict[str, Any], tmp_path: Path, mode: str
) -> None:
    calls = iter([False, True])
    prepared = prepare(config(**use("two_series", journal=mode)))
    run_backtest(prepared, tmp_path / "run", batch_rows=1000, should_stop=lambda: next(calls))
    resumed = resume_backtest(tmp_path / "run")
    assert resumed.result_hash == two_series["result_hash"]
    assert (frames_of(tmp_path / "run") == frames_of(two_series["out"])) == (mode == "reference")
    report = audit_journal(tmp_path / "run" / "journal", read_run(tmp_path / "run"))
    assert report.complete
    assert report.result_hash == two_series["result_hash"]


def test_bars_of_the_data_s_own_length_decide_the_same(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", **{**SPAN, "strategy": [{"use": "ema_cross"}]})
    made = run(tmp_path / "made", **{**SPAN, "strategy": [{"use": "ema_cross"}], "bars": "4h"})
    assert made["result_hash"] == plain["result_hash"]
    assert made["fills"] > 20
    assert made["events"] > plain["events"]


def test_a_series_without_a_listener_changes_nothing_but_the_journal(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", **{**SPAN, "strategy": [{"use": "ema_cross"}]})
    rules = ("1d", "heikin-ashi 8h", "renko 5000", "300 ticks")
    series = [{"rule": rule} for rule in rules]
    made = run(tmp_path / "made", **{**SPAN, "strategy": [{"use": "ema_cross"}], "series": series})
    assert made["result_hash"] == plain["result_hash"]
    records = records_in(tmp_path / "made")
    assert set(records["words"][records["kind"] == SERIES_BAR.kind][:, SERIES_BAR.series]) == set(range(5))


def test_bars_follow_a_parameter(tmp_path: Path) -> None:
    settings = {"strategy": [{"use": f"{STRATEGIES}:by_parameter", "set": {"fast": 3}}]}
    run(tmp_path / "run", **{**SPAN, **settings})
    records = records_in(tmp_path / "run")
    bars = records[records["kind"] == SERIES_BAR.kind]["words"]
    assert set(bars[:, SERIES_BAR.end_ns] - bars[:, SERIES_BAR.ts_open_ns]) == {12 * 3600 * 10**9}


def test_bars_of_trades_close_by_time(tmp_path: Path) -> None:
    run(tmp_path / "run", data=[TRADES], strategy=[{"use": f"{STRATEGIES}:of_trades"}], bars="10s", fee_bps=0)
    records = records_in(tmp_path / "run")
    bars, due = records[records["kind"] == SERIES_BAR.kind], records[records["kind"] == BAR_DUE.kind]
    assert len(bars) > 30
    assert len(bars) == len(due), "each has a record of the time that ended it"
    assert np.array_equal(bars["cause"], due["sequence"])
    assert np.array_equal(bars["ts_ingest_ns"], bars["words"][:, SERIES_BAR.end_ns])


def test_bricks_that_are_too_many_for_one_transaction_come_in_several(tmp_path: Path) -> None:
    """From one price to another one hundred thousand ticks away: every brick is told, a bounded number at a time."""
    file = open_file(TRADES)
    columns = {name: values[:3].copy() for name, values in read_columns(Path(TRADES)).items()}
    columns["price"][:] = (1000, 3000, 3001)
    write_file(tmp_path / "data" / "trades.parquet", msgspec.structs.replace(file.metadata, rows=3), columns)
    settings = {"data": [str(tmp_path / "data")], "strategy": [{"use": "do_nothing"}], "bars": "renko 1"}
    run(tmp_path / "run", **settings)
    records = records_in(tmp_path / "run")
    closes = records[records["kind"] == SERIES_BAR.kind]["words"][:, SERIES_BAR.close_ticks]
    assert closes.tolist() == list(range(1001, 3002))
    assert np.count_nonzero(records["kind"] == BAR_DUE.kind) > 5


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('bars = "5 minutes"', 2, "bars cannot be used: .*no such rule"),
        ('bars = "1h"', 2, "bars cannot be used: .*bars of 4h, of which 1h is not a multiple"),
        ('bars = ["8h", "480m"]', 2, "bars names a rule twice: 8h, 8h"),
        ('bars = "1d session"', 2, "no sessions"),
        ('bar_grace = "soon"', 2, "write a length of time"),
        ('bars = "8h"\nbar_grace = "8h"', 2, "cannot wait"),
        ('[[series]]\nrule = "8 h"', 3, "series.rule cannot be used: .*no such rule"),
        ('[[series]]\nrule = "1h"', 3, "series.rule cannot be used: .*not a multiple"),
        ('[[series]]\nrule = "8h"\ninstruments = ["coinbase/BTC"]', 4, "did you mean coinbase/BTC-USD"),
        ('[[series]]\nrule = "8h"\nname = "x"', 4, "unknown setting"),
        ('[[strategy]]\nuse = "ema_cross"\nbars = "8 h"', 4, "strategy.bars cannot be used"),
        (f'[[strategy]]\nuse = "{STRATEGIES}:two_series"\nbars = "8h"', 4, "asks for bars of its own: 8h, 1d"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_named_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    file = tmp_path / "run.toml"
    strategy = "" if "[[strategy]]" in text else '\n[[strategy]]\nuse = "do_nothing"\n'
    file.write_text(f'data = ["{BTC}"]\n{text}\n{strategy}')
    with pytest.raises(ConfigError, match=says) as found:
        prepare(load_config(file, {}))
    assert str(found.value).startswith(f"{file}, line {line}: ")
    assert "\n" not in str(found.value)


def bars_of(out: Path, series: int = 0) -> np.ndarray:
    """The words of the bars of a series."""
    records = records_in(out)
    words = records["words"][records["kind"] == SERIES_BAR.kind]
    return words[words[:, SERIES_BAR.series] == series]


def test_bars_that_arrive_late_within_the_grace_make_the_same_bars(tmp_path: Path) -> None:
    """As when live: each finer bar comes up to a minute after its end; what one decides may differ, not the bars."""
    file = open_file(sample_root() / "coinbase" / "BTC-USD" / "bars-4h.parquet")
    columns = {name: values[:600].copy() for name, values in read_columns(file.path).items()}
    late_ns = np.random.default_rng(7).integers(0, 60 * 10**9, 600)
    for name, more in (("ontime", 0), ("late", late_ns)):
        metadata = msgspec.structs.replace(file.metadata, rows=600)
        write_file(tmp_path / name / "bars.parquet", metadata, {**columns, "ts": columns["ts_open"] + 4 * HOUR + more})
    settings = {"strategy": [{"use": "do_nothing"}], "bars": ["8h", "1d from 8h"]}
    run(tmp_path / "a", data=[str(tmp_path / "ontime")], **settings)
    run(tmp_path / "b", data=[str(tmp_path / "late")], bar_grace="1m", **settings)
    run(tmp_path / "c", data=[str(tmp_path / "late")], **settings)
    for series in (0, 1):
        on_time, late = bars_of(tmp_path / "a", series), bars_of(tmp_path / "b", series)
        assert len(on_time) > 90
        assert np.array_equal(on_time[: len(late)], late)
        assert len(on_time) - len(late) <= 1
    dropped = records_in(tmp_path / "c")
    dropped = dropped[dropped["kind"] == BAR_DROPPED.kind]
    assert len(dropped) > 100, "without the grace the last bar of each span comes too late, and the journal says so"
    assert not np.any(records_in(tmp_path / "b")["kind"] == BAR_DROPPED.kind)


def test_data_for_the_venue_alone_is_in_no_bar(tmp_path: Path) -> None:
    four = sample_root() / "coinbase" / "BTC-USD" / "bars-4h.parquet"
    make_bars([four], "12h", tmp_path / "bars.parquet", end="2017-01-01")
    settings = {"data": [str(tmp_path / "bars.parquet")], "strategy": [{"use": "ema_cross"}], "bars": "1d"}
    run(tmp_path / "plain", **settings)
    run(tmp_path / "finer", **settings, fill="intrabar", venue={"finer": [str(four)]}, to="2017-01-01")
    bars = bars_of(tmp_path / "plain")
    assert len(bars) > 200
    assert np.array_equal(bars_of(tmp_path / "finer"), bars)
    assert set(bars[1:, SERIES_BAR.input_count]) == {2}
    with pytest.raises(ConfigError, match="no trades of it, but bars"):
        prepare(config(**{**settings, "bars": "1d from trades"}))


def test_several_instruments_and_a_strategy_over_all_of_them(tmp_path: Path) -> None:
    data = [str(sample_root() / place) for place in ("coinbase", "oanda", "us")]
    settings = {"data": data, "strategy": [{"use": "momentum_rotation"}], "from": "2016-05-01", "to": "2018-01-01"}
    settings |= {"account": [{"name": "desk", "currency": "USD", "cash": 100_000}], "bars": "1d"}
    first = run(tmp_path / "first", **settings)
    assert run(tmp_path / "again", batch_rows=333, **settings) == first
    records = records_in(tmp_path / "first")
    bars = records[records["kind"] == SERIES_BAR.kind]
    assert {(int(one["instrument"]), int(one["words"][SERIES_BAR.series])) for one in bars} == {(0, 0), (1, 1), (2, 2)}
    assert np.all(np.diff(bars["ts_ingest_ns"]) >= 0)
    report = audit_journal(tmp_path / "first" / "journal", read_run(tmp_path / "first"))
    assert report.complete
