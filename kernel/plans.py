"""Plans: how large a position is to be, and when it is to be given up, as records of 64-bit integers.

Owns the fields of both plans and their defaults, once for the state, for compiled code and for the reference pages. A
rate is in units of 1/100,000,000, money in minor units, times in nanoseconds; 0 switches a rule off.
"""

from typing import Any

import numpy as np

from kernel.records import new_record, record_dtype
from kernel.units import RATE_SCALE

HOUR_NS = 3_600_000_000_000
MAX_RUNGS = 4
PERCENT = RATE_SCALE // 100

# Sizing models: number -> (name in a configuration, what it computes).
(FIXED_LOTS, FIXED_MONEY, EQUITY_SHARE, VOLATILITY_TARGET, ATR_RISK, KELLY) = range(1, 7)
MODELS = {
    FIXED_LOTS: ("fixed_lots", "`quantity_lots`, whatever the price"),
    FIXED_MONEY: ("fixed_money", "what `money_minor` buys"),
    EQUITY_SHARE: ("equity_share", "what `share_rate` of equity buys"),
    VOLATILITY_TARGET: ("volatility_target", "what equity * `share_rate` / measured volatility buys"),
    ATR_RISK: ("atr_risk", "so many that the stop, `multiple_rate` * ATR away, loses `share_rate` of equity"),
    KELLY: ("kelly", "what `fraction_rate` * (p - (1 - p) / b) of equity buys; p is `win_rate`, b `payoff_rate`"),
}

SIZING_PLAN = record_dtype(
    model="<i8",
    quantity_lots="<i8",
    money_minor="<i8",
    share_rate="<i8",
    multiple_rate="<i8",
    win_rate="<i8",
    payoff_rate="<i8",
    fraction_rate="<i8",
    cap_rate="<i8",  # the most that the position may be worth, as a share of equity
    by_confidence="<i8",  # 1: the result is scaled by the signal's confidence
)
# Defaults by model: ATR risk 1 % over two ATR; Kelly half. The cap is 5 % of equity for ATR risk, 20 % for Kelly.
SIZING_DEFAULTS: dict[int, dict[str, int]] = {
    FIXED_LOTS: {"quantity_lots": 1},
    FIXED_MONEY: {},
    EQUITY_SHARE: {"share_rate": 95 * PERCENT},
    VOLATILITY_TARGET: {"share_rate": 10 * PERCENT, "cap_rate": 100 * PERCENT},
    ATR_RISK: {"share_rate": PERCENT, "multiple_rate": 2 * RATE_SCALE, "cap_rate": 5 * PERCENT},
    KELLY: {"fraction_rate": RATE_SCALE // 2, "cap_rate": 20 * PERCENT},
}

# How a strategy divides its share of equity over its signals.
NO_METHOD, EQUAL_WEIGHT, CONFIDENCE_WEIGHT, RECORDED_WEIGHT = range(4)
METHODS = {
    NO_METHOD: ("none", "each signal is sized by the sizing model alone"),
    EQUAL_WEIGHT: ("equal", "the same for each instrument with a signal"),
    CONFIDENCE_WEIGHT: ("confidence", "in proportion to the confidence of the signals"),
    RECORDED_WEIGHT: ("weights", "by the recorded weight of the instrument"),
}
PORTFOLIO_PLAN = record_dtype(method="<i8", share_rate="<i8", net="<i8")

# What an exit decides on besides prices.
EXIT_PLAN = record_dtype(
    active="<i8",
    stop_rate="<i8",
    trail_rate="<i8",
    trail_ticks="<i8",
    time_stop_ns="<i8",
    time_stop_gain_rate="<i8",
    max_hold_ns="<i8",
    target_rate="<i8",
    strength_floor_rate="<i8",
    volatility_multiple_rate="<i8",
    greek_limit_e8="<i8",
)
# At a gain of ``gain_rate`` of the entry price close ``share_rate`` of the largest size that the position has had. The
# rungs of a strategy rise in gain; the first 0 ends its ladder.
EXIT_RUNG = record_dtype(gain_rate="<i8", share_rate="<i8")
EXIT_DEFAULTS = {"active": 1, "max_hold_ns": 120 * HOUR_NS}
EXIT_FACTS = record_dtype(
    # the position
    quantity_lots="<i8",
    peak_lots="<i8",  # the largest size since it was opened, unsigned
    entry_ticks="<i8",  # average price, rounded half to even
    opened_ns="<i8",
    best_ticks="<i8",  # the most favourable price before this event
    rungs_taken="<i8",
    protection_rejected="<i8",  # 1 when the venue refused a protective order
    # the signal that opened it; prices are 0 where it named none
    stop_ticks="<i8",
    target_ticks="<i8",
    strength_rate="<i8",
    signal_ns="<i8",
    horizon_ns="<i8",
    entry_volatility_e8="<i8",
    # the market
    now_ns="<i8",
    last_ticks="<i8",
    high_ticks="<i8",
    low_ticks="<i8",
    corrupt="<i8",  # 1 when the data of the instrument cannot be trusted
    volatility_e8="<i8",
    greek_e8="<i8",
)


def sizing_plan(model: int, **fields: int) -> Any:
    """A sizing plan: the model's defaults, then ``fields``."""
    return _filled(SIZING_PLAN, {"model": model, **SIZING_DEFAULTS[model], **fields})


def exit_plan(**fields: int) -> Any:
    """An exit plan: the defaults (a longest hold of 120 hours), then ``fields``."""
    return _filled(EXIT_PLAN, {**EXIT_DEFAULTS, **fields})


def exit_ladder(*rungs: tuple[int, int]) -> np.ndarray:
    """Up to four rungs ``(gain_rate, share_rate)`` as a table of EXIT_RUNG."""
    table = np.zeros(MAX_RUNGS, EXIT_RUNG)
    for place, rung in enumerate(rungs):
        table[place] = rung
    return table


def _filled(dtype: np.dtype, values: dict[str, int]) -> Any:
    record = new_record(dtype)
    for name, value in values.items():
        setattr(record, name, value)
    return record
