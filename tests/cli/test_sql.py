"""kernel sql: the views, the formats, the closed database and its errors."""

import json
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner, Result

from kernel.cli import cli
from kernel.events.catalogue import event_types
from kernel.events.layout import SEGMENT
from replay.history import History
from replay.inspect.frames import Filter
from replay.sql import journal_views, open_database, run_statement
from tests.replay.inspect.runs import FIRST_ORDER, TICKS, copy_with_other_data, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("sql") / "run")


def call(*arguments: object, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["sql", *(str(argument) for argument in arguments)], input=given)


def rows(run: Path, statement: str) -> list[dict[str, object]]:
    result = call(run, statement, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_table_for_people(run: Path) -> None:
    result = call(
        run, "select sequence, ts_event, instrument, side_name, price, quantity, fee from execution_fill limit 1"
    )
    assert result.exit_code == 0
    header, line = result.stdout.splitlines()
    assert header.split() == ["sequence", "ts_event", "instrument", "side_name", "price", "quantity", "fee"]
    assert line.split() == [
        "54",
        "2016-05-25",
        "04:00:00",
        "coinbase/BTC-USD",
        "buy",
        "450.01",
        "73.69578439",
        "33.163840",
    ]


def test_every_view_can_be_read_and_events_has_them_all(run: Path) -> None:
    history = History(run)
    total = 0
    with open_database(journal_views(history)) as connection:
        for kind in event_types():
            if kind.kind != SEGMENT.kind:
                total += run_statement(connection, f"select * from {kind.table}").read_all().num_rows
        (count,) = connection.execute("select count(*) from events").fetchone()
    assert total == count == history.last_sequence == sum(1 for _ in history.events(Filter(market=True)))


def test_views_join_even_with_themselves(run: Path) -> None:
    found = rows(
        run,
        "select i.sequence, f.price, c.close from execution_intent i join execution_fill f on f.order_id = i.sequence "
        "join market_candle c on c.sequence = f.cause "
        "join events e on e.sequence = f.sequence order by f.sequence limit 1",
    )
    assert found == [{"sequence": FIRST_ORDER, "price": "450.01", "close": "449.20"}]
    assert (
        rows(run, "select count(*) n from events a join events b using (sequence)")[0]["n"]
        == History(run).last_sequence
    )


def test_decimals_are_exact_and_times_are_times(run: Path) -> None:
    found = rows(
        run, "select sum(fee_minor) raw, sum(fee) fee, typeof(any_value(fee)) kind, min(ts_event) t from execution_fill"
    )
    assert found[0]["kind"] == "DECIMAL(24,6)"
    assert str(found[0]["raw"]) == str(found[0]["fee"]).replace(".", "").lstrip("0")
    assert found[0]["t"] == "2016-05-25T04:00:00Z"


def test_definitions_and_bodies(run: Path) -> None:
    assert rows(run, "select name, tick_size from instruments") == [{"name": "coinbase/BTC-USD", "tick_size": "0.01"}]
    assert rows(run, "select name from strategies") == [{"name": "ema_cross"}]
    assert json.loads(str(rows(run, "select body from run_opened")[0]["body"]))["fill"] == "pessimistic"


def test_quotes_and_trades_have_views(tmp_path: Path) -> None:
    ticks = make_run(tmp_path / "ticks", data=[TICKS], to="", strategy=[{"use": "buy_and_hold"}])
    assert rows(ticks, "select bid, ask from market_quote order by sequence limit 1") == [
        {"bid": "61800.2", "ask": "61800.3"}
    ]
    assert {row["side_name"] for row in rows(ticks, "select distinct side_name from market_trade")} == {
        "buyer",
        "seller",
    }


def test_files_and_formats(run: Path, tmp_path: Path) -> None:
    statement = "select sequence, price from execution_fill order by sequence limit 2"
    assert call(run, statement, "--format", "csv").stdout.splitlines()[:2] == ["sequence,price", "54,450.01"]
    for name in ("a.csv", "a.json", "a.parquet", "a.txt"):
        assert call(run, statement, "--out", tmp_path / name).exit_code == 0
        assert (tmp_path / name).stat().st_size > 0
    assert parquet.read_table(tmp_path / "a.parquet").num_rows == 2
    assert "--out" in call(run, statement, "--format", "parquet").stderr
    assert call(run, "-", given=statement).exit_code == 0


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("select * from execution_fil", 'Did you mean "execution_fill"?'),
        ("select pric from execution_fill", '"price"'),
        ("selec 1", "syntax error"),
        ("", "no statement"),
    ],
)
def test_a_bad_statement_is_one_line_with_a_hint(run: Path, statement: str, text: str) -> None:
    result = call(run, statement)
    assert result.exit_code == 2
    assert text in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('{file}')",
        "select * from '{file}'",
        "select * from read_text('{file}')",
        "select * from glob('/*')",
        "copy execution_fill to '{file}'",
        "attach '{file}'",
        "install httpfs",
        "load httpfs",
        "export database '{file}'",
        "set enable_external_access = true",
        "select * from views",
    ],
)
def test_a_statement_cannot_leave_the_journal(run: Path, tmp_path: Path, statement: str) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    result = call(run, statement.format(file=file))
    assert result.exit_code == 2
    assert file.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [file]


def test_files_can_be_allowed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a\n1\n")
    result = call(run, f"select * from read_csv('{tmp_path / 'mine.csv'}')", "--allow-files")
    assert result.exit_code == 0
    assert result.stdout.split() == ["a", "1"]


def test_without_the_data_stored_events_can_be_queried(run: Path, tmp_path: Path) -> None:
    moved, data = copy_with_other_data(run, tmp_path / "moved")
    elsewhere = data.rename(tmp_path / "elsewhere.parquet")
    assert call(moved, "select count(*) from execution_fill").exit_code == 0
    partial = call(moved, "select count(*) from events")
    assert partial.exit_code == 0
    assert "market rows are not among the events" in partial.stderr
    refused = call(moved, "select count(*) from market_candle")
    assert refused.exit_code == 1
    assert "pass --data PATH" in refused.stderr
    assert call(moved, "select count(*) from market_candle", "--data", elsewhere).exit_code == 0


def test_the_views_are_listed(run: Path) -> None:
    output = call(run, "--tables").stdout
    assert "execution_fill  The venue reports a fill" in output
    assert '"limit"' in output, "a reserved word is shown as it must be written"
    assert call(run, "risk_check", "--tables").stdout.startswith("risk_check  ")
    assert "did you mean risk_check?" in call(run, "risk_chek", "--tables").stderr


def test_no_journal_there(tmp_path: Path) -> None:
    result = call(tmp_path, "select 1")
    assert result.exit_code == 2
    assert "no journal there" in result.stderr
