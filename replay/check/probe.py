"""A strategy beside itself: one that always ran, and others that begin later, asked the same at every event.

Owns the calls. All of them see the same market, the same book and the same orders, those of the one that always ran;
only what they remember differs. So whatever they ask for differently comes from what they do not know yet.
"""

from typing import Any, ClassVar

import msgspec
import numpy as np

from kernel.strategy.context import BAR, DEPTH, QUOTE, START, TRADE
from kernel.strategy.declare import CompiledStrategy
from kernel.strategy.python import Strategy, deliver
from replay.check.late_features import Copy
from replay.loading import LoadedStrategy

MARKET_CALLS = (BAR, TRADE, QUOTE, DEPTH)
# An intent without its sizes and prices: what it is, where, in which direction, and as what kind of order.
DIRECTION = ("action", "instrument", "side", "order_type")
Wish = tuple[tuple[int, ...], ...]


class Late(msgspec.Struct):
    """One that began later: ``born_ns``, and how many bars it has seen of each instrument.

    ``agrees_after`` is the last bar at which it wished otherwise, 0 if it never did. What it cannot know does not
    count: how a trade began that was entered during its warm-up. So after that nothing counts until the book was flat
    once, unless it never is; the last bar of those is ``uncounted``.
    """

    mind: Any
    born_ns: int
    is_flat: bool
    seen: dict[int, int]
    copy: Copy | None = None
    feature_difference: float = 0.0  # the largest when its warm-up was over
    feature: str = ""
    agrees_after: int = 0
    uncounted: int = 0
    was_flat: bool = False
    differed_ns: int = 0
    wishes: int = 0
    differences: int = 0
    bars: int = 0


class Probe(Strategy):
    """Stands in the engine for the strategy; made by ``probe_of``."""

    strategy: LoadedStrategy
    starts: frozenset[int]
    horizon: int
    warm_up: ClassVar[int]
    late_features: Any = None
    made: "list[Probe]"

    def __init__(self, context: Any, instrument: int, parameters: dict[str, int | float]) -> None:
        super().__init__(context, instrument, parameters)
        self.parameters = parameters
        self.instruments = self.strategy.instruments if instrument < 0 else (instrument,)
        self.make = _Compiled if isinstance(self.strategy.source, CompiledStrategy) else _Plain
        self.main = self.make(self)
        self.late: list[Late] = []
        self.heard = self.due = 0  # bars, and those of them after which a late one is due
        self.counted = _counted(self.strategy)
        self.made.append(self)

    def _called(self, kind: int) -> None:
        if kind in self.counted:
            self.heard += 1
            self.due += self.heard in self.starts
            if self.due and (self._is_flat() or self.due > 1):
                self._begin()
        asked = any(late.bars >= self.warm_up and not late.was_flat for late in self.late)
        flat = asked and self._is_flat()
        wishes = [(late, self._ask_late(late, kind)) for late in self.late if late.bars <= self.horizon]
        wish = self._ask(self.main, kind)  # last: what it asks for is what the engine will see
        for late, other in wishes:
            self._compare(late, kind, wish, other, flat)

    def _begin(self) -> None:
        call = self._context.call
        kind, words = int(call.kind), call.words.copy()
        seen = dict.fromkeys(self.instruments, 0)
        late = Late(mind=self.make(self), born_ns=int(call.ts_ns), is_flat=self._is_flat(), seen=seen)
        if self.late_features is not None:
            bars = self.strategy.bars
            late.copy = self.late_features.begin(self.instruments, bars[int(call.series)] if bars else "")
        call.kind, call.words[:] = START, 0
        self._ask(late.mind, START)
        call.kind, call.words[:] = kind, words
        self.late.append(late)
        self.due = 0

    def _is_flat(self) -> bool:
        state, number = self._context.state, int(self._context.call.strategy)
        orders = state.orders[: state.head.order_count]
        held = [self.position_in(instrument) or self.pending_in(instrument) for instrument in self.instruments]
        return not any(held) and not (orders["strategy"] == number).any()

    def _ask_late(self, late: Late, kind: int) -> Wish:
        if late.copy is None:
            return self._ask(late.mind, kind)
        wish: Wish = self.late_features.seen_by(late.copy, lambda: self._ask(late.mind, kind))
        return wish

    def _ask(self, mind: Any, kind: int) -> Wish:
        call = self._context.call
        call.intent_count = call.intents_lost = call.group_left = 0
        mind.called(kind)
        intents = self._context.intents[: call.intent_count]
        return tuple(tuple(int(intent[name]) for name in DIRECTION) for intent in intents)

    def _compare(self, late: Late, kind: int, wish: Wish, other: Wish, flat: bool) -> None:
        call = self._context.call
        if kind in self.counted:
            late.seen[int(call.instrument)] += 1
            late.bars = min(late.seen.values())
            if late.copy is not None and late.bars == max(self.warm_up, 1) and not late.feature:
                places = [
                    place
                    for _, instrument, read in self.late_features.reads
                    if instrument in self.instruments
                    for place in read
                ]
                late.feature_difference, late.feature = self.late_features.difference(late.copy, places)
        late.wishes += bool(wish)
        late.was_flat |= flat and late.bars > self.warm_up
        if wish != other:
            bars = max(late.bars, 1)
            late.differences += 1
            if bars <= self.warm_up or late.was_flat:
                late.agrees_after, late.differed_ns = bars, int(call.ts_ns)
            else:
                late.uncounted = bars


class _Compiled:
    """The memory of a compiled strategy, laid into the context for each call."""

    def __init__(self, probe: Probe) -> None:
        source = probe.strategy.source
        assert isinstance(source, CompiledStrategy)
        first = probe.made[0].main if probe.made else None
        self._context = probe._context
        self._entry: Any = first._entry if isinstance(first, _Compiled) else source.entry()
        self._memory = np.zeros(source.memory_words(probe.parameters))
        values = [float(value) for value in probe.parameters.values()]
        self._context.parameters[: len(values)] = values

    def called(self, kind: int) -> None:
        context, size = self._context, self._memory.size
        context.memory[:size] = self._memory
        context.call.memory_at = context.call.parameters_at = 0
        context.call.memory_size = size
        self._entry(context)
        self._memory[:] = context.memory[:size]


class _Plain:
    """The object of a strategy in plain Python."""

    def __init__(self, probe: Probe) -> None:
        cls: Any = probe.strategy.source
        self._object = cls(probe._context, probe.instrument, probe.parameters)

    def called(self, kind: int) -> None:
        deliver(self._object, kind)


def _counted(strategy: LoadedStrategy) -> tuple[int, ...]:
    """What counts as a bar: bars, or for a strategy that hears none, what it hears of the market."""
    source = strategy.source
    if isinstance(source, CompiledStrategy):
        hears_bars = "bar" in source.on
    else:
        hears_bars = source.on_bar is not Strategy.on_bar
    return (BAR,) if hears_bars else MARKET_CALLS


def probe_of(
    strategy: LoadedStrategy, starts: frozenset[int], horizon: int, warm_up: int
) -> tuple[LoadedStrategy, list[Probe]]:
    """The strategy with probes in its place, and the list in which they will be found."""
    made: list[Probe] = []
    source = strategy.source
    fields = {
        "strategy": strategy,
        "starts": starts,
        "horizon": horizon,
        "warm_up": warm_up,
        "made": made,
        "per": source.per,
    }
    cls = type("Probe", (Probe,), {**fields, "name": strategy.name})
    return msgspec.structs.replace(strategy, source=cls), made
