"""Limits, and what the risk checks count, in the state; and what is asked of the checks.

Money in minor units, prices in ticks, rates in 1/100,000,000. All of it is zero in a run that sets no rule.
"""

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

MAX_RULES = 64
MAX_SECTORS = 32
MAX_CORRELATIONS = 256
MEMORY_ORDERS = 256  # the approved orders that are remembered for throttles and duplicates
RETURN_DAYS = 250
WINDOW_BARS = 20
EXPOSURE_MAX = 1 << 51  # what does not fit counts as this, so that all sums of books do fit

RULE = table_dtype("value")  # by number: see kernel/risk/rules.py
RISK = table_dtype(
    "mode",
    "kill_level",
    "kill_check",  # what tripped it, or 0 when it was requested
    "kill_cause",  # the sequence of the event that tripped it
    "stop_until_ns",  # no entries before this time
    "stop_check",
    "day_end_ns",
    "day_number",
    "order_count",  # approved orders, ever: the next place in the memory
    "loss_streak",  # round trips with a loss since the last without
    "volatility_index_e8",  # plus 1, so that 0 means that none was seen
    "correlation_count",
)
RISK_ACCOUNT = table_dtype(
    "day_equity_minor",
    "peak_equity_minor",
    "exposure_minor",
    "position_count",
    "drift_minor",
    "return_count",
    "cvar_rate",
)
RISK_SYMBOL = table_dtype(
    "sector",
    "exposure_minor",
    "position_count",
    "day_number",
    "day_orders",  # approved entries in that day
    "order_count",  # of the average order
    "order_lots",
    "daily_volume",  # plus 1; whole units a day
    "earnings_ns",
    "earnings_before_ns",
    "news_ns",
    "news_before_ns",
    "session_open_ns",
    "session_close_ns",
    "stop_until_ns",
    "stop_check",
    "slippage_rate",  # of a fill that was beyond the limit, until entries are stopped for it
    "reference_ticks",
    "reference_ns",
    "bar_count",
    "close_ticks",
    "range_e8",  # average true range
)
RISK_SECTOR = table_dtype("exposure_minor")
RISK_DRIFT = table_dtype("money_minor")  # of an account in an instrument
RISK_STRATEGY = table_dtype("exposure_minor", "position_count")
EXPOSURE = table_dtype("lots", "money_minor")  # of a book, on its worse side
PAST_ORDER = table_dtype(
    "order_id",
    "ts_ns",
    "key",
    "entry",
    "strategy",
    "instrument",
    "side",
    "quantity_lots",
    "limit_ticks",
    "stop_ticks",
)
PAST_BAR = table_dtype("close_ticks", "volume_lots")
PAST_DAY = table_dtype("return_rate")
CORRELATION = table_dtype("first", "second", "rate")

# What ``decide`` asks of the checks, and the limit and the value of their answer; it lies beside the output.
ASK = table_dtype(
    "order_id",
    "strategy",
    "instrument",
    "side",
    "order_type",
    "time_in_force",
    "extra_lots",  # of the quantity, what is not yet among the pending lots of its book
    "quantity_lots",  # what the order may still fill
    "limit_ticks",
    "stop_ticks",
    "instructions",
    "purpose",
    "leg",
    "key",
    "signal_ns",
    "waits",  # 1 when it may trade with others that wait for their verdicts
    "replaces",  # the order that would be changed, or 0
    "reduces",  # 1 when it can only make its position smaller
    "limit",
    "value",
)
