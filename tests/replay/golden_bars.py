"""Golden tables of bars, one for each rule, made of the packaged sample.

``python -m tests.replay.golden_bars`` writes ``tests/golden/bars.json`` again; do that only for a change that is meant.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from replay.catalogue.files import read_columns
from replay.make_bars import make_bars
from replay.sample import sample_root

FILE = Path(__file__).resolve().parents[1] / "golden" / "bars.json"
BTC, SPY, TICKS = "coinbase/BTC-USD", "us/SPY", "binance-perp/BTCUSDT"
CASES = {
    BTC: (
        "1d", "1d from 12h", "100 ticks", "50000 volume", "250000000 value", "50 tick-imbalance", "50 volume-imbalance",
        "renko 50000", "heikin-ashi 1d", "renko 50000 from 1d",
    ),
    SPY: ("1d", "2h", "renko 20000", "heikin-ashi"),
    f"{TICKS}/trades.parquet": (
        "1s", "20 ticks", "5 volume", "20 tick-imbalance span=5", "20 volume-imbalance", "renko 10",
    ),
    f"{TICKS}/quotes.parquet": ("1s", "20 ticks", "renko 10", "heikin-ashi 1s"),
}  # fmt: skip


def outcome(data: str, rule: str) -> dict[str, Any]:
    """How many bars there are, the first two and the last, and the hash of all."""
    with tempfile.TemporaryDirectory() as folder:
        made = make_bars([sample_root() / data], rule, Path(folder) / "bars.parquet")
        columns = read_columns(made.file.path)
    table = np.column_stack(list(columns.values()))
    shown = [table[at].tolist() for at in (0, 1, -1)] if len(table) > 1 else table.tolist()
    return {
        "bars": len(table),
        "gaps": made.count.gaps,
        "shown": shown,
        "sha256": hashlib.sha256(table.astype("<i8").tobytes()).hexdigest(),
    }


def all_outcomes() -> dict[str, dict[str, Any]]:
    """Every case by ``rule of data``."""
    return {f"{rule} of {data}": outcome(data, rule) for data, rules in CASES.items() for rule in rules}


if __name__ == "__main__":
    FILE.write_text(json.dumps(all_outcomes(), indent=1) + "\n", encoding="utf-8")
