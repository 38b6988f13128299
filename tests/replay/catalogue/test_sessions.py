"""Sessions of an exchange: from exchange_calendars at the import to the state of a run."""

import numpy as np
import pytest

from kernel.market import SESSION
from replay.api import backtest
from replay.catalogue import CatalogueError
from replay.catalogue.files import read_columns, write_file
from replay.catalogue.importer import import_file
from replay.catalogue.options import ImportOptions
from replay.catalogue.sessions import session_columns, session_times
from replay.catalogue.validate import validate_file
from replay.config import ConfigError
from replay.loading import load_universe

HOUR_NS = 3_600_000_000_000
CSV = """ts,open,high,low,close,volume
2023-11-22T14:30:00Z,100,101,99,100,10
2023-11-22T20:30:00Z,100,101,99,101,10
2023-11-24T14:30:00Z,101,102,100,101,10
2023-11-24T17:30:00Z,101,102,100,102,10
"""


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.fixture
def bars(tmp_path):
    source = tmp_path / "bars.csv"
    source.write_text(CSV)
    options = ImportOptions(venue="us", symbol="SPY", interval="30m", currency="USD", calendar="XNYS")
    return import_file(source, tmp_path / "catalogue", options)


def test_holidays_and_early_closes(bars):
    """The day before Thanksgiving, and the short day after it."""
    assert bars.file.instrument.calendar == "XNYS"
    assert "sessions: 2 of XNYS, in sessions.parquet" in bars.notes
    columns = read_columns(bars.file.path.with_name("sessions.parquet"))
    assert columns["open"].tolist() == [ns("2023-11-22T14:30")] * 2 + [ns("2023-11-24T14:30")] * 2
    assert columns["close"].tolist() == [ns("2023-11-22T21:00")] * 2 + [ns("2023-11-24T18:00")] * 2
    assert columns["next_open"].tolist() == [ns("2023-11-24T14:30")] * 2 + [ns("2023-11-27T14:30")] * 2
    assert columns["phase"].tolist() == [1, 0, 1, 0]
    assert columns["ts"].tolist() == [
        ns("2023-11-22T14:30"), ns("2023-11-22T21:00") + 1, ns("2023-11-24T14:30"), ns("2023-11-24T18:00") + 1,
    ]  # fmt: skip


def test_the_file_is_valid_and_a_wrong_one_is_not(bars):
    path = bars.file.path.with_name("sessions.parquet")
    file, problems = validate_file(path)
    assert (file.kind, problems) == (SESSION, [])
    columns = {name: column.copy() for name, column in read_columns(path).items()}
    columns["phase"][1], columns["close"][2] = 5, columns["open"][2]
    write_file(path, file.metadata, columns)
    assert {problem.rule for problem in validate_file(path)[1]} == {"phase", "length"}


def test_sessions_that_touch():
    """Where one session ends as the next begins, the next one opens before the first one closes."""
    opens, closes = np.array([0, 10, 20]), np.array([10, 20, 30])
    columns = session_columns(opens, closes, 5, 15)
    assert columns["ts"].tolist() == [0, 10, 11, 21]
    assert columns["phase"].tolist() == [1, 1, 0, 0]
    assert session_columns(opens, closes, 11, 15)["open"].tolist() == [10, 10], "only those that meet the data"


def test_an_unknown_calendar_changes_nothing(tmp_path):
    source = tmp_path / "bars.csv"
    source.write_text(CSV)
    options = ImportOptions(venue="us", symbol="SPY", interval="30m", currency="USD", calendar="XNYZ")
    with pytest.raises(CatalogueError, match="unknown calendar 'XNYZ': give the code of an exchange, such as XNYS"):
        import_file(source, tmp_path / "catalogue", options)
    assert not list((tmp_path / "catalogue").rglob("*.parquet"))


def test_a_calendar_that_does_not_reach_back():
    with pytest.raises(CatalogueError, match="the calendar XTAE does not cover the data"):
        session_times("XTAE", ns("1970-01-01"), ns("1970-03-01"))


def test_sessions_come_with_the_data(bars):
    universe = load_universe([str(bars.file.path)])
    assert [file.kind for file in universe.files] == [1, SESSION]
    assert load_universe([str(bars.file.path.parent)]).files == universe.files
    bars.file.path.with_name("sessions.parquet").unlink()
    with pytest.raises(ConfigError, match="import us/SPY again with --calendar XNYS to make it"):
        load_universe([str(bars.file.path)])


WATCHER = """
from kernel.strategy.python import Strategy

class Watcher(Strategy):
    def on_session(self, session):
        state = self._context.state.instruments[0]
        assert state.session_phase == session.phase
        assert (state.session_open_ns, state.session_close_ns) == (session.open_ns, session.close_ns)
        assert session.ts_ns == (session.open_ns if session.phase else session.close_ns + 1)
        self.buy(1)

    def on_bar(self, bar):
        state = self._context.state.instruments[0]
        assert state.session_phase == 1, "a session opens before the rows of that instant, and closes after them"
        assert state.session_open_ns <= bar.ts_open_ns < bar.ts_ns <= state.session_close_ns
"""


def test_a_run_hears_of_sessions(bars, tmp_path):
    (tmp_path / "watcher.py").write_text(WATCHER)
    strategy = str(tmp_path / "watcher.py")
    result = backtest(strategy, data=[str(bars.file.path)], run_dir=tmp_path / "run", fill="next_open")
    assert result.bars == 4, "the opens and closes are not market data"
    assert result.fills == 2, "at the first open there was no price, after the last close there was no bar"
