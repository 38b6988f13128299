"""Every problem a source may have: its rule, its row, and the repair that answers it."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from replay.catalogue import CatalogueError, ImportOptions, find_files, import_file
from tests.replay.catalogue.makers import OPTIONS, TICK_OPTIONS, bars_csv, csv_of

GOOD = "2024-01-02T10:02:00Z,102.25,104.5,101.75,103.0,12"

# The row that replaces row 3, the rule it breaks, and the repair that lets the file through (with rows left).
BAR_PROBLEMS = [
    ("off-grid-price", "2024-01-02T10:02:00Z,102.251,104.5,101.75,103.0,12", "round-to-tick", 6),
    ("off-grid-size", "2024-01-02T10:02:00Z,102.25,104.5,101.75,103.0,12.5", "round-to-tick", 6),
    ("unsorted", "2024-01-02T09:02:00Z,102.25,104.5,101.75,103.0,12", "sort", 6),
    ("duplicate", "2024-01-02T10:01:00Z,101.25,103.5,100.75,102.0,11", "drop-duplicates", 5),
    ("duplicate", "2024-01-02T10:01:00Z,102.25,104.5,101.75,103.0,12", "drop-duplicates=last", 5),
    ("nan", "2024-01-02T10:02:00Z,NaN,104.5,101.75,103.0,12", "drop-nan", 5),
    ("nan", "2024-01-02T10:02:00Z,inf,104.5,101.75,103.0,12", "drop-nan", 5),
    ("nan", "2024-01-02T10:02:00Z,102.25,104.5,101.75,103.0,", "drop-nan", 5),
    ("missing-time", ",102.25,104.5,101.75,103.0,12", "drop-nan", 5),
    ("non-positive", "2024-01-02T10:02:00Z,102.25,104.5,0,103.0,12", "drop-invalid", 5),
    ("negative-size", "2024-01-02T10:02:00Z,102.25,104.5,101.75,103.0,-12", "drop-invalid", 5),
    ("high-below-low", "2024-01-02T10:02:00Z,102.25,101.75,104.5,103.0,12", "clip-range", 6),
    ("high-below-low", "2024-01-02T10:02:00Z,102.25,101.75,104.5,103.0,12", "drop-invalid", 5),
    ("outside-range", "2024-01-02T10:02:00Z,105.25,104.5,101.75,103.0,12", "clip-range", 6),
    ("outside-range", "2024-01-02T10:02:00Z,102.25,104.5,101.75,101.0,12", "drop-invalid", 5),
    ("overflow", "2024-01-02T10:02:00Z,102.25,104.5,101.75,103.0,90000000000000001", "", 0),
]
GRID = msgspec.structs.replace(OPTIONS, tick_size="0.01", lot_size="1")


@pytest.mark.parametrize(("rule", "row", "repair", "left"), BAR_PROBLEMS)
def test_bar_problem_is_refused_and_repaired(tmp_path: Path, rule: str, row: str, repair: str, left: int) -> None:
    source = bars_csv(tmp_path / "bars.csv", {3: row})
    root = tmp_path / "root"
    with pytest.raises(CatalogueError) as failure:
        import_file(source, root, GRID)
    [problem] = [problem for problem in failure.value.problems if problem.severity == "error"]
    assert (problem.rule, problem.count, problem.rows) == (rule, 1, (3,))
    assert "\n" not in problem.line
    assert not list(find_files(root))
    if not repair:
        return
    report = import_file(source, root, msgspec.structs.replace(GRID, repairs=(repair,)))
    assert report.file.rows == left
    [done] = [done for done in report.repairs if done.rows]
    assert done.rule == repair
    assert report.file.metadata.repairs == report.repairs


def test_repair_rows_are_counted_and_nothing_else_changes(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "bars.csv", {3: BAR_PROBLEMS[0][1], 5: BAR_PROBLEMS[0][1].replace("02:00Z", "04:00Z")})
    report = import_file(source, tmp_path, msgspec.structs.replace(GRID, repairs=("round-to-tick", "sort")))
    assert {repair.rule: repair.rows for repair in report.repairs} == {"sort": 0, "round-to-tick": 2}


TICK_PROBLEMS = [
    ("side", "ts,price,size,side", ["1700000000,1.5,1,buy", "1700000001,1.5,1,up"], (2,)),
    ("unsorted", "ts,price,size", ["1700000001,1.5,1", "1700000000,1.5,1"], (2,)),
    ("nan", "ts,price,size", ["1700000001,1.5,1", "1700000002,,1"], (2,)),
    ("nan", "ts,price,size", ["1700000001,1.5,1", "1700000002,1.5,"], (2,)),
]


@pytest.mark.parametrize(("rule", "header", "rows", "bad"), TICK_PROBLEMS)
def test_tick_problem_is_refused(tmp_path: Path, rule: str, header: str, rows: list[str], bad: tuple[int, ...]) -> None:
    with pytest.raises(CatalogueError) as failure:
        import_file(csv_of(tmp_path / "ticks.csv", header, rows), tmp_path, TICK_OPTIONS)
    assert [(problem.rule, problem.rows) for problem in failure.value.problems] == [(rule, bad)]


def test_crossed_quotes_are_a_warning(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "q.csv", "ts,bid,ask", ["1700000000,1.5,1.6", "1700000001,1.7,1.6"])
    report = import_file(source, tmp_path, TICK_OPTIONS)
    assert [(problem.rule, problem.severity, problem.rows) for problem in report.problems] == [
        ("crossed", "warning", (2,))
    ]


def test_equal_times_are_legal_in_ticks(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "t.csv", "ts,price,size", ["1700000000,1.5,1"] * 3)
    assert import_file(source, tmp_path, TICK_OPTIONS).file.rows == 3


def test_gaps_are_information(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "bars.csv", {6: GOOD.replace("10:02", "12:00")})
    report = import_file(source, tmp_path, OPTIONS)
    [problem] = report.problems
    assert problem.severity == "information"
    assert "1 gap between bars, the largest 1h 55m after the bar of 2024-01-02T10:04:00Z" in problem.message
    assert report.file.metadata.gaps == 1


def test_a_wrong_interval_is_refused(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "bars.csv")
    with pytest.raises(CatalogueError, match="most are 1m apart"):
        import_file(source, tmp_path, msgspec.structs.replace(OPTIONS, interval="1h"))


def test_problems_of_several_sources_name_the_file(tmp_path: Path) -> None:
    first = bars_csv(tmp_path / "a.csv", count=3)
    second = csv_of(tmp_path / "b.csv", "ts,open,high,low,close,volume", [GOOD.replace("02:00Z", "05:00Z"), GOOD])
    with pytest.raises(CatalogueError, match=r"first in b\.csv \(1 row: 2\)"):
        import_file([first, second], tmp_path, OPTIONS)


BROKEN_FILES = [
    (b"", "x.csv", "the file is empty"),
    (b"\n\n", "x.csv", "the file is empty"),
    (b"ts,open,high,low,close\n", "x.csv", "there are no rows"),
    (b"", "x.parquet", "the file is empty"),
    (b"ts,open\n1,2\n", "x.parquet", "not a Parquet file"),
    (b"PAR1 and nothing more", "x.parquet", "truncated"),
    (b"PK\x03\x04rest", "x.zip", "zip archive"),
    ("ts,price,side\n1700000000,2,bué\n".encode("latin-1"), "x.csv", "not encoded as UTF-8"),
    ("zeit,öffnung\n1,2\n".encode("latin-1"), "x.csv", "not encoded as UTF-8"),
    ("ts,open,high,low,close\n".encode("utf-16"), "x.csv", "UTF-16"),
    (b"\x00\x01\x02binary", "x.csv", "binary data"),
    (b"1700000000,1,2,1,2,5\n1700000060,1,2,1,2,5\n", "x.csv", "no header line"),
    (b"ts,open,high,low\n1700000000,1,2,1\n", "x.csv", "neither bars, trades nor quotes"),
    (b"ts,open,high,low,close,vwap\n1700000000,1,2,1,2,1\n", "x.csv", "unknown columns vwap"),
    (b"ts,time,open,high,low,close\n1,1700000000,1,2,1,2\n", "x.csv", "could both be ts"),
    (b"ts,open,open,high,low,close\n1,1,1,2,1,2\n", "x.csv", "occurs twice"),
    (b"ts,open,high,low,close\n2024-01-02 10:00:00,1,2,1,2\n", "x.csv", "without a zone"),
    (b"ts,open,high,low,close\n2024-01-02,1,2,1,2\n", "x.csv", "without a zone"),
    (b"ts,open,high,low,close\n20240102,1,2,1,2\n", "x.csv", "YYYYMMDD"),
    (
        b"ts,open,high,low,close\n2024-01-02T00:00:00Z,1,2,1,2\nsoon,1,2,1,2\n",
        "x.csv",
        "with and without a zone",
    ),
    (b"ts,open,high,low,close\n02/01/2024,1,2,1,2\n", "x.csv", "row 1: '02/01/2024' is no time"),
    (b"ts,open,high,low,close\n1700000000,1,2,1,2\n1700000060,1,2,1\n", "x.csv", "row 2"),
    (
        b"ts,open,high,low,close\n1700000000,1,2,1,2\n1700000060,1,2,1,two\n",
        "x.csv",
        "row 2: 'two' is no number",
    ),
]


@pytest.mark.parametrize(("content", "name", "message"), BROKEN_FILES)
def test_broken_file_is_one_clear_line(tmp_path: Path, content: bytes, name: str, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CatalogueError) as failure:
        import_file(path, tmp_path / "root", ImportOptions(venue="test", symbol="X", interval="1m"))
    assert message in str(failure.value)
    assert "\n" not in str(failure.value)
    assert not (tmp_path / "root").exists()


def test_truncated_parquet_is_refused_at_every_cut(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"ts": np.arange(50) + 1_700_000_000, "price": np.arange(50) + 0.5}), whole)
    content = whole.read_bytes()
    cut = tmp_path / "cut.parquet"
    for size in range(1, len(content), 61):
        cut.write_bytes(content[:size])
        with pytest.raises(CatalogueError):
            import_file(cut, tmp_path / "root", TICK_OPTIONS)


WRONG_OPTIONS = [
    ({"venue": ""}, "give --venue"),
    ({"venue": "a/b"}, "letters, digits"),
    ({"symbol": ".."}, "cannot name a directory"),
    ({"interval": "1x"}, "not an interval"),
    ({"tick_size": "-1"}, "--tick-size"),
    ({"lot_size": "much"}, "--lot-size"),
    ({"repairs": ("magic",)}, "unknown repair magic"),
    ({"repairs": ("round-to-tick",)}, "needs --tick-size"),
    ({"columns": {"open": "Nope"}}, "--column names 'Nope'"),
    ({"columns": {"nope": "open"}}, "no such field"),
    ({"timezone": "Mars/Base", "header": ()}, ""),
    ({"replace": True, "append": True}, "exclude each other"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_OPTIONS)
def test_wrong_option_is_one_clear_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    source = bars_csv(tmp_path / "bars.csv")
    options = msgspec.structs.replace(OPTIONS, **change)
    if not message:  # a zone that is not needed is not looked up
        import_file(source, tmp_path, options)
        return
    with pytest.raises(CatalogueError, match=message):
        import_file(source, tmp_path, options)
