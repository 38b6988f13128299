"""Declaring a compiled strategy: ``@compiled(fast=12, slow=26)`` over a function of ``(ctx, own, fast, slow)``.

Owns what the kernel needs to know of a strategy beside its code (parameters and defaults, memory, what it is called
for) and the entry point that turns the user's function into one of the engine's fixed signature, so that a new
strategy compiles by itself and the engine stays as it is in the cache.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import NumbaError
from numba.np.numpy_support import from_dtype

from kernel.jit import JIT_ENABLED, cache_dir, generated_file, jit, reached_digest
from kernel.strategy.context import CALL_NAMES, CONTEXT, MAX_PARAMETERS

_KINDS = {name: number for number, name in CALL_NAMES.items()}


class StrategyError(ValueError):
    """A strategy that is declared wrongly, or a parameter that it does not have. The text is one line."""


class CompiledStrategy:
    """A declared compiled strategy: what ``@compiled`` returns.

    ``defaults`` maps each parameter to its default (int or float, which is also its type); ``memory`` is the number of
    float64 words per instrument, or for the whole strategy when ``per`` is ``"portfolio"``.
    """

    def __init__(
        self, function: Callable[..., Any], defaults: dict[str, int | float], memory: int, per: str, on: tuple[str, ...]
    ) -> None:
        self.function = function
        self.name: str = function.__name__
        self.description = " ".join((function.__doc__ or "").split())
        self.defaults = defaults
        self.memory = memory
        self.per = per
        self.on = on
        self.source_file: str = function.__code__.co_filename
        _check_declaration(self)

    def entry(self) -> Any:
        """The compiled entry point ``int64(Context)``; compiles, or loads from the cache, on the first call.

        Raises StrategyError when the function does not compile.
        """
        source = _entry_source(self)
        name = f"{self.name}_{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        source = source.replace("def entry", f"def {name}")
        namespace = {"strategy": jit(self.function), "int64": np.int64, "__name__": __name__}
        reached = reached_digest(self.function) if JIT_ENABLED else b""
        file = generated_file(cache_dir(self.source_file, reached), name, source)
        exec(compile(source, file, "exec"), namespace)  # the text is ours: names checked, nothing from outside
        try:
            return jit(types.int64(context_type()), source=self.source_file, reached=reached)(namespace[name])
        except (NumbaError, KeyError, TypeError, AttributeError, ValueError) as error:  # what numba raises on bad code
            raise StrategyError(f"{self.source_file}: {self.name} does not compile: {self._reason(error)}") from error

    def _reason(self, error: Exception) -> str:
        """The one line of numba's explanation that says what is wrong, and the line number where it gives one."""
        if isinstance(error, KeyError):
            return f"unknown name {error}"
        lines = [line.strip() for line in str(error).splitlines()]
        noise = ("Failed in", "During", "File", "def ", "<source", "^", "- ", "[1]")
        telling = [line for line in lines if line and not line.startswith(noise)]
        places = re.findall(re.escape(Path(self.source_file).name) + r'", line (\d+)', str(error))
        where = f"line {places[0]}: " if places else ""
        return where + (telling[0] if telling else type(error).__name__)


def compiled(
    *, memory: int = 0, per: str = "instrument", on: str | tuple[str, ...] = "bar", **parameters: int | float
) -> Callable[[Callable[..., Any]], CompiledStrategy]:
    """Declare a compiled strategy. The keyword arguments are its parameters with their defaults.

    The function gets the context, its own memory (float64, zero at the start, kept between calls) and its parameters.
    ``on`` names what it is called for (``start``, ``bar``, ``trade``, ``quote``, ``depth``, ``fill``,
    ``timer``). With
    ``per="instrument"`` each instrument has its own memory; with ``per="portfolio"`` all share one.
    """

    def declare(function: Callable[..., Any]) -> CompiledStrategy:
        return CompiledStrategy(function, dict(parameters), memory, per, (on,) if isinstance(on, str) else tuple(on))

    return declare


def _check_declaration(strategy: CompiledStrategy) -> None:
    code = strategy.function.__code__
    names = code.co_varnames[2 : code.co_argcount]
    if names != tuple(strategy.defaults):
        raise StrategyError(
            f"{strategy.name}: the function takes ({', '.join(names)}) after the context and its memory, but @compiled "
            f"declares ({', '.join(strategy.defaults)}); name the same parameters in the same order"
        )
    if len(names) > MAX_PARAMETERS:
        raise StrategyError(f"{strategy.name}: more than {MAX_PARAMETERS} parameters")
    unknown = [kind for kind in strategy.on if kind not in _KINDS]
    if unknown:
        raise StrategyError(f"{strategy.name}: on={unknown[0]!r} is none of {', '.join(_KINDS)}")
    if strategy.per not in ("instrument", "portfolio"):
        raise StrategyError(f"{strategy.name}: per={strategy.per!r} is neither 'instrument' nor 'portfolio'")
    for name, default in strategy.defaults.items():
        if isinstance(default, bool) or not isinstance(default, int | float):
            raise StrategyError(f"{strategy.name}: the default of {name} is neither an integer nor a float")


def _entry_source(strategy: CompiledStrategy) -> str:
    arguments = ["ctx", "own"]
    for position, default in enumerate(strategy.defaults.values()):
        value = f"ctx.parameters[at + {position}]"
        arguments.append(f"int64({value})" if isinstance(default, int) else value)
    test = " or ".join(f"kind == {_KINDS[kind]}" for kind in strategy.on)
    return (
        "def entry(ctx):\n"
        "    kind = ctx.call.kind\n"
        "    at = ctx.call.parameters_at\n"
        f"    if {test}:\n"
        "        call = ctx.call\n"
        "        own = ctx.memory[call.memory_at : call.memory_at + call.memory_size]\n"
        f"        strategy({', '.join(arguments)})\n"
        "    return 0\n"
    )


def context_type() -> Any:
    """numba's type of a context."""
    return from_dtype(CONTEXT)


def noop_entry() -> Any:
    """An entry that does nothing: fills the unused places of the engine's strategy table."""
    return jit(types.int64(context_type()))(_noop)


def _noop(ctx: Any) -> int:
    return 0


def resolve_parameters(
    name: str, defaults: dict[str, int | float], given: dict[str, int | float | str]
) -> dict[str, int | float]:
    """Defaults overlaid with what was given, each in the type of its default. Raises StrategyError."""
    import difflib

    resolved = dict(defaults)
    for key, value in given.items():
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(defaults) or 'none'}"
            raise StrategyError(f"strategy {name} has no parameter {key!r}; {hint}")
        kind = int if isinstance(defaults[key], int) else float
        try:
            number = kind(value)
        except ValueError:
            wanted = "an integer" if kind is int else "a number"
            raise StrategyError(f"strategy {name}: {key}={value!r} is not {wanted}") from None
        if kind is int and float(value) != number:
            raise StrategyError(f"strategy {name}: {key}={value!r} is not an integer")
        resolved[key] = number
    return resolved
