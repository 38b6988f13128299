"""Rows on which nothing was decided share a frame; a decision ends it, so what led to a request is written with it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal import JournalReader
from kernel.events.body import encode_body
from kernel.events.catalogue import CancelAsked, OrderAdopted, VenueMessageSeen
from kernel.events.layout import RECORD, PlainRecord
from kernel.lifecycle import BUY, GTC, LIMIT
from kernel.market import QUOTE
from kernel.venue import MarketRow
from replay.audit import records_of
from replay.inspect.frames import MARKET_KINDS
from replay.live.audit import audit_live
from replay.live.core import QUIET_ROWS, Input, LiveCore
from replay.live.files import JOURNAL_DIR, prepare_live
from replay.live.identities import Identities, adoption_body
from replay.live.start import Frames
from replay.memory import FRAME_RECORDS
from tests.replay.live.building import GENESIS, START_NS, Written, configuration, instrument, market

ADOPTION = adoption_body("v-1", "by hand")
INPUTS = (Input(CancelAsked(0)), Input(VenueMessageSeen(1, 5), body=encode_body(b"x" * 20_000)))


def _frames(run_dir: Path, first_sequence: int) -> list[np.ndarray]:
    reader = JournalReader(run_dir / JOURNAL_DIR)
    return [records_of(frame).copy() for frame in reader if frame.first_sequence >= first_sequence]


def _is_quiet(records: np.ndarray) -> bool:
    return bool(np.isin(records["kind"], sorted(MARKET_KINDS)).all())


def test_a_decision_ends_the_frame_of_the_rows_before_it(tmp_path: Path) -> None:
    written = Written(tmp_path / "run", configuration(), [instrument()], elsewhere=True)
    first, waited = written.core.next_sequence, 0
    for now_ns, rows in market(240):
        made = written.core.take_rows(rows, now_ns)
        assert len(made) in (0, QUIET_ROWS) or not _is_quiet(made), "rows alone wait until they are many"
        assert not len(made) or int(made["sequence"][-1]) == written.core.next_sequence - 1, "nothing decided waits"
        waited += len(made) == 0
    assert waited > 700
    written.close()
    frames = _frames(written.run_dir, first)
    assert 0 < len(frames) < 240
    assert sum(len(records) != QUIET_ROWS for records in filter(_is_quiet, frames)) == 0


def test_rows_that_wait_are_written_when_they_are_told_to(tmp_path: Path) -> None:
    written = Written(tmp_path / "run", configuration(), [instrument()], elsewhere=True)
    first = written.core.next_sequence
    for now_ns, rows in market(2):
        assert len(written.core.take_rows(rows, now_ns)) == 0
    sequences = written.core.close_frame()["sequence"].tolist()
    assert sequences == list(range(first, first + 8))
    assert len(written.core.close_frame()) == 0, "there is nothing left"
    written.close()
    assert [len(records) for records in _frames(written.run_dir, first)] == [8]


@pytest.mark.parametrize(("batch", "sizes"), [(1, [QUIET_ROWS, QUIET_ROWS, 7]), (QUIET_ROWS - 1, [FRAME_RECORDS, 19])])
def test_rows_that_come_in_small_batches_share_a_frame_until_it_is_full(
    tmp_path: Path, batch: int, sizes: list[int]
) -> None:
    assert _quiet_frames(tmp_path / "run", 2 * QUIET_ROWS + 7, batch) == sizes


def test_rows_that_come_together_fill_whole_frames(tmp_path: Path) -> None:
    assert _quiet_frames(tmp_path / "run", 2 * FRAME_RECORDS + 7, 512) == [FRAME_RECORDS, FRAME_RECORDS, 7]


def _quiet_frames(run_dir: Path, count: int, batch: int) -> list[int]:
    """How many rows are in each frame, when quotes on which nothing is decided come in batches."""
    config = msgspec.structs.replace(configuration(), digest_interval=1_000_000)
    written = Written(run_dir, config, [instrument()], elsewhere=True)
    first = written.core.next_sequence
    rows: list[MarketRow] = [(START_NS + at, QUOTE, 0, 600_000, 9, 600_002, 9, 0, 0) for at in range(count)]
    for at in range(0, count, batch):
        written.core.take_rows(rows[at : at + batch], START_NS + at)
    written.core.close_frame()
    written.close()
    return [len(records) for records in _frames(run_dir, first)]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_however_rows_and_inputs_come_the_journal_comes_out_again(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        written = Written(Path(folder) / "run", configuration(), [instrument()], elsewhere=False)
        made, first = [], written.core.next_sequence
        for now_ns, rows in market(40):
            step = data.draw(st.sampled_from(["row", "row", "row", "input", "close", "time"]))
            made.append(written.core.take_rows(rows, now_ns))
            if step == "input":
                made.append(written.core.take([data.draw(st.sampled_from(INPUTS))], now_ns))
            elif step == "close":
                made.append(written.core.close_frame())
            elif step == "time":
                made.append(written.core.advance(now_ns))
        made.append(written.core.close_frame())
        written.close()
        events = np.concatenate([np.zeros(0, RECORD), *made])
        assert events["sequence"].tolist() == list(range(first, written.core.next_sequence)), "each once, in order"
        frames = _frames(written.run_dir, first)
        assert np.concatenate(frames).tobytes() == events.tobytes()
        assert max(map(len, frames)) <= FRAME_RECORDS
        assert audit_live(written.run_dir / JOURNAL_DIR, written.file).events == written.core.next_sequence - 1


def test_a_rehearsal_leaves_no_trace(tmp_path: Path) -> None:
    told: list[list[list[PlainRecord]]] = []
    known: list[Identities] = []
    for is_rehearsed in (False, True):
        written = Written(tmp_path / str(is_rehearsed), configuration(), [instrument()], elsewhere=True)
        frames = Frames(Identities(GENESIS.hex()))
        frames.journal = written.journal
        told.append([])
        frames.on_told = lambda one: told[-1].append(list(one))
        core = LiveCore(prepare_live(configuration(), [instrument()]), frames, elsewhere=True)
        core.open(written.opening)
        for number, (now_ns, rows) in enumerate(market(240)):
            core.take_rows(rows, now_ns)
            if number % 40 == 0:
                core.take([Input(OrderAdopted(BUY, LIMIT, GTC, 5, 600_000, 0, 0), 0, 1, 0, body=ADOPTION)], now_ns)
            if is_rehearsed:
                frames.rehearse()
        written.close()
        known.append(frames.identities)
    assert told[0] == told[1]
    assert len(told[0]) > 20
    assert _facts(known[0]) == _facts(known[1])
    journals = [b"".join(path.read_bytes() for path in sorted((tmp_path / name / JOURNAL_DIR).glob("*.seg")))
                for name in ("False", "True")]  # fmt: skip
    assert journals[0] == journals[1]


def _facts(known: Identities) -> dict[str, Any]:
    return {name: value for name, value in vars(known).items() if name != "_names"}
