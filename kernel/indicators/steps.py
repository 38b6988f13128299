"""The compiled steps, for strategies: ``from kernel.indicators.steps import ema_nb, rsi_nb``.

Each is ``NAME_nb(memory, at, *inputs, *parameters)`` and returns its output or a tuple of them. None is compiled before
it is called.
"""

from typing import Any

from kernel.indicators import indicator_named
from kernel.indicators.declare import IndicatorError


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not name.endswith("_nb"):
        raise AttributeError(name)
    try:
        step = indicator_named(name.removesuffix("_nb")).step
    except IndicatorError as error:
        raise AttributeError(str(error)) from None
    globals()[name] = step
    return step
