"""The view of a journal as events: the same in both modes, checked against the market data, and its fold."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from kernel.events.catalogue import BarClosed, OrderFilled, OrderIntended
from kernel.events.layout import FILLED
from kernel.state import state_digest
from replay.history import History, HistoryError
from replay.inspect.frames import Filter
from replay.inspect.source import DataChangedError, DataMissingError
from tests.replay.inspect.runs import FIRST_ORDER, TICKS, change_a_price, copy_with_other_data, make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("history")
    return make_run(folder / "reference"), make_run(folder / "full", journal="full")


@pytest.fixture(scope="module")
def reference(runs: tuple[Path, Path]) -> History:
    return History(runs[0])


def test_both_modes_have_the_same_events_byte_for_byte(runs: tuple[Path, Path]) -> None:
    left, right = (np.concatenate([f.expanded() for f in History(run).frames()]) for run in runs)
    assert left.tobytes() == right.tobytes()
    assert left["sequence"].tolist() == list(range(1, len(left) + 1))


def test_names_come_from_the_journal_itself(reference: History) -> None:
    names = reference.names
    assert names.instrument_ids == {"coinbase/BTC-USD": 0}
    assert names.strategies == ("ema_cross",)
    assert (names.currency, names.scale) == ("USD", 6)
    assert names.price(45001, 0) == "450.01"
    assert names.quantity(150_000_000, 0) == "1.5"
    assert names.money(-1_234_500_000) == "-1,234.50"


def test_an_event_is_found_whether_it_is_stored_or_a_row(reference: History) -> None:
    assert isinstance(reference.event(FIRST_ORDER).event, OrderIntended)
    row = reference.event(FIRST_ORDER - 1)
    assert isinstance(row.event, BarClosed)
    assert (row.instrument, row.strategy, row.cause) == (0, -1, 0)
    listed = next(reference.events(Filter(first=FIRST_ORDER - 1, market=True)))
    assert listed == row


@pytest.mark.parametrize("sequence", [0, -1, 10_000_000])
def test_a_sequence_that_does_not_exist_is_refused_with_the_span(reference: History, sequence: int) -> None:
    with pytest.raises(HistoryError, match=r"does not exist: the journal holds events 1 to "):
        reference.event(sequence)
    with pytest.raises(HistoryError, match="does not exist"):
        reference.state_at(sequence)


def test_the_fold_finds_every_recorded_digest_again(runs: tuple[Path, Path]) -> None:
    folds = [History(run).fold() for run in runs]
    assert folds[0].digests == folds[1].digests >= 5
    assert folds[0].digest == folds[1].digest
    assert folds[0].events == History(runs[0]).last_sequence


def test_a_state_is_the_same_whether_folding_stops_there_or_goes_on(reference: History) -> None:
    for sequence in (7, 8, FIRST_ORDER, FIRST_ORDER + 4, 500, 1500):
        state = reference.state_at(sequence)
        assert int(state.head.next_sequence) == sequence + 1
    assert state_digest(reference.state_at(500)) != state_digest(reference.state_at(501))


def test_filters_choose_by_kind_time_and_sequence(reference: History) -> None:
    fills = list(reference.events(Filter(kinds=frozenset((FILLED.kind,)))))
    assert fills
    assert all(isinstance(stored.event, OrderFilled) for stored in fills)
    half = fills[len(fills) // 2].ts_event_ns
    early = list(reference.events(Filter(kinds=frozenset((FILLED.kind,)), end_ns=half)))
    late = list(reference.events(Filter(kinds=frozenset((FILLED.kind,)), start_ns=half)))
    assert early + late == fills
    assert [s.sequence for s in reference.events(Filter(first=3, last=6))] == [3, 4, 5, 6]
    assert list(reference.events(Filter(strategies=frozenset((5,))))) == []


def test_stored_events_need_no_data_and_rows_say_what_to_pass(runs: tuple[Path, Path], tmp_path: Path) -> None:
    moved, data = copy_with_other_data(runs[0], tmp_path / "moved")
    data.unlink()
    history = History(moved)
    assert sum(1 for _ in history.events()) > 100
    with pytest.raises(DataMissingError, match=r"market data is not at .* any more; pass --data PATH"):
        history.event(FIRST_ORDER - 1)
    with pytest.raises(DataMissingError):
        history.fold()
    (moved / "run.json").unlink()
    with pytest.raises(DataMissingError, match=r"no run\.json says where they lie; pass --data PATH"):
        History(moved).fold()


def test_data_that_has_changed_is_refused_with_its_rows(runs: tuple[Path, Path], tmp_path: Path) -> None:
    changed, data = copy_with_other_data(runs[0], tmp_path / "changed")
    assert History(changed).fold().digests
    change_a_price(data)
    with pytest.raises(DataChangedError, match=r"rows 0 to [\d,]+ are not those that were recorded \(frame 2"):
        History(changed).fold()
    with pytest.raises(DataChangedError, match=r"pass --data PATH"):
        History(changed).event(FIRST_ORDER - 1)


def test_data_of_another_instrument_is_refused(runs: tuple[Path, Path]) -> None:
    with pytest.raises(DataChangedError, match="the data has binance-perp/BTCUSDT, but the journal is about coinbase"):
        History(runs[0], [TICKS]).fold()


def test_quotes_and_trades_are_resolved_too(tmp_path: Path) -> None:
    history = History(make_run(tmp_path / "ticks", data=[TICKS], to="", strategy=[{"use": "buy_and_hold"}]))
    topics = {stored.type.topic for stored in itertools.islice(history.events(Filter(market=True)), 200)}
    assert {"market.quote", "market.trade"} <= topics
    assert history.fold().digests > 50


@pytest.mark.parametrize(("make", "text"), [(False, "no such directory"), (True, "no journal there")])
def test_what_is_no_journal_is_named(tmp_path: Path, make: bool, text: str) -> None:
    place = tmp_path / "nothing"
    if make:
        place.mkdir()
    with pytest.raises(HistoryError, match=text):
        History(place)
