"""The step and the batch of an indicator, written out from its declaration.

Owns the two rules that hold for every indicator, here and nowhere else:

- a bar with an input that is not a number (or beyond 1e60, whose powers would overflow) leaves the memory untouched,
  and its outputs are NaN; so what is missing never poisons what comes later;
- the state is read from memory, advanced, and written back; in a batch it stays in variables of the loop.

The batch looks for such bars first, some thousand at a time, and its inner loop runs over what lies between them.
Testing within that would make the compiler choose between old and new state by masks, which doubles the time of an
average.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from kernel.jit import jit, unit, vector

if TYPE_CHECKING:
    from kernel.indicators.declare import Indicator

LARGEST = 1e60
CHUNK = 2048


def make_step(indicator: "Indicator") -> Any:
    """The step, compiled when it is first called."""
    return jit(divisions="numpy")(_function(step_source(indicator), f"{indicator.name}_nb", indicator))


def make_batch(indicator: "Indicator") -> Any:
    """The batch, compiled for contiguous series when it is first called, and cached."""
    kinds: list[Any] = [vector(np.int64 if name == "timestamp" else np.float64) for name in indicator.inputs]
    kinds += [np.int64 if isinstance(value, int) else np.float64 for value in indicator.defaults.values()]
    kinds += [vector(np.float64)] * len(indicator.outputs)
    batch = _function(batch_source(indicator), f"{indicator.name}_batch", indicator)
    return unit(vector(np.float64), *kinds, free=True, divisions="numpy")(batch)


def step_source(indicator: "Indicator") -> str:
    """``NAME_nb(memory, at, *inputs, *parameters)`` as text."""
    defaults = [f"{name}={value!r}" for name, value in indicator.defaults.items()]
    state, outputs, call = _parts(indicator, "at")
    missing = ", ".join(["nan"] * len(outputs))
    return "\n".join(
        [
            f"def {indicator.name}_nb({', '.join(['memory', 'at', *indicator.inputs, *defaults])}):",
            f"    if not ({_sound(indicator)}):",
            f"        return {missing}",
            *(f"    {name} = float64({name})" for name in indicator.inputs if name != "timestamp"),
            "    count = int64(memory[at])",
            *(f"    {line}" for line in _load(indicator)),
            f"    {', '.join([*state, *outputs])} = {call}",
            "    memory[at] = count + 1",
            *(f"    {line}" for line in _save(indicator)),
            f"    return {', '.join(outputs)}",
            "",
        ]
    )


def batch_source(indicator: "Indicator") -> str:
    """``NAME_batch(memory, *series, *parameters, *results)`` as text."""
    state, outputs, call = _parts(indicator, "0")
    results = [f"{name}_result" for name in outputs]
    checked = [name for name in indicator.inputs if name != "timestamp"]
    first = f"{indicator.inputs[0]}_part.size"
    sound = ", ".join([first, *(f"sound_nb({name}_part)" for name in checked)])
    given = [*(f"{name}_series" for name in indicator.inputs), *indicator.defaults, *results]
    return "\n".join(
        [
            f"def {indicator.name}_batch({', '.join(['memory', *given])}):",
            "    at = 0",
            "    count = int64(memory[0])",
            *(f"    {line}" for line in _load(indicator)),
            "    begin = 0",
            f"    while begin < {indicator.inputs[0]}_series.size:",
            *(f"        {name}_part = {name}_series[begin : begin + {CHUNK}]" for name in indicator.inputs),
            *(f"        {name}_part = {name}[begin : begin + {CHUNK}]" for name in results),
            f"        bars = {f'min({sound})' if checked else first}",
            "        for bar in range(bars):",
            *(f"            {name} = {name}_part[bar]" for name in indicator.inputs),
            f"            {', '.join([*state, *outputs])} = {call}",
            *(f"            {result}_part[bar] = {output}" for result, output in zip(results, outputs, strict=True)),
            "            count += 1",
            f"        if bars < {first}:",
            *(f"            {result}_part[bars] = nan" for result in results),
            "            bars += 1",
            "        begin += bars",
            "    memory[0] = count",
            *(f"    {line}" for line in _save(indicator)),
            "",
        ]
    )


@jit
def sound_nb(series: Any) -> int:
    """How many values come before the first that is missing. Counted without a branch, as nearly always none is."""
    missing = 0
    for place in range(series.size):
        missing += not abs(series[place]) <= LARGEST
    if missing == 0:
        return int(series.size)
    place = 0
    while abs(series[place]) <= LARGEST:
        place += 1
    return place


def _parts(indicator: "Indicator", at: str) -> tuple[list[str], list[str], str]:
    state = [f"state_{number}" for number in range(len(indicator.state))]
    outputs = [f"output_{number}" for number in range(len(indicator.outputs))]
    window = f"{at} + {1 + len(state)}" if at != "0" else f"{1 + len(state)}"
    given = ", ".join(["count", *state, "memory", window, *indicator.inputs, *indicator.defaults])
    return state, outputs, f"advance({given})"


def _sound(indicator: "Indicator") -> str:
    return " and ".join(f"abs({name}) <= {LARGEST!r}" for name in indicator.inputs if name != "timestamp") or "True"


def _load(indicator: "Indicator") -> list[str]:
    lines = []
    for number, word in enumerate(indicator.state):
        read = f"memory[at + {number + 1}]"
        lines.append(f"state_{number} = " + (f"int64({read})" if word.endswith(":int") else read))
    return lines


def _save(indicator: "Indicator") -> list[str]:
    return [f"memory[at + {number + 1}] = state_{number}" for number in range(len(indicator.state))]


def _function(source: str, name: str, indicator: "Indicator") -> Any:
    namespace = {
        "advance": indicator.advance,
        "sound_nb": sound_nb,
        "nan": float("nan"),
        "int64": np.int64,
        "float64": np.float64,
        "__name__": __name__,
    }
    exec(compile(source, f"<{name}>", "exec"), namespace)  # the text is ours, made of declarations in this package
    return namespace[name]
