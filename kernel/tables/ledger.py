"""Accounts, instruments and books in the state."""

from kernel.events.catalogue import TradeClosed
from kernel.tables.table import table_dtype

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
CLOSED_TRADE = table_dtype(*TradeClosed.__struct_fields__)
