"""Two versions of a strategy in one place: the parent's, which decides, and the fork's, which learns.

Until the fork both are called for everything that the strategy hears. They see the same market, the same book and the
same orders, those of the parent; what the fork's version wishes is dropped. From the fork on it alone is called, with
all that it has learned. So nothing has to be carried over, and nothing is guessed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from kernel.jit import bind
from kernel.strategy.declare import CompiledStrategy
from kernel.strategy.python import Strategy, deliver
from kernel.tables.table import MAX_POSITIONS, word_of
from replay.execution import Prepared
from replay.features import plan_run_features
from replay.fork.changes import ForkError
from replay.loading import LoadedStrategy
from replay.series import plan_run_series


class Switch:
    """Whether the fork has happened; one for all strategies of a run."""

    def __init__(self) -> None:
        self.is_forked = False


class Tandem(Strategy):
    """Stands in the engine for the strategy; made by ``tandem_of``. ``ghost`` is the number of the fork's version."""

    old: LoadedStrategy
    new: LoadedStrategy
    ghost: int
    switch: Switch

    def __init__(self, context: Any, instrument: int, parameters: dict[str, int | float]) -> None:
        self._context = context
        self.instrument = instrument
        self._old = _mind(self.old, context, instrument)
        self._new = _mind(self.new, context, instrument)
        # Kept: to reach a part of the context by its name costs microseconds, and this is called for each event.
        self._wishes = [word_of(context.call, name) for name in ("intent_count", "intents_lost", "group_left")]
        self._number, self._books = word_of(context.call, "strategy"), context.feature_books

    def _called(self, kind: int) -> None:
        self._ask_new(kind)
        if not self.switch.is_forked:
            for count in self._wishes:
                count[0] = 0
            self._old.called(kind)

    def _ask_new(self, kind: int) -> None:
        """Call the fork's version, which reads features of its own: its books stand in the place of the strategy's."""
        if not self.new.features:
            self._new.called(kind)
            return
        count, books = int(self._context.state.head.instrument_count), self._books
        here, there = self._number[0] * count, self.ghost * count
        kept = books[here : here + count].copy()
        books[here : here + count] = books[there : there + count]
        try:
            self._new.called(kind)
        finally:
            books[here : here + count] = kept


class _Compiled:
    """A compiled strategy whose memory and parameters are laid into the context for each call, and taken out again."""

    def __init__(self, strategy: LoadedStrategy, context: Any) -> None:
        source = strategy.source
        assert isinstance(source, CompiledStrategy)
        entry = source.entry()
        self._call: Callable[[], Any] = bind(entry, context)
        self._memory = np.zeros(source.memory_words(strategy.parameters))
        self._parameters = np.array([float(value) for value in strategy.parameters.values()])
        self._there = context.memory[: self._memory.size], context.parameters[: self._parameters.size]
        self._places = [word_of(context.call, name) for name in ("memory_at", "memory_size", "parameters_at")]

    def called(self, kind: int) -> None:
        memory, parameters = self._there
        kept = memory.copy(), parameters.copy(), [word[0] for word in self._places]
        memory[:], parameters[:] = self._memory, self._parameters
        for word, value in zip(self._places, (0, self._memory.size, 0), strict=True):
            word[0] = value
        self._call()
        self._memory[:] = memory
        memory[:], parameters[:] = kept[0], kept[1]
        for word, value in zip(self._places, kept[2], strict=True):
            word[0] = value


class _Plain:
    """The object of a strategy in plain Python."""

    def __init__(self, strategy: LoadedStrategy, context: Any, instrument: int) -> None:
        cls: Any = strategy.source
        self._object = cls(context, instrument, strategy.parameters)

    def called(self, kind: int) -> None:
        deliver(self._object, kind)


def _mind(strategy: LoadedStrategy, context: Any, instrument: int) -> _Compiled | _Plain:
    if isinstance(strategy.source, CompiledStrategy):
        return _Compiled(strategy, context)
    return _Plain(strategy, context, instrument)


class TandemRun(Prepared, frozen=True):
    """A prepared run in which some strategies are tandems; ``ghosts`` are their versions after the fork."""

    ghosts: tuple[LoadedStrategy, ...] = ()

    @property
    def readers(self) -> tuple[LoadedStrategy, ...]:
        return (*self.strategies, *self.ghosts)


def tandem_run(parent: Prepared, forked: Prepared, switch: Switch) -> TandemRun:
    """The parent's run with a tandem wherever the fork has another strategy. Raises ForkError."""
    ghosts: list[LoadedStrategy] = []
    strategies: list[LoadedStrategy] = []
    for old, new in zip(parent.strategies, forked.strategies, strict=True):
        if not is_changed(old, new):
            strategies.append(old)
            continue
        _check(old, new)
        strategies.append(_tandem_of(old, new, len(parent.strategies) + len(ghosts), switch))
        ghosts.append(new)
    made = TandemRun(
        parent.config, parent.universe, tuple(strategies), parent.resolved, parent.ledger, ghosts=tuple(ghosts)
    )
    _check_engine(parent, made)
    return made


def is_changed(old: LoadedStrategy, new: LoadedStrategy) -> bool:
    """Whether the fork's strategy is another one: by its parameters or its file."""
    return (old.parameters, old.source_file, old.source) != (new.parameters, new.source_file, new.source)


def _check(old: LoadedStrategy, new: LoadedStrategy) -> None:
    for what, here, there in (
        ("bars", old.bars, new.bars),
        ("instruments", old.instruments, new.instruments),
        ("per", old.source.per, new.source.per),
    ):
        if here != there:
            raise ForkError(
                f"strategy {old.name}: the fork's has other {what} ({_shown(there)} for {_shown(here)}), which a "
                "history under way cannot change; make a run of its own"
            )


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def _tandem_of(old: LoadedStrategy, new: LoadedStrategy, ghost: int, switch: Switch) -> LoadedStrategy:
    fields = {"old": old, "new": new, "ghost": ghost, "switch": switch, "per": old.source.per, "name": old.name}
    return msgspec.structs.replace(old, source=type("Tandem", (Tandem,), fields))


def _check_engine(parent: Prepared, made: TandemRun) -> None:
    """What the engine computes must be what the parent's computes, and room for more."""
    if len(made.readers) * len(made.universe.instruments) > MAX_POSITIONS:
        raise ForkError("two versions of so many strategies and instruments are more than the engine holds")
    series = plan_run_series(parent.config, parent.universe, parent.strategies)
    known = {one.rule for one in series}
    asked = {one.series for ghost in made.ghosts for one in ghost.features if one.series}
    if asked - known:
        raise ForkError(
            f"the fork's strategy reads features of bars that the run does not make: {', '.join(sorted(asked - known))}"
        )
    if _columns(parent, parent.strategies) != _columns(parent, made.readers) and parent.config.features.is_recorded:
        raise ForkError("the run records its features, and the fork's strategy reads others; make a run of its own")


def _columns(run: Prepared, readers: Sequence[LoadedStrategy]) -> list[tuple[str, ...]]:
    series = plan_run_series(run.config, run.universe, run.strategies)
    return [one.columns for _, one in plan_run_features(run.config, run.universe, readers, series).sets]
