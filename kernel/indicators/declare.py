"""Declaring an indicator once: what it takes, what it gives, how much memory it needs, and one compiled function.

Owns the registry. The function that is decorated tells how one bar changes the indicator: it takes how many bars came
before, its state, the memory with the place where its window begins, the inputs and the parameters, and returns the new
state and the outputs. ``generate`` makes ``step`` and ``batch`` of it, so the two cannot disagree.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.indicators.generate import batch_kind, make_batch, make_step
from kernel.jit import JIT_ENABLED, data_address, inlined

SERIES = {"value", "other", "open", "high", "low", "close", "volume", "timestamp", "period"}
SERIES |= {"bid", "bid_size", "ask", "ask_size"}


class IndicatorError(ValueError):
    """An indicator that does not exist, or is asked for what it cannot do. The text is one line."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: an integer when ``default`` is one, else a number; both bounds are allowed values."""

    name: str
    default: int | float
    lowest: int | float
    highest: int | float


@dataclass(frozen=True)
class Indicator:
    """All that is known of one indicator. ``state`` names its scalar words, with ``:int`` behind whole numbers.

    ``past`` names the inputs of which it looks at the last ``depth``, each bar by itself. The memory of an indicator is
    ``words()`` float64: how many bars it has seen, its state, then its window. All zero is the beginning, and a copy of
    the words is a snapshot.
    """

    name: str
    family: str
    description: str
    source: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    state: tuple[str, ...]
    window: Callable[..., int]
    lookback_of: Callable[..., int]
    advance: Any
    plain: Callable[..., Any]
    past: tuple[str, ...] = ()
    depth: Callable[..., int] = lambda *_: 0

    @property
    def defaults(self) -> dict[str, int | float]:
        """Every parameter with its default."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def resolve(self, given: Mapping[str, int | float]) -> dict[str, int | float]:
        """The defaults overlaid with what is given, each in its type. Raises IndicatorError."""
        values: dict[str, int | float] = dict(self.defaults)
        for name, value in given.items():
            if name not in values:
                raise IndicatorError(f"{self.name} has no parameter {name!r}; it has {', '.join(values) or 'none'}")
            values[name] = int(value) if isinstance(values[name], int) and int(value) == value else value
        for parameter in self.parameters:
            value = values[parameter.name]
            if isinstance(parameter.default, int) and not isinstance(value, int):
                raise IndicatorError(f"{self.name}: {parameter.name}={value!r} is not an integer")
            if not parameter.lowest <= value <= parameter.highest:
                bounds = f"from {parameter.lowest} to {parameter.highest}"
                raise IndicatorError(f"{self.name}: {parameter.name}={value!r} is not {bounds}")
            values[parameter.name] = value if isinstance(parameter.default, int) else float(value)
        return values

    def words(self, **given: int | float) -> int:
        """How many float64 of memory it needs with these parameters."""
        values = self.resolve(given).values()
        past = 1 + 2 * len(self.past) * self.depth(*values) if self.past else 0
        return 1 + len(self.state) + self.window(*values) + past

    def lookback(self, **given: int | float) -> int:
        """The index of the first bar at which its outputs are defined."""
        return self.lookback_of(*self.resolve(given).values())

    @cached_property
    def step(self) -> Any:
        """``step(memory, at, *inputs, *parameters)``: one bar, in compiled code or called from Python.

        Returns its output, or a tuple of them; NaN before the look-back and for a bar with an input that is not a
        number, which leaves the memory as it was.
        """
        return make_step(self)

    @cached_property
    def compiled_batch(self) -> Any:
        """The loop that ``batch`` runs, compiled or loaded from the cache."""
        return make_batch(self)

    def batch(self, *series: Any, memory: NDArray[np.float64] | None = None, **given: int | float) -> Any:
        """The outputs for whole series of equal length: one array, or a tuple of them.

        With ``memory`` (``words()`` float64) it goes on from there and leaves it as the steps would have. Raises
        IndicatorError.
        """
        if len(series) != len(self.inputs):
            raise IndicatorError(f"{self.name} takes {', '.join(self.inputs)}; {len(series)} series given")
        columns = [
            np.ascontiguousarray(column, np.int64 if name == "timestamp" else np.float64)
            for name, column in zip(self.inputs, series, strict=True)
        ]
        shape = columns[0].shape
        if any(column.shape != shape for column in columns) or len(shape) != 1:
            raise IndicatorError(f"{self.name}: the series differ in length")
        values, words = self._plan(tuple(given.items()))
        if memory is None:
            memory = np.zeros(words)
        elif memory.dtype != np.float64 or memory.shape != (words,) or not memory.flags.c_contiguous:
            raise IndicatorError(f"{self.name}: its memory is {words} float64, one after another")
        results = tuple([np.empty(shape) for _ in self.outputs])
        addresses = [data_address(one) for one in (memory, *columns, *results)]
        inputs = 1 + len(columns)
        packed = self._packing.pack(shape[0], memory.size, *addresses[:inputs], *values, *addresses[inputs:])
        self.compiled_batch(packed if JIT_ENABLED else np.frombuffer(packed, batch_kind(self))[0])
        return results[0] if len(results) == 1 else results

    @cached_property
    def _packing(self) -> Struct:
        """A record of ``batch_kind`` as bytes."""
        numbers = ["q" if isinstance(value, int) else "d" for value in self.defaults.values()]
        return Struct("=" + "q" * (3 + len(self.inputs)) + "".join(numbers) + "q" * len(self.outputs))

    @cached_property
    def _plan(self) -> Callable[[tuple[tuple[str, int | float], ...]], tuple[tuple[int | float, ...], int]]:
        """From the parameters that are given: the value of each, and how many words of memory they need."""

        @lru_cache(256)
        def plan(given: tuple[tuple[str, int | float], ...]) -> tuple[tuple[int | float, ...], int]:
            values = self.resolve(dict(given))
            return tuple(values.values()), self.words(**values)

        return plan


REGISTRY: dict[str, Indicator] = {}


def indicator(
    name: str,
    description: str,
    *,
    source: str,
    inputs: str = "value",
    parameters: tuple[Parameter, ...] = (),
    outputs: str = "",
    state: str = "",
    window: Callable[..., int] = lambda *_: 0,
    lookback: Callable[..., int] = lambda *_: 0,
    past: str = "",
    depth: Callable[..., int] = lambda *_: 0,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare an indicator over ``function(count, *state, memory, at, *inputs, *parameters)``.

    Names are separated by blanks. ``window``, ``lookback`` and ``depth`` take the parameters in order. With ``past``
    the function takes, for each input that is named there, ``NAME_past`` and ``NAME_now`` instead of memory: the value
    k bars ago is ``NAME_past[NAME_now - k]``, for k below ``depth``. What comes back is the function itself, compiled
    into whatever calls it, so that other indicators are built of it.
    """

    def declare(function: Callable[..., Any]) -> Any:
        advance = inlined(function)
        names = tuple(state.split())
        found = Indicator(
            name=name,
            family=function.__module__.rpartition(".")[2].removesuffix("_nb").split("_")[0],
            description=description,
            source=source,
            inputs=tuple(inputs.split()),
            parameters=parameters,
            outputs=tuple((outputs or name).split()),
            state=names,
            window=window,
            lookback_of=lookback,
            advance=advance,
            plain=function,
            past=tuple(past.split()),
            depth=depth,
        )
        _check(found)
        REGISTRY[name] = found
        return advance

    return declare


def _check(found: Indicator) -> None:
    """The function takes what the declaration says, in that order."""
    expected = ["count", *(word.removesuffix(":int") for word in found.state)]
    expected += [f"{name}_{end}" for name in found.past for end in ("past", "now")] or ["memory", "at"]
    expected += [*found.inputs, *found.defaults]
    taken = list(inspect.signature(found.plain).parameters)
    unknown = [name for name in found.inputs if name not in SERIES]
    if taken != expected or unknown or found.name in REGISTRY:
        raise IndicatorError(f"{found.name}: declared with ({', '.join(expected)}), but takes ({', '.join(taken)})")


def period(default: int, lowest: int = 1, name: str = "period") -> Parameter:
    """A number of bars."""
    return Parameter(name, default, lowest, 100_000)


def factor(name: str, default: float, lowest: float = 0.0, highest: float = 1e6) -> Parameter:
    """A number."""
    return Parameter(name, default, lowest, highest)


def choice(name: str, count: int, default: int = 0) -> Parameter:
    """One of ``count`` variants, numbered from 0."""
    return Parameter(name, default, 0, count - 1)
