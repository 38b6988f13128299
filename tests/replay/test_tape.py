"""The tape against its naive twin, and the promises about batches, splits, skipping and spans."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.instruments import Instrument
from kernel.market import BAR, DEPTH, QUOTE, ROW, TRADE
from replay import tape as tape_module
from replay.catalogue import CatalogueError, CatalogueFile, open_file, write_file
from replay.catalogue import files as files_module
from replay.catalogue.files import read_columns
from replay.sample import sample_root
from replay.tape import Tape
from tests.reference.merge import merged_rows
from tests.replay.catalogue.makers import catalogue_file, metadata_of

IDS = {"test/A": 7, "test/B": 3}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and row groups so small that every boundary occurs."""
    monkeypatch.setattr(tape_module, "CHUNK_ROWS", 3)
    monkeypatch.setattr(files_module, "ROW_GROUP_ROWS", 5)


def collect(tape: Tape) -> np.ndarray:
    parts = [batch.copy() for batch in tape]
    return np.concatenate(parts) if parts else np.zeros(0, ROW)


times = generators.lists(generators.integers(0, 30), min_size=1, max_size=25).map(sorted)
sources = generators.lists(
    generators.tuples(generators.sampled_from([BAR, TRADE, QUOTE, DEPTH]), generators.sampled_from("AB"), times),
    min_size=1, max_size=6,
)  # fmt: skip


def write_all(folder: str, drawn: list[tuple[int, str, list[int]]]) -> list[CatalogueFile]:
    return [
        catalogue_file(Path(folder) / f"{number}.parquet", kind, ts, symbol, seed=number)
        for number, (kind, symbol, ts) in enumerate(drawn)
    ]


@settings(deadline=None, max_examples=120)
@given(sources, generators.integers(1, 40))
def test_merge_equals_the_naive_twin(drawn: list[tuple[int, str, list[int]]], batch_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = write_all(folder, drawn)
        tape = Tape(files, IDS, batch_rows=batch_rows)
        expected = merged_rows(files, IDS)
        assert np.array_equal(collect(tape), expected)
        assert np.array_equal(collect(tape), expected), "iterating again starts again"
        assert tape.rows_total == len(expected)


@settings(deadline=None, max_examples=100)
@given(sources, generators.integers(0, 160), generators.integers(1, 40))
def test_skip_starts_at_that_row(drawn: list[tuple[int, str, list[int]]], skip: int, batch_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = write_all(folder, drawn)
        tape = Tape(files, IDS, batch_rows=batch_rows)
        tape.skip(skip)
        assert np.array_equal(collect(tape), merged_rows(files, IDS)[skip:])


@settings(deadline=None, max_examples=100)
@given(sources, generators.integers(-1, 32), generators.integers(-1, 32), generators.integers(0, 20))
def test_span_includes_its_start_and_not_its_end(
    drawn: list[tuple[int, str, list[int]]], start_ns: int, end_ns: int, skip: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = write_all(folder, drawn)
        tape = Tape(files, IDS, start_ns=start_ns, end_ns=end_ns, batch_rows=4)
        expected = merged_rows(files, IDS, start_ns, end_ns)
        assert np.array_equal(collect(tape), expected)
        assert tape.rows_total >= len(expected)
        tape.skip(skip)
        assert np.array_equal(collect(tape), expected[skip:])


@settings(deadline=None, max_examples=80)
@given(sources, generators.data())
def test_splitting_files_changes_nothing(drawn: list[tuple[int, str, list[int]]], data: generators.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = write_all(folder, drawn)
        split = list(itertools.chain.from_iterable(_split(file, data) for file in whole))
        assert np.array_equal(collect(Tape(split, IDS, batch_rows=7)), collect(Tape(whole, IDS, batch_rows=11)))


def _split(file: CatalogueFile, data: generators.DataObject) -> Iterator[CatalogueFile]:
    cuts = sorted(data.draw(generators.sets(generators.integers(1, file.rows), max_size=3)) | {0, file.rows})
    columns = read_columns(file.path)
    for begin, end in itertools.pairwise(cuts):
        path = file.path.with_name(f"{file.path.stem}-{begin}.parquet")
        part = {name: values[begin:end] for name, values in columns.items()}
        yield write_file(path, metadata_of(file.kind, file.instrument.symbol), part)


def test_ties_go_by_kind_then_instrument_then_file_then_row(tmp_path: Path) -> None:
    drawn = [(BAR, "A", [5, 5]), (TRADE, "A", [5]), (QUOTE, "A", [5]), (QUOTE, "B", [5]), (QUOTE, "B", [5])]
    files = write_all(str(tmp_path), drawn)
    rows = collect(Tape(files, IDS))
    assert [(int(row["kind"]), int(row["instrument"])) for row in rows] == [
        (QUOTE, 3), (QUOTE, 3), (QUOTE, 7), (TRADE, 7), (BAR, 7), (BAR, 7),
    ]  # fmt: skip
    assert rows["words"][0][0] == read_columns(files[3].path)["bid"][0]
    assert rows["words"][1][0] == read_columns(files[4].path)["bid"][0]


def test_words_are_those_of_the_canonical_row(tmp_path: Path) -> None:
    [file] = write_all(str(tmp_path), [(BAR, "A", [10, 20])])
    columns = read_columns(file.path)
    [batch] = [batch.copy() for batch in Tape([file], IDS)]
    expected = [columns[name][1] for name in ("open", "high", "low", "close", "volume", "ts_open")]
    assert batch["words"][1].tolist() == expected
    assert batch["ts_ns"].tolist() == [10, 20]


def test_batches_are_full_but_the_last(tmp_path: Path) -> None:
    files = write_all(str(tmp_path), [(TRADE, "A", list(range(11))), (TRADE, "B", list(range(6)))])
    assert [len(batch) for batch in Tape(files, IDS, batch_rows=4)] == [4, 4, 4, 4, 1]


def test_a_missing_instrument_id_is_named(tmp_path: Path) -> None:
    files = write_all(str(tmp_path), [(TRADE, "A", [1])])
    with pytest.raises(CatalogueError, match="test/A"):
        Tape(files, {})


def test_no_files_make_no_batches() -> None:
    assert list(Tape([], {})) == []


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    [file] = write_all(str(tmp_path), [(TRADE, "A", [1, 2, 3])])
    write_all(str(tmp_path), [(TRADE, "A", [1, 2])])
    with pytest.raises(CatalogueError, match="changed"):
        collect(Tape([file], IDS))


def test_a_flipped_bit_is_refused_and_never_a_wrong_number(tmp_path: Path) -> None:
    [file] = write_all(str(tmp_path), [(TRADE, "A", list(range(200)))])
    good = file.path.read_bytes()
    expected = collect(Tape([file], IDS))
    for place in range(4, 600, 7):
        file.path.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        try:
            rows = collect(Tape([open_file(file.path)], IDS))
        except CatalogueError:
            continue
        assert np.array_equal(rows, expected)


def test_the_sample_merges_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    files = [open_file(path) for path in sorted(sample_root().glob("binance-perp/*/*.parquet"))]
    rows = collect(Tape(files, {files[0].instrument.name: 1}, batch_rows=10_000))
    assert len(rows) == sum(file.rows for file in files)
    key = rows["ts_ns"] * 4 - rows["kind"]
    assert np.all(np.diff(key) >= 0)
    assert isinstance(files[0].instrument, Instrument)
