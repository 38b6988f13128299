"""kernel trades: the closed round trips of the table, and the open ones of the state."""

import json
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner, Result

from kernel.cli import cli
from tests.replay.inspect.runs import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("trades") / "run", to="2017-01-20")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_the_journal_tells_the_same_trips_as_the_table(run: Path) -> None:
    rows = [json.loads(line) for line in call("trades", run, "--last", 0, "--json").output.splitlines()]
    table = parquet.read_table(run / "trades.parquet").to_pylist()
    closed = [row for row in rows if row["status"] == "closed"]
    assert len(closed) == len(table) > 10
    for row, stored in zip(closed, table, strict=True):
        for name in ("quantity_lots", "entry_minor", "exit_minor", "realised_minor", "fees_minor", "income_minor"):
            assert row[name] == stored[name]
        assert (row["mae"], row["mfe"], row["high_price"]) == (stored["mae"], stored["mfe"], stored["high_price"])
        assert row["low_price"] <= row["entry_price"] <= row["high_price"]
        assert row["low_price"] <= row["exit_price"] <= row["high_price"]
        gross = row["realised_minor"] / 1e6
        assert row["mae"] - 0.01 <= min(gross, 0) <= max(gross, 0) <= row["mfe"] + 0.01
        assert row["r_multiple"] is None
    for row in rows[len(closed) :]:
        assert (row["status"], row["ts_exit"], row["held_seconds"]) == ("open", None, None)


def test_a_table_for_people(run: Path) -> None:
    result = call("trades", run, "--last", 5)
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["strategy", "instrument", "side"]
    assert 6 <= len(lines) <= 7
    assert "earlier trips left out" in result.stderr
