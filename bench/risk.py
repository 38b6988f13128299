"""The settings of a run with all risk checks on, at limits that let the measured strategy trade as without them.

Owns those settings only: every rule that needs nothing beside bars is in force, so each bar and each order pays for all
of them, and none refuses.
"""

from typing import Any

ALL_CHECKS: dict[str, Any] = {
    "pass_unknown": True,
    "kill_level": 2,
    "book_band_bps": 9_000,
    "fat_finger_multiple": 1_000_000,
    "volume_multiple": 1_000_000_000,
    "duplicate_window": "1ns",
    "refuse_self_trade": True,
    "stale_after": "5m",
    "orders_per_minute": 200,
    "orders_per_symbol_day": 100_000,
    "daily_loss_percent": 98,
    "daily_loss_kill_percent": 99,
    "drawdown_percent": 99,
    "consecutive_losses": 1_000_000,
    "breaker_move_percent": 90,
    "slippage_multiple": 1_000_000,
    "cvar_percent": 99,
    "vix_max": 100,
    "average_daily_volume_min": 1,
    "spread_max_percent": 50,
    "earnings_blackout": "2d",
    "close_before": "15m",
    "atr_min_percent": "0.000001",
    "atr_max_percent": 99,
    "band_width_min_percent": "0.000001",
    "band_width_max_percent": 99,
    "positions": 10,
    "symbol_positions": 3,
    "symbol_exposure": 1_000_000_000,
    "strategy_exposure": 1_000_000_000,
    "total_exposure": 1_000_000_000,
    "symbol_share_percent": 900,
    "leverage": 10,
    "drift_percent": 5,
}
