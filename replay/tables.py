"""The tables of a run: ``trades.parquet`` and ``equity.parquet``.

Owns their columns. Trades are written as they close, a batch at a time, so memory stays flat however many there are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kernel.events.layout import TRADE_CLOSED
from kernel.instruments import Instrument
from kernel.units import to_decimal

_TS = pa.timestamp("ns", tz="UTC")
TRADE_SCHEMA = pa.schema(
    [
        ("strategy", pa.string()),
        ("instrument", pa.string()),
        ("side", pa.string()),
        ("ts_entry", _TS),
        ("ts_exit", _TS),
        ("quantity_lots", pa.int64()),
        ("quantity", pa.float64()),
        ("entry_price", pa.float64()),
        ("exit_price", pa.float64()),
        ("entry_minor", pa.int64()),
        ("exit_minor", pa.int64()),
        ("realised_minor", pa.int64()),
        ("fees_minor", pa.int64()),
        ("pnl", pa.float64()),
    ]
)
_FLUSH_TRADES = 65_536


class TradeWriter:
    """Writes round trips as their ``TradeClosed`` records come by."""

    def __init__(self, path: Path, instruments: Sequence[Instrument], strategies: Sequence[str]) -> None:
        self._writer = pq.ParquetWriter(path, TRADE_SCHEMA)
        self._instruments, self._strategies = instruments, strategies
        self._waiting: list[np.ndarray] = []
        self._waiting_count = 0

    def add_closed(self, closed: np.ndarray) -> None:
        """Take in ``TradeClosed`` records (dtype RECORD, the caller's no longer)."""
        if len(closed):
            self._waiting.append(closed)
            self._waiting_count += len(closed)
        if self._waiting_count >= _FLUSH_TRADES:
            self._flush()

    def close(self) -> None:
        """Write what is waiting and finish the file."""
        if self._waiting:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        closed = np.concatenate(self._waiting)
        self._waiting, self._waiting_count = [], 0
        self._writer.write_table(trade_table(closed, self._instruments, self._strategies))


def trade_table(closed: np.ndarray, instruments: Sequence[Instrument], strategies: Sequence[str]) -> pa.Table:
    """The table of ``TradeClosed`` records."""
    words = {name: closed["words"][:, at] for at, name in enumerate(TRADE_CLOSED._fields[1:])}
    number = closed["instrument"]
    lot = np.array([float(to_decimal(one.lot_size)) for one in instruments])[number]
    multiplier = np.array([float(to_decimal(one.multiplier)) for one in instruments])[number]
    unit = 10.0 ** np.array([one.scale for one in instruments])[number]
    quantity = words["quantity_lots"] * lot
    per_price = quantity * multiplier * unit
    columns: dict[str, Any] = {
        "strategy": np.array(strategies, object)[closed["strategy"]],
        "instrument": np.array([one.name for one in instruments], object)[number],
        "side": np.where(words["side"] > 0, "long", "short"),
        "ts_entry": pa.array(words["ts_entry_ns"]).cast(_TS),
        "ts_exit": pa.array(words["ts_exit_ns"]).cast(_TS),
        "quantity_lots": words["quantity_lots"],
        "quantity": quantity,
        "entry_price": words["entry_minor"] / per_price,
        "exit_price": words["exit_minor"] / per_price,
        "entry_minor": words["entry_minor"],
        "exit_minor": words["exit_minor"],
        "realised_minor": words["realised_minor"],
        "fees_minor": words["fees_minor"],
        "pnl": (words["realised_minor"] - words["fees_minor"]) / unit,
    }
    return pa.table(columns, schema=TRADE_SCHEMA)


def write_equity(path: Path, samples: np.ndarray, scale: int) -> None:
    """Write the equity curve (dtype SAMPLE) with its drawdown."""
    equity = samples["equity_minor"]
    peak = np.maximum.accumulate(equity) if len(equity) else equity
    drawdown = np.divide(peak - equity, peak, out=np.zeros(len(equity)), where=peak > 0)
    table = pa.table(
        {
            "ts": pa.array(np.ascontiguousarray(samples["ts_ns"])).cast(_TS),
            "equity_minor": np.ascontiguousarray(equity),
            "cash_minor": np.ascontiguousarray(samples["cash_minor"]),
            "equity": equity / 10.0**scale,
            "drawdown": drawdown,
        }
    )
    pq.write_table(table, path)
