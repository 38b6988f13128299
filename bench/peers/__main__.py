"""``python -m bench.peers --environments DIR``: other engines on the same bars, and the ratios to ours in the same run.

Owns the comparison; ``environments`` makes the peers' environments below DIR. A peer that cannot be installed on this
Python is left out, with the error. Each peer runs its recommended fast settings; what each accounts
for stands at the top of its script. Ours runs with everything it always does: orders, risk checks, exact accounting,
every event journaled and hash-chained, market data by reference.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.data import MINUTE_NS, walk_chunks, walk_file
from bench.lines import Line, as_json, render
from bench.peers.environments import BACKTESTING, BACKTRADER, NAUTILUS, VECTORBT, environment, run
from bench.runs import Spread, prepare_run, run_once
from replay.execution import Prepared

CASH, FEE_BPS = "100000000", "0.01"
RUN_SECONDS = 900


class Peer(msgspec.Struct, frozen=True):
    """One engine: what to install, how many bars it gets (fewer for slow ones), and our floor against it."""

    name: str
    requirements: tuple[str, ...]
    script: str
    bars: int
    floor: float | None
    does: str


PEERS = (
    Peer(
        "NautilusTrader",
        NAUTILUS,
        "nautilus_ema.py",
        100_000,
        300,
        "orders, risk and accounts, event by event; P&L in floats, nothing durable; fills at the close of the bar",
    ),
    Peer(
        "backtesting.py",
        BACKTESTING,
        "backtesting_ema.py",
        100_000,
        50,
        "equity, trades and statistics in floats; fills at the next open",
    ),
    Peer(
        "vectorbt",
        VECTORBT,
        "vectorbt_ema.py",
        1_000_000,
        1.5,
        "whole arrays in floats; equity, drawdown and trades; no orders, risk checks or events; fills at the next open",
    ),
    Peer(
        "backtrader",
        BACKTRADER,
        "backtrader_ema.py",
        100_000,
        None,
        "cash, positions and trades in floats; no risk checks beyond cash; fills at the next open",
    ),
)


class Found(msgspec.Struct, frozen=True):
    """What one comparison came to; ``error`` where the peer could not be installed or run."""

    peer: Peer
    version: str = ""
    speed: Spread | None = None
    simulation_seconds: float = 0.0
    ours: Spread | None = None
    our_bars: int = 0
    trades: int = 0
    our_trades: int = 0
    error: str = ""


def main() -> int:
    """Parse, install, measure, render."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Other engines on the same bars.")
    parser.add_argument("--environments", type=Path, required=True, help="Where the peers' environments are kept.")
    parser.add_argument("--python", default=sys.executable, help="The Python of the peers.  [default: this one]")
    parser.add_argument("--rows", type=int, default=1_000_000, help="Our bars, and the most for a peer.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", action="append", choices=[peer.name for peer in PEERS], help="One peer.")
    parser.add_argument("--json", action="store_true", help="Print one JSON array.")
    options = parser.parse_args()
    prepared = prepare_run([walk_file(options.rows)], fill="next_open", cash=CASH, fee_bps=FEE_BPS)
    run_once(prepared)
    found = [
        compare(peer, prepared, options)
        for peer in PEERS
        if not options.only or peer.name.lower() in (name.lower() for name in options.only)
    ]
    lines = [line for one in found for line in lines_of(one)]
    print(json.dumps(as_json(lines)) if options.json else f"{render(lines)}\n\n{notes(found)}")
    return 0


def say(text: str) -> None:
    """Talk, beside the data."""
    print(text, file=sys.stderr, flush=True)


def compare(peer: Peer, prepared: Prepared, options: argparse.Namespace) -> Found:
    """Install a peer, then measure it and ourselves in turn."""
    bars = min(peer.bars, options.rows)
    say(f"{peer.name}: {bars:,} bars")
    with tempfile.TemporaryDirectory(prefix="kernel-bench-") as folder:
        try:
            python = environment(peer.requirements, options.environments, options.python)
            table = Path(folder) / "bars.npy"
            np.save(table, bars_table(bars))
            reports, ours = [], []
            for _ in range(options.repeats):
                ours.append(run_once(prepared))
                reports.append(run_peer(peer, python, table))
                ours.append(run_once(prepared))
        except RuntimeError as error:
            say(f"  left out: {error}")
            return Found(peer, error=str(error))
    same_bars = prepare_run([walk_file(bars)], fill="next_open", cash=CASH, fee_bps=FEE_BPS)
    return Found(
        peer,
        version=reports[0]["version"],
        speed=Spread.of([report["seconds"] for report in reports]),
        simulation_seconds=min(report.get("simulation_seconds", 0.0) for report in reports),
        ours=Spread.of([result.seconds for result in ours]),
        our_bars=ours[0].bars,
        trades=reports[0]["trades"],
        our_trades=run_once(same_bars).trades,
    )


def run_peer(peer: Peer, python: Path, table: Path) -> dict[str, Any]:
    """One run of a peer's script. Raises RuntimeError."""
    fee = float(FEE_BPS) / 10_000
    command = [python, "-W", "ignore", Path(__file__).with_name(peer.script), table, CASH, fee, 3]
    report: dict[str, Any] = json.loads(run(command, RUN_SECONDS, "it failed").splitlines()[-1])
    return report


def bars_table(rows: int) -> np.ndarray:
    """The bars as floats, as the peers want them: open time in seconds, open, high, low, close, volume."""
    names, scales = ("ts_open", "open", "high", "low", "close", "volume"), (1e9, 10, 10, 10, 10, 1e5)
    parts = [
        np.stack([chunk[name] / scale for name, scale in zip(names, scales, strict=True)], 1)
        for chunk in walk_chunks(rows)
    ]
    table = np.concatenate(parts)
    assert table[1, 0] - table[0, 0] == MINUTE_NS / 1e9
    return table


def lines_of(found: Found) -> list[Line]:
    """The lines of one peer: its speed, ours beside it, and the ratio."""
    if found.speed is None or found.ours is None:
        return []
    peer = found.peer
    bars = min(peer.bars, found.our_bars)
    theirs, ours = bars / found.speed.best, found.our_bars / found.ours.best
    medians = found.our_bars / found.ours.median / (bars / found.speed.median)
    lines = [
        Line(what=f"{peer.name} {found.version}", value=theirs, unit="bars/s", note=f"{bars:,} bars"),
        Line(what=f"ours, in turn with {peer.name}", value=ours, unit="bars/s", note=f"{found.our_bars:,} bars"),
        Line(
            what=f"ours to {peer.name}",
            value=ours / theirs,
            unit="x",
            at_least=peer.floor,
            note=f"median {medians:.1f}",
        ),
    ]
    if found.simulation_seconds:
        ratio = ours / (bars / found.simulation_seconds)
        lines.append(Line(what=f"ours to {peer.name}, its simulation alone", value=ratio, unit="x"))
    return lines


def notes(found: list[Found]) -> str:
    """What each engine accounts for, how its trades compare, and which are left out."""
    lines = []
    for one in found:
        if one.error:
            lines.append(f"{one.peer.name} is left out: {one.error}")
        else:
            trades = f"{one.trades:,} round trips, ours on the same bars {one.our_trades:,}"
            lines.append(f"{one.peer.name}: {one.peer.does}; {trades}")
    lines.append("ours: orders, risk checks, exact accounting, every event journaled and hash-chained")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
