"""Saves per second through the `eventsourcing` library: our journal beside the library's SQLite, on one disk.

    python -m bench.eventsourcing [--saves 2000] [--events 200000] [--folder FOLDER]

Each save is one event of a new aggregate through an application of the library. Owns how that is measured, and what
opening and the index cost. SQLite is used as the library sets it up: write-ahead log, in a file.
"""

import argparse
import resource
import tempfile
import time
from functools import partial
from pathlib import Path
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import StoredEvent

from adapters.eventsourcing import Factory
from bench.runs import in_turn

SQLITE = "SQLite of the library"
WHAT = ("journal, fsync off", "journal, fsync batch", "journal, fsync always", SQLITE)
REPEATS = 5


def settings(what: str, folder: Path) -> dict[str, str]:
    """The settings of an application whose events go there, into a folder of their own."""
    if what == SQLITE:
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "sqlite.db")}
    return {
        "PERSISTENCE_MODULE": "adapters.eventsourcing",
        "JOURNAL_PATH": str(folder / "journal"),
        "JOURNAL_FSYNC": what.split()[-1],
    }


def save_afresh(folder: Path, what: str, saves: int) -> float:
    """Seconds of `saves` saves of one event each, into something new."""
    return seconds_of_saves(settings(what, Path(tempfile.mkdtemp(dir=folder))), saves)


def seconds_of_saves(env: dict[str, str], saves: int) -> float:
    """Seconds of `saves` saves of one event each."""
    with Application[UUID](env) as application:
        aggregates = [Aggregate() for _ in range(saves)]
        started = time.perf_counter()
        for aggregate in aggregates:
            application.save(aggregate)
        return time.perf_counter() - started


def show_opening(folder: Path, events: int) -> None:
    """Memory and time of opening a journal with many events, ten of each aggregate."""
    env = {"JOURNAL_PATH": str(folder / "many"), "JOURNAL_FSYNC": "off"}
    factory = Factory(env)
    recorder = factory.application_recorder()
    for number in range(events // 10):
        recorder.insert_events([StoredEvent(UUID(int=number), at, "topic", bytes(100)) for at in range(1, 11)])
    factory.close()
    del factory, recorder
    before, started = resident_bytes(), time.perf_counter()
    factory = Factory(env)
    seconds, grown = time.perf_counter() - started, resident_bytes() - before
    print(f"opening {events:,} events, ten an aggregate and frame: {1e6 * seconds / events:.1f} µs an event")
    print(f"memory of the index: {grown / events:.0f} bytes an event")
    factory.close()


def resident_bytes() -> int:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=2000)
    parser.add_argument("--events", type=int, default=200_000, help="in the journal that is opened")
    parser.add_argument("--folder", type=Path, default=None, help="where the files lie (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        spreads = in_turn(
            {what: partial(save_afresh, Path(name), what, options.saves) for what in WHAT}, repeats=REPEATS
        )
        for what, spread in spreads.items():
            best, median = options.saves / spread.best, options.saves / spread.median
            print(f"{what:24} {best:8,.0f} saves/s at best, {median:8,.0f} at the median")
        show_opening(Path(name), options.events)


if __name__ == "__main__":
    main()
