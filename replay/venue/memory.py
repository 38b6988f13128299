"""What the simulated venue keeps, as one record.

Owns the layout of the venue's orders, of what is on its way to and from it, of its models, and of what it remembers of
each instrument.
"""

from kernel.events.layout import RECORD
from kernel.records import record_dtype
from kernel.tables.table import MAX_INSTRUMENTS, MAX_ORDERS, table_dtype
from replay.book_nb import ORDER_BOOK

VENUE_ORDERS = 2 * MAX_ORDERS
MAX_REQUESTS = 1024  # on their way to the venue
MAX_REPORTS = 2048  # on their way back
MAX_LATENCIES = 2048  # of a recorded list
MAX_TIERS = 8
FEE_DAYS = 30
MAX_WINDOWS = 4
MAX_BOOKS = 16  # instruments with depth under the profile `book`

VENUE_ORDER = table_dtype(
    "order_id",
    "strategy",
    "instrument",
    "leg",
    "side",
    "order_type",
    "time_in_force",
    "instructions",
    "remaining_lots",
    "filled_lots",
    "limit_ticks",
    "stop_ticks",
    "trail_kind",
    "trail_value",
    "limit_offset_ticks",
    "display_lots",
    "group_id",
    "is_child",  # it was let go when another order filled
    "goes_first",  # a bar that is seen as a range meets it before the others
    "triggered",
    "seen",  # whether it has met the market
    "accepted_ns",
    "ends_ns",  # when it expires; 0 for never, or not known yet
    "arrived_in_row",  # the row that was being matched when it came, 0 for none
    "entry_ticks",  # the price of the fill that let it go in that row, and whether that was at the row's open
    "entry_at_open",
    "tick",  # the last tick that it met
    "fee_minor",  # what its fills would cost without minimum and maximum, and what was charged
    "charged_minor",
    "shown_lots",  # what it displays of its rest, and the place of that in the queue
    "ahead_parts",
    "level_lots",
    "traded_lots",
)
REQUEST = table_dtype(
    "kind",
    "order_id",
    "instrument",
    "strategy",
    "quantity_lots",
    "limit_ticks",
    "stop_ticks",
    "linked",
    "cause",
    "due_ns",
)
# What the venue remembers of an instrument.
MARKET = table_dtype(
    "bid_ticks",  # the path profiles: the tick that stands; `book`: the best quote; 0 is nothing
    "ask_ticks",
    "bid_lots",
    "ask_lots",
    "status",
    "session_open_ns",  # of the session that is known, 0 without one
    "session_close_ns",
    "has_opened",  # whether that session has had its first print
    "has_closed",  # whether it has had its last
    "fee_unit",  # money of a lot whatever the price, in 1/100,000,000 of a minor unit
    "finer_span_ns",  # bars of up to this length, or (1) trades and quotes, are the venue's own; 0 for none
    "finer_ns",  # the last time that such a row was seen
    # The profile `book`.
    "source",  # what makes its book: trades, quotes or depth
    "has_trades",  # whether trades trigger stops, else the best price does
    "book",  # the place of its order book, counted from 1; 0 without depth
    "in_snapshot",
    "trade_ticks",  # the last trade
    "bid_taken_lots",  # what our own orders took since the book last changed
    "ask_taken_lots",
)
LATENCY = record_dtype(model="<i8", count="<i8", used="<i8", values_ns=("<i8", MAX_LATENCIES + 1))
TIER = table_dtype("from_minor", "maker_rate", "taker_rate")
FEES = record_dtype(
    tier_count="<i8",
    whole_run="<i8",  # tiers count the volume of the run, not of the last days
    minimum_minor="<i8",
    maximum_minor="<i8",
    day="<i8",
    volume_minor="<i8",
    tiers=(TIER, MAX_TIERS),
    days_minor=("<i8", FEE_DAYS),
)
WINDOW = table_dtype("start_ns", "end_ns")
VENUE_HEAD = table_dtype(
    "order_count",
    "next_trade_id",
    "day",
    "profile",
    "volume_share_rate",
    "slippage_rate",  # of the price
    "spread_rate",  # half the spread, as a rate of the price
    "impact_rate",  # times the square root of the share of the row's volume
    "share_impact_rate",  # times the square of that share
    "reject_rate",
    "seed",
    "row",  # rows that were matched
    "tick",  # ticks that were walked
    "matching",  # the number of the row under way, 0 outside of matching
    "fill_ticks",  # the price of the last fill in that row, and whether it was at its open
    "fill_at_open",
    "next_due_ns",  # when the venue next does something by itself; NEVER_NS for nothing
    "next_end_ns",  # when the next order expires
    "request_first",
    "request_count",
    "request_due_ns",  # when the last request arrives
    "report_first",
    "report_count",
    "report_due_ns",
    "report_number",
    "window_count",
    "queue_model",
    "queue_exponent",
    "elsewhere",  # 1: orders rest at a real venue, or in a record of one; nothing is simulated here
)
VENUE = record_dtype(
    head=VENUE_HEAD,
    fees=FEES,
    windows=(WINDOW, MAX_WINDOWS),  # of each UTC day: maintenance
    request_latency=LATENCY,
    report_latency=LATENCY,
    # Orders that end while a row is matched keep their rows until then. The last row stays zero: it clears the others.
    orders=(VENUE_ORDER, VENUE_ORDERS + 1),
    requests=(REQUEST, MAX_REQUESTS + 1),  # a ring; the last is the one that is being carried out
    reports=(RECORD, MAX_REPORTS),  # a ring; the time of a record is when it arrives
    report_groups=("<i8", MAX_REPORTS),  # the group of an order that filled, 0 for none
    markets=(MARKET, MAX_INSTRUMENTS),
    books=(ORDER_BOOK, MAX_BOOKS),
)
