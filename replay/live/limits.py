"""How much of each limit a session uses, for who watches it. The checks themselves are the kernel's.

Owns the few that have one figure for the whole account; what holds for a symbol or an order is in ``kernel risk``.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from kernel.ledger_nb import total_nb
from kernel.risk import rules as r
from kernel.units import RATE_SCALE, from_minor

MINUTE_NS = 60_000_000_000


class Used(NamedTuple):
    """A limit, what is used of it, and the share of that, as text."""

    limit: str
    used: str
    most: str
    share: str


def limits_used(state: Any) -> list[Used]:
    """The limits that are on, in the order of the checks."""
    return [
        Used(name, _shown(used, unit, state), _shown(most, unit, state), f"{100 * used / most:.0f} %")
        for name, used, most, unit in _figures(state)
        if most > 0
    ]


def _figures(state: Any) -> Iterator[tuple[str, int, int, str]]:
    """``(name, used, most, unit)``; a most of 0 is a limit that is off."""
    account, rule = state.risk_accounts[0], state.rules["value"]
    equity = int(total_nb(state)[0])
    day, peak = int(account["day_equity_minor"]), int(account["peak_equity_minor"])
    loss = max(day - equity, 0) * RATE_SCALE // day if day > 0 else 0
    fall = max(peak - equity, 0) * RATE_SCALE // peak if peak > 0 else 0
    yield "open orders", int(state.head.order_count), int(state.limits["open_orders"]), "count"
    yield "orders a minute", _entries(state), int(rule[r.ORDERS_PER_MINUTE]), "count"
    yield "daily loss", loss, int(rule[r.DAILY_LOSS]), "rate"
    yield "daily loss, kill", loss, int(rule[r.DAILY_LOSS_KILL]), "rate"
    yield "drawdown", fall, int(rule[r.DRAWDOWN]), "rate"
    yield "losses in a row", int(state.risk["loss_streak"]), int(rule[r.CONSECUTIVE_LOSSES]), "count"
    yield "positions", int(account["position_count"]), int(rule[r.POSITIONS]), "count"
    yield "exposure", int(account["exposure_minor"]), int(rule[r.TOTAL_EXPOSURE]), "money"
    leverage = int(account["exposure_minor"]) * RATE_SCALE // equity if equity > 0 else 0
    yield "leverage", leverage, int(rule[r.LEVERAGE]), "ratio"


def _entries(state: Any) -> int:
    """Approved entries of the last minute."""
    past = state.past_orders
    recent = past["ts_ns"] > int(state.head.now_ns) - MINUTE_NS
    return int(np.count_nonzero(recent & (past["entry"] == 1)))


def _shown(value: int, unit: str, state: Any) -> str:
    if unit == "money":
        return f"{from_minor(value, int(state.accounts[0]['scale'])):,.2f}"
    if unit == "rate":
        return f"{Decimal(value) * 100 / RATE_SCALE:.2f} %"
    if unit == "ratio":
        return f"{Decimal(value) / RATE_SCALE:.2f} x"
    return str(value)
