"""``kernel live`` as its users run it: a process, a venue over real sockets, and an operator beside it."""

import json
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.edge.secrets import Secret, traces
from replay.catalogue.sessions import session_times
from replay.live.control import ControlError
from replay.live.files import LIVE_FILE
from replay.live.switches import VALUE, VARIABLE
from tests.live import crash
from tests.live.books import problems, prove
from tests.live.places import ALL_PLACES, BYBIT, PLACES
from tests.live.sessions import Session, kernel, write_config
from tests.venues.process import ROOT, Server, started


def _running() -> AbstractContextManager[Server]:
    """A venue of which prices move."""
    return started(BYBIT.module, "--rate", "120", *BYBIT.arguments)


def _trades(status: dict[str, Any]) -> bool:
    return bool(status["fills"] > 2)


def _stand(server: Server, session: Session) -> None:
    """Let the venue be quiet, and the session have heard all of it."""
    session.ask("kill", level="entries", reason="the end of a test")
    session.wait_until(lambda status: not status["in_flight"] and not status["in_doubt"])


@pytest.mark.parametrize("venue", list(PLACES))
def test_nothing_is_lost_when_it_is_killed(venue: str, tmp_path: Path) -> None:
    """The long run: python -m tests.live.crash --kills 500."""
    assert crash.run(PLACES[venue], 2, 5, tmp_path, lambda text: None) == []


def test_scenarios_of_faults_end_in_agreement() -> None:
    """The long run: python -m tests.live.faults --scenarios 2000."""
    command = [sys.executable, "-m", "tests.live.faults", "--scenarios", "6", "--seed", "41", "--workers", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["counts"]["scenarios"] == 6


def test_an_operator_beside_a_session(tmp_path: Path) -> None:
    with _running() as server, Session(tmp_path / "run", BYBIT.keys) as session:
        session.begin(write_config(tmp_path / "live.toml", BYBIT, server))
        session.wait_until(_trades)
        run = ("--run", str(session.run_dir))
        shown = kernel("status", *run)
        assert "TEST" not in shown.stdout
        assert "mode               test" in shown.stdout
        assert "market up  private up" in shown.stdout
        assert kernel("kill", "cancel", "--reason", "a test", *run).returncode == 0
        session.wait_until(lambda status: status["open_orders"] == 0 and not status["in_flight"])
        assert session.ask("status")["kill_switch"] == "cancel all"
        assert kernel("orders", *run).returncode == 0  # reductions pass the switch: one may be open again
        refused = kernel("flatten", "XRPUSDT", *run)
        assert refused.returncode == 1
        assert refused.stderr.startswith("kernel: no instrument 'XRPUSDT'")
        assert kernel("positions", "--json", *run).returncode == 0
        assert kernel("flatten", "all", *run).returncode == 0
        session.wait_until(lambda status: not any(float(row["position"]) for row in status["instruments"]))
        assert kernel("resume", "--reason", "all is well", *run).returncode == 0
        assert session.ask("status")["kill_switch"] == "off"
        assert session.ask("signal", symbol="BTCUSDT", side="long")["sequence"] > 0
        _stand(server, session)
        assert session.stop() == 0
        assert problems(session.run_dir, server.get("/test/state")) == []
    assert "identical" in kernel("replay", str(session.run_dir)).stdout
    with pytest.raises(ControlError, match="no session runs there"):
        session.ask("status")
    given = kernel("show", str(session.run_dir), "--topic", "operator.command", "--json").stdout
    assert given.count("CommandGiven") >= 5 or given.count("operator.command") >= 5
    _no_secret_in(session)


def _no_secret_in(session: Session) -> None:
    """Neither key is in the log, the journal or any other file of the session."""
    secrets = {"key": Secret(BYBIT.keys[0]), "secret": Secret(BYBIT.keys[1])}
    files = [session.log, *(path for path in session.run_dir.rglob("*") if path.is_file())]
    assert len(files) > 3
    assert {path.name for path in files} >= {LIVE_FILE}
    for path in files:
        assert traces(path.read_bytes(), secrets) == [], path


def test_paper_is_simulated_on_live_data(tmp_path: Path) -> None:
    with _running() as server, Session(tmp_path / "run", BYBIT.keys) as session:
        config = write_config(tmp_path / "live.toml", BYBIT, server, mode="paper", key="", secret="")
        session.begin(config)
        session.wait_until(_trades)
        assert session.process is not None
        session.process.send_signal(signal.SIGINT)
        assert session.process.wait(30) == 0
        assert server.get("/test/state")["orders"] == []
    assert '"banner":"PAPER  simulated orders on live data of bybit"' in session.log.read_text()
    assert prove(session.run_dir).events > 50


def test_shares_know_the_sessions_of_their_exchange(tmp_path: Path) -> None:
    place, now_ns = ALL_PLACES["alpaca-shares"], time.time_ns()
    with (
        started(place.module, "--rate", "120", *place.arguments) as server,
        Session(tmp_path / "run", place.keys) as session,
    ):
        session.begin(write_config(tmp_path / "live.toml", place, server))
        shown = session.wait_until(_trades)["instruments"]
        opens, closes = session_times("XNYS", now_ns, now_ns)
        at = int(np.searchsorted(opens, now_ns)) - 1
        words = "open until" if now_ns <= closes[at] else "closed until"
        assert all(row["session"].startswith(words) for row in shown)
        _stand(server, session)
        assert session.stop() == 0
    assert prove(session.run_dir).events > 50
    told = kernel("show", str(session.run_dir), "--topic", "market.session", "--json").stdout
    listed = [json.loads(line) for line in told.splitlines()]
    assert len(listed) == 2 * (1 if words == "open until" else 2), "for each share: the open, and the close once it was"


def test_real_money_needs_all_three_switches_all_the_time(tmp_path: Path) -> None:
    approval = tmp_path / "approval.toml"
    expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    approval.write_text(f'venue = "bybit"\napproved_by = "a test"\nexpires = {expires}\n')
    approval.chmod(0o600)
    changes = {"mode": "live", "environment": "mainnet", "approval": str(approval)}
    with _running() as server, Session(tmp_path / "real", BYBIT.keys, **{VARIABLE: VALUE}) as real:
        config = write_config(tmp_path / "live.toml", BYBIT, server, **changes)
        with Session(tmp_path / "paper", BYBIT.keys) as paper:  # one switch is off: the variable
            paper.begin(config)
            assert paper.wait_until(_trades)["mode"] == "paper"
            assert paper.stop() == 0
        assert server.get("/test/state")["orders"] == []
        assert f"paper, not live: the environment has no {VARIABLE}" in paper.log.read_text()
        real.begin(config)
        assert real.wait_until(_trades)["mode"] == "live"
        approval.unlink()
        real.wait_until(lambda status: "switches" in status["degraded"] and not status["in_flight"])
        time.sleep(0.3)
        before = len(server.get("/test/state")["orders"])
        time.sleep(1.0)
        assert len(server.get("/test/state")["orders"]) == before
        assert real.ask("status")["market_rows"] > 0
        assert real.stop() == 0
        assert problems(real.run_dir, server.get("/test/state")) == []
    assert '"banner":"LIVE  real money at bybit"' in real.log.read_text()
