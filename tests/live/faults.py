"""Scenarios of faults by seed: a busy session at a venue that misbehaves; when all is quiet, both must agree.

    python -m tests.live.faults --scenarios 2000 [--seed 1] [--workers 6]

Each scenario draws a venue, a few kinds of faults with their probabilities, trades by hand and commands of an operator.
Then the venue behaves again, the session finds out what is open, and ends. Orders, fills, positions and cash are
compared to the lot and the cent, and the journal is decided again. A scenario is repeated with ``--only SEED``. The
last lines count what was done, which faults struck how often, and what was wrong.
"""

import argparse
import asyncio
import faulthandler
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from replay.config import load_config
from replay.live.commands import Commands, Who
from replay.live.driver import LiveSession
from replay.live.run import run_live
from tests.live.books import problems, prove
from tests.live.places import PLACES
from tests.live.sessions import KEY, SECRET, Place, write_config
from tests.venues.faults import KINDS
from tests.venues.process import Server, started

ME = Who(os.getuid(), os.getpid(), "scenario")
STEPS_A_SECOND = 80
# How likely a kind strikes at each occasion: rare ones for what ends a connection or takes long.
RARE = {"disconnect": 0.01, "half_open": 0.004, "timeout": 0.02, "timeout_after_accept": 0.03, "maintenance": 0.01}
OFTEN = 0.08
QUIET_SECONDS = 45.0
MOST_SECONDS = 180.0


