"""The head of the state, and its timers."""

from kernel.tables.table import table_dtype

HEAD = table_dtype(
    "next_sequence",
    "now_ns",
    "halted",
    "instrument_count",
    "strategy_count",
    "account_count",
    "balance_count",
    "hedging_count",  # hedging accounts
    "tier_count",
    "margin_call_rate",
    "margin_watched",  # 1: some instrument has (or had) a maintenance margin
    "next_accrual_ns",  # when interest and borrow fees are due; NEVER_NS: they are not
    "days_per_year",
    "next_expiry_ns",  # of the first contract that is not settled; NEVER_NS without one
    "order_count",
    "fill_count",
    "trade_count",
    "digest_interval",
    "next_digest",
    "next_timer_ns",  # when the earliest timer is due; NEVER_NS without one
    "group_order_count",  # open orders that belong to a group
    "targets_due",  # books whose target is to be set
    "exits_on",  # 1 when a strategy has an exit plan
    "regimes_on",  # 1: confidences are scaled by the regime
    "shadow_count",  # shadow accounts
    "shadow_fill_count",
    "shadow_trade_count",
    "degraded",  # reasons, bits, for which entries are stopped in all instruments; see DegradedSet
    "rules_on",  # 1 when a venue's rules are known of some instrument
    "risk_on",  # 1 when a rule of risk is in force, or a kill switch or a mode was ever set
    "series_count",  # of bars that are made here
    "next_bar_ns",  # when time ends the next bar of a series; NEVER_NS without one
    "bars_wait",  # 1: time bars wait longer for their last input than the next one may take to come
)
TIMER = table_dtype("active", "strategy", "instrument", "timer", "due_ns", "interval_ns")
