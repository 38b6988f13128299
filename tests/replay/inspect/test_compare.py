"""The first difference of two histories, however they are stored; causes, changes and text of what is found."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from journal import JournalReader, JournalWriter
from kernel.events.layout import CHECKED, FILLED
from replay.audit import records_of
from replay.history import History, HistoryError
from replay.inspect.causes import explain_order, story_lines
from replay.inspect.changes import changes
from replay.inspect.compare import compare_histories
from replay.inspect.names import Scale, scale_of
from replay.inspect.text import lay_out
from tests.replay.inspect.runs import FIRST_ORDER, TICKS, copy_with_other_data, make_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    make_run(folder / "reference")
    make_run(folder / "full", journal="full")
    make_run(folder / "faster", strategy=[{"use": "ema_cross", "set": {"fast": 10}}])
    make_run(folder / "shorter", to="2017-06-01")
    return folder


def rewritten(run: Path, to: Path, change: object = None, frame_records: int = 40) -> Path:
    """The journal of a full run cut into other frames, with ``change`` made to its records."""
    reader = JournalReader(run / "journal")
    frames = list(reader)
    shutil.copytree(run, to, ignore=shutil.ignore_patterns("journal"))
    identity = {"origin": reader.origin, "genesis_id": reader.genesis_id, "schema_digest": reader.schema_digest}
    with JournalWriter.create(to / "journal", fsync="off", **identity) as writer:
        for frame in frames:
            records = records_of(frame).copy()
            if callable(change):
                change(records)
            size = len(records) if frame.bodies else frame_records
            for at in range(0, len(records), size):
                part = records[at : at + size]
                writer.append(
                    part.view(np.uint8),
                    bytes(frame.bodies),
                    event_count=len(part),
                    first_sequence=int(part[0]["sequence"]),
                    ts_ingest_ns=frame.ts_ingest_ns,
                )
    return to


def test_modes_and_frame_cuts_do_not_matter(folder: Path, tmp_path: Path) -> None:
    recut = rewritten(folder / "full", tmp_path / "recut")
    for left, right in (("reference", "full"), ("full", "reference"), ("reference", "reference")):
        found = compare_histories(History(folder / left), History(folder / right))
        assert found.difference is None
        assert found.events == History(folder / left).last_sequence
    for mode in ("reference", "full"):
        found = compare_histories(History(folder / mode), History(recut))
        assert (found.difference, found.events) == (None, History(recut).last_sequence)


def test_one_changed_word_is_found_in_either_mode(folder: Path, tmp_path: Path) -> None:
    def cheaper(records: np.ndarray) -> None:
        at = np.flatnonzero((records["kind"] == FILLED.kind) & (records["sequence"] > 500))
        records["words"][at[:1], FILLED.price_ticks] -= 7

    changed = rewritten(folder / "full", tmp_path / "changed", cheaper)
    for mode in ("reference", "full"):
        found = compare_histories(History(folder / mode), History(changed))
        assert found.difference is not None
        assert (found.difference.event, found.difference.field) == ("OrderFilled", "price_ticks")
        assert isinstance(found.difference.left, int)
        assert found.difference.right == found.difference.left - 7
        assert found.events == found.difference.sequence - 1
        assert found.sides is not None
        assert found.sides[0].event is not None
        assert [s.sequence for s in found.sides[0].causes] == [found.sides[0].event.cause]


def test_other_parameters_are_named_and_the_first_other_decision_too(folder: Path) -> None:
    found = compare_histories(History(folder / "reference"), History(folder / "faster"))
    assert found.difference is not None
    assert found.difference.field == "body.strategies[0].parameters.fast"
    assert (found.difference.left, found.difference.right) == (12, 10)
    assert found.later is not None
    assert found.later.sequence > 7


def test_a_history_that_ends_earlier_differs_there(folder: Path) -> None:
    found = compare_histories(History(folder / "reference"), History(folder / "shorter"))
    assert found.difference is not None
    assert found.difference.field.startswith("end_ns")


def test_without_the_data_only_stored_events_are_compared(folder: Path, tmp_path: Path) -> None:
    moved, data = copy_with_other_data(folder / "reference", tmp_path / "moved")
    data.unlink()
    found = compare_histories(History(moved), History(folder / "full"))
    assert found.difference is None
    assert not found.market
    assert "pass --data" in found.market_problem
    assert compare_histories(History(moved), History(folder / "reference")).market, "equal hashes need no data"


def test_an_order_s_story_runs_from_its_bar_to_its_fills(folder: Path) -> None:
    history = History(folder / "reference")
    story = explain_order(history, FIRST_ORDER)
    assert [node.sequence for node in story.causes] == [FIRST_ORDER - 1]
    fills = [s for s in story.life if s.type.topic == "execution.fill"]
    assert sum(s.event.quantity_lots for s in fills) == story.life[0].event.quantity_lots  # type: ignore[attr-defined]
    shown = story_lines(story, history.names, None)
    assert any(line.lstrip(" │").startswith("by market.candle") for line in shown)
    assert max(len(line) for line in story_lines(story, history.names, 80)) <= 80


def test_each_order_of_a_run_has_a_story(folder: Path) -> None:
    history = History(folder / "reference")
    intents = [s.sequence for s in history.events() if s.type.topic == "execution.intent"]
    for order_id in intents[:20]:
        story = explain_order(history, order_id)
        assert {s.event.order_id for s in story.life[1:] if hasattr(s.event, "order_id")} == {order_id}


def test_a_refused_order_says_by_which_check(tmp_path: Path) -> None:
    strategies = [{"use": "buy_and_hold"}, {"use": "ema_cross"}]
    history = History(make_run(tmp_path / "refused", strategy=strategies))
    records = np.concatenate([frame.records for frame in history.stored_frames()])
    refused = records[(records["kind"] == CHECKED.kind) & (records["words"][:, CHECKED.check] != 0)]
    story = explain_order(history, int(refused[0]["words"][CHECKED.order_id]))
    assert "refused by buying_power" in story_lines(story, history.names, None)[0]
    assert len(story.life) == 2


def test_an_unknown_order_gets_the_nearest_ones(folder: Path) -> None:
    with pytest.raises(HistoryError, match=r"no order 51; the nearest are 50, .*--topic execution.intent"):
        explain_order(History(folder / "reference"), 51)


def test_changes_name_rows_and_skip_what_stayed(folder: Path) -> None:
    history = History(folder / "reference")
    first, second = history.state_at(FIRST_ORDER), history.state_at(FIRST_ORDER + 5)
    found = {(c.table, c.field): c for c in changes(first, second, history.names)}
    assert found["positions", "quantity_lots"].before == 0
    assert found["orders", "filled_lots"].row == str(FIRST_ORDER)
    assert ("limits", "margin_rate") not in found
    assert changes(first, first, history.names) == []


@pytest.mark.parametrize(
    ("unit", "count", "text"),
    [
        ("0.01", 45001, "450.01"),
        ("0.01", -5, "-0.05"),
        ("0.25", 3, "0.75"),
        ("1", 7, "7"),
        ("100", 7, "700"),
        ("1e-8", 1, "0.00000001"),
    ],
)
def test_units_as_decimal_text(unit: str, count: int, text: str) -> None:
    assert scale_of(unit).text(count) == text


def test_money_keeps_its_cents_and_drops_idle_zeros() -> None:
    money = Scale(1, 6)
    assert money.text(1_500_000, least=2) == "1.50"
    assert money.text(1_234_567_890_100, least=2, group=True) == "1,234,567.8901"


def test_a_table_is_wrapped_within_the_width() -> None:
    lines = list(lay_out(("n", "text"), [["1", "word " * 30]], (True, False), 60))
    assert len(lines) > 2
    assert max(map(len, lines)) <= 60
    assert list(lay_out(("n", "text"), [["1", "x" * 90]], (True, False), None))[1].endswith("x" * 90)


def test_a_tick_run_compares_with_itself(tmp_path: Path) -> None:
    left = make_run(tmp_path / "a", data=[TICKS], to="")
    right = make_run(tmp_path / "b", data=[TICKS], to="", journal="full")
    found = compare_histories(History(left), History(right))
    assert (found.difference, found.events) == (None, History(left).last_sequence)