class Scenario:
    """One run, from its seed. ``wrong`` is what did not hold, ``struck`` which faults did."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder = seed, folder
        self.chance = random.Random(seed)
        self.wrong: list[str] = []
        self.struck: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self._server: Server

    def run(self) -> None:
        """All of it; what went wrong is in ``wrong``."""
        name = self.chance.choice(list(PLACES))
        place, kinds = PLACES[name], self.chance.sample(sorted(KINDS), self.chance.randint(1, 4))
        spec = ",".join(f"{kind}={RARE.get(kind, OFTEN) * self.chance.uniform(0.3, 2.0):.4f}" for kind in kinds)
        arguments = ("--seed", str(self.seed), "--rate", "0", *place.arguments)
        with started(place.module, *arguments) as self._server:
            try:
                asyncio.run(self._trade(place, spec))
                state = self._server.get("/test/state")
                (self.folder / "venue.json").write_text(json.dumps(state))
                self.wrong += problems(self.folder / "run", state)
                self.counts.update(orders=len(state["orders"]), fills=len(state["fills"]))
                report = prove(self.folder / "run")
                self.counts.update(events=report.events, inputs=report.inputs)
            except (Exception, asyncio.CancelledError):
                self.wrong.append(traceback.format_exc(limit=-3).replace("\n", " | "))
        self.wrong = [f"seed {self.seed} ({name}, {spec}): {line}" for line in self.wrong]
        self.spec = spec

    async def _trade(self, place: Place, spec: str) -> None:
        config = write_config(
            self.folder / "live.toml",
            place,
            self._server,
            answer_within="1s",
            heartbeat_every="400ms",
            reconcile_every="2s",
            on_exit=self.chance.choice(["cancel", "keep"]),
            exit_within="10s",
        )
        os.environ[KEY], os.environ[SECRET] = place.keys
        self._spec = spec
        running = asyncio.create_task(
            run_live(load_config(config, {}), self.folder / "run", watch=self._script, say=lambda text: None)
        )
        done, _ = await asyncio.wait([running], timeout=MOST_SECONDS - 30)
        if not done:
            self.wrong += [f"hangs in {_place(task)}" for task in asyncio.all_tasks() if not task.done()]
            print(self.seed, *self.wrong, sep="\n", flush=True)  # now: what hangs may hang on
            running.cancel()
        await running

    async def _script(self, session: LiveSession, commands: Commands) -> None:
        try:
            await self._act(session, commands)
        except Exception:
            self.wrong.append(traceback.format_exc(limit=-3).replace("\n", " | "))
        finally:
            session.stop()

    async def _act(self, session: LiveSession, commands: Commands) -> None:
        await _until(lambda: session.reconciled_at > 0, 20.0)
        await self._misbehave(self._spec)
        moving = asyncio.create_task(self._move(session))
        end = time.monotonic() + self.chance.uniform(1.0, 2.0)
        while time.monotonic() < end:
            await asyncio.sleep(self.chance.uniform(0.1, 0.5))
            draw = self.chance.random()
            if draw < 0.1:
                await self._post("/test/trade", self._by_hand(session))
            elif draw < 0.15:
                commands.answer("flatten", {"symbol": session.instruments[0].symbol}, ME)
            elif draw < 0.2:
                commands.answer("cancel", {"order": 0}, ME)
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)
        self.struck.update(await self._well_again())
        await self._quiet(session)

    def _by_hand(self, session: LiveSession) -> dict[str, Any]:
        symbol = self.chance.choice(self._server.line["symbols"])
        side = self.chance.choice([1, -1])
        return {"symbol": symbol, "side": side, "quantity": "0.002"}

    async def _quiet(self, session: LiveSession) -> None:
        """Until both sides have said all; then one more comparison."""

        def quiet() -> bool:
            settled = not session.in_flight and not session.orders.in_doubt() and not session.mirror.ending
            return settled and not session.mirror.orphans and not int(session.state.head.degraded) & ~64

        await _until(quiet, QUIET_SECONDS)
        before = session.reconciled_at
        session.reconcile_soon()
        await _until(lambda: session.reconciled_at > before and quiet(), QUIET_SECONDS)

    # --- the server ---------------------------------------------------------------------------------------------

    async def _move(self, session: LiveSession) -> None:
        while True:
            for symbol in self._server.line["symbols"]:
                await self._post("/test/step", {"symbol": symbol, "count": 1})
            await asyncio.sleep(1 / STEPS_A_SECOND)

    async def _misbehave(self, spec: str) -> None:
        for entry in spec.split(","):
            kind, probability = entry.split("=")
            await self._post("/test/fault", {"kind": kind, "probability": float(probability)})

    async def _well_again(self) -> dict[str, int]:
        """No more faults; which struck how often."""
        counts = (await asyncio.to_thread(self._server.get, "/test/state"))["faults"]
        await self._post("/test/fault", {})
        return {str(kind).partition("@")[0]: int(count) for kind, count in counts.items()}

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        await asyncio.to_thread(self._server.post, path, body)


def _place(task: "asyncio.Task[Any]") -> str:
    """Where a task waits."""
    return " < ".join(f"{frame.f_code.co_name}:{frame.f_lineno}" for frame in reversed(task.get_stack()))


async def _until(done: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"not quiet after {seconds} s")
        await asyncio.sleep(0.02)


def work(seed: int) -> tuple[Counter[str], Counter[str], list[str], str]:
    """One scenario; counts, faults that struck, what was wrong, and where that is kept."""
    folder = Path(tempfile.mkdtemp(prefix=f"kernel-fault-{seed}-"))
    faulthandler.dump_traceback_later(MOST_SECONDS, exit=True)  # a scenario that hangs is a finding, not a pause
    scenario = Scenario(seed, folder)
    scenario.run()
    faulthandler.cancel_dump_traceback_later()
    scenario.counts["scenarios"] += 1
    if not scenario.wrong:
        shutil.rmtree(folder)
    return scenario.counts, scenario.struck, scenario.wrong, str(folder)


def main() -> int:
    """Run, print the counts, and say by the exit code whether all was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--only", type=int, help="Repeat one scenario.")
    arguments = parser.parse_args()
    counts, struck, wrong = Counter[str](), Counter[str](), list[str]()
    first, count = (arguments.only, 1) if arguments.only is not None else (arguments.seed, arguments.scenarios)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(arguments.workers, count), mp_context=spawn) as pool:
        for done in as_completed([pool.submit(work, seed) for seed in range(first, first + count)]):
            some, faults, found, folder = done.result()
            counts += some
            struck += faults
            wrong += found
            for line in found:
                print(f"{line}; kept in {folder}", flush=True)
            if counts["scenarios"] % 100 == 0:
                print(json.dumps({"counts": counts, "wrong": len(wrong)}), flush=True)
    print(json.dumps({"counts": counts, "struck": struck, "wrong": len(wrong)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
