"""Every check, in the order in which they apply: its number, name, scope, and what it compares.

Owns the numbers, which never change, and the order, which is part of the contract. ``docs/risk.md`` is made from here.
"""

from typing import NamedTuple

from kernel.risk import rules as r

APPROVED = 0
(
    HALTED,
    INVALID_ORDER,
    NO_MARKET,
    OPEN_ORDERS,
    ORDER_QUANTITY,
    ORDER_NOTIONAL,
    PRICE_BAND,
    POSITION_NOTIONAL,
    BUYING_POWER,
    NOT_OPEN,
    CAPACITY,
    INVALID_TIMER,
    REDUCE_ONLY,
    GROUP_REFUSED,
) = range(1, 15)
(
    KILL_SWITCH,
    MODE,
    BOOK_BAND,
    FAT_FINGER,
    VOLUME_SHARE,
    DUPLICATE_KEY,
    DUPLICATE_ORDER,
    SELF_TRADE,
    STALE,
    ORDER_RATE,
    SYMBOL_ORDERS,
    DAILY_LOSS,
    CONSECUTIVE_LOSSES,
    BREAKER,
    SLIPPAGE,
    EXPECTED_SHORTFALL,
    VOLATILITY_INDEX,
    DAILY_VOLUME,
    SPREAD,
    EARNINGS,
    SESSION_HOURS,
    RANGE_LOW,
    RANGE_HIGH,
    WIDTH_LOW,
    WIDTH_HIGH,
    POSITIONS,
    SYMBOL_POSITIONS,
    SYMBOL_EXPOSURE,
    SECTOR_EXPOSURE,
    STRATEGY_EXPOSURE,
    TOTAL_EXPOSURE,
    SYMBOL_SHARE,
    SECTOR_SHARE,
    CORRELATED_SHARE,
    LEVERAGE,
    DAILY_LOSS_KILL,
    DRAWDOWN,
    DRIFT,
    RATE_UNKNOWN,
    KERNEL_ORDER,
    SHADOW_ORDER,
    NOT_ROUTED,
    DEGRADED,
    VENUE_RULES,
) = range(20, 64)

NONE, REDUCTIONS, EXITS = "nothing", "reductions, exits", "exits"


class Check(NamedTuple):
    """One check. ``passes`` says which orders it lets through unseen, ``unit`` what limit and value are in."""

    name: str
    scope: str
    text: str
    unit: str
    passes: str
    rule: int = 0  # the setting of [risk], see kernel/risk/rules.py
    limit: str = ""  # or the setting of [limits]


