"""``python -m bench.features``: forty features of made-up bars, through the engine and as a table for research.

Times are of the processor, of all threads, best of several, in turn with the same run without features.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.data import walk_file
from bench.indicators import FORTY
from bench.lines import Line, as_json, render
from bench.runs import in_turn, run_once
from kernel.features import parse_feature
from replay.config import load_config
from replay.execution import Engine, Prepared, prepare
from replay.loading import load_universe
from replay.research import write_features

# What takes a second series is no feature.
NAMES = [name if name != "correl" else "linearreg" for name in FORTY]


def main() -> int:
    """Parse, measure, render."""
    parser = argparse.ArgumentParser(prog="python -m bench.features", description="Speed of forty features.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="How many bars are made up.  [default: 1000000]")
    parser.add_argument("--repeats", type=int, default=5, help="How often each thing is measured.  [default: 5]")
    parser.add_argument("--json", action="store_true", help="Print one JSON array.")
    options = parser.parse_args()
    lines = feature_lines(walk_file(options.rows), options.rows, options.repeats)
    print(json.dumps(as_json(lines)) if options.json else render(lines))
    return 0


def processor_seconds(call: Callable[[], Any]) -> float:
    """What one call takes of all processors."""
    started = time.process_time()
    call()
    return time.process_time() - started


def prepared_run(file: Path, names: Sequence[str], *, record: bool) -> Prepared:
    """A run of nothing but features, compiled."""
    features = {"features": {"set": list(names), "record": record}} if names else {}
    values = {"data": [str(file)], "strategy": [{"use": "do_nothing"}], "journal": "off", **features}
    prepared = prepare(load_config(None, values))
    Engine(prepared, lambda chunk: None)
    return prepared


def feature_lines(file: Path, rows: int, repeats: int, names: Sequence[str] = NAMES) -> list[Line]:
    """What the features add to a run, what recording them adds, and the table for research."""
    started = time.perf_counter()
    runs = {
        "none": prepared_run(file, (), record=False),
        "read": prepared_run(file, names, record=False),
        "all": prepared_run(file, names, record=True),
    }
    print(f"compiled or loaded in {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
    universe = load_universe([str(file)])
    asked = [parse_feature(name) for name in names]
    with tempfile.TemporaryDirectory(prefix="kernel-bench-") as folder:
        out = Path(folder) / "features.parquet"
        what = {name: lambda run=run: processor_seconds(lambda: run_once(run)) for name, run in runs.items()}
        what["table"] = lambda: processor_seconds(lambda: write_features(universe, asked, out))
        what["table"]()
        found = in_turn(what, repeats)
    values = sum(len(one.columns()) for one in asked)
    bar = 1e9 / rows
    note = f"{values} values; {(found['read'].best - found['none'].best) * bar:.0f} ns a bar more than without"
    return [
        Line(what="a run without features", value=found["none"].best, unit="s"),
        Line(what=f"{len(names)} features in a run", value=found["read"].best, unit="s", at_most=2.0, note=note),
        Line(what="the same, recorded", value=found["all"].best, unit="s", note="feature.vector at every bar"),
        Line(what="the same as Parquet (kernel features)", value=found["table"].best, unit="s", at_most=2.0),
    ]


if __name__ == "__main__":
    sys.exit(main())
