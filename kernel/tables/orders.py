"""Open orders in the state."""

from kernel.tables.table import table_dtype

ORDER = table_dtype(
    "order_id",
    "status",
    "accepted",  # 1 once the venue has said so
    "before_request",  # what an order was when its cancel was asked for, kept up to date; 0 otherwise
    "cancel_linked",  # 1 when its group asked for that cancel
    "replaces_pending",  # replaces that the venue has not answered
    "asked_lots",  # the quantity that the last of them asked for; 0 without one
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
    # What its group wants of it.
    "group_lots",  # the total quantity that it is to have
    "group_refused",  # 1 after the venue refused to cancel or replace it, until something in the group changes
    "key",  # of the intent; 0 is none
    "arrival_ticks",  # the last price when it was intended
)
# The last fill of an order in a group, and how many of its lots the group did not want.
GROUP_FILL = table_dtype("order_id", "group_id", "group_role", "quantity_lots", "excess_lots")
