"""What the simulated venue keeps, as one record.

Owns the layout of the venue's orders, and of what it remembers of each instrument.
"""

from kernel.records import record_dtype
from kernel.tables.table import MAX_INSTRUMENTS, MAX_ORDERS, table_dtype

VENUE_ORDERS = 2 * MAX_ORDERS

VENUE_ORDER = table_dtype(
    "order_id",
    "strategy",
    "instrument",
    "side",
    "order_type",
    "time_in_force",
    "remaining_lots",
    "filled_lots",
    "limit_ticks",
    "stop_ticks",
    "triggered",
    "seen",  # whether it has met the market
    "accepted_ns",
    "is_child",  # it came because another order filled
    "arrived_in_row",  # the row that was being matched when it came, 0 for none
    "tick",  # the last tick that it met
)
# What the path profiles remember of an instrument: the last tick, and what it still offers.
STANDING = table_dtype("bid_ticks", "ask_ticks", "bid_lots", "ask_lots")
VENUE = record_dtype(
    head=table_dtype(
        "order_count",
        "next_trade_id",
        "day",
        "profile",
        "maker_fee_rate",
        "taker_fee_rate",
        "slippage_rate",
        "volume_share_rate",
        "row",  # rows that were matched
        "tick",  # ticks that were walked
        "matching",  # the number of the row under way, 0 outside of matching
    ),
    # Orders that end while a row is matched keep their rows until then. The last row stays zero: it clears the others.
    orders=(VENUE_ORDER, VENUE_ORDERS + 1),
    standing=(STANDING, MAX_INSTRUMENTS),
)
