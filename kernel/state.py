"""Everything the kernel knows, as one flat buffer.

Owns the layout: a few tables of 64-bit integers (declared in ``kernel/tables``), laid end to end. So a snapshot is a
copy of the buffer, a digest is one hash over it, two states are compared field by field, and recovery is a read.
Capacity is declared with the tables; running out of it is a refusal, never a silent drop.

Money is in minor units, prices in ticks, quantities in lots, times in nanoseconds. Only ``apply`` writes here.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from kernel.records import new_record, record_bytes, record_dtype
from kernel.tables.bars import MAX_SERIES, SERIES
from kernel.tables.control import HEAD, TIMER
from kernel.tables.ledger import (
    ACCOUNT,
    BALANCE,
    CLOSED_TRADE,
    CURRENCY,
    INSTRUMENT,
    MAX_RATES,
    MAX_TIERS,
    POSITION,
    RATE,
    TIER,
)
from kernel.tables.orders import GROUP_FILL, ORDER
from kernel.tables.pipeline import PIPELINE_TABLES
from kernel.tables.risk import (
    CORRELATION,
    EXPOSURE,
    LIMITS,
    MAX_CORRELATIONS,
    MAX_RULES,
    MAX_SECTORS,
    MEMORY_ORDERS,
    PAST_BAR,
    PAST_DAY,
    PAST_ORDER,
    RETURN_DAYS,
    RISK,
    RISK_ACCOUNT,
    RISK_DRIFT,
    RISK_SECTOR,
    RISK_STRATEGY,
    RISK_SYMBOL,
    RULE,
    WINDOW_BARS,
)
from kernel.tables.signals import SIGNAL_ROW, SIGNAL_TABLES
from kernel.tables.table import (
    MAX_ACCOUNTS,
    MAX_BALANCES,
    MAX_CURRENCIES,
    MAX_INSTRUMENTS,
    MAX_ORDERS,
    MAX_POSITIONS,
    MAX_STRATEGIES,
    MAX_TIMERS,
    NEVER_NS,
)

STATE = record_dtype(
    head=HEAD,
    accounts=(ACCOUNT, MAX_ACCOUNTS),
    balances=(BALANCE, MAX_BALANCES),
    currencies=(CURRENCY, MAX_CURRENCIES),
    rates=(RATE, MAX_RATES),
    tiers=(TIER, MAX_TIERS),
    limits=LIMITS,
    instruments=(INSTRUMENT, MAX_INSTRUMENTS),
    positions=(POSITION, 2 * MAX_POSITIONS),  # the second half: the short books of hedging accounts
    closed_trade=CLOSED_TRADE,
    orders=(ORDER, MAX_ORDERS + 1),  # the last row stays zero: it clears the others
    group_fill=GROUP_FILL,
    timers=(TIMER, MAX_TIMERS),
    signals=(SIGNAL_ROW, MAX_POSITIONS),
    **SIGNAL_TABLES,
    **PIPELINE_TABLES,
    rules=(RULE, MAX_RULES),
    risk=RISK,
    risk_accounts=(RISK_ACCOUNT, MAX_ACCOUNTS),
    risk_drifts=(RISK_DRIFT, MAX_ACCOUNTS * MAX_INSTRUMENTS),
    risk_symbols=(RISK_SYMBOL, MAX_INSTRUMENTS),
    risk_sectors=(RISK_SECTOR, MAX_SECTORS),
    risk_strategies=(RISK_STRATEGY, MAX_STRATEGIES),
    exposures=(EXPOSURE, 2 * MAX_POSITIONS),
    past_orders=(PAST_ORDER, MEMORY_ORDERS),
    past_bars=(PAST_BAR, MAX_INSTRUMENTS * WINDOW_BARS),
    past_days=(PAST_DAY, MAX_ACCOUNTS * RETURN_DAYS),
    correlations=(CORRELATION, MAX_CORRELATIONS),
    series=(SERIES, MAX_SERIES),
)


def new_state() -> Any:
    """An empty state. The first event has sequence 1."""
    state = new_record(STATE)
    initialise_state(state)
    return state


def initialise_state(state: Any) -> None:
    """Make a zeroed state an empty one: one account, with a balance in its currency."""
    state.head.next_sequence = 1
    state.head.account_count = state.head.balance_count = 1
    state.head.next_accrual_ns = state.head.next_expiry_ns = NEVER_NS
    state.balances[0].rate_numerator = state.balances[0].rate_denominator = 1
    state.head.next_timer_ns = state.head.next_bar_ns = NEVER_NS


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
