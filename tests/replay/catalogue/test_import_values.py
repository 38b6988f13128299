"""What is imported is exactly what was written: decimals, times, sides, bar times, inferred grids."""

import tempfile
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.market import NO_PRICE, UNKNOWN_SIZE
from kernel.units import from_units
from replay.catalogue import CatalogueError, ImportOptions, ImportReport, import_file
from replay.catalogue.files import read_columns
from replay.catalogue.model import DataProblem
from tests.replay.catalogue.makers import OPTIONS, TICK_OPTIONS, bars_csv, csv_of

HOUR_NS = 3600 * 10**9
counts = generators.integers(1, 10**14)


def columns_of(report: ImportReport) -> dict[str, np.ndarray]:
    return read_columns(report.file.path)


@settings(deadline=None, max_examples=150)
@given(
    generators.lists(
        generators.tuples(counts, counts), min_size=1, max_size=20
    ),
    generators.integers(0, 8), generators.integers(0, 8), generators.booleans(), generators.booleans(),
)  # fmt: skip
def test_import_then_read_gives_the_decimals_back(
    pairs: list[tuple[int, int]], price_decimals: int, size_decimals: int, as_parquet: bool, inferred: bool
) -> None:
    tick, lot = (format(Decimal(1).scaleb(-decimals), "f") for decimals in (price_decimals, size_decimals))
    written = [(from_units(price, tick), from_units(size, lot)) for price, size in pairs]
    options = TICK_OPTIONS if inferred else msgspec.structs.replace(TICK_OPTIONS, tick_size=tick, lot_size=lot)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        if as_parquet:
            columns = {"ts": np.arange(len(pairs)) + 1_700_000_000}
            columns["price"] = np.array([float(price) for price, _ in written])
            columns["size"] = np.array([float(size) for _, size in written])
            pq.write_table(pa.table(columns), source)
        else:
            csv_of(source, "ts,price,size", [f"{1_700_000_000 + i},{p},{s}" for i, (p, s) in enumerate(written)])
        report = import_file(source, folder, options)
        rows = columns_of(report)
    instrument = report.file.instrument
    read = [
        (from_units(price, instrument.tick_size), from_units(size, instrument.lot_size))
        for price, size in zip(rows["price"], rows["quantity"], strict=True)
    ]
    assert read == written


TIMES = [
    ("1700000000", {}, 1_700_000_000_000_000_000),
    ("1700000000123", {}, 1_700_000_000_123_000_000),
    ("1700000000123456", {}, 1_700_000_000_123_456_000),
    ("1700000000123456789", {}, 1_700_000_000_123_456_789),
    ("1700000000.123456789", {}, 1_700_000_000_123_456_789),
    ("1700000000.5", {}, 1_700_000_000_500_000_000),
    ("5000", {"ts_unit": "ms"}, 5_000_000_000),
    ("2023-11-14T22:13:20Z", {}, 1_700_000_000_000_000_000),
    ("2023-11-14 22:13:20+00:00", {}, 1_700_000_000_000_000_000),
    ("2023-11-14 22:13:20 UTC", {}, 1_700_000_000_000_000_000),
    ("2023-11-14T23:13:20.123456789+01:00", {}, 1_700_000_000_123_456_789),
    ("2023-11-14T22:13:20", {"timezone": "UTC"}, 1_700_000_000_000_000_000),
    ("2023-11-14 17:13", {"timezone": "America/New_York"}, 1_699_999_980_000_000_000),
    ("2023-11-14", {"timezone": "UTC"}, 1_699_920_000_000_000_000),
    ("1969-12-31T23:59:59Z", {}, -1_000_000_000),
]


@pytest.mark.parametrize(("text", "change", "expected"), TIMES)
def test_times_in_text(tmp_path: Path, text: str, change: dict[str, str], expected: int) -> None:
    source = csv_of(tmp_path / "t.csv", "time,price,size", [f"{text},1.5,1"])
    options = msgspec.structs.replace(ImportOptions(venue="test", symbol="X"), **change)
    assert columns_of(import_file(source, tmp_path, options))["ts"].tolist() == [expected]


