"""``python -m bench``: speed, memory and starting times of this machine, as one table.

Parses, measures, renders. The table goes to standard output, what is being done to standard error. A missed floor is
said in the table; the exit code is 1 only with ``--strict``, because a busy machine misses floors too.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import bare, books, cores, journals, processes
from bench.data import walk_file
from bench.lines import MISSED, Line, as_json, render
from bench.risk import ALL_CHECKS
from bench.runs import FAST, SLOW, Spread, in_turn, prepare_run, run_once
from replay.execution import Prepared

MODES = ("off", "reference", "full")
SERIES_RULE = "5m"
DEPTH_ROWS = 200_000
MEMORY_ROWS = (10_000_000, 50_000_000)


def main() -> int:
    """Parse, measure, render."""
    options = _parser().parse_args()
    files = options.data or [walk_file(options.rows)]
    if options.profile is not None:
        from bench.profile import profile_run, render_profile

        for mode in options.profile or ["reference"]:
            say(f"taking apart a run with journal {mode}")
            prepared = prepare_run(files, journal=mode)
            run_once(prepared)
            print(f"journal {mode}: {render_profile(profile_run(prepared, options.repeats))}\n")
        return 0
    lines = []
    for line in measure(files, options):
        lines.append(line)
        say(f"  {line.what}: {line.value:,.2f} {line.unit}")
    print(json.dumps(as_json(lines)) if options.json else render(lines))
    return int(options.strict and any(line.verdict == MISSED for line in lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory, as ratios in one run.")
    parser.add_argument("--data", type=Path, action="append", help="Catalogue file or folder instead of made-up bars.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="How many bars are made up.  [default: 1000000]")
    parser.add_argument("--repeats", type=int, default=7, help="How often each thing is measured.  [default: 7]")
    parser.add_argument("--memory", action="store_true", help="Also peak memory at 10 and 50 million bars: minutes.")
    parser.add_argument("--memory-rows", type=int, nargs=2, default=MEMORY_ROWS, metavar="ROWS", help=argparse.SUPPRESS)
    parser.add_argument("--no-processes", action="store_true", help="Leave out what starts new processes.")
    parser.add_argument(
        "--profile",
        nargs="*",
        choices=MODES,
        help="Where the time of a run goes, for the given ways to journal.  [default: reference]",
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON array.")
    parser.add_argument("--strict", action="store_true", help="Exit with 1 when a floor is missed.")
    return parser


def say(text: str) -> None:
    """Talk, beside the data."""
    print(text, file=sys.stderr, flush=True)


def measure(files: list[Path], options: argparse.Namespace) -> Iterator[Line]:
    """Every line of the table, as it is ready."""
    say("compiling, or loading from the cache")
    prepared = {mode: prepare_run(files, journal=mode) for mode in MODES}
    prepared["risk"] = prepare_run(files, journal="reference", risk=ALL_CHECKS)
    prepared["series"] = prepare_run(files, journal="reference", series=[{"rule": SERIES_RULE}])
    bars = run_once(prepared["off"]).bars
    say(f"{bars:,} bars, {options.repeats} repeats, {os.cpu_count()} processors; the best of each, medians beside it")
    yield from speed_lines(prepared, bars, options.repeats)
    yield from journal_lines(prepared, options.repeats)
    yield from book_lines(options.rows, options.repeats)
    if not options.no_processes:
        yield from process_lines(files, bars, options.repeats)
    if options.memory:
        yield from memory_lines(options.memory_rows)


def speed_lines(prepared: dict[str, Prepared], bars: int, repeats: int) -> Iterator[Line]:
    """The run loop in each way to journal, and the bare loop for scale."""
    closes = bare.closes_of(prepared["off"])
    bare.bare_seconds(closes[:100], FAST, SLOW)
    what = {mode: lambda mode=mode: run_once(prepared[mode]).seconds for mode in (*MODES, "risk", "series")}
    what["bare"] = lambda: bare.bare_seconds(closes, FAST, SLOW)
    what |= {"alone": cores.seconds_alone, "two": cores.seconds_of_two}
    found = in_turn(what, repeats)
    yield Line(
        what="processors free meanwhile (two threads to one)",
        value=2 * found["alone"].median / found["two"].median,
        unit="",
        note="below 1.8: something else was running, and speeds read low",
    )
    for mode in MODES:
        yield speed_line(f"journal {mode}", bars, found[mode], at_least=5e6 if mode == "reference" else None)
    kept = [found["reference"].best / found["risk"].best, found["reference"].median / found["risk"].median]
    yield Line(
        what="all risk checks on, in speed of journal reference",
        value=kept[0] * 100,
        unit="%",
        at_least=60,
        note=f"median {kept[1] * 100:.1f} %",
    )
    added = [found["series"].best / found["reference"].best - 1, found["series"].median / found["reference"].median - 1]
    yield Line(
        what=f"cost of one series of {SERIES_RULE} bars, in time over journal reference",
        value=added[0] * 100,
        unit="%",
        note=f"median {added[1] * 100:.1f} %",
    )
    cost = [found["reference"].best / found["off"].best - 1, found["reference"].median / found["off"].median - 1]
    yield Line(
        what="cost of the journal by reference, in time over off",
        value=cost[0] * 100,
        unit="%",
        at_most=25,
        note=f"median {cost[1] * 100:.1f} %",
    )
    yield speed_line("bare loop: two averages, no accounting", bars, found["bare"])


def speed_line(what: str, bars: int, spread: Spread, at_least: float | None = None, unit: str = "bars/s") -> Line:
    """A speed: the best, with the median in the note."""
    note = f"median {bars / spread.median / 1e6:.2f} M"
    return Line(what=what, value=bars / spread.best, unit=unit, at_least=at_least, note=note)


def journal_lines(prepared: dict[str, Prepared], repeats: int) -> Iterator[Line]:
    """Verification and folding of journals as they were just written."""
    with tempfile.TemporaryDirectory(prefix="kernel-bench-") as folder:
        for mode in ("full", "reference"):
            run_dir = journals.write_run(prepared[mode], Path(folder) / mode)
            found, size = journals.verify_against_hashing(run_dir, repeats)
            plain, verify = found["plain"], found["verify"]
            yield Line(
                what=f"verify, to plain SHA-256 ({mode})",
                value=plain.best / verify.best,
                unit="x",
                at_least=0.8,
                note=f"median {plain.median / verify.median:.2f}; {size / 1e6:,.0f} MB at "
                f"{size / verify.best / 1e6:,.0f} MB/s",
            )
        for mode in ("full", "reference"):
            spread, events = journals.fold_speed(Path(folder) / mode, repeats)
            yield speed_line(f"fold through apply ({mode})", events, spread, 5e6, unit="events/s")


def book_lines(rows: int, repeats: int) -> Iterator[Line]:
    """The order book beside its naive twin."""
    columns = books.depth_columns(min(rows, DEPTH_ROWS))
    books.fast_seconds(columns)
    count = len(columns[0])
    found = in_turn(
        {"fast": lambda: books.fast_seconds(columns), "naive": lambda: books.naive_seconds(columns)}, repeats
    )
    yield speed_line("order book", count, found["fast"], unit="rows/s")
    yield Line(
        what="order book, to its naive twin",
        value=found["naive"].best / found["fast"].best,
        unit="x",
        note=f"median {found['naive'].median / found['fast'].median:.1f}",
    )


def process_lines(files: list[Path], bars: int, repeats: int) -> Iterator[Line]:
    """Whole processes: one core, starts, first compile, a new strategy."""
    if hasattr(os, "sched_setaffinity"):
        for mode in ("off", "reference"):
            report = processes.in_child(repeats, mode, files, one_core=True)
            yield speed_line(f"journal {mode}, on one core", bars, Spread.of(report["seconds"]))
    say("byte-compiling the environment first, as an install with pip does")
    processes.compile_bytecode()
    processes.kernel_seconds(["replay"])
    starts = {
        "replay": lambda: processes.kernel_seconds(["replay"]),
        "help": lambda: processes.kernel_seconds(["--help"]),
        "strategy": processes.new_strategy_seconds,
    }
    found = in_turn(starts, repeats)
    yield seconds_line("kernel replay of the sample, whole warm process", found["replay"], 1.5)
    yield seconds_line("kernel --help, whole process", found["help"], 0.2)
    yield seconds_line("a new strategy: load and compile", found["strategy"], None)
    say("first compile, with an empty cache")
    first = processes.first_compile_seconds()
    yield Line(what="first kernel replay, nothing compiled", value=first, unit="s", at_most=40, note="once")


def seconds_line(what: str, spread: Spread, at_most: float | None) -> Line:
    """A time: the best, with the median in the note."""
    return Line(what=what, value=spread.best, unit="s", at_most=at_most, note=f"median {spread.median:.2f} s")


def memory_lines(sizes: tuple[int, int]) -> Iterator[Line]:
    """Peak resident memory at two sizes of data, each in a process of its own."""
    peaks = []
    for rows in sizes:
        say(f"memory at {rows:,} bars")
        report = processes.in_child(1, "reference", [walk_file(rows)])
        peaks.append(report["peak_megabytes"])
        yield Line(
            what=f"peak memory at {rows:,} bars",
            value=peaks[-1],
            unit="MB",
            note=f"{rows / report['seconds'][0] / 1e6:.2f} M bars/s",
        )
    yield Line(what="memory, the larger to the smaller", value=peaks[1] / peaks[0], unit="x", at_most=1.1)


if __name__ == "__main__":
    sys.exit(main())
