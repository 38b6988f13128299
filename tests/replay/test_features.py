"""Features in a run: what a strategy reads, what is recorded and what is written for research are the same numbers."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from kernel.cli import cli
from kernel.events.layout import FEATURE_VECTOR, FEATURES
from kernel.features import parse_feature
from kernel.strategy.declare import StrategyError
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.inspect.feature_phrases import real
from replay.loading import find_strategy, load_universe
from replay.research import feature_tables
from replay.runner import audit_journal, read_run, resume_backtest, run_backtest
from replay.sample import sample_root
from tests.replay.runs import SPY, config, records_in, run

HERE = Path(__file__).with_name("feature_strategies.py")
BTC = str(sample_root() / "coinbase" / "BTC-USD" / "bars-4h.parquet")
SET = ["ema(12)", "macd", "atr(5)@4h", "sma(3)@1d"]
SPAN = {"from": "1998-01-02", "to": "1998-06-01"}


def vectors(out: Path, series: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of what was recorded of one series; the vectors of one bar joined."""
    records = records_in(out)
    mine = records[(records["kind"] == FEATURE_VECTOR.kind) & (records["words"][:, FEATURE_VECTOR.series] == series)]
    rows: list[list[float]] = []
    times = []
    for record in mine:
        words = record["words"].tolist()
        if words[FEATURE_VECTOR.first] == 0:
            times.append(int(record["ts_event_ns"]))
            rows.append([])
        count = words[FEATURE_VECTOR.value_count]
        rows[-1] += [real(word) for word in words[FEATURE_VECTOR.value_0 :][:count]]
    return np.array(times), np.array(rows)


def table_of(names: list[str], **span: str) -> dict[str, np.ndarray]:
    prepared = prepare(config(**span))
    start, end = (np.datetime64(span[name], "ns").astype(int) for name in ("from", "to"))
    (table,) = feature_tables(
        load_universe(prepared.config.data), [parse_feature(name) for name in names], "", int(start), int(end)
    )
    return {"ts_ns": table.ts_ns, **table.columns}


def test_recorded_values_are_those_of_research(tmp_path: Path) -> None:
    run(tmp_path / "run", features={"set": SET}, strategy=[{"use": "do_nothing"}], **SPAN)
    table = table_of(SET, **SPAN)
    times, values = vectors(tmp_path / "run", -1)
    assert np.array_equal(times, table["ts_ns"])
    for at, name in enumerate(("ema(period=12)", "macd.macd", "macd.signal", "macd.histogram")):
        assert np.array_equal(values[:, at], table[name], equal_nan=True)
    assert np.isfinite(values[100:]).all()
    for series, name in ((0, "atr(period=5)@4h"), (1, "sma(period=3)@1d")):
        closed, of_series = vectors(tmp_path / "run", series)
        last = np.searchsorted(closed, table["ts_ns"]) - 1  # strictly before: a bar is heard before longer ones close
        expected = np.where(last >= 0, of_series[last, 0], np.nan)
        assert np.array_equal(table[name], expected, equal_nan=True), name
        assert np.isfinite(expected[100:]).all()


def test_a_strategy_reads_what_research_has(tmp_path: Path) -> None:
    cls = find_strategy(f"{HERE}:Asks")[0]
    cls.seen.clear()
    run(tmp_path / "run", strategy=[{"use": f"{HERE}:Asks"}], **SPAN)
    seen = np.array(cls.seen)
    table = table_of(SET, **SPAN)
    assert len(seen) == len(table["ts_ns"])
    for at, (name, column) in enumerate(table.items()):
        assert np.array_equal(seen[:, at], column, equal_nan=True), name


def test_features_give_what_steps_in_own_memory_gave(tmp_path: Path) -> None:
    """The compiled one, its twin in plain Python and the built-in decide alike; the first two have the same root."""
    found = [
        run(tmp_path / str(at), strategy=[{"use": use}], **SPAN)
        for at, use in enumerate((f"{HERE}:cross", f"{HERE}:Cross", "ema_cross"))
    ]
    assert len({one["result_hash"] for one in found}) == 1
    assert found[0]["journal_root"] == found[1]["journal_root"]
    assert found[0]["fills"] > 10


