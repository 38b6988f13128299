"""Indicators: pure compiled functions over a slice of flat memory, declared once each.

``indicator_named("ema").batch(closes, period=12)`` computes a whole series; ``kernel.indicators.steps`` has the steps
for strategies. Importing this package compiles nothing.
"""

import importlib
from math import ceil, log

from kernel.indicators.declare import REGISTRY, Indicator, IndicatorError
from kernel.naming import near_name

__all__ = ["FAMILIES", "Indicator", "IndicatorError", "fading", "indicator_named", "indicators", "lookback", "words"]

FAMILIES = (
    "averages", "bands", "momentum", "macd", "oscillators", "pressure", "directional",
    "stops", "volatility", "volume", "statistics", "relation", "price",
    "trends", "cycle", "candles_one", "candles_three", "candles_more",
)  # fmt: skip


def indicators() -> dict[str, Indicator]:
    """All indicators by name, family by family."""
    for family in FAMILIES:
        importlib.import_module(f"kernel.indicators.{family}_nb")
    return {name: found for family in _SHOWN for name, found in REGISTRY.items() if found.family == family}


def indicator_named(name: str) -> Indicator:
    """One indicator, importing no more than is needed. Raises IndicatorError when there is none."""
    for family in FAMILIES:
        if name in REGISTRY:
            return REGISTRY[name]
        importlib.import_module(f"kernel.indicators.{family}_nb")
    known = indicators()
    if name not in known:
        hint = near_name(name, known, "kernel indicators lists them")
        raise IndicatorError(f"no indicator {name!r}; {hint}")
    return known[name]


def lookback(name: str, **parameters: int | float) -> int:
    """Index of the first bar at which the outputs of an indicator are defined. Raises IndicatorError."""
    return indicator_named(name).lookback(**parameters)


def words(name: str, **parameters: int | float) -> int:
    """How many float64 of memory an indicator needs. Raises IndicatorError."""
    return indicator_named(name).words(**parameters)


def fading(weight: float) -> int:
    """After how many bars an exponential average of that weight has kept a thousandth of what it began with."""
    return ceil(log(0.001) / log(1.0 - weight)) if weight < 1.0 else 1


_SHOWN = tuple(dict.fromkeys(family.split("_")[0] for family in FAMILIES))
