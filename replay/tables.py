"""The tables of a run: ``trades.parquet`` and ``equity.parquet``.

Owns their columns. Trades are written as they close, a batch at a time, so memory stays flat however many there are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kernel.events.layout import POSITION_CHANGED, TRADE_CLOSED
from kernel.instruments import Instrument
from kernel.tables.table import MAX_ACCOUNTS, MAX_POSITIONS
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
        ("income_minor", pa.int64()),
        ("pnl", pa.float64()),
        ("high_price", pa.float64()),
        ("low_price", pa.float64()),
        ("mae", pa.float64()),
        ("mfe", pa.float64()),
        ("stop_price", pa.float64()),
        ("r_multiple", pa.float64()),
    ]
)
_FLUSH_TRADES = 65_536


class TradeWriter:
    """Writes round trips as their ``TradeClosed`` records come by: those in the accounts that are named, or all.

    ``counts`` has how many there were, by account.
    """

    def __init__(
        self,
        path: Path,
        instruments: Sequence[Instrument],
        strategies: Sequence[str],
        accounts: frozenset[int] | None = None,
    ) -> None:
        self._writer = pq.ParquetWriter(path, TRADE_SCHEMA)
        self._instruments, self._strategies, self._accounts = instruments, strategies, accounts
        self.counts = [0] * MAX_ACCOUNTS
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._waiting_count = 0

    def add_closed(self, closed: np.ndarray, books: np.ndarray) -> None:
        """Take in ``TradeClosed`` records and the ``PositionChanged`` before each (dtype RECORD, no longer the
        caller's).
        """
        for account in range(MAX_ACCOUNTS):
            self.counts[account] += int(np.count_nonzero(closed["account"] == account))
        if self._accounts is not None:
            ours = np.isin(closed["account"], list(self._accounts))
            closed, books = closed[ours], books[ours]
        if len(closed):
            self._waiting.append((closed, books))
            self._waiting_count += len(closed)
        if self._waiting_count >= _FLUSH_TRADES:
            self._flush()

    def close(self) -> None:
        """Write what is waiting and finish the file."""
        if self._waiting:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        closed, books = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting, self._waiting_count = [], 0
        facts = trade_facts(closed, books)
        self._writer.write_table(trade_table(facts, self._instruments, self._strategies))


_OF_BOOK = ("high_ticks", "low_ticks", "stop_ticks", "income_minor")


def trade_facts(closed: np.ndarray, books: np.ndarray) -> dict[str, np.ndarray]:
    """What ``TradeClosed`` records and the ``PositionChanged`` before each say, as int64 columns by name."""
    facts = {name: closed["words"][:, at] for at, name in enumerate(TRADE_CLOSED._fields[1:])}
    facts |= {name: books["words"][:, getattr(POSITION_CHANGED, name)] for name in _OF_BOOK}
    return {**facts, "instrument": closed["instrument"], "strategy": closed["strategy"]}


def open_trade_facts(state: Any) -> dict[str, np.ndarray]:
    """The round trips under way, with the same columns: what they would come to at the last price.

    The range includes the row that was seen last, where it began after the entry. ``ts_exit_ns`` is 0.
    """
    head, rows = state.head, []
    books = int(head.instrument_count) * int(head.strategy_count)
    for at in range(2 * books):
        position = state.positions[at if at < books else at - books + MAX_POSITIONS]
        strategy, number = divmod(at % books, int(head.instrument_count))
        instrument = state.instruments[number]
        if position.quantity_lots == 0:
            continue
        seen = position.trade_ts_entry_ns <= instrument.range_ns
        rows.append(
            {
                **{name: position[f"trade_{name}"] for name in _OF_TRIP},
                "ts_exit_ns": 0,
                "exit_minor": position.trade_exit_minor + abs(position.value_minor),
                "realised_minor": position.trade_realised_minor + position.value_minor - position.cost_minor,
                "high_ticks": max(position.high_ticks, instrument.high_ticks) if seen else position.high_ticks,
                "low_ticks": min(position.low_ticks, instrument.low_ticks) if seen else position.low_ticks,
                "stop_ticks": position.trade_stop_ticks,
                "income_minor": position.trade_income_minor,
                "instrument": number,
                "strategy": strategy,
            }
        )
    names = [*TRADE_CLOSED._fields[1:], *_OF_BOOK, "instrument", "strategy"]
    return {name: np.array([int(row[name]) for row in rows], np.int64) for name in names}


_OF_TRIP = ("ts_entry_ns", "side", "quantity_lots", "entry_minor", "fees_minor", "entry_sequence", "fill_count")


def trade_table(facts: dict[str, np.ndarray], instruments: Sequence[Instrument], strategies: Sequence[str]) -> pa.Table:
    """Round trips with prices, profit, the worst and best they stood at (MAE, MFE), and profit in units of the risk
    that the first stop left (R). Statistics: floats.
    """
    number = facts["instrument"]
    unit = 10.0 ** np.array([one.scale for one in instruments])[number]
    quantity = facts["quantity_lots"] * _of(instruments, "lot_size")[number]
    size = quantity * _of(instruments, "multiplier")[number]
    tick = _of(instruments, "tick_size")[number]
    inverse = np.array([one.is_inverse for one in instruments])[number]
    side, entry = facts["side"], facts["entry_minor"] / unit
    money = _Money(size, inverse)
    pnl = (facts["realised_minor"] - facts["fees_minor"] + facts["income_minor"]) / unit
    prices = {name: facts[f"{name}_ticks"] * tick for name in ("high", "low", "stop")}
    marks = [side * (money.of(prices[name]) - entry) for name in ("high", "low")]
    risk = np.where(facts["stop_ticks"] > 0, np.abs(money.of(prices["stop"]) - entry), np.nan)
    columns: dict[str, Any] = {
        "strategy": np.array(strategies, object)[facts["strategy"]],
        "instrument": np.array([one.name for one in instruments], object)[number],
        "side": np.where(side > 0, "long", "short"),
        "ts_entry": pa.array(facts["ts_entry_ns"]).cast(_TS),
        "ts_exit": pa.array(facts["ts_exit_ns"], mask=facts["ts_exit_ns"] == 0).cast(_TS),
        "quantity_lots": facts["quantity_lots"],
        "quantity": quantity,
        "entry_price": money.price(entry),
        "exit_price": money.price(facts["exit_minor"] / unit),
        **{name: facts[name] for name in ("entry_minor", "exit_minor", "realised_minor", "fees_minor", "income_minor")},
        "pnl": pnl,
        "high_price": prices["high"],
        "low_price": prices["low"],
        "mae": np.minimum(*marks),
        "mfe": np.maximum(*marks),
        "stop_price": pa.array(prices["stop"], mask=facts["stop_ticks"] == 0),
        "r_multiple": pa.array(np.divide(pnl, risk, out=np.zeros(len(pnl)), where=risk > 0), mask=~(risk > 0)),
    }
    return pa.table(columns, schema=TRADE_SCHEMA)


class _Money:
    """Between prices and signed money of a size; inverse contracts are worth -size / price."""

    def __init__(self, size: np.ndarray, inverse: np.ndarray) -> None:
        self._size, self._inverse = size, inverse

    def of(self, price: np.ndarray) -> np.ndarray:
        """Money of the whole size at a price."""
        inverse = np.divide(-self._size, price, out=np.zeros(len(price)), where=price > 0)
        found: np.ndarray = np.where(self._inverse, inverse, self._size * price)
        return found

    def price(self, money: np.ndarray) -> np.ndarray:
        """The average price behind an amount."""
        inverse = np.divide(self._size, np.abs(money), out=np.zeros(len(money)), where=money != 0)
        linear = np.divide(money, self._size, out=np.zeros(len(money)), where=self._size != 0)
        found: np.ndarray = np.where(self._inverse, inverse, linear)
        return found


def _of(instruments: Sequence[Instrument], name: str) -> np.ndarray:
    return np.array([float(to_decimal(getattr(one, name))) for one in instruments])


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
