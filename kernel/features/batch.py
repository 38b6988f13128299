"""Features over whole series: the batches of the indicators, which give the same as the steps of a run, bit for bit."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernel.features.generate import steps_of
from kernel.features.name import Feature

Series = NDArray[np.float64] | NDArray[np.int64]


def feature_columns(features: Sequence[Feature], bars: Mapping[str, Series]) -> dict[str, NDArray[np.float64]]:
    """The values of features of one series of bars, by their canonical names, in the order in which they are asked for.

    ``bars`` has equally long ``open``, ``high``, ``low``, ``close`` (ticks), ``volume`` (lots) as float64, and
    ``timestamp`` (when each opened, in nanoseconds) as int64. Before its look-back a feature is NaN.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for step in steps_of(features):
        declared = step.declared
        given = [bars[step.of if name == "value" else name] for name in declared.inputs]
        parameters: dict[str, Any] = dict(zip(declared.defaults, step.parameters, strict=True))
        results = declared.batch(*given, **parameters)
        whole = msgspec.structs.replace(step, output="")
        found |= zip(whole.columns(), results if isinstance(results, tuple) else (results,), strict=True)
    return {name: found[name] for feature in features for name in feature.columns()}
