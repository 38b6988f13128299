"""The golden results of the built-in strategies on the packaged sample.

``python -m tests.strategies.golden`` writes ``tests/golden/results.json`` again; do that only for a change that is
meant, and say in the changelog what changed and why.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from replay.config import RunConfig
from replay.execution import prepare
from replay.runner import run_backtest
from replay.sample import sample_root

FILE = Path(__file__).resolve().parents[1] / "golden" / "results.json"
DATA = {
    "SPY": ["us/SPY/bars-1h.parquet"],
    "BTC-USD": ["coinbase/BTC-USD/bars-4h.parquet"],
    "EURUSD": ["oanda/EURUSD/bars-1h.parquet"],
    "SPY and EURUSD": ["us/SPY/bars-1h.parquet", "oanda/EURUSD/bars-1h.parquet"],
    "quotes": ["binance-perp/BTCUSDT/quotes.parquet"],
    "all three": ["us/SPY/bars-1h.parquet", "coinbase/BTC-USD/bars-4h.parquet", "oanda/EURUSD/bars-1h.parquet"],
}
THOROUGH = ("buy_and_hold", "ema_cross", "momentum_rotation", "rsi_reversion")
CASES = {
    f"{strategy} on {data}, {fill}": {"strategy": [{"use": strategy}], "data": DATA[data], "fill": fill}
    for strategy in THOROUGH
    for data in ("SPY", "BTC-USD", "EURUSD", "all three")
    for fill in ("pessimistic", "next_open")
}
CASES |= {
    f"{strategy} on {data}, pessimistic": {"strategy": [{"use": strategy}], "data": DATA[data], "fill": "pessimistic"}
    for strategy, data in {
        "do_nothing": "SPY", "macd_cross": "SPY", "supertrend": "BTC-USD", "ichimoku": "SPY",
        "donchian_breakout": "BTC-USD", "atr_channel": "SPY", "opening_range_breakout": "SPY",
        "volatility_breakout": "SPY", "ttm_squeeze": "BTC-USD", "the_strat": "SPY", "bollinger_reversion": "SPY",
        "triple_screen": "SPY",
        "vwap_reversion": "BTC-USD", "historical_returns": "BTC-USD", "pairs": "SPY and EURUSD", "grid": "BTC-USD",
        "market_maker": "quotes",
    }.items()
}  # fmt: skip
CASES["ensemble on BTC-USD, pessimistic"] = {
    "strategy": [
        {"use": "rsi_reversion", "name": "rsi", "shadow": True},
        {"use": "ema_cross", "name": "ema", "shadow": True, "set": {"short": 1}},
        {"use": "macd_cross", "name": "macd", "shadow": True, "set": {"short": 1}},
        {"use": "ensemble", "ensemble": {"minimum_confidence": 0.5}},
    ],
    "data": DATA["BTC-USD"],
    "fill": "pessimistic",
}


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run."""
    data = [str(sample_root() / path) for path in case["data"]]
    config = msgspec.convert({**case, "data": data, "journal": "off"}, RunConfig)
    with tempfile.TemporaryDirectory() as folder:
        result = run_backtest(prepare(config), Path(folder) / "run")
    names = ("result_hash", "bars", "fills", "trades", "final_equity_minor", "fees_minor")
    return {name: getattr(result, name) for name in names}


def stored() -> dict[str, dict[str, Any]]:
    """The golden results."""
    return json.loads(FILE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    results = {name: outcome(case) for name, case in CASES.items()}
    FILE.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
