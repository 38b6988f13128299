"""Bars of the packaged data: against SQL over the same files, against a run, and against the stored tables."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from kernel.cli.data import data as data_command
from kernel.events.layout import SERIES_BAR
from replay.catalogue import CatalogueError
from replay.catalogue.files import read_columns
from replay.catalogue.validate import validate_file
from replay.make_bars import make_bars
from replay.sample import sample_root
from tests.replay.golden_bars import BTC, CASES, FILE, TICKS, all_outcomes
from tests.replay.runs import records_in, run

SECOND = 10**9
BARS = sample_root() / BTC / "bars-4h.parquet"
TRADES = sample_root() / TICKS / "trades.parquet"


def by_sql(file: Path, columns: str, length_ns: int, begins: str) -> np.ndarray:
    return np.array(duckdb.sql(
        f"SELECT {begins} // {length_ns} * {length_ns} AS begin, {columns} "
        f"FROM (SELECT *, row_number() OVER () AS place FROM '{file}') GROUP BY begin ORDER BY begin"
    ).fetchall())  # fmt: skip


@pytest.mark.parametrize("hours", [8, 12, 24])
def test_time_bars_of_bars_equal_those_of_sql(tmp_path: Path, hours: int) -> None:
    made = make_bars([BARS], f"{hours}h", tmp_path / "bars.parquet")
    found = read_columns(made.file.path)
    columns = "arg_min(open, place), max(high), min(low), arg_max(close, place), sum(volume)"
    wanted = by_sql(BARS, columns, hours * 3600 * SECOND, "ts_open")[: made.file.rows]
    names = ("ts_open", "open", "high", "low", "close", "volume")
    assert np.array_equal(np.column_stack([found[name] for name in names]), wanted)
    assert made.file.rows > 3000


def test_time_bars_of_trades_equal_those_of_sql(tmp_path: Path) -> None:
    made = make_bars([TRADES], "5s", tmp_path / "bars.parquet")
    found = read_columns(made.file.path)
    columns = "arg_min(price, place), max(price), min(price), arg_max(price, place), sum(quantity)"
    wanted = by_sql(TRADES, columns, 5 * SECOND, "ts")[: made.file.rows]
    names = ("ts_open", "open", "high", "low", "close", "volume")
    assert np.array_equal(np.column_stack([found[name] for name in names]), wanted)
    assert made.file.rows > 50


@pytest.mark.parametrize("rule", ["1d", "renko 20000", "heikin-ashi 12h"])
def test_the_file_holds_the_bars_of_a_run(tmp_path: Path, rule: str) -> None:
    run(tmp_path / "run", data=[str(BARS)], series=[{"rule": rule}], strategy=[{"use": "do_nothing"}])
    records = records_in(tmp_path / "run")
    words = records["words"][records["kind"] == SERIES_BAR.kind]
    words = words[words[:, SERIES_BAR.series] == words[:, SERIES_BAR.series].max()]  # what it is made of comes before
    found = read_columns(make_bars([BARS], rule, tmp_path / "bars.parquet").file.path)
    for name, word in (("open", 0), ("high", 1), ("low", 2), ("close", 3), ("volume", 4), ("ts_open", 5), ("ts", 6)):
        assert np.array_equal(found[name], words[:, word])


def test_a_file_of_bars_is_sound_and_can_be_run_on(tmp_path: Path) -> None:
    for rule in ("1d", "renko 20000"):
        file = tmp_path / rule.split()[0] / "bars.parquet"
        make_bars([BARS], rule, file)
        assert [problem.line for problem in validate_file(file)[1] if problem.severity == "error"] == []
        assert run(tmp_path / f"run-{file.parent.name}", data=[str(file)])["fills"] > 10
    quotes = tmp_path / "quotes.parquet"
    made = make_bars([sample_root() / TICKS / "quotes.parquet"], "1s", quotes)
    assert not made.file.volume_known
    assert [problem.line for problem in validate_file(quotes)[1] if problem.severity == "error"] == []


def test_golden_tables() -> None:
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert all_outcomes() == stored, "if the change is meant, run: python -m tests.replay.golden_bars"
    assert sum(len(rules) for rules in CASES.values()) == len(stored)
    assert all(one["bars"] > 1 for one in stored.values())


def test_the_command(tmp_path: Path) -> None:
    def call(*arguments: object) -> tuple[int, str, str]:
        done = CliRunner().invoke(data_command, ["bars", *map(str, arguments)])
        return done.exit_code, done.stdout, done.stderr

    out = tmp_path / "day.parquet"
    code, shown, told = call(BARS, "--rule", "1d", "--out", out, "--to", "2017-01-01")
    assert (code, shown) == (0, f"{out}: 227 rows\n")
    assert told.startswith("1d of coinbase/BTC-USD: 1 bar with gaps, 0 inputs late")
    code, _, told = call(BARS, "--rule", "1d", "--out", out)
    assert code == 1
    assert "exists already: add --replace" in told
    code, shown, _ = call(BARS, "--rule", "1d", "--out", out, "--replace", "--json")
    assert json.loads(shown)["series"]["bars"] == json.loads(shown)["rows"]


@pytest.mark.parametrize(
    ("paths", "rule", "says"),
    [
        ([BARS], "90m", "of which 90m is not a multiple"),
        ([BARS], "4 h", "no such rule"),
        ([BARS], "400d", "longer than 366 days"),
        ([sample_root()], "1d", "of 4 instruments"),
        ([BARS], "100000 ticks", "there are no rows to write"),
    ],
)
def test_what_makes_no_bars_is_refused_in_one_line(tmp_path: Path, paths: list[Path], rule: str, says: str) -> None:
    with pytest.raises(CatalogueError, match=says) as found:
        make_bars(paths, rule, tmp_path / "bars.parquet")
    assert "\n" not in str(found.value)
    assert not (tmp_path / "bars.parquet").exists()
