"""Results and trades for the tests of metrics, summary and report: small, exact, with no run behind them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from kernel.instruments import Instrument
from replay.metrics import TradeTable
from replay.report import read_trades
from replay.result import EquityCurve, RunResult
from replay.tables import TRADE_SCHEMA

DAY_NS = 86_400_000_000_000
START_NS = 1_704_067_200_000_000_000  # 2024-01-01
BTC = Instrument(venue="coinbase", symbol="BTC-USD", currency="USD", tick_size="0.01", lot_size="0.00000001")
MONEY = 1_000_000


def curve(equity: list[float], step_ns: int = DAY_NS, start_ns: int = START_NS) -> EquityCurve:
    """One point a step, in whole currency units; all of it cash."""
    minor = np.array([round(value * MONEY) for value in equity], np.int64)
    return EquityCurve(start_ns + step_ns * np.arange(minor.size, dtype=np.int64), minor, minor.copy())


def result_of(equity: list[float], deposit: float = 1000, **changes: Any) -> RunResult:
    """A finished run with this daily equity."""
    days = curve(equity)
    end_minor = int(days.equity_minor[-1]) if equity else round(deposit * MONEY)
    fields: dict[str, Any] = {
        "run_dir": Path("runs/one"),
        "journal": Path("runs/one/journal"),
        "completed": True,
        "instruments": (BTC,),
        "strategies": ("ema_cross",),
        "currency": "USD",
        "scale": 6,
        "first_ts_ns": START_NS,
        "last_ts_ns": int(days.ts_ns[-1]) if equity else START_NS,
        "bars": len(equity),
        "events": 10 * len(equity),
        "seconds": 0.25,
        "fills": 4,
        "trades": 2,
        "deposited_minor": round(deposit * MONEY),
        "final_equity_minor": end_minor,
        "final_cash_minor": end_minor,
        "realised_minor": end_minor - round(deposit * MONEY),
        "fees_minor": 1_250_000,
        "max_drawdown": 0.25,
        "exposed_rows": len(equity) // 2,
        "curve": days,
        "days": days,
        "price_lines": (),
        "result_hash": "ab" * 32,
        "journal_root": "cd" * 32,
        "frames": 7,
    }
    return RunResult(**(fields | changes))


def write_trades(path: Path, profits: list[float], group_rows: int = 1024, **changes: list[Any]) -> Path:
    """A trades.parquet in which trade ``i`` earns ``profits[i]`` after a fee of 1, held for one day from
    day ``i``.
    """
    count = len(profits)
    profit_minor = [round(profit * MONEY) for profit in profits]
    entries = [START_NS + DAY_NS * number for number in range(count)]
    columns: dict[str, list[Any]] = {
        "strategy": ["ema_cross"] * count,
        "instrument": [BTC.name] * count,
        "side": ["long" if number % 2 == 0 else "short" for number in range(count)],
        "ts_entry": entries,
        "ts_exit": [ts_ns + DAY_NS for ts_ns in entries],
        "quantity_lots": [100_000_000] * count,
        "quantity": [1.0] * count,
        "entry_price": [100.0] * count,
        "exit_price": [101.0] * count,
        "entry_minor": [100 * MONEY] * count,
        "exit_minor": [101 * MONEY] * count,
        "realised_minor": [profit + MONEY for profit in profit_minor],
        "fees_minor": [MONEY] * count,
        "income_minor": [0] * count,
        "pnl": [float(profit) for profit in profits],
        **{name: [1.0] * count for name in ("high_price", "low_price", "mae", "mfe", "stop_price", "r_multiple")},
    }
    columns |= changes
    table = pa.table({field.name: pa.array(columns[field.name], field.type) for field in TRADE_SCHEMA})
    parquet.write_table(table, path, row_group_size=group_rows)
    return path


def trades_of(folder: Path, profits: list[float], limit: int = 1000, **changes: list[Any]) -> TradeTable:
    """The trade table of these profits, through a file."""
    return read_trades(write_trades(folder / "trades.parquet", profits, **changes), limit)
