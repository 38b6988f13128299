"""The other side of ``bench.processes.in_child``: one task in a process of its own, one JSON object out.

``python -m bench.child REPEATS MODE FILE...`` runs over the files with the journal MODE, and reports the seconds of
each run and the peak of resident memory.
"""

import argparse
import json
import os
import resource
import sys
from pathlib import Path

from bench.runs import prepare_run, run_once


def peak_megabytes() -> float:
    """The peak of this process's resident memory."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it started us
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.child")
    parser.add_argument("repeats", type=int)
    parser.add_argument("mode", choices=("off", "reference", "full"))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--one-core", action="store_true")
    options = parser.parse_args()
    if options.one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    prepared = prepare_run(options.files, journal=options.mode)
    results = [run_once(prepared) for _ in range(options.repeats)]
    print(
        json.dumps(
            {
                "bars": results[0].bars,
                "seconds": [result.seconds for result in results],
                "peak_megabytes": peak_megabytes(),
                "result_hash": results[0].result_hash,
            }
        )
    )


if __name__ == "__main__":
    main()
