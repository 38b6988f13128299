"""Events about a journal itself, recorded with no session running: the journal is proven as before."""

from pathlib import Path

import msgspec
import pytest

from journal import JournalReader, JournalWriter
from journal.errors import JournalLocked
from kernel.events.catalogue import DataKeyDestroyed, SegmentsPruned
from kernel.events.layout import KEY_DESTROYED, PRUNED, RUN_CLOSED, STATE_DIGEST
from replay.audit import records_of
from replay.custody import record_custody
from replay.execution import prepare
from replay.history import HistoryError
from replay.live.audit import audit_live
from replay.live.files import JOURNAL_DIR
from replay.runner import audit_journal, read_run, run_backtest
from tests.replay.live.building import Written, configuration, instrument, market
from tests.replay.runs import config

EVENT = SegmentsPruned(1, 2, 3, 4, 5, 6, 7)


def _kinds(journal: Path) -> list[int]:
    return [int(kind) for frame in JournalReader(journal) for kind in records_of(frame)["kind"]]


def _session(run_dir: Path, minutes: int, *, elsewhere: bool, digest_interval: int = 500) -> Written:
    config = msgspec.structs.replace(configuration(), digest_interval=digest_interval)
    written = Written(run_dir, config, [instrument()], elsewhere=elsewhere)
    for now_ns, rows in market(minutes):
        written.core.take_rows(rows, now_ns)
    written.close()
    return written


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("minutes", [3, 60, 124])
def test_a_live_journal_takes_one_more_input(tmp_path: Path, minutes: int, elsewhere: bool) -> None:
    written = _session(tmp_path / "run", minutes, elsewhere=elsewhere)
    journal = written.run_dir / JOURNAL_DIR
    before = audit_live(journal, written.file)
    for number in range(3):
        sequence = record_custody(journal, EVENT, {"number": number})
        assert JournalReader(journal).last_sequence == sequence
    after = audit_live(journal, written.file)
    assert after.inputs == before.inputs + 3
    assert _kinds(journal)[-1] == PRUNED.kind


def test_a_digest_that_is_due_comes_first(tmp_path: Path) -> None:
    """Whatever the sequence is at which a session ends, what is added is what a session would have added."""
    digests = 0
    for minutes in range(11, 19):
        written = _session(tmp_path / f"run-{minutes}", minutes, elsewhere=True, digest_interval=5)
        journal = written.run_dir / JOURNAL_DIR
        count = _kinds(journal).count(STATE_DIGEST.kind)
        record_custody(journal, EVENT, {})
        digests += _kinds(journal).count(STATE_DIGEST.kind) > count
        audit_live(journal, written.file)
    assert 0 < digests < 8


def test_a_backtest_has_it_behind_its_end(tmp_path: Path) -> None:
    run = run_backtest(prepare(config(to="1998-10-01")), tmp_path / "run")
    record_custody(run.journal, EVENT, {"policy": "x"})
    record_custody(run.journal, DataKeyDestroyed(-1, 2, 3), {"reason": "y"})
    assert _kinds(run.journal)[-3:] == [RUN_CLOSED.kind, PRUNED.kind, KEY_DESTROYED.kind]
    report = audit_journal(run.journal, read_run(run.run_dir))
    assert report.complete
    assert report.result_hash == run.result_hash
    assert report.events == run.events + 2


def test_where_it_has_no_place_it_is_refused(tmp_path: Path) -> None:
    run = run_backtest(prepare(config(to="1998-10-01")), tmp_path / "run")
    with JournalWriter.open(run.journal), pytest.raises(JournalLocked):
        record_custody(run.journal, EVENT, {})
    interrupted = tmp_path / "interrupted"
    with JournalWriter.create(
        interrupted,
        origin="trading-kernel/backtest",
        genesis_id=bytes(16),
        schema_digest=JournalReader(run.journal).schema_digest,
    ) as writer:
        frame = next(iter(JournalReader(run.journal)))
        writer.append(frame.records, frame.bodies, event_count=frame.event_count, first_sequence=1, ts_ingest_ns=1)
    with pytest.raises(HistoryError, match="end it first with kernel replay --resume"):
        record_custody(interrupted, EVENT, {})
    other = tmp_path / "other"
    with JournalWriter.create(other, origin="x", genesis_id=bytes(16), schema_digest=bytes(32)):
        pass
    with pytest.raises(HistoryError, match="another catalogue"):
        record_custody(other, EVENT, {})
