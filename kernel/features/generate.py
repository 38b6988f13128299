"""One compiled function of a set of indicators: the steps of one bar, one after another.

Owns the text of that function. The places in memory and the parameters are constants of it, so a set is compiled once,
kept like a strategy's entry, and called by its address: the engine stays as it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernel.events.layout import BAR_CLOSED
from kernel.features.name import Feature
from kernel.jit import CompileError, address_of, unit
from kernel.strategy.context import CONTEXT

_WORDS = {  # of the bar that has closed
    "open": BAR_CLOSED.open_ticks, "high": BAR_CLOSED.high_ticks, "low": BAR_CLOSED.low_ticks,
    "close": BAR_CLOSED.close_ticks, "volume": BAR_CLOSED.volume_lots, "timestamp": BAR_CLOSED.ts_open_ns,
}  # fmt: skip


def steps_of(features: Sequence[Feature]) -> list[Feature]:
    """What has to be computed for them, each once, in the order in which it is first asked for."""
    found: dict[Any, Feature] = {}
    for feature in features:
        found.setdefault(feature.step, feature)
    return list(found.values())


def features_source(steps: Sequence[Feature]) -> str:
    """``entry(ctx)`` as text. It finds its memory and its values through the call, which also holds the bar."""
    lines, words, values = [], 0, 0
    inputs: dict[str, None] = {}
    for number, feature in enumerate(steps):
        given = [feature.of if name == "value" else name for name in feature.declared.inputs]
        inputs |= dict.fromkeys(given)
        names = [f"value_{place}" for place in range(values, values + len(feature.declared.outputs))]
        arguments = [f"memory_at + {words}", *given, *(repr(value) for value in feature.parameters)]
        lines.append(f"    {', '.join(names)} = step_{number}(ctx.feature_memory, {', '.join(arguments)})")
        lines += [f"    ctx.features[values_at + {values + place}] = {name}" for place, name in enumerate(names)]
        words += feature.words
        values += len(names)
    taken = [
        f"    {name} = " + (f"words[{_WORDS[name]}]" if name == "timestamp" else f"float64(words[{_WORDS[name]}])")
        for name in inputs
    ]
    head = ["def entry(ctx):", "    call = ctx.call", "    words = call.words", "    memory_at = call.memory_at"]
    return "\n".join([*head, "    values_at = call.parameters_at", *taken, *lines, "    return 0", ""])


def features_entry(steps: Sequence[Feature]) -> Any:
    """The compiled function of a set, a unit of one CONTEXT; compiles, or loads from the store."""
    source = features_source(steps)
    namespace: dict[str, Any] = {f"step_{number}": feature.declared.step for number, feature in enumerate(steps)}
    namespace |= {"float64": np.float64, "__name__": __name__}
    exec(compile(source, "<features>", "exec"), namespace)  # the text is ours, made of declarations
    entry = unit(CONTEXT, free=True, divisions="numpy")(namespace["entry"])
    try:
        address_of(entry)
    except CompileError as error:  # the indicators compile by themselves, so this is a bug of ours
        raise AssertionError(f"features do not compile: {error}") from error
    return entry
