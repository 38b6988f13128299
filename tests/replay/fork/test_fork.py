"""Forks of backtests: what they share with their parent, what they become, and what is refused.

The oracle is another run. A fork before anything was traded must come to what a run with its settings comes to from
the start, because its strategy has learned from the same market; one that changes nothing must come to its parent.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal import JournalReader, verify_journal
from kernel.events.catalogue import RunForked
from kernel.events.layout import FILLED, RUN_FORKED
from replay.audit import DivergenceError, records_of
from replay.execution import prepare
from replay.fork.backtest import Forked, fork_backtest, replay_fork
from replay.fork.changes import ForkError, forked_config
from replay.fork.check import check_fork, first_parting, fork_event, words_bytes
from replay.fork.point import find_origin
from replay.history import History
from replay.runner import read_run
from tests.replay import feature_strategies
from tests.replay.inspect.runs import BTC, FIRST_ORDER, make_run

END = "2017-03-01"
PYTHON = """
from kernel.strategy.python import Strategy

class Cross(Strategy):
    name = "ema_cross"
    days: int = 20
    def on_start(self):
        self.closes, self.said = [], 0
    def on_bar(self, bar):
        self.closes.append(bar.close_ticks)
        if len(self.closes) > self.days and self.closes[-1] > self.closes[-1 - self.days] and self.position_lots == 0:
            self.buy(1_000_000)
        elif self.position_lots > 0 and self.closes[-1] < self.closes[-2]:
            self.sell(self.position_lots)
