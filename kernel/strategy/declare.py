"""Declaring a compiled strategy: ``@compiled(fast=12, slow=26)`` over a function of ``(ctx, own, fast, slow)``.

Owns what the kernel needs to know of a strategy beside its code (parameters and defaults, memory, what it is called
for) and the entry point that turns the user's function into one of the engine's fixed signature, so that a new
strategy compiles by itself and the engine stays as it is in the cache.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from kernel.bars.rule import RuleError, parse_rule
from kernel.features.name import Feature, FeatureError, parse_feature
from kernel.jit import CompileError, address_of, jit, unit
from kernel.naming import near_name
from kernel.strategy.context import CALL_NAMES, CONTEXT, MAX_PARAMETERS

NEVER = -1  # as ``settle``: what it decides depends on when it began, for ever
Names = tuple[str, ...] | Callable[..., tuple[str, ...]]
_KINDS = {name: number for number, name in CALL_NAMES.items()}


class StrategyError(ValueError):
    """A strategy that is declared wrongly, or a parameter that it does not have. The text is one line."""


class CompiledStrategy:
    """A declared compiled strategy: what ``@compiled`` returns.

    ``defaults`` maps each parameter to its default (int or float, which is also its type); ``memory`` is the number of
    float64 words per instrument, or for the whole strategy when ``per`` is ``"portfolio"``. ``warm_up`` is how many
    bars it sees before the first at which it can ask for something. ``settle`` is how many more until it decides as if
    it had always run (an average that never forgets nears that), and as long as ``settle_days`` (it needs whole days);
    ``NEVER`` when it never does. ``bars`` are the rules of the series that it hears instead of the data's own bars, and
    ``features`` the names of what it reads with ``api_nb.feature``; without a ``warm_up`` (None) that is when all of
    them are defined. Each but the days is a value, or a function of the parameters.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        defaults: dict[str, int | float],
        memory: int | Callable[..., int],
        per: str,
        on: tuple[str, ...],
        warm_up: int | Callable[..., int] | None = None,
        settle: int | Callable[..., int] = 0,
        settle_days: int = 0,
        bars: Names = (),
        features: Names = (),
    ) -> None:
        self.function = function
        self.name: str = function.__name__
        self.description = " ".join((function.__doc__ or "").split())
        self.defaults = defaults
        self.memory = memory
        self.warm_up = warm_up
        self.settle = settle
        self.settle_days = settle_days
        self.bars = bars
        self.features = features
        self.per = per
        self.on = on
        self.source_file: str = function.__code__.co_filename
        _check_declaration(self)

    def memory_words(self, parameters: dict[str, int | float]) -> int:
        """How many float64 of memory it needs with these parameters. Raises StrategyError when they make no sense."""
        return self._of(self.memory, parameters)

    def warm_up_bars(self, parameters: dict[str, int | float]) -> int:
        """How many bars come before the first at which it can ask for something. Raises StrategyError."""
        if self.warm_up is None:
            return features_warm_up(self.asked_features(parameters), self.bar_rules(parameters))
        return self._of(self.warm_up, parameters)

    def settle_bars(self, parameters: dict[str, int | float]) -> int:
        """How many bars after its warm-up it decides as if it had always run, or NEVER. Raises StrategyError."""
        return NEVER if self.settle == NEVER else self._of(self.settle, parameters)

    def bar_rules(self, parameters: dict[str, int | float]) -> tuple[str, ...]:
        """The rules of the series of bars that it hears; empty for the data's own bars. Raises StrategyError."""
        return named_rules(self.name, self.bars, parameters)

    def asked_features(self, parameters: dict[str, int | float]) -> tuple[Feature, ...]:
        """The features that it reads, in the order of their numbers. Raises StrategyError."""
        return named_features(self.name, self.features, parameters)

    def _of(self, measure: int | Callable[..., int], parameters: dict[str, int | float]) -> int:
        if isinstance(measure, int):
            return measure
        try:
            return max(int(measure(**parameters)), 0)
        except ValueError as error:  # an indicator that does not take such a parameter
            raise StrategyError(f"strategy {self.name}: {error}") from None

    def entry(self) -> Any:
        """The compiled entry point, a unit of one CONTEXT; compiles, or loads from the store, on the first call.

        Raises StrategyError when the function does not compile.
        """
        source = _entry_source(self)
        namespace = {"strategy": jit(self.function), "int64": np.int64, "__name__": self.function.__module__}
        exec(compile(source, f"<entry of {self.name}>", "exec"), namespace)  # the text is ours: names checked
        entry = namespace["entry"]
        entry.__qualname__ = f"{self.name}.entry"
        compiled = unit(CONTEXT, free=True)(entry)
        try:
            address_of(compiled)
        except CompileError as error:
            raise StrategyError(f"{self.source_file}: {self.name} does not compile: {error}") from error
        return compiled


