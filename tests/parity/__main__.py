"""``python -m tests.parity --environments DIR``: our trades and equity against those of other engines.

Prints one line for each strategy and file; exits 1 at a difference that ``docs/parity.md`` does not list.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.peers.environments import BACKTESTING, NAUTILUS, environment
from bench.peers.environments import run as run_command
from replay.catalogue import CatalogueError
from tests.parity import cases, ours, peers
from tests.parity.data import Bars, load, sample
from tests.parity.outcome import Comparison, Outcome, compare
from tests.parity.shared_strategies import STRATEGIES

FEES_BPS = ("0", "10")
CANARY = "TargetAndStop"


class Peer(msgspec.Struct, frozen=True):
    """An engine, its script and settings, and the profile of ours that claims to do as it does.

    ``skipped_bars`` at the start it does not look at; ``bars`` are how many it gets (0: all; with some engines time
    grows with their square). ``left_out`` names strategies that rest on a listed difference.
    """

    name: str
    engine: str
    requirements: tuple[str, ...]
    script: str
    profile: str
    skipped_bars: int = 0
    bars: int = 0
    settings: dict[str, Any] = {}
    left_out: tuple[str, ...] = ()
    least_python: tuple[int, int] = (3, 11)


NAUTILUS_SCRIPT, NAUTILUS_BARS = "nautilus_peer.py", 2_000
SEVERAL_LIMITS = ("Grid", "OldestCancelled")
PEERS = (
    Peer("backtesting.py", "backtesting.py", BACKTESTING, "backtesting_peer.py", "next_open", skipped_bars=1),
    Peer(
        "NautilusTrader", "NautilusTrader", NAUTILUS, NAUTILUS_SCRIPT, "ohlc", bars=NAUTILUS_BARS,
        settings={"adaptive": False}, left_out=SEVERAL_LIMITS, least_python=(3, 12),
    ),
    Peer(
        "NautilusTrader-adaptive", "NautilusTrader", NAUTILUS, NAUTILUS_SCRIPT, "ohlc_adaptive", bars=NAUTILUS_BARS,
        settings={"adaptive": True}, left_out=SEVERAL_LIMITS, least_python=(3, 12),
    ),
)  # fmt: skip


def main() -> int:
    """Parse, install, run both sides, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description="Our results against other engines'.")
    parser.add_argument("--environments", type=Path, required=True, help="Where the peers' environments are kept.")
    parser.add_argument("--python", default=sys.executable, help="The Python of the peers.  [default: this one]")
    parser.add_argument("--data", type=Path, action="append", help="A catalogue file of bars or trades.  [the sample]")
    parser.add_argument("--bars", type=int, help="How many bars at most, 0 for all.  [2,000 for NautilusTrader]")
    parser.add_argument(
        "--random", type=int, default=500, help="How many random cases, and half as many brackets.  [500]"
    )
    parser.add_argument("--seed", type=int, default=0, help="Of the random cases.  [0]")
    parser.add_argument("--only", choices=[peer.name for peer in PEERS], help="One peer.")
    parser.add_argument("--strategy", action="append", choices=list(STRATEGIES), help="One strategy.  [all]")
    options = parser.parse_args()
    unequal = 0
    with tempfile.TemporaryDirectory(prefix="kernel-parity-") as name:
        folder = Path(name)
        try:
            files = [load(path, folder) for path in options.data] if options.data else sample(folder)
            for peer in PEERS:
                if options.only in (None, peer.name):
                    wanted = options.strategy or [name for name in STRATEGIES if name not in peer.left_out]
                    unequal += check(peer, files, wanted, options, folder)
        except (RuntimeError, CatalogueError, ValueError) as error:
            print(f"tests.parity: {error}", file=sys.stderr)
            return 1
    print(f"{unequal} differ" if unequal else "all equal")
    return 1 if unequal else 0


def check(peer: Peer, files: list[Bars], names: list[str], options: argparse.Namespace, folder: Path) -> int:
    """Compare every strategy on every file with one peer; how many differ."""
    version = run_command([options.python, "-c", "import sys; print(*sys.version_info[:2])"], 60, "no such Python")
    if tuple(int(part) for part in version.split()) < peer.least_python:
        least = ".".join(map(str, peer.least_python))
        raise RuntimeError(f"{peer.name} needs Python {least} or newer: --python PATH")
    python = environment(peer.requirements, options.environments, options.python)
    unequal = check_cases(peer, python, options)
    count = peer.bars if options.bars is None else options.bars
    for bars in (one.first(count) for one in files):
        given = {"size": bars.size, "pace": bars.pace}
        runs = [{"strategy": name, "fee": float(fee) / 10_000, **given} for fee in FEES_BPS for name in names]
        started = time.perf_counter()
        version, theirs = peers.run(peer.script, python, bars, runs, folder, **peer.settings)
        print(f"\n{peer.name} {version}, profile {peer.profile}: {bars.name}, {len(bars.table):,} bars", flush=True)
        print(f"  ({time.perf_counter() - started:.0f} s there)", file=sys.stderr, flush=True)
        for run, outcome in zip(runs, theirs, strict=True):
            fee_bps = FEES_BPS[0] if run["fee"] == 0 else FEES_BPS[1]
            mine = ours.run(bars, str(run["strategy"]), peer.profile, fee_bps, peer.skipped_bars)
            found = compare(mine, outcome, 10**bars.instrument.scale, peer.skipped_bars)
            print(line(str(run["strategy"]), fee_bps, found, 10**bars.instrument.scale), flush=True)
            unequal += not found.equal
            if run["strategy"] == CANARY and run["fee"] == 0:
                check_canary(peer, bars, outcome)
    return unequal


def check_canary(peer: Peer, bars: Bars, theirs: Outcome) -> None:
    """Another profile must come out different: a comparison that cannot fail proves nothing. Raises RuntimeError."""
    mine = ours.run(bars, CANARY, "pessimistic", "0", peer.skipped_bars)
    if compare(mine, theirs, 10**bars.instrument.scale, peer.skipped_bars).equal:
        raise RuntimeError(f"{CANARY} under profile pessimistic equals {peer.name}: the comparison is broken")


def check_cases(peer: Peer, python: Path, options: argparse.Namespace) -> int:
    """Run the small cases; how many are not as the pages say, or not alike."""
    count, wrong = cases.check(peer.engine, peer.profile, python)
    print(f"{peer.name}: {count - len(wrong)} of {count} cases of docs/fills.md and docs/parity.md are as written")
    made, unlike = cases.check_random(peer.engine, peer.profile, python, options.seed, options.random)
    print(f"{peer.name}: {made - len(unlike)} of {made} random cases are equal", flush=True)
    for text in wrong + unlike:
        print(f"    DIFFERS: {text}")
    return len(wrong) + len(unlike)


def line(strategy: str, fee_bps: str, found: Comparison, minor_per_currency: int) -> str:
    """One line of the report."""
    text = (
        f"  {strategy:18} fee {fee_bps:>2} bps: trades equal {found.equal_trips:,} of {found.trips:,}, "
        f"fills {found.equal_fills:,} of {found.fills:,}, equity at {found.equal_bars:,} of {found.bars:,} bars, "
        f"largest difference {found.largest_minor / minor_per_currency:.6f}"
    )
    return text if found.equal else f"{text}\n    DIFFERS: {found.first}"


if __name__ == "__main__":
    sys.exit(main())
