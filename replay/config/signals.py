"""``[regimes]``, ``[filters]`` and ``[strategy.calibration]``: what becomes of the signals of strategies.

Owns the tables, their checks, and their resolution into exact integers.
"""

from typing import Any

import msgspec

from kernel.pipeline.rules import DIMENSIONS, METHODS, PLATT, REGIMES
from kernel.tables.pipeline import MAX_POINTS
from kernel.units import RATE_SCALE
from replay.config.amounts import Number, count, length_ns, rate
from replay.config.errors import SettingError

METHOD_NUMBERS = {name: number for number, name in METHODS.items()}
MOST_FACTOR = 10
MOST_SLOPE = 1000


class SidesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A factor for signals on each side."""

    long: Number = 1
    short: Number = 1


class RegimesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What confidences are multiplied by in each class of the regime; what is not said is 1."""

    bull: Number | SidesConfig | None = None
    bear: Number | SidesConfig | None = None
    sideways: Number | SidesConfig | None = None
    low: Number | SidesConfig | None = None
    normal: Number | SidesConfig | None = None
    high: Number | SidesConfig | None = None
    trending: Number | SidesConfig | None = None
    ranging: Number | SidesConfig | None = None
    mixed: Number | SidesConfig | None = None


class FiltersConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which signals are dropped. ``close_before`` needs ``market_hours``."""

    minimum_confidence: Number = 0
    market_hours: bool = False
    close_before: str = ""
    average_daily_volume_min: int = 0
    spread_max_percent: Number = 0
    earnings_blackout: str = ""
    news_blackout: str = ""
    pass_unknown: bool = False


class CalibrationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted numbers, as ``kernel calibrate`` writes them."""

    method: str = ""
    slope: Number | None = None
    intercept: Number | None = None
    points: list[tuple[Number, Number]] = msgspec.field(default_factory=list)


def resolve_regimes(regimes: RegimesConfig) -> list[list[int]]:
    """``[dimension, class, long rate, short rate]`` of each class that is said. Raises SettingError."""
    found = []
    for dimension in DIMENSIONS:
        for number, name in REGIMES[dimension].items():
            given = getattr(regimes, name)
            if given is None:
                continue
            long, short = (given.long, given.short) if isinstance(given, SidesConfig) else (given, given)
            rates = [rate(f"regimes.{name}", value) for value in (long, short)]
            if max(rates) > MOST_FACTOR * RATE_SCALE:
                raise SettingError(f"regimes.{name}", f"is beyond {MOST_FACTOR}, the largest factor")
            found.append([dimension, number, *rates])
    return found


def resolve_filters(filters: FiltersConfig, table: str) -> dict[str, int]:
    """The filters of a strategy, exact. Raises SettingError."""
    before = length_ns(f"{table}.close_before", filters.close_before)
    if before and not filters.market_hours:
        raise SettingError(f"{table}.close_before", "needs market_hours = true")
    confidence = rate(f"{table}.minimum_confidence", filters.minimum_confidence)
    if confidence > RATE_SCALE:
        raise SettingError(f"{table}.minimum_confidence", f"is {filters.minimum_confidence}; it is 1 at most")
    return {
        "minimum_confidence_rate": confidence,
        "close_before_ns": max(before, 1) if filters.market_hours else 0,
        "daily_volume": count(f"{table}.average_daily_volume_min", filters.average_daily_volume_min),
        "spread_rate": rate(f"{table}.spread_max_percent", filters.spread_max_percent, 100),
        "earnings_ns": length_ns(f"{table}.earnings_blackout", filters.earnings_blackout),
        "news_ns": length_ns(f"{table}.news_blackout", filters.news_blackout),
        "pass_unknown": int(filters.pass_unknown),
    }


def resolve_calibration(calibration: CalibrationConfig, table: str) -> dict[str, Any]:
    """The fitted numbers, exact. Raises SettingError."""
    if calibration.method not in METHOD_NUMBERS:
        raise SettingError(f"{table}.method", f"is {calibration.method!r}; it is one of {', '.join(METHOD_NUMBERS)}")
    method = METHOD_NUMBERS[calibration.method]
    sigmoid = calibration.slope is not None and calibration.intercept is not None
    if (method == PLATT) != sigmoid or (method == PLATT) == bool(calibration.points):
        raise SettingError(f"{table}.method", "platt needs slope and intercept, isotonic points; and not the others")
    numbers = []
    for name in ("slope", "intercept"):
        value = getattr(calibration, name)
        numbers.append(rate(f"{table}.{name}", 0 if value is None else value, signed=True))
        if abs(numbers[-1]) > MOST_SLOPE * RATE_SCALE:
            raise SettingError(f"{table}.{name}", f"is {value}, beyond {MOST_SLOPE}")
    points = [_point(f"{table}.points.{at}", pair) for at, pair in enumerate(calibration.points)]
    if len(points) > MAX_POINTS:
        raise SettingError(f"{table}.points", f"are {len(points)}; at most {MAX_POINTS} fit")
    for at in range(1, len(points)):
        if points[at][0] <= points[at - 1][0] or points[at][1] < points[at - 1][1]:
            raise SettingError(f"{table}.points.{at}", "does not rise above the one before, or what it becomes falls")
    return {"method": method, "slope_e8": numbers[0], "intercept_e8": numbers[1], "points": points}


def _point(setting: str, pair: tuple[Number, Number]) -> list[int]:
    found = [rate(setting, value) for value in pair]
    if max(found) > RATE_SCALE:
        raise SettingError(setting, f"is {list(pair)}; both are from 0 to 1")
    return found


def check_signals(config: Any) -> None:
    """Raise SettingError for what is wrong with these tables."""
    resolve_regimes(config.regimes)
    resolve_filters(config.filters, "filters")
    for at in range(len(config.strategies)):
        resolve_signal_plans(config, at, frozenset())


def resolve_signal_plans(config: Any, number: int, members: frozenset[int]) -> dict[str, Any]:
    """Calibration and filters of strategy ``number``, where it has some; a member goes by its own filters alone."""
    own, plans = config.strategies[number], {}
    if own.calibration != CalibrationConfig():
        plans["calibration"] = resolve_calibration(own.calibration, f"strategy.{number}.calibration")
    if own.filters != FiltersConfig():
        plans["filters"] = resolve_filters(own.filters, f"strategy.{number}.filters")
    elif config.filters != FiltersConfig() and number not in members:
        plans["filters"] = resolve_filters(config.filters, "filters")
    return plans
