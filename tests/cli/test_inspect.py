"""kernel show, at, why and diff: output, exit codes, JSON keys and bad input."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journal import JournalWriter
from kernel.cli import cli
from kernel.events.layout import schema_digest
from tests.replay.inspect.runs import FIRST_ORDER, copy_with_other_data, flip_byte, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("inspect") / "run")


@pytest.fixture(scope="module")
def moved(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run whose data file has been moved: ``(run, where the file is now)``."""
    folder = tmp_path_factory.mktemp("moved")
    copy, data = copy_with_other_data(run, folder / "run")
    return copy, data.rename(folder / "elsewhere.parquet")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


# --- show ---------------------------------------------------------------------------------------------------------


def test_show_is_a_table_without_market_rows(run: Path) -> None:
    lines = call("show", run).output.splitlines()
    assert lines[0].split() == ["sequence", "time", "(UTC)", "cause", "topic", "event"]
    assert not any("market." in line for line in lines)
    intent = next(line for line in lines if "execution.intent" in line)
    assert intent.split()[:4] == [str(FIRST_ORDER), "2016-05-25", "04:00:00", str(FIRST_ORDER - 1)]
    assert intent.endswith("buy 211.12049424 market GTC")


def test_show_filters(run: Path) -> None:
    assert {line.split()[4] for line in call("show", run, "--topic", "execution.*").output.splitlines()[1:]} <= {
        "execution.intent", "execution.accepted", "execution.fill",
    }  # fmt: skip
    assert len(call("show", run, "--limit", 3).output.splitlines()) == 4
    assert [line.split()[0] for line in call("show", run, "--sequence", "2:4").output.splitlines()[1:]] == [
        "2",
        "3",
        "4",
    ]
    assert len(call("show", run, "--instrument", "BTC-USD", "--limit", 2).output.splitlines()) == 3
    bounded = call("show", run, "--from", "2017-01-01", "--to", "2017-02-01", "--strategy", "ema_cross").output
    assert all(line.split()[1].startswith("2017-01") for line in bounded.splitlines()[1:])


def test_show_all_has_the_rows_in_their_places(run: Path) -> None:
    lines = call("show", run, "--all", "--sequence", f"{FIRST_ORDER - 1}:{FIRST_ORDER}").output.splitlines()
    assert "market.candle" in lines[1]
    assert "close 449.98" in lines[1]
    assert "execution.intent" in lines[2]
    assert "market.candle" in call("show", run, "--topic", "market.*", "--limit", 1).output


def test_show_json_has_stable_keys(run: Path) -> None:
    lines = call("show", run, "--json", "--topic", "execution.fill", "--limit", 2).output.splitlines()
    first = json.loads(lines[0])
    assert list(first) == [
        "sequence", "event", "topic", "ts_event", "ts_event_ns", "ts_ingest_ns", "cause", "instrument",
        "instrument_name", "strategy", "strategy_name", "account", "fields", "body",
    ]  # fmt: skip
    assert first["fields"]["order_id"] == FIRST_ORDER
    assert first["instrument_name"] == "coinbase/BTC-USD"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--topic", "exection.*"), "did you mean execution.*?"),
        (("--topic", "execution.fil"), "did you mean execution.fill?"),
        (("--instrument", "BTC-USDT"), "no instrument 'BTC-USDT'"),
        (("--strategy", "ema_cros"), "did you mean ema_cross?"),
        (("--sequence", "9:3"), "A must not be above B"),
        (("--sequence", "x"), "write A:B"),
        (("--sequence", "999999:"), "the journal ends with event"),
        (("--from", "yesterday"), "write a date such as"),
        (("--limit", "0"), "0 is not in the range"),
    ],
)
def test_show_refuses_with_a_hint(run: Path, arguments: tuple[str, ...], text: str) -> None:
    result = call("show", run, *arguments)
    assert result.exit_code == 2
    assert text in result.stderr


def test_show_works_without_the_data_as_long_as_rows_are_not_asked_for(moved: tuple[Path, Path]) -> None:
    assert call("show", moved[0]).exit_code == 0
    refused = call("show", moved[0], "--all")
    assert refused.exit_code == 1
    assert "pass --data PATH" in refused.stderr
    assert call("show", moved[0], "--all", "--limit", 20, "--data", moved[1]).exit_code == 0