def test_modes_batches_and_an_audit_agree(tmp_path: Path) -> None:
    settings = {"features": {"set": SET}, "strategy": [{"use": f"{HERE}:cross"}], "digest_interval": 500, **SPAN}
    found = [
        run(tmp_path / "reference", **settings),
        run(tmp_path / "full", journal="full", **settings),
        run(tmp_path / "batches", batch_rows=7, **settings),
    ]
    assert found[0]["journal_root"] == found[2]["journal_root"]
    assert len({one["result_hash"] for one in found}) == 1
    for series in (-1, 0, 1):
        here, there = (vectors(tmp_path / name, series) for name in ("reference", "full"))
        assert np.array_equal(here[0], there[0])
        assert here[1].tobytes() == there[1].tobytes()
    report = audit_journal(tmp_path / "reference" / "journal", read_run(tmp_path / "reference"))
    assert report.complete
    assert report.result_hash == found[0]["result_hash"]


def test_a_run_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    settings = {"features": {"set": SET}, "strategy": [{"use": f"{HERE}:cross"}], **SPAN}
    whole = run(tmp_path / "whole", **settings)
    asked = iter([False] * 5 + [True] * 1000)
    interrupted = run_backtest(
        prepare(config(**settings)), tmp_path / "run", batch_rows=50, should_stop=lambda: next(asked)
    )
    assert not interrupted.completed
    resumed = resume_backtest(tmp_path / "run")
    assert resumed.result_hash == whole["result_hash"]
    assert audit_journal(tmp_path / "run" / "journal", read_run(tmp_path / "run")).complete
    for series in (-1, 0, 1):
        here, there = (vectors(tmp_path / name, series) for name in ("whole", "run"))
        assert np.array_equal(here[0], there[0])
        assert here[1].tobytes() == there[1].tobytes()


def test_several_instruments_and_another_ones_features(tmp_path: Path) -> None:
    span = {"from": "2017-09-01", "to": "2017-12-01"}
    found = run(tmp_path / "run", data=[SPY, BTC], strategy=[{"use": f"{HERE}:stronger"}], **span)
    assert found["fills"] > 10
    assert not (records_in(tmp_path / "run")["kind"] == FEATURE_VECTOR.kind).any()
    report = audit_journal(tmp_path / "run" / "journal", read_run(tmp_path / "run"))
    assert report.complete


def test_what_strategies_read_is_recorded_when_it_is_asked_for(tmp_path: Path) -> None:
    run(tmp_path / "run", features={"record": True}, strategy=[{"use": f"{HERE}:cross"}], **SPAN)
    _, values = vectors(tmp_path / "run", -1)
    assert values.shape[1] == 2
    run(tmp_path / "off", features={"set": SET, "record": False}, strategy=[{"use": f"{HERE}:cross"}], **SPAN)
    assert not np.isin(records_in(tmp_path / "off")["kind"], (FEATURE_VECTOR.kind, FEATURES.kind)).any()


def test_the_warm_up_follows_from_the_features() -> None:
    cross, stronger = (find_strategy(f"{HERE}:{name}")[0] for name in ("cross", "stronger"))
    assert cross.warm_up_bars({"fast": 12, "slow": 26}) == 25
    assert cross.warm_up_bars({"fast": 12, "slow": 50}) == 49
    assert stronger.warm_up_bars({}) == 5


