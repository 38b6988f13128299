"""Forks of real sessions at a local venue: one whose orders rest there, and one on paper."""

from pathlib import Path

import msgspec
import pytest

from journal import verify_journal
from kernel.events.catalogue import CancelAsked, DegradedSet, OrderCanceled, OrderFilled
from replay.audit import DivergenceError
from replay.fork.changes import forked_config
from replay.fork.check import check_fork, first_parting
from replay.fork.figures import Forked
from replay.fork.live import fork_live, replay_live_fork
from replay.history import History
from replay.inspect.frames import MARKET_KINDS, Filter
from replay.live.files import prepare_live, read_live_file
from tests.live.places import BYBIT
from tests.live.sessions import Session, write_config
from tests.venues.process import started


def quiet(done: int, total: int) -> None:
    """Nobody waits."""


def session(folder: Path, fills: int, **changes: str) -> Path:
    """A session that trades until it has so many fills."""
    with (
        started(BYBIT.module, "--rate", "120", *BYBIT.arguments) as server,
        Session(folder / "run", BYBIT.keys) as running,
    ):
        running.begin(write_config(folder / "live.toml", BYBIT, server, **changes))
        running.wait_until(lambda status: status["fills"] >= fills)
        assert running.stop() == 0
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return session(tmp_path_factory.mktemp("live"), 12)


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return session(tmp_path_factory.mktemp("paper"), 8, mode="paper", key="", secret="")


def fork(run: Path, at: int, out: Path, *changes: str) -> Forked:
    live = read_live_file(run)
    parent = prepare_live(live.config, live.instruments)
    pairs = [(key, value) for key, _, value in (change.partition("=") for change in changes)]
    forked = prepare_live(forked_config(parent, pairs, []), live.instruments)
    return fork_live(run / "journal", live, forked, at, list(changes), out, quiet)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_a_fork_anywhere_is_proven_whole_and_comes_out_again(run: Path, tmp_path: Path, share: float) -> None:
    parent = History(run)
    made = fork(run, int(parent.last_sequence * share), tmp_path / "fork", "busy.lots=20")
    assert verify_journal(tmp_path / "fork" / "journal").ok
    forked = History(tmp_path / "fork")
    proof = check_fork(forked, parent)
    assert (proof.problem, proof.events) == ("", made.file.forked_at)
    assert replay_live_fork(tmp_path / "fork", quiet).events == forked.last_sequence
    state = forked.state_at(forked.last_sequence)
    assert int(state.head.fill_count) == made.fork.fills
    assert made.parent.fills == int(parent.state_at(parent.last_sequence).head.fill_count)


def test_after_the_fork_there_is_the_market_and_a_simulated_venue(run: Path, tmp_path: Path) -> None:
    parent = History(run)
    first = next(stored for stored in parent.events() if isinstance(stored.event, OrderFilled))
    made = fork(run, first.sequence, tmp_path / "fork", "busy.lots=20", "limit.daily_loss=50%")
    forked, last = History(tmp_path / "fork"), made.file.forked_at
    own = last + made.file.own_events
    # At the fork the orders that rested at the venue are over, and nothing stops entries.
    assert made.file.own_events > 2
    at_fork = forked.state_at(own)
    assert int(at_fork.head.order_count) == 0
    assert int(at_fork.head.degraded) == 0
    kinds = {type(stored.event) for stored in forked.events(Filter(first=last + 1, last=own))}
    assert OrderCanceled in kinds or not int(parent.state_at(last).head.order_count)
    # After it come exactly the parent's market rows, and of other inputs none.
    market = [
        [
            (stored.ts_ingest_ns, stored.ts_event_ns, stored.instrument, msgspec.structs.astuple(stored.event))
            for stored in history.events(Filter(kinds=MARKET_KINDS, market=True, first=last + 1))
        ]
        for history in (parent, forked)
    ]
    assert market[0] == market[1]
    assert len(market[0]) > 5
    outside = [
        stored.type.topic
        for stored in forked.events(Filter(first=own + 1))
        if stored.type.external and not stored.type.topic.startswith("execution.")
    ]
    assert set(outside) <= {"timer.fired", "bar.due"}
    parting = first_parting(parent, forked, made.file)
    assert parting is not None
    assert parting.fork is not None


def test_a_fork_of_paper_that_changes_nothing_is_its_parent(paper: Path, tmp_path: Path) -> None:
    """The simulated venue had the orders all along, so they stay, and what follows is the same."""
    parent = History(paper)
    fills = [stored for stored in parent.events() if isinstance(stored.event, OrderFilled)]
    made = fork(paper, fills[2].sequence, tmp_path / "fork", "busy.lots=10")
    forked = History(tmp_path / "fork")
    assert not [stored for stored in forked.events() if isinstance(stored.event, CancelAsked)]
    assert check_fork(forked, parent).problem == ""
    assert made.at_fork.fills >= 3
    # The parent's last moments are not the market's: it stopped entries when it was told to end.
    ending = [stored for stored in parent.events() if isinstance(stored.event, DegradedSet)][-1]
    told = [
        [
            (one.ts_event_ns, one.instrument, one.event.side, one.event.price_ticks, one.event.quantity_lots)
            for one in history.events()
            if isinstance(one.event, OrderFilled) and one.ts_event_ns < ending.ts_event_ns
        ]
        for history in (parent, forked)
    ]
    assert told[0] == told[1]
    assert len(told[0]) > 3


def test_a_fork_that_was_changed_does_not_come_out_again(run: Path, tmp_path: Path) -> None:
    fork(run, 200, tmp_path / "fork", "busy.lots=20")
    file = tmp_path / "fork" / "fork.json"
    file.write_text(file.read_text().replace('"lots": "20"', '"lots": "30"'))
    with pytest.raises(DivergenceError):
        replay_live_fork(tmp_path / "fork", quiet)