"""


def quiet(done: int, total: int) -> None:
    """Nobody waits."""


def fork(run: Path, at: int, out: Path, *changes: str, codes: tuple[str, ...] = ()) -> Forked:
    parent = read_run(run)
    pairs = [(key, value) for key, _, value in (change.partition("=") for change in changes)]
    forked = prepare(forked_config(parent, pairs, codes))
    return fork_backtest(run / "journal", parent, forked, at, [*changes, *codes], out, quiet)


def fills(run: Path, after: int = 0) -> list[list[int]]:
    """The fills of a journal after an event: times, and what does not name another event."""
    found = []
    for frame in JournalReader(run / "journal"):
        records = records_of(frame)
        for record in records[(records["kind"] == FILLED.kind) & (records["sequence"] > after)]:
            words = record["words"][1 : FILLED.trade_id].tolist()
            found.append([int(record["ts_event_ns"]), int(record["instrument"]), *words])
    return found


def forked_event(run: Path) -> RunForked:
    stored = fork_event(History(run))
    assert stored is not None
    assert isinstance(stored.event, RunForked)
    return stored.event


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("fork") / "run", to=END)


# --- what comes of it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ("ema_cross.fast=5", {"strategy": [{"use": "ema_cross", "set": {"fast": 5}}]}),
        ("limit.order_notional=50000", {"limits": {"order_notional": 50_000}}),
        ("limit.daily_loss=0.5%", {"risk": {"daily_loss_percent": "0.5"}}),
    ],
)
def test_a_fork_before_anything_was_traded_is_a_run_with_its_settings(
    run: Path, tmp_path: Path, change: str, settings: dict[str, Any]
) -> None:
    made = fork(run, 20, tmp_path / "fork", change)
    other = make_run(tmp_path / "other", to=END, **settings)
    assert fills(tmp_path / "fork") == fills(other)
    assert fills(other) != fills(run) or not fills(other)
    assert made.fork.fills == len(fills(other))
    assert made.parent.fills == len(fills(run))
    assert made.at_fork.fills == 0


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(1, 1600))
def test_a_fork_that_changes_nothing_is_its_parent(
    run: Path, tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    out = tmp_path_factory.mktemp("same") / "fork"
    made = fork(run, at, out, "ema_cross.fast=12")
    histories = History(run), History(out)
    assert first_parting(*histories, made.file) is None
    assert made.parent == made.fork
    assert fills(out) == fills(run)
    assert check_fork(histories[1], histories[0]).problem == ""


def test_before_the_fork_all_is_the_parents_and_after_it_is_not(run: Path, tmp_path: Path) -> None:
    made = fork(run, 700, tmp_path / "fork", "fast=5", "limit.daily_loss=3%")
    last = made.file.forked_at
    parent, forked = History(run), History(tmp_path / "fork")
    for sequence in (1, 50, last):
        assert parent.event(sequence) == forked.event(sequence)
    proof = check_fork(forked, parent)
    assert (proof.problem, proof.forked_at, proof.events) == ("", last, last)
    parting = first_parting(parent, forked, made.file)
    assert parting is not None
    assert parting.fork is not None
    assert parting.fork.sequence > last
    before = [one for one in fills(run) if one in fills(tmp_path / "fork")]
    assert len(before) == made.at_fork.fills
    assert fills(tmp_path / "fork", last) != fills(run, last)
    state = forked.state_at(forked.last_sequence)
    assert int(state.head.fill_count) == made.fork.fills
    rules = [stored for stored in forked.events() if stored.type.topic == "risk.rule"]
    assert all(stored.sequence > last for stored in rules)
    assert len(rules) > 1


def test_both_journals_verify_and_the_fork_comes_out_again(run: Path, tmp_path: Path) -> None:
    fork(run, 700, tmp_path / "one", "fast=5")
    fork(run, 700, tmp_path / "two", "fast=5")
    roots = [verify_journal(tmp_path / name / "journal").root for name in ("one", "two")]
    assert roots[0] == roots[1]
    assert roots[0] != verify_journal(run / "journal").root
    report = replay_fork(tmp_path / "one", quiet)
    assert report.events == History(tmp_path / "one").last_sequence
    file = tmp_path / "one" / "fork.json"
    file.write_text(file.read_text().replace('"fast": "5"', '"fast": "6"'))
    with pytest.raises(DivergenceError):
        replay_fork(tmp_path / "one", quiet)


def test_an_event_inside_a_transaction_forks_at_its_end(run: Path, tmp_path: Path) -> None:
    made = fork(run, FIRST_ORDER, tmp_path / "fork", "fast=5")
    assert made.file.forked_at > FIRST_ORDER
    # What caused the next event in the parent lies after the fork, or is the event itself.
    following = History(run).event(made.file.forked_at + 1)
    assert following.cause <= 0 or following.cause > made.file.forked_at
    assert forked_event(tmp_path / "fork").parent_sequence == made.file.forked_at


def test_other_code_learns_from_the_market_before_the_fork(tmp_path: Path) -> None:
    code = tmp_path / "cross.py"
    code.write_text(PYTHON)
    run = make_run(tmp_path / "run", to=END)
    made = fork(run, 20, tmp_path / "fork", codes=(str(code),))
    other = make_run(tmp_path / "other", to=END, strategy=[{"use": str(code)}])
    assert fills(tmp_path / "fork") == fills(other)
    assert made.fork.fills > 10
    assert set(forked_event_body(tmp_path / "fork")["sources_sha256"]) == {"ema_cross"}
    again = replay_fork(tmp_path / "fork", quiet)
    assert again.complete


def forked_event_body(run: Path) -> dict[str, Any]:
    from kernel.events.body import decode_body

    stored = fork_event(History(run))
    assert stored is not None
    found: dict[str, Any] = decode_body(stored.body)
    return found


def test_one_of_several_strategies_changes_and_the_others_do_not(tmp_path: Path) -> None:
    names = ("first", "second", "third")
    entries = [{"use": "ema_cross", "name": name, "set": {"fraction": 0.0001}} for name in names]
    run = make_run(tmp_path / "run", to="2016-12-01", strategy=entries)
    fork(run, 100, tmp_path / "fork", "second.fast=4")
    entries[1] = {"use": "ema_cross", "name": "second", "set": {"fraction": 0.0001, "fast": 4}}
    made = [
        {
            name: [one for one in intents(place) if one[0] == number]
            for number, name in enumerate(("first", "second", "third"))
        }
        for place in (run, tmp_path / "fork")
    ]
    assert made[0]["first"] == made[1]["first"]
    assert made[0]["third"] == made[1]["third"]
    assert made[0]["second"] != made[1]["second"]


def intents(run: Path) -> list[tuple[int, int, int]]:
    from kernel.events.layout import INTENDED

    return [
        (int(record["strategy"]), int(record["ts_event_ns"]), int(record["words"][INTENDED.side]))
        for frame in JournalReader(run / "journal")
        for record in records_of(frame)[records_of(frame)["kind"] == INTENDED.kind]
    ]


@pytest.mark.slow
def test_features_of_the_fork_are_its_own(tmp_path: Path) -> None:
    """Both versions read features by number; each must read its own."""
    text = """
