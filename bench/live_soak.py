"""A session under a steady load, as its user would run it: memory, losses, and whether it keeps up.

    python -m bench.live_soak --minutes 30 --rate 1000        # memory flat, no event lost
    python -m bench.live_soak --minutes 1 --rate 20000        # keeps up

``kernel live`` runs as a process at a local venue that sends so many market messages a second on two symbols, and
trades now and then. The last lines compare what the venue sent with what the session heard and journaled, its memory in
the second half with that after the first tenth, and its processor time with the time that passed.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from journal import JournalReader
from kernel.events.layout import QUOTE_SEEN, TRADE_SEEN
from replay.audit import records_of
from replay.live.files import JOURNAL_DIR
from tests.live.books import problems, prove
from tests.live.places import BYBIT
from tests.live.sessions import Session, write_config
from tests.venues.process import started

SAMPLE_SECONDS = 5.0


def _process(pid: int) -> tuple[float, float]:
    """``(megabytes of its own, processor seconds)`` of a process.

    Pages of files (libraries, compiled code) are left out: the system takes them and brings them back as it likes.
    """
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(status["RssAnon"].split()[0]) * 1024 / 1e6, (int(fields[11]) + int(fields[12])) / 100


def _journaled(run_dir: Path) -> int:
    """Market rows in the journal."""
    count = 0
    for frame in JournalReader(run_dir / JOURNAL_DIR):
        kinds = records_of(frame)["kind"]
        count += int(np.count_nonzero((kinds == QUOTE_SEEN.kind) | (kinds == TRADE_SEEN.kind)))
    return count


def soak(minutes: float, rate: int, folder: Path) -> dict[str, Any]:
    """Run it, and return what was seen."""
    every = max(rate // 10, 3)  # about five orders a second on each symbol
    strategy = dict(BYBIT.strategy, every=every)
    served = started(BYBIT.module, "--rate", str(rate), *BYBIT.arguments)
    with served as server, Session(folder / "run", BYBIT.keys) as session:
        place = type(BYBIT)(BYBIT.module, BYBIT.arguments, BYBIT.live, BYBIT.keys, strategy)
        session.begin(write_config(folder / "live.toml", place, server, feeds=["quotes", "trades"]))
        session.wait_until(lambda status: status["market_rows"] > 100)
        assert session.process is not None
        pid, samples, waiting = session.process.pid, [], []
        sent, heard = server.get("/test/state")["market_messages"], session.ask("status")["market_rows"]
        begin, used = time.monotonic(), _process(pid)[1]
        while time.monotonic() - begin < minutes * 60:
            time.sleep(SAMPLE_SECONDS)
            samples.append(_process(pid)[0])
            waiting.append(session.ask("status")["waiting_rows"])
        passed, used = time.monotonic() - begin, _process(pid)[1] - used
        sent = server.get("/test/state")["market_messages"] - sent
        status = session.ask("status")
        heard = status["market_rows"] - heard
        session.ask("kill", level="cancel", reason="the end")
        session.wait_until(lambda now: not now["in_flight"] and not now["open_orders"])
        assert session.stop() == 0, session.tail()
        state = server.get("/test/state")
    report = prove(session.run_dir)
    settled, late = samples[max(len(samples) // 10, 1) :], samples[len(samples) // 2 :]
    return {
        "minutes": round(passed / 60, 1),
        "messages_sent_per_second": round(sent / passed),
        "rows_heard_per_second": round(heard / passed),
        "rows_waiting_most": max(waiting),
        "conflated_rows": status["conflated_rows"],
        "dropped_rows": status["dropped_rows"],
        "rows_heard": int(session_rows(session)),
        "rows_journaled": _journaled(session.run_dir),
        "orders": len(state["orders"]),
        "fills": len(state["fills"]),
        "memory_mb": [round(settled[len(settled) * at // 4 - (at == 4)], 1) for at in range(5)],
        "memory_growth_percent": round((np.mean(late) / settled[0] - 1) * 100, 2),
        "processor_share": round(used / passed, 2),
        "disagreements": problems(session.run_dir, state),
        "identical_events": report.events,
    }


def session_rows(session: Session) -> int:
    """How many market rows the session said it heard when it ended."""
    for line in reversed(session.log.read_text().splitlines()):
        if line.startswith("{") and '"LiveSessionClosed"' in line:
            return int(json.loads(line)["market_rows"])
    raise AssertionError("the session did not say how it ended")


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=1000)
    arguments = parser.parse_args()
    found = soak(arguments.minutes, arguments.rate, Path(tempfile.mkdtemp(prefix="kernel-soak-")))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
