"""Hosting strategies in plain Python for the compiled loop.

Owns the C callbacks through which the loop reaches Python, and the exception when a strategy raises: it cannot cross
the compiled frames, so it waits here until the loop has stopped.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from kernel.jit import JIT_ENABLED
from kernel.strategy.python import Strategy
from kernel.strategy.shim_nb import RAISED, python_entry
from replay.engine import EngineMemory, Plan

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class PythonHost:
    """One strategy class with its objects, one for each instrument (or one for all)."""

    def __init__(
        self,
        cls: type[Strategy],
        parameters: dict[str, int | float],
        instruments: Sequence[int],
        series: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.cls = cls
        self._series = series
        self.parameters = parameters
        self.error: BaseException | None = None
        self._objects: list[Strategy | None] = [None] * (1 if cls.per == "portfolio" else len(instruments))
        self._instruments = list(instruments)
        self._callbacks = [self._callback(place) for place in range(len(self._objects))]
        self._c_callbacks = [_CALLBACK(callback) for callback in self._callbacks]

    def plan(self) -> Plan:
        """What the engine needs to call this strategy."""
        if JIT_ENABLED:
            entry = python_entry
            addresses = [ctypes.cast(callback, ctypes.c_void_p).value or 0 for callback in self._c_callbacks]
        else:
            entry = self._enter
            addresses = list(range(len(self._callbacks)))
        return Plan(entry, (), 0, self.cls.per, self._instruments, addresses, self._series)

    def attach(self, memory: EngineMemory) -> None:
        """Make the strategy objects over the engine's context."""
        for place in range(len(self._objects)):
            instrument = -1 if self.cls.per == "portfolio" else self._instruments[place]
            self._objects[place] = self.cls(memory.engine.context, instrument, self.parameters)

    def _enter(self, context: Any) -> int:
        return self._callbacks[int(context.call.callback)](int(context.call.kind))

    def _callback(self, place: int) -> Callable[[int], int]:
        def call(kind: int) -> int:
            strategy = self._objects[place]
            assert strategy is not None
            try:
                strategy._called(kind)
            except BaseException as error:  # it is raised again as soon as the loop has stopped
                self.error = error
                return RAISED
            return 0

        return call
