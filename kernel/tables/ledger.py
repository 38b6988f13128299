"""Accounts, balances, currencies, instruments and books in the state.

Owns the chart of accounts: each balance (one currency of one account) is a set of ledger accounts, each with the side
on which it grows. Every event that moves money posts equal debits and credits, so over the ledger accounts of a
balance the sum of ``side * amount`` is zero after every event.
"""

from kernel.events.catalogue import TradeClosed
from kernel.tables.table import MAX_CURRENCIES, table_dtype

DEBIT, CREDIT = 1, -1
# Ledger account: the side on which it grows, and what it holds.
LEDGER_ACCOUNTS = {
    "cash": (DEBIT, "money at hand"),
    "cost": (DEBIT, "what was paid for fully paid instruments that are still held (short: received)"),
    "deposits": (CREDIT, "money from outside, less what left"),
    "realised": (CREDIT, "profit of what was closed"),
    "fees": (DEBIT, "fees of fills and of liquidations"),
    "funding": (DEBIT, "funding payments of perpetuals, less what was received"),
    "borrow": (DEBIT, "fees for lent instruments that were sold short"),
    "interest": (CREDIT, "interest on cash, less what was paid on debts"),
    "dividends": (CREDIT, "dividends received, less what was paid on short positions"),
    "conversion": (CREDIT, "money that came from other currencies of the account, less what went there"),
    "adjustment": (CREDIT, "corrections by an operator"),
}
BALANCE = table_dtype(
    "account",
    "currency",
    "rate_numerator",  # a minor unit of the currency is numerator / denominator of the account's; 0 / 0 is unknown
    "rate_denominator",
    *(f"{name}_minor" for name in LEDGER_ACCOUNTS),
    # What is open adds this to equity: the market value of what is fully paid, the unrealised profit of what is not.
    "value_minor",
    "gross_minor",  # the sum of the absolute market values
    "base_cash_minor",  # the same three in the currency of the account
    "base_value_minor",
    "base_gross_minor",
    # Margin of what is open, in the currency of the balance and of the account.
    "initial_minor",
    "maintenance_minor",
    "base_initial_minor",
    "base_maintenance_minor",
    "accrued_ns",  # interest is booked until then
)
ACCOUNT = table_dtype(
    "currency",  # all amounts here are in this currency, converted from the balances
    "scale",
    "mode",  # 0 margin, 1 cash: no borrowing, no short positions
    "hedging",  # 1: a long and a short book for each strategy and instrument
    "cash_minor",
    "value_minor",
    "gross_minor",
    "initial_minor",  # margin that the positions need: free margin is equity less this
    "maintenance_minor",
    "sweep",
    "called",
    "liquidating",
    "shadow",  # 1: its books trade on paper, and count in no total of the others
)
CURRENCY = table_dtype("defined", "scale", "credit_rate", "debit_rate")
RATE = table_dtype("numerator", "denominator", "updated_ns")
MAX_RATES = MAX_CURRENCIES * MAX_CURRENCIES  # the rate from one currency to another is row from * MAX_CURRENCIES + to
MAX_TIERS = 128
TIER = table_dtype("limit_minor", "initial_rate", "maintenance_rate", "deduction_minor")
INSTRUMENT = table_dtype(
    "numerator",
    "denominator",
    "currency",
    "volume_known",
    "contract",
    "margined",  # cash moves by profit alone, not by the notional
    "inverse",  # money = -lots * numerator / (denominator * price): settled in the base coin
    "expiry_ns",
    "strike_ticks",
    "option_right",
    "halted",
    "last_ticks",
    "bid_ticks",
    "ask_ticks",
    "updated_ns",
    "event_count",
    "holder_count",  # books that hold it
    "high_ticks",  # of the last row
    "low_ticks",
    "range_ns",  # when that row's range began
    # It states a rate of conversion: one minor unit of a currency is last price * numerator / denominator of another.
    "rate_from",
    "rate_to",
    "rate_numerator",  # 0: it states none
    "rate_denominator",
    "has_margin",
    "initial_rate",
    "maintenance_rate",
    "borrow_rate",
    "liquidation_fee_rate",
    "first_tier",
    "tier_count",
    "expired",
    "weight_rate",  # recorded weight in a portfolio
    # What the exchange has said last; 0 before it says anything.
    "session_phase",  # 1 while a session is open
    "session_open_ns",  # of the session that is open, or was last
    "session_close_ns",
    "next_open_ns",
    "trading_status",  # 0 trading, 1 halted, 2 maintenance, 3 auction
    "greek_e8",  # a measure of one lot of an option
    "first_series",  # the first series of bars that is made of it, counted from 1; 0 for none
    "retry_ns",  # before it the kernel asks for no exit or flattening again: the venue refused one
    "degraded",  # reasons, bits, for which entries are stopped in it
    # What its venue demands of orders; 0 demands nothing.
    "price_step_ticks",
    "quantity_step_lots",
    "minimum_lots",
    "maximum_lots",
    "maximum_market_lots",
    "minimum_notional_minor",
    "maximum_leverage_rate",
)
POSITION = table_dtype(
    "account",
    "balance",  # the row of the account's balance in the instrument's currency
    "quantity_lots",
    "pending_buy_lots",  # what open orders may still buy
    "pending_sell_lots",  # what open orders may still sell
    "cost_minor",
    "value_minor",
    "realised_minor",
    "fees_minor",
    "income_minor",  # dividends, less funding and borrow fees
    "high_ticks",  # since the entry of the round trip
    "low_ticks",
    "trade_stop_ticks",  # the first protective stop of the round trip; 0 without one
    "trade_ts_entry_ns",
    "trade_entry_sequence",
    "trade_side",
    "trade_quantity_lots",
    "trade_entry_minor",
    "trade_exit_minor",
    "trade_realised_minor",
    "trade_fees_minor",
    "trade_fill_count",
    "trade_income_minor",
    "initial_minor",
    "maintenance_minor",
    "accrued_ns",  # borrow fees are booked until then
)
# The last fill: whose book it changed, and the round trip that it ended (a quantity of 0: none).
CLOSED_TRADE = table_dtype(
    *TradeClosed.__struct_fields__, "high_ticks", "low_ticks", "stop_ticks", "income_minor", "leg", "purpose"
)
