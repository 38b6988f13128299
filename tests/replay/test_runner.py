"""Run directories: what a run leaves, how it is audited, resumed, and what is found when something changed."""

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from journal import JournalReader, JournalWriter, verify_journal
from kernel.events.layout import RECORD, SEGMENT, STATE_DIGEST, TAIL_DISCARDED
from replay.audit import DivergenceError, compare_records, records_of
from replay.certificate import changed_inputs, make_certificate, read_certificate, write_certificate
from replay.config import ConfigError
from replay.memory import FRAME_RECORDS, FRAME_ROWS
from replay.runner import audit_journal, read_run, resume_backtest, run_backtest


@pytest.fixture
def finished(prepare_sample, tmp_path):
    """A finished run: what was prepared, and its result."""
    prepared = prepare_sample(digest_interval=512, strategy=[{"use": "ema_cross", "exits": {"max_hold": "9000h"}}])
    return prepared, run_backtest(prepared, tmp_path / "run")


def stored(journal):
    """All records of a journal."""
    return np.concatenate([records_of(frame) for frame in JournalReader(journal)])


def test_tables_agree_with_the_journal(finished):
    _, result = finished
    records = stored(result.journal)
    trades = pq.read_table(result.run_dir / "trades.parquet")
    equity = pq.read_table(result.run_dir / "equity.parquet")
    assert len(trades) == result.trades == int((records["kind"] == 49).sum())
    assert sum(trades["realised_minor"].to_pylist()) == result.realised_minor - open_realised(records, trades)
    assert equity["equity_minor"][-1].as_py() == result.final_equity_minor
    assert len(equity) == result.bars


def open_realised(records, trades):
    """What partial closes of trades that are still open have realised: the books' total without the closed trades."""
    last = {(int(r["strategy"]), int(r["instrument"])): int(r["words"][3]) for r in records if r["kind"] == 48}
    return sum(last.values()) - sum(trades["realised_minor"].to_pylist())


def test_frames_obey_their_bounds_and_account_for_every_sequence(finished):
    _, result = finished
    expected = 1
    for frame in JournalReader(result.journal):
        records = records_of(frame)
        assert frame.first_sequence == expected
        expected += frame.event_count
        segments = records[records["kind"] == SEGMENT.kind]
        rows = int(segments["words"][0][SEGMENT.row_count]) if len(segments) else 0
        assert len(records) - len(segments) + rows == frame.event_count
        assert len(records) <= FRAME_RECORDS + 1
        assert rows <= FRAME_ROWS
    assert expected == result.events + 1


def test_an_audit_finds_a_run_identical(finished):
    prepared, result = finished
    report = audit_journal(result.journal, prepared)
    assert report.complete
    assert report.frames == result.frames
    assert report.result_hash == result.result_hash


def test_the_recorded_run_can_be_read_back(finished):
    prepared, result = finished
    again = read_run(result.run_dir)
    assert again.resolved == prepared.resolved
    moved = read_run(result.run_dir, strategies=["ema_cross"])
    assert moved.config.strategies == again.config.strategies, "its exits, sizing and account too"
    with pytest.raises(ConfigError, match="the run has 1 strategies"):
        read_run(result.run_dir, strategies=["a.py", "b.py"])
    (result.run_dir / "run.json").write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        read_run(result.run_dir)


@pytest.mark.parametrize(
    ("change", "event"),
    [
        ({"fee_bps": 11}, "RunOpened"),
        ({"strategy": [{"use": "ema_cross", "set": {"fast": 13}}]}, "RunOpened"),
        ({"to": "2016-12-01"}, "RunOpened"),
    ],
)
def test_an_audit_with_other_settings_names_the_difference(finished, prepare_sample, change, event):
    _, result = finished
    with pytest.raises(DivergenceError) as found:
        audit_journal(result.journal, prepare_sample(**{"digest_interval": 512, **change}))
    assert found.value.difference.event == event


def rewritten(result, folder, change):
    """The journal again, honestly chained, with its records changed by ``change(records)``."""
    reader = JournalReader(result.journal)
    writer = JournalWriter.create(
        folder, origin=reader.origin, genesis_id=reader.genesis_id, schema_digest=reader.schema_digest
    )
    with writer:
        for frame in reader:
            records = records_of(frame).copy()
            change(records)
            writer.append(records.view(np.uint8), bytes(frame.bodies), **frame.fields)
    assert verify_journal(folder).ok
    return folder