def test_a_strategy_that_asks_for_what_there_is_not_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "asks.py"
    for features, message in (('("emaa(3)",)', "did you mean ema?"), ('"ema(0)"', "is not from 1")):
        file.write_text(
            "from kernel.strategy.declare import compiled\n\n"
            f"@compiled(features={features})\ndef asks(ctx, own):\n    pass\n",
            encoding="utf-8",
        )
        with pytest.raises(StrategyError) as found:
            prepare(config(strategy=[{"use": str(file)}]))
        assert str(found.value).startswith("strategy asks: feature ")
        assert message in str(found.value)
        assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('set = ["ema(12)", "emaa"]', "run.toml, line 3: features.set cannot be used: feature 'emaa': no indicator"),
        ('set = ["ema@7m"]', "is not a multiple"),
        ("recrd = true", "did you mean features.record"),
    ],
)
def test_a_wrong_setting_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f'data = ["{SPY}"]\n[features]\n{text}\n[[strategy]]\nuse = "ema_cross"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as found:
        prepare(load_config(file, {}))
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_what_the_data_lacks_is_refused() -> None:
    quotes = str(sample_root() / "binance-perp" / "BTCUSDT" / "quotes.parquet")
    with pytest.raises(ConfigError, match=r"has no bars of .*; name a series, as in ema@1m"):
        prepare(config(data=[quotes], strategy=[{"use": f"{HERE}:cross"}]))
    with pytest.raises(ConfigError, match="cannot be computed: it takes the volume"):
        prepare(config(data=[quotes], features={"set": ["obv@1m"]}))
    prepare(config(data=[quotes], features={"set": ["ema(3)@1m"]}))


def kernel(*arguments: str):
    return CliRunner().invoke(cli, list(arguments))


def test_the_command_writes_parquet(tmp_path: Path) -> None:
    out, names = tmp_path / "deep" / "f.parquet", tmp_path / "names.txt"
    names.write_text("ema(12) # the quick one\nmacd.signal, rsi(5)@1d\n", encoding="utf-8")
    done = kernel("features", SPY, BTC, "--set", str(names), "--to", "2017-01-01", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert done.output.startswith("3 features, ")
    assert " rows of 2 instruments, 1998-01-02 15:00:00 to " in done.output
    found = pq.read_table(out)
    assert found.column_names == ["ts", "instrument", "ema(period=12)", "macd.signal", "rsi(period=5)@1d"]
    assert set(found["instrument"].to_pylist()) == {"us/SPY", "coinbase/BTC-USD"}
    table = table_of(["ema(12)"], **{"from": "1998-01-01", "to": "2017-01-01"})
    mine = found.filter(np.array(found["instrument"].to_pylist()) == "us/SPY")
    assert np.array_equal(mine["ema(period=12)"].to_numpy(), table["ema(period=12)"], equal_nan=True)
    assert np.array_equal(mine["ts"].cast("int64").to_numpy(), table["ts_ns"])
    done = kernel("features", SPY, "--set", "ema(3)", "--bars", "1d", "--out", str(out), "--to", "1998-06-01", "--json")
    told = json.loads(done.output)
    assert told["columns"] == ["ema(period=3)@1d"]
    assert 90 < told["rows"] < 110


def test_a_wrong_name_is_one_line() -> None:
    for text, message in (("emaa", "did you mean ema?"), ("ema@x", "no such rule"), (" , ", "names no feature")):
        done = kernel("features", SPY, "--set", text)
        assert done.exit_code == 2
        assert message in done.output
        assert len(done.output.splitlines()) == 1


def test_show_and_sql_tell_the_numbers(tmp_path: Path) -> None:
    run(tmp_path / "run", features={"set": ["macd", "sma(3)"]}, strategy=[{"use": "do_nothing"}], **SPAN)
    shown = kernel("show", str(tmp_path / "run"), "--data", SPY).output
    assert "bars of the data: macd.macd, macd.signal, macd.histogram, sma(period=3)" in shown
    _, values = vectors(tmp_path / "run", -1)
    assert f"macd.histogram {values[40, 2]:.10g}, sma(period=3) {values[40, 3]:.10g}" in shown
    query = "select value_3_real, value_4_real from feature_vector order by sequence limit 1 offset 40"
    done = kernel("sql", str(tmp_path / "run"), query, "--data", SPY, "--format", "json")
    told = json.loads(done.output.splitlines()[0])
    assert list(told.values()) == [values[40, 3], None]
