"""Limits, and what the risk checks count, in the state."""

from kernel.tables.table import table_dtype

LIMITS = table_dtype(
    "order_lots",
    "order_notional_minor",
    "position_notional_minor",
    "price_band_rate",
    "margin_rate",
    "cost_buffer_rate",
    "open_orders",
)
