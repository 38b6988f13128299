"""Everything the kernel knows, as one flat buffer.

Owns the layout: a few tables of 64-bit integers, laid end to end. So a snapshot is a copy of the buffer, a digest is
one hash over it, two states are compared field by field, and recovery is a read. Capacity is declared here; running
out of it is a refusal, never a silent drop.

Money is in minor units, prices in ticks, quantities in lots, times in nanoseconds. Only ``apply`` writes here.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from kernel.events.catalogue import TradeClosed
from kernel.records import new_record, record_bytes, record_dtype

MAX_STRATEGIES = 8
MAX_INSTRUMENTS = 512
MAX_POSITIONS = 1024  # strategies times instruments
MAX_ORDERS = 128
MAX_TIMERS = 32
MAX_ACCOUNTS = 4
NEVER_NS = (1 << 63) - 1
MAX_LOTS = 1 << 54  # of one order: all open orders and a position together then stay far from 64 bits


def table_dtype(*fields: str) -> np.dtype:
    """The dtype of a row of 64-bit integers."""
    return record_dtype(**dict.fromkeys(fields, "<i8"))


HEAD = table_dtype(
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
    "next_timer_ns",  # when the earliest timer is due; NEVER_NS without one
)
ACCOUNT = table_dtype(
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
LIMITS = table_dtype(
    "order_lots",
    "order_notional_minor",
    "position_notional_minor",
    "price_band_rate",
    "margin_rate",
    "cost_buffer_rate",
    "open_orders",
)
INSTRUMENT = table_dtype(
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
POSITION = table_dtype(
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
ORDER = table_dtype(
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
CLOSED_TRADE = table_dtype(*TradeClosed.__struct_fields__)
TIMER = table_dtype("active", "strategy", "instrument", "timer", "due_ns", "interval_ns")

STATE = record_dtype(
    head=HEAD,
    accounts=(ACCOUNT, MAX_ACCOUNTS),
    limits=LIMITS,
    instruments=(INSTRUMENT, MAX_INSTRUMENTS),
    positions=(POSITION, MAX_POSITIONS),
    closed_trade=CLOSED_TRADE,
    orders=(ORDER, MAX_ORDERS + 1),  # the last row stays zero: it clears the others
    timers=(TIMER, MAX_TIMERS),
)


def new_state() -> Any:
    """An empty state. The first event has sequence 1."""
    state = new_record(STATE)
    initialise_state(state)
    return state


def initialise_state(state: Any) -> None:
    """Make a zeroed state an empty one."""
    state.head.next_sequence = 1
    state.head.next_timer_ns = NEVER_NS


def state_digest(state: Any) -> bytes:
    """SHA-256 of the whole state, byte for byte."""
    return hashlib.sha256(record_bytes(state)).digest()


def iterate_fields(state: Any) -> Iterator[tuple[str, int, str, int]]:
    """Every value as ``(table, row, field, value)``, in buffer order."""
    for name in STATE.names or ():
        table = np.atleast_1d(state[name])
        for row in range(len(table)):
            for field in table.dtype.names or ():
                yield name, row, field, int(table[row][field])


def differences(left: Any, right: Any) -> Iterator[tuple[str, int, str, int, int]]:
    """The fields in which two states differ: ``(table, row, field, left, right)``."""
    for here, there in zip(iterate_fields(left), iterate_fields(right), strict=True):
        if here != there:
            yield (*here, there[3])
