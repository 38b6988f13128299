"""The bench says what it should, in the shape that it should; never how fast anything is."""

import hashlib
import json
import os

import numpy as np
import pytest

from bench import __main__ as bench_main
from bench import features as bench_features
from bench import indicators as bench_indicators
from bench import processes
from bench.data import CHUNK_ROWS, walk_chunks, walk_file
from bench.lines import MISSED, OK, Line, render
from bench.peers import __main__ as peers
from bench.runs import Spread
from kernel.indicators import indicator_named
from replay.catalogue import open_file, validate_file

ROWS = 4000
SPEEDS = ("journal off", "journal reference", "journal full", "bare loop: two averages, no accounting")
RATIOS = ("verify, to plain SHA-256 (full)", "verify, to plain SHA-256 (reference)")
FOLDS = ("fold through apply (full)", "fold through apply (reference)")
BOOKS = ("order book", "order book, to its naive twin")
FREE = "processors free meanwhile (two threads to one)"
COST = "cost of the journal by reference, in time over off"
SERIES = "cost of one series of 5m bars, in time over journal reference"
RISK = "all risk checks on, in speed of journal reference"


@pytest.fixture(autouse=True)
def bench_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNEL_BENCH_DIR", str(tmp_path))
    return tmp_path


def run_main(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["bench", "--rows", str(ROWS), "--repeats", "1", *arguments])
    assert bench_main.main() == 0
    return capsys.readouterr().out


def test_the_table_has_every_line_once_with_a_positive_value(monkeypatch, capsys):
    lines = json.loads(run_main(monkeypatch, capsys, "--no-processes", "--json"))
    assert sorted(line["what"] for line in lines) == sorted(
        [*SPEEDS, *RATIOS, *FOLDS, *BOOKS, COST, SERIES, RISK, FREE]
    )
    assert all(line["value"] > 0 for line in lines if line["what"] not in (COST, SERIES))
    assert {line["what"]: line["at_least"] for line in lines if line["at_least"]} == {
        "journal reference": 5e6,
        RISK: 60,
        **dict.fromkeys(RATIOS, 0.8),
        **dict.fromkeys(FOLDS, 5e6),
    }


def test_the_table_as_text_has_a_verdict_where_there_is_a_floor(monkeypatch, capsys):
    text = run_main(monkeypatch, capsys, "--no-processes")
    head, rule, *rows = text.splitlines()
    assert head.split() == ["what", "value", "floor"]
    assert set(rule) == {"-", " "}
    for row in rows:
        assert ("at least" in row or "at most" in row) == (f"  {OK} " in row or f"  {MISSED} " in row), row


def test_the_profile_names_the_parts_of_both_threads(monkeypatch, capsys):
    text = run_main(monkeypatch, capsys, "--profile", "reference", "off")
    for part in (
        "decode and interleave",
        "compiled loop",
        "hand-over",
        "row hash",
        "frames: fdatasync",
        "trades table",
    ):
        assert text.count(part) == 2, part


def test_memory_lines_come_from_children(monkeypatch, capsys):
    lines = list(bench_main.memory_lines((ROWS, 2 * ROWS)))
    assert [line.unit for line in lines] == ["MB", "MB", "x"]
    assert lines[-1].at_most == 1.1
    assert 0.5 < lines[-1].value < 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind a process to one processor")
def test_a_child_on_one_core_gives_the_same_result():
    data = [walk_file(ROWS)]
    one, two = (processes.in_child(1, "reference", data, one_core=alone) for alone in (True, False))
    assert one["result_hash"] == two["result_hash"]
    assert one["bars"] == ROWS


def test_help_and_a_new_strategy_are_timed():
    assert processes.kernel_seconds(["--help"]) > 0
    assert processes.new_strategy_seconds() > 0
    with pytest.raises(RuntimeError, match="no such"):
        processes.kernel_seconds(["verify", "nowhere"])


def test_the_walk_is_the_same_everywhere_and_valid():
    digest = hashlib.sha256()
    for columns in walk_chunks(ROWS):
        for name in sorted(columns):
            digest.update(np.ascontiguousarray(columns[name], "<i8"))
    assert digest.hexdigest() == "c919675880e85bb2d6ced15f55658c28594265565b22bf63a18f9df669d860c8"
    file, problems = validate_file(walk_file(ROWS))
    assert file.rows == ROWS
    assert not problems


def test_a_shorter_walk_is_the_beginning_of_a_longer_one():
    longer = [chunk["close"] for chunk in walk_chunks(CHUNK_ROWS + ROWS)]
    (shorter,) = [chunk["close"] for chunk in walk_chunks(ROWS)]
    assert [len(chunk) for chunk in longer] == [CHUNK_ROWS, ROWS]
    assert np.array_equal(longer[0][:ROWS], shorter)


def test_a_walk_is_made_once():
    path = walk_file(ROWS)
    written = path.stat().st_mtime_ns
    assert walk_file(ROWS).stat().st_mtime_ns == written
    assert open_file(path).rows == ROWS


@pytest.mark.parametrize(
    ("line", "verdict", "floor"),
    [
        (Line(what="a", value=5e6, unit="bars/s", at_least=5e6), OK, "at least 5.00 M bars/s"),
        (Line(what="a", value=4.9e6, unit="bars/s", at_least=5e6), MISSED, "at least 5.00 M bars/s"),
        (Line(what="a", value=25.0, unit="%", at_most=25), OK, "at most 25.0 %"),
        (Line(what="a", value=1.6, unit="s", at_most=1.5), MISSED, "at most 1.50 s"),
        (Line(what="a", value=1.6, unit="s"), "", "-"),
    ],
)
def test_verdicts(line, verdict, floor):
    assert (line.verdict, line.floor) == (verdict, floor)
    assert floor in render([line])


def test_peers_see_the_bars_of_the_walk():
    table = peers.bars_table(ROWS)
    assert table.shape == (ROWS, 6)
    assert np.all(table[:, 3] <= table[:, 1])
    assert np.all(np.diff(table[:, 0]) == 60)


def test_a_peer_that_cannot_be_installed_is_left_out_with_its_error():
    peer = peers.PEERS[0]
    found = peers.Found(peer, error="no matching distribution")
    assert peers.lines_of(found) == []
    assert f"{peer.name} is left out: no matching distribution" in peers.notes([found])


def test_a_peer_is_compared_by_bars_a_second():
    peer = peers.PEERS[0]
    found = peers.Found(peer, version="1", speed=Spread(10.0, 10.0), ours=Spread(0.5, 0.5), our_bars=1_000_000)
    ratio = peers.lines_of(found)[-1]
    assert ratio.value == pytest.approx(2_000_000 / (peer.bars / 10.0))
    assert ratio.at_least == peer.floor


def test_indicators_are_measured_beside_talib():
    columns = bench_indicators.made_up(ROWS)
    assert all(one.shape == (ROWS,) and np.isfinite(one).all() for one in columns.values())
    assert (columns["low"] <= columns["open"]).all()
    assert (columns["open"] <= columns["high"]).all()
    assert min(bench_indicators.beside(indicator_named("ema"), columns, 1)) > 0.0
    assert len(set(bench_indicators.FORTY)) == 40


def test_features_are_measured_in_a_run_and_as_a_table() -> None:
    lines = bench_features.feature_lines(walk_file(ROWS), ROWS, 1, ["ema(12)", "macd"])
    assert [line.what for line in lines][1] == "2 features in a run"
    assert lines[1].note.startswith("4 values; ")
    assert all(line.value > 0.0 for line in lines)
    assert len(bench_features.NAMES) == 40
