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

from kernel.indicators.windows_nb import unsigned
from kernel.jit import floats_at, inlined, integers_at, jit, unit
from kernel.records import record_dtype

if TYPE_CHECKING:
    from kernel.indicators.declare import Indicator

LARGEST = 1e60
CHUNK = 512


def make_step(indicator: "Indicator") -> Any:
    """The step, compiled when it is first called."""
    return jit(divisions="numpy")(_function(step_source(indicator), f"{indicator.name}_nb", indicator))


def make_batch(indicator: "Indicator") -> Any:
    """The batch, compiled when it is first called, and cached: a unit of one record of ``batch_kind``."""
    batch = _function(batch_source(indicator), f"{indicator.name}_batch", indicator)
    return unit(batch_kind(indicator), free=True, divisions="numpy")(batch)


def batch_kind(indicator: "Indicator") -> np.dtype:
    """What a batch is given: rows, words of memory, the address of that and of each series, parameters, results."""
    kinds = {"rows": "<i8", "words": "<i8", "memory": "<i8"}
    kinds |= dict.fromkeys([f"{name}_series" for name in indicator.inputs], "<i8")
    kinds |= {name: "<i8" if isinstance(value, int) else "<f8" for name, value in indicator.defaults.items()}
    return record_dtype(**kinds, **dict.fromkeys(_results(indicator), "<i8"))


def step_source(indicator: "Indicator") -> str:
    """``NAME_nb(memory, at, *inputs, *parameters)`` as text."""
    defaults = [f"{name}={value!r}" for name, value in indicator.defaults.items()]
    state, outputs, call = _parts(indicator, "at")
    missing = ", ".join(["nan"] * len(outputs))
    return "\n".join(
        [
            f"def {indicator.name}_nb({', '.join(['memory', 'at', *indicator.inputs, *defaults])}):",
            f"    if not ({_sound(indicator, 'and')}):",
            f"        return {missing}",
            *(f"    {name} = float64({name})" for name in indicator.inputs if name != "timestamp"),
            "    count = int64(memory[at])",
            *(f"    {line}" for line in _load(indicator)),
            *(f"    {line}" for line in _window(indicator, "at") if indicator.past),
            *(f"    {line}" for line in _keep(indicator) if indicator.past),
            f"    {', '.join([*state, *outputs])} = {call}",
            *(["    memory[ring - 1] = place"] if indicator.past else []),
            "    memory[at] = count + 1",
            *(f"    {line}" for line in _save(indicator)),
            f"    return {', '.join(outputs)}",
            "",
        ]
    )


def batch_source(indicator: "Indicator") -> str:
    """``NAME_batch(given)`` as text."""
    stateless = not indicator.state and not indicator.window(*indicator.defaults.values())
    body = _of_past(indicator) if indicator.past else _at_once(indicator) if stateless else _by_chunks(indicator)
    return "\n".join(
        [
            f"def {indicator.name}_batch(given):",
            "    at = 0",
            "    memory = floats_at(given.memory, given.words)",
            *(f"    {name}_series = {_at(name)}(given.{name}_series, given.rows)" for name in indicator.inputs),
            *(f"    {name} = given.{name}" for name in indicator.defaults),
            *(f"    {name} = floats_at(given.{name}, given.rows)" for name in _results(indicator)),
            "    count = int64(memory[0])",
            *(f"    {line}" for line in _load(indicator)),
            *(f"    {line}" for line in body),
            "    memory[0] = count",
            *(f"    {line}" for line in _save(indicator)),
            "    return 0",
            "",
        ]
    )


def _at_once(indicator: "Indicator") -> list[str]:
    """One bar has nothing to do with another: a single pass, which the compiler makes of whole vectors."""
    _, outputs, call = _parts(indicator, "0")
    return [
        f"for bar in range({indicator.inputs[0]}_series.size):",
        *(f"    {name} = {name}_series[bar]" for name in indicator.inputs),
        f"    {', '.join(outputs)} = {call}",
        f"    sound = {_sound(indicator, '&')}",
        *(f"    {to}[bar] = {one} if sound else nan" for to, one in zip(_results(indicator), outputs, strict=True)),
        "    count += sound",
    ]


