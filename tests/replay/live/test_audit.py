"""A live journal comes out again as it is recorded, whatever the batches were; what was changed is found."""

from pathlib import Path

import numpy as np
import pytest

from kernel.events.body import encode_body
from kernel.events.catalogue import (
    CancelAsked,
    FlattenRequested,
    KillSwitchRequested,
    VenueMessageSeen,
)
from kernel.events.layout import CANCEL_REQUESTED, FILLED, INTENDED, RECORD, SERIES_BAR, STATE_DIGEST
from kernel.state import state_digest
from replay.audit import DivergenceError
from replay.config.live import LiveConfig
from replay.live.audit import audit_live
from replay.live.core import Input
from replay.live.files import JOURNAL_DIR, LiveFile
from tests.replay.live.building import Written, configuration, instrument, market


def _run_paper(run_dir: Path, batch: int) -> tuple[Written, np.ndarray]:
    written = Written(run_dir, configuration(), [instrument()], elsewhere=False)
    made, rows, last_ns = [], [], 0
    for now_ns, some in market(240):
        rows += some
        last_ns = now_ns
        if len(rows) >= batch:
            made.append(written.core.take_rows(rows, now_ns))
            rows = []
    made.append(written.core.take_rows(rows, last_ns) if rows else np.zeros(0, RECORD))
    made.append(written.core.take([Input(VenueMessageSeen(1, 5), body=encode_body(b"hello"))], last_ns + 1_000_000))
    made.append(written.core.take([Input(FlattenRequested(1), body=encode_body({"reason": "test"}))], last_ns + 9**9))
    made.append(written.core.record_digest())
    return written, np.concatenate(made)


@pytest.mark.parametrize("batch", [1, 7])
def test_a_paper_session_comes_out_again(tmp_path: Path, batch: int) -> None:
    written, made = _run_paper(tmp_path / "run", batch)
    written.close()
    kinds = made["kind"].tolist()
    assert kinds.count(FILLED.kind) > 3
    assert kinds.count(STATE_DIGEST.kind) >= 2
    report = audit_live(written.run_dir / JOURNAL_DIR, written.file)
    assert report.events == int(made["sequence"][-1])
    assert report.inputs == 240 * 4 + 2


def test_other_parameters_diverge(tmp_path: Path) -> None:
    written, _ = _run_paper(tmp_path / "run", 1)
    written.close()
    file = written.file
    other = LiveFile(
        config=configuration(fee_bps=11),
        instruments=file.instruments,
        elsewhere=False,
        opened_ns=file.opened_ns,
        genesis_id=file.genesis_id,
    )
    with pytest.raises(DivergenceError, match="the journal"):
        audit_live(written.run_dir / JOURNAL_DIR, other)


def test_what_an_operator_asks_follows_at_once(tmp_path: Path) -> None:
    written = Written(tmp_path / "run", configuration(), [instrument()], elsewhere=True)
    asked_ns = 0
    for now_ns, rows in market(240):
        made = written.core.take_rows(rows, now_ns)
        asked_ns = now_ns
        if INTENDED.kind in made["kind"]:
            break
    made = written.core.take([Input(CancelAsked(0))], asked_ns)
    assert made["kind"].tolist()[1:] == [CANCEL_REQUESTED.kind]
    assert int(made[1]["cause"]) == int(made[0]["sequence"])
    made = written.core.take([Input(KillSwitchRequested(1, 1), body=encode_body("stop"))], asked_ns)
    assert written.core.state.risk.kill_level == 1
    before = state_digest(written.core.state)
    written.core.advance(asked_ns)
    assert state_digest(written.core.state) == before
    written.close()
    audit_live(written.run_dir / JOURNAL_DIR, written.file)


def test_bars_are_made_of_what_the_venue_sends(tmp_path: Path) -> None:
    config = configuration(bars=["5m", "30s from quotes"], live=LiveConfig(venue="bybit", feeds=["bars", "quotes"]))
    written = Written(tmp_path / "run", config, [instrument()], elsewhere=False)
    made = [written.core.take_rows(rows, now_ns) for now_ns, rows in market(60)]
    made.append(written.core.advance(market(61)[-1][0]))
    written.close()
    assert np.concatenate(made)["kind"].tolist().count(SERIES_BAR.kind) > 100
    audit_live(written.run_dir / JOURNAL_DIR, written.file)