def test_a_reader_that_leaves_is_no_error(run: Path) -> None:
    code = "from kernel.cli import main; main()"
    command = [sys.executable, "-c", code, "show", str(run), "--all", "--json"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=os.getcwd())
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    errors = child.stderr.read()
    child.stderr.close()
    assert (child.wait(), errors) == (0, b"")


def test_what_is_before_the_damage_is_shown(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "bad")
    flip_byte(tmp_path / "bad" / "journal", 0.9)
    result = call("show", tmp_path / "bad")
    assert result.exit_code == 1
    assert "execution.fill" in result.stdout
    assert "frame-damaged" in result.stderr


# --- at -----------------------------------------------------------------------------------------------------------


def test_at_prints_the_state(run: Path) -> None:
    output = call("at", run, FIRST_ORDER + 5).output
    for text in ("equity", "average price", "450.01", "partly filled", "211.12049424", "timers  none", "state digest"):
        assert text in output
    assert "state digest" in call("at", run, "end").output


def test_at_json_is_exact(run: Path) -> None:
    rows = json.loads(call("at", run, FIRST_ORDER + 5, "--json").output)
    assert list(rows) == [
        "sequence", "ts_ns", "ts", "digest", "head", "accounts", "balances", "limits", "positions", "orders", "timers",
        "series", "instruments",
    ]  # fmt: skip
    account, position = rows["accounts"][0], rows["positions"][0]
    assert account["equity_minor"] == account["cash_minor"] + position["value_minor"]
    assert position["unrealised_minor"] == position["value_minor"] - position["cost_minor"]
    numerator, denominator = map(int, position["average_price"].split("/"))
    money = numerator * position["quantity_lots"] / denominator / 100  # lots of 1e-8, money with 6 decimals
    assert abs(money - position["cost_minor"]) < 1
    assert rows["orders"][0]["status_name"] == "partly filled"


def test_at_diff_lists_the_fields_that_changed(run: Path) -> None:
    output = call("at", run, FIRST_ORDER, "--diff", FIRST_ORDER + 5).output
    assert "positions ema_cross coinbase/BTC-USD" in output
    assert "quantity_lots" in output
    report = json.loads(call("at", run, FIRST_ORDER, "--diff", FIRST_ORDER + 5, "--json").output)
    assert {"table", "row", "field", "before", "after", "instrument"} == set(report["changes"][0])
    assert "0 fields changed" in call("at", run, 60, "--diff", 60).output


@pytest.mark.parametrize(
    ("sequence", "text"), [("0", "does not exist"), ("999999", "holds events 1 to"), ("x", "is not a sequence")]
)
def test_at_refuses_what_is_not_there(run: Path, sequence: str, text: str) -> None:
    result = call("at", run, sequence)
    assert result.exit_code == 2
    assert text in result.stderr


def test_at_needs_the_data_and_says_so(moved: tuple[Path, Path]) -> None:
    refused = call("at", moved[0], 60)
    assert refused.exit_code == 1
    assert "pass --data PATH" in refused.stderr
    assert call("at", moved[0], 60, "--data", moved[1]).exit_code == 0


# --- why ----------------------------------------------------------------------------------------------------------


def test_why_is_a_tree_from_the_bar_to_the_position(run: Path) -> None:
    lines = call("why", run, FIRST_ORDER).output.splitlines()
    assert lines[0].startswith(
        f"order {FIRST_ORDER}: ema_cross wanted to buy 211.12049424 market GTC coinbase/BTC-USD; "
    )
    topics = [line.lstrip(" │├└─").split()[0] for line in lines[2:]]
    assert topics[:6] == [
        "market.candle", "execution.intent", "risk.check", "execution.accepted", "execution.fill", "by",
    ]  # fmt: skip
    assert "portfolio.position" in topics


