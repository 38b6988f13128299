"""Depth through a whole run: recorded, audited, listed and queried like any market data."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from kernel.cli import cli
from replay.catalogue import ImportOptions, import_file
from tests.replay.inspect.runs import TICKS, make_run
from tests.replay.test_book_on_real_depth import SOURCE


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("catalogue")
    options = ImportOptions(tick_size="0.1", lot_size="0.001", currency="USDT", asset_class="perpetual")
    return [str(import_file(SOURCE, root, options).file.path), TICKS]


def run_of(folder: Path, data: list[str], journal: str) -> Path:
    settings = {"to": "2024-08-08T23:54:18", "strategy": [{"use": "buy_and_hold"}], "cash": "1000000"}
    return make_run(folder, data=data, journal=journal, **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: list[str]) -> Path:
    return run_of(tmp_path_factory.mktemp("depth") / "run", data, "reference")


def said(*arguments: object) -> list[str]:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def test_the_view_has_sides_decimals_and_flags(run: Path) -> None:
    query = "select side_name, price, size, book_flags from market_depth order by sequence limit 3"
    assert said("sql", run, query, "--format", "csv")[1:] == [
        "bid,58710.2,0.014,0", "bid,61496.5,0.010,0", "bid,61510.9,0.000,0",
    ]  # fmt: skip
    ends = "select count(*), count(book_flags_name) from market_depth where book_flags = 2 and book_flags_name = 'end'"
    [counts] = said("sql", run, ends, "--format", "csv")[1:]
    assert len(set(counts.split(","))) == 1


def test_a_row_is_told_in_one_line(run: Path) -> None:
    lines = said("show", run, "--topic", "market.depth")
    assert "bid 58710.2: 0.014" in lines[1]
    assert any(line.rstrip().endswith(", end") for line in lines)


def test_both_journals_prove_the_same(run: Path, data: list[str], tmp_path: Path) -> None:
    full = run_of(tmp_path / "full", data, "full")
    said("verify", full)
    said("replay", run)
    said("diff", run, full)
