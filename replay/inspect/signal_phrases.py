"""What the events of signals, targets and exits say, for people."""

from typing import Any

from kernel.events import catalogue as events
from kernel.events.layout import Stored
from kernel.exits_nb import DEGRADATION, GREEKS, MAX_HOLD, REASONS, SIGNAL_DECAY, TIERS, VOLATILITY
from kernel.plans import METHODS, MODELS
from kernel.units import RATE_SCALE
from replay.catalogue.intervals import format_span
from replay.inspect.names import Names

DIRECTIONS = {1: "long", -1: "short", 0: "flat"}
FIELD_NAMES: dict[str, dict[int, str]] = {
    "direction": DIRECTIONS,
    "tier": TIERS,
    "model": {0: "by weight", **{number: name for number, (name, _) in MODELS.items()}},
    "method": {number: name for number, (name, _) in METHODS.items()},
}
REASON_NAMES = {number: name for number, (name, *_) in REASONS.items()}
DURATIONS = ("horizon_ns", "time_stop_ns", "max_hold_ns")
PHRASES: dict[type[events.Event], str] = {
    events.SignalEmitted: "{direction}, strength {strength_rate}, confidence {confidence_rate}"
    "[ (named {raw_confidence_rate})]"
    "[, for {horizon}]"
    "[, stop {stop_ticks}][, target {target_ticks}][, measure {measure}]",
    events.PortfolioTarget: "hold {target_lots} ({model}[ {weight_rate}]), equity {equity_minor}, at {price_ticks}"
    "[, measure {measure}]",
    events.ExitTriggered: "{tier}: {reason}[ (limit {limit}, found {value})], closes {quantity_lots}",
    events.OrderCrossed: "order {order_id}: {side} {quantity_lots} at {price_ticks} with another strategy"
    "[, {leaves_lots} open]",
    events.WeightSet: "weight {weight_rate}",
    events.SizingPlanSet: "{model}[, {quantity_lots}][, {money_minor}][, share {share_rate}]"
    "[, multiple {multiple_rate}][, win {win_rate}][, payoff {payoff_rate}][, fraction {fraction_rate}]"
    "[, cap {cap_rate}]",
    events.ExitPlanSet: "[stop {stop_rate}, ][trail {trail_rate}, ][time stop {time_stop}, ][target {target_rate}, ]"
    "longest hold {max_hold}",
    events.ExitRungSet: "rung {rung}: at {gain_rate} close {share_rate}",
    events.PortfolioPlanSet: "{method}, share {share_rate}",
}
HIDDEN = dict.fromkeys(
    ("money_minor", "share_rate", "multiple_rate", "win_rate", "payoff_rate", "fraction_rate", "cap_rate", "stop_rate",
     "trail_rate", "target_rate", "weight_rate", "target_ticks", "raw_confidence_rate"), (0,),
)  # fmt: skip


def _measure(names: Names, stored: Stored) -> str:
    measure_e8 = stored.event.measure_e8  # type: ignore[attr-defined]
    return "" if measure_e8 < 0 else f"{measure_e8 / RATE_SCALE:g}"


def _duration(field: str) -> Any:
    def text(names: Names, stored: Stored) -> str:
        length_ns = getattr(stored.event, field)
        return format_span(length_ns) if length_ns else "" if field != "max_hold_ns" else "off"

    return text


def _seen(field: str) -> Any:
    """A limit or value of an exit in the unit of its reason."""

    def text(names: Names, stored: Stored) -> str:
        reason, number = stored.event.reason, getattr(stored.event, field)  # type: ignore[attr-defined]
        if reason in REASONS and REASONS[reason][1] == DEGRADATION:
            return f"{100 * number / RATE_SCALE:g} %" if reason == SIGNAL_DECAY else f"{number / RATE_SCALE:g}"
        if reason == MAX_HOLD:
            return format_span(number)
        return "" if reason in _WITHOUT else names.price(number, stored.instrument)

    return text


_WITHOUT = tuple(number for number, (_, tier, *_) in REASONS.items() if tier == 1)
assert {SIGNAL_DECAY, VOLATILITY, GREEKS} == {n for n, row in REASONS.items() if row[1] == DEGRADATION}
SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (None, "measure"): _measure,
    (None, "horizon"): _duration("horizon_ns"),
    (None, "time_stop"): _duration("time_stop_ns"),
    (None, "max_hold"): _duration("max_hold_ns"),
    (events.ExitTriggered, "reason"): lambda names, stored: REASON_NAMES.get(stored.event.reason, "?"),
    (events.ExitTriggered, "limit"): _seen("limit"),
    (events.ExitTriggered, "value"): _seen("value"),
}
