"""SIGKILL at random moments of a busy session, again and again; after each restart session and venue must agree.

    python -m tests.live.crash --kills 500 [--seed 1] [--venue bybit]

The market stands still while a session is down and comes back, so that its account can be compared with the venue's to
the lot and the cent. Each restart decides the whole journal again and compares it, so each also proves the journal.
The last lines count what was done and what was wrong.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from replay.live.control import ControlError
from tests.live.books import held, problems, prove
from tests.live.places import ALL_PLACES
from tests.live.sessions import Place, Session, kernel, write_config
from tests.venues.process import Server, started
from tests.venues.shapes import OPEN_STATUSES

WHOLE_EVERY = 50  # restarts between comparisons of everything
STEPS_A_SECOND = 60


class Market:
    """Moves the prices of a server, or lets them stand."""

    def __init__(self, server: Server, symbols: list[str]) -> None:
        self._server, self._symbols = server, symbols
        self._moves, self._ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self.failure: Exception | None = None

    def move(self) -> None:
        """Let prices move."""
        self._moves.set()

    def stand(self) -> None:
        """Let them stand."""
        self._moves.clear()
        time.sleep(0.05)

    def end(self) -> None:
        """No more."""
        self._ends.set()
        self._moves.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            while not self._ends.is_set():
                self._moves.wait()
                for symbol in self._symbols:
                    self._server.post("/test/step", {"symbol": symbol, "count": 1})
                time.sleep(1 / STEPS_A_SECOND)
        except Exception as error:  # told by ``run``
            self.failure = error


def settled(status: dict[str, Any]) -> bool:
    """Whether a session that has come back has nothing left to find out."""
    reasons = status["degraded"]
    quiet = status["in_flight"] == 0 and status["in_doubt"] == 0
    return status["reconciled_s_ago"] is not None and quiet and "reconciled" not in reasons


def disagreements(session: Session, server: Server) -> list[str]:
    """Orders, positions, cash and the number of fills: here and at the venue, while nothing moves."""
    state, status = server.get("/test/state"), session.ask("status")
    found = []
    theirs = held(state)
    for row in status["instruments"]:
        if Decimal(row["position"]) != theirs.get(row["symbol"], 0):
            found.append(f"{row['symbol']}: {row['position']} here, {theirs.get(row['symbol'], 0)} at the venue")
    # Of spot, coins that were there before and fees in coins are fills here, too.
    if state.get("category") != "spot" and status["fills"] != len(state["fills"]):
        found.append(f"{status['fills']} fills here, {len(state['fills'])} at the venue")
    names = [order["request"]["client_order_id"] for order in state["orders"]]
    if len(set(names)) < len(names):
        found.append("an order is at the venue twice")
    opened = {one["request"]["client_order_id"] for one in state["orders"] if one["status"] in OPEN_STATUSES}
    there = {name.partition("-r")[0].partition("-")[2] for name in opened}
    here = {str(order["order"]) for order in session.ask("orders")}
    if there != here:
        found.append(f"open orders: {sorted(here - there)} here only, {sorted(there - here)} at the venue only")
    return found


def run(place: Place, kills: int, seed: int, folder: Path, say: Any) -> list[str]:
    """``kills`` crashes; returns what was wrong, a line each."""
    chance, found = random.Random(seed), list[str]()
    served = started(place.module, "--seed", str(seed), "--rate", "0", *place.arguments)
    with served as server, Session(folder / "run", place.keys) as session:
        config = write_config(folder / "live.toml", place, server)
        market = Market(server, server.line["symbols"])
        market.move()
        session.begin(config)
        for number in range(kills):
            session.wait_until(settled)
            market.move()
            time.sleep(chance.uniform(0.05, 1.5))
            session.kill()
            market.stand()
            session.go_on()
            session.wait_until(settled)
            time.sleep(0.2)
            wrong = _twice(session, server)
            if (number + 1) % WHOLE_EVERY == 0 or number + 1 == kills:
                wrong += problems(session.run_dir, server.get("/test/state"))
            for line in wrong:
                say(f"after kill {number + 1}: {line}")
                found.append(f"after kill {number + 1}: {line}")
            state = server.get("/test/state")
            say(f"kill {number + 1}: {len(state['orders'])} orders, {len(state['fills'])} fills, {len(found)} wrong")
        market.end()
        if market.failure is not None:
            raise market.failure
        if session.stop() != 0:
            found.append(f"the session did not end well: {session.tail()}")
        state = server.get("/test/state")
        (folder / "venue.json").write_text(json.dumps(state, indent=1))
        found += problems(session.run_dir, state)
    report = prove(session.run_dir)
    verified = kernel("verify", str(session.run_dir))
    if verified.returncode != 0:
        found.append(verified.stderr.strip())
    say(f"{kills} kills: identical {report.events} events, {report.inputs} inputs; {verified.stdout.splitlines()[0]}")
    return found


def _twice(session: Session, server: Server) -> list[str]:
    """What disagrees still disagrees a little later: an answer may be under way."""
    for _ in range(20):
        try:
            wrong = disagreements(session, server)
        except ControlError as error:
            wrong = [str(error), session.tail()]
        if not wrong:
            return []
        time.sleep(0.25)
    return wrong


def main() -> int:
    """Run, print the counts, and say by the exit code whether all was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--venue", choices=list(ALL_PLACES), default=next(iter(ALL_PLACES)))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kernel-crash-"))
    found = run(ALL_PLACES[arguments.venue], arguments.kills, arguments.seed, folder, print)
    print(json.dumps({"kills": arguments.kills, "wrong": len(found)}))
    for line in found[:50]:
        print(line)
    if found:
        print(f"kept in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
