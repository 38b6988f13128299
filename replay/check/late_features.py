"""Features as a strategy that began later would have them: the same bars, from its first one on.

Owns copies of the features' memory and values, one for each that began later. It stands in for the compiled sets: what
a bar does to the features of the run, it does to each copy too. Series of bars are those of the run.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from kernel.features.generate import features_entry
from kernel.features.plan import FeatureSet
from kernel.jit import JIT_ENABLED, address_of
from kernel.strategy.shim_nb import python_entry
from kernel.tables.table import MAX_INSTRUMENTS
from replay.engine import EngineMemory
from replay.features import RunFeatures

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class Copy(msgspec.Struct):
    """The features of one that began later: all values, and the memory of each set."""

    instruments: tuple[int, ...]
    values: np.ndarray
    memories: list[np.ndarray]


class LateFeatures:
    """Put between the engine and its compiled sets, before it runs."""

    def __init__(self, memory: EngineMemory, features: RunFeatures) -> None:
        self._context: Any = memory.engine.context
        self._features = features
        self._copies: list[Copy] = []
        self._entries = [features_entry(one.steps) for _, one in features.sets]
        self._callbacks = []
        first = len(memory.entries)
        entries = list(memory.entries)
        for number, (series, one) in enumerate(features.sets):
            plan = memory.engine.feature_plans[one.instrument if series < 0 else MAX_INSTRUMENTS + series]
            callback = self._callback(number)
            if JIT_ENABLED:
                pointer = _CALLBACK(callback)
                self._callbacks.append(pointer)
                plan.callback = ctypes.cast(pointer, ctypes.c_void_p).value or 0
                entries.append(address_of(python_entry))
            else:
                entries.append(lambda context, callback=callback: callback(0))
            plan.entry = first + number + 1
        memory.entries = np.array(entries, np.int64) if JIT_ENABLED else entries

    @property
    def reads(self) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
        """What strategies read: strategy, instrument, places."""
        return self._features.reads

    @property
    def names(self) -> list[str]:
        """The names of all values."""
        return [name for _, one in self._features.sets for name in one.columns]

    def begin(self, instruments: tuple[int, ...], rule: str) -> Copy:
        """The features of one that begins with the bar that is being told, which is of the series ``rule``."""
        memories = [np.zeros(sum(step.words for step in one.steps)) for _, one in self._features.sets]
        copy = Copy(instruments, np.full(self._features.values, np.nan), memories)
        call = self._context.call
        for number, (_, one) in enumerate(self._features.sets):
            if one.rule == rule and one.instrument == int(call.instrument):
                kept = int(call.memory_at), int(call.parameters_at)
                call.memory_at, call.parameters_at = one.memory_at, one.values_at
                self._advance(copy, number)
                call.memory_at, call.parameters_at = kept
        self._copies.append(copy)
        return copy

    def seen_by(self, copy: Copy, ask: Callable[[], Any]) -> Any:
        """What ``ask`` returns while the context shows the copy's values."""
        values = self._context.features[: copy.values.size]
        kept = values.copy()
        values[:] = copy.values
        try:
            return ask()
        finally:
            values[:] = kept

    def difference(self, copy: Copy, places: Sequence[int]) -> tuple[float, str]:
        """The largest relative difference of a value, among those at ``places``, to that of the run; and its name.

        Infinite where one of the two is not a number.
        """
        worst, name, names = 0.0, "", self.names
        for place in places:
            here, there = float(copy.values[place]), float(self._context.features[place])
            if np.isnan(here) and np.isnan(there):
                continue
            largest = max(abs(here), abs(there))
            found = abs(here - there) / largest if largest > 0 else 0.0
            found = float("inf") if np.isnan(found) else found
            if found > worst:
                worst, name = found, names[place]
        return worst, name

    def _callback(self, number: int) -> Callable[[int], int]:
        instrument = self._features.sets[number][1].instrument

        def call(kind: int) -> int:
            self._entries[number](self._context)
            for copy in self._copies:
                if instrument in copy.instruments:
                    self._advance(copy, number)
            return 0

        return call

    def _advance(self, copy: Copy, number: int) -> None:
        one: FeatureSet = self._features.sets[number][1]
        memory = self._context.feature_memory[one.memory_at : one.memory_at + copy.memories[number].size]
        values = self._context.features[one.values_at : one.values_at + len(one.columns)]
        mine = copy.values[one.values_at : one.values_at + len(one.columns)]
        kept = memory.copy(), values.copy()
        memory[:] = copy.memories[number]
        self._entries[number](self._context)
        copy.memories[number][:] = memory
        mine[:] = values
        memory[:], values[:] = kept
