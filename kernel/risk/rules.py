"""Every setting of ``[risk]``: its number in the state, its name, its unit, and the desk's value.

Owns the numbers of rules and what ``defaults = "desk"`` means. A rule of 0 is off. The configuration reads a value in
the unit named here and hands the kernel an integer: money in minor units, shares as rates, lengths in nanoseconds.
"""

from typing import NamedTuple

(
    KILL_LEVEL,
    PASS_UNKNOWN,
    BOOK_BAND,
    FAT_FINGER,
    VOLUME_MULTIPLE,
    DUPLICATE_WINDOW,
    SELF_TRADE,
    STALE_AFTER,
    ORDERS_PER_MINUTE,
    ORDERS_PER_SYMBOL_DAY,
    DAILY_LOSS,
    DAILY_LOSS_KILL,
    DRAWDOWN,
    CONSECUTIVE_LOSSES,
    LOSSES_COOLDOWN,
    BREAKER_MOVE,
    BREAKER_WINDOW,
    BREAKER_COOLDOWN,
    SLIPPAGE_MULTIPLE,
    SLIPPAGE_EXPECTED,
    SLIPPAGE_COOLDOWN,
    EXPECTED_SHORTFALL,
    VOLATILITY_INDEX,
    DAILY_VOLUME,
    SPREAD,
    EARNINGS_BLACKOUT,
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
    CORRELATION_AT_LEAST,
    LEVERAGE,
    DRIFT,
    TRAILING_STOP,
) = range(1, 45)

MONEY, COUNT, PERCENT, BPS, RATIO, LENGTH, SWITCH, LEVEL = (
    "money",
    "count",
    "percent",
    "bps",
    "ratio",
    "length",
    "switch",
    "level",
)
UNITS = (MONEY, COUNT, PERCENT, BPS, RATIO, LENGTH, SWITCH, LEVEL)


class Rule(NamedTuple):
    """One setting: ``desk`` is its value under ``defaults = "desk"`` (None: off), ``always`` what it is unsaid."""

    name: str
    unit: str
    desk: str | int | None
    text: str
    always: str | int = 0


RULES = {
    KILL_LEVEL: Rule("kill_level", LEVEL, None, "level to which a daily loss or drift trips the kill switch", 2),
    PASS_UNKNOWN: Rule("pass_unknown", SWITCH, None, "a gate whose measure has not been seen lets entries pass"),
    BOOK_BAND: Rule("book_band_bps", BPS, None, "how far a limit may be beyond the other side of the book"),
    FAT_FINGER: Rule("fat_finger_multiple", RATIO, None, "an order, in average orders of the symbol"),
    VOLUME_MULTIPLE: Rule("volume_multiple", RATIO, None, "an order, in average volumes of a bar"),
    DUPLICATE_WINDOW: Rule("duplicate_window", LENGTH, None, "how long the same order counts as a duplicate"),
    SELF_TRADE: Rule("refuse_self_trade", SWITCH, 1, "refuse what would meet an own resting order"),
    STALE_AFTER: Rule("stale_after", LENGTH, "5m", "age at which a signal is too old to act on"),
    ORDERS_PER_MINUTE: Rule("orders_per_minute", COUNT, 5, "entries within a minute"),
    ORDERS_PER_SYMBOL_DAY: Rule("orders_per_symbol_day", COUNT, 3, "entries in a symbol within a UTC day"),
    DAILY_LOSS: Rule("daily_loss_percent", PERCENT, 5, "loss of the day that stops entries until it ends"),
    DAILY_LOSS_KILL: Rule("daily_loss_kill_percent", PERCENT, 10, "loss of the day that trips the kill switch"),
    DRAWDOWN: Rule("drawdown_percent", PERCENT, 10, "loss from the peak that liquidates (kill switch, level 3)"),
    CONSECUTIVE_LOSSES: Rule("consecutive_losses", COUNT, None, "losing round trips in a row that stop entries"),
    LOSSES_COOLDOWN: Rule("losses_cooldown", LENGTH, None, "for how long", "1h"),
    BREAKER_MOVE: Rule("breaker_move_percent", PERCENT, None, "move of a price that stops entries in the symbol"),
    BREAKER_WINDOW: Rule("breaker_window", LENGTH, None, "within which time", "5m"),
    BREAKER_COOLDOWN: Rule("breaker_cooldown", LENGTH, None, "for how long", "15m"),
    SLIPPAGE_MULTIPLE: Rule("slippage_multiple", RATIO, 3, "slippage, in expected ones, that stops the symbol"),
    SLIPPAGE_EXPECTED: Rule("slippage_expected_bps", BPS, None, "slippage that is expected", 10),
    SLIPPAGE_COOLDOWN: Rule("slippage_cooldown", LENGTH, None, "for how long entries in the symbol stop", "30m"),
    EXPECTED_SHORTFALL: Rule("cvar_percent", PERCENT, 5, "mean of the worst 5 % of daily losses"),
    VOLATILITY_INDEX: Rule("vix_max", RATIO, None, "volatility index, at most"),
    DAILY_VOLUME: Rule("average_daily_volume_min", COUNT, 500_000, "average daily volume, at least"),
    SPREAD: Rule("spread_max_percent", PERCENT, "0.1", "spread, at most"),
    EARNINGS_BLACKOUT: Rule("earnings_blackout", LENGTH, "2d", "no entries so long before and after earnings"),
    SESSION_HOURS: Rule("close_before", LENGTH, "15m", "entries only in the session, until so long before its close"),
    RANGE_LOW: Rule("atr_min_percent", PERCENT, None, "average true range, at least"),
    RANGE_HIGH: Rule("atr_max_percent", PERCENT, None, "average true range, at most"),
    WIDTH_LOW: Rule("band_width_min_percent", PERCENT, None, "width of the Bollinger bands, at least"),
    WIDTH_HIGH: Rule("band_width_max_percent", PERCENT, None, "width of the Bollinger bands, at most"),
    POSITIONS: Rule("positions", COUNT, 10, "positions of an account"),
    SYMBOL_POSITIONS: Rule("symbol_positions", COUNT, 3, "positions in a symbol (of different strategies)"),
    SYMBOL_EXPOSURE: Rule("symbol_exposure", MONEY, 10_000, "exposure in a symbol"),
    SECTOR_EXPOSURE: Rule("sector_exposure", MONEY, None, "exposure in a sector"),
    STRATEGY_EXPOSURE: Rule("strategy_exposure", MONEY, None, "exposure of a strategy"),
    TOTAL_EXPOSURE: Rule("total_exposure", MONEY, 50_000, "exposure of an account"),
    SYMBOL_SHARE: Rule("symbol_share_percent", PERCENT, None, "exposure in a symbol, of equity"),
    SECTOR_SHARE: Rule("sector_share_percent", PERCENT, 30, "exposure in a sector, of equity"),
    CORRELATED_SHARE: Rule("correlated_share_percent", PERCENT, None, "exposure in correlated symbols, of equity"),
    CORRELATION_AT_LEAST: Rule("correlation_at_least", RATIO, None, "from which correlation on symbols count", "0.7"),
    LEVERAGE: Rule("leverage", RATIO, None, "exposure of an account, in equity"),
    DRIFT: Rule("drift_percent", PERCENT, 5, "difference from the venue, of equity, that trips the kill switch"),
    TRAILING_STOP: Rule(
        "trailing_stop_percent", PERCENT, 5, "every position is given up so far behind its best price (exits.md)"
    ),
}
