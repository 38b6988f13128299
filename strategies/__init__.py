"""Trading strategies that come with the kernel.

Each is a module of the same name; it is imported only when it is asked for.
"""

BUILT_IN = ("buy_and_hold", "ema_cross", "momentum_rotation", "rsi_reversion")
