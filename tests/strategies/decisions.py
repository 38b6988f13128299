"""What a strategy asked for in a run on the packaged bars, bar by bar, and what it held then."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kernel.events.layout import BAR_CLOSED, FILLED, INTENDED, QUOTE_SEEN
from replay.sample import sample_root
from strategies import BUILT_IN
from tests.replay.runs import records_in, run

SPAN = {"from": "2007-06-01", "to": "2009-01-01"}
FREE = {
    "fill": "next_open", "fee_bps": 0, "slippage_bps": 0, "cash": 10_000_000, "journal": "full",
    "sizing": {"model": "equity_share", "share": 0.3},
}  # fmt: skip
SPY, EURUSD, BTC, QUOTES = (
    str(sample_root() / path)
    for path in (
        "us/SPY/bars-1h.parquet", "oanda/EURUSD/bars-1h.parquet", "coinbase/BTC-USD/bars-4h.parquet",
        "binance-perp/BTCUSDT/quotes.parquet",
    )
)  # fmt: skip
DATA = {"pairs": [SPY, EURUSD], "momentum_rotation": [SPY, EURUSD], "market_maker": [QUOTES]}
PARAMETERS = {"fraction": 0.3, "short": 1}


class Order(NamedTuple):
    """An order that was asked for after market event ``at`` (counted from 0)."""

    at: int
    instrument: int
    side: int
    quantity_lots: int
    limit_ticks: int


class Decisions(NamedTuple):
    """Market events as rows of words with instrument and time, what was held after each, and the orders."""

    events: list[tuple[int, int, tuple[int, ...]]]
    held_lots: list[dict[int, int]]
    orders: list[Order]

    def column(self, name: str, instrument: int = 0) -> np.ndarray:
        """A column of the bars of an instrument."""
        position = BAR_CLOSED.ts_open_ns if name == "ts_open" else getattr(BAR_CLOSED, f"{name}_{UNITS[name]}")
        values = [words[position] for number, _, words in self.events if number == instrument]
        return np.array(values, np.int64 if name == "ts_open" else np.float64)


UNITS = {"open": "ticks", "high": "ticks", "low": "ticks", "close": "ticks", "volume": "lots"}


def data_of(strategy: str) -> list[str]:
    return DATA.get(strategy, [SPY])


def parameters_of(strategy: str) -> dict[str, float]:
    """A share that is always affordable, and short sides where there are some."""
    from replay.loading import find_strategy

    assert strategy in BUILT_IN
    defaults = find_strategy(strategy)[0].defaults
    return {name: value for name, value in PARAMETERS.items() if name in defaults and strategy != "market_maker"}


def decisions(out: Path, strategy: str, **settings: Any) -> Decisions:
    """Run a built-in strategy and read its journal."""
    use = {"use": strategy, "set": {**parameters_of(strategy), **settings.pop("set", {})}}
    span = {} if strategy == "market_maker" else SPAN
    run(out, **{"data": data_of(strategy), "strategy": [use], **FREE, **span, **settings})
    found = Decisions([], [], [])
    held: dict[int, int] = {}
    for record in records_in(out):
        words = record["words"]
        if record["kind"] in (BAR_CLOSED.kind, QUOTE_SEEN.kind):
            found.events.append((int(record["instrument"]), int(record["ts_event_ns"]), tuple(words.tolist())))
            found.held_lots.append(held)
        elif record["kind"] == FILLED.kind:
            lots = int(words[FILLED.side] * words[FILLED.quantity_lots])
            held = {**held, int(record["instrument"]): held.get(int(record["instrument"]), 0) + lots}
            found.held_lots[-1] = held
        elif record["kind"] == INTENDED.kind:
            names = ("side", "quantity_lots", "limit_ticks")
            numbers = (int(words[getattr(INTENDED, name)]) for name in names)
            found.orders.append(Order(len(found.events) - 1, int(record["instrument"]), *numbers))
    return found
