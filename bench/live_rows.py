"""What a market row on which nothing is decided costs a live session: taking it in, its bytes, and its verification.

    python -m bench.live_rows [--rows 200000] [--together 50]

``together`` rows share a frame, as when so many come in a quarter of a second; beside it, each has a frame of its own.
The core and its journal are those of a session, without a venue.
"""

import argparse
import tempfile
import time
from pathlib import Path

from bench.journals import hash_plainly
from journal import verify_journal
from kernel.market import QUOTE
from replay.live.files import JOURNAL_DIR
from tests.replay.live.building import START_NS, Written, configuration, instrument

STEP_NS = 1_000_000


def _written(folder: Path, count: int, together: int) -> tuple[Path, float]:
    written = Written(folder, configuration(), [instrument()], elsewhere=True)
    core = written.core
    rows = [(START_NS + at * STEP_NS, QUOTE, 0, 600_000 + at % 50, 9, 600_002, 9, 0, 0) for at in range(count)]
    started = time.perf_counter()
    for at, row in enumerate(rows, 1):
        core.take_rows([row], row[0])
        if at % together == 0:
            core.close_frame()
    seconds = time.perf_counter() - started
    core.close_frame()
    written.close()
    return folder / JOURNAL_DIR, seconds


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--together", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kernel-rows-") as folder:
        _written(Path(folder) / "first", 1000, 1)  # loads what is compiled
        for name, together in (("a frame of its own", 1), (f"{arguments.together} to a frame", arguments.together)):
            journal, seconds = _written(Path(folder) / str(together), arguments.rows, together)
            size = sum(path.stat().st_size for path in journal.glob("*.seg"))
            plain = min(hash_plainly(journal) for _ in range(3))
            verify = min(verify_journal(journal).seconds for _ in range(3))
            taken_us, row_bytes = seconds / arguments.rows * 1e6, size / arguments.rows
            print(
                f"{name:<20} {taken_us:6.1f} us and {row_bytes:4.0f} bytes a row   "
                f"verified at {size / verify / 1e6:4.0f} MB/s, {plain / verify:.2f} of plain SHA-256"
            )


if __name__ == "__main__":
    main()
