"""The verifier's report, and the torture table in small."""

import pytest

from journal import JournalWriter, verify_journal
from journal.faulty import MemoryStorage
from tests.journal.conftest import IDENTITY
from tests.journal.torture import canary
from tests.journal.torture.__main__ import rows


def test_the_report_counts_everything(place, write):
    writer = write(place, segment_bytes=1500)
    seen = []
    report = verify_journal(place, progress=lambda done, total: seen.append((done, total)))
    assert (report.ok, report.frames, report.events, report.records) == (True, 10, 20, 20)
    assert (report.head, report.root, report.first_problem, report.tail) == (
        writer.head,
        writer.root,
        None,
        "clean",
    )
    assert seen[-1] == (report.bytes, report.bytes)


def test_an_empty_journal_verifies(place):
    with JournalWriter.create(place, **IDENTITY) as writer:
        pass
    report = verify_journal(place)
    assert (report.ok, report.frames, report.head, report.root) == (True, 0, writer.head, writer.root)


def test_a_cut_at_a_frame_boundary_is_noticed_by_the_seal_alone(write):
    storage = MemoryStorage()
    write(storage, fsync="always")
    files = storage.files
    name = "00000000000000000001.seg"
    files[name] = files[name][:-400]
    assert verify_journal(MemoryStorage(files=files)).first_problem.kind == "acknowledged-missing"
    del files["head"]
    report = verify_journal(MemoryStorage(files=files))
    assert (report.ok, report.frames) == (True, 9)


@pytest.mark.slow
def test_torture_finds_nothing_lost_and_nothing_accepted():
    tallies = list(rows(quick=True, seed=1))
    assert sum(tally.cases for tally in tallies) > 5_000
    assert [tally for tally in tallies if tally.violations] == []


@pytest.mark.slow
def test_torture_notices_every_planted_bug():
    assert [planted for planted, tally in canary.canaries() if not tally.violations] == []
