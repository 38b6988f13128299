"""Files on disk: names, metadata, replacing, appending, damage, and imports that are killed half-way."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from kernel.market import BAR, TRADE
from replay.catalogue import (
    CatalogueError,
    CatalogueWriter,
    ImportOptions,
    catalogue_path,
    file_sha256,
    find_files,
    import_file,
    open_file,
    validate_file,
)
from replay.catalogue import files as files_module
from replay.catalogue.files import read_columns
from replay.catalogue.intervals import format_interval, parse_interval
from replay.catalogue.model import METADATA_KEY
from replay.sample import sample_root
from tests.replay.catalogue.makers import OPTIONS, bars_csv, catalogue_file, csv_of, instrument, metadata_of

HEADER = "ts,open,high,low,close,volume"


def test_metadata_names_the_source_and_what_was_done(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "bars.csv")
    file = import_file(source, tmp_path / "root", OPTIONS).file
    assert file.path == tmp_path / "root" / "test" / "ABC-USD" / "bars-1m.parquet"
    assert (file.kind, file.interval_ns, file.rows, file.volume_known) == (BAR, 60 * 10**9, 6, True)
    assert file.source_sha256 == file_sha256(source)
    assert [kept.name for kept in file.metadata.sources] == ["bars.csv"]
    assert file.metadata.options["interval"] == "1m"
    raw = pq.ParquetFile(file.path).metadata.metadata[METADATA_KEY]
    assert str(tmp_path) not in raw.decode()


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "bars.csv")
    one, two = (import_file(source, tmp_path / name, OPTIONS).file for name in ("one", "two"))
    assert one.path.read_bytes() == two.path.read_bytes()


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "^GSPC", "BRK.B", "a b"])
def test_a_symbol_is_one_directory(tmp_path: Path, symbol: str) -> None:
    path = catalogue_path(tmp_path, instrument(symbol), TRADE)
    assert path.parent.parent.parent == tmp_path
    source = csv_of(tmp_path / "t.csv", "ts,price", ["1700000000,1.5"])
    file = import_file(source, tmp_path, ImportOptions(venue="test", symbol=symbol)).file
    assert file.path == path
    assert file.instrument.symbol == symbol
    assert list(find_files(tmp_path)) == [path]


def test_intervals() -> None:
    for text in ("1s", "5m", "4h", "1d", "7d"):
        assert format_interval(parse_interval(text)) == text
    assert format_interval(parse_interval("240m")) == "4h"
    assert format_interval(parse_interval("1w")) == "7d"


def test_an_existing_file_is_refused_unless_replaced(tmp_path: Path) -> None:
    first = import_file(bars_csv(tmp_path / "a.csv"), tmp_path, OPTIONS).file
    with pytest.raises(CatalogueError, match="exists already"):
        import_file(bars_csv(tmp_path / "b.csv", count=3), tmp_path, OPTIONS)
    assert open_file(first.path) == first
    options = msgspec.structs.replace(OPTIONS, replace=True)
    assert import_file(bars_csv(tmp_path / "b.csv", count=3), tmp_path, options).file.rows == 3


def test_append_equals_one_import_of_both(tmp_path: Path) -> None:
    lines = bars_csv(tmp_path / "all.csv", count=9).read_text().splitlines()[1:]
    # A bar in the middle of a minute cuts the one before short, across the seam too.
    lines[6] = lines[6].replace("10:06:00Z", "10:05:30Z")
    parts = [csv_of(tmp_path / name, HEADER, rows) for name, rows in (("a.csv", lines[:6]), ("b.csv", lines[6:]))]
    whole = import_file(parts, tmp_path / "whole", OPTIONS).file
    import_file(parts[0], tmp_path / "grown", OPTIONS)
    grown = import_file(parts[1], tmp_path / "grown", msgspec.structs.replace(OPTIONS, append=True)).file
    one, two = read_columns(whole.path), read_columns(grown.path)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert msgspec.structs.replace(whole.metadata, options={}) == msgspec.structs.replace(grown.metadata, options={})


APPENDS = [
    ("2024-01-02T10:03:00Z,1.25,1.25,1.25,1.25,1", {}, "begin before its last"),
    (
        "2024-01-02T11:03:00Z,1.25,1.25,1.25,1.25,1",
        {"tick_size": "0.001"},
        "tick_size 0.01 there and 0.001 here",
    ),
    ("2024-01-02T11:03:00Z,1.25,1.25,1.25,1.25,1", {"currency": "EUR"}, "currency USD there"),
    ("2024-01-02T11:03:00Z,1.255,1.255,1.255,1.255,1", {}, "such as 1.255 are no multiple of the tick size"),
]


@pytest.mark.parametrize(("row", "change", "message"), APPENDS)
def test_append_of_what_does_not_fit_is_refused(tmp_path: Path, row: str, change: dict[str, str], message: str) -> None:
    file = import_file(bars_csv(tmp_path / "a.csv"), tmp_path, OPTIONS).file
    before = file.path.read_bytes()
    options = msgspec.structs.replace(OPTIONS, append=True, **change)
    with pytest.raises(CatalogueError, match=message):
        import_file(csv_of(tmp_path / "b.csv", HEADER, [row]), tmp_path, options)
    assert file.path.read_bytes() == before


def leftovers(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_fault_in_the_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files_module.os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        import_file(bars_csv(tmp_path / "a.csv"), tmp_path / "root", OPTIONS)
    assert leftovers(tmp_path / "root") == []


def test_a_fault_while_writing_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "root" / "x.parquet"

    def fail_after_some_rows() -> None:
        with CatalogueWriter(target, metadata_of(TRADE)) as writer:
            writer.write({"ts": np.arange(3), "price": np.ones(3), "quantity": np.ones(3), "side": np.zeros(3)})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_some_rows()
    assert leftovers(tmp_path / "root") == []


def test_a_killed_import_leaves_no_catalogue_file(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "a.csv")
    program = textwrap.dedent(f"""
        import os, signal, replay.catalogue.files as files
        from replay.catalogue import ImportOptions, import_file
        files.os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
        import_file({str(source)!r}, {str(tmp_path / "root")!r},
                    ImportOptions(venue="test", symbol="ABC-USD", interval="1m"))
    """)
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert list(find_files(tmp_path / "root")) == []
    assert not list((tmp_path / "root").rglob("*.parquet"))
    assert import_file(source, tmp_path / "root", OPTIONS).file.rows == 6


DAMAGES = [
    (lambda raw: raw[:-1], "truncated"),
    (lambda raw: raw[: len(raw) // 2], "truncated"),
    (lambda raw: b"", "empty"),
    (lambda raw: b"hello", "not a Parquet file"),
    (lambda raw: raw.replace(b'"schema_version":1', b'"schema_version":9'), "schema version 9"),
    (lambda raw: raw.replace(b'"kind":"trades"', b'"kind":"tradez"'), "unknown kind"),
    (lambda raw: raw.replace(b'"rows":20,', b'"rows":21,'), "metadata says 21"),
    (lambda raw: raw.replace(b'"first_ts_ns":0,', b'"first_ts_ns":x,'), "damaged metadata"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_damage_is_one_clear_line(tmp_path: Path, damage: object, message: str) -> None:
    file = catalogue_file(tmp_path / "f.parquet", TRADE, list(range(20)))
    file.path.write_bytes(damage(file.path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(CatalogueError, match=message) as failure:
        open_file(file.path)
    assert "\n" not in str(failure.value)
    opened, problems = validate_file(file.path)
    assert opened is None
    assert [problem.rule for problem in problems] == ["unreadable"]


def test_a_parquet_file_of_others_is_refused(tmp_path: Path) -> None:
    table = pq.read_table(catalogue_file(tmp_path / "f.parquet", TRADE, [1]).path)
    pq.write_table(table.replace_schema_metadata(None), tmp_path / "g.parquet")
    with pytest.raises(CatalogueError, match="not of a catalogue"):
        open_file(tmp_path / "g.parquet")


BROKEN_ROWS = [
    ({"price": -1}, {"non-positive"}),
    ({"quantity": -2}, {"negative-size"}),
    ({"side": 2}, {"side"}),
    ({"ts": 99}, {"unsorted", "metadata"}),
]


@pytest.mark.parametrize(("change", "rules"), BROKEN_ROWS)
def test_validate_finds_broken_rows(
    tmp_path: Path, change: dict[str, int], rules: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = catalogue_file(tmp_path / "f.parquet", TRADE, [1, 2, 3])
    columns = read_columns(file.path) | {"side": np.zeros(3, np.int64)}
    for name, value in change.items():
        columns[name] = columns[name].copy()
        columns[name][0] = value
    monkeypatch.setattr("replay.catalogue.validate.read_columns", lambda path: columns)
    _, problems = validate_file(file.path)
    assert {problem.rule for problem in problems} == rules


def test_the_sample_is_small_and_valid() -> None:
    paths = list(find_files(sample_root()))
    assert len(paths) == 5
    assert sum(path.stat().st_size for path in paths) < 3_000_000
    for path in paths:
        file, problems = validate_file(path)
        assert file is not None
        assert [problem for problem in problems if problem.severity != "information"] == []
        assert file.metadata.repairs == ()
        assert path == catalogue_path(sample_root(), file.instrument, file.kind, file.interval_ns)