# In the order in which they apply to an order.
ORDER_CHECKS = {
    INVALID_ORDER: Check(
        "invalid_order", "order", "side, type, time in force, quantity and prices must make an order", "lots", NONE
    ),
    HALTED: Check(
        "halted",
        "all, symbol, account",
        "trading in the instrument, or all trading, is halted; or the account is being liquidated",
        "1",
        REDUCTIONS,
    ),
    DEGRADED: Check(
        "degraded",
        "all, symbol",
        "what live trading rests on is not all right: stale data, a broken stream, a clock that is off, ...; the value "
        "is the reasons as bits, see risk.degraded; while the session is ending (64) reductions of strategies stop too",
        "bits",
        REDUCTIONS,
    ),
    KILL_SWITCH: Check(
        "kill_switch",
        "all",
        "the level of the kill switch; at 3 only liquidation and flattening pass",
        "level",
        REDUCTIONS,
    ),
    MODE: Check("mode", "all", "the trading mode: 1 lets only reductions pass, 2 only exits", "mode", REDUCTIONS),
    VENUE_RULES: Check(
        "venue_rules",
        "symbol",
        "the venue takes no quantity below its least (limit) or above its most, and no entry worth less than its least "
        "money; quantities and prices were rounded to its steps before",
        "lots or money",
        NONE,
    ),
    REDUCE_ONLY: Check("reduce_only", "symbol", "there must be a position that the order reduces", "lots", NONE),
    NO_MARKET: Check("no_market", "symbol", "no price of the instrument has been seen yet", "ticks", NONE),
    RATE_UNKNOWN: Check(
        "rate_unknown",
        "account",
        "no rate is known from the instrument's currency to that of its account, or from there to that of the first "
        "account; the value is the number of the currency",
        "currency",
        REDUCTIONS,
    ),
    OPEN_ORDERS: Check("open_orders", "all", "open orders, this one included", "count", EXITS, limit="open_orders"),
    ORDER_QUANTITY: Check("order_quantity", "order", "lots of the order", "lots", EXITS, limit="order_lots"),
    ORDER_NOTIONAL: Check(
        "order_notional",
        "order",
        "money of the order, at the highest of last, limit and stop",
        "money",
        EXITS,
        limit="order_notional",
    ),
    PRICE_BAND: Check(
        "price_band", "order", "distance of limit or stop from the last price", "rate", EXITS, limit="price_band_bps"
    ),
    BOOK_BAND: Check(
        "book_band",
        "order",
        "how far a limit is beyond the other side of the book (a buy above the ask)",
        "rate",
        EXITS,
        r.BOOK_BAND,
    ),
    FAT_FINGER: Check(
        "fat_finger",
        "symbol",
        "lots of the order against a multiple of the average of the symbol's approved orders, from the fifth on",
        "lots",
        EXITS,
        r.FAT_FINGER,
    ),
    VOLUME_SHARE: Check(
        "volume_multiple",
        "symbol",
        "lots of the order against a multiple of the average volume of the last 20 bars",
        "lots",
        EXITS,
        r.VOLUME_MULTIPLE,
    ),
    DUPLICATE_KEY: Check(
        "duplicate_key",
        "strategy",
        "the key of the intent was used by one of the last 256 approved orders",
        "order id",
        EXITS,
    ),
    DUPLICATE_ORDER: Check(
        "duplicate_order",
        "strategy",
        "an order with the same instrument, side, quantity and prices was approved within the window",
        "ns",
        EXITS,
        r.DUPLICATE_WINDOW,
    ),
    SELF_TRADE: Check(
        "self_trade",
        "account",
        "it would meet a resting limit order of the same account, of any strategy",
        "order id",
        EXITS,
        r.SELF_TRADE,
    ),
    ORDER_RATE: Check(
        "order_rate",
        "all",
        "approved entries within the last minute, this one and those decided with it before it included",
        "count",
        REDUCTIONS,
        r.ORDERS_PER_MINUTE,
    ),
    SYMBOL_ORDERS: Check(
        "symbol_orders",
        "symbol",
        "approved entries of the UTC day, this one and those decided with it before it included",
        "count",
        REDUCTIONS,
        r.ORDERS_PER_SYMBOL_DAY,
    ),
    DAILY_LOSS: Check(
        "daily_loss",
        "account",
        "loss since the UTC day began, of the equity it began with; entries stop until it ends",
        "rate",
        REDUCTIONS,
        r.DAILY_LOSS,
    ),
    CONSECUTIVE_LOSSES: Check(
        "consecutive_losses",
        "all",
        "round trips with a loss in a row; entries stop for the cool-down",
        "count",
        REDUCTIONS,
        r.CONSECUTIVE_LOSSES,
    ),
    BREAKER: Check(
        "breaker",
        "symbol",
        "move of the price within the window; entries in the symbol stop for the cool-down",
        "rate",
        REDUCTIONS,
        r.BREAKER_MOVE,
    ),
    SLIPPAGE: Check(
        "slippage",
        "symbol",
        "a fill that is worse than the last price at the intent by a multiple of what "
        "is expected; entries in the symbol stop for the cool-down",
        "rate",
        REDUCTIONS,
        r.SLIPPAGE_MULTIPLE,
    ),
    EXPECTED_SHORTFALL: Check(
        "cvar",
        "account",
        "mean of the worst 5 % of the last 250 daily returns, from 20 on",
        "rate",
        REDUCTIONS,
        r.EXPECTED_SHORTFALL,
    ),
    VOLATILITY_INDEX: Check("vix", "all", "the volatility index", "1/100,000,000", REDUCTIONS, r.VOLATILITY_INDEX),
    DAILY_VOLUME: Check(
        "average_daily_volume", "symbol", "average daily volume, at least", "units", REDUCTIONS, r.DAILY_VOLUME
    ),
    SPREAD: Check("spread", "symbol", "ask less bid, of their middle", "rate", REDUCTIONS, r.SPREAD),
    EARNINGS: Check("earnings", "symbol", "time to or since the earnings", "ns", REDUCTIONS, r.EARNINGS_BLACKOUT),
    SESSION_HOURS: Check(
        "session_hours",
        "symbol",
        "the session must be open, and its close not nearer than the limit",
        "ns",
        REDUCTIONS,
        r.SESSION_HOURS,
    ),
    RANGE_LOW: Check(
        "atr_low",
        "symbol",
        "average true range of 14 bars (Wilder), of the last price, at least",
        "rate",
        REDUCTIONS,
        r.RANGE_LOW,
    ),
    RANGE_HIGH: Check("atr_high", "symbol", "the same, at most", "rate", REDUCTIONS, r.RANGE_HIGH),
    WIDTH_LOW: Check(
        "band_width_low",
        "symbol",
        "width of the Bollinger bands (20 bars, two deviations), of their middle, at least",
        "rate",
        REDUCTIONS,
        r.WIDTH_LOW,
    ),
    WIDTH_HIGH: Check("band_width_high", "symbol", "the same, at most", "rate", REDUCTIONS, r.WIDTH_HIGH),
    POSITIONS: Check(
        "positions",
        "account",
        "positions held or on their way, if the order opens one",
        "count",
        REDUCTIONS,
        r.POSITIONS,
    ),
    SYMBOL_POSITIONS: Check(
        "symbol_positions", "symbol", "the same in the symbol, one a strategy", "count", REDUCTIONS, r.SYMBOL_POSITIONS
    ),
    SYMBOL_EXPOSURE: Check(
        "symbol_exposure", "symbol", "money of all positions in the symbol", "money", REDUCTIONS, r.SYMBOL_EXPOSURE
    ),
    SECTOR_EXPOSURE: Check(
        "sector_exposure", "sector", "money of all positions in the sector", "money", REDUCTIONS, r.SECTOR_EXPOSURE
    ),
    STRATEGY_EXPOSURE: Check(
        "strategy_exposure",
        "strategy",
        "money of all positions of the strategy",
        "money",
        REDUCTIONS,
        r.STRATEGY_EXPOSURE,
    ),
    TOTAL_EXPOSURE: Check(
        "total_exposure", "account", "money of all positions of the account", "money", REDUCTIONS, r.TOTAL_EXPOSURE
    ),
    SYMBOL_SHARE: Check(
        "symbol_share", "symbol", "money of all positions in the symbol, of equity", "rate", REDUCTIONS, r.SYMBOL_SHARE
    ),
    SECTOR_SHARE: Check(
        "sector_share", "sector", "money of all positions in the sector, of equity", "rate", REDUCTIONS, r.SECTOR_SHARE
    ),
    CORRELATED_SHARE: Check(
        "correlated_share",
        "symbol",
        "money of all positions in the symbol and in those that are correlated with it, of equity",
        "rate",
        REDUCTIONS,
        r.CORRELATED_SHARE,
    ),
    LEVERAGE: Check("leverage", "account", "money of all positions, of equity", "rate", REDUCTIONS, r.LEVERAGE),
    POSITION_NOTIONAL: Check(
        "position_notional",
        "strategy, symbol",
        "money of the position that would result",
        "money",
        REDUCTIONS,
        limit="position_notional",
    ),
    BUYING_POWER: Check(
        "buying_power",
        "account",
        "margin for all positions and open orders, and costs, against equity; books that net count as one",
        "money",
        REDUCTIONS,
        limit="margin",
    ),
}
# Before there is an order.
REQUEST_CHECKS = {
    STALE: Check("stale", "order", "age of the signal that the intent names", "ns", NONE, r.STALE_AFTER),
    GROUP_REFUSED: Check("group_refused", "order", "another order of its group was refused", "0", NONE),
    NOT_OPEN: Check(
        "not_open", "order", "the order to cancel or replace is not open, or not the strategy's", "0", NONE
    ),
    KERNEL_ORDER: Check(
        "kernel_order",
        "order",
        "the order to cancel or replace is the kernel's: 1 an exit, 2 a liquidation, 3 a flattening",
        "purpose",
        NONE,
    ),
    SHADOW_ORDER: Check(
        "shadow_order",
        "account",
        "in a shadow account only orders at the market are traded, on paper; no other type and no group",
        "order type",
        NONE,
    ),
    NOT_ROUTED: Check(
        "not_routed",
        "strategy, symbol",
        "an entry of arm B of an experiment, in an instrument that is not routed to it now",
        "arm",
        NONE,
    ),
    CAPACITY: Check("capacity", "all", "the kernel's table of open orders, intents or timers is full", "count", NONE),
    INVALID_TIMER: Check(
        "invalid_timer",
        "strategy",
        "a timer must be due later than now, and repeat no faster than each millisecond",
        "ns",
        NONE,
    ),
}
# After an event: they stop entries (the checks above of the same number), or trip the kill switch.
MONITORS = {
    DAILY_LOSS_KILL: Check(
        "daily_loss_kill",
        "account",
        "loss since the UTC day began: trips the kill switch at `kill_level`",
        "rate",
        NONE,
        r.DAILY_LOSS_KILL,
    ),
    DRAWDOWN: Check(
        "drawdown",
        "account",
        "loss from the highest equity: trips the kill switch at level 3",
        "rate",
        NONE,
        r.DRAWDOWN,
    ),
    DRIFT: Check(
        "drift",
        "account",
        "money of the lots by which the venue's positions differ, of equity: trips the kill switch at `kill_level`",
        "rate",
        NONE,
        r.DRIFT,
    ),
}
CHECKS = {**ORDER_CHECKS, **REQUEST_CHECKS, **MONITORS}