def _by_chunks(indicator: "Indicator") -> list[str]:
    state, outputs, call = _parts(indicator, "0")
    results = _results(indicator)
    checked = [name for name in indicator.inputs if name != "timestamp"]
    first = f"{indicator.inputs[0]}_part.size"
    sound = ", ".join([first, *(f"sound_nb({name}_part)" for name in checked)])
    return [
        "begin = 0",
        f"while begin < {indicator.inputs[0]}_series.size:",
        *(f"    {name}_part = {name}_series[begin : begin + {CHUNK}]" for name in indicator.inputs),
        *(f"    {name}_part = {name}[begin : begin + {CHUNK}]" for name in results),
        f"    bars = {f'min({sound})' if checked else first}",
        "    for bar in range(bars):",
        *(f"        {name} = {name}_part[bar]" for name in indicator.inputs),
        f"        {', '.join([*state, *outputs])} = {call}",
        *(f"        {result}_part[bar] = {output}" for result, output in zip(results, outputs, strict=True)),
        "        count += 1",
        f"    if bars < {first}:",
        *(f"        {result}_part[bars] = nan" for result in results),
        "        bars += 1",
        "    begin += bars",
    ]


def _of_past(indicator: "Indicator") -> list[str]:
    """The bars that are looked back at lie in the series itself, but for those before it or before a missing one."""
    state, outputs, call = _parts(indicator, "0")
    results = _results(indicator)
    sizes = ", ".join(["size", *(f"begin + sound_nb({name}_series[begin:])" for name in indicator.inputs)])
    direct = ", ".join(f"{name}_series, bar" for name in indicator.past)
    step = [
        f"        {', '.join([*state, *outputs])} = {call}",
        *(f"        {result}[unsigned(bar)] = {output}" for result, output in zip(results, outputs, strict=True)),
        "        count += 1",
    ]
    read = [f"        {name} = {name}_series[unsigned(bar)]" for name in indicator.inputs]
    return [
        *_window(indicator, "0"),
        f"size = {indicator.inputs[0]}_series.size",
        "begin = 0",
        "while begin < size:",
        f"    end = min({sizes})",
        "    middle = min(begin + depth - 1, end)",
        "    for bar in range(begin, middle):",
        *read,
        *(f"        {line}" for line in _keep(indicator)),
        *step,
        "    for bar in range(middle, end):",
        *read,
        *(line.replace(_ring(indicator), direct) for line in step),
        "    again = max(middle, end - depth)",
        "    place = (place + again - middle) % depth",
        "    for bar in range(again, end):",
        *read,
        *(f"        {line}" for line in _keep(indicator)),
        "    if end < size:",
        *(f"        {result}[unsigned(end)] = nan" for result in results),
        "    begin = end + 1",
        "memory[ring - 1] = place",
    ]


def _at(name: str) -> str:
    return "integers_at" if name == "timestamp" else "floats_at"


def _results(indicator: "Indicator") -> list[str]:
    return [f"{name}_result" for name in indicator.outputs]


def _window(indicator: "Indicator", at: str) -> list[str]:
    """Where the past of the inputs is kept: twice over, so that the last ``depth`` of each lie side by side."""
    return [
        f"depth = depth_of({', '.join(indicator.defaults)})",
        f"ring = {at} + {2 + len(indicator.state)}",
        "place = int64(memory[ring - 1])",
    ]


def _keep(indicator: "Indicator") -> list[str]:
    """Put this bar's inputs into the memory. The newest then lies at ``place + depth - 1`` of its ring."""
    lines = []
    for number, name in enumerate(indicator.past):
        lines += [
            f"memory[unsigned(ring + {2 * number} * depth + place)] = {name}",
            f"memory[unsigned(ring + {2 * number + 1} * depth + place)] = {name}",
        ]
    return [*lines, "place = place + 1 if place + 1 < depth else 0"]


def _ring(indicator: "Indicator") -> str:
    """The past of each input in memory, and where its newest value is."""
    return ", ".join(
        f"memory, ring + {2 * number} * depth + place + depth - 1" for number in range(len(indicator.past))
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
    kept = _ring(indicator) if indicator.past else f"memory, {window}"
    return state, outputs, f"advance({', '.join(['count', *state, kept, *indicator.inputs, *indicator.defaults])})"


def _sound(indicator: "Indicator", both: str) -> str:
    tests = [f"(abs({name}) <= {LARGEST!r})" for name in indicator.inputs if name != "timestamp"]
    return f" {both} ".join(tests) or "True"


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
        "floats_at": floats_at,
        "integers_at": integers_at,
        "nan": float("nan"),
        "int64": np.int64,
        "float64": np.float64,
        "unsigned": unsigned,
        "depth_of": inlined(indicator.depth),
        "__name__": __name__,
    }
    exec(compile(source, f"<{name}>", "exec"), namespace)  # the text is ours, made of declarations in this package
    return namespace[name]
