"""Everything the kernel knows, as one flat buffer.

Owns the layout: a few tables of 64-bit integers, laid end to end. So a snapshot is a copy
of the buffer, a digest is one hash over it, two states are compared field by field, and recovery is a read. Capacity is declared when the state is
allocated; running out of it is a refusal, never a silent drop.

Money is in minor units, prices in ticks, quantities in lots, times in nanoseconds. Only ``apply`` writes here.
"""

import hashlib
from collections import namedtuple
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kernel.events.catalogue import TradeClosed

MAX_STRATEGIES = 8
MAX_ORDERS = 128
MAX_TIMERS = 32
MAX_ACCOUNTS = 4


def _table(*fields: str) -> np.dtype:
    return np.dtype([(name, "<i8") for name in fields], align=True)


HEAD = _table(
    "next_sequence",
    "now_ns",
    "halted",
    "instrument_count",
    "strategy_count",
    "order_count",
    "fill_count",
    "trade_count",
    "digest_interval",
    "next_digest",
)
ACCOUNT = _table(
    "currency",
    "scale",
    "cash_minor",
    "deposited_minor",
    "realised_minor",
    "fees_minor",
    "cost_minor",  # signed cost of all open positions
    "value_minor",  # signed market value of all open positions
    "gross_minor",  # the sum of their absolute values
)
LIMITS = _table(
    "order_lots",
    "order_notional_minor",
    "position_notional_minor",
    "price_band_rate",
    "margin_rate",
    "cost_buffer_rate",
    "open_orders",
)
INSTRUMENT = _table(
    "numerator",
    "denominator",
    "currency",
    "volume_known",
    "halted",
    "last_ticks",
    "bid_ticks",
    "ask_ticks",
    "updated_ns",
    "event_count",
)
POSITION = _table(
    "quantity_lots",
    "pending_buy_lots",  # what open orders may still buy
    "pending_sell_lots",  # what open orders may still sell
    "cost_minor",
    "value_minor",
    "realised_minor",
    "fees_minor",
    "trade_ts_entry_ns",
    "trade_entry_sequence",
    "trade_side",
    "trade_quantity_lots",
    "trade_entry_minor",
    "trade_exit_minor",
    "trade_realised_minor",
    "trade_fees_minor",
    "trade_fill_count",
)
ORDER = _table(
    "order_id",
    "status",
    "strategy",
    "instrument",
    "side",
    "order_type",
    "time_in_force",
    "quantity_lots",
    "filled_lots",
    "limit_ticks",
    "stop_ticks",
    "tag",
    "ts_intended_ns",
    "cause",
)
CLOSED_TRADE = _table(*TradeClosed.__struct_fields__)
TIMER = _table("active", "strategy", "instrument", "timer", "due_ns", "interval_ns")

State = namedtuple("State", "head accounts limits instruments positions closed_trade orders timers")


class Shape(NamedTuple):
    """The declared capacity of a state."""

    instruments: int
    strategies: int

    def tables(self) -> dict[str, tuple[np.dtype, int]]:
        """Each table's dtype and length, in buffer order."""
        return {
            "head": (HEAD, 1),
            "accounts": (ACCOUNT, MAX_ACCOUNTS),
            "limits": (LIMITS, 1),
            "instruments": (INSTRUMENT, self.instruments),
            "positions": (POSITION, self.instruments * self.strategies),
            "closed_trade": (CLOSED_TRADE, 1),
            "orders": (ORDER, MAX_ORDERS + 1),  # the last row stays zero: it clears the others
            "timers": (TIMER, MAX_TIMERS),
        }


def view_tables(buffer: np.ndarray, tables: dict[str, tuple[np.dtype, int]]) -> dict[str, np.recarray]:
    """Views of the tables laid end to end in a byte buffer of just their size."""
    views, at = {}, 0
    for name, (dtype, length) in tables.items():
        size = dtype.itemsize * length
        views[name] = buffer[at : at + size].view(dtype).view(np.recarray)
        at += size
    assert at == buffer.nbytes
    return views


def tables_nbytes(tables: dict[str, tuple[np.dtype, int]]) -> int:
    """Bytes that the tables take together."""
    return sum(dtype.itemsize * length for dtype, length in tables.values())


def view_state(buffer: np.ndarray, shape: Shape) -> Any:
    """The State whose tables are views of ``buffer`` (uint8, of ``state_nbytes(shape)``)."""
    return State(**view_tables(buffer, shape.tables()))


def state_nbytes(shape: Shape) -> int:
    """Bytes of a state of this shape."""
    return tables_nbytes(shape.tables())


def new_state(shape: Shape) -> tuple[np.ndarray, Any]:
    """An empty state: its buffer and its views. The first event has sequence 1."""
    assert shape.strategies <= MAX_STRATEGIES
    buffer = np.zeros(state_nbytes(shape), np.uint8)
    state = view_state(buffer, shape)
    state.head[0].next_sequence = 1
    state.head[0].instrument_count = shape.instruments
    state.head[0].strategy_count = shape.strategies
    return buffer, state


def state_digest(buffer: np.ndarray) -> bytes:
    """SHA-256 of the whole state."""
    return hashlib.sha256(buffer).digest()


def iterate_fields(state: Any) -> Iterator[tuple[str, int, str, int]]:
    """Every value as ``(table, row, field, value)``, in buffer order."""
    for name in State._fields:
        table = getattr(state, name)
        for row in range(len(table)):
            for field in table.dtype.names:
                yield name, row, field, int(table[field][row])


def differences(left: Any, right: Any) -> Iterator[tuple[str, int, str, int, int]]:
    """The fields in which two states of one shape differ: ``(table, row, field, left, right)``."""
    for here, there in zip(iterate_fields(left), iterate_fields(right), strict=True):
        if here != there:
            yield (*here, there[3])
