"""Depth into the catalogue: columns, messages and snapshots, every refusal, and the tape."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kernel.market import DEPTH, ROW, TRADE
from replay.catalogue import CatalogueError, ImportOptions, ImportReport, import_file, open_file, write_file
from replay.catalogue.files import read_columns
from replay.catalogue.validate import validate_file
from replay.tape import Tape
from tests.replay.catalogue.makers import TICK_OPTIONS, catalogue_file, csv_of, metadata_of

DEPTH_OPTIONS = msgspec.structs.replace(TICK_OPTIONS, kind="depth", tick_size="0.1", lot_size="0.001")


def imported(path: Path, header: str, rows: list[str], **changes: object) -> ImportReport:
    return import_file(csv_of(path / "d.csv", header, rows), path, msgspec.structs.replace(DEPTH_OPTIONS, **changes))


def flags_of(report: ImportReport) -> list[int]:
    return read_columns(report.file.path)["flags"].tolist()


def test_a_level_is_its_side_price_and_size(tmp_path: Path) -> None:
    rows = ["1700000000,bid,100.5,0.25", "1700000000,ask,100.6,0", "1700000001,sell,100.7,3"]
    report = imported(tmp_path, "ts,side,price,qty", rows)
    columns = read_columns(report.file.path)
    assert (report.file.kind, report.file.path.name, report.file.volume_known) == (DEPTH, "depth.parquet", True)
    assert columns["side"].tolist() == [1, -1, -1]
    assert columns["price"].tolist() == [1005, 1006, 1007]
    assert columns["quantity"].tolist() == [250, 0, 3000]
    assert columns["flags"].tolist() == [0, 2, 2]


T0, T1, T2 = "1700000000", "1700000001", "1700000002"
MESSAGES = [
    ("ts,side,price,qty", [f"{T0},b,1,1", f"{T0},a,2,1", f"{T1},a,3,1"], [0, 2, 2]),
    ("ts,side,price,qty,update_id", [f"{T0},b,1,1,7", f"{T0},a,2,1,8", f"{T0},a,3,1,8"], [2, 0, 2]),
    ("ts,side,price,qty,last_id", [f"{T0},b,1,1,x", f"{T1},a,2,1,x", f"{T1},a,3,1,x"], [2, 0, 2]),
    (
        "ts,side,price,qty,is_snapshot",
        [f"{T0},b,1,1,true", f"{T0},a,2,1,true", f"{T0},a,3,1,false", f"{T1},b,1,1,true", f"{T2},b,1,0,true"],
        [1, 2, 2, 3, 2],
    ),
    ("ts,side,price,qty,flags", [f"{T0},b,1,1,1", f"{T1},a,2,1,0", f"{T1},a,3,1,2", f"{T1},a,3,1,0"], [1, 0, 2, 0]),
    ("ts,side,price,qty,flags", [f"{T0},b,1,1,3", f"{T0},a,2,1,3"], [3, 3]),
]


@pytest.mark.parametrize(("header", "rows", "expected"), MESSAGES)
def test_messages_and_snapshots(tmp_path: Path, header: str, rows: list[str], expected: list[int]) -> None:
    assert flags_of(imported(tmp_path, header, rows)) == expected


def test_a_dropped_row_keeps_its_flags_in_the_message(tmp_path: Path) -> None:
    rows = [f"{T0},b,nan,1,1", f"{T0},a,2,1,0", f"{T0},a,3,1,0", f"{T0},a,,1,2", f"{T1},a,3,1,2"]
    report = imported(tmp_path, "ts,side,price,qty,flags", rows, repairs=("drop-nan",))
    assert flags_of(report) == [1, 2, 2]


def test_deletes_alone_are_depth(tmp_path: Path) -> None:
    report = imported(tmp_path, "ts,side,price,qty", [f"{T0},b,1,0", f"{T1},b,2,0"])
    assert read_columns(report.file.path)["quantity"].tolist() == [0, 0]


PROBLEMS = [
    ("side", "ts,side,price,qty", [f"{T0},b,1,1", f"{T0},up,1,1", f"{T0},,1,1"], (2, 3)),
    ("flags", "ts,side,price,qty,flags", [f"{T0},b,1,1,0", f"{T0},b,1,1,4", f"{T0},b,1,1,0.5"], (2, 3)),
    ("flags", "ts,side,price,qty,is_snapshot", [f"{T0},b,1,1,0", f"{T0},b,1,1,maybe"], (2,)),
    ("off-grid-price", "ts,side,price,qty", [f"{T0},b,1.05,1"], (1,)),
    ("off-grid-size", "ts,side,price,qty", [f"{T0},b,1,0.0005"], (1,)),
    ("non-positive", "ts,side,price,qty", [f"{T0},b,0,0"], (1,)),
    ("negative-size", "ts,side,price,qty", [f"{T0},b,1,-1"], (1,)),
    ("nan", "ts,side,price,qty", [f"{T0},b,1,"], (1,)),
    ("nan", "ts,side,price,qty", [f"{T0},b,,1", f"{T0},b,1,1"], (1,)),
    ("unsorted", "ts,side,price,qty", [f"{T1},b,1,1", f"{T0},b,1,1"], (2,)),
]


@pytest.mark.parametrize(("rule", "header", "rows", "bad"), PROBLEMS)
def test_problems_are_refused(tmp_path: Path, rule: str, header: str, rows: list[str], bad: tuple[int, ...]) -> None:
    with pytest.raises(CatalogueError) as failure:
        imported(tmp_path, header, rows)
    assert [(problem.rule, problem.rows) for problem in failure.value.problems] == [(rule, bad)]


@pytest.mark.parametrize(("rule", "header", "rows", "bad"), [row for row in PROBLEMS if row[0] in ("side", "flags")])
def test_bad_words_can_be_dropped(
    tmp_path: Path, rule: str, header: str, rows: list[str], bad: tuple[int, ...]
) -> None:
    assert imported(tmp_path, header, rows, repairs=("drop-invalid",)).file.rows == len(rows) - len(bad)


def test_a_crossed_order_book_is_a_warning(tmp_path: Path) -> None:
    rows = [f"{T0},b,1,1", f"{T0},a,2,1", f"{T1},b,3,1", f"{T1},a,2,0", f"{T2},b,5,1", f"{T2},a,4,1"]
    report = imported(tmp_path, "ts,side,price,qty", rows)
    expected = [("crossed", "warning", (6,))]
    assert [(problem.rule, problem.severity, problem.rows) for problem in report.problems] == expected
    found = validate_file(report.file.path)[1]
    assert [(problem.rule, problem.severity, problem.rows) for problem in found] == expected


def test_depth_is_never_guessed(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "d.csv", "ts,side,price,qty", [f"{T0},b,1,1"])
    assert import_file(source, tmp_path, TICK_OPTIONS).file.kind == TRADE


def test_the_metadata_of_a_source_says_that_it_is_depth(tmp_path: Path) -> None:
    table = pa.table({"ts": [1_700_000_000], "side": ["bid"], "price": [1.5], "qty": [2.0]})
    pq.write_table(table.replace_schema_metadata({"kind": "depth"}), tmp_path / "d")
    assert import_file(tmp_path / "d", tmp_path, TICK_OPTIONS).file.kind == DEPTH


def test_several_sources_and_appending_are_one_file(tmp_path: Path) -> None:
    header = "ts,side,price,qty,flags"
    first = csv_of(tmp_path / "1.csv", header, [f"{T0},b,1,1,1", f"{T0},a,2,1,2"])
    second = csv_of(tmp_path / "2.csv", header, [f"{T1},b,1,1,0", f"{T1},a,2,1,2"])
    whole = import_file([first, second], tmp_path / "whole", DEPTH_OPTIONS)
    import_file(first, tmp_path / "parts", DEPTH_OPTIONS)
    parts = import_file(second, tmp_path / "parts", msgspec.structs.replace(DEPTH_OPTIONS, append=True))
    assert flags_of(whole) == flags_of(parts) == [1, 2, 0, 2]
    assert validate_file(parts.file.path)[1] == []


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [("side", 0, "side"), ("flags", 4, "flags"), ("flags", -1, "flags"), ("quantity", -1, "unknown-size"),
     ("quantity", -2, "negative-size"), ("price", 0, "non-positive")],
)  # fmt: skip
def test_validation_of_stored_depth(tmp_path: Path, column: str, value: int, rule: str) -> None:
    columns = {"ts": [1, 2], "side": [1, -1], "price": [5, 6], "quantity": [0, 7], "flags": [1, 2]}
    good = {name: np.array(values) for name, values in columns.items()}
    path = write_file(tmp_path / "depth.parquet", metadata_of(DEPTH), good).path
    assert validate_file(path)[1] == []
    good[column][1] = value
    write_file(path, metadata_of(DEPTH), good)
    assert [problem.rule for problem in validate_file(path)[1]] == [rule]


def test_depth_comes_before_quotes_trades_and_bars_of_its_time(tmp_path: Path) -> None:
    files = [catalogue_file(tmp_path / f"{kind}.parquet", kind, [5, 5]) for kind in (1, 2, 3, DEPTH)]
    rows = np.concatenate([batch.copy() for batch in Tape(files, {"test/ABC-USD": 0})])
    assert rows.dtype == ROW
    assert rows["kind"].tolist() == [4, 4, 3, 3, 2, 2, 1, 1]
    depth = read_columns(files[-1].path)
    words = np.stack([depth[name] for name in ("side", "price", "quantity", "flags")], 1)
    assert np.array_equal(rows["words"][:2, :4], words)


def test_options_that_are_for_bars_are_refused(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "d.csv", "ts,side,price,qty", [f"{T0},b,1,1"])
    for wrong in ({"interval": "1m"}, {"ts_label": "open"}, {"repairs": ("clip-range",)}):
        with pytest.raises(CatalogueError, match="bars only"):
            import_file(source, tmp_path, msgspec.structs.replace(DEPTH_OPTIONS, **wrong))


def test_the_file_opens_again(tmp_path: Path) -> None:
    report = imported(tmp_path, "ts,side,price,qty", [f"{T0},b,1,1"])
    assert open_file(report.file.path) == report.file
    assert ImportOptions(kind="depth").recorded() == {"kind": "depth"}
