"""Open orders in the state."""

from kernel.tables.table import table_dtype

ORDER = table_dtype(
    "order_id",
    "status",
    "before_request",  # the status that an order goes back to when the venue refuses a cancel or a replace
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
    "instructions",
    "purpose",
    "leg",
    "ts_intended_ns",
    "cause",
    # What OrderTerms adds; zero for a plain order.
    "trail_kind",
    "trail_value",
    "limit_offset_ticks",
    "display_lots",
    "expire_ns",
    "group_id",
    "group_role",
    "parent_id",
)