TIME_TYPES = [
    (pa.array([1_700_000_000], pa.timestamp("s", "UTC")), ""),
    (pa.array([1_700_000_000_000], pa.timestamp("ms", "Europe/Berlin")), ""),
    (pa.array([1_700_000_000_000_000], pa.timestamp("us")), "UTC"),
    (pa.array([1_700_000_000_000_000_000], pa.int64()), ""),
    (pa.array([1_700_000_000.0], pa.float64()), ""),
    (pa.array(["2023-11-14T22:13:20Z"], pa.large_string()), ""),
    (pa.array(["2023-11-14T22:13:20Z"]).dictionary_encode(), ""),
]


@pytest.mark.parametrize(("column", "zone"), TIME_TYPES)
def test_times_of_every_type(tmp_path: Path, column: pa.Array, zone: str) -> None:
    pq.write_table(pa.table({"ts": column, "price": [1.5]}), tmp_path / "t.parquet")
    options = ImportOptions(venue="test", symbol="X", timezone=zone)
    report = import_file(tmp_path / "t.parquet", tmp_path, options)
    assert columns_of(report)["ts"].tolist() == [1_700_000_000_000_000_000]


@pytest.mark.parametrize("text", ["2023-11-05 01:30:00", "2023-03-12 02:30:00"])
def test_local_times_that_are_unclear_are_refused(tmp_path: Path, text: str) -> None:
    source = csv_of(tmp_path / "t.csv", "ts,price", ["2023-01-05 01:30:00,1", f"{text},1"])
    with pytest.raises(CatalogueError) as failure:
        import_file(source, tmp_path, ImportOptions(venue="test", symbol="X", timezone="America/New_York"))
    [problem] = failure.value.problems
    assert isinstance(problem, DataProblem)
    assert (problem.rule, problem.rows) == ("local-time", (2,))


def test_an_unknown_zone_is_refused(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "t.csv", "ts,price", ["2023-01-05 01:30:00,1"])
    with pytest.raises(CatalogueError, match="no such time zone"):
        import_file(source, tmp_path, ImportOptions(venue="test", symbol="X", timezone="Mars/Base"))


PRICE_TYPES = [
    pa.array([0.1, 2.25], pa.float64()),
    pa.array([0.1, 2.25], pa.float32()),
    pa.array(["0.1", "2.25"]),
    pa.array([Decimal("0.10"), Decimal("2.25")], pa.decimal128(20, 10)),
]


@pytest.mark.parametrize("prices", PRICE_TYPES)
def test_prices_of_every_type(tmp_path: Path, prices: pa.Array) -> None:
    pq.write_table(pa.table({"ts": [1_700_000_000, 1_700_000_001], "price": prices}), tmp_path / "t.parquet")
    report = import_file(tmp_path / "t.parquet", tmp_path, TICK_OPTIONS)
    assert report.file.instrument.tick_size == "0.01"
    assert columns_of(report)["price"].tolist() == [10, 225]


SIDES = [("side", "buy", 1), ("Side", "SELL", -1), ("side", "b", 1), ("side", "-1", -1), ("side", "", 0),
         ("isBuyerMaker", "true", -1), ("is_buyer_maker", "False", 1)]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), SIDES)
def test_sides(tmp_path: Path, name: str, text: str, expected: int) -> None:
    source = csv_of(tmp_path / "t.csv", f"ts,price,qty,{name}", [f"1700000000,1.5,1,{text}"])
    assert columns_of(import_file(source, tmp_path, TICK_OPTIONS))["side"].tolist() == [expected]


def test_absent_quote_sides_and_sizes(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "q.csv", "ts,bid,bid_size,ask,ask_size", ["1700000000,,,1.6,3", "1700000001,1.5,2,,"])
    columns = columns_of(import_file(source, tmp_path, TICK_OPTIONS))
    assert columns["bid"].tolist() == [NO_PRICE, 15]
    assert columns["bid_size"].tolist() == [UNKNOWN_SIZE, 2]
    assert columns["ask"].tolist() == [16, NO_PRICE]


@pytest.mark.parametrize("volume", ["0", ""])
def test_volume_that_is_never_given_is_unknown(tmp_path: Path, volume: str) -> None:
    rows = {n: f"2024-01-02T10:{n - 1:02d}:00Z,1.5,1.5,1.5,1.5,{volume}" for n in range(1, 7)}
    report = import_file(bars_csv(tmp_path / "b.csv", rows), tmp_path, OPTIONS)
    assert not report.file.volume_known
    assert columns_of(report)["volume"].tolist() == [UNKNOWN_SIZE] * 6


