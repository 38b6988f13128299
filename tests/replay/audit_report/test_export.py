"""Exports: every event is in them once, exactly, and a manifest binds them to the journal."""

import csv
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kernel.events import catalogue as events
from replay.audit_report.exporting import ExportError, Manifest, check_export, export_journal
from replay.history import History
from replay.sql import journal_views, open_database
from tests.replay.audit_report.histories import Told
from tests.replay.audit_report.test_report import busy_history
from tests.replay.inspect.runs import flip_byte, make_run


def quiet(label: str) -> Any:
    return lambda done, total: None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("export") / "run", to="2016-12-01")


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    out = tmp_path_factory.mktemp("exported") / "out"
    return export_journal(run, out, "parquet", quiet, market=True), out


def test_tables_are_those_of_sql(run: Path, exported: tuple[Manifest, Path]) -> None:
    """``kernel sql`` reads the journal by another way; every table must be the same, column by column."""
    made, out = exported
    files = {file.name.removesuffix(".parquet"): file for file in made.files if file.rows is not None}
    history = History(run)
    with open_database(journal_views(history)) as connection:
        counted = dict(connection.execute("select topic, count(*) from events group by 1").fetchall())
        assert {topic.replace(".", "_"): count for topic, count in counted.items()} == {
            name: file.rows for name, file in files.items() if name in {kind.table for kind in events.event_types()}
        }
        for name in ("execution_fill", "risk_check", "market_candle", "portfolio_position"):
            ours = duckdb.read_parquet(str(out / f"{name}.parquet"))
            columns = [column for column in ours.columns if column != "body"]
            wanted = ", ".join(f'"{column}"' for column in columns)
            theirs = connection.execute(f"select {wanted} from {name} order by sequence").fetchall()
            assert ours.order("sequence").select(*columns).fetchall() == theirs
            assert len(theirs) > 3


def test_columns_are_documented(exported: tuple[Manifest, Path]) -> None:
    made, out = exported
    said = json.loads((out / "columns.json").read_text())
    assert set(said) == {Path(file.name).stem for file in made.files if file.rows is not None}
    for name, table in said.items():
        assert table["about"], name
        assert list(table["columns"]) == duckdb.read_parquet(str(out / f"{name}.parquet")).columns
    assert said["execution_fill"]["columns"]["price"]["type"].startswith("decimal128")


def test_csv_has_every_digit(run: Path, exported: tuple[Manifest, Path], tmp_path: Path) -> None:
    export_journal(run, tmp_path / "out", "csv", quiet)
    with (tmp_path / "out" / "execution_fill.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    exact = duckdb.read_parquet(str(exported[1] / "execution_fill.parquet")).order("sequence").to_arrow_table()
    assert [Decimal(row["price"]) for row in rows] == exact.column("price").to_pylist()
    assert [int(row["fee_minor"]) for row in rows] == exact.column("fee_minor").to_pylist()
    assert rows[0]["ts_event"].endswith("Z")
    assert not (tmp_path / "out" / "market_candle.csv").exists()  # they were not asked for


def test_orders_can_be_linked_through_their_events(tmp_path: Path) -> None:
    run = busy_history(tmp_path / "run").done()
    export_journal(run, tmp_path / "out", "parquet", quiet)
    linked = duckdb.read_parquet(str(tmp_path / "out" / "cat_linkage.parquet")).order("sequence")
    rows = linked.select("topic", "cat_event", "routed_order_id", "venue_trade_id").fetchall()
    ours = f"000102030405-{linked.max('order_id').fetchall()[0][0]}"
    assert rows == [
        ("execution.adopted", None, "v7", None),
        ("execution.fill", None, "v7", "t-1"),
        ("execution.in_doubt", None, "v7", None),
        ("execution.canceled", "MEOC", "v7", None),
        ("execution.request_rejected", None, "v7", None),
        ("execution.intent", "MENO", ours, None),
        ("execution.terms", None, ours, None),
        ("risk.check", None, ours, None),  # it waits for its parent, so it is not routed
        ("execution.cancel_request", "MECR", ours, None),
    ]


def test_an_export_is_bound_to_its_journal(run: Path, exported: tuple[Manifest, Path], tmp_path: Path) -> None:
    made, out = exported
    assert check_export(out, run, quiet) == made
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    fills = copy / "execution_fill.parquet"
    raw = bytearray(fills.read_bytes())
    raw[len(raw) // 2] ^= 1
    fills.write_bytes(raw)
    with pytest.raises(ExportError, match=r"execution_fill\.parquet: is not what was exported"):
        check_export(copy, None, quiet)
    fills.unlink()
    with pytest.raises(ExportError, match="is missing"):
        check_export(copy, None, quiet)
    other = make_run(tmp_path / "other", to="2016-10-01")
    with pytest.raises(ExportError, match="is another journal"):
        check_export(out, other, quiet)
    with pytest.raises(ExportError, match=r"no manifest\.json"):
        check_export(tmp_path, None, quiet)


def test_a_cut_and_a_rewritten_journal_are_told(tmp_path: Path) -> None:
    told = Told(tmp_path / "long")
    told.tell(events.TradingModeSet(1), instrument=-1, strategy=-1)
    told.tell(events.TradingModeSet(2), instrument=-1, strategy=-1)
    export_journal(told.done(), tmp_path / "out", "parquet", quiet)
    short = Told(tmp_path / "short")
    short.tell(events.TradingModeSet(1), instrument=-1, strategy=-1)
    with pytest.raises(ExportError, match="its tail was cut"):
        check_export(tmp_path / "out", short.done(), quiet)
    changed = Told(tmp_path / "changed")
    changed.tell(events.TradingModeSet(1), instrument=-1, strategy=-1)
    changed.tell(events.TradingModeSet(0), instrument=-1, strategy=-1)
    with pytest.raises(ExportError, match="is not what was exported"):
        check_export(tmp_path / "out", changed.done(), quiet)


def test_a_broken_journal_is_not_exported(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    flip_byte(tmp_path / "run" / "journal")
    with pytest.raises(ExportError, match="does not verify"):
        export_journal(tmp_path / "run", tmp_path / "out", "parquet", quiet)
    assert not (tmp_path / "out").exists()
