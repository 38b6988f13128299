"""Which function of TA-Lib each indicator is compared with, and how its parameters are called there."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import talib

# Named otherwise there, or with other inputs or parameters; all others are called by their name, with the same inputs
# and parameters (without our ``seed``) in the same order.
RENAMED = {"heikin_ashi": "HA"}
# Whole numbers there, which cannot be missing: 0 before they are defined.
WHOLE = {"ht_trendmode/ht_trendmode", "supertrend/side", "fractal/swing_high", "fractal/swing_low"}
WHOLE |= {"maxindex/maxindex", "minindex/minindex", "minmaxindex/minindex", "minmaxindex/maxindex"}
# Of equal values TA-Lib takes sometimes the first and sometimes the last; so they are compared on what has none.
INDICES = {"maxindex", "minindex", "minmaxindex"}


def _stoch(high, low, close, fast_k, slow_k, slow_d):
    return talib.STOCH(high, low, close, fast_k, slow_k, 0, slow_d, 0)


def _massi(high, low, period, smooth):
    return talib.MASSI(high, low, fastperiod=smooth, slowperiod=period)


SPECIAL: dict[str, Callable[..., Any]] = {
    "stoch": _stoch,
    "massi": _massi,
    "kama": lambda value, period, fast, slow: talib.KAMA(value, period),
    "kdj": lambda high, low, close, period, smooth, signal: talib.KDJ(high, low, close, period, smooth, 13, signal, 13),
    "pvo": lambda volume, fast, slow: talib.PVO(volume, fast, slow, 1),
    "cvi": lambda high, low, period: talib.CVI(high, low, period, period),
    "smi": lambda high, low, close, period, slow, fast, signal: talib.SMI(high, low, close, period, fast, slow, signal),
}


def expected(indicator: Any, columns: Mapping[str, np.ndarray], parameters: Mapping[str, Any]) -> list[np.ndarray]:
    """TA-Lib's outputs for the same inputs."""
    inputs = [columns[name] for name in indicator.inputs]
    given = [value for name, value in parameters.items() if name != "seed"]
    function = SPECIAL.get(indicator.name) or getattr(talib, _name(indicator.name))
    found = function(*inputs, *given)
    return [np.asarray(one, float) for one in (found if isinstance(found, tuple) else (found,))]


def _name(name: str) -> str:
    if name.startswith("cdl_"):
        return name.replace("_", "").upper()
    return RENAMED.get(name, name.upper())


def has_oracle(indicator: Any) -> bool:
    """Whether TA-Lib knows it."""
    return indicator.name in SPECIAL or hasattr(talib, _name(indicator.name))


def fills_with_zeros(indicator: Any, output: str) -> bool:
    """Whether TA-Lib gives whole numbers, which are 0 before they are defined."""
    return indicator.family == "candles" or f"{indicator.name}/{output}" in WHOLE