def test_bars_are_known_at_their_close(tmp_path: Path) -> None:
    opened = columns_of(import_file(bars_csv(tmp_path / "b.csv"), tmp_path, OPTIONS))
    assert np.array_equal(opened["ts"] - opened["ts_open"], np.full(6, 60 * 10**9))
    options = msgspec.structs.replace(OPTIONS, ts_label="close", replace=True)
    closed = columns_of(import_file(bars_csv(tmp_path / "b.csv"), tmp_path, options))
    assert np.array_equal(closed["ts"], opened["ts_open"])


def test_a_short_local_day_closes_when_the_next_opens(tmp_path: Path) -> None:
    rows = [f"2024-03-{day:02d},1.5,1.5,1.5,1.5,1" for day in range(8, 13)]
    source = csv_of(tmp_path / "d.csv", "date,open,high,low,close,volume", rows)
    options = ImportOptions(venue="test", symbol="X", timezone="America/New_York", interval="1d")
    columns = columns_of(import_file(source, tmp_path, options))
    assert ((columns["ts"] - columns["ts_open"]) // HOUR_NS).tolist() == [24, 24, 23, 24, 24]


def test_bars_of_quotes_become_quotes_at_the_close(tmp_path: Path) -> None:
    header = "ts,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size"
    source = csv_of(tmp_path / "q.csv", header, ["1700000040,1,1,1,1.5,7,2,2,2,2.5,9"])
    report = import_file(source, tmp_path, OPTIONS)
    assert report.file.path.name == "quotes.parquet"
    assert {name: values.tolist() for name, values in columns_of(report).items()} == {
        "ts": [1_700_000_100 * 10**9], "bid": [15], "bid_size": [7], "ask": [25], "ask_size": [9],
    }  # fmt: skip


def test_what_is_inferred_is_said(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "b.csv")
    report = import_file(source, tmp_path, msgspec.structs.replace(OPTIONS, interval=""))
    notes = "\n".join(report.lines())
    assert "tick size: 0.01, inferred from the data (12 of 24 numbers need 2 decimals" in notes
    assert "lot size: 1, inferred" in notes
    assert "interval: 1m, the most common distance" in notes
    assert "currency: USD, judged by the symbol" in notes
    assert "taken as the bar's open" in notes


def test_float_noise_is_never_taken_for_a_tick(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "t.csv", "ts,price", ["1700000000,0.30000000000000004", "1700000001,0.3"])
    with pytest.raises(CatalogueError, match="cannot be inferred"):
        import_file(source, tmp_path, TICK_OPTIONS)
    options = msgspec.structs.replace(TICK_OPTIONS, tick_size="0.1", repairs=("round-to-tick",))
    assert columns_of(import_file(source, tmp_path, options))["price"].tolist() == [3, 3]


@pytest.mark.parametrize(
    ("tick", "price", "ticks"), [("0.25", "100.75", 403), ("5", "1005", 201), ("1e-8", "0.1", 10**7)]
)
def test_ticks_that_are_no_power_of_ten(tmp_path: Path, tick: str, price: str, ticks: int) -> None:
    source = csv_of(tmp_path / "t.csv", "ts,price", [f"1700000000,{price}"])
    report = import_file(source, tmp_path, msgspec.structs.replace(TICK_OPTIONS, tick_size=tick))
    assert columns_of(report)["price"].tolist() == [ticks]


def test_names_from_options_header_and_delimiter(tmp_path: Path) -> None:
    mapped = csv_of(tmp_path / "a.csv", "Zeit;Kurs;Stück;Note", ["1700000000;1.5;3;x"])
    options = msgspec.structs.replace(
        TICK_OPTIONS, columns={"ts": "Zeit", "price": "Kurs", "quantity": "Stück"}, ignore_unknown=True
    )
    report = import_file(mapped, tmp_path, options)
    assert columns_of(report)["quantity"].tolist() == [3]
    assert "ignored columns: Note" in report.notes
    bare = tmp_path / "b.csv"
    bare.write_text("1700000000,1.5,3\n")
    options = msgspec.structs.replace(TICK_OPTIONS, header=("ts", "price", "qty"), replace=True)
    assert columns_of(import_file(bare, tmp_path, options))["quantity"].tolist() == [3]