from kernel.strategy.python import Strategy

class Reader(Strategy):
    name = "reader"
    length: int = 5
    @staticmethod
    def features(length, **_):
        return (f"sma({length})", f"ema({length})")
    def on_bar(self, bar):
        if self.position_lots == 0 and bar.close_ticks > self.feature(0) > self.feature(1):
            self.buy(1_000_000)
        elif self.position_lots > 0 and bar.close_ticks < self.feature(0):
            self.sell(self.position_lots)
"""
    code = tmp_path / "reader.py"
    code.write_text(text)
    run = make_run(tmp_path / "run", to="2016-09-01", strategy=[{"use": str(code)}])
    fork(run, 12, tmp_path / "fork", "reader.length=9")
    other = make_run(tmp_path / "other", to="2016-09-01", strategy=[{"use": str(code), "set": {"length": 9}}])
    assert len(fills(other)) > 3
    assert fills(tmp_path / "fork") == fills(other) != fills(run)


# --- the bond to the parent ---------------------------------------------------------------------------------------


def test_the_fork_names_the_frame_of_its_parent(run: Path, tmp_path: Path) -> None:
    fork(run, 700, tmp_path / "fork", "fast=5")
    event = forked_event(tmp_path / "fork")
    frame = next(frame for frame in JournalReader(run / "journal") if frame.next_sequence > 700)
    assert event.frame == frame.number
    assert words_bytes(event.hash_0, event.hash_1, event.hash_2, event.hash_3) == frame.hash
    assert words_bytes(event.genesis_0, event.genesis_1) == JournalReader(run / "journal").genesis_id
    origin = find_origin(run / "journal", 700)
    assert (origin.frame, origin.frame_hash) == (frame.number, frame.hash.hex())


def test_another_parent_is_told(run: Path, tmp_path: Path) -> None:
    fork(run, 700, tmp_path / "fork", "fast=5")
    other = make_run(tmp_path / "other", to=END, strategy=[{"use": "ema_cross", "set": {"fast": 11}}])
    assert "its parent is the journal" in check_fork(History(tmp_path / "fork"), History(other)).problem
    with pytest.raises(ForkError, match="is no fork"):
        check_fork(History(run), History(other))


def test_a_parent_whose_history_is_another_one_is_told(run: Path, tmp_path: Path) -> None:
    """The same genesis id and another content: as after a rewrite by whoever holds the files."""
    fork(run, 700, tmp_path / "fork", "fast=5")
    rewritten = tmp_path / "rewritten"
    rewrite(run, rewritten, 300)
    problem = check_fork(History(tmp_path / "fork"), History(rewritten)).problem
    assert "and the fork names" in problem
    # And a fork whose own shared history was written anew, with the right frame named, differs before the fork.
    rewrite(tmp_path / "fork", tmp_path / "changed", 300)
    problem = check_fork(History(tmp_path / "changed"), History(run)).problem
    assert "they differ before the fork" in problem


def rewrite(run: Path, to: Path, sequence: int) -> None:
    """Write a journal anew with one stored event changed; its chain is whole."""
    from journal import JournalWriter
    from kernel.events.layout import POSITION_CHANGED

    shutil.copytree(run, to, ignore=shutil.ignore_patterns("journal"))
    reader = JournalReader(run / "journal")
    changed = False
    with JournalWriter.create(
        to / "journal",
        origin=reader.origin,
        genesis_id=reader.genesis_id,
        schema_digest=reader.schema_digest,
        fsync="off",
    ) as writer:
        for frame in reader:
            records = records_of(frame).copy()
            places = np.flatnonzero((records["kind"] == POSITION_CHANGED.kind) & (records["sequence"] < sequence))
            if len(places) and not changed:
                records["words"][places[0], 9] += 1
                changed = True
            writer.append(records.view(np.uint8), bytes(frame.bodies), **frame.fields)
    assert changed


def test_changed_data_or_code_is_told(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    text = (copy / "run.json").read_text()
    (copy / "run.json").write_text(text.replace('"fee_bps": 10', '"fee_bps": 11'))
    with pytest.raises(ForkError, match="data or code have changed"):
        fork(copy, 700, tmp_path / "fork", "fast=5")


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ((), "nothing is different"),
        (("limit.nothing=3",), "no limit 'nothing'"),
        (("limit.dialy_loss=3%",), "did you mean daily_loss_percent"),
        (("other.fast=3",), "no strategy 'other'"),
    ],
)
def test_changes_that_cannot_be_made(run: Path, tmp_path: Path, changes: tuple[str, ...], message: str) -> None:
    with pytest.raises(ForkError, match=message):
        fork(run, 700, tmp_path / "fork", *changes)
    assert not (tmp_path / "fork").exists()


def test_an_exit_plan_can_begin_with_a_fork(run: Path, tmp_path: Path) -> None:
    made = fork(run, 700, tmp_path / "fork", "risk.trailing_stop_percent=5")
    assert any(one.type.topic == "define.exits" for one in History(tmp_path / "fork").events())
    assert made.fork != made.parent


def test_features_that_the_run_does_not_compute_are_refused(run: Path, tmp_path: Path) -> None:
    code = tmp_path / "daily.py"
    code.write_text(PYTHON.replace("    days: int = 20\n", '    days: int = 20\n    features = ("rsi(5)@1d",)\n'))
    with pytest.raises(ForkError, match="features of bars that the run does not make: 1d"):
        fork(run, 700, tmp_path / "fork", codes=(str(code),))
    settings = {"strategy": [{"use": f"{feature_strategies.__file__}:cross"}], "features": {"record": True}}
    recorded = make_run(tmp_path / "recorded", to="2016-08-01", **settings)
    with pytest.raises(ForkError, match="records its features, and the fork's strategy reads others"):
        fork(recorded, 100, tmp_path / "fork", "fast=5")
    off = make_run(tmp_path / "off", to="2016-08-01", journal="off")
    with pytest.raises(ForkError, match="kept no journal"):
        fork(off, 100, tmp_path / "fork", "fast=5")


def test_places_outside_of_the_journal_are_refused(run: Path) -> None:
    last = History(run).last_sequence
    for at in (0, last, last + 1):
        with pytest.raises(ForkError, match="the journal has events 1 to"):
            find_origin(run / "journal", at)


def test_a_strategy_that_hears_other_bars_is_refused(run: Path, tmp_path: Path) -> None:
    code = tmp_path / "slow.py"
    code.write_text(PYTHON.replace('name = "ema_cross"', 'name = "ema_cross"\n    bars = ("1d",)'))
    with pytest.raises(ForkError, match="has other bars"):
        fork(run, 700, tmp_path / "fork", codes=(str(code),))


def test_a_run_without_limits_again_when_the_fork_has_none(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", to=END, risk={"daily_loss_percent": "0.5"})
    fork(run, 20, tmp_path / "fork", "risk.daily_loss_percent=0")
    plain = make_run(tmp_path / "plain", to=END)
    assert fills(tmp_path / "fork") == fills(plain)
    assert fills(run) != fills(plain)


def test_recorded_features_must_stay(tmp_path: Path) -> None:
    values = {"features": {"record": True, "set": ["sma(5)"]}, "to": "2016-08-01", "data": [BTC]}
    run = make_run(tmp_path / "run", **values)
    made = fork(run, 60, tmp_path / "fork", "fast=4")  # it reads no features, so all stays
    assert made.last_sequence > 60
    assert RUN_FORKED.kind == 59
