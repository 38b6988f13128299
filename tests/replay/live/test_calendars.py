"""Sessions of an exchange in a live session: each open and close at its time, whatever was slept through."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.market import SESSION
from kernel.venue import MarketRow
from replay.catalogue import CatalogueError
from replay.catalogue.sessions import session_times
from replay.live.audit import audit_live
from replay.live.calendars import Calendars, describe_session
from replay.live.files import JOURNAL_DIR
from tests.replay.live.building import START_NS, Written, configuration, instrument

HOUR_NS = 3_600_000_000_000
OPENS, CLOSES = session_times("XNYS", START_NS, START_NS + 60 * 24 * HOUR_NS)  # Thanksgiving and Christmas among them


def _share(calendar: str = "XNYS") -> Any:
    return msgspec.structs.replace(instrument("SPY"), calendar=calendar)


def _found(now_ns: int, *calendars: str) -> Calendars:
    found = Calendars([_share(name) for name in calendars])
    found.find_times(now_ns)
    return found


def _as_the_exchange_says(now_ns: int) -> tuple[int, int, int, int]:
    """Naive: the last session that has opened, whether it is open, its close, and the open of the next one."""
    at = max(at for at, opened in enumerate(OPENS) if opened <= now_ns)
    return int(OPENS[at]), int(now_ns <= CLOSES[at]), int(CLOSES[at]), int(OPENS[at + 1])


def _as_the_state_says(state: Any) -> tuple[int, ...]:
    names = ("session_open_ns", "session_phase", "session_close_ns", "next_open_ns")
    return tuple(int(state.instruments[0][name]) for name in names)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 200 * HOUR_NS), st.booleans()), min_size=1, max_size=12))
def test_the_state_knows_the_session_at_every_moment(steps: list[tuple[int, bool]]) -> None:
    with TemporaryDirectory() as folder:
        written = Written(Path(folder) / "run", configuration(), [_share()], elsewhere=True)
        core, now_ns, calendars = written.core, START_NS, _found(START_NS, "XNYS")
        calendars.line_up(core.state, now_ns)
        for step_ns, begins_anew in steps:
            now_ns = min(now_ns + step_ns, START_NS + 29 * 24 * HOUR_NS)
            if begins_anew:
                calendars = _found(now_ns, "XNYS")
                calendars.line_up(core.state, now_ns)
            if rows := calendars.due(now_ns):
                core.take_rows(rows, now_ns)
            assert _as_the_state_says(core.state) == _as_the_exchange_says(now_ns)
            assert calendars.due(now_ns) == []
        core.close_frame()
        written.close()
        audit_live(written.run_dir / JOURNAL_DIR, written.file)


def test_what_is_over_is_the_last_session_alone(tmp_path: Path) -> None:
    """Saturday, November 25th, 2023: what is told is Friday's short session."""
    saturday_ns = int(np.datetime64("2023-11-25T12:00", "ns").astype(np.int64))
    written = Written(tmp_path / "run", configuration(), [_share()], elsewhere=True)
    calendars = _found(saturday_ns, "XNYS")
    calendars.line_up(written.core.state, saturday_ns)
    rows = calendars.due(saturday_ns)
    times = [str(np.datetime64(row[0], "ns")) for row in rows]
    assert times == ["2023-11-24T14:30:00.000000000", "2023-11-24T18:00:00.000000001"]
    assert [row[1:4] for row in rows] == [(SESSION, 0, 1), (SESSION, 0, 0)]
    written.core.take_rows(rows, saturday_ns)
    assert describe_session("XNYS", written.core.state.instruments[0]) == "closed until 2023-11-27 14:30Z"
    written.close()


def test_instruments_have_calendars_of_their_own_or_none() -> None:
    assert not Calendars([instrument()])
    assert describe_session("", None) == "always"
    with pytest.raises(CatalogueError, match="unknown calendar 'XNOWHERE'"):
        _found(START_NS, "XNYS", "XNOWHERE")


def test_each_comes_at_its_time(tmp_path: Path) -> None:
    """A market that is always open opens each midnight: today's is told at once, and tomorrow's is waited for."""
    written = Written(tmp_path / "run", configuration(), [_share("24/7")], elsewhere=True)
    state, heard = written.core.state, []

    def take(rows: list[MarketRow]) -> None:
        heard.append([row[3] for row in rows])
        written.core.take_rows(rows, time.time_ns())

    async def work() -> None:
        calendars = _found(time.time_ns(), "24/7")
        task = asyncio.create_task(calendars.run(state, take))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    assert len(heard) == 1
    assert heard[0][0] == 1
    assert describe_session("24/7", state.instruments[0]).startswith("open until ")
    written.close()
