"""The other side: a peer's script in the peer's interpreter, and its answer in our shape."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.environments import run as run_command
from tests.parity.data import CASH, Bars
from tests.parity.outcome import Fill, Outcome, Trip

RUN_SECONDS = 1_800
HERE = Path(__file__).parent
ALONE = ("-E", "-s", "-W", "ignore")  # nothing of our environment reaches the peer


def run(
    script: str, python: Path, bars: Bars, runs: list[dict[str, Any]], folder: Path, **more: Any
) -> tuple[str, list[Outcome]]:
    """``(version, outcomes)`` of the runs (strategy, size, fee rate). Raises RuntimeError."""
    table, job = folder / "bars.npy", folder / "job.json"
    np.save(table, bars.table)
    given = {
        "bars": str(table),
        "cash_ticks": CASH * bars.ticks_per_currency,
        "ticks_per_currency": bars.ticks_per_currency,
        "unit_lots": bars.unit_lots,
        "size_decimals": len(str(bars.unit_lots)) - 1,
        "money_decimals": len(str(bars.minor_per_tick)) - 1,  # of a tick; our own money has no finer ones
        "runs": runs,
        **more,
    }
    job.write_text(json.dumps(given))
    answer = json.loads(run_command([python, *ALONE, HERE / script, job], RUN_SECONDS, f"{script} failed"))
    return answer["version"], [_outcome(one, bars) for one in answer["outcomes"]]


def _outcome(answer: dict[str, Any], bars: Bars) -> Outcome:
    """Fills are ``[bar, signed lots, price, profit of what it closed, or null]``, money is in ticks of one unit."""
    fills = [Fill(bar, int(lots), _whole(price)) for bar, lots, price, _ in answer["fills"]]
    equity = np.array(answer["equity"], np.float64) * bars.minor_per_tick
    return Outcome(fills, _trips(answer["fills"], bars), equity)


def _trips(fills: list[Any], bars: Bars) -> list[Trip]:
    """Round trips out of a peer's fills and the profits that it reports for what they closed."""
    trips: list[Trip] = []
    held = entry_bar = opened = 0
    entry = out = profit = 0.0
    for bar, signed, price, closed_profit in fills:
        money = abs(signed) * _whole(price) * bars.minor_per_tick / bars.unit_lots
        if held == 0:
            entry_bar, opened, entry, out, profit, side = bar, 0, 0.0, 0.0, 0.0, 1 if signed > 0 else -1
        held += signed
        if closed_profit is None:
            opened, entry = opened + abs(signed), entry + money
            continue
        out, profit = out + money, profit + closed_profit * bars.minor_per_tick
        if held == 0:
            trips.append(Trip(entry_bar, bar, side, int(opened), entry, out, profit))
    return trips


def _whole(price: float) -> int:
    if price != int(price):
        raise RuntimeError(f"a peer filled at {price!r}, which is no whole number of ticks")
    return int(price)