def compiled(
    *,
    memory: int | Callable[..., int] = 0,
    per: str = "instrument",
    on: str | tuple[str, ...] = "bar",
    warm_up: int | Callable[..., int] | None = None,
    settle: int | Callable[..., int] = 0,
    settle_days: int = 0,
    bars: Names = (),
    features: Names = (),
    **parameters: int | float,
) -> Callable[[Callable[..., Any]], CompiledStrategy]:
    """Declare a compiled strategy. The keyword arguments are its parameters with their defaults.

    The function gets the context, its own memory (float64, zero at the start, kept between calls) and its parameters.
    ``on`` names what it is called for (``start``, ``bar``, ``trade``, ``quote``, ``depth``, ``fill``,
    ``timer``). With
    ``per="instrument"`` each instrument has its own memory; with ``per="portfolio"`` all share one. ``memory`` (words),
    ``warm_up`` and ``settle`` (bars) may be functions that take the parameters by name: ``lambda slow, **_: slow - 1``.
    ``bars`` may be one too; it gives rules such as ``("5m", "1h")``: then the bars that it hears are those of these
    series, and ``api_nb.series`` says which. So may ``features``, names such as ``("ema(12)", "atr(14)@1h")``, each of
    which the engine computes once for all who ask; ``api_nb.feature`` reads them, counted over all their outputs.
    """

    def declare(function: Callable[..., Any]) -> CompiledStrategy:
        calls = (on,) if isinstance(on, str) else tuple(on)
        return CompiledStrategy(
            function, dict(parameters), memory, per, calls, warm_up, settle, settle_days, bars, features
        )

    return declare


def named_features(name: str, features: Names, parameters: dict[str, int | float]) -> tuple[Feature, ...]:
    """The features that a strategy declares. Raises StrategyError."""
    found = features(**parameters) if callable(features) else features
    try:
        return tuple(parse_feature(text) for text in ((found,) if isinstance(found, str) else found))
    except FeatureError as error:
        raise StrategyError(f"strategy {name}: {error}") from None


def features_warm_up(features: tuple[Feature, ...], rules: tuple[str, ...]) -> int:
    """After how many of the bars that a strategy hears all its features are defined; 0 without any."""
    base = next(iter(rules), "")
    return max((one.lookback_bars(base) for one in features), default=0)


def named_rules(name: str, bars: Names, parameters: dict[str, int | float]) -> tuple[str, ...]:
    """The rules of bars that a strategy declares, as they are written canonically. Raises StrategyError."""
    found = bars(**parameters) if callable(bars) else bars
    if isinstance(found, str):
        found = (found,)
    try:
        rules = tuple(str(parse_rule(rule)) for rule in found)
    except RuleError as error:
        raise StrategyError(f"strategy {name}: {error}") from None
    if len(set(rules)) < len(rules):
        raise StrategyError(f"strategy {name}: a rule of bars is named twice: {', '.join(rules)}")
    return rules


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


def resolve_parameters(
    name: str, defaults: dict[str, int | float], given: dict[str, int | float | str]
) -> dict[str, int | float]:
    """Defaults overlaid with what was given, each in the type of its default. Raises StrategyError."""

    resolved = dict(defaults)
    for key, value in given.items():
        if key not in defaults:
            hint = near_name(key, defaults, f"it has {', '.join(defaults) or 'none'}")
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
