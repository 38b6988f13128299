"""The verifier's report, and the torture table in small."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal import JournalWriter, verify_journal
from journal.faulty import MemoryStorage
from tests.journal.conftest import IDENTITY
from tests.journal.torture import canary
from tests.journal.torture.__main__ import rows
from tests.journal.torture.damage import closed_journal, segments_of
from tests.journal.torture.workload import ONE_SEGMENT, SMALL_SEGMENTS


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


@settings(max_examples=150, deadline=None)
@given(generators.data(), generators.sampled_from([ONE_SEGMENT, SMALL_SEGMENTS]))
def test_whatever_is_done_to_a_closed_journal_other_frames_are_never_served(data, segment_bytes):
    files, ledger = closed_journal("batch", segment_bytes, sealed=True)
    name = data.draw(generators.sampled_from(segments_of(files)))
    content = bytearray(files[name])
    for _ in range(data.draw(generators.integers(1, 3))):
        start, stop = sorted(data.draw(generators.tuples(*[generators.integers(0, len(content))] * 2)))
        source = data.draw(generators.integers(0, len(content)))
        length = data.draw(generators.integers(0, 600))
        filler = data.draw(generators.sampled_from([b"", bytes(length), bytes(content[source : source + length])]))
        content[start:stop] = filler
    report = verify_journal(MemoryStorage(files=files | {name: bytes(content)}))
    assert not report.ok or (report.frames, report.head) == (12, ledger.hashes[-1])


@pytest.mark.slow
def test_torture_finds_nothing_lost_and_nothing_accepted():
    tallies = list(rows(quick=True, seed=1))
    assert sum(tally.cases for tally in tallies) > 5_000
    assert [tally for tally in tallies if tally.violations] == []


@pytest.mark.slow
def test_torture_notices_every_planted_bug():
    assert [planted for planted, tally in canary.canaries() if not tally.violations] == []