@pytest.mark.parametrize(
    ("kind", "word", "field"),
    [
        (36, 2, "price_ticks"),
        (33, 3, "value"),
        (STATE_DIGEST.kind, 0, "digest_0"),
        (SEGMENT.kind, SEGMENT.hash_0, "market data (the rows are not those that were recorded)"),
    ],
)
def test_a_rewritten_history_verifies_but_does_not_replay(finished, tmp_path, kind, word, field):
    prepared, result = finished
    seen = []

    def change(records):
        found = np.flatnonzero(records["kind"] == kind)
        if len(found) and not seen:
            seen.append(int(records["sequence"][found[0]]))
            records["words"][found[0], word] += 1

    folder = rewritten(result, tmp_path / "forged", change)
    with pytest.raises(DivergenceError) as found:
        audit_journal(folder, prepared)
    assert found.value.difference.field == field
    assert found.value.difference.sequence == seen[0]


def test_a_run_stopped_and_resumed_ends_the_same(prepare_sample, finished, tmp_path):
    _, result = finished
    prepared = prepare_sample(digest_interval=512, strategy=[{"use": "ema_cross", "exits": {"max_hold": "9000h"}}])
    calls = []

    def should_stop():
        calls.append(1)
        return len(calls) == 3

    stopped = run_backtest(prepared, tmp_path / "stopped", should_stop=should_stop, batch_rows=200)
    assert not stopped.completed
    assert audit_journal(stopped.journal, prepared).complete is False
    resumed = resume_backtest(tmp_path / "stopped")
    assert resumed.completed
    assert resumed.result_hash == result.result_hash
    assert audit_journal(resumed.journal, prepared).complete


def test_a_torn_tail_is_set_aside_and_recorded(prepare_sample, finished, tmp_path):
    _, result = finished
    prepared = prepare_sample(digest_interval=512, fsync="off")
    run = run_backtest(prepared, tmp_path / "torn")
    (segment,) = run.journal.glob("*.seg")
    (run.journal / "head").unlink()
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size - 100)
    resumed = resume_backtest(tmp_path / "torn")
    assert resumed.result_hash == result.result_hash
    assert (stored(run.journal)["kind"] == TAIL_DISCARDED.kind).sum() == 1
    assert list((run.journal / "discarded").iterdir())
    report = audit_journal(run.journal, prepared)
    assert report.complete
    again = resume_backtest(tmp_path / "torn")
    assert again.result_hash == result.result_hash


def test_a_run_without_a_journal_gives_the_same_result(prepare_sample, finished, tmp_path):
    _, result = finished
    run = run_backtest(prepare_sample(digest_interval=512, journal="off"), tmp_path / "off")
    assert run.result_hash == result.result_hash
    assert run.journal is None
    with pytest.raises(ConfigError, match="without a journal"):
        resume_backtest(tmp_path / "off")


def test_the_certificate_says_what_changed(finished, tmp_path):
    prepared, result = finished
    write_certificate(prepared, result)
    recorded = read_certificate(result.run_dir)
    assert changed_inputs(recorded, prepared) == []
    assert recorded == msgspec.json.decode(msgspec.json.encode(make_certificate(prepared, result)))
    recorded["inputs"]["data"][0]["sha256"] = "0" * 64
    recorded["inputs"]["packages"]["numpy"] = "1.0"
    changes = changed_inputs(recorded, prepared)
    assert changes[0] == "the data files"
    assert changes[1].startswith("numpy 1.0 -> ")
    assert read_certificate(tmp_path) is None


def test_compare_records_finds_missing_and_extra_events():
    records = np.zeros(3, RECORD)
    records["sequence"] = [1, 2, 3]
    records["kind"] = 34
    assert compare_records(records, records.copy()) is None
    missing = compare_records(records, records[:2])
    assert (missing.sequence, missing.left, missing.right) == (3, "OrderAccepted", None)
    extra = compare_records(records[:2], records)
    assert (extra.sequence, extra.left, extra.right) == (3, None, "OrderAccepted")
    other = records.copy()
    other["kind"][1] = 35
    assert compare_records(records, other).field == "kind"
    other = records.copy()
    other["cause"][2] = 9
    difference = compare_records(records, other)
    assert (difference.sequence, difference.field, difference.left, difference.right) == (3, "cause", 0, 9)
