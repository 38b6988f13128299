"""trades.parquet to a trade table: everything added up, the last rows in full.

Owns the reading of that file. Two passes in batches, the second for the histogram, whose ends the first one
finds: a file of millions of trades takes the memory of one batch.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from replay.metrics import TradeRows, TradeTable

BATCH_ROWS = 65_536
HISTOGRAM_STEPS = 4_096
_TEXT = ("strategy", "instrument", "side")
_TIMES = ("ts_entry", "ts_exit")
_PROFIT = ("realised_minor", "fees_minor", "income_minor")
_NUMBERS = ("quantity", "entry_price", "exit_price", "entry_minor", *_PROFIT)


def read_trades(path: Path, limit: int) -> TradeTable:
    """The trade table of a run's trades.parquet, with the last ``limit`` trades in full."""
    with parquet.ParquetFile(path) as file:
        count = wins = losses = gained_minor = lost_minor = holding_ns = 0
        best_minor, worst_minor = None, None
        for batch in file.iter_batches(BATCH_ROWS, columns=[*_PROFIT, *_TIMES]):
            if not batch.num_rows:
                continue
            profit = _profit_minor(batch)
            gains, shortfalls = profit[profit > 0], profit[profit < 0]
            count += profit.size
            wins, losses = wins + gains.size, losses + shortfalls.size
            gained_minor += _exact_sum(gains)
            lost_minor -= _exact_sum(shortfalls)
            holding_ns += _exact_sum(_column(batch, "ts_exit") - _column(batch, "ts_entry"))
            top, bottom = int(profit.max()), int(profit.min())
            best_minor = top if best_minor is None else max(best_minor, top)
            worst_minor = bottom if worst_minor is None else min(worst_minor, bottom)
        best_minor, worst_minor = best_minor or 0, worst_minor or 0
        return TradeTable(
            count=count,
            win_count=wins,
            loss_count=losses,
            gross_profit_minor=gained_minor,
            gross_loss_minor=lost_minor,
            best_minor=best_minor,
            worst_minor=worst_minor,
            holding_ns=holding_ns,
            histogram=_histogram(file, worst_minor, best_minor),
            last=_last_rows(file, limit),
        )


def no_trades() -> TradeTable:
    """The table of a run without a trade."""
    none = np.zeros(0, np.int64)
    last = TradeRows(
        strategy=(),
        instrument=(),
        side=(),
        ts_entry_ns=none,
        ts_exit_ns=none,
        quantity=np.zeros(0),
        entry_price=np.zeros(0),
        exit_price=np.zeros(0),
        entry_minor=none,
        fees_minor=none,
        profit_minor=none,
    )
    return TradeTable(
        count=0,
        win_count=0,
        loss_count=0,
        gross_profit_minor=0,
        gross_loss_minor=0,
        best_minor=0,
        worst_minor=0,
        holding_ns=0,
        histogram=none,
        last=last,
    )


def _histogram(file: parquet.ParquetFile, worst_minor: int, best_minor: int) -> np.ndarray:
    """Trades in equal steps of profit on either side of zero, so that no step holds both gains and losses."""
    counts = np.zeros(HISTOGRAM_STEPS, np.int64)
    if not file.metadata.num_rows:
        return counts[:0]
    half = HISTOGRAM_STEPS // 2
    step = max(abs(worst_minor), abs(best_minor), 1) / half
    for batch in file.iter_batches(BATCH_ROWS, columns=list(_PROFIT)):
        steps = np.floor(_profit_minor(batch) / step).astype(np.int64) + half
        counts += np.bincount(np.clip(steps, 0, HISTOGRAM_STEPS - 1), minlength=HISTOGRAM_STEPS)
    return counts


def _last_rows(file: parquet.ParquetFile, limit: int) -> TradeRows:
    """The last ``limit`` rows; only the row groups that hold them are read."""
    groups: list[int] = []
    held = 0
    for group in reversed(range(file.num_row_groups)):
        if held >= limit:
            break
        groups.insert(0, group)
        held += file.metadata.row_group(group).num_rows
    kept: list[pa.RecordBatch] = []
    skip = max(held - limit, 0)
    names = [*_TEXT, *_TIMES, *_NUMBERS]
    for batch in _batches(file, groups, names):
        if skip < batch.num_rows:
            kept.append(batch.slice(skip))
        skip = max(skip - batch.num_rows, 0)
    if not kept:
        return no_trades().last
    table = pa.Table.from_batches(kept)
    return TradeRows(
        strategy=tuple(table["strategy"].to_pylist()),
        instrument=tuple(table["instrument"].to_pylist()),
        side=tuple(table["side"].to_pylist()),
        ts_entry_ns=_column(table, "ts_entry"),
        ts_exit_ns=_column(table, "ts_exit"),
        quantity=_column(table, "quantity"),
        entry_price=_column(table, "entry_price"),
        exit_price=_column(table, "exit_price"),
        entry_minor=_column(table, "entry_minor"),
        fees_minor=_column(table, "fees_minor"),
        profit_minor=_profit_minor(table),
    )


def _batches(file: parquet.ParquetFile, groups: list[int], names: list[str]) -> Iterator[pa.RecordBatch]:
    return iter(file.iter_batches(BATCH_ROWS, row_groups=groups, columns=names)) if groups else iter(())


def _profit_minor(data: pa.RecordBatch | pa.Table) -> np.ndarray:
    return np.asarray(_column(data, "realised_minor") - _column(data, "fees_minor") + _column(data, "income_minor"))


def _column(data: pa.RecordBatch | pa.Table, name: str) -> np.ndarray:
    column = data.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    return np.asarray(column)


def _exact_sum(values: np.ndarray) -> int:
    """The sum as a Python integer: high and low halves apart, so that 64 bits cannot overflow on the way."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFF_FFFF).sum())