def test_why_json(run: Path) -> None:
    story = json.loads(call("why", run, FIRST_ORDER, "--json").output)
    assert list(story) == ["order_id", "summary", "group", "causes", "intent"]
    assert story["causes"][0]["event"] == "BarClosed"
    accepted = story["intent"]["children"][0]["children"][0]
    assert accepted["event"] == "OrderAccepted"
    assert accepted["children"][0]["caused_by"]["event"] == "BarClosed"


def test_why_without_data_still_names_the_rows(moved: tuple[Path, Path]) -> None:
    result = call("why", moved[0], FIRST_ORDER)
    assert result.exit_code == 0
    assert f"market row {FIRST_ORDER - 1}" in result.output


@pytest.mark.parametrize(
    ("order", "text"), [("51", "the nearest are 50"), ("99999999", "no order"), ("abc", "is not an order id")]
)
def test_why_refuses_what_is_no_order(run: Path, order: str, text: str) -> None:
    result = call("why", run, order)
    assert result.exit_code == 2
    assert text in result.stderr
    assert "execution.intent" in result.stderr


# --- diff ---------------------------------------------------------------------------------------------------------


def test_diff_of_the_same_history_in_two_modes(run: Path, tmp_path: Path) -> None:
    full = make_run(tmp_path / "full", journal="full")
    result = call("diff", run, full)
    assert result.exit_code == 0
    assert result.output.startswith("identical: ")
    assert json.loads(call("diff", run, full, "--json").output)["identical"]


def test_diff_names_event_field_and_context(run: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", fee_bps=11)
    result = call("diff", run, other)
    assert result.exit_code == 1
    assert "first difference at event 1 (RunOpened), field body.rates." in result.output
    assert "first difference in what happened at event 54 (OrderFilled), field fee_minor" in result.output
    assert "> A" in result.output
    assert "caused by: " in result.output
    report = json.loads(call("diff", run, other, "--json").output)
    assert list(report) == ["identical", "events", "market_compared", "difference", "later_difference"]
    assert report["later_difference"]["field"] == "fee_minor"
    assert report["later_difference"]["a"]["event"]["event"] == "OrderFilled"


def test_diff_does_not_claim_what_it_could_not_compare(moved: tuple[Path, Path], tmp_path: Path) -> None:
    full = make_run(tmp_path / "full", journal="full")
    result = call("diff", moved[0], full)
    assert result.exit_code == 1
    assert result.stdout.startswith("no difference in ")
    assert "market rows not compared" in result.stdout
    assert call("diff", moved[0], full, "--data", moved[1]).exit_code == 0


@pytest.mark.parametrize("command", [("show",), ("at", 5), ("why", 5), ("diff", ".")])
def test_a_missing_path_is_named(command: tuple[object, ...], tmp_path: Path) -> None:
    name, *rest = command
    result = call(name, tmp_path / "gone", *rest)
    assert result.exit_code == 2
    assert "gone: no such directory" in result.stderr


def test_a_journal_without_any_event(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    JournalWriter.create(empty, origin="x", genesis_id=bytes(16), schema_digest=schema_digest(), fsync="off").close()
    assert call("show", empty).exit_code == 0
    assert call("diff", empty, empty).output == "identical: 0 events\n"
    assert "holds no event yet" in call("at", empty, "end").stderr
    assert "no order at all" in call("why", empty, 1).stderr
    assert "was written with" not in call("show", empty).stderr


def test_another_catalogue_of_events_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other"
    JournalWriter.create(other, origin="x", genesis_id=bytes(16), schema_digest=bytes(32), fsync="off").close()
    assert "written with another catalogue of events" in call("show", other).stderr


def test_a_journal_of_an_application_is_refused_in_one_line(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with JournalWriter.create(other, origin="x", genesis_id=bytes(16), schema_digest=bytes(32), fsync="off") as writer:
        writer.append(b"", b"body", event_count=1, first_sequence=1, ts_ingest_ns=0, kind=1)
    for command in (
        ("show", other),
        ("at", other, 1),
        ("why", other, 1),
        ("trades", other),
        ("sql", other, "--tables"),
    ):
        result = call(*command)
        assert result.exit_code == 2
        assert "frame 1 is of kind 1, and holds no events of the kernel" in result.stderr
