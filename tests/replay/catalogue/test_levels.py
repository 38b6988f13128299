"""Levels: a volatility index, daily volumes, earnings and measures of options, from a source to the rows of a run."""

import numpy as np
import pytest

from kernel.market import LEVEL, LEVEL_NAMES
from replay.catalogue import CatalogueError
from replay.catalogue.files import read_columns, write_file
from replay.catalogue.importer import import_file
from replay.catalogue.options import ImportOptions
from replay.catalogue.validate import validate_file
from replay.config import ConfigError
from replay.loading import load_universe
from replay.tape import Tape

BARS = "ts,open,high,low,close,volume\n2023-11-22T14:30:00Z,100,101,99,100,10\n2023-11-22T15:00:00Z,100,101,99,101,10\n"
LEVELS = """ts,vix,adv,earnings,greek
2023-11-22T14:00:00Z,12.85,1234567.9,2024-02-01T21:00:00Z,-0.5
2023-11-22T15:00:00Z,13.1,,,
2023-11-22T15:00:00Z,,2000000,,0.25
"""


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.fixture
def importing(tmp_path):
    """Imports levels beside two bars of us/SPY."""
    source = tmp_path / "bars.csv"
    source.write_text(BARS)
    import_file(
        source, tmp_path / "root", ImportOptions(venue="us", symbol="SPY", interval="30m", currency="USD", lot_size="1")
    )

    def call(text: str, **options):
        file = tmp_path / "levels.csv"
        file.write_text(text)
        told = {"venue": "us", "symbol": "SPY", "kind": "levels", **options}
        return import_file(file, tmp_path / "root", ImportOptions(**told))

    return call


def test_each_cell_is_a_row_and_exact(importing):
    report = importing(LEVELS)
    columns = read_columns(report.file.path)
    assert report.file.path.name == "levels.parquet"
    assert (report.file.kind, report.rows_read, report.rows_imported) == (LEVEL, 3, 7)
    rows = list(zip(*(columns[name].tolist() for name in ("ts", "level", "value")), strict=True))
    first, second = ns("2023-11-22T14:00"), ns("2023-11-22T15:00")
    assert rows == [
        (first, 1, 1_285_000_000), (first, 2, 1_234_567), (first, 3, ns("2024-02-01T21:00")), (first, 4, -50_000_000),
        (second, 1, 1_310_000_000), (second, 2, 2_000_000), (second, 4, 25_000_000),
    ]  # fmt: skip
    assert report.file.instrument.tick_size == "1", "that of the prices"


def test_the_time_of_news_is_a_level_too(importing):
    columns = read_columns(importing("ts,news\n2023-11-22T14:00:00Z,2023-11-22T18:30:00Z\n").file.path)
    assert (columns["level"].tolist(), columns["value"].tolist()) == ([5], [ns("2023-11-22T18:30")])


def test_dates_of_earnings_need_a_zone(importing):
    text = "ts,earnings\n2023-11-22T14:00:00Z,2024-02-01\n"
    with pytest.raises(CatalogueError, match="zone"):
        importing(text)
    columns = read_columns(importing(text, timezone="America/New_York").file.path)
    assert columns["value"].tolist() == [ns("2024-02-01T05:00")]


def test_later_levels_are_appended(importing):
    importing(LEVELS)
    with pytest.raises(CatalogueError, match="exists already"):
        importing(LEVELS)
    more = importing("ts,vix\n2023-11-23T14:00:00Z,14\n", append=True)
    assert (more.file.rows, more.rows_imported) == (8, 1)
    assert importing(LEVELS, replace=True).file.rows == 7


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("ts,vix\n2023-11-22T14:00:00Z,-1\n", {}, "vix below zero (1 row: 1)"),
        ("ts,vix\n2023-11-22T14:00:00Z,1.123456789\n", {}, "too many digits to be exact"),
        ("ts,adv\n2023-11-22T14:00:00Z,1e300\n", {}, "average_daily_volume is too large"),
        ("ts,vix\n2023-11-22T15:00:00Z,1\n2023-11-22T14:00:00Z,2\n", {}, "times run backwards (1 row: 2)"),
        ("ts,vix\n,1\n2023-11-22T14:00:00Z,2\n", {}, "rows without a time (1 row: 1)"),
        ("ts,vix\n2023-11-22T14:00:00Z,\n", {}, "every cell is empty"),
        ("ts,other\n2023-11-22T14:00:00Z,3\n", {}, "unknown columns other"),
        ("ts,other\n2023-11-22T14:00:00Z,3\n", {"ignore_unknown": True}, "no column of levels; they are vix"),
        (LEVELS, {"interval": "1m"}, "--interval has no meaning for levels"),
        (LEVELS, {"repairs": ("sort",)}, "--repair has no meaning for levels"),
        (LEVELS, {"symbol": "VIX"}, "holds no prices of us/VIX; import them first"),
    ],
)
def test_what_cannot_be_used_is_refused(importing, text, options, message):
    with pytest.raises(CatalogueError) as found:
        importing(text, **options)
    assert message in str(found.value)


def test_a_stored_file_is_validated(importing):
    path = importing(LEVELS).file.path
    file, problems = validate_file(path)
    assert problems == []
    columns = {name: column.copy() for name, column in read_columns(path).items()}
    columns["level"][0], columns["value"][1] = 9, -3
    write_file(path, file.metadata, columns)
    assert {problem.rule for problem in validate_file(path)[1]} == {"level", "level-value"}
    assert set(LEVEL_NAMES) == {1, 2, 3, 4, 5, 6}


def test_levels_are_on_the_tape_before_the_bar_of_their_time(importing, tmp_path):
    importing(LEVELS)
    universe = load_universe([str(tmp_path / "root")])
    rows = [row for batch in Tape(universe.files, universe.ids) for row in batch]
    assert [(int(row["kind"]), int(row["words"][0])) for row in rows] == [
        (LEVEL, 1), (LEVEL, 2), (LEVEL, 3), (LEVEL, 4), (LEVEL, 1), (LEVEL, 2), (LEVEL, 4), (1, 100), (1, 100),
    ]  # fmt: skip


def test_levels_without_prices_are_refused(importing, tmp_path):
    path = importing(LEVELS).file.path
    with pytest.raises(ConfigError, match="there are levels for us/SPY, but no prices"):
        load_universe([str(path)])
