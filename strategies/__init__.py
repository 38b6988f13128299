"""Trading strategies that come with the kernel.

Each is a module of the same name; it is imported only when it is asked for.
"""

OF_OTHERS = ("model", "regime", "ensemble")
"""What say something only with data or strategies beside them: see docs/signals.md."""
BUILT_IN = (
    "do_nothing", "buy_and_hold",
    "ema_cross", "macd_cross", "supertrend", "ichimoku",
    "donchian_breakout", "atr_channel", "opening_range_breakout", "volatility_breakout", "ttm_squeeze", "the_strat",
    "triple_screen",
    "rsi_reversion", "bollinger_reversion", "vwap_reversion",
    "historical_returns", "momentum_rotation", "pairs",
    "grid", "market_maker",
    *OF_OTHERS,
)  # fmt: skip
"""In the order in which they are told about: benchmarks, trends, breakouts, reversions, several instruments, quotes,
opinions of others."""
